"""Links in what messages say: which are found, what is put in their place, and that nothing else changes."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.short_link_page import Page, page
from bellhop.domain import links, short_links
from bellhop.domain.approved_templates import LONGEST_VALUE, ApprovedText
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content, written
from bellhop.domain.link_visitors import is_machine
from bellhop.domain.policy_settings import BadSetting
from bellhop.domain.scopes import LinkSettings, Scope

BASE = "https://go.hotel.example/s/"


def found(text: str, *, html: bool = False) -> list[str]:
    seen: list[str] = []
    change = links.in_html if html else links.in_text
    assert change(text, lambda link: seen.append(link)) == text, "what is not changed stays as it is"
    return seen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Check in: https://hotel.example/in?b=1&c=2#top.", ["https://hotel.example/in?b=1&c=2#top"]),
        ("(see https://hotel.example/a_(b)), please", ["https://hotel.example/a_(b)"]),
        ("HTTP://Hotel.Example!!!", ["HTTP://Hotel.Example"]),
        (
            "*https://hotel.example/spa*, https://hotel.example/a?",
            ["https://hotel.example/spa", "https://hotel.example/a"],
        ),
        ('"https://hotel.example/q" <https://hotel.example/r>', ["https://hotel.example/q", "https://hotel.example/r"]),
        ("“https://hotel.example/q”…https://hotel.example/😀", ["https://hotel.example/q", "https://hotel.example/"]),
        ("请点击https://hotel.example/in。谢谢", ["https://hotel.example/in"]),
        ("https://müller.example/Zürich", ["https://müller.example/Zürich"]),
        ("http://localhost:8000/x http://[2001:db8::1]/y", ["http://localhost:8000/x", "http://[2001:db8::1]/y"]),
        # In doubt it is left as it is.
        ("https://hotel.example/in查看", []),
        ("https://hotel.example/{room}/x and https://hotel.example\\n", []),
        ("x@https://hotel.example and https://ann@hotel.example and https://ann:pw@hotel.example", []),
        ("mailto:a@hotel.example?body=https://hotel.example/", []),
        ("www.hotel.example hotel.example ftp://hotel.example/https://hotel.example", []),
        ("javascript:alert(1) https:// https://. https://? https://:80 https://a:99999/ https://%20/", []),
        ("https://" + "a" * links.LONGEST, []),
    ],
)
def test_what_is_a_link(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<a href="https://hotel.example/?a=1&amp;b=2">https://shown.example</a>', ["https://hotel.example/?a=1&b=2"]),
        ("<A class=x HREF = 'https://hotel.example/x' href=https://second.example>", ["https://hotel.example/x"]),
        (
            "<area href=https://hotel.example/map><a/href=https://hotel.example/y>",
            ["https://hotel.example/map", "https://hotel.example/y"],
        ),
        ('<a href=" https://hotel.example/z ">', ["https://hotel.example/z"]),
        # Neither what is shown, nor what is no link, nor what is no markup.
        (
            '<link href="https://hotel.example"><img src="https://hotel.example/a.png"><base href="https://hotel.example">',
            [],
        ),
        ("<a title=\"href='https://hotel.example'\" data-href=\"https://hotel.example\" href='tel:+1305'>", []),
        ('<!-- <a href="https://hotel.example"> --><script>"<a href=\'https://hotel.example\'>"</script>', []),
        ('<a href="https://hotel.example/u" clicktracking="off">', []),
        ('<a href="{{ unsubscribe_url }}"><a href="mailto:a@b.example"><a href="https://hotel.example', []),
    ],
)
def test_what_is_a_link_in_html(html: str, expected: list[str]) -> None:
    assert found(html, html=True) == expected


class Hrefs(HTMLParser):
    """What a reader's program takes for the links of a mail."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [dict(reversed(attrs)).get("href")] if tag == "a" else []


TARGETS = st.from_regex(
    r"https?://[a-z]{1,8}\.example(/[A-Za-z0-9_%-]{0,6}){0,3}(\?[a-z]=[A-Za-z0-9&]{0,5}[a-z])?", fullmatch=True
)
WORDS = st.text(st.sampled_from("ab .,:()!*é日\n@<>'\"&;"), max_size=12)


