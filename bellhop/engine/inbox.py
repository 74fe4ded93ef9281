"""Guests' inboxes: sessions minted for a property's back end, and what a guest's app reads and reports in them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from pydantic_core import to_json
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import inbox as shown
from bellhop.domain.accounts import OURS
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import NO_DETAILS, Account, Inbound, Receipt
from bellhop.domain.ids import Prefix, render
from bellhop.domain.inbound_details import InboundDetails
from bellhop.domain.inbound_files import SENTENCES
from bellhop.domain.live import Change, Subject, event
from bellhop.domain.paging import Listed, PageRequest
from bellhop.domain.rows.inbox import InboxRow, OpenSession, SessionRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.engine import inbound_files, keyword_answers
from bellhop.engine.context import Engine
from bellhop.engine.errors import ChannelUnavailable, InvalidField, NotFound, TooManySessions
from bellhop.engine.inbound_files import ReceivedFile
from bellhop.engine.receipts import tell
from bellhop.store.conversations import inbound, inbound_scopes
from bellhop.store.database import Database
from bellhop.store.delivery import receipts
from bellhop.store.delivery.receipts import Recorded
from bellhop.store.inbox import entries, sessions
from bellhop.store.inbox.entries import Reported
from bellhop.store.messages import outbound

MOST_REPORTED = 25
"""Messages of which one call reports: as many as one transaction applies receipts to."""


# --- sessions, for the property's back end ---


async def mint_session(engine: Engine, scope: Scope, guest_id: UUID, lasts: float) -> tuple[SessionRow, str]:
    """A new session of a guest for so many seconds: (row, token), which is kept nowhere. Raises NotFound,
    TooManySessions."""
    try:
        minted = await engine.database.write(lambda tx: sessions.mint(tx, scope, guest_id, lasts))
    except sessions.TooManySessions:
        raise TooManySessions(sessions.MOST) from None
    if minted is None:
        raise NotFound
    return minted


async def renew_session(engine: Engine, scope: Scope, guest_id: UUID, session_id: UUID, lasts: float) -> SessionRow:
    """Let a session last so many seconds from now; its token stays. Raises NotFound, also where it is over."""
    row = await engine.database.write(lambda tx: sessions.renew(tx, scope, guest_id, session_id, lasts))
    if row is None:
        raise NotFound
    return row


async def revoke_session(engine: Engine, scope: Scope, guest_id: UUID, session_id: UUID) -> list[bytes]:
    """Close a session, with its streams. Returns its token's hash, for caches. Raises NotFound."""
    hashed = await engine.database.write(lambda tx: sessions.revoke(tx, scope, guest_id, session_id))
    if hashed is None:
        raise NotFound
    return [hashed]


async def revoke_sessions(engine: Engine, scope: Scope, guest_id: UUID) -> list[bytes]:
    """The same with all sessions of a guest. Raises NotFound."""
    hashes = await engine.database.write(lambda tx: sessions.revoke_all(tx, scope, guest_id))
    if hashes is None:
        raise NotFound
    return hashes


# --- the guest's side ---


async def open_session(database: Database, token_hash: bytes) -> OpenSession | None:
    """The session that a token opens; None where there is none, or it is over."""
    return await database.read(lambda tx: sessions.find(tx, token_hash))


async def listing(engine: Engine, session: OpenSession, asked: PageRequest) -> Listed[InboxRow]:
    """The guest's inbox, what came last first."""
    return await engine.database.read(lambda tx: entries.listing(tx, session.scope, session.guest_id, asked))


async def report(engine: Engine, session: OpenSession, said: Sequence[tuple[UUID, Stage]]) -> dict[UUID, Stage]:
    """Record what a guest's app says of messages (delivered, read), as receipts of the provider that we are here: in
    any order, and as often as it likes. Returns where each of them stands that is this guest's; of others nothing is
    said. At most `MOST_REPORTED` messages."""
    asked = sorted({key for key, _ in said})

    async def work(tx: AsyncConnection) -> tuple[Recorded, dict[UUID, Stage]]:
        laid_in = {one.message_id: one for one in await entries.reported(tx, session.scope, session.guest_id, asked)}
        items = [_receipt(laid_in[key], stage) for key, stage in dict.fromkeys(said) if key in laid_in]
        accounts = {
            one.account_id: Account(one.account_id, one.provider, one.identity, "", {}) for one in laid_in.values()
        }
        recorded = await receipts.record(tx, list(accounts.values()), items, engine.book, engine.delivery.follow_at)
        stages = await outbound.stages(tx, list(laid_in))
        changed = [key for key, one in laid_in.items() if stages[key] is Stage.READ is not one.stage]
        if changed:
            await entries.move_to_the_end(tx, session.guest_id, changed)
        return recorded, stages

    recorded, stages = await engine.database.write(work)
    tell(engine, recorded)
    return stages


