"""Files of guests' messages: fetched after their message is stored, deleted at the provider once its guest is erased.

A row says what is yet to be done with a file and when (`next_at`): it is written with the message and settled by the
transaction that writes what became of it, under the message's lock. So a repeat finds nothing to do, whatever was lost
before. Each try is counted before it is made: a file that kills whoever looks at it is not looked at for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Float,
    and_,
    any_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text, Uuid

from bellhop.domain.ids import inbound_files_workflow
from bellhop.domain.inbound_details import MOST_MEDIA, Media
from bellhop.domain.inbound_files import PAUSES, FileProblem, FileState, KeptFile
from bellhop.domain.rows.inbound_files import DueFile, StoredAccountRow, UnsettledFile
from bellhop.store.compiled import seconds
from bellhop.store.delivery.left_behind import Place as Since
from bellhop.store.rows import first_of, from_result
from bellhop.store.tables import (
    assets,
    deliveries,
    endpoints,
    history_erasures,
    inbound_files,
    media_links,
    messages,
    pending_deliveries,
    provider_accounts,
    scopes,
)
from bellhop.store.webhooks.events import NewEvent, write

REPORTED_AFTER = 10.0
"""Seconds for which `message.received` waits for the message's files: then it is told all the same."""
_HELD = deliveries.c.created_at + seconds(REPORTED_AFTER)
_DELIVERY_OF_PENDING = and_(
    deliveries.c.endpoint_id == pending_deliveries.c.endpoint_id,
    deliveries.c.event_id == pending_deliveries.c.event_id,
)


async def store(
    tx: AsyncConnection, scope_id: UUID, message_id: UUID, account_id: UUID, media: Sequence[Media]
) -> bool:
    """The files of a message that has just been stored: those that came with it become its own, the others are to be
    fetched with the credentials of `account_id`. Returns whether there are any to be fetched."""
    pending: list[dict[str, Any]] = []
    for place, one in enumerate(media[:MOST_MEDIA]):
        state = one.state_for(scope_id)
        if state is FileState.KEPT:
            await _adopt(tx, scope_id, message_id, place, one.kept[scope_id])
        elif state is FileState.PENDING:
            pending.append(
                {
                    "scope_id": scope_id,
                    "message_id": message_id,
                    "position": place,
                    "account_id": account_id,
                    "source": one.url,
                    "provider_id": one.provider_id,
                    "state": state.value,
                    "next_at": func.clock_timestamp(),
                }
            )
    if pending:
        await tx.execute(insert(inbound_files).values(pending))
    return bool(pending)


async def _adopt(tx: AsyncConnection, scope_id: UUID, message_id: UUID, place: int, kept: KeptFile) -> None:
    mine = (assets.c.id == kept.asset_id, assets.c.scope_id == scope_id, assets.c.message_id.is_(None))
    await tx.execute(update(assets).where(*mine).values(message_id=message_id))
    await _link(tx, scope_id, message_id, place, kept)


async def _link(tx: AsyncConnection, scope_id: UUID, message_id: UUID, place: int, kept: KeptFile) -> None:
    """Make the address of a kept file lead to it: it names the asset."""
    row = {
        "id": kept.asset_id,
        "scope_id": scope_id,
        "message_id": message_id,
        "position": place,
        "asset_id": kept.asset_id,
        "filename": kept.filename,
    }
    await tx.execute(insert(media_links).values(row))


async def hold_back(tx: AsyncConnection, message_id: UUID, subscribed: Collection[UUID]) -> None:
    """Let `message.received`, which this transaction has written, wait for the files. `subscribed`: the endpoints that
    are to get it."""
    if subscribed:
        pending = pending_deliveries.c
        theirs = pending.endpoint_id == any_(literal(list(subscribed), ARRAY(Uuid)))
        held = and_(theirs, pending.subject_id == message_id, _DELIVERY_OF_PENDING)
        await tx.execute(update(deliveries).where(held).values(next_at=_HELD))


