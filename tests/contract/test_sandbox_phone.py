"""What a guest does on the sandbox's phone beside answering: they read, look at files, want no more of it."""

from __future__ import annotations

import base64
import html
import json
import re
import time
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import Receiver, running
from tests.sandbox_accounts import SANDBOX_SECRET, sandbox_sendgrid, sandbox_twilio

HTTP = httpx2.Client()
PHONE, MAILBOX, DEVICE = "+13055551234", "jordan@example.com", "a-device:APA91b"
OURS = f"whatsapp:{sandbox_twilio.FROM_NUMBER}"
PICTURE = b"\x89PNG\r\n\x1a\n..."


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as opened:
        yield opened


@pytest.fixture(scope="module")
def sandbox(receiver: Receiver) -> Iterator[str]:
    quick = Settings(
        twilio_sent_after=0.0,
        twilio_delivered_after=0.0,
        twilio_read_after=0.0,
        sendgrid_processed_after=0.0,
        sendgrid_delivered_after=0.0,
        sendgrid_open_after=0.0,
        sendgrid_batch_window=0.0,
        sendgrid_event_url=f"{receiver.url}/events",
        fcm_sent_after=0.0,
        fcm_app_url=f"{receiver.url}/app",
    )
    with running(settings=quick) as url:
        by_hand = {"name": "Jordan", "addresses": [PHONE, MAILBOX, DEVICE], "reads": False}
        assert HTTP.put(f"{url}/_sandbox/guests/jordan", json=by_hand).json()["reads"] is False
        yield url


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def accepted(sandbox: str, provider: str) -> dict[str, str]:
    """The newest message of a provider."""
    row: dict[str, str] = HTTP.get(f"{sandbox}/_sandbox/messages", params={"provider": provider}).json()["data"][-1]
    return row


def reads(sandbox: str, provider: str) -> httpx2.Response:
    """The guest reads a provider's newest message."""
    asked = {"provider": provider, "id": accepted(sandbox, provider)["id"]}
    return HTTP.post(f"{sandbox}/_sandbox/read", json=asked)


def phone(sandbox: str) -> str:
    return HTTP.get(f"{sandbox}/phone", params={"guest": "jordan"}).text


def test_whatsapp_is_read_when_the_guest_says_so(sandbox: str, receiver: Receiver) -> None:
    http = TwilioHttpClient(timeout=5)
    client = Client(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, http_client=http)
    client.api.base_url = sandbox
    HTTP.post(f"{sandbox}/_sandbox/inbound", json={"from": f"whatsapp:{PHONE}", "to": OURS, "body": "Hi"})
    hook = f"{receiver.url}/status"
    client.messages.create(to=f"whatsapp:{PHONE}", from_=OURS, body="Welcome", status_callback=hook)
    until(lambda: accepted(sandbox, "twilio")["status"] == "delivered")
    assert "data-read=" in phone(sandbox)
    assert reads(sandbox, "twilio").json() == {"status": "read"}

    def words() -> list[str]:
        return [
            parse_qs(call.body.decode())["MessageStatus"][0] for call in receiver.received if call.path == "/status"
        ]

    until(lambda: len(words()) == 3)
    assert sorted(words()) == ["delivered", "read", "sent"]
    assert accepted(sandbox, "twilio")["status"] == "read"
    assert reads(sandbox, "twilio").status_code == 409, "it was read"
    client.messages.create(to=PHONE, from_=sandbox_twilio.FROM_NUMBER, body="A text")
    until(lambda: accepted(sandbox, "twilio")["status"] == "delivered")
    assert reads(sandbox, "twilio").status_code == 409, "a text's sender hears nothing of it"


def test_a_tap_on_a_template_s_button_is_the_provider_s_inbound_message(sandbox: str, receiver: Receiver) -> None:
    http = TwilioHttpClient(timeout=5)
    client = Client(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, http_client=http)
    client.api.base_url = client.content.base_url = sandbox
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_inbound_url": f"{receiver.url}/inbound"})
    dinner = f"HX{6:032d}"
    assert (
        client.content.v1.contents(dinner).fetch().types["twilio/quick-reply"]["actions"][0]["title"] == "Yes, please"
    )
    sent = {"content_sid": dinner, "content_variables": '{"1": "Jo"}'}
    client.messages.create(to=f"whatsapp:{PHONE}", from_=OURS, **sent)
    (button,) = re.findall(
        r'<button type="button" data-way="([^"]*)" data-body="Yes, please" data-more="([^"]*)"', phone(sandbox)
    )
    way, more = (json.loads(html.unescape(part)) for part in button)
    answered = HTTP.post(f"{sandbox}/_sandbox/inbound", json={**way, "body": "Yes, please", **more}).json()
    assert answered["status"] == 204
    fields = parse_qs(next(call for call in receiver.received if call.path == "/inbound").body.decode())
    named = {name: fields[name] for name in ("From", "Body", "ButtonText", "ButtonPayload")}
    assert named == {
        "From": [f"whatsapp:{PHONE}"],
        "Body": ["Yes, please"],
        "ButtonText": ["Yes, please"],
        "ButtonPayload": ["dinner-1"],
    }


