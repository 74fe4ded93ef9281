"""SendGrid: its answers and its signed Event Webhook, through the official SDK."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.domain.channels import Channel
from bellhop.domain.content import HTML, Content
from bellhop.domain.delivery_ports import CallbackRequest, Effect, LookupKind, LookupRequest, SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.providers.package import Meaning
from bellhop.providers.sendgrid.adapter import SIGNATURE, TIMESTAMP, SendGrid
from bellhop.providers.sendgrid.codes import ANSWERS, EVENTS, FIELDS, REASONS
from tests.contract.conformance import (
    ACCOUNT,
    ATTEMPT,
    MESSAGE,
    REFUSED,
    RETRY,
    UNKNOWN,
    Act,
    Scene,
    Server,
    answer,
    check,
)
from tests.contract.providers.sendgrid import CASE as SENDGRID

GUEST = SENDGRID.to
CONFIG = FailureCode.CONFIGURATION


def error(status: int, field: str | None = None, **headers: str) -> Act:
    body = {"errors": [{"message": f"no: {GUEST}", "field": field, "help": None}]}
    return answer(status, json.dumps(body), **headers)


SCENES = (
    Scene("no such path", answer(404, "nginx"), ACCOUNT, CONFIG, None, "404"),
    Scene("bad gateway, in JSON", error(502), UNKNOWN, FailureCode.OUTCOME_UNKNOWN, None, "502"),
    Scene("unauthorized", error(401), ACCOUNT, CONFIG, None, "401"),
    Scene("sender not verified", error(403, "from"), ACCOUNT, CONFIG, None, "403"),
    Scene("no such method", error(405), ACCOUNT, CONFIG),
    Scene("too large", error(413), REFUSED, FailureCode.CONTENT_REFUSED, None, "413"),
    Scene("bad type", error(415), REFUSED, FailureCode.REJECTED),
    Scene("bad request", error(400), REFUSED, FailureCode.REJECTED, None, "400"),
    Scene("bad receiver", error(400, "personalizations.0.to.0.email"), REFUSED, FailureCode.ADDRESS_INVALID),
    Scene("bad sender", error(400, "from.email"), REFUSED, CONFIG),
    Scene("bad content", error(400, "content.0.value"), REFUSED, FailureCode.CONTENT_REFUSED),
    Scene("bad subject", error(400, "subject"), REFUSED, FailureCode.CONTENT_REFUSED),
    Scene("another field", error(400, "frommage"), REFUSED, FailureCode.REJECTED),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_an_answer_to_a_send(scene: Scene) -> None:
    check(SENDGRID, scene)


@pytest.mark.parametrize("status", ANSWERS)
def test_every_answer_in_sendgrids_own_words(status: int) -> None:
    kind, code = ANSWERS[status]
    result = check(SENDGRID, Scene(str(status), error(status, Retry_After="3"), kind, code, 3.0, str(status)))
    assert result.text == f"no: {GUEST}"


def test_the_reset_of_the_rate_limit_is_the_pause() -> None:
    later = str(int(time.time()) + 60)
    scene = Scene("429", error(429, X_RateLimit_Reset=later), RETRY, FailureCode.LIMIT_REACHED, 60.0)
    check(SENDGRID, scene)
    # On other answers the header is only information.
    check(SENDGRID, Scene("503", error(503, X_RateLimit_Reset=later), RETRY, FailureCode.PROVIDER_ERROR))


def test_every_field_pattern_is_reachable() -> None:
    assert len({pattern for pattern, _ in FIELDS}) == len(FIELDS) == 3


def test_without_a_key_the_account_is_held_and_no_key_of_the_environment_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.of-another-account")
    with Server(answer(202)) as server:
        result = SendGrid().send(replace(SENDGRID.account(server.url), credentials={}), SENDGRID.outgoing())
        assert server.requests == []
    assert result.kind is ACCOUNT


def sent(**other: object) -> tuple[str, dict[str, object]]:
    with Server(SENDGRID.accepted) as server:
        assert SENDGRID.send(server.url + "/", **other).kind is SendKind.ACCEPTED
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    return head.decode(), json.loads(body)


def test_what_is_sent() -> None:
    head, body = sent(content=Content(text="Grüße 🏨", subject="Your stay"), sender_name="Hôtel; Spa, Paris")
    assert head.startswith("POST /v3/mail/send HTTP/1.1\r\n")
    assert f"authorization: bearer {SENDGRID.credentials['api_key']}\r\n".lower() in head.lower() + "\r\n"
    assert "content-type: application/json\r\n" in head.lower() + "\r\n"
    assert body == {
        "personalizations": [
            {"to": [{"email": GUEST}], "custom_args": {"attempt_id": str(ATTEMPT), "message_id": str(MESSAGE)}}
        ],
        "from": {"email": SENDGRID.sender, "name": "Hôtel Spa Paris"},
        "subject": "Your stay",
        "content": [{"type": "text/plain", "value": "Grüße 🏨"}],
    }


def test_html_goes_out_with_a_plain_part_before_it() -> None:
    html = "<h1>Welcome</h1><ul><li>one</li><li>two</li></ul><script>evil()</script>"
    _, body = sent(content=Content(text=html, content_type=HTML))
    first, second = body["content"]  # type: ignore[misc]
    assert (first["type"], second) == ("text/plain", {"type": "text/html", "value": html})  # type: ignore[has-type]
    assert "Welcome" in first["value"] and "* one" in first["value"] and "evil" not in first["value"]  # type: ignore[has-type]


def test_html_without_any_text_has_no_empty_part() -> None:
    _, body = sent(content=Content(text="<img src=x>", content_type=HTML))
    assert [part["type"] for part in body["content"]] == ["text/html"]  # type: ignore[attr-defined]


def test_the_text_of_html_is_the_one_fixed_at_acceptance() -> None:
    _, body = sent(content=Content(text="<p>Hi</p>", content_type=HTML, plain="as it was then"))
    assert body["content"][0] == {"type": "text/plain", "value": "as it was then"}  # type: ignore[index]


def test_an_account_without_the_email_activity_cannot_be_asked() -> None:
    lookup = LookupRequest(ATTEMPT, GUEST, SENDGRID.sender, "", datetime.now(UTC), frozenset(), Channel.EMAIL)
    with Server(answer(403, json.dumps({"errors": [{"message": "access forbidden"}]}))) as server:
        assert SendGrid().look_up(SENDGRID.account(server.url), lookup, 5.0).kind is LookupKind.CANNOT_KNOW


# --- events ----------------------------------------------------------------------------------------------------------


def event(word: str, **other: object) -> dict[str, object]:
    return {
        "email": GUEST, "timestamp": 1_795_000_000, "event": word, "sg_event_id": f"id-{word}",
        "sg_message_id": "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0",
        "attempt_id": str(ATTEMPT), "message_id": str(MESSAGE), **other,
    }  # fmt: skip


def batch(*events: object, body: bytes | None = None) -> CallbackRequest:
    given = json.dumps(events).encode() if body is None else body
    return CallbackRequest("https://hotel.example/v1/callbacks/8/events", "events", {}, {}, given)


SHOWN: dict[str, dict[str, object]] = {
    "machine_open": {"event": "open", "sg_machine_open": True},
    "bounce": {"type": "bounce", "status": "5.1.1"},
    "bounce, blocked": {"event": "bounce", "type": "blocked", "status": "5.7.1"},
    "open": {"sg_machine_open": False},
}


@pytest.mark.parametrize("word", [*EVENTS, "teleported"])
def test_every_event(word: str) -> None:
    (receipt,) = SendGrid().parse(batch({**event(word), **SHOWN.get(word, {})}))
    row = EVENTS.get(word, Meaning(None))
    assert (receipt.stage, receipt.code, receipt.effect) == (row.stage, row.code, row.effect)
    assert (receipt.attempt_id, receipt.provider_id) == (ATTEMPT, "LRzXl_NHStOGhQ4kofSm_A")
    assert receipt.address == (GUEST if row.effect else None)
    assert receipt.dedupe_key == f"id-{word}"
    assert receipt.occurred_at == datetime.fromtimestamp(1_795_000_000, UTC)
    assert receipt.provider_code == {"bounce": "5.1.1", "bounce, blocked": "5.7.1", "dropped": "dropped"}.get(word)
    assert receipt.word == word.split(",")[0].split(" ")[0]


@pytest.mark.parametrize("reason", [*REASONS, "Because", "Spam Content (if spam checker app enabled)", None])
def test_every_reason_for_a_drop(reason: str | None) -> None:
    shown = reason.title() if reason in REASONS else reason
    (receipt,) = SendGrid().parse(batch(event("dropped", reason=shown, status="5.0.0")))
    key = (reason or "").lower().split(" (")[0]
    row = REASONS.get(key, EVENTS["dropped"])
    assert (receipt.stage, receipt.code, receipt.effect) == (Stage.UNDELIVERED, row.code, row.effect)
    assert receipt.provider_code == (key if key in REASONS else "5.0.0")


def test_a_batch_of_many_messages_keeps_its_order() -> None:
    receipts = SendGrid().parse(batch(event("open"), "junk", None, event("delivered"), {}, event("processed")))
    assert [each.word for each in receipts] == ["open", "delivered", "unknown", "processed"]


def test_an_event_without_names() -> None:
    bare = {"event": "bounce", "email": GUEST, "attempt_id": 5, "sg_message_id": 7, "timestamp": 1e30, "a\0b": "\0"}
    (one,), (same,) = (SendGrid().parse(batch(bare)) for _ in range(2))
    assert (one.attempt_id, one.provider_id, one.occurred_at) == (None, None, None)
    assert one.dedupe_key == same.dedupe_key and len(one.dedupe_key) == 64
    assert one.effect is Effect.HARD_BOUNCE
    assert one.payload["a\ufffdb"] == "\ufffd"


BODIES = (b"", b"{}", b"5", b"null", b'"x"', b"[", b"\xff\xfe\x00", b"[" * 100_000, b"[" + b"9" * 5_000 + b"]")


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_what_sendgrid_does_not_send(body: bytes) -> None:
    with pytest.raises(ValueError):
        SendGrid().parse(batch(body=body))


def test_numbers_that_json_has_no_words_for() -> None:
    (receipt,) = SendGrid().parse(batch(body=b'[{"event":"open","a":1e999,"b":NaN,"c":-Infinity,"timestamp":NaN}]'))
    assert receipt.payload == {"event": "open", "a": "1e999", "b": "NaN", "c": "-Infinity", "timestamp": "NaN"}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(), lambda inner: st.lists(inner, max_size=3)
)
EVENT = st.dictionaries(
    st.sampled_from(["event", "type", "reason", "email", "sg_event_id", "sg_message_id", "attempt_id", "timestamp",
                     "status", "sg_machine_open"]) | st.text(max_size=5),
    VALUES | st.sampled_from([*EVENTS, "blocked"]),
)  # fmt: skip


@settings(deadline=None)
@given(st.binary(max_size=100) | st.lists(EVENT | VALUES, max_size=3).map(lambda each: json.dumps(each).encode()))
def test_parse_of_anything(body: bytes) -> None:
    try:
        found = SendGrid().parse(batch(body=body))
    except ValueError:
        return
    for one in found:
        text = json.dumps(one.payload, allow_nan=False, ensure_ascii=False)
        assert "\0" not in text and "\\u0000" not in text
        text.encode()


# --- signatures ------------------------------------------------------------------------------------------------------

NOW = 1_795_000_000.0
KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))


def public(key: ec.EllipticCurvePrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def pem(key: ec.EllipticCurvePrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(key: ec.EllipticCurvePrivateKey) -> CallbackRequest:
    body, timestamp = b'[{"event":"\xc3\xbc"}]\r\n', str(int(NOW))
    signature = base64.b64encode(key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    return replace(batch(body=body), headers={SIGNATURE: signature, TIMESTAMP: timestamp})


def verify(request: CallbackRequest, now: float = NOW, previous: str | None = None, current: str | None = None) -> bool:
    account = replace(
        SENDGRID.account("http://x"),
        credentials={"webhook_public_key": public(KEY) if current is None else current},
        previous_credentials={"webhook_public_key": previous} if previous else {},
    )
    return SendGrid(now=lambda: now).verify(account, request)


def test_signatures() -> None:
    good = signed(KEY)
    assert verify(good)
    assert verify(good, current=pem(KEY))
    assert verify(good, current=public(OTHER), previous=public(KEY))
    assert verify(good, current="junk", previous=public(KEY))
    assert verify(good, now=NOW + 24 * 3600)
    assert verify(good, now=NOW - 24 * 3600)
    assert not verify(good, now=NOW + 26 * 3600)
    assert not verify(good, now=NOW - 26 * 3600)
    assert not verify(signed(OTHER))
    assert not verify(good, current="")
    assert not verify(good, current="AAAA")
    assert not verify(replace(good, body=good.body.strip()))
    assert not verify(replace(good, body=b"\xff"))


BREAKS: tuple[Callable[[dict[str, str]], dict[str, str]], ...] = (
    lambda _: {},
    lambda good: {TIMESTAMP: good[TIMESTAMP]},
    lambda good: {SIGNATURE: good[SIGNATURE]},
    lambda good: {**good, SIGNATURE: "not base64!"},
    lambda good: {**good, SIGNATURE: ""},
    lambda good: {**good, SIGNATURE: "ü"},
    lambda good: {**good, TIMESTAMP: "soon"},
    lambda good: {**good, TIMESTAMP: "nan"},
    lambda good: {**good, TIMESTAMP: "1e400"},
    lambda good: {**good, TIMESTAMP: good[TIMESTAMP] + " "},
    lambda good: {**good, TIMESTAMP: str(int(good[TIMESTAMP]) + 1)},
)


@pytest.mark.parametrize("broken", BREAKS, ids=range(len(BREAKS)))
def test_broken_signatures(broken: Callable[[dict[str, str]], dict[str, str]]) -> None:
    good = signed(KEY)
    assert not verify(replace(good, headers=broken(dict(good.headers))))


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([SIGNATURE, TIMESTAMP]), st.text()), st.binary())
def test_verify_of_anything(headers: dict[str, str], body: bytes) -> None:
    assert not verify(replace(batch(body=body), headers=headers))


def test_acknowledgement() -> None:
    assert SendGrid().acknowledgement()[0] == 200