async def claim(tx: AsyncConnection, message_id: UUID) -> DueFile | None:
    """The next file of a message with which something is to be done now; that try is counted, and the time of the next
    one set. None: there is none."""
    due = (
        select(inbound_files.c.id)
        .where(inbound_files.c.message_id == message_id, inbound_files.c.next_at <= func.now())
        .order_by(inbound_files.c.position)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    said = func.jsonb_extract_path(messages.c.details, "media", cast(inbound_files.c.position, Text))
    claimed = await tx.execute(
        update(inbound_files)
        .where(
            inbound_files.c.id == due.scalar_subquery(),
            scopes.c.id == inbound_files.c.scope_id,
            messages.c.id == inbound_files.c.message_id,
        )
        .values(tries=inbound_files.c.tries + 1, next_at=func.now() + seconds(_pause()))
        .returning(
            *(inbound_files.c[name] for name in _CLAIMED),
            scopes.c.property_id,
            scopes.c.environment,
            func.jsonb_extract_path_text(said, "content_type").label("content_type"),
            func.jsonb_extract_path_text(said, "filename").label("filename"),
        )
    )
    return first_of(DueFile, claimed)


_CLAIMED = ("id", "scope_id", "message_id", "position", "account_id", "source", "provider_id", "state", "tries")


def _pause() -> ColumnElement[float]:
    """Seconds until the next try, by how many were made before."""
    done = inbound_files.c.tries
    return case(*((done == made, pause) for made, pause in enumerate(PAUSES[:-1])), else_=PAUSES[-1])


async def account_row(tx: AsyncConnection, account_id: UUID) -> StoredAccountRow | None:
    """Whose credentials a file is fetched and deleted with; None: it is there no more."""
    columns = (provider_accounts.c[name] for name in ("id", "provider", "identity", "base_url", "credentials"))
    return first_of(StoredAccountRow, await tx.execute(select(*columns).where(provider_accounts.c.id == account_id)))


async def kept(tx: AsyncConnection, due: DueFile, copy: KeptFile) -> set[UUID]:
    """It has been fetched, and its bytes are written: it is the message's own. Where it is not wanted any more, the
    copy is let go. Returns the endpoints that can be told now."""
    if not await _settle(tx, due, FileState.KEPT, copy.stored()):
        await tx.execute(update(assets).where(assets.c.id == copy.asset_id).values(state="gone", filename=None))
        return set()
    await tx.execute(update(assets).where(assets.c.id == copy.asset_id).values(state="stored"))
    await _link(tx, due.scope_id, due.message_id, due.position, copy)
    return await _after(tx, due, NewEvent("media.kept", facts={"position": due.position}))


async def not_kept(tx: AsyncConnection, due: DueFile, problem: FileProblem, *, final: bool) -> set[UUID]:
    """It has not been fetched; `final`: and is not asked for again. Returns the endpoints that can be told now."""
    facts: dict[str, object] = {"position": due.position, "problem": problem.value}
    if not final:
        await write(tx, due.scope_id, "inbound", due.message_id, [NewEvent("media.not_fetched", facts=facts)])
        return set()
    said = {"content_type": due.content_type, "filename": due.filename}
    given = {name: value for name, value in said.items() if value}
    if not await _settle(tx, due, FileState.FAILED, {"state": "failed", **given, "problem": problem.value}):
        return set()
    return await _after(tx, due, NewEvent("media.failed", facts=facts))


async def _settle(tx: AsyncConnection, due: DueFile, state: FileState, shown: dict[str, Any]) -> bool:
    """Write what became of a pending file. False: another did, or its guest was erased."""
    mine = (messages.c.id == due.message_id, messages.c.erased_at.is_(None))
    if await tx.scalar(select(messages.c.id).where(*mine).with_for_update()) is None:
        return False
    pending = and_(inbound_files.c.id == due.id, inbound_files.c.state == FileState.PENDING.value)
    done = await tx.execute(update(inbound_files).where(pending).values(state=state.value, next_at=None, source=None))
    if done.rowcount != 1:
        return False
    place = literal(["media", str(due.position)], ARRAY(Text))
    details = func.jsonb_set(messages.c.details, place, literal(shown, JSONB))
    await tx.execute(update(messages).where(messages.c.id == due.message_id).values(details=details))
    return True


async def _after(tx: AsyncConnection, due: DueFile, event: NewEvent) -> set[UUID]:
    """Write the event, and let `message.received` go if this was the last file. Returns the endpoints that get it."""
    await write(tx, due.scope_id, "inbound", due.message_id, [event])
    files = inbound_files.c
    if await tx.scalar(select(exists().where(files.message_id == due.message_id, files.state == "pending"))):
        return set()
    pending = pending_deliveries.c
    waiting = (
        await tx.execute(
            select(deliveries.c.id, deliveries.c.endpoint_id)
            .join(pending_deliveries, _DELIVERY_OF_PENDING)
            .join(endpoints, endpoints.c.id == pending.endpoint_id)
            .where(endpoints.c.scope_id == due.scope_id, pending.subject_id == due.message_id, pending.next_at == _HELD)
        )
    ).all()
    if not waiting:
        return set()
    theirs = {row.endpoint_id for row in waiting}
    locked = select(endpoints.c.id).where(endpoints.c.id == any_(literal(list(theirs), ARRAY(Uuid))))
    await tx.execute(locked.order_by(endpoints.c.id).with_for_update(key_share=True))
    ids = any_(literal([row.id for row in waiting], ARRAY(Uuid)))
    # Not one that somebody has in hand meanwhile, since it has waited long enough.
    held = and_(pending.delivery_id == ids, _DELIVERY_OF_PENDING, pending.next_at == _HELD)
    await tx.execute(update(pending_deliveries).where(held).values(next_at=func.now()))
    return theirs


async def next_in(tx: AsyncConnection, message_id: UUID) -> float | None:
    """Seconds until something is to be done with a file of a message, 0: now; None: nothing is."""
    soonest = func.min(inbound_files.c.next_at)
    left = func.greatest(0.0, func.extract("epoch", soonest - func.clock_timestamp()))
    found = await tx.scalar(
        select(cast(left, Float)).where(inbound_files.c.message_id == message_id).having(soonest.is_not(None))
    )
    return None if found is None else float(found)


async def unsettled(tx: AsyncConnection, grace: float, after: Since, most: int) -> list[UnsettledFile]:
    """Files with which something should have been done `grace` seconds ago: the next after that place."""
    files = inbound_files.c
    found = await tx.execute(
        select(files.id, files.message_id, files.scope_id, files.next_at)
        .where(files.next_at < func.now() - seconds(grace), tuple_(files.next_at, files.id) > (after.at, after.id))
        .order_by(files.next_at, files.id)
        .limit(most)
    )
    return from_result(UnsettledFile, found)


# --- erasure ----------------------------------------------------------------------------------------------------------


async def erase(tx: AsyncConnection, message_ids: Sequence[UUID]) -> list[tuple[UUID, UUID]]:
    """Have the files of these messages, which are locked, deleted at their providers, and forget where they were.
    Returns the messages, with their scopes, of which some are to be deleted there."""
    if not message_ids:
        return []
    mine = inbound_files.c.message_id == any_(literal(list(message_ids), ARRAY(Uuid)))
    dropped = delete(inbound_files).where(mine, inbound_files.c.provider_id.is_(None))
    forgotten = set((await tx.execute(dropped.returning(inbound_files.c.message_id))).scalars())
    left = await tx.execute(
        update(inbound_files)
        .where(mine)
        .values(state=FileState.ERASING.value, source=None, tries=0, next_at=func.clock_timestamp())
        .returning(inbound_files.c.message_id, inbound_files.c.scope_id)
    )
    doomed = {(row.message_id, row.scope_id) for row in left}
    await _forget_histories(tx, forgotten - {message_id for message_id, _ in doomed})
    return sorted(doomed)


async def wanted_elsewhere(tx: AsyncConnection, due: DueFile) -> bool:
    """Whether another property that shares the sender is yet to fetch the same file of the provider's."""
    other = inbound_files.alias().c
    pending = and_(other.next_at.is_not(None), other.state == "pending", other.provider_id == due.provider_id)
    return bool(await tx.scalar(select(exists().where(pending))))


async def deleted(tx: AsyncConnection, due: DueFile) -> None:
    """The provider has the file no longer, or is not asked any more."""
    await tx.execute(delete(inbound_files).where(inbound_files.c.id == due.id))
    left = exists().where(inbound_files.c.message_id == due.message_id)
    if not await tx.scalar(select(left)):
        await _forget_histories(tx, {due.message_id})


async def _forget_histories(tx: AsyncConnection, message_ids: Collection[UUID]) -> None:
    if message_ids:
        rows = [{"workflow_id": inbound_files_workflow(message_id)} for message_id in sorted(message_ids)]
        await tx.execute(upsert(history_erasures).values(rows).on_conflict_do_nothing())