def test_a_guest_sends_a_picture_and_a_place(sandbox: str, receiver: Receiver) -> None:
    HTTP.put(f"{sandbox}/_sandbox/settings", json={"twilio_inbound_url": f"{receiver.url}/with-it"})
    (place,) = re.findall(r'data-body="" data-more="([^"]*)"', phone(sandbox))
    said = {"provider": "twilio", "from": f"whatsapp:{PHONE}", "to": OURS, "body": "Here"}
    files = [{"type": "image/png", "name": "a b.png", "content": base64.b64encode(PICTURE).decode()}]
    sent = {**said, **json.loads(html.unescape(place)), "files": files}
    assert HTTP.post(f"{sandbox}/_sandbox/inbound", json=sent).json()["status"] == 204
    fields = parse_qs(next(call for call in receiver.received if call.path == "/with-it").body.decode())
    assert (fields["Latitude"], fields["NumMedia"], fields["MediaContentType0"]) == (["25.7907"], ["1"], ["image/png"])
    url = sandbox + urlsplit(fields["MediaUrl0"][0]).path
    assert HTTP.get(url).status_code == 401, "a file is for the account alone"
    moved = HTTP.get(url, auth=(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN))
    assert moved.status_code == 307 and HTTP.get(sandbox + moved.headers["location"]).content == PICTURE
    assert f'src="{moved.headers["location"]}"' in phone(sandbox), "it is on the guest's phone"


def test_a_mail_shows_its_files_and_takes_an_unsubscription(sandbox: str, receiver: Receiver) -> None:
    mail = {
        "personalizations": [{"to": [{"email": MAILBOX}]}],
        "subject": "The spa",
        "from": {"email": sandbox_sendgrid.FROM_EMAIL},
        "content": [{"type": "text/html", "value": "<p>Ten per cent</p>"}],
        "headers": {
            "List-Unsubscribe": f"<mailto:stop@sandbox.example>, <{receiver.url}/stop/1>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        },
        "attachments": [
            {"content": base64.b64encode(PICTURE).decode(), "type": "image/png", "filename": "pool 1.png"},
            {"content": base64.b64encode(b"<script>").decode(), "type": "text/html", "filename": "list.html"},
        ],
    }
    bearer = {"Authorization": f"Bearer {sandbox_sendgrid.API_KEY}"}
    HTTP.post(f"{sandbox}/v3/mail/send", headers=bearer, json=mail).raise_for_status()
    until(lambda: accepted(sandbox, "sendgrid")["status"] == "delivered")
    message = accepted(sandbox, "sendgrid")["id"]
    shown = phone(sandbox)
    assert f'src="/_sandbox/files/{message}/0/pool%201.png"' in shown and ">list.html</a>" in shown
    picture = HTTP.get(f"{sandbox}/_sandbox/files/{message}/0/pool%201.png")
    assert (picture.content, picture.headers["content-type"]) == (PICTURE, "image/png")
    page = HTTP.get(f"{sandbox}/_sandbox/files/{message}/1/list.html")
    assert page.headers["content-type"] == "application/octet-stream", "nothing that was sent runs here"
    assert page.headers["content-disposition"].startswith("attachment")
    assert reads(sandbox, "sendgrid").status_code == 200
    calls = receiver.wait(lambda calls: any(b'"event":"open"' in call.body for call in calls))
    assert sum(call.body.count(b'"event":"open"') for call in calls) == 1
    asked = {"provider": "sendgrid", "id": message}
    assert HTTP.post(f"{sandbox}/_sandbox/unsubscribe", json=asked).json()["status"] == 204
    (stop,) = [call for call in receiver.received if call.path == "/stop/1"]
    assert stop.body == b"List-Unsubscribe=One-Click"
    assert HTTP.post(f"{sandbox}/_sandbox/unsubscribe", json=asked | {"id": "x"}).status_code == 404


def test_the_app_on_a_device_reports_a_notification(sandbox: str, receiver: Receiver) -> None:
    key = json.loads(default_accounts(SANDBOX_SECRET)["fcm"].env["FCM_SERVICE_ACCOUNT"])
    claims = {
        "iss": key["client_email"],
        "scope": "https://www.googleapis.com/auth/firebase.messaging",
        "iat": int(time.time()),
        "exp": int(time.time()) + 600,
    }
    bearer = jwt.encode(claims, key["private_key"], "RS256", headers={"kid": key["private_key_id"]})
    for data in ({"receipt_token": "r-1"}, {}):
        HTTP.post(
            f"{sandbox}/v1/projects/{key['project_id']}/messages:send",
            headers={"Authorization": f"Bearer {bearer}"},
            json={"message": {"token": DEVICE, "notification": {"body": "The pool is open"}, "data": data}},
        ).raise_for_status()
        until(lambda: accepted(sandbox, "fcm")["status"] == "sent")
        assert reads(sandbox, "fcm").status_code == (200 if data else 409)
    calls = receiver.wait(lambda calls: any(call.path.startswith("/app/") for call in calls))
    assert [call.path for call in calls if call.path.startswith("/app/")] == ["/app/r-1/read"]
