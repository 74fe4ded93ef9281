"""What is new in a mail: those of our own making (`tests/quoted_mails`), and any text at all."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.domain import plain_text, quoted_replies
from tests.quoted_replies import mails, table

_LINES = st.sampled_from(
    ["On Mon, Nov 2, 2026 at 9:14 AM Sol <a@b.example> wrote:", "> quoted", "From: a@b.example", "Sent: 2026", "To: x",
     "Subject: y", "-----Original Message-----", "-- ", "", "Sent from my iPhone", "Le 2 nov. 2026 à 09:14, Sol a",
     "écrit :", "________", "2026年11月2日 9:14 Sol <a@b.example>:", "Danke"]
)  # fmt: skip
_TEXTS = st.one_of(st.text(max_size=2_000), st.lists(st.one_of(_LINES, st.text(max_size=80))).map("\n".join))
_HTML = st.lists(
    st.one_of(
        st.sampled_from(
            ['<div class="gmail_quote">', "<div>", "</div>", '<blockquote type="cite">', "</blockquote>", "<br>",
             "<pre>", "<p>", "<!--", "<", '<table class="yahoo_quoted"', "<script>", "&lt;"]
        ),
        st.text(max_size=40),
    )
).map("".join)  # fmt: skip


def test_mails_of_seven_languages_are_read_right() -> None:
    known = list(mails())
    assert len(known) >= 60
    assert {one.language for one in known} == {"en", "es", "fr", "de", "it", "pt", "ja"}
    assert sum(one.right for one in known) >= 0.95 * len(known), "\n".join(table())


@given(_TEXTS)
@settings(max_examples=60, deadline=None)
def test_new_words_are_lines_of_the_mail_in_their_order(text: str) -> None:
    lines = iter(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    found = quoted_replies.new_words(text)
    assert len(found) <= len(text)
    assert all(any(line == one for one in lines) for line in found.split("\n") if found)
    assert not any(line.lstrip().startswith((">", "＞")) for line in found.split("\n"))


@given(_HTML)
@settings(max_examples=60, deadline=None)
def test_any_html_is_read_and_the_text_is_no_longer_than_it_may_be(html: str) -> None:
    text = quoted_replies.text_of(html)
    assert len(text) <= plain_text.AT_MOST * len(html)
    plain = plain_text.of_html(html)
    if len(plain) < len(html) and len(text) < len(html):
        # Marks are all that is added.
        bare = [line.removeprefix("> ") for line in text.split("\n")]
        assert "".join("".join(bare).split()) == "".join(plain.split())


@pytest.mark.parametrize(
    "part",
    [
        "On Mon, Nov 2, 2026 at 9:14 AM Sol <a@b.example> wrote\n",
        "On Mon, Nov 2, 2026 at 9:14 AM Sol <a@b.example> wrote:\n\n",
        "From: a\n",
        "From: a\nSent: b\n",
        "> \n",
        "-- \n",
        "\n",
        "a" * 50,
        '<div class="gmail_quote">',
        "@",
    ],
)
def test_costly_mails_cost_little(part: str) -> None:
    text = part * (quoted_replies.LONGEST // len(part))
    began = time.process_time()
    quoted_replies.new_words(quoted_replies.text_of(text))
    quoted_replies.new_words(text)
    assert time.process_time() - began < 2.0
