"""Messages: sent, listed, looked at, cancelled, moved."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from starlette.requests import Request
from starlette.responses import Response

from api import idempotency
from api.cursors import page_request
from api.dependencies import (
    AuthenticatedRoute,
    CurrentCaller,
    CurrentEngine,
    CurrentScope,
    CurrentServices,
    key_of,
    page,
    reply,
    require_scope,
)
from api.headers import prefers
from api.idempotency import REPLAYED
from api.schemas.errors import errors
from api.schemas.fallback import FallbackStep
from api.schemas.fields import Page
from api.schemas.inbound import InboundMessage, MoveMessage
from api.schemas.messages import (
    AcceptedMessage,
    ListMessages,
    OutboundMessage,
    RescheduleRequest,
    SendRequest,
)
from api.schemas.operators import WithReason
from api.schemas.templates import TemplateUse as Use
from api.schemas.timeline import Timeline
from bellhop.domain import options, serializers
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.choosing import AUTO
from bellhop.domain.groups import Group
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.operators import Operator
from bellhop.domain.paging import Listed
from bellhop.domain.priorities import Priority
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Status
from bellhop.domain.steps import When
from bellhop.domain.templates import TemplateUse
from bellhop.engine import fallback, messages, moving, resends
from bellhop.engine.errors import InvalidField, UnknownGuest
from bellhop.engine.idempotency import Once
from bellhop.engine.messages import Auto, SendMessage

router = APIRouter(prefix="/v1/messaging", tags=["Messaging"], route_class=AuthenticatedRoute)


@router.post(
    "/send",
    operation_id="sendMessage",
    summary="Send an outbound message",
    status_code=201,
    response_model=AcceptedMessage,
    responses=errors(400, 409, 413),
)
@require_scope("messaging:write")
async def send(
    request: Request,
    services: CurrentServices,
    scope: CurrentScope,
    body: SendRequest,
    idempotency_key: Annotated[
        str | None,
        Header(description="Repeat the request with the same key, and nothing is sent twice. Kept 48 hours."),
    ] = None,
    prefer: Annotated[str | None, Header(description="`respond-async`: answer `queued` at once.")] = None,
) -> Response:
    """Send a message now or at `scheduled_at`.

    201 means that it is accepted and will not be lost. An immediate message is answered in the state it reaches
    within two seconds, usually `sent`; with `Prefer: respond-async`, `queued` at once. `warnings` is there where there
    are any: it goes out all the same.
    """
    done = await messages.send(services.engine, scope, command_of(body), idempotency.read_key(idempotency_key, body))
    return await accepted(request, services, scope, done, prefer)


async def accepted(
    request: Request, services: CurrentServices, scope: CurrentScope, done: Once[MessageRow], prefer: str | None
) -> Response:
    """The answer to a send: in the state that an immediate message reaches within two seconds."""
    if done.replayed:
        return reply(serializers.accepted(done.made), done.status_code, REPLAYED)
    row = done.made
    if row.due_at > row.now:
        return reply(serializers.accepted(row), done.status_code)
    if prefers(prefer, "respond-async"):
        return reply(serializers.accepted(row), done.status_code, {"Preference-Applied": "respond-async"})
    row = await services.acceptance_wait.outcome(request, scope, row, services.settings.bellhop.accept_wait)
    return reply(serializers.accepted(row), done.status_code)


def _step(step: FallbackStep) -> fallback.FallbackStep:
    return fallback.FallbackStep(
        channel=Channel(step.channel),
        recipient=step.recipient,
        content=step.content,
        content_type=step.content_type,
        subject=step.subject,
        template=template_of(step.template),
        options=step.options.asked() if step.options else None,
        when=When(step.when),
        after=step.after,
    )


def template_of(use: Use | None) -> TemplateUse | None:
    """The same, as the engine takes it."""
    return None if use is None else TemplateUse(use.name, use.locale, use.parameters)


def _stay(body: SendRequest) -> UUID | None:
    stay_id = parse(Prefix.STAY, body.stay_id) if body.stay_id else None
    if body.stay_id and stay_id is None:
        raise InvalidField("stay_id", "expected the id of a stay", "stay_unknown")
    return stay_id


def command_of(body: SendRequest) -> SendMessage:
    """The same, as the engine takes it. Raises InvalidField, UnknownGuest."""
    guest_id = parse(Prefix.GUEST, body.guest_id) if body.guest_id else None
    if body.guest_id and guest_id is None:
        raise UnknownGuest("guest_id")
    chosen = body.channel == AUTO
    return SendMessage(
        # To the guest, until it is known how.
        channel=Channel.IN_APP if chosen else Channel(body.channel),
        auto=Auto(with_fallback=body.fallback is None) if chosen else None,
        recipient=body.recipient or "",
        group=Group(tuple(body.recipients)) if body.recipients else None,
        content=body.content,
        subject=body.subject,
        scheduled_at=body.scheduled_at,
        guest_id=guest_id,
        stay_id=_stay(body),
        metadata=body.metadata or {},
        content_type=body.content_type,
        priority=Priority(body.priority),
        category=Category(body.category),
        valid_until=body.valid_until,
        validity=body.validity,
        ignore_quiet_hours=body.ignore_quiet_hours,
        ignore_frequency_cap=body.ignore_frequency_cap,
        template=template_of(body.template),
        short_links=body.short_links.asked() if body.short_links else None,
        link_tracking=body.link_tracking,
        media=tuple(one.asked(place) for place, one in enumerate(body.media or ())),
        options=body.options.asked() if body.options else options.NONE,
        sender=body.from_,
        fallback=tuple(_step(step) for step in body.fallback or ()),
    )


@router.get(
    "",
    operation_id="listMessages",
    summary="List messages",
    response_model=Page[OutboundMessage],
    responses=errors(),
)
@require_scope("messaging:read")
async def listing(engine: CurrentEngine, scope: CurrentScope, which: Annotated[ListMessages, FromQuery()]) -> Response:
    """Outbound messages of this property, newest first."""
    asked = page_request(which, Prefix.MESSAGE)
    guest_id = parse(Prefix.GUEST, which.guest_id) if which.guest_id else None
    if which.guest_id and guest_id is None:
        return page([], Listed([], 0), asked, Prefix.MESSAGE)
    wanted = messages.ListMessages(
        guest_id=guest_id,
        channel=Channel(which.channel) if which.channel else None,
        status=Status(which.status) if which.status else None,
        page=asked,
    )
    listed = await messages.listing(engine, scope, wanted)
    return page([serializers.message(row) for row in listed.rows], listed, asked, Prefix.MESSAGE)


@router.get(
    "/{message_id}",
    operation_id="getMessage",
    summary="Get a message",
    response_model=OutboundMessage,
    responses=errors(404),
)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """One message and where it stands."""
    return reply(serializers.message(await messages.get(engine, scope, key_of(Prefix.MESSAGE, message_id))))


@router.get(
    "/{message_id}/timeline",
    operation_id="getMessageTimeline",
    summary="Get a message's timeline",
    response_model=Timeline,
    responses=errors(404),
)
@require_scope("messaging:read")
async def timeline(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """What became of a message and why: events, attempts, receipts and webhooks, in the order of time."""
    found = await messages.timeline(engine, scope, key_of(Prefix.MESSAGE, message_id))
    return reply({"message_id": message_id, "status": found.status.value, "data": found.entries})


@router.post(
    "/{message_id}/cancel",
    operation_id="cancelMessage",
    summary="Cancel a message that still waits",
    response_model=OutboundMessage,
    responses=errors(404, 409),
)
@require_scope("messaging:write")
async def cancel(engine: CurrentEngine, scope: CurrentScope, message_id: str) -> Response:
    """Withdraw a message that no provider has. Repeating it changes nothing."""
    return reply(serializers.message(await messages.cancel(engine, scope, key_of(Prefix.MESSAGE, message_id))))


@router.post(
    "/{message_id}/move",
    operation_id="moveMessage",
    summary="Say which guest wrote a message",
    response_model=InboundMessage,
    responses=errors(400, 404, 409, 413),
)
@require_scope("messaging:write")
async def move(
    engine: CurrentEngine, scope: CurrentScope, caller: CurrentCaller, message_id: str, body: MoveMessage
) -> Response:
    """Move what a guest wrote (`imsg_…`) to another guest, where several have the address or nobody was known by it. It
    goes into that guest's conversation, with its intents, and `matched_by` is `moved`; the address counts as theirs
    too. Repeating it changes nothing. The key's id and the reason stay on record.

    409 `writer_known`: it was written in a guest's own session.
    """
    operator = Operator(render(Prefix.KEY, caller.key_id), body.reason or "")
    guest_id = parse(Prefix.GUEST, body.guest_id)
    if guest_id is None:
        raise UnknownGuest("guest_id")
    row = await moving.move(engine, scope, key_of(Prefix.INBOUND, message_id), guest_id, operator)
    return reply(serializers.inbound(row))


@router.post(
    "/{message_id}/resend",
    operation_id="resendMessage",
    summary="Send a failed message again",
    status_code=201,
    response_model=OutboundMessage,
    responses=errors(400, 404, 409, 413),
)
@require_scope("messaging:write")
async def resend(
    engine: CurrentEngine,
    scope: CurrentScope,
    caller: CurrentCaller,
    message_id: str,
    body: WithReason,
    idempotency_key: Annotated[
        str | None,
        Header(description="Repeat the request with the same key, and nothing is sent twice. Kept 48 hours."),
    ] = None,
) -> Response:
    """Send it now, as a new message with the text, recipient and guest of the old one, which `resend_of` names. Whether
    it may go out is asked anew. Of `outcome_unknown` nobody can say whether the guest has it: they may get it twice.

    409 `message_not_failed`: it has not failed. 409 `message_resent`: that was done already, and the new one has not
    failed. The key's id and the reason stay on record.
    """
    key = key_of(Prefix.MESSAGE, message_id)
    operator = Operator(render(Prefix.KEY, caller.key_id), body.reason)
    done = await resends.resend(
        engine, scope, key, operator, idempotency.read_key(idempotency_key, body, f"resend {key} ")
    )
    return reply(serializers.message(done.made), done.status_code, REPLAYED if done.replayed else None)


@router.patch(
    "/{message_id}",
    operation_id="rescheduleMessage",
    summary="Move a message that still waits",
    response_model=OutboundMessage,
    responses=errors(400, 404, 409, 413),
)
@require_scope("messaging:write")
async def reschedule(engine: CurrentEngine, scope: CurrentScope, message_id: str, body: RescheduleRequest) -> Response:
    """Send it at another time; null or a time that is over means now."""
    key = key_of(Prefix.MESSAGE, message_id)
    return reply(serializers.message(await messages.reschedule(engine, scope, key, body.scheduled_at)))
