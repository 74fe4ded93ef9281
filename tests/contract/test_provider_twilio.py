"""Twilio: its answers, callbacks and look-up, through the official SDK."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import CallbackRequest, Inbound, LookupKind, LookupRequest, Receipt, SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.providers.twilio import adapter, callbacks
from bellhop.providers.twilio.adapter import Twilio
from bellhop.providers.twilio.codes import CODES, STAGES
from tests.contract.conformance import (
    ACCOUNT,
    ATTEMPT,
    REFUSED,
    RETRY,
    SECRET,
    SHORT,
    UNKNOWN,
    Act,
    Scene,
    Server,
    answer,
    check,
    reset,
    silence,
)
from tests.contract.providers.twilio import CASE as TWILIO

SID, NUMBER, SENDER = TWILIO.accepted_id, TWILIO.to, TWILIO.sender
URL = f"https://hotel.example/v1/callbacks/7/status?attempt={ATTEMPT}"


def created(**other: object) -> Act:
    return answer(201, json.dumps({"sid": SID, "status": "queued", "error_code": None, **other}))


def error(status: int, code: int | None, **headers: str) -> Act:
    return answer(status, json.dumps({"code": code, "message": f"To {NUMBER}", "status": status}), **headers)


SCENES = (
    Scene("failed at once", created(status="failed", error_code=30006), REFUSED, FailureCode.ADDRESS_INVALID, None,
          "30006"),
    Scene("failed at once, no code", created(status="failed"), REFUSED, FailureCode.UNDELIVERED),
    Scene("too many", error(429, 20429, Retry_After="7"), RETRY, FailureCode.LIMIT_REACHED, 7.0, "20429"),
    Scene("unavailable", error(503, 20503), UNKNOWN, FailureCode.OUTCOME_UNKNOWN, None, "20503"),
    Scene("no such path", answer(404, "nginx"), ACCOUNT, FailureCode.CONFIGURATION, None, "404"),
    Scene("internal error", error(500, 20500), UNKNOWN, FailureCode.OUTCOME_UNKNOWN, None, "20500"),
    Scene("unknown 5xx code", error(500, 99999), UNKNOWN, FailureCode.OUTCOME_UNKNOWN, None, "99999"),
    Scene("bad credentials", error(401, 20003), ACCOUNT, FailureCode.CONFIGURATION, None, "20003"),
    Scene("suspended", error(403, 20005), ACCOUNT, FailureCode.CONFIGURATION),
    Scene("unpaid", answer(402, ""), ACCOUNT, FailureCode.CONFIGURATION, None, "402"),
    Scene("opted out", error(400, 21610), REFUSED, FailureCode.OPTED_OUT, None, "21610"),
    Scene("unknown 4xx code", error(400, 99999), REFUSED, FailureCode.REJECTED, None, "99999"),
    Scene("code not a number", answer(400, '{"code":"x","message":5}'), REFUSED, FailureCode.REJECTED, None, "400"),
    Scene("RFC 9457", answer(400, json.dumps({"type": "x", "title": "t", "status": 400, "code": 21211, "detail": "d"})),
          REFUSED, FailureCode.ADDRESS_INVALID, None, "21211"),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_an_answer_to_a_create(scene: Scene) -> None:
    check(TWILIO, scene)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_read_at_create_and_in_a_callback(code: int) -> None:
    row = CODES[code]
    result = check(TWILIO, Scene(str(code), error(400, code), row.kind, row.failure, None, str(code)))
    assert result.text == f"To {NUMBER}"
    (receipt,) = Twilio().parse(status(MessageStatus="undelivered", ErrorCode=str(code)))
    assert isinstance(receipt, Receipt)
    assert (receipt.stage, receipt.code, receipt.effect) == (Stage.UNDELIVERED, row.failure, row.effect)
    assert (receipt.address == NUMBER) is (row.effect is not None)


def test_without_a_token_the_account_is_held() -> None:
    result = Twilio().send(replace(TWILIO.account("http://127.0.0.1:1"), credentials={}), TWILIO.outgoing())
    assert result.kind is ACCOUNT


@pytest.mark.parametrize("sender", [SENDER, "MG" + "1" * 32])
def test_what_is_sent(sender: str) -> None:
    with Server(created()) as server:
        TWILIO.send(server.url, sender=sender, content=Content(text="Grüße & 100% 🏨\n=1"))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    form = parse_qs(body.decode())
    assert head.startswith(f"POST /2010-04-01/Accounts/{TWILIO.identity}/Messages.json HTTP/1.1".encode())
    assert form == {
        "To": [NUMBER],
        "MessagingServiceSid" if sender.startswith("MG") else "From": [sender],
        "Body": ["Grüße & 100% 🏨\n=1"],
        "StatusCallback": [f"{TWILIO.outgoing().callback_url}#rc=5&rp=all&ct=2000&rt=5000"],
    }


def test_what_is_sent_on_whatsapp() -> None:
    with Server(created()) as server:
        TWILIO.send(server.url, channel=Channel.WHATSAPP)
        TWILIO.send(server.url, channel=Channel.WHATSAPP, sender="MG" + "1" * 32, to="US.1A2b")
    first, second = (parse_qs(request.partition(b"\r\n\r\n")[2].decode()) for request in server.requests)
    assert (first["To"], first["From"]) == ([f"whatsapp:{NUMBER}"], [f"whatsapp:{SENDER}"])
    assert (second["To"], second["MessagingServiceSid"]) == (["whatsapp:US.1A2b"], ["MG" + "1" * 32])


def test_half_a_surrogate_pair_is_refused_not_tried_for_ever() -> None:
    with Server(created()) as server:
        result = TWILIO.send(server.url, content=Content(text="\ud83d"))
        assert server.requests == []
    assert (result.kind, result.code) == (SendKind.REFUSED, FailureCode.CONTENT_REFUSED)


# --- look-up ---------------------------------------------------------------------------------------------------------

STARTED = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def listed(number: int, seconds: float, **other: object) -> dict[str, object]:
    made = format_datetime(STARTED + timedelta(seconds=seconds))
    return {
        "sid": f"SM{number:032x}", "from": SENDER, "to": NUMBER, "body": TWILIO.text, "date_created": made,
        "direction": "outbound-api", "status": "sent", "messaging_service_sid": None, **other,
    }  # fmt: skip


def page(*messages: dict[str, object], more: str | None = None) -> Act:
    return answer(200, json.dumps({"messages": messages, "next_page_uri": more, "page": 0, "page_size": 100}))


def sid(number: int) -> str:
    return f"SM{number:032x}"


OLD = listed(90, -61 - 10 * 3600)
MORE = "/2010-04-01/Accounts/AC1/Messages.json?PageToken=x"
LOOK_UPS: tuple[tuple[str, tuple[Act, ...], LookupKind, str | None], ...] = (
    ("nothing", (page(),), LookupKind.ABSENT, None),
    ("it", (page(listed(1, 1)),), LookupKind.FOUND, sid(1)),
    ("clock behind", (page(listed(1, -59)),), LookupKind.FOUND, sid(1)),
    ("too old", (page(listed(90, -61)),), LookupKind.ABSENT, None),
    ("behind one that waited in the queue", (page(listed(90, -3600), listed(1, 1)),), LookupKind.FOUND, sid(1)),
    (
        "old ends the search",
        (page(listed(2, 3, body="x"), OLD, more=MORE), page(listed(1, 1))),
        LookupKind.ABSENT,
        None,
    ),
    ("second page", (page(listed(2, 3, body="other"), more=MORE), page(listed(1, 1))), LookupKind.FOUND, sid(1)),
    ("oldest of several", (page(listed(3, 9), listed(2, 5), listed(1, 2)),), LookupKind.FOUND, sid(1)),
    ("claimed by another", (page(listed(3, 9), listed(77, 2)),), LookupKind.FOUND, sid(3)),
    ("all claimed", (page(listed(77, 2)),), LookupKind.ABSENT, None),
    ("another sender", (page(listed(1, 2, **{"from": "+15005550001"})),), LookupKind.ABSENT, None),
    ("another text", (page(listed(1, 2, body="Bonjour")),), LookupKind.ABSENT, None),
    ("trimmed text", (page(listed(1, 2, body=f"{TWILIO.text}\n")),), LookupKind.FOUND, sid(1)),
    ("trial account", (page(listed(1, 2, body=adapter.TRIAL + TWILIO.text)),), LookupKind.FOUND, sid(1)),
    ("inbound", (page(listed(1, 2, direction="inbound")),), LookupKind.ABSENT, None),
    ("texts not kept", (page(listed(1, 2, body="")),), LookupKind.CANNOT_KNOW, None),
    ("no date", (page(listed(1, 2, date_created=None)),), LookupKind.FOUND, sid(1)),
    ("endless pages", (page(listed(2, 3, body="other"), more=MORE),), LookupKind.UNREACHABLE, None),
    ("401", (error(401, 20003),), LookupKind.UNREACHABLE, None),
    ("500", (error(500, 20500),), LookupKind.UNREACHABLE, None),
    ("a portal", (answer(200, "<html>"),), LookupKind.UNREACHABLE, None),
    ("an empty object", (answer(200, "{}"),), LookupKind.UNREACHABLE, None),
    ("silence", (silence,), LookupKind.UNREACHABLE, None),
    ("reset", (reset,), LookupKind.UNREACHABLE, None),
    ("second page fails", (page(listed(1, 3), more=MORE), error(503, 20503)), LookupKind.UNREACHABLE, None),
)


@pytest.mark.parametrize("name", [row[0] for row in LOOK_UPS])
def test_look_up(name: str) -> None:
    _, acts, kind, found = next(row for row in LOOK_UPS if row[0] == name)
    lookup = LookupRequest(ATTEMPT, NUMBER, SENDER, TWILIO.text, STARTED, frozenset({sid(77)}), Channel.SMS)
    with Server(*acts) as server:
        result = Twilio().look_up(TWILIO.account(server.url), lookup, SHORT if name == "silence" else 8.0)
        assert (result.kind, result.provider_id) == (kind, found)
        query = parse_qs(server.requests[0].split(b" ")[1].decode().partition("?")[2])
    assert query["To"] == [NUMBER]
    assert not any(key.startswith("DateSent") for key in query)


def test_look_up_through_a_messaging_service() -> None:
    service = "MG" + "1" * 32
    lookup = LookupRequest(ATTEMPT, NUMBER, service, TWILIO.text, STARTED, frozenset(), Channel.SMS)
    with Server(page(listed(2, 5), listed(1, 2, messaging_service_sid=service, **{"from": None}))) as server:
        assert Twilio().look_up(TWILIO.account(server.url), lookup, 8.0).provider_id == sid(1)
    # It may have chosen RCS: absent is only what is listed under neither.
    by_rcs = listed(1, 2, messaging_service_sid=service, **{"from": "rcs:agent", "to": f"rcs:{NUMBER}"})
    for second, kind in ((page(by_rcs), LookupKind.FOUND), (page(), LookupKind.ABSENT)):
        with Server(page(), second) as server:
            assert Twilio().look_up(TWILIO.account(server.url), lookup, 8.0).kind is kind
            asked = [parse_qs(one.split(b" ")[1].decode().partition("?")[2])["To"] for one in server.requests]
            assert asked == [[NUMBER], [f"rcs:{NUMBER}"]]


@pytest.mark.parametrize(
    ("values", "body", "kind"),
    [
        (("Jo", "Your table is set at 8pm."), "Dear Jo: Your table  is set at 8pm. Reply.", LookupKind.FOUND),
        (("Jo", "Your table is set at 8pm."), "Dear Al: Your table is set at 8pm. Reply.", LookupKind.CANNOT_KNOW),
        (("Jo",), "Dear Jo, your key is ready.", LookupKind.CANNOT_KNOW),
        ((), TWILIO.text, LookupKind.FOUND),
    ],
)
def test_look_up_of_a_template(values: tuple[str, ...], body: str, kind: LookupKind) -> None:
    """Its text is the approved one's: what of ours is in it tells which it is, if it is long enough to."""
    lookup = LookupRequest(
        ATTEMPT, NUMBER, SENDER, TWILIO.text, STARTED, frozenset(), Channel.SMS, templated=True, values=values
    )
    with Server(page(listed(1, 1, body=body))) as server:
        result = Twilio().look_up(TWILIO.account(server.url), lookup, 8.0)
    assert (result.kind, result.provider_id) == (kind, sid(1) if kind is LookupKind.FOUND else None)


