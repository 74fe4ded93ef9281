"""Pages of lists in SQL: one row more than was asked for tells whether another page follows; counting ends early."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.paging import COUNTED, Listed, PageRequest, Place

RowT = TypeVar("RowT")

FIRST = UUID(int=0)
LAST = UUID(int=2**128 - 1)
"""Beyond every key: where a list of the newest begins."""


def before(asked: PageRequest) -> UUID:
    """The key below which the rows of a page are, newest first."""
    return asked.after.id if asked.after else LAST


def within(
    query: Select[Any], owner: ColumnElement[UUID], of: UUID, key: ColumnElement[UUID], below: UUID = LAST
) -> Select[Any]:
    """Rows of one owner with keys below that one, newest first.

    Said as one range of (owner, key), which only an index of the two serves. Of an owner that is equal and a key that
    is less, the planner takes the index of the keys alone when it expects to find enough soon, and reads past
    everybody else's rows.
    """
    both = tuple_(owner, key)
    return query.where(and_(both >= (of, FIRST), both < (of, below))).order_by(owner.desc(), key.desc())


def taken(query: Select[Any], asked: PageRequest) -> Select[Any]:
    """The rows of a page, and one more."""
    return query.limit(asked.limit + 1).offset(asked.offset)


async def count(tx: AsyncConnection, query: Select[Any]) -> int:
    """How many rows a query has, or one more than are counted."""
    some = query.with_only_columns(literal_column("1")).limit(COUNTED + 1).subquery()
    found: int = (await tx.execute(select(func.count()).select_from(some))).scalar_one()
    return found


async def page(
    rows: Sequence[RowT], asked: PageRequest, place: Callable[[RowT], Place], counted: Callable[[], Awaitable[int]]
) -> Listed[RowT]:
    """A page of what `taken` has found. `counted`: as `count` does; asked only where the page does not tell."""
    kept = list(rows[: asked.limit])
    more = len(rows) > asked.limit
    whole = asked.after is None and not more and (kept or not asked.offset)
    total = asked.offset + len(kept) if whole else await counted()
    return Listed(kept, min(total, COUNTED), total <= COUNTED, place(kept[-1]) if more else None)
