"""Tables of months, for migrations: a table that is in use becomes the first part of one that is partitioned by the
UUIDv7 in one of its columns. No row is copied, and writers wait for one short transaction only.

Everything is safe to repeat: a migration that was cut off is begun again from its start. How months are made and
dropped later is in `months.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from alembic import op
from sqlalchemy import Row, text

from bellhop.store import months, online_indexes

_NEAR = 40
"""Days: what is in use is split at a month that is no nearer, since nothing later may be written until it is done."""

_KIND = text("select relkind::text from pg_class where oid = to_regclass(:table)")
_CHECKED = text(
    "select pg_get_constraintdef(oid) from pg_constraint where conname = :name and conrelid = to_regclass(:table)"
)
# Foreign keys last: they need what they refer to, and nothing else.
_CONSTRAINTS = text(
    """
    select conname as name, pg_get_constraintdef(oid) as definition, contype <> 'f' as indexed from pg_constraint
    where conrelid = to_regclass(:table) and contype in ('p', 'u', 'f') order by contype = 'f', conname
    """
)
_INDEXES = text(
    """
    select indexrelid::regclass::text as name, replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') as definition
    from pg_index where indrelid = to_regclass(:table)
      and not exists (select from pg_constraint where conindid = indexrelid and conrelid = indrelid)
    order by 1
    """
)
_REFERRED = text(
    "select distinct confrelid::regclass::text from pg_constraint where conrelid = to_regclass(:table)"
    " and contype = 'f' order by 1"
)
_TRIGGERS = text("select tgname from pg_trigger where tgrelid = to_regclass(:table) and not tgisinternal")
_GRANTED = text(
    """
    select format('grant %s on %s to %s', given.privilege_type, cast(:table as text),
      case given.grantee when 0 then 'public' else given.grantee::regrole::text end) as said
    from pg_class, aclexplode(relacl) given where pg_class.oid = to_regclass(:table) and given.grantee <> relowner
    """
)


def split(
    table: str, key: str, primary_key: Sequence[str], *, unique: str, old: Sequence[str], triggers: Sequence[str]
) -> None:
    """Make `table`, whose primary key is its id, the first part, `table_before`, of a table of its name that is
    partitioned by `key`.

    The new one has its indexes, unique and foreign keys, but another `primary_key`, which takes the place of the
    constraint `unique`; the indexes `old` stay with the first part alone. `triggers`: make the new one's."""
    connection = op.get_bind()
    if connection.execute(_KIND, {"table": table}).scalar_one() == "p":
        return
    new_key, of_id = f"pk_{table}_new", f"ix_{table}_id"
    online_indexes.build(new_key, f"on {table} ({', '.join(primary_key)})", unique=True)
    if not _empty(table):
        # Programs of the version before look rows up by their id alone until they are replaced.
        online_indexes.build(of_id, f"on {table} (id)", unique=True)
    month = connection.execute(months.MONTH, {"days": 0, "months": 0}).one()
    if not _empty(table):
        month = _checked(table, key)
    _locked(table)
    op.execute(f"alter table {table} drop constraint {unique}")
    op.execute(f"alter table {table} drop constraint pk_{table}")
    op.execute(f"alter table {table} add constraint pk_{table} primary key using index {new_key}")
    constraints, indexes, granted = (
        connection.execute(query, {"table": table}).all() for query in (_CONSTRAINTS, _INDEXES, _GRANTED)
    )
    for (trigger,) in connection.execute(_TRIGGERS, {"table": table}).all():
        op.execute(f"drop trigger {trigger} on {table}")
    before = f"{table}_before"
    op.execute(f"alter table {table} rename to {before}")
    for one in constraints:
        if one.indexed:
            op.execute(f"alter table {before} rename constraint {one.name} to {one.name}_before")
    for one in indexes:
        op.execute(f"alter index {one.name} rename to {one.name}_before")
    op.execute(
        f"create table {table} (like {before} including defaults including constraints) partition by range ({key})"
    )
    op.execute(f"alter table {table} drop constraint if exists {check(table)}")
    _complete(table, constraints, [one for one in indexes if one.name not in (of_id, *old)])
    # What it is to hold is proved by the constraint, and all its indexes are there: nothing is read, nothing built.
    op.execute(f"alter table {table} attach partition {before} for values from (minvalue) to ('{month.key}')")
    op.execute(f"alter table {before} drop constraint if exists {check(table)}")
    # What is of no month that there is goes here, so that no row is ever refused because nobody made its month.
    for statement in months.later(table):
        op.execute(statement)
    for statement in triggers:
        op.execute(statement)
    for (said,) in granted:
        op.execute(said)
    last = connection.execute(months.MONTH, {"days": 0, "months": months.AHEAD}).one()
    while month.key <= last.key:
        for statement in months.month(table, month.name, month.key, month.until):
            op.execute(statement)
        month = connection.execute(months.MONTH_AT, {"key": month.until}).one()