async def send_file(
    engine: Engine, session: OpenSession, key: str, content: str, file: ReceivedFile
) -> tuple[InboxRow, bool]:
    """The same with a file. Raises InvalidField where it is not accepted, and nothing is stored then."""
    if not await _is_new(engine, session, key):
        # Its file is kept already.
        return await send(engine, session, key, content)
    (media,) = await inbound_files.keep(engine, [session.scope.id], [file])
    if media.problem is not None:
        raise InvalidField("file", SENTENCES[media.problem], media.problem.value)
    return await send(engine, session, key, content, InboundDetails(media=(media,), media_count=1))


async def _is_new(engine: Engine, session: OpenSession, key: str) -> bool:
    async def work(tx: AsyncConnection) -> bool:
        sender = await inbound_scopes.sender_of(tx, session.scope.id, Channel.IN_APP)
        if sender is None:
            raise ChannelUnavailable(Channel.IN_APP.value)
        dedupe_key = _dedupe_key(session.guest_id, key)
        return await entries.written(tx, session.scope, session.guest_id, sender.account_id, dedupe_key) is None

    return await engine.database.read(work)


def _dedupe_key(guest_id: UUID, key: str) -> str:
    return f"{guest_id}:{key}"


async def send(
    engine: Engine, session: OpenSession, key: str, content: str, details: InboundDetails = NO_DETAILS
) -> tuple[InboxRow, bool]:
    """Take what a guest writes in their app, under a key of the app's: repeated with the same key it is stored once.
    Returns it as the inbox has it, and whether it is new. Raises NotFound where the guest is erased, and
    ChannelUnavailable where the property has no inboxes."""
    guest_id = session.guest_id

    async def work(tx: AsyncConnection) -> tuple[InboxRow | None, Recorded | None]:
        sender = await inbound_scopes.sender_of(tx, session.scope.id, Channel.IN_APP)
        if sender is None:
            raise ChannelUnavailable(Channel.IN_APP.value)
        item = Inbound(
            dedupe_key=_dedupe_key(guest_id, key),
            channel=Channel.IN_APP,
            sender=render(Prefix.GUEST, guest_id),
            recipient=sender.address,
            text=content,
            provider_id=key,
            payload={},
            details=details,
        )
        received = await inbound.receive_from(tx, guest_id, sender, OURS, item, engine.book)
        recorded = None
        if received is not None:
            message_id, left = received
            recorded = Recorded(endpoints=left.endpoints, texts=left.texts)
            recorded.accepted = await keyword_answers.accept(engine, tx, left.asked)
            await entries.lay_in_written(tx, session.scope, guest_id, message_id, engine.delivery.inbox_kept)
        return await entries.written(tx, session.scope, guest_id, sender.account_id, item.dedupe_key), recorded

    try:
        row, recorded = await engine.database.write(work)
    except inbound.GuestErased:
        raise NotFound from None
    if recorded is not None:
        tell(engine, recorded)
    if row is None:
        raise NotFound
    return row, recorded is not None


def _receipt(one: Reported, stage: Stage) -> Receipt:
    return Receipt(
        dedupe_key=f"{one.attempt_id}:{stage.value}",
        word=stage.value,
        stage=stage,
        attempt_id=one.attempt_id,
        provider_id=None,
        payload={},
    )


class InboxSource:
    """Where streams of guests' inboxes are read from: see `domain.live.Source`."""

    looks = False

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changes(self, wanted: Sequence[tuple[Subject, int]], most: int) -> list[list[Change]]:
        found = await self._database.read(lambda tx: entries.changes(tx, wanted, most))
        return [
            [Change(row.position, event("message", to_json(shown.entry(row)), row.position)) for row in rows]
            for rows in found
        ]

    async def good(self, sessions_: Collection[UUID]) -> set[UUID]:
        return await self._database.read(lambda tx: sessions.good(tx, sessions_))
