"""Long texts in parts, content types."""

from __future__ import annotations

import time

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.content import HTML, MAX_CONTENT, PLAIN, Content, body, parts, split, texts, written
from bellhop.domain.text import units, visible

LIMIT = 60
"""Short parts, so that random texts have several."""
PIECES = ("a", "word", " ", "  ", "\n", "\t", "é", "e\u0301", "👍🏽", "👨‍👩‍👧", "🇫🇷", "日本", "x" * LIMIT, " " * LIMIT)
# What API clients may send: no lone surrogates, some text in it.
long_texts = st.lists(st.sampled_from(PIECES), max_size=80).map("".join).filter(str.strip)


def bare(text: str) -> str:
    return "".join(text.split())


@given(long_texts)
@example(" " * 200 + "late")
@example("early" + " \n\t" * 100)
@example("x" * LIMIT + " " + "\t" * 5)
@example("👨‍👩‍👧" * 30)
@settings(max_examples=300)
def test_parts_give_back_the_text_within_the_limit(text: str) -> None:
    found = split(text, LIMIT)
    assert all(units(part) <= LIMIT for part in found)
    # A provider refuses a part of blanks, and with it the message.
    assert all(part.strip() for part in found)
    assert bare("".join(found)) == bare(text)


@given(long_texts)
@example("x" * (LIMIT - 1) + "e\u0301" * 30)
@example("x" * (LIMIT - 3) + "👨‍👩‍👧" * 10)
@example("x" * (LIMIT - 1) + "👍🏽" * 30)
@example("🇫🇷" * 40)
@example("x" + "🇫🇷" * 40)
@example("x" * 30 + " \u0301" + "y" * 40)
@example("x" * (LIMIT - 1) + "\r\n" + "y" * LIMIT)
@settings(max_examples=300)
def test_no_cut_is_inside_what_people_see_as_one_character(text: str) -> None:
    found = [one for part in split(text, LIMIT) for one in regex.findall(r"\X", part)]
    assert seen(found) == seen(regex.findall(r"\X", text))


def seen(graphemes: list[str]) -> list[str]:
    return [one for one in graphemes if not one.isspace()]


@given(st.text("e\u0301\u0302 x", min_size=1, max_size=80).filter(str.strip), st.integers(1, 5))
def test_a_character_longer_than_a_part_is_cut_and_nothing_lost(text: str, limit: int) -> None:
    found = split(text, limit)
    assert all(part.strip() and len(part) <= limit for part in found)
    assert bare("".join(found)) == bare(text)


@given(st.lists(st.text("abcdefghij", min_size=1, max_size=20), min_size=1, max_size=60))
def test_words_stay_whole_and_single_spaces_come_back(words: list[str]) -> None:
    text = " ".join(words)
    assert " ".join(split(text, LIMIT)) == text


def test_cuts_are_where_people_would_make_them() -> None:
    assert split("one two three", 8) == ["one two", "three"]
    assert split("one\ntwo three", 8) == ["one\ntwo", "three"]
    assert split("onetwothree", 4) == ["onet", "woth", "ree"]
    assert split("exactly8", 8) == ["exactly8"]
    assert split("exactly8 more", 8) == ["exactly8", "more"]


@given(st.text(max_size=200))
def test_one_part_is_the_text_untouched(text: str) -> None:
    assert parts(Channel.SMS, text) == [text]


