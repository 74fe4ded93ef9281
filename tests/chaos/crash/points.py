"""The list: every durable step of a message, and the scenario in which the process is killed before and after it.

A commit, an RPC, a call of a provider or an endpoint, an activity, a workflow's beginning, end and signals. `number`
is which passing of the step counts: where a later one means something else, it has a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .scenarios import FAILED, SCENARIOS, Ending
from .steps import AFTER, BEFORE


@dataclass(frozen=True, slots=True)
class Row:
    """A step, the scenario in which it is killed, and what is special about it."""

    step: str
    scenario: str
    why: str = ""
    number: int = 1
    after: Ending | None = None
    """How it ends when it is killed after the step, where that is not as the scenario ends."""


@dataclass(frozen=True, slots=True)
class Point:
    """Where to die."""

    step: str
    side: str
    scenario: str
    number: int
    end: Ending

    def __str__(self) -> str:
        return f"{self.scenario}: {self.side} {self.step}" + (f", {self.number}" if self.number > 1 else "")


CUT_OFF = replace(FAILED, left=frozenset({"unknown"}))
"""Some of a call was written and not all of it, and nobody can be asked: the provider has nothing."""

STEPS = (
    # --- the API
    Row("tx messages.accepted_once", "sms", "the acceptance: message, first event and idempotency record"),
    Row("tx batches.send", "together", "the same of all that a batch has, but for what is refused"),
    Row("tx broadcasts.create", "broadcast", "a draft: whoever got no answer makes another"),
    Row("tx broadcasts.start", "broadcast", "from here on it is due"),
    Row("rpc wake Broadcast", "broadcast"),
    Row("workflow Broadcast", "broadcast"),
    Row("Broadcast hears wake", "broadcast"),
    Row("activity feed_broadcast", "broadcast"),
    Row("tx BroadcastFeeder.feed", "broadcast", "it begins"),
    Row("tx BroadcastFeeder.feed", "broadcast", "its messages are accepted, and whose they are is written", 2),
    Row("tx BroadcastFeeder.feed", "broadcast", "everybody has it", 3),
    Row("rpc start Message", "sms"),
    Row("rpc start Message", "scheduled", "asleep until it is due"),
    Row("tx pending_wakes.clear_and_idle", "sms", "clears the pending notification"),
    # --- the workflow and the provider
    Row("workflow Message", "sms"),
    Row("local activity deliver", "sms", "the first attempt, inside the workflow task"),
    Row("tx AttemptStore._claim", "sms", "the attempt is written: from here on it may have left"),
    Row("local activity deliver", "scheduled", "waits for its time in the worker"),
    Row("tx AttemptStore._claim", "scheduled", "its time has come"),
    Row("twilio send", "sms"),
    Row("tx plain_outcomes.record", "sms", "accepted, in one statement"),
    Row("sendgrid send", "email", "nobody could say whether it left, but nothing was written, which is marked"),
    Row("tx plain_outcomes.record", "email"),
    Row("sendblue send", "imessage"),
    Row("fcm send", "lost push", "as sendgrid send"),
    Row("apns send", "lost apple push", "a call over HTTP/2, of which the same is to be said"),
    Row("apns frames", "lost apple push", "in the middle of a call: its head is out, its text is not", after=CUT_OFF),
    Row("tx AttemptStore._claim", "in app", "laid into the inbox: the attempt, its outcome and the event are one"),
    # --- receipts
    Row("tx receipts._record_plain", "sms", "`sent`: no news"),
    Row("tx receipts._record_plain", "sms", "`delivered`", 2),
    Row("tx receipts._record_plain", "email", "`open`", 3),
    Row("tx receipts.record", "batch", "stored to be applied later, and acknowledged"),
    Row("tx receipts.apply_next", "batch", "applies a part of it"),
    Row("tx receipts.apply_next", "batch", "and another", 2),
    Row("tx inbox.report", "in app", "what the guest's app reports"),
    Row("rpc signal receipt_recorded", "sms"),
    Row("Message hears receipt_recorded", "sms"),
    # --- what a guest writes
    Row("tx receipts.record", "wrote", "from here on it is pending that nobody has looked for intents in it"),
    Row("tx receipts.record", "stopped", "with it, the message that answers it is accepted"),
    Row("tx inbound_files._copy", "mailed", "a place for what came with it; nothing is acknowledged yet"),
    Row("tx inbound_files._copy#2", "mailed", "the bytes are there; they come again, and make another copy"),
    Row("tx receipts.record", "mailed", "the mail with its picture; repeated, it is the same one"),
    Row("rpc start Intents", "wrote"),
    Row("activity detect", "wrote"),
    Row("tx IntentRecord.write", "wrote", "what was found, its event, and that it is pending no more"),
    Row("rpc wake InboundFiles", "wrote", "its picture is fetched apart from the message"),
    Row("activity settle_files", "wrote"),
    Row("tx InboundFileRecord.claim", "wrote", "a try, counted before it is made"),
    Row("tx ReceivedFiles._keep", "wrote", "a place for the bytes; another try makes another"),
    Row("tx InboundFileRecord.fetched", "wrote", "the copy is the message's own, and the webhook may go"),
    # --- files
    Row("tx assets.upload", "files", "a place for the bytes; whoever uploads repeats it"),
    Row("tx assets.upload#3", "files", "the bytes are there"),
    Row("tx Fetcher._keep", "files", "a place for what was fetched: no attempt yet"),
    Row("tx Fetcher._keep#2", "files", "it is there, and the message does not know of it"),
    Row("tx AttemptStore.record_files", "files", "the message has its files: the claim is next"),
    # --- parts
    Row("tx AttemptStore._claim", "parts", "the second part", 2),
    Row("tx AttemptStore.record", "parts", "the first part: the message is not sent yet"),
    Row("twilio send", "parts", "the second part", 2),
    # --- another try
    Row("tx AttemptStore.record", "retried", "surely not accepted: again later"),
    Row("activity deliver", "retried", "from the second attempt on an activity of its own"),
    Row("tx AttemptStore._claim", "retried", "the second attempt", 2),
    Row("tx AttemptStore.record", "held", "the account is at fault: held"),
    Row("tx AttemptStore.record", "refused", "surely never"),
    Row("tx AttemptStore.record", "fell back", "surely never, and the next step begins"),
    # --- settling
    Row("tx AttemptStore.record", "lost", "the outcome is unknown"),
    Row("activity settle", "lost"),
    Row("tx AttemptStore.prepare_lookup", "lost"),
    Row("twilio look_up", "lost"),
    Row("sendgrid look_up", "lost mail"),
    Row("sendblue look_up", "lost imessage"),
    Row("fcm look_up", "lost push", "which says that nobody can know"),
    Row("tx AttemptStore.record_lookup", "lost", "found: accepted"),
    Row("tx AttemptStore.record_lookup", "vanished", "surely absent: may be sent again", 3),
    Row("tx AttemptStore._claim", "vanished", "sent again", 2),
    # --- no receipts
    Row("twilio send", "silent", "whether it left, only a look-up can tell"),
    Row("tx plain_outcomes.record", "silent", "as after the call: no receipt comes to settle it"),
    Row("tx AttemptStore.prepare_lookup", "silent", "no receipt came since it was accepted"),
    Row("twilio report", "silent"),
    Row("sendgrid report", "silent mail"),
    Row("sendblue report", "silent imessage"),
    Row("tx AttemptStore.record_poll", "silent", "writes down what the provider says"),
    # --- changes
    Row("tx messages.cancel", "cancelled"),
    Row("rpc wake Message", "cancelled"),
    Row("Message hears wake", "cancelled"),
    Row("local activity withdraw", "withdrawn", "its workflow was cancelled in Temporal's UI"),
    Row("activity withdraw", "withdrawn later", "not the first that is asked: an activity of its own"),
    Row("tx AttemptStore.withdraw", "withdrawn"),
    Row("tx messages.reschedule", "moved"),
    Row("rpc wake Message", "moved"),
    Row("tx guests.erase", "erased"),
    Row("tx PostgresSweeper._histories", "erased"),
    Row("rpc delete_workflow_execution by the sweep", "erased"),
    Row("tx PostgresSweeper._histories#2", "erased", "that history is gone"),
    # --- recovery
    Row("workflow Sweep", "not notified"),
    Row("local activity sweep_kind", "not notified", "one kind of work, inside the workflow task"),
    Row("tx PostgresSweeper._left_behind", "not notified", "a page of what was left behind"),
    Row("rpc wake Message by the sweep", "not notified"),
    Row("tx PostgresSweeper._wake", "not notified", "clears the pending notification"),
    Row("tx PostgresSweeper._endpoints", "not drained", "endpoints that nobody drains"),
    Row("rpc wake Endpoint by the sweep", "not drained"),
    Row("tx PostgresSweeper._forget", "not notified", "forgets what is old"),
    # --- what was parked
    Row("tx PostgresSweeper._parked", "parked", "what waits can go on"),
    Row("rpc wake Release by the sweep", "parked"),
    Row("workflow Release", "parked"),
    Row("Release hears wake", "parked"),
    Row("activity release", "parked"),
    Row("tx PostgresReleases.release", "parked", "a batch: from here on its notification is pending"),
    Row("rpc wake Message", "parked"),
    # --- Temporal has lost its state
    Row("tx PostgresSweeper._if_temporal_is_new", "forgotten", "notices"),
    Row("tx PostgresSweeper.rebuild", "forgotten", "which workflows there should be"),
    Row("rpc start Message by the sweep", "forgotten"),
    Row("tx PostgresSweeper.rebuild#2", "forgotten", "all are there again"),
    # --- webhooks
    Row("rpc wake Endpoint", "sms"),
    Row("workflow Endpoint", "sms"),
    Row("Endpoint hears wake", "sms"),
    Row("activity drain", "sms"),
    Row("tx PostgresOutbox.open", "sms"),
    Row("tx PostgresOutbox.step", "sms", "claims"),
    Row("webhook post", "sms"),
    Row("tx PostgresOutbox.step", "sms", "writes down that it was delivered", 2),
    Row("tx PostgresOutbox.close", "sms"),
    Row("tx PostgresOutbox.close#2", "sms", "looks once more, after the commit that says nobody drains"),
)

NOT_OF_A_MESSAGE = {
    "tx installation.await_installation": "a process starts",
    "rpc list_search_attributes": "a process starts",
    "tx receipts.apply_next#2": "postpones what could not be applied, and is still stored either way",
    "rpc add_search_attributes": "a process starts",
    "activity sweep": "every kind of work, by hand and as begun before each had its own sweep",
    "activity sweep_kind": "a local activity wherever it is asked for",
    "rpc create_schedule": "a worker starts; made again by the next",
    "rpc delete_schedule": "a worker starts; the one of an earlier version, removed again by the next",
    "rpc update_schedule": "a worker starts; made again by the next",
    "rpc describe_schedule": "a worker starts",
    "rpc list_schedules": "a worker starts; reads",
    "rpc describe_namespace by the sweep": "reads",
    "rpc list_search_attributes by the sweep": "reads",
    "tx OverdueCalls.overdue": "reads",
    "tx FirstAttempts.coming": "reads",
    "tx FirstAttempts.crowded": "reads",
    "tx OverdueCalls.lapse": "as AttemptStore.claim, which does the same in its turn; looked for again in two seconds",
    "tx OverdueCalls.not_written": "lost before it, the mark stays and says it again",
    "tx OverdueCalls.wake": "a pending notification; lost before it, the workflow's own timer asks",
    "tx AttemptStore.postpone": "waits for its turn; what is lost here is asked for again, and told its turn anew",
    "tx senders.create": "no message; one transaction, and whoever got no answer is told that it is there",
    "tx senders.change": "no message; what waits is released by the state of the record",
    "tx senders.remove": "no message; none waits for it",
    "rpc wake PacedRelease": "a message is parked; what is lost here the sweep does once nobody is heard of",
    "rpc wake PacedRelease by the sweep": "as wake Release by the sweep",
    "workflow PacedRelease": "as Release: who is next is read off the record",
    "PacedRelease hears wake": "as Release hears wake",
    "activity release_paced": "as release",
    "tx PostgresReleases.release_paced": "as PostgresReleases.release: whoever got a turn keeps it, and its "
    "notification is pending",
    "tx broadcasts._change": "what comes next reads it; wakes nobody but to be quicker, and is found by the sweep",
    "tx broadcast_preview._try": "is rolled back, always",
    "tx PostgresSweeper._broadcasts": "reads what is overdue",
    "rpc wake Broadcast by the sweep": "as rpc wake Broadcast; looked for again at the next sweep",
    "tx Authenticator._fill": "the rate of a key; a lost share runs out within a minute",
    "tx Authenticator.take": "as Authenticator._fill",
    "rpc wake Release": "an account was mended; what is lost here the sweep does",
    "tx guests.upsert": "no message; one transaction, events are drained by the sweep at the latest",
    "tx guests.change": "as guests.upsert",
    "tx conversations.change": "no message; one transaction, its event is drained by the sweep at the latest",
    "tx conversations.read": "no message; one transaction",
    "tx conversations.add_note": "no message; one transaction",
    "tx stays.upsert": "no message; one transaction",
    "tx stays.change": "no message; one transaction",
    "tx unsubscribe.take": "no message; one transaction, and whoever got no answer takes the link again",
    "tx inbox.send": "one transaction, as receipts.record of what a guest writes; the app repeats it under its key",
    "tx polled._from_guest": "as inbox.send; who got no answer looks whether it stands in the conversation",
    "tx polled._with_copy": "two accepted in one transaction; who got no answer looks as for polled._from_guest",
    "tx polled.confirm": "one transaction for some of them, receipts and marks; who got no answer says it again",
    "tx moving.move": "a command, one transaction; repeated it changes nothing",
    "tx LinkClicks.count": "figures of links that were followed; what is lost here is not counted, as is documented",
    "tx inbox.mint_session": "no message",
    "tx inbox.renew_session": "no message",
    "tx inbox.revoke_session": "no message",
    "tx inbox.revoke_sessions": "no message",
    "tx contacts.resolved": "before the message is accepted, which the caller repeats; a guest is made once",
    "tx line_batches.send": "many accepted in one transaction; whoever got no answer looks for the batch",
    "tx line_messages.send": "of a message that is refused as it comes in, with all that it ever has; one transaction",
    "tx formatted_endpoints.of_callback": "before the message is accepted, which the caller repeats; made once",
    "tx formatted_endpoints.create": "no message; who got no answer looks whether it is listed, or asks for another",
    "tx formatted_endpoints.put": "no message; one transaction, and whoever got no answer asks for it again",
    "tx formatted_endpoints.remove": "as formatted_endpoints.put",
    "tx devices.register": "no message; one row, which what is accepted later reads",
    "apns look_up": "as fcm look_up",
    "apns report": "as fcm report",
    "apns listing": "as fcm listing",
    "apns received": "as fcm received",
    "apns complete": "as fcm complete",
    "tx devices.remove": "as devices.register; every later claim reads it",
    "tx consents.set_by_operator": "no message; one row, which every later claim reads",
    "tx keys.mint": "no message",
    "tx keys.revoke": "no message",
    "tx properties.ensure": "no message; by command only",
    "tx properties.choose": "as properties.ensure; every later claim reads it",
    "tx properties.limit": "as properties.ensure",
    "tx properties.order": "as properties.ensure; what is accepted later reads it",
    "tx properties.answer": "no message",
    "tx properties.policy": "as properties.ensure; every later claim reads it",
    "tx properties.retain": "no message; what is older goes with the next sweeps",
    "tx properties.change": "no message",
    "tx properties.pause": "no message; every later claim reads it",
    "tx properties.resume": "no message; what waits is released by the state of the record",
    "tx accounts.ensure": "as properties.ensure; repeated, it completes what is missing",
    "tx accounts.put": "by command only; every later claim reads it, and the sweep releases what was held",
    "tx accounts.encrypt": "by command only; safe to repeat",
    "tx accounts.hold": "as properties.pause",
    "tx accounts.mend": "as properties.resume",
    "tx month_keeping._tried": "no message; a month is made or dropped in one transaction, or by the next sweep",
    "tx endpoints.create": "no message",
    "tx endpoints.change": "no message",
    "tx endpoints.remove": "no message; deliveries still pending are abandoned by the sweep at the latest",
    "tx PostgresOutbox.abandon": "as endpoints.remove",
    "tx endpoints.rotate": "no message",
    "tx endpoints.replay_one": "deliveries that have been made once; due again in one transaction",
    "tx endpoints.replay_failed": "as endpoints.replay_one",
    "tx missed_callbacks.keep_noticing": "that a process runs, and in one transaction what may have been missed before",
    "tx missed_callbacks.keep_asking": "who asks next; asked again after a while",
    "tx missed_callbacks.ask": "as keep_asking",
    "tx missed_callbacks.ask#2": "it was asked; lost before it, each receipt is one however often it is asked for",
    "tx missed_callbacks._turn": "the budget of questions; a lost turn comes again",
    "twilio listing": "reads; `bellhop reconcile` only",
    "sendgrid listing": "reads; `bellhop reconcile` only",
    "sendblue listing": "reads; `bellhop reconcile` only",
    "fcm listing": "has no list",
    "fcm report": "never asked for: `sent` is the last that is known of a notification",
    "tx assets.upload#2": "no message; the bytes could not be written",
    "tx assets.delete": "no message; the bytes are removed by the sweep at the latest",
    "tx assets.remove": "as assets.delete",
    "tx PostgresSweeper._files": "as assets.delete; looked for again at the next sweep",
    "tx PostgresSweeper._files#2": "as PostgresSweeper._files",
    "workflow InboundFiles": "as rpc wake InboundFiles",
    "InboundFiles hears wake": "as rpc wake InboundFiles",
    "rpc wake InboundFiles by the sweep": "as rpc wake InboundFiles; looked for again at the next sweep",
    "tx PostgresSweeper._inbound_files": "reads what is pending",
    "tx InboundFileRecord.wanted_elsewhere": "reads",
    "tx InboundFileRecord.next_in": "reads",
    "tx InboundFileRecord.deleted": "no message; until it is written the provider is asked again",
    "twilio delete_file": "as InboundFileRecord.deleted",
    "sendgrid delete_file": "has no files",
    "sendblue delete_file": "deletes none",
    "fcm delete_file": "has no files",
    "apns delete_file": "has no files",
    "workflow Intents": "as rpc start Intents: until it was looked at it is pending, and the sweep starts it anew",
    "rpc start Intents by the sweep": "as rpc start Intents; looked for again at the next sweep",
    "tx PostgresSweeper._intents": "reads what is pending",
    "tx IntentRecord.text_of": "reads",
    "tx intents.change": "no message",
    "tx templates.create": "no message",
    "tx templates.archive": "no message",
    "tx approvals.ask": "what a provider says of a template; asked again after a while",
    "tx approvals.keep_asking": "who asks next, as inbound_lists._fetch_due",
    "twilio received": "reads; what it finds is recorded as a callback's",
    "twilio complete": "reads",
    "sendgrid received": "has no list",
    "sendgrid complete": "reads nothing",
    "sendblue received": "as Twilio's",
    "sendblue complete": "reads nothing",
    "fcm received": "has no list",
    "fcm complete": "reads nothing",
    "tx unmatched_texts.assign": "a command, one transaction; its event is drained by the sweep at the latest",
    "tx unmatched_texts.discard": "a command",
    "tx inbound_lists._fetch_due": "who asks next; asked again after a while",
    "tx inbound_lists.fetch_of": "a command, as _fetch_due",
    "tx inbound_lists.fetch": "up to when a list was read; left where it was, it is read again and each text is one",
}
"""Steps that need no row, and why."""


POINTS = tuple(
    Point(row.step, side, row.scenario, row.number, end or SCENARIOS[row.scenario].end)
    for row in STEPS
    for side, end in ((BEFORE, None), (AFTER, row.after))
)
"""The whole matrix."""
