"""Requests counted per minute, of a key and of all keys of a scope together, shared by every API process, which take
them in blocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

WINDOW_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Lease:
    """`granted` requests may be answered before the minute ends, `left` seconds from now."""

    granted: int
    used: int
    left: float


# The block shrinks towards the limit: what one process holds unused is little when it is scarce.
_LEASE = text(
    f"""
    with last_use as (
      update api_keys set last_used_at = now()
      where id = :key and (last_used_at is null or last_used_at < now() - interval '1 minute')
    ), moment as (
      select floor(extract(epoch from clock_timestamp()) / {WINDOW_SECONDS})::bigint as minute,
             {WINDOW_SECONDS} - mod(extract(epoch from clock_timestamp()), {WINDOW_SECONDS}) as seconds_left
    )
    insert into rate_windows as counted (key_id, window_start, used)
    select :key, minute, least(:block, :limit) from moment
    on conflict (key_id) do update set
      used = case
        when counted.window_start <> excluded.window_start then excluded.used
        else counted.used + greatest(0, least(:block, (:limit - counted.used + 9) / 10)) end,
      window_start = excluded.window_start
    returning used, old.window_start as old_start, old.used as old_used, window_start,
      (select seconds_left from moment) as seconds_left
    """
)


async def lease(tx: AsyncConnection, counted: UUID, limit: int, block: int) -> Lease:
    """Take up to `block` of the `limit` requests of this minute; `granted` is 0 when they are used up. `counted`: the
    key or the scope that makes them."""
    row = (await tx.execute(_LEASE, {"key": counted, "limit": limit, "block": block})).one()
    before = row.old_used if row.old_start == row.window_start else 0
    return Lease(granted=row.used - before, used=row.used, left=max(0.05, float(row.seconds_left)))


_TAKE = text(
    f"""
    with moment as (
      select floor(extract(epoch from clock_timestamp()) / {WINDOW_SECONDS})::bigint as minute,
             {WINDOW_SECONDS} - mod(extract(epoch from clock_timestamp()), {WINDOW_SECONDS}) as seconds_left
    )
    insert into rate_windows as counted (key_id, window_start, used)
    select :key, minute, :amount from moment where :amount <= :limit
    on conflict (key_id) do update set
      used = case when counted.window_start <> excluded.window_start then 0 else counted.used end + excluded.used,
      window_start = excluded.window_start
      where counted.window_start <> excluded.window_start or counted.used + excluded.used <= :limit
    returning used, (select seconds_left from moment) as seconds_left
    """
)


async def take_all(tx: AsyncConnection, wanted: Mapping[UUID, tuple[int, int]]) -> dict[UUID, Lease] | None:
    """Take exactly so many requests of each, in this order: `wanted` has the limit and the amount. None: one of them
    has not so many left, and nothing was taken of any."""
    taken: dict[UUID, Lease] = {}
    async with tx.begin_nested() as all_or_none:
        for counted, (limit, amount) in wanted.items():
            row = (await tx.execute(_TAKE, {"key": counted, "limit": limit, "amount": amount})).first()
            if row is None:
                await all_or_none.rollback()
                return None
            taken[counted] = Lease(granted=amount, used=row.used, left=max(0.05, float(row.seconds_left)))
    return taken
