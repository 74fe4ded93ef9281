"""docs/dialects.md is what the dialects say of themselves: every field, with a test that there is."""

from __future__ import annotations

import re
from pathlib import Path

from api.dialects import DIALECTS
from api.dialects.sendblue import SENDBLUE, schemas
from api.dialects_page import page

ROOT = Path(__file__).parents[2]


def test_the_page_is_up_to_date() -> None:
    again = "run: python -m api.dialects_page > docs/dialects.md"
    assert (ROOT / "docs" / "dialects.md").read_text(encoding="utf-8") == page(), again


def test_every_dialect_is_described_and_every_test_is_there() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_dialect_*.py"))
    known = set(re.findall(r"^async def (test_\w+)", tests, re.MULTILINE))
    for dialect in DIALECTS:
        assert dialect.description is not None, dialect.name
        for described in dialect.description.objects:
            names = [field.name for field in described.fields]
            assert len(names) == len(set(names)), described.name
            assert {field.test for field in described.fields} <= known, described.name


def test_sendblue_is_described_to_the_letter() -> None:
    assert SENDBLUE.description is not None
    said = {one.name: {field.name for field in one.fields} for one in SENDBLUE.description.objects}
    counts = {name: len(fields) for name, fields in said.items() if name.startswith("Message")}
    # As many as the description has: 12, 13, 25 and the pages with their status, 25 and a status.
    assert counts == {
        "MessageContent": 12, "MessageResponse": 13, "MessageListResponse": 30, "MessageRetrieveResponse": 26,
    }  # fmt: skip
    for call, schema in (
        ("POST /api/send-message", schemas.SendMessage),
        ("POST /api/send-group-message", schemas.SendGroupMessage),
        ("GET /api/v2/messages", schemas.ListMessages),
        ("GET /api/status", schemas.StatusOf),
        ("POST /api/v2/contacts/opt-out", schemas.OptOut),
        ("POST /api/send-typing-indicator", schemas.Typing),
    ):
        assert said[call] == set(schema.model_fields), call
