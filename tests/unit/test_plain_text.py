"""The text of an HTML mail: what a reader would see, in bounded time and size whatever the HTML means to do."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.domain.channels import Channel
from bellhop.domain.content import HTML, MAX_CONTENT, PLAIN, body, plain, written
from bellhop.domain.plain_text import AT_MOST, of_html


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Hello,  Jo</h1><p>Your <b>suite</b>\n is ready.<br>Come", "Hello, Jo\n\nYour suite is ready.\nCome"),
        ("<ul><li>one<ul><li>deep</li></ul></li><li>two</ul>", "* one\n  * deep\n* two"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ("<table><tr><td>Check-in</td><td>15:00</td></tr><tr><td>Out<td>11</table>", "Check-in 15:00\nOut 11"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p>one</p><hr><p>two</p>", "one\n\n---\n\ntwo"),
        ("<head><title>no</title><style>p{}</style></head><script>evil('<p>no')</script>yes", "yes"),
        ("<!-- <p>no</p> -->yes", "yes"),
        ("<p title='a>b' data-x=\"1>2\">kept</p>", "kept"),
        ("a < b and b > c <3", "a < b and b > c <3"),
        ("<b>it's</b> <i>5'10\"</i>", "it's 5'10\""),
        ("&amp; a&nbsp;b &lt;p&gt;", "& a b <p>"),
        ("<p>un<closed", "un<closed"),
        ("<img src=x>", ""),
        ("<p>b<![x", "b<![x"),
    ],
)  # fmt: skip
def test_what_a_reader_sees(html: str, text: str) -> None:
    assert of_html(html) == text


HOSTILE = (
    "<", "<a ", "<!--", "</", "&", "&#", "<a b='", '<a b="x', "<![", "<!", "<?", "<p>", "<ul><li>", "<ol><li>x",
    "<div style='padding:9999em;margin:99999px'>x", "<table><tr><td>x", "<pre>\n", "<td width=9999999>x", "<a/", "<a =",
    "<a b=c ", "<script>x</scrip", "<textarea>", "<!DOCTYPE ", "--><!--", "<blockquote>x", "<hr>", "<br>", "<p>x</p>",
    "<ul><li>x", "<li>", "</ul>", "<style>", "<svg>", "</svg>", "<h1>x",
)  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("end", ["", ">", "'>", '">', "-->"])
def test_hostile_html_costs_no_more_than_its_length(piece: str, end: str) -> None:
    """4 kB of it once became 200 MB of text, by `style` and nested padding."""
    html = (piece * MAX_CONTENT)[: MAX_CONTENT - len(end)] + end
    began = time.process_time()
    text = of_html(html)
    assert time.process_time() - began < 0.5
    assert len(text) <= AT_MOST * len(html)


@settings(deadline=None)
@given(st.text(max_size=80) | st.lists(st.sampled_from(HOSTILE), max_size=30).map("".join))
def test_any_html_has_a_text(html: str) -> None:
    assert len(of_html(html)) <= AT_MOST * len(html)


def test_it_is_made_at_acceptance_and_stored() -> None:
    content = written(Channel.EMAIL, "<p>Hi</p>", "Hello")
    assert (content.content_type, content.plain) == (HTML, "Hi")
    stored = body([content.text], content.plain)
    assert stored == {"plain": "Hi"}
    assert plain(HTML, "<p>changed since</p>", stored) == "Hi"
    assert plain(HTML, "<p>of before</p>", None) == "of before"
    assert plain(PLAIN, "text", None) is None
    assert written(Channel.EMAIL, "Hi").plain is None
    assert body(["Hi"], None) is None
