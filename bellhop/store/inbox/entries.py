"""Messages in guests' inboxes: laid in, read by page and by stream, and what guests' apps report of them.

Where an entry comes in its guest's stream is taken under a lock of the guest's that lasts until the commit, after every
other lock: what has been seen is never followed by something earlier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    Float,
    Integer,
    SmallInteger,
    Uuid,
    any_,
    bindparam,
    case,
    delete,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from bellhop.domain.accounts import OURS
from bellhop.domain.live import Subject, Word
from bellhop.domain.paging import Listed, PageRequest, Place
from bellhop.domain.rows.inbox import InboxRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.store import notifications, pages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.rows import from_result
from bellhop.store.tables import inbox, message_steps, messages

_LAY_IN = CompiledStatement(
    text(
        """
        with turn as materialized (select pg_advisory_xact_lock(:lock))
        insert into inbox (scope_id, message_id, step, guest_id, position, expires_at)
        select :scope, :message, :step, :guest, nextval('inbox_positions'),
          least(:valid_until, now() + make_interval(secs => :kept))
        from turn
        on conflict (message_id) do update
          set step = excluded.step, position = excluded.position, expires_at = excluded.expires_at
        """
    ).bindparams(
        bindparam("lock", type_=BigInteger),
        *(bindparam(name, type_=Uuid) for name in ("scope", "message", "guest")),
        bindparam("step", type_=SmallInteger),
        bindparam("valid_until", type_=DateTime(timezone=True)),
        bindparam("kept", type_=Float),
    )
)
_WITHDRAW = CompiledStatement(delete(inbox).where(inbox.c.message_id == bindparam("message")))
_MOVE_TO_THE_END = CompiledStatement(
    text(
        """
        with turn as materialized (select pg_advisory_xact_lock(:lock))
        update inbox set position = nextval('inbox_positions') from turn
        where message_id = any(:messages) and guest_id = :guest
        """
    ).bindparams(
        bindparam("lock", type_=BigInteger), bindparam("messages", type_=ARRAY(Uuid)), bindparam("guest", type_=Uuid)
    )
)
_CHANGES = CompiledStatement(
    text(
        """
        select entry.* from unnest(:scopes, :guests, :afters) as wanted (scope, guest, after)
        cross join lateral (
          select entry.id, entry.guest_id, entry.position, entry.message_id,
            case when entry.step = 0 then message.content else step.content end as content,
            case when entry.step = 0 then message.content_type else step.content_type end as content_type,
            case when entry.step = 0 then message.details else step.details end as details,
            message.stage, message.direction, coalesce(message.sent_at, message.created_at) as sent_at,
            message.read_at, entry.expires_at
          from inbox entry join messages message on message.id = entry.message_id
            left join message_steps step on step.message_id = entry.message_id and step.step = entry.step
          where entry.guest_id = wanted.guest and entry.scope_id = wanted.scope and entry.position > wanted.after
            and entry.expires_at > now() and message.erased_at is null
          order by entry.position limit :most) as entry
        order by entry.guest_id, entry.position
        """
    ).bindparams(
        bindparam("scopes", type_=ARRAY(Uuid)),
        bindparam("guests", type_=ARRAY(Uuid)),
        bindparam("afters", type_=ARRAY(BigInteger)),
        bindparam("most", type_=Integer),
    ),
    row=InboxRow,
)
_FIRST = inbox.c.step == 0
_COLUMNS = (
    *(inbox.c[name] for name in ("id", "guest_id", "position", "message_id", "expires_at")),
    *(
        case((_FIRST, messages.c[name]), else_=message_steps.c[name]).label(name)
        for name in ("content", "content_type", "details")
    ),
    *(messages.c[name] for name in ("stage", "direction", "read_at")),
    func.coalesce(messages.c.sent_at, messages.c.created_at).label("sent_at"),
)
# What a guest wrote, as it was laid in, or as it would be where it lies there no more.
_WRITTEN = CompiledStatement(
    text(
        """
        select coalesce(entry.id, message.id) as id, message.guest_id, coalesce(entry.position, 0) as position,
          message.id as message_id, message.content, message.content_type, message.details, message.stage,
          message.direction, coalesce(message.sent_at, message.created_at) as sent_at, message.read_at,
          coalesce(entry.expires_at, now()) as expires_at
        from receipts receipt join messages message on message.id = receipt.message_id
          left join inbox entry on entry.message_id = message.id
        where receipt.account_id = :account and receipt.dedupe_key = :dedupe_key and message.scope_id = :scope
          and message.guest_id = :guest and message.erased_at is null
        """
    ).bindparams(
        bindparam("account", type_=Uuid),
        bindparam("dedupe_key", type_=Text),
        bindparam("scope", type_=Uuid),
        bindparam("guest", type_=Uuid),
    ),
    row=InboxRow,
)


@dataclass(slots=True)
class Reported:
    """A message that was laid in, with the attempt that did it."""

    message_id: UUID
    attempt_id: UUID
    account_id: UUID
    provider: str
    identity: str
    stage: Stage


_REPORTED = CompiledStatement(
    text(
        """
        select message.id as message_id, attempt.id as attempt_id, attempt.account_id, attempt.provider,
          account.identity, message.stage
        from messages message join attempts attempt on attempt.message_id = message.id
          join provider_accounts account on account.id = attempt.account_id
        where message.id = any(:messages) and message.scope_id = :scope
          and (cast(:guest as uuid) is null or message.guest_id = :guest)
          and message.erased_at is null and attempt.provider = :ours and attempt.state in ('accepted', 'undelivered')
        order by message.id, attempt.id
        """
    ).bindparams(
        bindparam("messages", type_=ARRAY(Uuid)),
        bindparam("scope", type_=Uuid),
        bindparam("guest", type_=Uuid),
        bindparam("ours", value=OURS),
    ),
    row=Reported,
)


def _lock_of(guest_id: UUID) -> int:
    """The guest's lock: of a UUIDv7 the half that is chance."""
    return int.from_bytes(guest_id.bytes[8:], signed=True)


