"""Database rows as the dataclasses of `bellhop.domain.rows`: columns by name, enums where the class says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from enum import Enum
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_type_hints

from sqlalchemy import CursorResult, Result, Row

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RowT = TypeVar("RowT", bound="DataclassInstance")

Build = Callable[[Sequence[Any]], RowT]


class ColumnMismatch(TypeError):
    """The columns of a statement are not those of the class its rows are to be."""


def builder(kind: type[RowT], columns: Sequence[str]) -> Build[RowT]:
    """What makes a `kind` of one row's values, which come in the order of `columns`.

    Checked here, once: every field without a default has its column, every column its field. The names match, never the
    places. A field whose type is an enum (or an enum or None) gets its member.
    """
    known = fields(kind)
    missing = [each.name for each in known if each.name not in columns and _default(each) is MISSING]
    unknown = sorted(set(columns) - {each.name for each in known})
    if missing or unknown or len(set(columns)) != len(columns):
        raise ColumnMismatch(f"{kind.__name__}: missing {missing}, unknown {unknown}, of columns {list(columns)}")
    absent = tuple(_default(each) for each in known if each.name not in columns)
    place = {name: at for at, name in enumerate((*columns, *(e.name for e in known if e.name not in columns)))}
    order = [place[each.name] for each in known]
    enums = _enums(kind)
    if not enums and order == list(range(len(columns))):
        return lambda values: kind(*values)
    # One field alone would come from `itemgetter` without its tuple.
    arrange: Callable[[Any], Any] = itemgetter(*order) if len(order) > 1 else lambda values: values

    def build(values: Sequence[Any]) -> RowT:
        arranged = list(arrange((*values, *absent)))
        for at, member in enums:
            arranged[at] = member(arranged[at])
        return kind(*arranged)

    return build


def _default(field: Any) -> Any:
    """What a field is when its column is not read; MISSING where it has to be."""
    return field.default_factory() if field.default_factory is not MISSING else field.default


def _enums(kind: type[DataclassInstance]) -> list[tuple[int, Callable[[Any], Any]]]:
    """The places of the fields that are enums, and what turns a column's value into the member."""
    hints = get_type_hints(kind)
    found: list[tuple[int, Callable[[Any], Any]]] = []
    for at, field in enumerate(fields(kind)):
        hint = hints[field.name]
        for option in (hint, *get_args(hint)):
            if isinstance(option, type) and issubclass(option, Enum):
                members: dict[Any, Any] = {member.value: member for member in option}
                if type(None) in get_args(hint):
                    members[None] = None
                # A look into a dict costs a tenth of calling the class.
                found.append((at, members.__getitem__))
                break
    return found


@cache
def _builder(kind: type[Any], columns: tuple[str, ...]) -> Build[Any]:
    return builder(kind, columns)


def from_row(kind: type[RowT], row: Row[Any]) -> RowT:
    """One row of an ordinary SQLAlchemy result as a `kind`."""
    made: RowT = _builder(kind, row._fields)(row)
    return made


def from_result(kind: type[RowT], result: Result[Any] | CursorResult[Any]) -> list[RowT]:
    """Every row of an ordinary SQLAlchemy result as a `kind`."""
    build = _builder(kind, tuple(result.keys()))
    return [build(row) for row in result]


def first_of(kind: type[RowT], result: Result[Any] | CursorResult[Any]) -> RowT | None:
    """The first row as a `kind`; None when there is none."""
    row = result.first()
    return None if row is None else from_row(kind, row)
