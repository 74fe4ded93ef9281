"""The sandbox's WhatsApp, driven by Twilio's own SDK: the window, templates and their approval, what is said late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import running
from tests.sandbox_accounts import sandbox_twilio

GUEST, OURS, NOBODY = "whatsapp:+13055551234", f"whatsapp:{sandbox_twilio.FROM_NUMBER}", "whatsapp:US.1A2b3C"
FIRST, READY, PENDING, REJECTED, PAUSED = (f"HX{number:032d}" for number in range(1, 6))
HTTP = httpx2.Client()
QUICK = Settings(twilio_sent_after=0.0, twilio_delivered_after=0.0, twilio_read_after=0.0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running(settings=QUICK) as url:
        yield url


@pytest.fixture
def client(sandbox: str) -> Client:
    HTTP.delete(f"{sandbox}/_sandbox/messages")
    HTTP.delete(f"{sandbox}/_sandbox/opt-outs")
    http = TwilioHttpClient(timeout=5)
    client = Client(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, http_client=http)
    client.api.base_url = client.content.base_url = sandbox
    return client


def wrote(sandbox: str, body: str = "Hi", sender: str = GUEST) -> None:
    said = {"from": sender, "to": OURS, "body": body}
    assert HTTP.post(f"{sandbox}/_sandbox/inbound", json=said).status_code == 200


def ended(client: Client, sandbox: str, to: str = GUEST, **fields: Any) -> tuple[str, int | None, str]:
    """How a message ends: its last planned word, its error and its text."""
    sid = client.messages.create(to=to, from_=OURS, **fields).sid
    (row,) = [one for one in HTTP.get(f"{sandbox}/_sandbox/messages").json()["data"] if one["id"] == sid]
    last = row["steps"][-1]
    return last["word"], last["code"], client.messages(sid).fetch().body


def template(sid: str, *values: str) -> dict[str, str]:
    variables = {str(at): value for at, value in enumerate(values, 1)}
    return {"content_sid": sid, "content_variables": json.dumps(variables)}


def test_a_free_text_arrives_within_the_window_only(client: Client, sandbox: str) -> None:
    assert ended(client, sandbox, body="Hi")[:2] == ("failed", 63016)
    wrote(sandbox)
    assert ended(client, sandbox, body="Hi")[:2] == ("read", None)
    assert ended(client, sandbox, "whatsapp:+13055551235", body="Hi")[:2] == ("failed", 63016), "another guest"
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_window": 0})
    assert ended(client, sandbox, body="Hi")[:2] == ("failed", 63016)
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_window": 86_400})


@pytest.mark.parametrize(("fields", "word", "code"), [
    (template(READY, "Jo", "suite"), "read", None),
    (template(PENDING, "Jo"), "failed", 63016),
    (template(REJECTED, "Jo"), "failed", 63040),
    (template(PAUSED, "Jo"), "failed", 63041),
    (template(READY, "Jo\nAgnelli", "suite"), "failed", 63005),
    (template(READY, "Jo", "a     b"), "failed", 63005),
    (template(FIRST, "x" * 1_000), "failed", 63021),
])  # fmt: skip
def test_templates_outside_the_window(
    client: Client, sandbox: str, fields: dict[str, str], word: str, code: int | None
) -> None:
    assert ended(client, sandbox, **fields)[:2] == (word, code)


def test_a_variable_that_is_missing_is_the_sample(client: Client, sandbox: str) -> None:
    assert (
        ended(client, sandbox, **template(READY, 'O\'Hara "Jo"'))[2] == 'Hi O\'Hara "Jo", your suite is ready for you.'
    )


@pytest.mark.parametrize(("fields", "code"), [
    (template("HX" + "9" * 32, "Jo"), 21655),
    (template(READY, ""), 21656),
    ({"content_sid": READY, "content_variables": "{"}, 21656),
    ({"content_sid": READY, "content_variables": '{"1": null}'}, 21656),
    ({"body": "Hi", "from_": "whatsapp:+15005550099"}, 63007),
    ({"body": "Hi", "to": "whatsapp:1A2b3C"}, 21211),
])  # fmt: skip
def test_what_is_refused_at_once(client: Client, fields: dict[str, str], code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        client.messages.create(**{"to": GUEST, "from_": OURS, **fields})
    assert refused.value.code == code


def test_a_guest_without_a_number(client: Client, sandbox: str) -> None:
    assert ended(client, sandbox, NOBODY, body="Hi")[:2] == ("failed", 63016)
    wrote(sandbox, sender=NOBODY)
    assert ended(client, sandbox, NOBODY, body="Hi")[:2] == ("read", None)


def test_stop_is_said_late(client: Client, sandbox: str) -> None:
    wrote(sandbox, "STOP")
    assert ended(client, sandbox, body="Hi")[:2] == ("failed", 63014)
    wrote(sandbox, "START")
    assert ended(client, sandbox, body="Hi")[:2] == ("read", None)


def test_templates_are_written_and_decided_about(client: Client, sandbox: str) -> None:
    def approval(sid: str) -> Any:
        return client.content.v1.contents(sid).approval_fetch().fetch().whatsapp

    text = {"types": {"twilio/text": {"body": "Hi {{name}}"}}, "variables": {"name": "Jo"}, "language": "de"}
    auth = (sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN)
    made = HTTP.post(f"{sandbox}/v1/Content", json={"friendly_name": "hi", **text}, auth=auth).json()
    content = client.content.v1.contents(made["sid"]).fetch()
    assert (content.variables, content.language, content.types) == ({"name": "Jo"}, "de", text["types"])
    assert approval(content.sid)["status"] == "unsubmitted"
    for name, status in ("hi", "approved"), ("hi_paused", "paused"):
        asked = {"name": name, "category": "UTILITY"}
        url = f"{sandbox}/v1/Content/{content.sid}/ApprovalRequests/whatsapp"
        assert HTTP.post(url, json=asked, auth=auth).json()["status"] == "received"
        assert approval(content.sid)["status"] == status
    assert made["sid"] in [one.sid for one in client.content.v1.contents.list()]
    assert HTTP.get(f"{sandbox}/v1/Content/{made['sid']}", auth=("AC0", "x")).status_code == 401
    assert HTTP.post(f"{sandbox}/v1/Content", json={"types": {}}, auth=auth).json()["code"] == 92001
    with pytest.raises(TwilioRestException):
        client.content.v1.contents("HX" + "9" * 32).fetch()