async def lay_in(tx: AsyncConnection, row: MessageRow, kept: float) -> None:
    """Put a message that is locked into its guest's inbox, for `kept` seconds or as long as it is of use, and say so to
    the guest's open streams."""
    assert row.guest_id is not None
    await _LAY_IN(
        tx,
        lock=_lock_of(row.guest_id),
        scope=row.scope_id,
        message=row.id,
        step=row.step,
        guest=row.guest_id,
        valid_until=row.told_until,
        kept=kept,
    )
    await notifications.notify(tx, Word.NEWS, row.guest_id)


async def lay_in_written(tx: AsyncConnection, scope: Scope, guest_id: UUID, message_id: UUID, kept: float) -> None:
    """The same with what the guest wrote, which their other devices show too."""
    await _LAY_IN(
        tx,
        lock=_lock_of(guest_id),
        scope=scope.id,
        message=message_id,
        step=0,
        guest=guest_id,
        valid_until=None,
        kept=kept,
    )
    await notifications.notify(tx, Word.NEWS, guest_id)


async def written(
    tx: AsyncConnection, scope: Scope, guest_id: UUID, account_id: UUID, dedupe_key: str
) -> InboxRow | None:
    """What the guest wrote, found by its receipt."""
    found = await _WRITTEN(tx, scope=scope.id, guest=guest_id, account=account_id, dedupe_key=dedupe_key)
    return next(iter(found), None)


async def withdraw(tx: AsyncConnection, row: MessageRow) -> None:
    """Take a message that is locked out of its guest's inbox, where it was not seen in time."""
    await _WITHDRAW(tx, message=row.id)


async def move_to_the_end(tx: AsyncConnection, guest_id: UUID, message_ids: Sequence[UUID]) -> None:
    """Show entries of a guest once more in the guest's open streams, since something of them has changed."""
    if await _MOVE_TO_THE_END(tx, lock=_lock_of(guest_id), guest=guest_id, messages=list(message_ids)):
        await notifications.notify(tx, Word.NEWS, guest_id)


async def changes(tx: AsyncConnection, wanted: Sequence[tuple[Subject, int]], most: int) -> list[list[InboxRow]]:
    """For each guest (`Subject.id`) what comes in their inbox after that position, in order, `most` at most. No guest
    is asked for twice."""
    rows = await _CHANGES(
        tx,
        scopes=[subject.scope_id for subject, _ in wanted],
        guests=[subject.id for subject, _ in wanted],
        afters=[after for _, after in wanted],
        most=most,
    )
    by_guest: dict[UUID, list[InboxRow]] = {}
    for row in rows:
        by_guest.setdefault(row.guest_id, []).append(row)
    return [by_guest.get(subject.id, []) for subject, _ in wanted]


async def listing(tx: AsyncConnection, scope: Scope, guest_id: UUID, asked: PageRequest) -> Listed[InboxRow]:
    """A guest's inbox, what was laid in last first."""
    query = (
        select(*_COLUMNS)
        .join(messages, messages.c.id == inbox.c.message_id)
        .outerjoin(
            message_steps,
            (message_steps.c.message_id == inbox.c.message_id) & (message_steps.c.step == inbox.c.step),
        )
        .where(inbox.c.scope_id == scope.id, inbox.c.expires_at > func.now(), messages.c.erased_at.is_(None))
    )
    newest = pages.within(query, inbox.c.guest_id, guest_id, inbox.c.id, pages.before(asked))
    rows = from_result(InboxRow, await tx.execute(pages.taken(newest, asked)))
    every = pages.within(query, inbox.c.guest_id, guest_id, inbox.c.id)
    return await pages.page(rows, asked, lambda row: Place(row.id), lambda: pages.count(tx, every))


async def reported(
    tx: AsyncConnection, scope: Scope, guest_id: UUID | None, message_ids: Sequence[UUID]
) -> list[Reported]:
    """Those of these messages that were laid into this guest's inbox (None: any guest's of the scope), also where they
    lie there no more. What was laid in twice is named twice, the last time last."""
    return await _REPORTED(tx, messages=list(message_ids), scope=scope.id, guest=guest_id)


async def forget(tx: AsyncConnection, guest_id: UUID) -> None:
    """Empty a guest's inbox, whose open streams end with it. The guest's messages are locked."""
    await tx.execute(delete(inbox).where(inbox.c.guest_id == guest_id))
    await notifications.notify(tx, Word.ENDED, guest_id)


async def expired(tx: AsyncConnection, most: int) -> int:
    """Forget entries whose time is over, `most` at most; returns how many those were."""
    old = select(inbox.c.id).where(inbox.c.expires_at <= func.now()).order_by(inbox.c.expires_at).limit(most)
    few = any_(func.array(old.with_for_update(skip_locked=True).scalar_subquery(), type_=ARRAY(Uuid)))
    return (await tx.execute(delete(inbox).where(inbox.c.id == few))).rowcount
