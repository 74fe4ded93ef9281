"""Statements of the hot path: written with SQLAlchemy, compiled once, run on the driver's own connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

import psycopg
from psycopg.rows import tuple_row
from sqlalchemy import func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql.psycopg import PGDialectAsync_psycopg
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement, ColumnElement
from sqlalchemy.sql.functions import Function
from sqlalchemy.types import TypeEngine

from bellhop.store.held_connections import HeldConnection, as_sqlalchemy
from bellhop.store.rows import builder

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ResultT = TypeVar("ResultT")
ValueT = TypeVar("ValueT")
RowT = TypeVar("RowT", bound="DataclassInstance")

_PLACEHOLDER = re.compile(r"%\((\w+)\)s|%%")
_DIALECT: Any = PGDialectAsync_psycopg()  # type: ignore[no-untyped-call]
_NONE: ColumnElement[int] = literal_column("0")


def seconds(amount: float | ColumnElement[float]) -> Function[Any]:
    """An SQL interval of so many seconds."""
    return func.make_interval(_NONE, _NONE, _NONE, _NONE, _NONE, _NONE, amount)


def _result_processor(kind: TypeEngine[Any]) -> object:
    """What SQLAlchemy would make of a column's value after the driver; None: nothing."""
    if isinstance(kind, ARRAY) and not kind.as_tuple:
        # It copies the list.
        return _result_processor(kind.item_type)
    return kind.dialect_impl(_DIALECT).result_processor(_DIALECT, None)


class CompiledStatement(Generic[ResultT]):
    """A statement that is always the same: `await STATEMENT(tx, name=value, …)` runs it.

    SQLAlchemy builds, keys, compiles and wraps a statement anew at each call, which was four fifths of what the store's
    operations cost. Here that is done once, at import. Pool, transaction, column types and errors stay SQLAlchemy's, so
    both kinds of statement mix freely in one transaction. The driver prepares on the server what it meets again.

    `columns`: those of an insert or an update that are given as parameters, under their own names. Lists go to
    `any_(bindparam(…))`: an `in_` has another text for each length.
    `row`: the dataclass that each row becomes, its fields named as the columns. `value`: the type of the one column
    there is, where the rows are that and nothing more. Running it gives a list of them. With neither it gives how many
    rows were changed.
    """

    @overload
    def __init__(
        self: CompiledStatement[list[RowT]],
        statement: ClauseElement,
        columns: Sequence[str] | None = None,
        *,
        row: type[RowT],
    ) -> None: ...

    @overload
    def __init__(
        self: CompiledStatement[list[ValueT]],
        statement: ClauseElement,
        columns: Sequence[str] | None = None,
        *,
        value: type[ValueT],
    ) -> None: ...

    @overload
    def __init__(
        self: CompiledStatement[int], statement: ClauseElement, columns: Sequence[str] | None = None
    ) -> None: ...

    def __init__(
        self,
        statement: ClauseElement,
        columns: Sequence[str] | None = None,
        *,
        row: type[Any] | None = None,
        value: type[Any] | None = None,
    ) -> None:
        compiled = cast(SQLCompiler, statement.compile(dialect=_DIALECT, column_keys=columns))
        assert not compiled.post_compile_params, "its text is not the same at each call"
        self._order: list[str] = []
        self._text = _PLACEHOLDER.sub(self._numbered, compiled.string).encode()
        self._bind: dict[str, Callable[[Any], Any]] = {}
        for bound, name in compiled.bind_names.items():
            if (binds := bound.type.dialect_impl(_DIALECT).bind_processor(_DIALECT)) is not None:
                self._bind[name] = binds
        exported = getattr(statement, "exported_columns", ())
        read = {column.key: _result_processor(column.type) for column in exported}
        assert not any(read.values()), f"the driver does not read every column by itself: {read}"
        fixed = {name: bound.effective_value for bound, name in compiled.bind_names.items() if not bound.required}
        self._fixed = self._bound(fixed)
        self._row = row
        self._reads = row is not None or value is not None
        self._build: Callable[[Sequence[Any]], Any] | None = None
        if value is not None:
            self._build = itemgetter(0)
        elif row is not None and exported:
            # A text's columns are known when it is first run.
            self._build = builder(row, [column.key for column in exported])

    async def __call__(self, tx: AsyncConnection, **values: object) -> ResultT:
        prepare: bool | None = None
        if isinstance(tx, HeldConnection):
            # It begins and ends its transactions by itself, and lasts.
            driver: Any = tx.driver
            prepare = True
        else:
            if not tx.in_transaction():
                await tx.begin()
            driver = (await tx.get_raw_connection()).driver_connection
        cursor: Any = cursor_of(driver)(driver, row_factory=self._factory if self._reads else tuple_row)
        given = self._fixed | self._bound(values)
        try:
            await cursor.execute(self._text, [given[name] for name in self._order], prepare=prepare)
            result: ResultT = await cursor.fetchall() if self._reads else cursor.rowcount
        except BaseException as error:
            await tx.run_sync(as_sqlalchemy, error, self._text.decode())
            raise
        return result

    def _factory(self, cursor: Any) -> Any:
        """psycopg's row factory: what makes one row of a tuple of values."""
        if self._build is None:
            if self._row is None or not cursor.description:
                # It has only been described so far.
                return tuple_row(cursor)
            self._build = builder(self._row, [column.name for column in cursor.description])
        return self._build

    def _bound(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self._bind[name](value) if name in self._bind else value for name, value in values.items()}

    def _numbered(self, found: re.Match[str]) -> str:
        """The server's own name of a parameter: what has these the driver need not read at each call."""
        if found[1] is None:
            return "%"
        if found[1] not in self._order:
            self._order.append(found[1])
        return f"${self._order.index(found[1]) + 1}"


def cursor_of(driver: psycopg.AsyncConnection[Any]) -> type[psycopg.AsyncRawCursor[Any]]:
    """The kind of cursor that statements are run with there: `raw_cursor_factory` of a connection that is watched."""
    return getattr(driver, "raw_cursor_factory", psycopg.AsyncRawCursor)