@given(st.lists(st.tuples(WORDS, TARGETS)), WORDS)
def test_rewritten_and_expanded_it_is_the_original(pieces: list[tuple[str, str]], end: str) -> None:
    text = "".join(word + target for word, target in pieces) + end
    short: dict[str, str] = {}
    rewritten = links.in_text(text, lambda link: short.setdefault(link, f"{BASE}{short_links.new_code()}"))
    long = {made: target for target, made in short.items()}
    assert links.in_text(rewritten, long.get) == text
    # Beside the links nothing has changed.
    for made, target in long.items():
        rewritten = rewritten.replace(made, target)
    assert rewritten == text


@given(st.lists(st.tuples(TARGETS, st.sampled_from("\"'"), WORDS.map(escape))))
def test_html_too(pieces: list[tuple[str, str, str]]) -> None:
    html = "".join(f"<p>{word}<a  href={mark}{escape(to)}{mark}>{word}</a>" for to, mark, word in pieces)
    short: dict[str, str] = {}
    rewritten = links.in_html(html, lambda link: short.setdefault(link, f"{BASE}{short_links.new_code()}"))
    assert Hrefs(rewritten).found == [short[to] for to, _, _ in pieces]
    long = {made: target for target, made in short.items()}
    assert links.in_html(rewritten, long.get) == html


def test_what_a_message_says_is_changed_everywhere() -> None:
    said = written(Channel.EMAIL, '<p><a href="https://a.example">Here</a> https://a.example</p>', "x")
    changed = links.in_content(said, lambda _: "https://b.example/?x=1&y=2")
    assert changed.text == '<p><a href="https://b.example/?x=1&amp;y=2">Here</a> https://a.example</p>'
    approved = ApprovedText("HX1", {"1": "https://a.example"}, "See https://a.example.")
    text = links.in_content(Content(text="https://a.example", approved=approved), lambda _: "https://b.example")
    assert (text.text, text.approved) == (
        "https://b.example",
        ApprovedText("HX1", {"1": "https://b.example"}, "See https://b.example."),
    )
    longer = links.in_content(
        Content(text="x", approved=approved), lambda _: "https://b.example/" + "x" * LONGEST_VALUE
    )
    assert longer.approved == approved, "what an approved template could not carry stays as it is"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("https://Hotel.Example:8443/a b".replace(" ", "%20"), "https://hotel.example:8443/a%20b"),
        ("https://müller.example/Zürich?q=é#ü", "https://xn--mller-kva.example/Z%C3%BCrich?q=%C3%A9#%C3%BC"),
        ("http://[2001:DB8::1]:80?x", "http://[2001:db8::1]:80?x"),
        ("https://hotel.example", "https://hotel.example"),
        ("//hotel.example", None),
        ("javascript:alert(1)", None),
        ("https://a@b.example", None),
        ("https://b.example\r\nset-cookie: a=b", None),
        ("https://b.example\\@c.example", None),
        ("https://" + "a" * 64 + ".example", None),
    ],
)
def test_where_a_redirect_goes(link: str, expected: str | None) -> None:
    assert links.location(link) == expected


def test_tracking_parameters_stand_behind_what_is_there() -> None:
    added = short_links.parameters(Channel.SMS, "summer offer")
    assert links.with_parameters("https://a.example", added) == (
        "https://a.example?utm_source=bellhop&utm_medium=sms&utm_campaign=summer%20offer"
    )
    kept = links.with_parameters("https://a.example/?q=1&UTM_Source=own#top", added)
    assert kept == "https://a.example/?q=1&UTM_Source=own&utm_medium=sms&utm_campaign=summer%20offer#top"
    full = "https://a.example/" + "x" * (links.LONGEST - 18)
    assert links.with_parameters(full, added) == full


