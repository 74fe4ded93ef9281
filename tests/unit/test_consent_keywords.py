"""STOP and START: the whole text counts, however it is written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.consent_keywords import START_WORDS, STOP_WORDS, consent_keyword
from bellhop.domain.delivery_ports import Effect


@pytest.mark.parametrize("word", sorted(STOP_WORDS))
def test_stop_words(word: str) -> None:
    assert consent_keyword(word) is Effect.OPT_OUT
    assert consent_keyword(f' "{word.upper()}!" \r\n') is Effect.OPT_OUT
    assert consent_keyword(unicodedata.normalize("NFD", word)) is Effect.OPT_OUT


@pytest.mark.parametrize("word", sorted(START_WORDS))
def test_start_words(word: str) -> None:
    assert consent_keyword(word) is Effect.OPT_IN
    assert consent_keyword(f"*{word.capitalize()}*. ") is Effect.OPT_IN


@pytest.mark.parametrize(
    "text",
    ["", "   ", "stop it", "please stop", "cancel my dinner", "stopp", "yes please", "when does it end", "st op"],
)
def test_a_sentence_is_no_keyword(text: str) -> None:
    assert consent_keyword(text) is None


@given(st.text())
def test_no_text_is_too_odd_to_be_asked_about(text: str) -> None:
    assert consent_keyword(text) in (Effect.OPT_IN, Effect.OPT_OUT, None)


def test_stop_and_start_exclude_each_other() -> None:
    assert not STOP_WORDS & START_WORDS
    assert {word.casefold() for word in STOP_WORDS | START_WORDS} == STOP_WORDS | START_WORDS
