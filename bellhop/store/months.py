"""Tables that are partitioned by month, through the UUIDv7 in one of their columns: ids sort by time, so a month is a
range of them, and what is over goes with its month, at once and without a trace in the indexes.

Each table has `…_before`, everything older than its first month; a part for each month, `…_2027_03`; and `…_later`, of
no month that there is, where nothing should ever be. Months are made ahead; one that nobody made costs nothing but
that its rows are in `…_later`.
"""

from __future__ import annotations

from sqlalchemy import text

MONTHLY = {"deliveries": "event_id"}
"""Table → the column by which its rows are of a month: that of their event."""
AHEAD = 2
"""Months that there are beyond this one."""

_NAMED = """
    select to_char(month, 'YYYY_MM') as name, {key} as key, {until} as until from (select {month} as month) of_month
"""


def _key(moment: str) -> str:
    """SQL: the smallest UUIDv7 of a moment without a time zone, which is UTC's."""
    milliseconds = f"(extract(epoch from {moment}) * 1000)::bigint"
    return f"(lpad(to_hex({milliseconds}), 12, '0') || repeat('0', 20))::uuid::text"


def _named(month: str) -> str:
    return _NAMED.format(month=month, key=_key("month"), until=_key("month + interval '1 month'"))


MONTH = text(_named("date_trunc('month', now() at time zone 'utc' + make_interval(days => :days, months => :months))"))
"""The month so many days and months from now: its name, its first key, and the first of the next."""
MONTH_AT = text(
    _named("to_timestamp(('x' || left(replace(:key, '-', ''), 12))::bit(48)::bigint / 1000) at time zone 'utc'")
)
"""The same of the one that begins with a key."""


def later(table: str) -> tuple[str, ...]:
    """Statements that make its part for what is of no month."""
    return (
        f"create table {table}_later (like {table} including all)",
        f"alter table {table} attach partition {table}_later default",
    )


def month(table: str, name: str, key: str, until: str) -> tuple[str, ...]:
    """Statements that make a month of it. To attach a table locks the others but for a moment, and nobody who reads or
    writes what is not in `…_later`; to create it as a part would lock them all."""
    made = f"{table}_{name}"
    return (
        f"create table {made} (like {table} including all)",
        f"alter table {table} attach partition {made} for values from ('{key}') to ('{until}')",
    )
