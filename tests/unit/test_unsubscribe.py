"""The link in a marketing mail: its token, where it stands, and the page behind it."""

from __future__ import annotations

from uuid import UUID

import pytest

from api import unsubscribe_page
from bellhop.domain import templates, unsubscribe
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content, written
from bellhop.domain.unsubscribe import UnsubscribeTokens, with_link, words_in

KEY = UUID("0190a3b4-c5d6-7e8f-9a0b-1c2d3e4f5a6b")
TOKENS = UnsubscribeTokens("x" * 32)
URL = "https://hotel.example/u/token"
LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "ja")


def test_a_token_is_read_by_who_made_it_and_none_that_was_changed_is() -> None:
    token = TOKENS.make(KEY, 2)
    assert TOKENS.read(token) == (KEY, 2)
    assert UnsubscribeTokens("y" * 32).read(token) is None
    # The last letter has two bits that say nothing; a decoder that is strict refuses the others.
    others = [token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(token) - 1)]
    assert not any(map(TOKENS.read, [*others, "", token[:-1], token + "A", "é" * 43, "=" * 43, "x" * 100_000]))


@pytest.mark.parametrize("text", ["Stay! {{ unsubscribe_url }} Bye", "Stay! {{unsubscribe_url}} Bye"])
def test_a_text_says_itself_where_the_link_stands(text: str) -> None:
    assert with_link(Content(text=text), URL, "de").text == f"Stay! {URL} Bye"
    html = written(Channel.EMAIL, f"<p>{text}</p>")
    linked = with_link(html, URL, "de")
    assert (linked.text, linked.plain) == (f"<p>Stay! {URL} Bye</p>", f"Stay! {URL} Bye")


@pytest.mark.parametrize("language", LANGUAGES)
def test_else_it_is_at_the_end_in_the_guests_language(language: str) -> None:
    _, words = words_in(language)
    assert with_link(Content(text="Stay!"), URL, language).text == f"Stay!\n\n--\n{words.link}:\n{URL}\n"
    whole = written(Channel.EMAIL, "<html><body><p>Stay!</p></body></html>")
    linked = with_link(whole, URL, language)
    before, _, after = linked.text.partition("<p style")
    assert before == "<html><body><p>Stay!</p>" and after.endswith("</p></body></html>")
    assert f'<a href="{URL}" clicktracking="off">' in after
    assert linked.plain is not None and linked.plain.endswith(f"{words.link}:\n{URL}\n")
    assert with_link(written(Channel.EMAIL, "<p>Stay!</p>"), URL, language).text.startswith("<p>Stay!</p><p style")


def test_the_first_language_that_is_known() -> None:
    assert [words_in(*asked)[0] for asked in ([None, "pt-BR"], ["xx", "JA"], [], ["xx"])] == ["pt", "ja", "en", "en"]


def test_a_template_names_the_link_without_a_parameter() -> None:
    text = 'Hello {{ name }}, <a href="{{ unsubscribe_url }}">no more</a>'
    assert templates.parameters_of([text], html=True) == ["name"]
    made = templates.rendered(text, {"name": "<Ann>"}, html=True)
    assert made == f'Hello &lt;Ann&gt;, <a href="{unsubscribe.PLACE}">no more</a>'
    assert with_link(written(Channel.EMAIL, made), URL).text.endswith(f'<a href="{URL}">no more</a>')


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_names_the_property_and_lets_nothing_in(language: str) -> None:
    name = 'Hôtel "<script>" & {0}'
    for page in (unsubscribe_page.ask(name, language), unsubscribe_page.done(name, language)):
        html = bytes(page.body).decode()
        assert f'<html lang="{language}">' in html and "Hôtel &quot;&lt;script&gt;&quot; &amp; {0}" in html
        assert "<script" not in html and "script-src" not in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
    assert ('<form method="post">' in bytes(unsubscribe_page.ask(name, language).body).decode()) is True
    assert ('<form method="post">' in bytes(unsubscribe_page.done(name, language).body).decode()) is False
