"""The pace of senders that have a rate: whose turn it is, for all scopes that send from there.

A message that goes out takes a turn where the sender is free and nobody waits; else it is parked (`waits_for` is
`paced`, `pace_id` whose pace), and one releaser for each sender gives out the turns: what is urgent first, then of
each scope in turn the oldest. Whoever has been given one keeps `pace_id` and waits for nothing; its call takes no
other.

A pace is locked after the message, and after an account that is tried; whoever gives out turns waits for no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Float, Integer, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.credentials import CredentialCipher, Sealing
from bellhop.domain.policy import Reason
from bellhop.domain.rows.delivery import PacedBacklog
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery import parked, pending_wakes
from bellhop.store.delivery.attempt_rows import SendingAccount
from bellhop.store.messages.progress import Progress

TOGETHER = 0.25
"""Seconds: turns that come within it are given out at once."""
MOST = 50
"""Turns given out in one transaction."""
EXPECTED = 10.0
"""Seconds within which somebody who was told to release is to be heard of."""
STILL = 60.0
"""Seconds after which somebody who releases is to be heard of again: longer than he waits for a turn at a time."""
_NOBODY = UUID(int=0)

# Without waiting for whoever has it locked: they take the turn, and this one waits for the next.
_TAKE = CompiledStatement(
    text(
        """
        update sender_paces set free_at = greatest(free_at, clock_timestamp()) + make_interval(secs => :each)
        where id = any(array(
          select id from sender_paces where id = :pace
            and free_at <= clock_timestamp() + make_interval(secs => :burst)
            and coalesce(released_until, '-infinity') <= clock_timestamp()
          for update skip locked
        ))
        returning id
        """
    ).bindparams(bindparam("pace", type_=Uuid), bindparam("each", type_=Float), bindparam("burst", type_=Float)),
    value=UUID,
)
_ANNOUNCE = CompiledStatement(
    text(
        """
        update sender_paces set released_until = clock_timestamp() + make_interval(secs => :expected)
        where id = :pace and coalesce(released_until, '-infinity') <= clock_timestamp()
        returning id
        """
    ).bindparams(bindparam("pace", type_=Uuid), bindparam("expected", type_=Float)),
    value=UUID,
)


@dataclass(slots=True)
class _Pace:
    free_at: datetime
    last_scope_id: UUID | None
    now: datetime


@dataclass(slots=True)
class _Waiting:
    id: UUID
    scope_id: UUID
    rate: float | None
    """None: its scope has no such sender any more, or no rate for it."""


_LOCK = CompiledStatement(
    text(
        "select free_at, last_scope_id, clock_timestamp() as now from sender_paces where id = :pace for update"
    ).bindparams(bindparam("pace", type_=Uuid)),
    row=_Pace,
)


def _first(place: int, priority: str, scope: str) -> str:
    return f"""
        (select {place} as place, id, scope_id from messages
        where waits_for = 'paced' and pace_id = :pace and priority = '{priority}' and scope_id {scope} :last
          and id <> all(:seen)
        order by scope_id, due_at, id limit 1)"""


# The scopes that share a sender take turns: the next one after `last` that has something of that priority.
_NEXT = CompiledStatement(
    text(
        f"""
        select message.id, message.scope_id, (
          select sender.rate from senders sender
          where sender.scope_id = message.scope_id and sender.pace_id = :pace limit 1) as rate
        from ({
            " union all ".join(
                _first(2 * at + after, priority, scope)
                for at, priority in enumerate(("urgent", "normal", "bulk"))
                for after, scope in enumerate((">", "<="))
            )
        }) message
        order by message.place limit 1
        """
    ).bindparams(bindparam("pace", type_=Uuid), bindparam("last", type_=Uuid), bindparam("seen", type_=ARRAY(Uuid))),
    row=_Waiting,
)
# What somebody else has locked (it is cancelled, say) comes later.
_GIVE = CompiledStatement(
    text(
        """
        update messages set waits_for = null, parked_at = null, wake_due_at = clock_timestamp()
        where id = any(array(
          select id from messages where id = :message and waits_for = 'paced' and pace_id = :pace
          for update skip locked
        ))
        returning id
        """
    ).bindparams(bindparam("message", type_=Uuid), bindparam("pace", type_=Uuid)),
    value=UUID,
)
_GIVEN = CompiledStatement(
    text(
        """
        update sender_paces set free_at = greatest(free_at, :now) + make_interval(secs => :taken),
          last_scope_id = :last,
          released_until = case when :over then null else clock_timestamp() + make_interval(secs => :still) end
        where id = :pace
        """
    ).bindparams(
        bindparam("pace", type_=Uuid),
        bindparam("now", type_=DateTime(timezone=True)),
        bindparam("taken", type_=Float),
        bindparam("still", type_=Float),
        bindparam("last", type_=Uuid),
    )
)
_BACKLOGS = CompiledStatement(
    text(
        """
        select pace.id as pace_id from sender_paces pace
        where coalesce(pace.released_until, '-infinity') <= now()
          and exists (select from messages where waits_for = 'paced' and pace_id = pace.id)
        order by pace.id limit :most
        """
    ).bindparams(bindparam("most", type_=Integer)),
    row=PacedBacklog,
)


async def has_turn(tx: AsyncConnection, row: MessageRow, sender: SendingAccount, cipher: CredentialCipher) -> bool:
    """Whether the locked message `row` may go out from a sender now. Of one that has a rate: its turn has come, or it
    takes one, where the sender is free and nobody waits for it."""
    if sender.rate is None or sender.pace_id is None or (row.waits_for is None and row.pace_id == sender.pace_id):
        return True
    if cipher.sealing(sender.credentials) is Sealing.UNREADABLE:
        # No call will be made; and whoever holds an account has locked it before any pace.
        return True
    each = 1 / sender.rate
    return bool(await _TAKE(tx, pace=sender.pace_id, each=each, burst=_burst(each)))


def _burst(each: float) -> float:
    """Seconds by which a turn may come before its time, where there are many a second."""
    return max(0.0, TOGETHER - each)


async def park(tx: AsyncConnection, row: MessageRow, pace_id: UUID) -> Progress:
    """Let the locked message `row` wait for its turn, and have turns given out unless somebody does so already."""
    first = await _ANNOUNCE(tx, pace=pace_id, expected=EXPECTED)
    waits = await parked.park(tx, row, Reason.PACED, pace_id=pace_id)
    return Progress(row, answer=waits, backlogs=[PacedBacklog(pace_id)] if first else [])


async def release(tx: AsyncConnection, pace_id: UUID) -> tuple[list[MessageRow], float | None]:
    """Give out the turns that have come, and say in how many seconds the next comes; None: nobody waits for one. After
    the commit: wake the workflows of those that got one."""
    found = await _LOCK(tx, pace=pace_id)
    if not found:
        return [], None
    pace, given, seen, taken = found[0], list[UUID](), list[UUID](), 0.0
    left = (pace.free_at - pace.now).total_seconds()
    last, over = pace.last_scope_id or _NOBODY, False
    pause = TOGETHER
    while len(seen) < MOST:
        waiting = await _NEXT(tx, pace=pace_id, last=last, seen=seen)
        if not waiting:
            over = not seen
            break
        (first,) = waiting
        each = 1 / first.rate if first.rate else 0.0
        ahead = (max(0.0, left) if taken else left) + taken
        if ahead > _burst(each):
            pause = ahead - _burst(each)
            break
        seen.append(first.id)
        if await _GIVE(tx, message=first.id, pace=pace_id):
            given.append(first.id)
            last, taken = first.scope_id, taken + each
    await _GIVEN(tx, pace=pace_id, now=pace.now, taken=taken, last=last, over=over, still=STILL)
    rows = await pending_wakes.message_rows(tx, given) if given else []
    return rows, None if over else pause


async def backlogs(tx: AsyncConnection, most: int) -> list[PacedBacklog]:
    """Where messages wait for a pace and nobody is heard of who releases them."""
    found: list[PacedBacklog] = await _BACKLOGS(tx, most=most)
    return found