def test_only_what_goes_through_twilio_is_cut() -> None:
    text = "word " * (MAX_CONTENT // 5)
    cut = {Channel.SMS, Channel.WHATSAPP}
    for channel in cut:
        assert len(parts(channel, text)) == 7
        assert all(units(part) <= (CHANNELS[channel].part or 0) for part in parts(channel, text))
    for channel in set(Channel) - cut:
        assert parts(channel, text) == [text]


@given(st.text(min_size=1, max_size=40), st.integers(1, 10))
def test_what_is_stored_of_the_parts_is_what_is_read(text: str, count: int) -> None:
    split_then = [text] * count
    stored = body(split_then)
    assert (stored is None) is (count == 1)
    if stored is not None:
        assert texts(Channel.SMS, text, stored) == split_then
    assert texts(Channel.SMS, text, None) == parts(Channel.SMS, text)


@given(st.text())
def test_no_text_is_too_odd_to_be_written(text: str) -> None:
    assert written(Channel.EMAIL, text).content_type in (HTML, PLAIN)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<p>Hello</p>", "text/html"),
        ("<!DOCTYPE html><html><body>x</body></html>", "text/html"),
        ("one<br>two", "text/html"),
        ("one<BR/>two", "text/html"),
        ('see <a href="https://example.com">this</a>', "text/html"),
        ('<img src="a.png" alt="x">', "text/html"),
        ("Tea for < 5 and > 3", "text/plain"),
        ("I <3 this hotel", "text/plain"),
        ("<jordan@example.com>", "text/plain"),
        ("<pending> <broken", "text/plain"),
        ("", "text/plain"),
        # Every element there is, in whatever case and on however many lines.
        ("<details open><summary>More</summary>x</details>", "text/html"),
        ("<article>x", "text/html"),
        ("<h1\n class='big'>x", "text/html"),
        ("<p>Hello", "text/html"),
        ("<BIG>x</BIG>", "text/html"),
        ('<a title="1 > 0" href=x>y', "text/html"),
        ("<input disabled>", "text/html"),
        ("<b>bold</b>", "text/html"),
        ("<i class=x>", "text/html"),
        ("<!doctype HTML>", "text/html"),
        # Sums, letters, placeholders and markup of others.
        ("a<b and b>c", "text/plain"),
        ("a<b>c", "text/plain"),
        ("5<s and s>3", "text/plain"),
        ("x <i, y >u", "text/plain"),
        ("x<p and p>y", "text/plain"),
        ("<div and conquer>", "text/plain"),
        ("</3", "text/plain"),
        ("<https://example.com/p>", "text/plain"),
        ("<name>, your room is <room>", "text/plain"),
        ("List<String>", "text/plain"),
        ("<br", "text/plain"),
        ("< br>", "text/plain"),
        ("<!-- no more than a remark -->", "text/plain"),
    ],
)
def test_what_counts_as_html(content: str, expected: str) -> None:
    assert written(Channel.EMAIL, content, "Your stay") == Content(
        text=content, content_type=expected, subject="Your stay"
    )
    assert written(Channel.SMS, content) == Content(text=content)


def test_what_the_caller_says_it_is_counts() -> None:
    assert written(Channel.EMAIL, "<b>5</b>", None, PLAIN).content_type == PLAIN
    assert written(Channel.EMAIL, "no tag", None, HTML).content_type == HTML


@pytest.mark.parametrize("content", ["<b " * 3000, '<b a="' * 2000, "<" * 9000, "<b" + " " * 9000, "<b a" * 2500])
def test_the_guess_takes_no_time(content: str) -> None:
    began = time.perf_counter()
    written(Channel.EMAIL, content)
    assert time.perf_counter() - began < 0.5


def test_an_sms_is_cut_by_what_twilio_counts() -> None:
    emoji = "👍" * 801
    assert [units(part) for part in parts(Channel.SMS, emoji)] == [1600, 2]
    assert parts(Channel.SMS, "👍" * 800) == ["👍" * 800]
    # One character of many code points, longer than a part: no emoji is cut in two.
    assert "".join(split("a" + "\u200d👍" * 9, 4)) == "a" + "\u200d👍" * 9


BLANKS = [
    "",
    " ",
    "\u00a0",
    "\u200b",
    "\u2060\ufeff",
    "\u3164",
    "\uffa0",
    "\u2800",
    "\ufe0f",
    "\u00ad",
    "\t\n",
    "\U000e0020",
]


@pytest.mark.parametrize("text", BLANKS, ids=ascii)
def test_what_nobody_can_see_is_blank(text: str) -> None:
    assert not visible(text)
    assert visible(text + "." + text)


@pytest.mark.parametrize("text", ["x", "👍🏽", "é", "日", "\u0301", ".", "\ue000"], ids=ascii)
def test_what_somebody_can_see_is_not(text: str) -> None:
    assert visible(text)


def test_no_part_is_blank_to_the_eye() -> None:
    assert split("word" + "\u2060" * 20, 8) == ["word" + "\u2060" * 4]
