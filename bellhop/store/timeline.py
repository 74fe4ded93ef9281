"""What became of a message and why: its events, attempts, receipts and webhook deliveries, merged by time."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.failures import error_object
from bellhop.ids import Prefix, render
from bellhop.rendering import timestamp
from bellhop.statuses import Stage
from bellhop.store import messages, progress
from bellhop.store.scopes import Scope
from bellhop.tables import deliveries, endpoints, events, receipts

_OUTCOME: dict[str, str] = {
    "in_flight": "the provider is being called",
    "accepted": "the provider accepted it",
    "unknown": "the provider's answer was lost; being looked up before anything is sent again",
    "not_sent": "surely not sent",
    "undelivered": "accepted, then not delivered",
    "abandoned": "could not be known; sent again as the property chose",
}


_CAUSES = ("message.queued", "due", "attempt.", "receipt.", "message.", "webhook.")


_EXPLAINED = {
    "message.queued": "accepted",
    "message.held": "the sending account is at fault; held until it is mended",
}


def _detail(event: RowMapping) -> dict[str, str]:
    if "scheduled_at" in event["facts"]:
        return {"detail": f"to {event['facts']['scheduled_at'] or 'now'}"}
    return {"detail": _EXPLAINED[event["type"]]} if event["type"] in _EXPLAINED else {}


def _cause(what: str) -> int:
    """Of entries written at the same instant, the cause comes before what it led to."""
    return next(place for place, start in enumerate(_CAUSES) if what.startswith(start))


async def timeline(tx: AsyncConnection, scope: Scope, message_id: UUID) -> list[dict[str, Any]] | None:
    """Entries `{at, what, detail, …}` in the order of time; None when there is no such message here."""
    row = await messages.get(tx, scope, message_id)
    if row is None:
        return None
    entries: list[dict[str, Any]] = []
    if row["scheduled_at"] and row["scheduled_at"] > row["created_at"] and row["stage"] != Stage.CANCELLED.value:
        entries.append({"at": row["scheduled_at"], "what": "due", "detail": "the time it was asked to go out"})
    told = await tx.execute(select(events).where(events.c.subject_id == message_id).order_by(events.c.id))
    for event in told.mappings():
        code = event["facts"].get("code")
        entries.append(
            {
                "at": event["created_at"],
                "what": event["type"],
                "event_id": render(Prefix.EVENT, event["id"]),
                **_detail(event),
                **({"error": error_object(code, event["facts"].get("provider_code"))} if code else {}),
            }
        )
    for number, attempt in enumerate(await progress.attempts_of(tx, message_id), start=1):
        common = {"attempt": number, "part": attempt["part"] + 1, "provider": attempt["provider"]}
        entries.append({"at": attempt["created_at"], "what": "attempt.started", **common})
        if attempt["settled_at"]:
            entries.append(
                {
                    "at": attempt["settled_at"],
                    "what": f"attempt.{attempt['state']}",
                    "detail": _OUTCOME[attempt["state"]],
                    **common,
                    "provider_id": attempt["provider_id"],
                    **({"code": attempt["failure_code"]} if attempt["failure_code"] else {}),
                    **({"provider_code": attempt["provider_code"]} if attempt["provider_code"] else {}),
                }
            )
    heard = await tx.execute(select(receipts).where(receipts.c.message_id == message_id).order_by(receipts.c.id))
    for receipt in heard.mappings():
        entries.append(
            {
                "at": receipt["received_at"],
                "what": f"receipt.{receipt['word']}",
                "provider": receipt["provider"],
                "provider_id": receipt["provider_id"],
                "occurred_at": timestamp(receipt["occurred_at"]),
                **({"provider_code": receipt["provider_code"]} if receipt["provider_code"] else {}),
            }
        )
    owed = await tx.execute(
        select(deliveries, events.c.type, endpoints.c.url)
        .join(events, events.c.id == deliveries.c.event_id)
        .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
        .where(deliveries.c.subject_id == message_id, deliveries.c.scope_id == scope.id)
    )
    for delivery in owed.mappings():
        if delivery["last_attempt_at"]:
            entries.append(
                {
                    "at": delivery["delivered_at"] or delivery["last_attempt_at"],
                    "what": f"webhook.{delivery['state']}",
                    "event": delivery["type"],
                    "endpoint_id": render(Prefix.ENDPOINT, delivery["endpoint_id"]),
                    "attempts": delivery["attempts"],
                    "status": delivery["last_status"],
                }
            )
    entries.sort(key=lambda entry: (entry["at"], _cause(entry["what"])))
    return [{**entry, "at": timestamp(entry["at"])} for entry in entries]