def _empty(table: str) -> bool:
    nothing = text(f"select not exists (select from {table})")
    return bool(op.get_bind().execute(nothing).scalar_one())


def _locked(table: str) -> None:
    """Lock what is to be split, and what that refers to.

    First so that nobody is kept waiting, until the server has called off an autovacuum for us. Whoever has locked some
    of them and waits for the others is not waited for long then: before the server ends one of the two, we give up."""
    op.execute("set local lock_timeout = '2s'")
    op.execute(f"lock table {table} in share update exclusive mode")
    op.execute("set local lock_timeout = '400ms'")
    op.execute(f"lock table {table} in access exclusive mode")
    for (referred,) in op.get_bind().execute(_REFERRED, {"table": table}).all():
        op.execute(f"lock table {referred} in share row exclusive mode")


def check(table: str) -> str:
    return f"ck_{table}_of_before"


def _checked(table: str, key: str) -> Row[Any]:
    """Have the server know that everything is of before a month, and keep nobody waiting while it looks. Returns that
    month."""
    connection, name = op.get_bind(), check(table)
    with op.get_context().autocommit_block():
        month = connection.execute(months.MONTH, {"days": _NEAR, "months": 1}).one()
        said = connection.execute(_CHECKED, {"name": name, "table": table}).scalar_one_or_none()
        connection.execute(text("set lock_timeout = '2s'"))
        if said is None or month.key not in said:
            connection.execute(text(f"alter table {table} drop constraint if exists {name}"))
            connection.execute(
                text(f"alter table {table} add constraint {name} check ({key} < '{month.key}') not valid")
            )
        connection.execute(text(f"alter table {table} validate constraint {name}"))
    online_indexes.said()(f"{table}: everything that is there is of before {month.name}")
    return month


def _complete(table: str, constraints: Sequence[Row[Any]], indexes: Sequence[Row[Any]]) -> None:
    for one in constraints:
        op.execute(f"alter table {table} add constraint {one.name} {one.definition}")
    for one in indexes:
        op.execute(one.definition)


def join(table: str) -> None:
    """The other way: one table, into which every row is copied, its primary key the id. Its triggers are the caller's
    to make."""
    connection, one_table = op.get_bind(), f"{table}_whole"
    op.execute(f"lock table {table} in access exclusive mode")
    constraints, indexes, granted = (
        connection.execute(query, {"table": table}).all() for query in (_CONSTRAINTS, _INDEXES, _GRANTED)
    )
    op.execute(f"create table {one_table} (like {table} including defaults including constraints)")
    op.execute(f"insert into {one_table} select * from {table}")
    op.execute(f"drop table {table}")
    op.execute(f"alter table {one_table} rename to {table}")
    _complete(table, constraints, indexes)
    op.execute(f"alter table {table} drop constraint pk_{table}")
    op.execute(f"alter table {table} add constraint pk_{table} primary key (id)")
    for (said,) in granted:
        op.execute(said)