# --- callbacks -------------------------------------------------------------------------------------------------------


def status(query: dict[str, str] | None = None, path: str = "status", **fields: str) -> CallbackRequest:
    body = {"MessageSid": SID, "To": NUMBER, "From": SENDER, **fields}
    return CallbackRequest(
        URL, path, {"attempt": str(ATTEMPT)} if query is None else query, {}, urlencode(body).encode()
    )


@pytest.mark.parametrize("word", [*STAGES, "teleported"])
def test_every_status_word(word: str) -> None:
    (receipt,) = Twilio().parse(status(MessageStatus=word))
    assert isinstance(receipt, Receipt)
    stage = STAGES.get(word)
    assert (receipt.word, receipt.stage, receipt.provider_id) == (word, stage, SID)
    assert receipt.attempt_id == ATTEMPT
    assert receipt.code is (FailureCode.UNDELIVERED if stage is Stage.UNDELIVERED else None)
    assert receipt.dedupe_key == f"{SID}:{word}:"


def test_a_status_with_names_of_old_and_a_foreign_attempt() -> None:
    old = CallbackRequest(URL, "status", {"attempt": "junk"}, {}, f"SmsSid={SID}&SmsStatus=delivered&New=".encode())
    (receipt,) = Twilio().parse(old)
    assert isinstance(receipt, Receipt)
    assert (receipt.stage, receipt.attempt_id, receipt.payload["New"]) == (Stage.DELIVERED, None, "")


