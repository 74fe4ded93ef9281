"""Bodies read strictly, and the form of keys."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.json_bodies import DEEPEST, is_json, parse
from api.problems import BadRequest, Invalid
from api.schemas.keys import Right
from bellhop.domain import keys

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs", "Cc"])), inner),
    max_leaves=20,
)  # fmt: skip


@given(_JSON)
def test_what_can_be_kept_is_read_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value).encode()) == value
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize("unit", [b"[],", b"1,", b'{"a":1},', b'{"a":{}},', b"[[]],", b'"\\u0061",'])
def test_the_largest_body_costs_little_whatever_it_consists_of(unit: bytes) -> None:
    """A MiB of them blocked everybody for half a second."""
    raw = b"[" + unit * (1024 * 1024 // len(unit) - 1) + b"1]"
    began = time.process_time()
    with pytest.raises(Invalid, match=r"Invalid") as caught:
        parse(raw)
    assert time.process_time() - began < 0.1
    assert caught.value.code == "invalid"
    assert len(parse(b"[" + b"1," * 90_000 + b"1]")) == 90_001


@given(st.binary(max_size=200))
def test_anything_else_is_refused_and_never_breaks(raw: bytes) -> None:
    with suppress(BadRequest, Invalid):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "loc"),
    [
        ('{"a": ["x", "\\u0000"]}', ["body", "a", 1]),
        ('{"a": {"\\u0000": 1}}', ["body", "a"]),
        ('{"a": "\\ud800"}', ["body", "a"]),
        ('{"a": NaN}', ["body", "a"]),
        ('{"a": -Infinity}', ["body", "a"]),
        ('{"a": 1e999}', ["body", "a"]),
        ('{"a": 9223372036854775808}', ["body", "a"]),
        ('{"a": ' + "9" * 5000 + "}", ["body", "a"]),
    ],
)
def test_the_place_is_named(raw: str, loc: list[str | int]) -> None:
    with pytest.raises(Invalid) as caught:
        parse(raw.encode())
    assert isinstance(caught.value.detail, list)
    assert caught.value.detail[0]["loc"] == loc


def test_pairs_of_surrogates_are_letters() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_depth() -> None:
    assert parse(b"[" * DEEPEST + b"]" * DEEPEST)
    for depth in DEEPEST + 2, 900, 100_000:
        with pytest.raises(Invalid, match="Invalid"):
            parse(b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"\xef\xbb\xbf{}", b"[1,]", "{}".encode("utf-16")])
def test_no_json(raw: bytes) -> None:
    with pytest.raises(BadRequest):
        parse(raw)


def test_content_types() -> None:
    for kind in "application/json", "Application/JSON; charset=utf-8", "application/vnd.api+json":
        assert is_json(kind)
    assert not is_json(None)
    for kind in "", "text/plain", "text/json", "application/x-www-form-urlencoded":
        assert not is_json(kind)


def test_keys_have_a_form_and_a_checksum() -> None:
    for environment in ("test", "live"):
        made = keys.mint(environment, uuid4())
        assert made.raw.startswith(f"sk_{environment}_")
        assert keys.plausible(made.raw)
        assert made.hash == keys.digest(made.raw)
        assert made.raw not in repr(made)
        for place in range(8, len(made.raw)):
            mistyped = made.raw[:place] + ("a" if made.raw[place] != "a" else "b") + made.raw[place + 1 :]
            assert not keys.plausible(mistyped), place


def test_rights() -> None:
    assert keys.allows(["*"], "guests:read")
    assert keys.allows(["guests:read"], "guests:read")
    assert not keys.allows(["guests:write", "messaging:read"], "guests:read")
    assert set(Right.__args__) == set(keys.RIGHTS)  # type: ignore[attr-defined]
