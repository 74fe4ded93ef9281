"""Both signatures, checked with the official library and with the arithmetic written out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from bellhop.domain import signing
from bellhop.domain.events import EventType
from bellhop.webhooks.settings import WebhookSettings

BODY = '{"type":"message.sent","data":{"content":"Zoë’s room ☂"}}'.encode()


@pytest.fixture
def now() -> datetime:
    """Of each test its own: the official library refuses what is five minutes old."""
    return datetime.now(UTC)


def test_escapelife_signature_is_hmac_sha256_over_timestamp_dot_body_keyed_with_the_shown_secret(now: datetime) -> None:
    secret = signing.new_secret()
    made = signing.headers([secret], "evt_1", BODY, now)
    stamp = int(now.timestamp())
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + BODY, hashlib.sha256).hexdigest()
    assert made["EscapeLife-Signature"] == f"t={stamp},v1={digest}"


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=5, minutes=30)), timezone(-timedelta(hours=8))])
def test_the_official_library_verifies_whatever_zone_the_clock_had(now: datetime, zone: timezone) -> None:
    secret = signing.new_secret()
    made = signing.headers([secret], "evt_1", BODY, now.astimezone(zone))
    assert Webhook(secret).verify(BODY, made) == json.loads(BODY)


def test_during_rotation_both_secrets_verify_and_no_third(now: datetime) -> None:
    new, old, other = signing.new_secret(), signing.new_secret(), signing.new_secret()
    made = signing.headers([new, old], "evt_1", BODY, now)
    assert made["EscapeLife-Signature"].count("v1=") == 2
    for secret in (new, old):
        assert signing.verify(secret, made, BODY, now=now)
        Webhook(secret).verify(BODY, made)
    assert not signing.verify(other, made, BODY, now=now)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(BODY, made)


def test_one_changed_byte_is_noticed(now: datetime) -> None:
    secret = signing.new_secret()
    made = signing.headers([secret], "evt_1", BODY, now)
    assert not signing.verify(secret, made, BODY + b" ", now=now)


@pytest.mark.parametrize(("age", "good"), [(-301, False), (-299, True), (299, True), (302, False)])
def test_a_signature_is_good_for_five_minutes(now: datetime, age: float, good: bool) -> None:
    secret = signing.new_secret()
    made = signing.headers([secret], "evt_1", BODY, now.replace(microsecond=0))
    now = now.replace(microsecond=0) + timedelta(seconds=age)
    assert signing.verify(secret, made, BODY, now=now) is good


@pytest.mark.parametrize(
    "value", ["", "t=,v1=", "v1=00", "t=1", "t=x,v1=y", "t=²,v1=y", "t=99999999999999999999,v1=ü", "nonsense", "t=1,v1"]
)
def test_nonsense_is_false_and_no_error(now: datetime, value: str) -> None:
    assert not signing.verify("whsec_x", {"EscapeLife-Signature": value}, BODY, now=now)
    assert not signing.verify("whsec_x", {}, BODY, now=now)


def test_header_names_may_come_in_any_case(now: datetime) -> None:
    secret = signing.new_secret()
    made = {name.lower(): value for name, value in signing.headers([secret], "evt_1", BODY, now).items()}
    assert signing.verify(secret, made, BODY, now=now)


def test_a_secret_is_what_standard_webhooks_asks_for() -> None:
    secret = signing.new_secret()
    assert secret.startswith("whsec_") and 24 <= len(base64.b64decode(secret[6:])) <= 64
    assert signing.new_secret() != secret


def test_the_verification_shown_to_customers_works(now: datetime) -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    shown: dict[str, Any] = {}
    exec(example, shown)
    new, old = signing.new_secret(), signing.new_secret()
    header = signing.headers([new, old], "evt_1", BODY, now)[signing.HEADER]
    assert shown["verified"](new, header, BODY) and shown["verified"](old, header, BODY)
    assert not shown["verified"](signing.new_secret(), header, BODY)
    assert not shown["verified"](new, header, BODY + b" ")
    past = signing.headers([new], "evt_1", BODY, now - timedelta(minutes=6))[signing.HEADER]
    assert not shown["verified"](new, past, BODY)


def test_the_page_for_customers_names_every_type_and_the_schedule_that_is_kept() -> None:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    assert all(f"`{kind.value}`" in page for kind in EventType)
    row = next(line for line in page.splitlines() if line.startswith("| next try in"))
    shown = [part.strip() for part in row.split("|")[2:-2]]
    unit = {"s": 1, "min": 60, "h": 3600}
    seconds = [int(number) * unit[name] for number, name in (part.split() for part in shown)]
    assert seconds == WebhookSettings.model_fields["retry_pauses"].default
