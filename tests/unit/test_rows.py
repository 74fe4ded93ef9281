"""Database rows become dataclasses by the names of their columns, checked once."""

from __future__ import annotations

from dataclasses import dataclass, fields

import pytest

from bellhop.domain.rows.access import KeyRow, PropertyRow
from bellhop.domain.rows.delivery import AccountRow, AttemptRow
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.messages import MessageRow, PublicMessage
from bellhop.domain.rows.webhooks import DeliveryRow, EndpointRow
from bellhop.domain.statuses import Stage
from bellhop.store import tables
from bellhop.store.rows import ColumnMismatch, builder


@dataclass
class Known:
    id: int
    stage: Stage
    before: Stage | None
    note: str = "none"


def test_columns_are_matched_by_name_and_enums_are_members() -> None:
    build = builder(Known, ["before", "id", "stage"])
    made = build((None, 7, "sent"))
    assert made == Known(7, Stage.SENT, None)
    assert made.stage is Stage.SENT
    assert builder(Known, ["id", "stage", "before", "note"])((1, "sent", "read", "x")) == Known(
        1, Stage.SENT, Stage.READ, "x"
    )


def test_a_word_that_is_no_member_is_an_error() -> None:
    with pytest.raises(KeyError):
        builder(Known, ["id", "stage", "before"])((1, "nonsense", None))


@pytest.mark.parametrize(
    "columns", [["id", "stage"], ["id", "stage", "before", "more"], ["id", "id", "stage", "before"]]
)
def test_other_columns_are_refused(columns: list[str]) -> None:
    with pytest.raises(ColumnMismatch):
        builder(Known, columns)


@pytest.mark.parametrize(
    ("kind", "table", "beside", "unread"),
    [
        (MessageRow, "messages", {"property_id", "environment", "scope_settings", "paused_at", "now"}, set()),
        (AttemptRow, "attempts", set(), set()),
        (AccountRow, "provider_accounts", set(), set()),
        (GuestRow, "guests", {"property_id"}, {"email_key", "search_text"}),
        (
            EndpointRow,
            "endpoints",
            {"property_id"},
            {
                "channels",
                "previous_secret",
                "previous_until",
                "failing_since",
                "draining_until",
                "rests_until",
                "deleted_at",
            },
        ),
        (DeliveryRow, "deliveries", {"event_type"}, set()),
        (KeyRow, "api_keys", {"property_id", "environment"}, {"scope_ids", "secret_hash"}),
        (PropertyRow, "properties", {"paused_at"}, set()),
    ],
)
def test_a_row_has_the_columns_of_its_table(kind: type, table: str, beside: set[str], unread: set[str]) -> None:
    columns = {column.name for column in tables.metadata.tables[table].columns}
    assert {field.name for field in fields(kind)} == columns - unread | beside


def test_a_row_shows_nothing_personal_or_secret() -> None:
    for kind, table in (
        (PublicMessage, "messages"),
        (MessageRow, "messages"),
        (AttemptRow, "attempts"),
        (AccountRow, "provider_accounts"),
        (GuestRow, "guests"),
        (EndpointRow, "endpoints"),
    ):
        kinds = tables.metadata.tables[table].columns
        for field in fields(kind):
            if field.name in kinds and isinstance(
                kinds[field.name].type, tables.Personal | tables.PersonalJSON | tables.Secret
            ):
                assert not field.repr, field.name
