"""What a guest is answered who says STOP, START or HELP: in which words, and how often at most."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bellhop.domain.consent_keywords import Keyword, keyword
from bellhop.domain.keyword_answers import DAY, LONGEST, MOST_A_DAY, PLACE, TEXTS, Given, checked, may_answer, text_of

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
HOUSE = "Grand Sunset"


@pytest.mark.parametrize("said", Keyword)
def test_every_text_names_the_property_and_none_is_itself_a_keyword(said: Keyword) -> None:
    assert {"en", "es", "fr", "de", "it", "pt", "ja"} <= set(TEXTS[said])
    for text in TEXTS[said].values():
        assert text.count(PLACE) == 1 and len(text) <= LONGEST
        assert keyword(text) is None, "two of us do not answer each other"


@pytest.mark.parametrize(
    ("own", "languages", "starts"),
    [
        (None, ["de-AT", None], "Grand Sunset: Sie sind"),
        (None, [None, "fr"], "Grand Sunset : vous"),
        (None, ["tlh", "ja"], "Grand Sunset：配信"),
        (None, ["tlh", None], "Grand Sunset: you"),
        ({"stop": {"de": "Ende bei {property}."}}, ["de"], "Ende bei Grand Sunset."),
        ({"stop": {"de": "Ende.", "de-at": "Aus is."}}, ["de-AT"], "Aus is."),
        ({"stop": {"gsw": "Fertig."}}, ["gsw"], "Fertig."),
        ({"stop": {"en": "Done."}}, ["es"], "Grand Sunset: se ha dado"),
        ({"help": {"en": "Call us."}}, ["en"], "Grand Sunset: you"),
    ],
)
def test_the_text_is_the_propertys_in_the_guests_language(own: Any, languages: list[str | None], starts: str) -> None:
    assert (text_of(Keyword.STOP, own, languages, HOUSE) or "").startswith(starts)


def test_a_property_may_want_none() -> None:
    assert text_of(Keyword.STOP, False, ["en"], HOUSE) is None
    assert text_of(Keyword.STOP, {"stop": False}, ["en"], HOUSE) is None
    assert text_of(Keyword.HELP, {"stop": False}, ["en"], HOUSE) is not None


@pytest.mark.parametrize(
    "own",
    [True, [], "no", {"halt": False}, {"stop": True}, {"stop": {"en": ""}}, {"stop": {"en": " "}}, {"stop": {"": "x"}},
     {"stop": {"en": "x" * (LONGEST + 1)}}, {"stop": {"en": "a\0"}}, {"stop": {"en": 1}}, {"stop": {"e;n": "x"}}],
)  # fmt: skip
def test_a_setting_that_is_none_is_refused(own: Any) -> None:
    with pytest.raises(ValueError):
        checked(own)


def test_a_setting_is_kept_with_languages_in_one_spelling() -> None:
    assert checked({"stop": {"de-AT": " Aus. "}, "start": False}) == {"stop": {"de-at": "Aus."}, "start": False}
    assert checked(False) is False


def given(*said: tuple[str, float]) -> list[Given]:
    """Answers so many hours ago, the newest first."""
    return [Given(Keyword(word), NOW - timedelta(hours=hours)) for word, hours in said]


@pytest.mark.parametrize(
    ("said", "before", "answered"),
    [
        ("stop", [], True),
        ("stop", [("stop", 1)], False),
        ("stop", [("stop", 25)], True),
        ("stop", [("start", 1), ("stop", 2)], True),
        ("stop", [("help", 1), ("stop", 2)], False),
        ("help", [("help", 0.5)], False),
        ("help", [("help", 2), ("stop", 3)], True),
        ("help", [("stop", 0.1)], True),
        ("start", [("stop", 0.1)] * MOST_A_DAY, False),
        ("start", [("stop", 0.1)] * (MOST_A_DAY - 1), True),
    ],
)
def test_the_same_said_again_is_not_answered_again_nor_is_anybody_on_and_on(
    said: str, before: list[tuple[str, float]], answered: bool
) -> None:
    assert may_answer(Keyword(said), given(*before), NOW) is answered


def test_two_machines_stop_after_a_few_answers() -> None:
    answers: list[Given] = []
    for minute in range(24 * 60):
        now, said = NOW + timedelta(minutes=minute), (Keyword.STOP, Keyword.START, Keyword.HELP)[minute % 3]
        if may_answer(said, answers, now):
            answers.insert(0, Given(said, now))
    assert len(answers) == MOST_A_DAY
    assert answers[-1].created_at > NOW - DAY
