"""A guest's inbox, for the guest's app: a live stream, pages, what the app reports, and what the guest writes."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header
from fastapi import Query as FromQuery
from starlette.requests import Request
from starlette.responses import Response

from api import cursors
from api.dependencies import (
    CurrentEngine,
    CurrentServices,
    CurrentSession,
    CurrentUpload,
    GuestRoute,
    key_of,
    page,
    reply,
    takes_file,
)
from api.event_streams import EventStream, position
from api.problems import Busy, Invalid, NotFound
from api.schemas.errors import errors
from api.schemas.fields import Page
from api.schemas.inbox import GUEST_FILE, GuestFile, GuestWrites, InboxMessage, InboxPaging, Report, Standing, Standings
from api.uploads import checked
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.inbox import KIND, entry
from bellhop.domain.live import Subject
from bellhop.domain.paging import PageRequest
from bellhop.domain.statuses import STATUS, Stage
from bellhop.engine import inbox
from bellhop.engine.inbound_files import ReceivedFile
from bellhop.engine.live import TooManyStreams

router = APIRouter(prefix="/v1/inbox", tags=["Inbox"], route_class=GuestRoute)

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `message` with an InboxMessage, and `end` with the reason "
        "(`session_over`, `replaced`, `restart`) before the server closes the stream.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": 'id: 41\nevent: message\ndata: {"id":"omsg_01kaj3p6zve5jvqzkqdk1w4yb2",…}\n\n',
            }
        },
    },
    **errors(),
}


@router.get(
    "/stream", operation_id="streamInbox", summary="Follow the inbox", response_class=Response, responses=_STREAM
)
async def stream(
    request: Request,
    services: CurrentServices,
    session: CurrentSession,
    last_event_id: Annotated[
        str | None, Header(description="The id of the last event that was seen: the stream goes on after it.")
    ] = None,
) -> Response:
    """What lies in the inbox, then what comes, as it comes. A message comes again, as it then is, when the guest has
    read it on another device. Read it with `fetch`: the token belongs in the header Authorization."""
    subject = Subject(KIND, session.scope.id, session.guest_id)
    try:
        live = services.streams.open(subject, session.id, position(last_event_id), session.left)
    except TooManyStreams:
        raise Busy("There are too many streams just now; try again, or ask for the messages page by page.") from None
    try:
        # It hears from now on that its session ends: whether it has ended before, the record says.
        await services.guests.again(request)
    except BaseException:
        services.streams.close(live)
        raise
    return EventStream(live, services.streams.close)


@router.get(
    "/messages",
    operation_id="listInbox",
    summary="List the inbox",
    response_model=Page[InboxMessage],
    responses=errors(),
)
async def listing(
    engine: CurrentEngine, session: CurrentSession, which: Annotated[InboxPaging, FromQuery()]
) -> Response:
    """What lies in the guest's inbox, what came last first."""
    asked = PageRequest(which.limit)
    if which.cursor is not None:
        place = cursors.read(which.cursor, Prefix.MESSAGE)
        if place is None:
            raise Invalid(["query", "cursor"], "expected a `next_cursor` from an earlier page of this list", "cursor")
        asked = PageRequest(which.limit, after=place)
    listed = await inbox.listing(engine, session, asked)
    return page([entry(row) for row in listed.rows], listed, asked, Prefix.MESSAGE)


@router.post(
    "/messages",
    operation_id="sendFromInbox",
    summary="Write to the property",
    status_code=201,
    response_model=InboxMessage,
    responses={
        200: {"model": InboxMessage, "description": "It was stored before, under the same key."},
        **errors(400, 404, 413),
    },
)
async def write(
    services: CurrentServices, engine: CurrentEngine, session: CurrentSession, body: GuestWrites
) -> Response:
    """What the guest writes: the property gets it as `message.received`, and the guest's other devices show it. Repeat
    it with the same `key` until it is answered: it is stored once. Its text is the first that came."""
    services.guests.sends(session)
    row, is_new = await inbox.send(engine, session, body.key, body.content)
    return reply(entry(row), 201 if is_new else 200)


@router.post(
    "/files",
    operation_id="sendFileFromInbox",
    summary="Send the property a picture or another file",
    status_code=201,
    response_model=InboxMessage,
    responses={
        200: {"model": InboxMessage, "description": "It was stored before, under the same key."},
        **errors(400, 404, 413),
    },
    openapi_extra=GUEST_FILE,
)
@takes_file
async def write_file(engine: CurrentEngine, session: CurrentSession, file: CurrentUpload) -> Response:
    """A file, with words of the guest's if there are any: a message like the others, under a `key` like theirs. Photos
    lose what their camera wrote into them. A guest sends ten at once and one a minute."""
    said = checked(GuestFile, file)
    given = ReceivedFile(file.file, file.content_type, file.filename)
    row, is_new = await inbox.send_file(engine, session, said.key, said.content, given)
    return reply(entry(row), 201 if is_new else 200)


@router.post(
    "/messages/{message_id}/delivered",
    operation_id="reportDelivered",
    summary="Report that the app has a message",
    response_model=Standing,
    responses=errors(404),
)
async def delivered(engine: CurrentEngine, session: CurrentSession, message_id: str) -> Response:
    """However often it is said, it counts once."""
    return await _report_one(engine, session, message_id, Stage.DELIVERED)


@router.post(
    "/messages/{message_id}/read",
    operation_id="reportRead",
    summary="Report that the guest has read a message",
    response_model=Standing,
    responses=errors(404),
)
async def read(engine: CurrentEngine, session: CurrentSession, message_id: str) -> Response:
    """What was read has been delivered. However often it is said, it counts once."""
    return await _report_one(engine, session, message_id, Stage.READ)


async def _report_one(engine: CurrentEngine, session: CurrentSession, message_id: str, stage: Stage) -> Response:
    key = key_of(Prefix.MESSAGE, message_id)
    stages = await inbox.report(engine, session, [(key, stage)])
    if key not in stages:
        raise NotFound
    return reply({"id": message_id, "status": STATUS[stages[key]].value})


@router.post(
    "/reports",
    operation_id="reportMessages",
    summary="Report of several messages",
    response_model=Standings,
    responses=errors(400, 413),
)
async def report(engine: CurrentEngine, session: CurrentSession, body: Report) -> Response:
    """In any order, and as often as you like. Messages that are not this guest's are left out of the answer."""
    said = [(text, Stage.DELIVERED) for text in body.delivered] + [(text, Stage.READ) for text in body.read]
    known = [(key, stage) for text, stage in said if (key := parse(Prefix.MESSAGE, text))]
    stages = await inbox.report(engine, session, known)
    return reply(
        {
            "data": [
                {"id": render(Prefix.MESSAGE, key), "status": STATUS[stage].value}
                for key, stage in sorted(stages.items())
            ]
        }
    )
