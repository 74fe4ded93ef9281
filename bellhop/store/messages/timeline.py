"""What became of a message and why: its events, attempts, receipts and webhook deliveries, merged by time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import choosing, quiet_hours
from bellhop.domain.channels import AddressKind, kind_of
from bellhop.domain.consents import MARKETING, Effect
from bellhop.domain.events import EventType
from bellhop.domain.failures import FailureCode, error_object
from bellhop.domain.ids import CLOCK_SLACK, Prefix, earlier, render
from bellhop.domain.paging import PageRequest
from bellhop.domain.policy import Reason
from bellhop.domain.rows.delivery import AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import step, timestamp, was_downgraded
from bellhop.domain.statuses import Stage
from bellhop.domain.steps import When
from bellhop.store.access import operator_actions
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import consents
from bellhop.store.messages import link_entries, outbound, progress, steps
from bellhop.store.tables import deliveries, endpoints, events, receipts

Entry = dict[str, Any]
"""An object of the public timeline; `at` is a time until it is rendered."""

_OUTCOME: dict[AttemptState, str] = {
    AttemptState.ACCEPTED: "the provider accepted it",
    AttemptState.NOT_SENT: "it surely did not reach the provider",
    AttemptState.UNDELIVERED: "the provider accepted it, then could not deliver it",
    AttemptState.ABANDONED: "nobody can say whether the provider took it; it is sent again, as the property chose",
}
_UNKNOWN: dict[str, str] = {
    "no_answer": "the provider did not say whether it took the message; nothing is sent again until that is known",
    "lease_over": "the call to the provider was cut off on our side; nothing is sent again until it is known whether "
    "the provider took the message",
}
_ASKED: dict[str, str] = {
    "found": "the provider was asked, and it has the message",
    "absent": "the provider was asked, and it does not have the message so far",
    "unreachable": "the provider was asked and did not answer; it is asked again",
    "cannot_know": "the provider cannot tell when it is asked; it may still send a receipt by itself",
}


_SAID: dict[Effect, str] = {
    Effect.OPT_OUT: "the guest said STOP, or unsubscribed",
    Effect.OPT_IN: "the guest said START",
    Effect.UNSUBSCRIBE: "the guest unsubscribed",
    Effect.GROUP_UNSUBSCRIBE: "the guest unsubscribed from one group",
    Effect.GROUP_RESUBSCRIBE: "the guest subscribed to one group again",
    Effect.COMPLAINT: "the guest called a message spam",
    Effect.HARD_BOUNCE: "a mail to this address came back for good",
    Effect.PROVIDER_REFUSAL: "the provider refuses this address",
    Effect.OPERATOR_OPT_OUT: "an operator wrote down that it wants nothing",
    Effect.OPERATOR_OPT_IN: "an operator wrote down that it may be written to again",
}
"""Why a message was refused by what its address allows, in words."""
_CAUSES = (
    "message.queued", "due", "valid_until", "operator.", "consent.", "attempt.", "device.", "receipt.", "message.",
    "link.", "webhook.",
)  # fmt: skip


_EXPLAINED = {
    "message.queued": "accepted",
    "message.held": "the sending account is at fault; held until it is mended",
    "message.reminder_failed": "the reminder did not arrive; what it reminds of counts all the same",
    "device.gone": "the app or its token is gone from this device, which is removed from the guest",
    "device.absent": "the guest has this device no longer, so nothing was sent to it",
    "device.misfit": "the device's token is none of this app in this environment; nothing more goes to it until it "
    "registers anew",
}
_WAITS_FOR = {
    Reason.PAUSED.value: "the property is paused; it goes out when the property goes on",
    Reason.PACED.value: "it waits for the sender's pace: what is urgent goes out first, then the oldest",
    Reason.NO_SENDER.value: "the property has no sender that can carry it; it goes out when there is one",
}


_FOLLOWS = {
    None: "the step before has failed and can no longer arrive; this one follows it",
    When.NOT_READ.value: "not read by now, as far as that can be known; this step reminds of it, and both may arrive",
}
"""Why a step begins."""

_COUNTED = {
    "open": "the guest opened the mail",
    "machine_open": "a machine opened the mail, which says nothing of its reader",
    "click": "the guest followed a link in the mail",
}
"""What is done with a message over and over: one entry each."""
SHOWN = 10
"""Of what happened over and over: so many of the first, and so many of the last."""


@dataclass(slots=True)
class _Event:
    id: UUID
    type: str
    facts: dict[str, Any]
    created_at: datetime


@dataclass(slots=True)
class _Delivery:
    """`at`: when it was delivered, or tried last. `type`: of its event."""

    endpoint_id: UUID
    state: str
    attempts: int
    last_status: int | None
    at: datetime
    type: str


@dataclass(slots=True)
class _Receipt:
    """`place`: among those of the message with the same word, of which there are `total`, from `first_at` to
    `last_at`."""

    id: UUID
    received_at: datetime
    word: str
    provider: str
    provider_id: str | None
    occurred_at: datetime | None
    provider_code: str | None
    place: int
    total: int
    first_at: datetime
    last_at: datetime


_of_event = select(events.c.id, events.c.type, events.c.facts, events.c.created_at)
_of_message = events.c.subject_id == bindparam("message")
_EVENTS = CompiledStatement(_of_event.where(_of_message).order_by(events.c.id), row=_Event)
_DELIVERIES = CompiledStatement(
    select(
        deliveries.c.endpoint_id,
        deliveries.c.state,
        deliveries.c.attempts,
        deliveries.c.last_status,
        func.coalesce(deliveries.c.delivered_at, deliveries.c.last_attempt_at).label("at"),
        events.c.type,
    )
    # Of the scope's endpoints and the message's events, which are younger than it: no month before is looked into.
    .join(events, events.c.id == deliveries.c.event_id)
    .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
    .where(
        _of_message,
        endpoints.c.scope_id == bindparam("scope"),
        deliveries.c.event_id >= bindparam("earliest"),
        deliveries.c.last_attempt_at.is_not(None),
    ),
    row=_Delivery,
)
_happened = func.coalesce(receipts.c.occurred_at, receipts.c.received_at)
_ranked = (
    select(
        receipts.c.id,
        receipts.c.received_at,
        receipts.c.word,
        receipts.c.provider,
        receipts.c.provider_id,
        receipts.c.occurred_at,
        receipts.c.provider_code,
        func.row_number().over(partition_by=receipts.c.word, order_by=receipts.c.id).label("place"),
        func.count().over(partition_by=receipts.c.word).label("total"),
        func.min(_happened).over(partition_by=receipts.c.word).label("first_at"),
        func.max(_happened).over(partition_by=receipts.c.word).label("last_at"),
    )
    .where(receipts.c.message_id == bindparam("message"))
    .subquery()
)
_RECEIPTS = CompiledStatement(
    select(_ranked)
    .where(or_(_ranked.c.place <= SHOWN, _ranked.c.place > _ranked.c.total - SHOWN))
    .order_by(_ranked.c.id),
    row=_Receipt,
)


def _detail(what: str, facts: Mapping[str, Any]) -> dict[str, str]:
    if what == "attempt.unknown":
        return {"detail": _UNKNOWN[facts["why"]]}
    if what == "attempt.asked":
        said = f": '{facts['word']}'" if "word" in facts else ""
        return {"detail": _ASKED[facts["answer"]] + said}
    if "scheduled_at" in facts:
        return {"detail": f"to {facts['scheduled_at'] or 'now'}"}
    if what == EventType.MESSAGE_FALLBACK:
        return {"detail": _FOLLOWS[facts.get("because")]}
    if what == "message.waiting":
        known = _WAITS_FOR.get(facts["for"])
        return {"detail": known or quiet_hours.sentence(facts)}
    return {"detail": _EXPLAINED[what]} if what in _EXPLAINED else {}


def _which_again(what: str, row: MessageRow) -> dict[str, str]:
    if what != "message.queued" or row.resend_of is None:
        return {}
    return {"detail": f"accepted: {render(Prefix.MESSAGE, row.resend_of)} sent again"}


def _cause(what: str) -> int:
    """Of entries written at the same instant, the cause comes before what it led to."""
    return next(place for place, start in enumerate(_CAUSES) if what.startswith(start))


async def timeline(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[Entry] | None:
    """Entries `{at, what, detail, …}` in the order of time; None when there is no such message here."""
    row = await outbound.get(tx, scope, message_id)
    if row is None:
        return None
    entries: list[Entry] = []
    if row.scheduled_at and row.scheduled_at > row.created_at and row.stage is not Stage.CANCELLED:
        entries.append({"at": row.scheduled_at, "what": "due", "detail": "the time it was asked to go out"})
    if row.valid_until and row.stage in (Stage.QUEUED, Stage.GAVE_UP):
        entries.append({"at": row.valid_until, "what": "valid_until", "detail": "from then on it is of no use"})
    if (chosen := choosing.shown(row.details)) is not None:
        said = {"channel": chosen["channel"], "because": chosen["because"]["code"], "not": chosen["not"]}
        entries.append({"at": row.created_at, "what": "message.chosen", "detail": chosen["because"]["reason"], **said})
    entries += await _events(tx, row)
    entries += await _resends(tx, scope, message_id)
    bodies = {0: row.body, **{said.step: said.body for said in await steps.of_message(tx, row)}}
    for number, attempt in enumerate(await progress.attempts_of(tx, message_id), start=1):
        targets = (bodies[attempt.step] or {}).get("devices", ())
        entries += _attempt(number, attempt, row, targets)
    entries += await _receipts(tx, message_id)
    entries += await link_entries.of_message(tx, scope, row)
    if row.failure_code in (FailureCode.OPTED_OUT, FailureCode.BOUNCED) and row.address_hash is not None:
        tried = await steps.at(tx, row)
        if tried.address_hash is not None:
            kind = kind_of(tried.channel, tried.recipient)
            entries += await _consents(tx, scope, kind, tried.address_hash)
    entries += await webhooks_of(tx, scope, message_id)
    entries.sort(key=lambda entry: (entry["at"], _cause(entry["what"])))
    return [{**entry, "at": timestamp(entry["at"])} for entry in _readable(entries)]


async def _resends(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[Entry]:
    """Who had it sent again, and why."""
    return [
        {
            "at": done.created_at,
            "what": f"operator.{done.action.value}",
            "detail": "sent again, as a new message",
            "actor": done.actor,
            **({"reason": done.reason} if done.reason else {}),
        }
        for done in await operator_actions.of_subject(tx, scope, message_id)
    ]


async def _events(tx: AsyncConnection, row: MessageRow) -> list[Entry]:
    """What Bellhop decided and learned."""
    entries: list[Entry] = []
    for event in await _EVENTS(tx, message=row.id):
        code = event.facts.get("code")
        entries.append(
            {
                "at": event.created_at,
                "what": event.type,
                "event_id": render(Prefix.EVENT, event.id),
                **_detail(event.type, event.facts),
                **_which_again(event.type, row),
                **({name: event.facts[name] for name in ("device", "part") if name in event.facts}),
                **({"step": step(row, event.facts["step"], _reason(event))} if "step" in event.facts else {}),
                **({"error": error_object(code, event.facts.get("provider_code"))} if code else {}),
            }
        )
    return entries


def _reason(event: _Event) -> Mapping[str, Any] | None:
    """What an event says of why its step begins."""
    return event.facts if event.type == EventType.MESSAGE_FALLBACK else None


def _attempt(number: int, attempt: AttemptRow, row: MessageRow, targets: Sequence[Mapping[str, Any]]) -> list[Entry]:
    """One call to a provider: that it began, and how it ended."""
    common: Entry = {"attempt": number, "part": attempt.part + 1, "provider": attempt.provider}
    if row.plan is not None:
        common["step"] = step(row, attempt.step)
    if attempt.part < len(targets) and (device := targets[attempt.part].get("device")):
        common["device"] = device
    if attempt.content_sid:
        common["content_sid"] = attempt.content_sid
    went: Entry = {"service": attempt.service.value} if attempt.service else {}
    if (plainer := was_downgraded(row, attempt.step, attempt.service)) is not None:
        went["was_downgraded"] = plainer
    entries: list[Entry] = [{"at": attempt.created_at, "what": "attempt.started", **common}]
    if attempt.settled_at:
        entries.append(
            {
                "at": attempt.settled_at,
                "what": f"attempt.{attempt.state.value}",
                "detail": _OUTCOME[attempt.state],
                **common,
                "provider_id": attempt.provider_id,
                **went,
                **({"code": attempt.failure_code} if attempt.failure_code else {}),
                **({"provider_code": attempt.provider_code} if attempt.provider_code else {}),
            }
        )
    return entries


async def webhooks_of(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[Entry]:
    """Webhooks about the message, as far as they were tried."""
    earliest = earlier(message_id, CLOCK_SLACK)
    return [
        {
            "at": delivery.at,
            "what": f"webhook.{delivery.state}",
            "event": delivery.type,
            "endpoint_id": render(Prefix.ENDPOINT, delivery.endpoint_id),
            "attempts": delivery.attempts,
            "status": delivery.last_status,
        }
        for delivery in await _DELIVERIES(tx, message=message_id, scope=scope.id, earliest=earliest)
    ]


async def _consents(tx: AsyncConnection, scope: Scope, kind: AddressKind, hashed: bytes) -> list[Entry]:
    """The last few things that were said of the address of a message that failed by them, when they were said."""
    last = PageRequest(limit=SHOWN)
    listed = await consents.listing(tx, scope, [(kind.value, hashed)], last)
    return [
        {
            "at": row.occurred_at,
            "what": f"consent.{row.action}",
            "detail": _SAID[consents.fact_of(row).effect] + (" (marketing)" if row.purpose == MARKETING else ""),
            "source": row.source,
            **({"actor": row.actor} if row.actor else {}),
            **({"reason": row.reason} if row.reason else {}),
        }
        for row in listed.rows
    ]


async def _receipts(tx: AsyncConnection, message_id: UUID) -> list[Entry]:
    """What providers said. Of each word only the first and the last few are read, and how many came between; of what a
    reader does over and over, one entry that counts: a mail that is opened ten thousand times is a short timeline."""
    return [
        {
            "at": receipt.received_at,
            "what": f"receipt.{receipt.word}",
            "provider": receipt.provider,
            "provider_id": receipt.provider_id,
            "occurred_at": timestamp(receipt.occurred_at),
            **({"provider_code": receipt.provider_code} if receipt.provider_code else {}),
            **(_counted(receipt) if receipt.word in _COUNTED else _between(receipt.place, receipt.total)),
        }
        for receipt in await _RECEIPTS(tx, message=message_id)
        if receipt.place == 1 or receipt.word not in _COUNTED
    ]


def _counted(receipt: _Receipt) -> Entry:
    """How often, and when first and last."""
    return {
        "detail": _COUNTED[receipt.word],
        "count": receipt.total,
        "first_at": timestamp(receipt.first_at),
        "last_at": timestamp(receipt.last_at),
    }


def _between(place: int, total: int, detail: str = "") -> dict[str, str]:
    """The detail of the last entry before a gap, which says how many are left out there."""
    left_out = total - 2 * SHOWN
    more = f"and {left_out:,} more like it"
    return {"detail": f"{detail}; {more}" if detail else more} if place == SHOWN and left_out > 0 else {}


def _readable(entries: list[Entry]) -> list[Entry]:
    """The same without what a person would skip: where one thing happened over and over (a provider that is asked
    every minute and does not answer, a call that is tried for days), its first and last few."""
    totals = Counter(entry["what"] for entry in entries)
    places: Counter[str] = Counter()
    kept: list[Entry] = []
    for entry in entries:
        places[entry["what"]] += 1
        place, total = places[entry["what"]], totals[entry["what"]]
        if place <= SHOWN or place > total - SHOWN:
            kept.append({**entry, **_between(place, total, entry.get("detail", ""))})
    return kept
