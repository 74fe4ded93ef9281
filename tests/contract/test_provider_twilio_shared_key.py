"""Twilio's newer signatures: HMAC-SHA256 by a shared key, named in a header that is not itself signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

import httpx2
import pytest

from bellhop.domain.delivery_ports import Account, CallbackRequest
from bellhop.providers.twilio import PACKAGE
from bellhop.providers.twilio.adapter import Twilio
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.testing import Receiver, running
from tests.contract.providers.twilio import CASE
from tests.sandbox_accounts import SANDBOX_SECRET

URL = "https://hotel.example/v1/receipts/twilio/AC7/inbound"
FORM = {"From": "+13055551234", "To": "+15005550006", "Body": "Ça va? 1 + 1 = 2", "MessageSid": "SM7", "Empty": ""}
BODY = json.dumps(FORM).encode()
KEY_ID, KEY, TOKEN = "webhooks_sharedkey_1", "shared secret", "auth token"
BY_KEY = f"key={KEY_ID},algorithm=HMAC_SHA256"
KEYED = {"auth_token": TOKEN, "shared_key_id": KEY_ID, "shared_key": KEY}


def signature(secret: str, algorithm: str, url: str, fields: Mapping[str, str]) -> str:
    """As Twilio's documentation has it, by nothing of Twilio's: the address, then each name and value, by name."""
    text = url + "".join(name + fields[name] for name in sorted(fields))
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), algorithm).digest()).decode()


def request(secret: str, algorithm: str, said: str | None, *, json_body: bool = False) -> CallbackRequest:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    url, body, fields = URL, urlencode(FORM).encode(), FORM
    if json_body:
        headers["content-type"] = "application/json"
        url, body, fields = f"{URL}?bodySHA256={hashlib.sha256(BODY).hexdigest()}", BODY, {}
    headers["x-twilio-signature"] = signature(secret, algorithm, url, fields)
    if said is not None:
        headers["x-twilio-webhooks-signature-settings"] = said
    return CallbackRequest(url, "inbound", {}, headers, body)


def account(credentials: Mapping[str, str], previous: Mapping[str, str] | None = None) -> Account:
    return replace(CASE.account("http://x"), credentials=credentials, previous_credentials=previous or {})


def test_a_known_signature() -> None:
    """Computed with `openssl dgst -sha256 -hmac` over the text that is signed."""
    assert signature(
        "12345", "sha256", "https://example.com/myapp.php?foo=1&bar=2", {"Digits": "1234", "To": "+1"}
    ) == ("KE3gekbbngXNy8dfD9aPt/ngrO4Ms1hsUzR8lheXlHk=")


@pytest.mark.parametrize("json_body", [False, True])
@pytest.mark.parametrize(
    ("change", "signed", "taken"),
    [
        ({}, (KEY, "sha256", BY_KEY), True),
        ({}, (KEY, "sha256", f" algorithm=hmac_sha256 , key={KEY_ID}"), True),
        ({}, ("another", "sha256", BY_KEY), False),
        ({}, (TOKEN, "sha256", BY_KEY), False),
        ({}, (KEY, "sha256", BY_KEY.replace("1,", "2,")), False),
        ({}, (KEY, "sha1", BY_KEY), False),
        ({}, (KEY, "sha1", BY_KEY.replace("256", "1")), False),
        ({}, (KEY, "sha256", "junk"), False),
        ({}, (KEY, "sha256", "algorithm=HMAC_SHA256"), False),
        ({}, (KEY, "sha256", None), False),
        # The header is not signed: who leaves it out must not have the older signature tried.
        ({}, (TOKEN, "sha1", None), False),
        ({}, (TOKEN, "sha1", ""), False),
        ({}, (TOKEN, "sha1", BY_KEY.replace("256", "1")), False),
        ({"token_signatures": "allowed"}, (TOKEN, "sha1", None), True),
        ({"token_signatures": "allowed"}, (KEY, "sha256", BY_KEY), True),
        ({"shared_key": "", "shared_key_id": ""}, (KEY, "sha256", BY_KEY), False),
        ({"shared_key": "", "shared_key_id": ""}, ("", "sha256", "key=,algorithm=HMAC_SHA256"), False),
        ({"shared_key": "", "shared_key_id": ""}, (TOKEN, "sha1", None), True),
    ],
)
def test_who_signed(change: dict[str, str], signed: tuple[str, str, str | None], taken: bool, json_body: bool) -> None:
    assert Twilio().verify(account(KEYED | change), request(*signed, json_body=json_body)) is taken


def test_a_shared_key_is_rotated_as_a_token_is() -> None:
    new = KEYED | {"shared_key_id": "webhooks_sharedkey_2", "shared_key": "newer"}
    rotated = account(new, previous=KEYED)
    assert Twilio().verify(rotated, request(KEY, "sha256", BY_KEY))
    assert Twilio().verify(rotated, request("newer", "sha256", BY_KEY.replace("1,", "2,")))
    assert not Twilio().verify(rotated, request("newer", "sha256", BY_KEY))
    assert not Twilio().verify(rotated, request(TOKEN, "sha1", None))
    assert not Twilio().verify(account(new), request(KEY, "sha256", BY_KEY))


def test_its_variables_come_together() -> None:
    env = default_accounts(SANDBOX_SECRET)["twilio"].env
    both = {"TWILIO_SHARED_KEY_ID": KEY_ID, "TWILIO_SHARED_KEY": KEY}
    seeds = PACKAGE.seeds(PACKAGE.settings.of({**env, **both}))
    assert {one.credentials["shared_key_id"] for one in seeds} == {KEY_ID}
    assert "token_signatures" not in seeds[0].credentials
    (allowed, _) = PACKAGE.seeds(PACKAGE.settings.of({**env, **both, "TWILIO_TOKEN_SIGNATURES": "true"}))
    assert allowed.credentials["token_signatures"] == "allowed"
    for one in both:
        with pytest.raises(ValueError, match="expected both, or none"):
            PACKAGE.seeds(PACKAGE.settings.of({**env, one: both[one]}))


def test_the_sandbox_signs_by_a_shared_key_and_by_the_token_again() -> None:
    env = default_accounts(SANDBOX_SECRET)["twilio"].env
    sid, token = env["TWILIO_ACCOUNT_SID"], env["TWILIO_AUTH_TOKEN"]
    with running() as url, Receiver().open() as receiver, httpx2.Client(base_url=url) as http:
        http.put("/_sandbox/settings", json={"twilio_inbound_url": f"{receiver.url}/inbound"})
        for key_id in (KEY_ID, ""):
            asked = {"provider": "twilio", "account_sid": sid, "shared_key_id": key_id}
            made = http.post("/_sandbox/accounts", json=asked).json()
            assert made.get("shared_key_id", "") == key_id
            http.post("/_sandbox/inbound", json={"from": "+13055551234", "body": "Hi"})
            call = receiver.received[-1]
            headers = {name.lower(): value for name, value in call.headers.items()}
            received = CallbackRequest(f"{receiver.url}/inbound", "inbound", {}, headers, call.body)
            keyed = KEYED | {"auth_token": token, "shared_key": made.get("shared_key", "")}
            assert Twilio().verify(account(keyed), received) is True
            assert Twilio().verify(account({"auth_token": token}), received) is (key_id == "")
