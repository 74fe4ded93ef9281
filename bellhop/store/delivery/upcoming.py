"""What will go out to guests in the days to come: policy is asked as it will be then, by what is known now. Nothing is
written and nobody is kept waiting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Integer, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy, policy_settings, upcoming
from bellhop.domain.next_parts import next_parts
from bellhop.domain.paging import COUNTED, Listed, PageRequest, Place
from bellhop.domain.policy import Reason
from bellhop.domain.quiet_hours import facts_of, sentence
from bellhop.domain.rows.delivery import AttemptRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import Stage
from bellhop.domain.upcoming import DAYS, Outlook, Upcoming, Why
from bellhop.store import pages
from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery import caps
from bellhop.store.delivery.attempt_rows import SendingAccount
from bellhop.store.delivery.facts import FactFinder
from bellhop.store.messages import progress, steps
from bellhop.store.tables import messages, scopes

_WAITS = 8
"""So often is asked again at the end of a wait."""

# A guest has so few that their own index will do. Whose reminder waits is over otherwise.
_THEIRS = """
    select message.id, at from messages message cross join lateral (
      select case when message.stage = 'queued' then message.due_at else message.remind_at end as at
    ) timed
    where message.scope_id = :scope and message.guest_id = any(:guests) and message.direction = 'outbound'
      and message.erased_at is null
      and (message.stage = 'queued' or (message.stage in ('sent', 'delivered') and message.remind_at > now()))
      and at < now() + make_interval(days => :days)
"""


@dataclass(slots=True)
class _Candidate:
    id: UUID
    at: datetime


_GIVEN: tuple[Any, ...] = (
    bindparam("scope", type_=Uuid),
    bindparam("guests", type_=ARRAY(Uuid)),
    bindparam("days", type_=Integer),
)
_PAGE = CompiledStatement(
    text(
        f"""
        select id, at from ({_THEIRS}) theirs where (at, id) > (:after_at, :after_id)
        order by at, id limit :most offset :skipped
        """
    ).bindparams(
        *_GIVEN,
        bindparam("after_at", type_=DateTime(timezone=True)),
        bindparam("after_id", type_=Uuid),
        bindparam("most", type_=Integer),
        bindparam("skipped", type_=Integer),
    ),
    row=_Candidate,
)
_COUNT = CompiledStatement(
    text(f"select count(*) from ({_THEIRS} limit :most) theirs").bindparams(*_GIVEN, bindparam("most", type_=Integer)),
    value=int,
)
_ROWS = CompiledStatement(
    select(*progress.message_columns)
    .join(scopes, scopes.c.id == messages.c.scope_id)
    .where(messages.c.id == any_(bindparam("asked", type_=ARRAY(Uuid)))),
    row=MessageRow,
)
_ALWAYS = datetime.min.replace(tzinfo=UTC)


async def listing(
    tx: AsyncConnection, finder: Preview, scope: Scope, guests: Sequence[UUID], asked: PageRequest
) -> Listed[Upcoming]:
    """What is to go out to guests of a scope within `DAYS`, in the order in which it is due."""
    given = {"scope": scope.id, "guests": list(guests), "days": DAYS}
    after = asked.after or Place(UUID(int=0))
    found = await _PAGE(
        tx,
        **given,
        after_at=after.at or _ALWAYS,
        after_id=after.id,
        most=asked.limit + 1,
        skipped=asked.offset,
    )

    async def counted() -> int:
        return (await _COUNT(tx, **given, most=COUNTED + 1))[0]

    listed = await pages.page(found, asked, lambda one: Place(one.id, one.at), counted)
    rows = {row.id: row for row in await _ROWS(tx, asked=[one.id for one in listed.rows])}
    shown = [await finder.look(tx, rows[one.id]) for one in listed.rows]
    return Listed(shown, listed.total, listed.total_exact, listed.next)


@dataclass(frozen=True, slots=True)
class Preview(FactFinder):
    """Finds out the facts of a time to come: takes no turn, tries no account, and takes no lock."""

    sent: list[tuple[MessageRow, datetime]] = field(default_factory=list)
    """What was found to go out, and when: it counts as well."""

    async def look(self, tx: AsyncConnection, row: MessageRow) -> Upcoming:
        """What becomes of a message."""
        rows = await progress.attempts_of(tx, row.id)
        if row.stage is not Stage.QUEUED:
            assert row.remind_at is not None, "its reminder is to come"
            until = row.valid_until
            row = replace(row, step=row.step + 1, stage=Stage.QUEUED, due_at=row.remind_at, expires_at=until)
            found = await self._outlook(tx, await steps.at(tx, row), rows, row.due_at)
            return replace(found, why=found.why or upcoming.REMINDER)
        not_by: list[tuple[Any, Why]] = []
        at = row.now
        while True:
            found = await self._outlook(tx, await steps.at(tx, row), rows, at)
            if found.outlook is not Outlook.DOES_NOT or found.why is None or found.at is None or not found.goes_on:
                return replace(found, instead_of=tuple(not_by))
            not_by.append((found.row.channel, found.why))
            at = found.at
            row = replace(row, step=row.step + 1, due_at=at, expires_at=row.valid_until)

    async def _outlook(
        self, tx: AsyncConnection, row: MessageRow, rows: Sequence[AttemptRow], at: datetime
    ) -> Upcoming:
        """Of one of its steps, from some time on."""
        why: Why | None = None
        for _ in range(_WAITS):
            then = replace(row, now=at)
            decided = await self.decide(tx, then, rows, next_parts(then, rows, progress.part_stages(then, rows)))
            match decided.decision:
                case policy.Send():
                    self.sent.append((row, at))
                    return Upcoming(row, Outlook.GOES_OUT, at, why)
                case policy.Refuse(code):
                    goes_on = upcoming.follows(row, at)
                    return Upcoming(row, Outlook.DOES_NOT, at, upcoming.refused(code), goes_on=goes_on)
                case policy.Wait(reason, until):
                    if until is None:
                        return Upcoming(row, Outlook.WAITS, None, upcoming.waits(reason))
                    if reason is Reason.QUIET_HOURS and decided.facts.quiet is not None:
                        why = Why(reason.value, sentence(facts_of(decided.facts.quiet, at, until)))
                    at = until
                case _:
                    return Upcoming(row, Outlook.WAITS, None, upcoming.UNKNOWN)
        return Upcoming(row, Outlook.WAITS, at, why)

    async def _capped(self, tx: AsyncConnection, row: MessageRow) -> bool:
        for cap in policy_settings.caps(row.scope_settings, row.category):
            since = row.now - cap.per
            to_come = sum(
                one.category is row.category and one.guest_id == row.guest_id and one.id != row.id and at > since
                for one, at in self.sent
            )
            if to_come + await caps.had(tx, row, self._known_by(row), since, cap.most) >= cap.most:
                return True
        return False

    async def _has_turn(self, tx: AsyncConnection, row: MessageRow, sender: SendingAccount) -> bool:
        return True

    async def _may_probe(self, tx: AsyncConnection, account_id: UUID) -> bool:
        return False
