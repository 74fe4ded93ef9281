"""Messages: sent, listed, looked at, cancelled, moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import Request
from starlette.responses import Response

from api.dependencies import Guarded, caller, door, key_of, needs, page, reply
from api.errors import ChannelMissing, IdempotencyGone, Invalid, NotFound, NotPending, OutcomeUnknown
from api.idempotency import REPLAYED, same, ticket
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.messages import ListMessages, OutboundMessage, RescheduleRequest, SendRequest, Timeline
from bellhop.domain import channels as rules
from bellhop.domain import serializers
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import STATUS, Stage, Status
from bellhop.store.access import idempotency
from bellhop.store.access.idempotency import Ticket
from bellhop.store.database import Database
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import Changed, ChannelUnavailable, NewMessage, UnknownGuest
from bellhop.store.messages.timeline import timeline

router = APIRouter(prefix="/v1/messaging", tags=["Messaging"], route_class=Guarded)


@dataclass(frozen=True, slots=True)
class _Accepted:
    row: dict[str, Any]
    status_code: int = 201
    replayed: bool = False


@router.post(
    "/send",
    operation_id="sendMessage",
    summary="Send an outbound message",
    status_code=201,
    response_model=OutboundMessage,
    responses=errors(400, 409, 413),
)
@needs("messaging:write")
async def send(
    request: Request,
    body: SendRequest,
    idempotency_key: Annotated[
        str | None,
        Header(description="Repeat the request with the same key, and nothing is sent twice. Kept 48 hours."),
    ] = None,
    prefer: Annotated[str | None, Header(description="`respond-async`: answer `queued` at once.")] = None,
) -> Response:
    """Send a message now or at `scheduled_at`.

    201 means that it is accepted and will not be lost. An immediate message is answered in the state it reaches
    within two seconds, usually `sent`; with `Prefer: respond-async`, `queued` at once.
    """
    here, scope = door(request), caller(request).scope
    new = _new(body)
    asked = ticket(request, "message", body)
    try:
        done = await here.database.write(lambda tx: _accept(tx, request, scope, new, asked))
    except ChannelUnavailable:
        raise ChannelMissing(
            ["body", "channel"],
            f"expected a channel that this property has a sender for; it has none for {new.channel.value}",
            "channel_unavailable",
        ) from None
    except UnknownGuest:
        place = "recipient" if new.channel is Channel.IN_APP else "guest_id"
        raise Invalid(["body", place], "expected the id of a guest of this property", "unknown_guest") from None
    row = done.row
    headers = dict(REPLAYED) if done.replayed else {}
    if not done.replayed:
        here.dispatcher.accepted(row)
        if row["due_at"] <= row["now"]:
            if "respond-async" in (prefer or "").lower():
                headers["Preference-Applied"] = "respond-async"
            else:
                # Who only waits keeps nobody else from being served.
                request.scope["bellhop.place"].leave()
                if await here.waiting.until_settled(row["id"], here.settings.bellhop.accept_wait):
                    row = await _now(here.database, scope, row)
    return reply(serializers.message(row), done.status_code, headers)


async def _accept(
    tx: AsyncConnection, request: Request, scope: Scope, new: NewMessage, asked: Ticket | None
) -> _Accepted:
    """Message, first event and idempotency record: one transaction, whose commit is the acceptance."""
    here = door(request)
    if asked is not None:
        earlier = await idempotency.take(tx, scope, asked)
        if earlier is not None:
            first = same(earlier, asked)
            row = await outbound.get(tx, scope, first.subject_id) if first.subject_id else None
            if row is None:
                raise IdempotencyGone
            return _Accepted(row, first.status_code, replayed=True)
    row = await outbound.accept(tx, scope, new, here.book, here.settings.delivery.valid_for)
    if asked is not None:
        await idempotency.fill(tx, scope, asked, row["id"], 201)
    return _Accepted(row)


async def _now(database: Database, scope: Scope, row: dict[str, Any]) -> dict[str, Any]:
    found = await database.read(lambda tx: outbound.get(tx, scope, row["id"]))
    # Erased in the meantime: the caller is told what was accepted.
    return row if found is None else found


def _new(body: SendRequest) -> NewMessage:
    channel = Channel(body.channel)
    guest_id = parse(Prefix.GUEST, body.guest_id) if body.guest_id else None
    if body.guest_id and guest_id is None:
        raise Invalid(["body", "guest_id"], "expected the id of a guest of this property", "unknown_guest")
    if channel is Channel.IN_APP:
        addressed = parse(Prefix.GUEST, body.recipient)
        if guest_id not in (None, addressed):
            raise Invalid(["body", "guest_id"], "expected the guest of `recipient`, or none", "unknown_guest")
        guest_id = addressed
    return NewMessage(
        channel=channel,
        recipient=body.recipient,
        content=body.content,
        content_type=rules.content_type(channel, body.content),
        subject=body.subject,
        scheduled_at=body.scheduled_at,
        guest_id=guest_id,
        metadata=body.metadata or {},
    )


@router.get(
    "",
    operation_id="listMessages",
    summary="List messages",
    response_model=Page[OutboundMessage],
    responses=errors(),
)
@needs("messaging:read")
async def listing(request: Request, which: Annotated[ListMessages, FromQuery()]) -> Response:
    """Outbound messages of this property, newest first."""
    scope = caller(request).scope
    guest_id = parse(Prefix.GUEST, which.guest_id) if which.guest_id else None
    if which.guest_id and guest_id is None:
        return page([], 0, which.limit, which.offset)
    rows, total = await door(request).database.read(
        lambda tx: outbound.listing(
            tx,
            scope,
            guest_id=guest_id,
            channel=Channel(which.channel) if which.channel else None,
            status=Status(which.status) if which.status else None,
            limit=which.limit,
            offset=which.offset,
        )
    )
    return page([serializers.message(row) for row in rows], total, which.limit, which.offset)


@router.get(
    "/{message_id}",
    operation_id="getMessage",
    summary="Get a message",
    response_model=OutboundMessage,
    responses=errors(404),
)
@needs("messaging:read")
async def one(request: Request, message_id: str) -> Response:
    """One message and where it stands."""
    return reply(serializers.message(await _found(request, key_of(Prefix.MESSAGE, message_id))))


@router.get(
    "/{message_id}/timeline",
    operation_id="getMessageTimeline",
    summary="Get a message's timeline",
    response_model=Timeline,
    responses=errors(404),
)
@needs("messaging:read")
async def story(request: Request, message_id: str) -> Response:
    """What became of a message and why: events, attempts, receipts and webhooks, in the order of time."""
    scope, key = caller(request).scope, key_of(Prefix.MESSAGE, message_id)
    row = await _found(request, key)
    entries = await door(request).database.read(lambda tx: timeline(tx, scope, key))
    return reply({"message_id": message_id, "status": STATUS[Stage(row["stage"])].value, "data": entries or []})


@router.post(
    "/{message_id}/cancel",
    operation_id="cancelMessage",
    summary="Cancel a message that still waits",
    response_model=OutboundMessage,
    responses=errors(404, 409),
)
@needs("messaging:write")
async def cancel(request: Request, message_id: str) -> Response:
    """Withdraw a message that no provider has. Repeating it changes nothing."""
    scope, key = caller(request).scope, key_of(Prefix.MESSAGE, message_id)
    return _changed(request, await door(request).database.write(lambda tx: outbound.cancel(tx, scope, key)))


@router.patch(
    "/{message_id}",
    operation_id="rescheduleMessage",
    summary="Move a message that still waits",
    response_model=OutboundMessage,
    responses=errors(400, 404, 409, 413),
)
@needs("messaging:write")
async def reschedule(request: Request, message_id: str, body: RescheduleRequest) -> Response:
    """Send it at another time; null or a time that is over means now."""
    scope, key = caller(request).scope, key_of(Prefix.MESSAGE, message_id)
    done = await door(request).database.write(lambda tx: outbound.reschedule(tx, scope, key, body.scheduled_at))
    return _changed(request, done)


def _changed(request: Request, done: Changed) -> Response:
    if done.row is None:
        raise NotFound
    if done.unknown:
        raise OutcomeUnknown
    if not done.done:
        raise NotPending(STATUS[Stage(done.row["stage"])])
    dispatcher = door(request).dispatcher
    dispatcher.woken(done.row)
    dispatcher.wake_endpoints(done.endpoints)
    return reply(serializers.message(done.row))


async def _found(request: Request, message_id: UUID) -> dict[str, Any]:
    scope = caller(request).scope
    row = await door(request).database.read(lambda tx: outbound.get(tx, scope, message_id))
    if row is None:
        raise NotFound
    return row
