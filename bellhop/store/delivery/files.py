"""The files of a message, fetched before its first attempt: what is needed, and what came of it, under its lock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import media
from bellhop.domain.channels import CHANNELS
from bellhop.domain.failures import FailureCode
from bellhop.domain.file_ports import FetchedFile, FetchFiles, NotFetched
from bellhop.domain.media import Media
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.messages import assets, media_links, progress
from bellhop.store.messages.progress import Progress
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

MOST_TRIES = 6
"""Times a file is asked for: with the pauses of other attempts, two minutes or so."""

RetryLater = Callable[[AsyncConnection, MessageRow, float | None], Awaitable[Progress]]


@dataclass(frozen=True, slots=True)
class MessageFiles:
    """`read`: all bytes of an asset; blocks, raises OSError. `url`: where providers find a link's file of that name."""

    read: Callable[[UUID], bytes]
    url: Callable[[UUID, str], str]


def _none(*_: object) -> bytes:
    raise FileNotFoundError


NO_FILES = MessageFiles(_none, lambda link, name: f"{link}/{name}")
"""For whoever sends none."""


async def record(
    tx: AsyncConnection,
    row: MessageRow,
    fetched: Sequence[FetchedFile | NotFetched],
    url: Callable[[UUID, str], str],
    later: RetryLater,
) -> Progress | None:
    """What was fetched of a locked message, and what is next where something was not; None: it can be claimed."""
    carried = list(media.of_stored((row.details or {}).get("media")))
    if row.erased_at is not None or not carried:
        await assets.abandon_of(tx, row.id)
        return None
    for one in fetched:
        if isinstance(one, FetchedFile) and carried[one.position].asset_id is None:
            link = await media_links.fetched(tx, row.id, one.position, one.asset_id, one.filename)
            carried[one.position] = Media(
                url=url(link, one.filename),
                content_type=one.content_type,
                filename=one.filename,
                size=one.size,
                asset_id=one.asset_id,
            )
    await media_links.keep(tx, row.id, carried)
    failed = next((one for one in fetched if isinstance(one, NotFetched)), None)
    code = failed.code if failed else _too_much(row, carried)
    if failed is not None and code is None and row.tries + 1 >= MOST_TRIES:
        code = FailureCode.MEDIA_UNAVAILABLE
    if row.stage is not Stage.QUEUED or (failed is None and code is None):
        return None
    if code is not None:
        return await progress.advance(tx, row, decision=Stage.GAVE_UP, failure=(code, None))
    await events.write(tx, row.scope_id, "message", row.id, [NewEvent("media.not_fetched")])
    return await later(tx, row, None)


def _too_much(row: MessageRow, carried: Sequence[Media]) -> FailureCode | None:
    channel = CHANNELS[row.channel]
    too_much = channel.media is None or channel.media.too_much(channel.name, (one.size for one in carried))
    return FailureCode.MEDIA_REFUSED if too_much else None


async def needed(tx: AsyncConnection, row: MessageRow, provider: str, valid_for: float) -> FetchFiles | Progress | None:
    """What its files need before it may go; None: nothing."""
    carried = media.of_stored((row.details or {}).get("media"))
    if not carried:
        return None
    if any(one.asset_id is None for one in carried):
        left = (row.expires_at - row.now).total_seconds() if row.expires_at else valid_for
        return FetchFiles(
            message_id=row.id,
            scope_id=row.scope_id,
            property_id=row.property_id,
            channel=row.channel,
            media=carried,
            keep_for=left + media_links.AFTER.total_seconds(),
            status=row.stage.value,
            # What lies in our own record goes through no provider.
            through=None if CHANNELS[row.channel].in_record else f"{provider}-{row.environment}",
        )
    if await media_links.missing(tx, [one.asset_id for one in carried if one.asset_id]):
        return await progress.advance(tx, row, decision=Stage.GAVE_UP, failure=(FailureCode.MEDIA_UNAVAILABLE, None))
    return None
