"""The sandbox's SendGrid, driven by SendGrid's own SDK: mail/send, its errors, the signed event webhook."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.eventwebhook import EventWebhook, EventWebhookHeader
from sendgrid.helpers.mail import CustomArg, Mail, Personalization, To

from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import ReceivedCall, Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

HTTP = httpx2.Client()  # one for all: making one reads every certificate there is
QUICK = Settings(
    sendgrid_processed_after=0.02,
    sendgrid_delivered_after=0.12,
    sendgrid_open_after=0.22,
    sendgrid_batch_window=0.02,
    sendgrid_retry_pauses=[0.05, 0.05],
)
GUEST = "jordan@example.com"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running(settings=QUICK) as url:
        yield url


@pytest.fixture
def receiver(sandbox: str) -> Iterator[Receiver]:
    with Receiver().open() as receiver:
        HTTP.put(f"{sandbox}/_sandbox/settings", json={"sendgrid_event_url": f"{receiver.url}/events"})
        yield receiver


@pytest.fixture
def client(sandbox: str) -> SendGridAPIClient:
    HTTP.delete(f"{sandbox}/_sandbox/messages")
    return _client(sandbox, sandbox_sendgrid.API_KEY)


def _client(sandbox: str, key: str) -> SendGridAPIClient:
    client = SendGridAPIClient(key, host=sandbox)
    client.client.timeout = 5
    return client


def _mail(to: str = GUEST, **arguments: str) -> Mail:
    mail = Mail(
        from_email=(sandbox_sendgrid.FROM_EMAIL, "The Grand"),
        subject="Welcome",
        plain_text_content="Hello",
        html_content="<p>Hello</p>",
    )
    personalization = Personalization()
    personalization.add_to(To(to))
    for name, value in arguments.items():
        personalization.add_custom_arg(CustomArg(name, value))
    mail.add_personalization(personalization)
    return mail


def _events(received: list[ReceivedCall]) -> list[dict[str, Any]]:
    return [event for one in received for event in json.loads(one.body)]


def _words(received: list[ReceivedCall]) -> list[str]:
    return [event["event"] for event in _events(received)]


def test_accepted_mail_becomes_signed_events(client: SendGridAPIClient, receiver: Receiver) -> None:
    answer = client.send(_mail(omsg_id="omsg_1"))
    assert (answer.status_code, answer.body) == (202, b"")
    message_id = answer.headers["X-Message-Id"]
    received = receiver.wait(lambda received: len(_words(received)) == 3)
    verifier = EventWebhook(sandbox_sendgrid.WEBHOOK_PUBLIC_KEY)
    for one in received:
        signature, timestamp = one.headers[EventWebhookHeader.SIGNATURE], one.headers[EventWebhookHeader.TIMESTAMP]
        assert one.path == "/events"
        assert one.body.endswith(b"]\r\n")
        assert abs(int(timestamp) - time.time()) < 5
        assert verifier.verify_signature(one.body.decode(), signature, timestamp)
        assert not verifier.verify_signature(one.body.decode().rstrip(), signature, timestamp)
    events = _events(received)
    assert [event["event"] for event in events] == ["processed", "delivered", "open"]
    assert len({event["sg_event_id"] for event in events}) == 3
    for event in events:
        assert event["omsg_id"] == "omsg_1"
        assert event["email"] == GUEST
        assert event["sg_message_id"].startswith(f"{message_id}.filter")
        assert isinstance(event["timestamp"], int)


def test_the_message_is_shown_as_it_was_sent(client: SendGridAPIClient, sandbox: str) -> None:
    client.send(_mail(omsg_id="omsg_2"))
    listed = HTTP.get(f"{sandbox}/_sandbox/messages", params={"provider": "sendgrid", "to": GUEST}).json()
    [message] = listed["data"]
    expected = {
        "provider": "sendgrid",
        "to": GUEST,
        "from": sandbox_sendgrid.FROM_EMAIL,
        "subject": "Welcome",
        "content": "Hello",
        "html": "<p>Hello</p>",
        "custom_args": {"omsg_id": "omsg_2"},
        "callback_url": None,
    }
    assert listed["total"] == 1
    assert expected.items() <= message.items()


def test_events_of_many_mails_share_a_post(client: SendGridAPIClient, receiver: Receiver, sandbox: str) -> None:
    mail = _mail(n="0").get()
    mail["personalizations"] = [
        {"to": [{"email": f"guest{n}@example.com"}], "custom_args": {"n": str(n)}} for n in range(20)
    ]
    assert client.send(mail).status_code == 202
    received = receiver.wait(lambda received: len(_words(received)) == 60)
    assert len(received) < 20
    assert {event["n"] for event in _events(received)} == {str(n) for n in range(20)}
    assert HTTP.get(f"{sandbox}/_sandbox/messages", params={"limit": 5}).json()["total"] == 20


@pytest.mark.parametrize("to", ["plain@example.com", "click@example.com", "machineopen@example.com"])
def test_a_mail_of_plain_text_is_never_opened(client: SendGridAPIClient, receiver: Receiver, to: str) -> None:
    mail = _mail(to).get()
    mail["content"] = [{"type": "text/plain", "value": "Hello"}]
    assert client.send(mail).status_code == 202
    client.send(_mail("after@example.com"))
    received = receiver.wait(lambda received: "open" in _words(received))
    assert [event["event"] for event in _events(received) if event["email"] == to] == ["processed", "delivered"]


def test_events_are_posted_again_until_taken(client: SendGridAPIClient, receiver: Receiver) -> None:
    receiver.answers = [500, 400]
    client.send(_mail("noopen@example.com"))
    received = receiver.wait(lambda received: len(_events(received)) >= 4 and "delivered" in _words(received[2:]))
    first = _events(received)[0]
    assert [event for event in _events(received[1:]) if event["sg_event_id"] == first["sg_event_id"]] != []


REFUSED: list[tuple[dict[str, Any], str | None]] = [
    ({"personalizations": None}, "personalizations"),
    ({"personalizations": [{}]}, "personalizations.0.to"),
    ({"personalizations": [{"to": [{"email": "nobody"}]}]}, "personalizations.0.to.0.email"),
    ({"personalizations": [{"to": [{"email": GUEST}], "cc": [{"email": GUEST.upper()}]}]}, "personalizations.0"),
    ({"personalizations": [{"to": [{"email": GUEST}], "custom_args": {"n": 1}}]}, "personalizations.0.custom_args"),
    ({"personalizations": [{"to": GUEST}]}, "personalizations.0.to"),
    ({"categories": 7}, "categories"),
    ({"headers": ["x"]}, "headers"),
    ({"asm": "x"}, "asm"),
    ({"content": ["x"]}, "content.0.value"),
    ({"attachments": ["x"]}, "attachments.0"),
    ({"mail_settings": {"sandbox_mode": 1}}, "mail_settings.sandbox_mode"),
    ({"from": None}, "from.email"),
    ({"from": {"email": "x"}}, "from.email"),
    ({"subject": ""}, "subject"),
    ({"content": None}, "content"),
    ({"content": [{"type": "text/plain", "value": ""}]}, "content.0.value"),
    ({"content": [{"type": "text/html", "value": "x"}, {"type": "text/plain", "value": "x"}]}, "content.0.type"),
    ({"custom_args": {"n": "x" * 10_000}}, "custom_args"),
    ({"categories": ["x"] * 11}, "categories"),
    ({"headers": {"Subject": "x"}}, "headers.Subject"),
    ({"send_at": 99_999_999_999}, "send_at"),
]


@pytest.mark.parametrize(("changed", "field"), REFUSED)
def test_what_is_wrong_is_refused_by_field(
    client: SendGridAPIClient, sandbox: str, changed: dict[str, Any], field: str | None
) -> None:
    with pytest.raises(HTTPError) as refused:
        client.send({**_mail().get(), **changed})
    assert refused.value.status_code == 400
    errors = refused.value.to_dict["errors"]
    assert field in [error["field"] for error in errors]
    assert all(error.keys() == {"message", "field", "help"} for error in errors)
    assert HTTP.get(f"{sandbox}/_sandbox/messages").json()["total"] == 0


def test_a_wrong_key_a_wrong_type_and_too_much(sandbox: str) -> None:
    with pytest.raises(HTTPError) as refused:
        _client(sandbox, sandbox_sendgrid.API_KEY + "x").send(_mail())
    assert refused.value.status_code == 401
    url, headers = f"{sandbox}/v3/mail/send", {"Authorization": f"Bearer {sandbox_sendgrid.API_KEY}"}
    assert HTTP.post(url).status_code == 401
    assert HTTP.post(url, headers=headers, data={"a": "b"}).status_code == 415
    json_headers = {**headers, "Content-Type": "application/json"}
    assert HTTP.post(url, headers=json_headers, content=b"{").status_code == 400
    assert HTTP.post(url, headers=json_headers, content=b" " * (30 * 1024 * 1024 + 1)).status_code == 413


def test_sandbox_mode_sends_nothing(client: SendGridAPIClient, sandbox: str) -> None:
    mail = {**_mail().get(), "mail_settings": {"sandbox_mode": {"enable": True}}}
    assert client.send(mail).status_code == 200
    assert HTTP.get(f"{sandbox}/_sandbox/messages").json()["total"] == 0


def test_an_account_of_its_own_settings_key_and_senders(sandbox: str) -> None:
    made = HTTP.post(
        f"{sandbox}/_sandbox/accounts", json={"provider": "sendgrid", "from_emails": ["stay@sandbox.example"]}
    ).json()
    client = _client(sandbox, made["api_key"])
    with Receiver().open() as receiver:
        hook = client.client.user.webhooks.event.settings
        changed = hook.patch(request_body={"enabled": True, "url": receiver.url, "open": False}).to_dict
        assert changed == hook.get().to_dict
        assert (changed["url"], changed["open"], changed["delivered"]) == (receiver.url, False, True)
        assert hook.signed.get().to_dict == {"public_key": made["webhook_public_key"]}
        client.send(_mail())
        received = receiver.wait(lambda received: "delivered" in _words(received))
        assert EventWebhook(made["webhook_public_key"]).verify_signature(
            received[0].body.decode(),
            received[0].headers[EventWebhookHeader.SIGNATURE],
            received[0].headers[EventWebhookHeader.TIMESTAMP],
        )
        assert hook.signed.patch(request_body={"enabled": False}).to_dict == {"public_key": ""}
        client.send(_mail("noopen@example.com"))
        received = receiver.wait(lambda received: _words(received).count("delivered") == 2)
        assert EventWebhookHeader.SIGNATURE not in received[-1].headers
        assert "open" not in _words(received)
    with pytest.raises(HTTPError) as refused:
        client.send({**_mail().get(), "from": {"email": "else@sandbox.example"}})
    assert refused.value.status_code == 403


def test_the_constants_have_the_providers_shapes() -> None:
    key_id, secret = sandbox_sendgrid.API_KEY.split(".")[1:]
    assert (len(key_id), len(secret)) == (22, 43)
    assert EventWebhook(sandbox_sendgrid.WEBHOOK_PUBLIC_KEY).public_key is not None
    assert len(sandbox_twilio.ACCOUNT_SID) == 34
