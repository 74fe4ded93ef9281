"""Public ids: one text per row, junk is nobody's, text order is time order."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.ids import Prefix, endpoint_workflow, message_workflow, parse, render

KEY = UUID("0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b")
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"

prefixes = st.sampled_from(Prefix)
keys = st.uuids()


@given(prefixes, keys)
def test_round_trip(prefix: Prefix, key: UUID) -> None:
    text = render(prefix, key)
    assert len(text) == len(prefix.value) + 27
    assert text.startswith(prefix.value + "_")
    assert set(text[-26:]) <= set(ALPHABET)
    assert parse(prefix, text) == key


@given(prefixes, keys, prefixes)
def test_an_id_of_another_kind_is_nobodys(prefix: Prefix, key: UUID, other: Prefix) -> None:
    assert (parse(other, render(prefix, key)) == key) is (other is prefix)


@given(keys, keys)
def test_text_order_is_key_order(one: UUID, other: UUID) -> None:
    assert (render(Prefix.EVENT, one) < render(Prefix.EVENT, other)) is (one < other)


@given(st.text(alphabet=ALPHABET + "ilouABC_-\0 ", min_size=20, max_size=30))
def test_no_two_texts_name_one_row(suffix: str) -> None:
    text = f"omsg_{suffix}"
    key = parse(Prefix.MESSAGE, text)
    assert key is None or render(Prefix.MESSAGE, key) == text


@given(st.text())
def test_junk_is_nobodys(text: str) -> None:
    assert parse(Prefix.MESSAGE, text) is None
    assert parse(Prefix.MESSAGE, f"omsg_{text}") is None or len(text) == 26


GOOD = render(Prefix.MESSAGE, KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "omsg_",
        GOOD[:-1],
        GOOD + "0",
        GOOD.upper(),
        GOOD.replace("omsg", "OMSG"),
        "omsg_" + "8" + GOOD[6:],  # above 128 bits
        "omsg_" + "z" * 26,
        "omsg_" + GOOD[5:-1] + "l",  # i, l, o, u stand for no digit
        "omsg_" + GOOD[5:-1] + "\u0660",  # a digit, in Arabic
        " " + GOOD,
        GOOD + "\n",
        str(KEY),
        "omsg_" + str(KEY),
        "omsg__" + GOOD[6:],
    ],
)
def test_nearly_an_id_is_none(text: str) -> None:
    assert parse(Prefix.MESSAGE, text) is None


def test_a_workflow_is_called_like_what_it_is_about() -> None:
    assert message_workflow(KEY) == GOOD
    assert parse(Prefix.ENDPOINT, endpoint_workflow(KEY)) == KEY


def test_prefixes_are_each_others_beginnings_in_no_case() -> None:
    assert not [(one, two) for one in Prefix for two in Prefix if one is not two and two.startswith(one)]