def test_an_unknown_error_code_is_kept() -> None:
    (receipt,) = Twilio().parse(status(MessageStatus="failed", ErrorCode="99999"))
    assert isinstance(receipt, Receipt)
    assert (receipt.code, receipt.provider_code) == (FailureCode.UNDELIVERED, "99999")
    assert receipt.dedupe_key == f"{SID}:failed:99999"


@pytest.mark.parametrize("body", [b"", b"MessageSid=1", b"\xff", b"%ff=%ff", b"{}", b"MessageStatus=sent"])
def test_what_twilio_does_not_send(body: bytes) -> None:
    with pytest.raises(ValueError):
        Twilio().parse(CallbackRequest(URL, "status", {}, {}, body))


JUNK = st.binary(max_size=200) | st.dictionaries(
    st.sampled_from(["MessageSid", "MessageStatus", "ErrorCode", "From", "To", "Body", "OptOutType", "x"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
).map(lambda fields: urlencode(fields).encode())


@settings(deadline=None)
@given(JUNK, st.sampled_from(["status", "inbound", "events", ""]), st.text(), st.text())
def test_parse_and_verify_of_anything(body: bytes, path: str, query: str, header: str) -> None:
    request = CallbackRequest(URL + query, path, {"attempt": query}, {"x-twilio-signature": header}, body)
    assert Twilio().verify(TWILIO.account("http://x"), request) is False
    try:
        found = Twilio().parse(request)
    except ValueError:
        return
    for one in found:
        text = json.dumps(one.payload)
        assert "\\u0000" not in text
        text.encode()
        assert isinstance(one, Inbound | Receipt)


# --- signatures ------------------------------------------------------------------------------------------------------


def signed(token: str, url: str = URL, body: bytes | None = None) -> CallbackRequest:
    body = b"MessageSid=SM1&MessageStatus=sent&Empty=&B=2&B=1&B=2&Uml=%C3%BC" if body is None else body
    form = callbacks.Form(parse_qsl(body.decode(), keep_blank_values=True))
    signature = RequestValidator(token).compute_signature(url, form)
    return CallbackRequest(url, "status", {}, {"x-twilio-signature": signature}, body)


def test_a_known_signature() -> None:
    # The example of twilio.com/docs/usage/security: an independent pair of request and signature.
    body = urlencode({
        "CallSid": "CA1234567890ABCDE", "Caller": "+14158675309", "Digits": "1234", "From": "+14158675309",
        "To": "+18005551212",
    }).encode()  # fmt: skip
    request = CallbackRequest("https://mycompany.com/myapp.php?foo=1&bar=2", "status", {},
                              {"x-twilio-signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}, body)  # fmt: skip
    account = replace(TWILIO.account("http://x"), credentials={"auth_token": "12345"})
    assert Twilio().verify(account, request)


def test_signatures() -> None:
    account = TWILIO.account("http://x")
    rotated = replace(account, credentials={"auth_token": "new"}, previous_credentials={"auth_token": SECRET})
    good = signed(SECRET)
    assert Twilio().verify(account, good)
    assert Twilio().verify(rotated, good)
    assert Twilio().verify(rotated, signed("new"))
    assert Twilio().verify(account, replace(good, url=URL + "#rc=5&rp=all"))
    assert Twilio().verify(account, signed(SECRET, URL.replace("example/", "example:443/")))
    assert Twilio().verify(account, replace(signed(SECRET, URL.replace("example/", "example:443/")), url=URL))
    for bad in (
        signed("other"),
        replace(good, body=good.body + b"&Extra=1"),
        replace(good, body=good.body.replace(b"&Empty=", b"")),
        replace(good, url=URL.replace("https", "http")),
        replace(good, url=URL + "&x=1"),
        replace(good, headers={}),
        replace(good, headers={"x-twilio-signature": ""}),
        replace(good, url="https://[junk"),
    ):
        assert not Twilio().verify(account, bad)


JSON_BODY = json.dumps({"MessageSid": SID, "MessageStatus": "failed", "ErrorCode": 30003, "New": None}).encode()


def in_json(token: str, url: str | None = None, body: bytes = JSON_BODY) -> CallbackRequest:
    """Twilio signs the URL of a JSON request, and puts the body's hash into that."""
    url = url or f"{URL}&bodySHA256={hashlib.sha256(JSON_BODY).hexdigest()}"
    headers = {"x-twilio-signature": RequestValidator(token).compute_signature(url, {})}
    return CallbackRequest(url, "status", {}, headers | {"content-type": "application/json; charset=utf-8"}, body)


def test_a_json_body_is_verified_by_its_hash_in_the_url() -> None:
    account, good = TWILIO.account("http://x"), in_json(SECRET)
    assert RequestValidator(SECRET).validate(good.url, JSON_BODY.decode(), good.headers["x-twilio-signature"])
    assert Twilio().verify(account, good)
    (receipt,) = Twilio().parse(good)
    assert isinstance(receipt, Receipt)
    assert (receipt.provider_id, receipt.provider_code, receipt.payload["New"]) == (SID, "30003", "")
    for bad in (
        in_json("other"),
        replace(good, body=JSON_BODY.replace(b"failed", b"read")),
        # Nothing vouches for the body.
        in_json(SECRET, URL),
        in_json(SECRET, f"{good.url}&bodySHA256={hashlib.sha256(b'x').hexdigest()}", b"x"),
        replace(good, headers={**good.headers, "content-type": "application/x-www-form-urlencoded"}),
        replace(good, url=good.url[:-1]),
    ):
        assert not Twilio().verify(account, bad)
    with pytest.raises(ValueError):
        Twilio().parse(replace(good, body=b"[]"))


@pytest.mark.parametrize("token", [None, ""])
def test_an_account_without_a_token_verifies_nothing(token: str | None) -> None:
    account = replace(TWILIO.account("http://x"), credentials={"auth_token": token} if token is not None else {})
    assert not Twilio().verify(account, signed(""))


def test_acknowledgement() -> None:
    assert Twilio().acknowledgement() == (200, "text/xml", "<Response/>")
