"""The kinds of work that recovery looks for, each by itself. Pure."""

from __future__ import annotations

from enum import StrEnum


class SweepKind(StrEnum):
    """A kind of work. The words are in the ids of Temporal's schedules: they never change."""

    NAMESPACE = "namespace"
    """Whether Temporal has lost its state: a workflow for every message that needs one."""
    PENDING = "pending"
    """Messages of which Temporal has not been notified."""
    PAST_DUE = "past-due"
    """Messages past their time with nothing done."""
    LAPSED = "lapsed"
    """Calls that outlived their lease."""
    PARKED = "parked"
    """What is parked and can go on; held accounts that nobody tries."""
    INTENTS = "intents"
    """Guests' messages in which nobody has looked for intents."""
    INBOUND_FILES = "inbound-files"
    """Guests' files that nobody has fetched, or deleted at the provider."""
    BROADCASTS = "broadcasts"
    """Broadcasts that nobody goes on with."""
    ENDPOINTS = "endpoints"
    """Webhook endpoints that nobody drains."""
    HISTORIES = "histories"
    """Histories of erased guests."""
    OLD = "old"
    """What is kept for a while only."""
    FILES = "files"
    """Files that have been let go."""


TURNS = {
    SweepKind.PENDING: 1,
    SweepKind.PAST_DUE: 2,
    SweepKind.LAPSED: 4,
    SweepKind.PARKED: 2,
    SweepKind.INTENTS: 1,
    SweepKind.INBOUND_FILES: 1,
    SweepKind.BROADCASTS: 2,
    SweepKind.ENDPOINTS: 2,
    SweepKind.NAMESPACE: 10,
    SweepKind.HISTORIES: 4,
    SweepKind.OLD: 4,
    SweepKind.FILES: 4,
}
"""How many times BELLHOP_SWEEP_EVERY lie between two sweeps of a kind, where its own setting says nothing else. What a
killed process leaves behind every time (a notification) is looked for the most often."""
