"""Whatever column has something of a guest is in a section of the export, or left out for a reason that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlalchemy import Column, Table

from bellhop.store.guests.export import LEFT_OUT, SECTIONS
from bellhop.store.tables import Personal, PersonalJSON, metadata

NAMES = re.compile(
    r"(guest|message|contact_point|conversation|stay|subject|asset|workflow|intent|device|note)_id|resend_of"
    r"|.*(address|token|erased)_hash"
)
"""Columns that name a guest, what is a guest's, or an address."""
NOT_OF_GUESTS = {
    # Personal, of others: who works for a property, and what an installation calls its own.
    "api_keys", "properties", "senders", "sender_paces",
}  # fmt: skip


def of_a_guest(column: Column[object]) -> bool:
    refers = any(key.column.table.name in ("guests", "messages", "contact_points") for key in column.foreign_keys)
    personal = isinstance(column.type, Personal | PersonalJSON)
    return refers or personal or NAMES.fullmatch(column.name) is not None


def columns() -> Iterator[tuple[Table, Column[object]]]:
    for table in metadata.sorted_tables:
        if table.name not in NOT_OF_GUESTS:
            yield from ((table, column) for column in table.c)


def test_every_column_with_something_of_a_guest_is_in_a_section_or_left_out_for_a_reason() -> None:
    shown = {f"{section.table.name}.{column.name}" for section in SECTIONS for column in section.columns}
    missing = [
        f"{table.name}.{column.name}"
        for table, column in columns()
        if of_a_guest(column) and f"{table.name}.{column.name}" not in shown | set(LEFT_OUT)
    ]
    assert not missing, "a section of bellhop/store/guests/export.py, or a line of LEFT_OUT that says why not"
    assert not shown & set(LEFT_OUT)


def test_nothing_is_left_out_that_is_not_there() -> None:
    there = {f"{table.name}.{column.name}" for table in metadata.sorted_tables for column in table.c}
    assert set(LEFT_OUT) <= there
    assert all(len(reason) > 10 for reason in LEFT_OUT.values())


def test_sections_have_names_of_their_own_and_keys_to_go_on_from() -> None:
    names = [section.name for section in SECTIONS]
    assert len(set(names)) == len(names)
    assert all(section.table.c.id.primary_key for section in SECTIONS)


def test_no_secret_is_in_a_section() -> None:
    for section in SECTIONS:
        for column in section.columns:
            assert not re.search("token|secret|credential|_hash", column.name), f"{section.name}: {column.name}"
