"""The kinds of columns that tables are made of, and the metadata they are gathered in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, DateTime, ForeignKey, MetaData, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Personal(TypeDecorator[str]):
    """Text about a person. Plain today; the one place where a key per guest would go."""

    impl = Text
    cache_ok = True


class PersonalJSON(TypeDecorator[Any]):
    """Structured data about a person, under the same rule as `Personal`."""

    impl = JSONB(none_as_null=True)
    cache_ok = True


class Secret(TypeDecorator[Any]):
    """Credentials: never rendered, never logged, read only by the rooms that sign or call."""

    impl = JSONB(none_as_null=True)
    cache_ok = True


def key_column() -> Column[Any]:
    return Column("id", Uuid, primary_key=True, server_default=text("uuidv7()"))


def time_column(name: str, *, now: bool = False, null: bool = True) -> Column[Any]:
    return Column(
        name, DateTime(timezone=True), nullable=null and not now, server_default=text("now()") if now else None
    )


def scope_column() -> Column[Any]:
    return Column("scope_id", Uuid, ForeignKey("scopes.id"), nullable=False)


def json_column(name: str, kind: type[TypeEngine[Any]] | TypeEngine[Any] | None = None) -> Column[Any]:
    return Column(name, kind or JSONB, nullable=False, server_default=text("'{}'::jsonb"))