def test_codes_and_where_they_are() -> None:
    codes = {short_links.new_code() for _ in range(1_000)}
    assert len(codes) == 1_000 and all(short_links.is_code(code) for code in codes)
    assert not any(short_links.is_code(code) for code in ("", "x", "0" * 10, "8hGfK3mWqZ8", "8hGfK3mWq\n"))
    own, none = LinkSettings(domain="go.hotel.example"), LinkSettings()
    api = "https://api.bellhop.example:8443/msg"
    assert short_links.base(None, own, api) == short_links.base("GO.hotel.example", own, api) == BASE
    assert short_links.base(None, none, api) == short_links.base("api.bellhop.example", own, api) == api + "/s/"
    assert short_links.base("go.hotel.example", none, api) is short_links.base("evil.example", own, api) is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("door_code", True),
        ("roomCode", True),
        ("Access-Codes", True),
        ("pin", True),
        ("code", False),
        ("spinach", False),
    ],
)
def test_what_lets_guests_in_is_left_as_it_is(name: str, expected: bool) -> None:
    assert short_links.lets_in(["x", name]) is expected
    assert short_links.by_default(Category.TRANSACTIONAL, [name]) is not expected
    assert not short_links.by_default(Category.TWO_FACTOR, [])


def test_campaigns_and_tests_are_tracked() -> None:
    key = "00000000-0000-0000-0000-000000000001"
    live, test = (Scope(key, key, environment) for environment in ("live", "test"))  # type: ignore[arg-type]
    assert short_links.tracked(Category.MARKETING, live) and short_links.tracked(Category.TRANSACTIONAL, test)
    assert not short_links.tracked(Category.TRANSACTIONAL, live)


@pytest.mark.parametrize(
    "wrong",
    [
        7, {"on": True}, {"enabled": 1}, {"link_tracking": "yes"}, {"domain": "https://go.hotel.example"},
        {"domain": "Go.Hotel.Example"}, {"domain": "go"}, {"domain": "a.example/x"}, {"domain": ["a.example"]},
        {"expires_after": 59}, {"expires_after": True}, {"expires_after": 1e9},
    ],
)  # fmt: skip
def test_what_a_property_cannot_say(wrong: object) -> None:
    with pytest.raises(BadSetting, match=r"expected .*short_links"):
        short_links.check({"short_links": wrong})
    assert short_links.read(wrong) == LinkSettings()


def test_what_a_property_says() -> None:
    said = {"enabled": True, "domain": "go.hotel.example", "expires_after": 3_600, "link_tracking": True}
    short_links.check({"short_links": said})
    short_links.check({})
    assert short_links.read(said) == LinkSettings(True, True, "go.hotel.example", 3_600)


PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Version/18.1 Mobile Safari/604.1"


@pytest.mark.parametrize(
    ("agent", "machine"),
    [
        (PHONE, False),
        ("Mozilla/5.0 (Linux; Android 15; CUBOT X70) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36", False),
        ("", True),
        ("WhatsApp/2.23.20.0", True),
        ("facebookexternalhit/1.1 Facebot Twitterbot/1.0", True),
        ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", True),
        ("Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("curl/8.5.0", True),
    ],
)
def test_who_is_a_machine(agent: str, machine: bool) -> None:
    assert is_machine({"user-agent": agent} if agent else {}, head=False) is machine


def test_machines_ask_for_heads_and_beforehand() -> None:
    assert is_machine({"user-agent": PHONE}, head=True)
    assert is_machine({"user-agent": PHONE, "sec-purpose": "prefetch;prerender"}, head=False)


@pytest.mark.parametrize(
    ("why", "status"), [(Page.NONE, 404), (Page.EXPIRED, 410), (Page.TOO_MANY, 429), (Page.LATER, 503)]
)
def test_the_page_speaks_the_guests_language(why: Page, status: int) -> None:
    for language, wanted in (("en", ""), ("en", "xx, <b>"), ("de", "de-AT;q=0.9, en"), ("ja", "ja")):
        shown = page(why, wanted, retry_after=5)
        html = bytes(shown.body).decode()
        assert (shown.status_code, f'<html lang="{language}">' in html, "<b>" in html) == (status, True, False)
        assert html.count("<h1>") == 1 and "<p></p>" not in html and "set-cookie" not in shown.headers
