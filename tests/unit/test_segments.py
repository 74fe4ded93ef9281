"""What a text message is billed as."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.segments import Encoding, Segments, of_text, of_texts, warnings
from bellhop.sandbox import segments as vendor


@pytest.mark.parametrize(
    ("text", "count", "encoding"),
    [
        ("", 1, "GSM-7"),
        ("a" * 160, 1, "GSM-7"),
        ("a" * 161, 2, "GSM-7"),
        ("a" * 306, 2, "GSM-7"),
        ("a" * 307, 3, "GSM-7"),
        ("€" * 80, 1, "GSM-7"),
        ("€" * 81, 2, "GSM-7"),
        ("a" * 152 + "€" * 5, 2, "GSM-7"),
        ("’" * 70, 1, "UCS-2"),
        ("’" * 71, 2, "UCS-2"),
        ("😀" * 35, 1, "UCS-2"),
        ("😀" * 36, 2, "UCS-2"),
    ],
)
def test_segments(text: str, count: int, encoding: str) -> None:
    assert of_text(text) == Segments(count, Encoding(encoding))


@given(st.text(max_size=400))
def test_the_vendor_counts_the_same(text: str) -> None:
    assert of_text(text).count == vendor.count(text)


def test_parts_are_counted_together() -> None:
    assert of_texts(["a" * 161, "’"]) == Segments(3, Encoding.UCS_2)


def test_a_long_text_is_warned_of() -> None:
    short, long = "a" * 140, "a" * 141
    assert warnings(short, of_text(short)) == []
    (warning,) = warnings(long, of_text(long))
    assert warning["code"] == "long_text" and "141 characters" in warning["message"]
