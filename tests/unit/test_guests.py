"""How guests are searched for, and their language tags."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.guests import BadLanguage, fold, language, search_text


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
