"""The budget of questions of each account at a provider, and those that wait for their turn: kept in the record, so
that what a provider limits is kept to by all processes together.

A budget is locked after the message, and last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Float, Integer, SmallInteger, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.delivery_ports import Account
from bellhop.domain.questions import UNCOUNTED, QuestionLimit, Rank, comes_back, kept, of_rate, wait
from bellhop.store.compiled import CompiledStatement

ABSENT = 60.0
"""Seconds after its turn at which whoever has not asked by then is in nobody's way: it has had its answer otherwise."""
_OF_ACCOUNT = "provider = :provider and identity = :identity and environment = :environment"
_NAMES = tuple(bindparam(name, type_=Text) for name in ("provider", "identity", "environment"))


@dataclass(slots=True)
class _Budget:
    asked: list[datetime]
    counted: bool
    now: datetime


_LOCK = CompiledStatement(
    text(
        """
        insert into question_budgets as known (provider, identity, environment)
        values (:provider, :identity, :environment)
        on conflict (provider, identity, environment) do update set asked = known.asked
        returning asked, coalesce(uncounted_until, '-infinity') <= clock_timestamp() as counted,
          clock_timestamp() as now
        """
    ).bindparams(*_NAMES),
    row=_Budget,
)
# A statement of its own: it is to see what others wrote who had the lock before.
_AHEAD = CompiledStatement(
    text(
        f"""
        select coalesce(sum(calls), 0)::integer as ahead from waiting_questions
        where {_OF_ACCOUNT} and (rank, since, message_id) < (:rank, :since, :message)
          and comes_at > clock_timestamp() - make_interval(secs => :absent)
        """
    ).bindparams(
        *_NAMES,
        bindparam("rank", type_=SmallInteger),
        bindparam("since", type_=DateTime(timezone=True)),
        bindparam("message", type_=Uuid),
        bindparam("absent", value=ABSENT, type_=Float),
    ),
    value=int,
)
_WAIT = CompiledStatement(
    text(
        """
        insert into waiting_questions (message_id, provider, identity, environment, rank, since, calls, comes_at)
        values (:message, :provider, :identity, :environment, :rank, :since, :calls,
          clock_timestamp() + make_interval(secs => :seconds))
        on conflict (message_id) do update set provider = excluded.provider, identity = excluded.identity,
          environment = excluded.environment, rank = excluded.rank, since = excluded.since, calls = excluded.calls,
          comes_at = excluded.comes_at
        """
    ).bindparams(
        *_NAMES,
        bindparam("rank", type_=SmallInteger),
        bindparam("since", type_=DateTime(timezone=True)),
        bindparam("message", type_=Uuid),
        bindparam("calls", type_=Integer),
        bindparam("seconds", type_=Float),
    )
)
# With those of the same account that never came back.
_TAKE = CompiledStatement(
    text(
        f"""
        with gone as (
          delete from waiting_questions where message_id = :message or ({_OF_ACCOUNT}
            and comes_at < clock_timestamp() - make_interval(secs => 2 * :absent))
        )
        update question_budgets set asked = :asked where {_OF_ACCOUNT}
        """
    ).bindparams(
        *_NAMES,
        bindparam("message", type_=Uuid),
        bindparam("asked", type_=ARRAY(DateTime(timezone=True))),
        bindparam("absent", value=ABSENT, type_=Float),
    )
)
_REFUSED = CompiledStatement(
    text(
        f"""
        update question_budgets set uncounted_until = clock_timestamp() + make_interval(secs => :seconds)
        where {_OF_ACCOUNT}
        """
    ).bindparams(*_NAMES, bindparam("seconds", value=UNCOUNTED, type_=Float))
)
_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Questions:
    """The budgets of an installation. `rate`: questions a second of an account whose provider is not in `limits`."""

    rate: float
    limits: Mapping[str, QuestionLimit]

    def limit(self, account: Account) -> QuestionLimit:
        """How often an account may be asked."""
        return self.limits.get(account.provider) or of_rate(self.rate)

    async def turn(
        self, tx: AsyncConnection, account: Account, message_id: UUID, rank: Rank, since: datetime, calls: int = 1
    ) -> float:
        """Take this message's turn to ask about itself, with so many calls: 0 where it may do so now, and is counted
        as having done so; else the seconds after which it is to come back, until when it keeps its place. Of those
        that wait the lower rank goes first, and in a rank the one that waits `since` longest."""
        limit, names = self.limit(account), _names(account)
        (budget,) = await _LOCK(tx, **names)
        if not budget.counted:
            return 0.0
        (ahead,) = await _AHEAD(tx, **names, rank=rank, since=since, message=message_id)
        seconds = wait(limit, budget.asked, budget.now, ahead, calls)
        if seconds > 0:
            seconds = comes_back(seconds)
            await _WAIT(
                tx, **names, rank=rank, since=since, message=message_id, calls=min(calls, limit.most), seconds=seconds
            )
            return seconds
        counted = [*kept(limit, budget.asked, budget.now), *[budget.now] * calls][-limit.most :]
        await _TAKE(tx, **names, message=message_id, asked=counted)
        return 0.0

    async def turn_of_list(self, tx: AsyncConnection, account: Account) -> float:
        """The same for one page of a list, which answers for many messages: in front of all that wait."""
        limit, names = self.limit(account), _names(account)
        (budget,) = await _LOCK(tx, **names)
        seconds = wait(limit, budget.asked, budget.now, 0) if budget.counted else 0.0
        if seconds == 0:
            await _TAKE(tx, **names, message=_NOBODY, asked=[*kept(limit, budget.asked, budget.now), budget.now])
        return seconds

    async def was_asked(self, tx: AsyncConnection, account: Account, calls: int) -> None:
        """What a question that was counted as one call has cost: more than one are counted as well; 0: the provider
        lets this account ask nothing, so there is nothing to count for a while."""
        names = _names(account)
        if calls == 0:
            await _REFUSED(tx, **names)
        elif calls > 1:
            limit = self.limit(account)
            (budget,) = await _LOCK(tx, **names)
            more = [*kept(limit, budget.asked, budget.now), *[budget.now] * (calls - 1)][-limit.most :]
            await _TAKE(tx, **names, message=_NOBODY, asked=more)


def _names(account: Account) -> dict[str, str]:
    return {"provider": account.provider, "identity": account.identity, "environment": account.environment}
