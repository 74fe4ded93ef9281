"""How guests are searched for, and their language tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.channels import AddressKind
from bellhop.domain.guests import LONGEST_NAME, BadLanguage, fold, language, name_of_sender, search_text


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("José", "jose"),
        ("MÜLLER", "muller"),
        ("Straße", "strasse"),
        ("Łukasz Ødegård", "lukasz odegard"),
        ("Þór  Æsir\t", "thor aesir"),
        ("İstanbul ılık", "istanbul ilik"),
        ("Ｆｕｌｌ", "full"),
        ("O’Brien", "o'brien"),
        ("O´Brien", "o'brien"),
        ("O`Brien", "o'brien"),
        ("ʻAkahi", "'akahi"),
        ("“Bob” «Rob» ″x″", '"bob" "rob" "x"'),
        ("Smith‑Jones – Ltd — −", "smith-jones - ltd - -"),
        ("Zero\u200bWidth So\u00adft \ufeffMark \u2066Way\u2069", "zerowidth soft mark way"),
        ("👨\u200d👩\ufe0f", "👨👩"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(min_size=1), st.text(min_size=1))
def test_each_name_is_found(first: str, last: str) -> None:
    assert fold(first) in search_text(first, last, None)
    assert fold(last) in search_text(first, last, None)


@pytest.mark.parametrize(("tag", "usual"), [("en", "en"), ("pt-br", "pt-BR"), ("ZH-hans-cn", "zh-Hans-CN")])
def test_languages(tag: str, usual: str) -> None:
    assert language(tag) == usual


@pytest.mark.parametrize("tag", ["", "english", "en_US", "xx", "e n", "en-", "ü", "a" * 99])
def test_no_languages(tag: str) -> None:
    with pytest.raises(BadLanguage, match="BCP 47"):
        language(tag)


@pytest.mark.parametrize(
    ("said", "first", "last"),
    [
        ("Jordan Mitchell", "Jordan", "Mitchell"),
        ("Ana María de la Cruz", "Ana María de la", "Cruz"),
        ("Mitchell, Jordan", "Jordan", "Mitchell"),
        ("Jordan", "Jordan", ""),
        ("李雷", "李雷", ""),
        ("Jo\u202e\x00\r\n  Mitchell\ud800", "Jo", "Mitchell"),
        ("می\u200cخواهم", "می\u200cخواهم", ""),
        (None, "Guest", "…1234"),
        (" \u200b ", "Guest", "…1234"),
        ("🌸", "Guest", "…1234"),
        ("+1 305 555 1234", "Guest", "…1234"),
        ("jordan@example.com", "Guest", "…1234"),
    ],
)
def test_what_a_sender_is_called(said: str | None, first: str, last: str) -> None:
    assert name_of_sender(said, AddressKind.PHONE, "+13055551234") == (first, last)


@given(st.text())
def test_whoever_it_is_has_a_name_of_bounded_size(said: str) -> None:
    first, last = name_of_sender(said * 100, AddressKind.EMAIL, "jordan@" + "x" * 300)
    assert first and len(first) <= LONGEST_NAME and len(last) <= LONGEST_NAME
    assert not any(ord(letter) < 32 for letter in first + last)
