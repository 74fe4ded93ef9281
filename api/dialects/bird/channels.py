"""Channels: the property's lines, with what each can."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query as FromQuery
from starlette.responses import Response

from api.dependencies import CurrentCaller, CurrentEngine, reply, require_scope
from api.dialects.bird.router import CHANNEL, router
from api.dialects.bird.schemas import ListChannels
from api.dialects.bird.workspaces import page_of, paged, scope_of, uuid_of
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix
from bellhop.domain.rows.delivery import OwnSender
from bellhop.engine import lines
from bellhop.engine.lines import WhichLines

PLATFORMS = {Channel.SMS: "sms-messagebird", Channel.IMESSAGE: "imessage"}
"""Its word for each channel; it has none for iMessage."""
_ACTIVE = "active"


@router.get("/{workspace_id}/channels")
@require_scope("messaging:read")
async def listing(
    engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, asked: Annotated[ListChannels, FromQuery()]
) -> Response:
    """The property's lines, those of the best channel first, each channel's usual one first."""
    scope = scope_of(caller, workspace_id)
    page = page_of(asked.limit, asked.page_token, Prefix.SENDER)
    named = [channel for channel, word in PLATFORMS.items() if asked.platform in (word, word.partition("-")[0])]
    which = WhichLines(
        channels=None if asked.platform is None else named,
        ids=None if asked.id is None else [asked.id],
        backwards=asked.reverse,
        page=page,
    )
    if asked.status not in (None, _ACTIVE):
        return reply(paged([], None, Prefix.SENDER))
    found = await lines.listing(engine, scope, which)
    return reply(paged([_shown(row) for row in found.rows], found.next, Prefix.SENDER))


@router.get(CHANNEL)
@require_scope("messaging:read")
async def one(engine: CurrentEngine, caller: CurrentCaller, workspace_id: str, channel_id: str) -> Response:
    """One of them."""
    return reply(_shown(await lines.get(engine, scope_of(caller, workspace_id), uuid_of(channel_id))))


def _shown(row: OwnSender) -> dict[str, Any]:
    mms = _ACTIVE if lines.carries_files(row) else "inactive"
    return {
        "id": str(row.id),
        "platformId": PLATFORMS[row.channel],
        "name": row.name or row.address,
        "connectorId": str(row.account_id),
        "identifier": row.address,
        "status": _ACTIVE,
        "capabilities": {
            "messaging": {
                "status": _ACTIVE,
                "outgoing": {"status": _ACTIVE, "mms": {"status": mms}},
                "incoming": {"status": _ACTIVE},
            }
        },
    }
