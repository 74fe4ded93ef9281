"""The names on Temporal's wire: task queues, workflows, activities, signals. They never change."""

from __future__ import annotations

from datetime import timedelta

TASK_QUEUE_WORKFLOWS = "bellhop"
TASK_QUEUE_AHEAD = "bellhop-ahead"
"""Of the messages whose workflows start a little before their time, and wait for it in a worker."""
TASK_QUEUE_PROVIDERS = "bellhop-providers"
TASK_QUEUE_WEBHOOKS = "bellhop-webhooks"
TASK_QUEUE_RECOVERY = "bellhop-recovery"
TASK_QUEUE_RELEASES = "bellhop-releases"
TASK_QUEUE_PACES = "bellhop-paces"
TASK_QUEUE_INTENTS = "bellhop-intents"
TASK_QUEUE_FILES = "bellhop-files"
TASK_QUEUE_BROADCASTS = "bellhop-broadcasts"


def providers_queue(through: str | None) -> str:
    """Where a message's calls are asked for from the second time on: by provider and environment, as `Answer.through`
    names them. None: the queue of those that began before each had its own."""
    return TASK_QUEUE_PROVIDERS if through is None else f"{TASK_QUEUE_PROVIDERS}-{through}"


MESSAGE_WORKFLOW = "Message"
ENDPOINT_WORKFLOW = "Endpoint"
SWEEP_WORKFLOW = "Sweep"
RELEASE_WORKFLOW = "Release"
PACED_RELEASE_WORKFLOW = "PacedRelease"
INTENTS_WORKFLOW = "Intents"
INBOUND_FILES_WORKFLOW = "InboundFiles"
BROADCAST_WORKFLOW = "Broadcast"

WAKE = "wake"
RECEIPT_RECORDED = "receipt_recorded"

DELIVER = "deliver"
SETTLE = "settle"
WITHDRAW = "withdraw"
DRAIN = "drain"
SWEEP = "sweep"
SWEEP_KIND = "sweep_kind"
RELEASE = "release"
RELEASE_PACED = "release_paced"
DETECT = "detect"
SETTLE_FILES = "settle_files"
FEED_BROADCAST = "feed_broadcast"

SWEEP_SCHEDULE = "bellhop-sweep"
"""The one schedule of the versions before each kind of work had its own; theirs begin with it."""


def sweep_schedule(kind: str) -> str:
    """The id of the schedule that looks for one kind of work."""
    return f"{SWEEP_SCHEDULE}-{kind}"


FOLLOWED = timedelta(days=7)
"""How long a sent message is followed by its workflow. Receipts that come later are applied all the same.
"""
