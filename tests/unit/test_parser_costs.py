"""What a parser costs that strangers, guests, tenants or customers' servers feed: no more than in proportion to what it
is given, and little for the largest that is let in. HTML has a test of its own (test_plain_text.py), and so have what
templates and parameters do once they are read (test_templates.py)."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import UUID

import pytest
from pydantic import BaseModel, ValidationError

from api import cursors
from api.headers import prefers
from api.idempotency import read_key
from api.json_bodies import is_json, parse
from api.problems import Problem
from api.schemas.consents import SetConsent
from api.schemas.fields import MOST_FIELDS, Paging
from api.schemas.guests import CreateGuest, ListGuests
from api.schemas.messages import SendRequest
from api.schemas.templates import CreateTemplate
from api.schemas.webhooks import CreateEndpoint
from bellhop.domain import addresses, consent_keywords, content, guests, ids, keys, links, retry_after, templates
from bellhop.domain.addresses import AddressBook, BadAddress
from bellhop.domain.channels import AddressKind, Channel
from bellhop.domain.content import MAX_CONTENT
from bellhop.domain.delivery_ports import Account, CallbackRequest
from bellhop.domain.ids import Prefix
from bellhop.domain.intents import LONGEST_READ
from bellhop.intents import built_in as intents
from bellhop.providers import providers
from bellhop.webhooks import ssrf_guard
from bellhop.webhooks.ssrf_guard import ForbiddenTarget

PIECES = (
    "a", "0", "9", "+1", "+10", ".", "a.", "@", "a@b.", "é", "\u0301\u0323", "ß", "日.", "xn--a.", '"a\\', "(", " ",
    "\n", ".\n", "stop ", "stop\n", "s ", "a\n", "- a\n", "--\n", "sent from ", "\u200d", "👨\u200d👩\u200d👧", "<p ",
    "<p a=b ", "<b ", "&#1;", "%41", "%", "&", "a=b&", "=", "[", "[]", '{"a":', '"', "\\u0000", "-", ",", ";", "q=0;",
    "http://", "//", "[::", ":", "1 Jan ", "Mon, ", "Bearer ", "2026-01-01T", "\t",
)  # fmt: skip
PLACES = (
    "{{", "{%", "{{ a", "{% if a", "{% raw %}", "{% comment %}", "{%raw%}{{", "{{ a }}", "{% if a %}", "{% endif %}",
    "{{ a(", "{% cycle a, ", "{% for a in b(", "{% case a[", "{{ '", "{%}", "}}", "%}",
)  # fmt: skip
LINKS = (
    "https://a.example ", "https://a.example/(", "https://a.example/)", "https://a.example/).", "https://a)",
    "http://[", "https://日", "https://a.example/?a=1&", '<a href="https://a.example">', "<a href='", "<a/", " href=",
    '<a href="https://a" ', ' ="', "<!--", "<script>", "utm_source=&",
)  # fmt: skip
FEW_SECONDS = 0.004
"""Seconds that any parser may take: below, nothing can be told from the clock."""
MOST_SECONDS = 0.4
"""Seconds of the processor that nothing may take, on whatever machine."""
MORE = 8
"""Times as much that four times as long an input may cost: more than four, for the processor's caches, and far from the
sixteen of work that grows with the square."""

ACCOUNT = Account(
    UUID(int=1), "twilio", "AC1", "", {"auth_token": "t", "webhook_public_key": "k", "signing_secret": "s"}
)
BOOK = AddressBook("x" * 32)


def model(kind: type[BaseModel], field: str, **others: object) -> Callable[[str], object]:
    return lambda text: kind.model_validate({**others, field: text})


def callback(provider: str, path: str, kind: str) -> Callable[[str], object]:
    adapter = providers()[provider]

    def take(text: str) -> None:
        headers = {"content-type": kind, "x-twilio-signature": text[:100], "sb-signing-secret": text[:100]}
        request = CallbackRequest("https://x.example/y", path, {"attempt": text[:100]}, headers, text.encode())
        assert not adapter.verify(ACCOUNT, request)
        adapter.parse(request)

    return take


def tracked(link: str) -> str:
    return links.with_parameters(link, {"utm_source": "a", "utm_medium": "b"})


MAIL: Mapping[str, object] = {"channel": "email", "recipient": "a@example.com", "subject": "x", "content": "x"}
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
PARSERS: dict[str, tuple[Callable[[str], object], int]] = {
    # Each with how much is let in (or more): by its own limit, its schema's, or those of requests and callbacks.
    "e-mail address": (addresses.email, 100_000),
    "e-mail domain": (lambda text: addresses.email("a@" + text), 100_000),
    "e-mail name": (lambda text: addresses.email(text + "@example.com"), 100_000),
    "e-mail address to hash": (lambda text: BOOK.hashes(AddressKind.EMAIL, "a@" + text), 100_000),
    "phone number": (lambda text: addresses.phone("+" + text), 100_000),
    "phone number to hash": (lambda text: BOOK.hashes(AddressKind.PHONE, "+1" + text), 100_000),
    "recipient of a message": (model(SendRequest, "recipient", **{**MAIL, "recipient": ""}), 100_000),
    "address of a consent": (model(SetConsent, "address", channel="sms"), 100_000),
    "public id": (lambda text: ids.parse(Prefix.MESSAGE, "omsg_" + text), 100_000),
    "API key": (lambda text: keys.plausible("sk_live_" + text), 64_000),
    "language": (model(CreateGuest, "language", first_name="A", last_name="B"), 100_000),
    "name of a guest": (
        lambda text: guests.fold(CreateGuest.model_validate({"first_name": text, "last_name": "B"}).first_name), 200,
    ),
    "search": (lambda text: guests.fold(ListGuests.model_validate({"search": text}).search or ""), 320),
    "cursor": (lambda text: cursors.page_request(Paging.model_validate({"cursor": text}), Prefix.GUEST), 64_000),
    "time": (model(SendRequest, "scheduled_at", **MAIL), 100_000),
    "URL of a webhook": (model(CreateEndpoint, "url"), 100_000),
    "URL, read": (lambda text: ssrf_guard._parsed("https://" + text), 2_000),
    "event types": (model(CreateEndpoint, "events", url="https://a.example"), 100_000),
    "text of a mail": (lambda text: content.written(Channel.EMAIL, "<p " + text), MAX_CONTENT),
    "text of an SMS": (lambda text: content.parts(Channel.SMS, text), MAX_CONTENT),
    "text of a guest": (consent_keywords.keyword, consent_keywords.LONGEST),
    "text below STOP": (lambda text: consent_keywords.keyword("stop\n" + text), consent_keywords.LONGEST - 5),
    "intents of a guest": (intents.detect, LONGEST_READ),
    "links of a text": (lambda text: links.in_text("https://a.example/" + text, tracked), MAX_CONTENT),
    "links of HTML": (lambda text: links.in_html("<a " + text, tracked), MAX_CONTENT),
    "a link": (links.location, 64_000),
    "template": (lambda text: templates.parameters_of([text], html=False), MAX_CONTENT),
    "place of a template": (lambda text: templates.parameters_of([f"{{{{ a{text} }}}}"], html=False), MAX_CONTENT),
    "tag of a template": (
        lambda text: templates.parameters_of([f"{{% if a{text} %}}{{% endif %}}"], html=True), MAX_CONTENT,
    ),
    "name of a template": (model(CreateTemplate, "name", channel="sms", content="x"), 100_000),
    "Idempotency-Key": (lambda text: read_key(text, CreateEndpoint.model_construct()), 64_000),
    "Prefer": (lambda text: prefers(text, "wait"), 64_000),
    "Content-Type": (lambda text: is_json("application/" + text), 64_000),
    "Retry-After": (lambda text: retry_after.seconds(text, 0.0), 64_000),
    "JSON": (lambda text: parse(text.encode()), 256_000),
    "JSON, a list": (lambda text: parse(b"[" + text.encode() + b"1]"), 256_000),
    "callback of Twilio": (callback("twilio", "status", FORM), 64_000),
    "callback of Twilio, JSON": (callback("twilio", "status", JSON), 64_000),
    "callback of Sendblue": (callback("sendblue", "inbound", JSON), 64_000),
    "callback of SendGrid": (callback("sendgrid", "events", JSON), 64_000),
}  # fmt: skip


def seconds(parser: Callable[[str], object], text: str) -> float:
    # Without the garbage collector, whose work is that of whatever else the process holds.
    gc.disable()
    began = time.thread_time()
    with suppress(Problem, ValueError, ForbiddenTarget):
        parser(text)
    took = time.thread_time() - began
    gc.enable()
    return took


def steady(parser: Callable[[str], object], quarter: str, whole: str) -> str | None:
    """What is wrong with its cost. The best of several counts: whatever else the machine does makes it dearer, and
    nothing cheaper."""
    few = many = float("inf")
    for _ in range(6):
        templates._parsed.cache_clear()
        many = min(many, seconds(parser, whole))
        if many <= FEW_SECONDS:
            return None
        templates._parsed.cache_clear()
        few = min(few, seconds(parser, quarter))
        if many <= MORE * few and many < MOST_SECONDS:
            return None
    return f"{few * 1e3:.1f} ms, four times as much {many * 1e3:.1f} ms: {whole[:40]!r}"


@pytest.mark.parametrize("name", PARSERS)
def test_it_costs_no_more_than_in_proportion_to_what_it_is_given(name: str) -> None:
    parser, most = PARSERS[name]
    pieces = (*PIECES, *PLACES) if "template" in name or "text" in name else PIECES
    pieces = (*pieces, *LINKS) if "link" in name else pieces
    seconds(parser, "what is imported at the first use")
    wrong = []
    for piece in pieces:
        whole = (piece * (most // len(piece) + 1))[:most]
        wrong.append(steady(parser, whole[: most // 4], whole))
    assert [said for said in wrong if said] == []


def test_what_is_too_long_for_an_address_is_shown_to_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    for library in ("validate_email", "phonenumbers"):
        monkeypatch.delattr(addresses, library)
    for refused in (lambda: addresses.email("a" * 320 + "@example.com"), lambda: addresses.phone("+" + "1" * 40)):
        with pytest.raises(BadAddress, match="expected"):
            refused()
    for kind in (AddressKind.EMAIL, AddressKind.PHONE):
        assert len(BOOK.hashes(kind, "+é" * 200)) in (1, 2), "it is some text, and compared as that"


def many(count: int, item: str) -> str:
    """`item` so often, by commas, each with its number."""
    return ",".join(item.replace("#", str(number)) for number in range(count))


BODIES: dict[str, Callable[[int], str]] = {
    "keys": lambda count: f'{{"a":{{{many(count, QUOTED)}}}}}',
    "a list": lambda count: f'{{"a":[{many(count, "1.5")}]}}',
    "depth": lambda count: f'{{"a":[{many(count // 28, "[" * 28 + "]" * 28)}]}}',
    "text": lambda count: f'{{"a":"{"é" * count}"}}',
    "escapes": lambda count: '{"a":"' + "\\u0301" * count + '"}',
}
QUOTED = '"k#":1'


def validated(raw: str) -> None:
    with suppress(ValidationError):
        CreateGuest.model_validate(parse(raw.encode()))


@pytest.mark.parametrize("kind", BODIES)
def test_metadata_cost_no_more_than_in_proportion(kind: str) -> None:
    def body(count: int) -> str:
        return f'{{"first_name":"A","last_name":"B","metadata":{BODIES[kind](count)}}}'

    assert steady(validated, body(10_000), body(40_000)) is None


@pytest.mark.parametrize("form", ["{{{}}}", '{{"first_name":"A","last_name":"B","email":{{{}}}}}'])
def test_fields_that_nobody_knows_are_not_told_one_by_one(form: str) -> None:
    """A MiB of them took a second, for an error each."""
    raw = form.format(many(80_000, QUOTED))
    with pytest.raises(ValidationError) as refused:
        CreateGuest.model_validate(parse(raw.encode()))
    assert refused.value.error_count() <= 3
    within = form.format(many(MOST_FIELDS - 3, QUOTED))
    with pytest.raises(ValidationError, match="CreateGuest"):
        CreateGuest.model_validate(parse(within.encode()))
