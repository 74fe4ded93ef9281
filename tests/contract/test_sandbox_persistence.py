"""A sandbox that is killed forgets nothing; and the page that shows what it holds."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from bellhop.sandbox import __main__
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import Receiver, running
from tests.sandbox_accounts import sandbox_sendgrid, sandbox_twilio

HTTP = httpx2.Client()  # one for all: making one reads every certificate there is
GUEST, OURS = "+13055551234", sandbox_twilio.FROM_NUMBER


@contextmanager
def _process(db: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    command = [sys.executable, "-m", "bellhop.sandbox", "--port", "0", "--db", str(db)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "SANDBOX_TWILIO_SENT_AFTER": "0"}
    ) as process:
        assert process.stdout
        line = process.stdout.readline()
        try:
            assert line.startswith("Sandbox on http://127.0.0.1:"), line
            url = line.split()[-1]
            deadline = time.time() + 10
            while time.time() < deadline:
                try:
                    HTTP.get(f"{url}/_sandbox/health").raise_for_status()
                    break
                except httpx2.TransportError:
                    time.sleep(0.02)
            yield url, process
        finally:
            process.send_signal(signal.SIGKILL)


def _client(url: str) -> Client:
    client = Client(sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, http_client=TwilioHttpClient(timeout=5))
    client.api.base_url = url
    return client


def _states(url: str) -> list[str]:
    [message] = HTTP.get(f"{url}/_sandbox/messages").json()["data"]
    return [step["state"] for step in message["steps"]]


def test_a_killed_sandbox_still_knows_and_still_tells(tmp_path: Path) -> None:
    db = tmp_path / "deep" / "sandbox.db"
    with Receiver().open() as receiver:
        with _process(db) as (url, process):
            HTTP.put(f"{url}/_sandbox/settings", json={"twilio_delivered_after": 5})
            made = HTTP.post(f"{url}/_sandbox/accounts", json={"provider": "sendgrid"}).json()
            bearer = {"Authorization": f"Bearer {made['api_key']}"}
            HTTP.patch(f"{url}/v3/user/webhooks/event/settings", json={"url": "http://x.example"}, headers=bearer)
            HTTP.post(f"{url}/_sandbox/inbound", json={"from": "+13055559999", "body": "STOP"})
            message = _client(url).messages.create(to=GUEST, from_=OURS, body="Hi", status_callback=receiver.url)
            ends = time.monotonic() + 30
            while _states(url) != ["done", "owed"]:
                assert time.monotonic() < ends, _states(url)
                time.sleep(0.02)
            process.kill()
        time.sleep(0.3)
        assert len(receiver.received) == 1
        with _process(db) as (url, process):
            receiver.wait(lambda received: len(received) == 2)
            assert b"MessageStatus=delivered" in receiver.received[1].body
            assert _client(url).messages(message.sid).fetch().status == "delivered"
            with pytest.raises(TwilioRestException) as refused:
                _client(url).messages.create(to="+13055559999", from_=OURS, body="Hi")
            assert refused.value.code == 21610
            hook = HTTP.get(f"{url}/v3/user/webhooks/event/settings", headers=bearer).json()
            assert hook["url"] == "http://x.example"
            assert HTTP.get(f"{url}/_sandbox/settings").json()["twilio_delivered_after"] == 5


def test_listing_filters_and_clearing() -> None:
    with running(settings=Settings(twilio_sent_after=60)) as url:
        client = _client(url)
        for number in range(3):
            client.messages.create(to=f"+1305555123{number}", from_=OURS, body="Hi", status_callback="http://h.example")
        listing = f"{url}/_sandbox/messages"
        everything = HTTP.get(listing).json()
        assert [row["to"][-1] for row in everything["data"]] == ["0", "1", "2"]
        assert {row["callback_url"] for row in everything["data"]} == {"http://h.example"}
        since = everything["data"][1]["accepted_at"]
        assert HTTP.get(listing, params={"since": since}).json()["total"] == 2
        assert HTTP.get(listing, params={"to": "+13055551231"}).json()["total"] == 1
        assert HTTP.get(listing, params={"provider": "sendgrid"}).json() == {"data": [], "total": 0}
        page = HTTP.get(listing, params={"limit": 1, "offset": 1}).json()
        assert (page["data"][0]["to"], page["total"]) == ("+13055551231", 3)
        assert HTTP.get(listing, params={"since": "yesterday"}).status_code == 422
        assert HTTP.delete(listing).json() == {"deleted": 3}
        assert HTTP.get(listing).json()["total"] == 0


def test_settings_are_checked() -> None:
    with running() as url:
        assert HTTP.put(f"{url}/_sandbox/settings", json={"twilio_sent_after": -1}).status_code == 422
        assert HTTP.put(f"{url}/_sandbox/settings", json={"nonsense": 1}).status_code == 422
        assert HTTP.put(f"{url}/_sandbox/settings", json={"twilio_sent_after": 2}).json()["twilio_sent_after"] == 2


def test_the_page_shows_messages_and_lets_nothing_out() -> None:
    hostile = "</iframe><script>alert(1)</script>\"'><b>"
    with running() as url:
        _client(url).messages.create(to=GUEST, from_=OURS, body=f"text {hostile}")
        HTTP.post(f"{url}/_sandbox/inbound", json={"from": GUEST, "body": f"reply {hostile}"})
        HTTP.post(
            f"{url}/v3/mail/send",
            headers={"Authorization": f"Bearer {sandbox_sendgrid.API_KEY}"},
            json={
                "personalizations": [{"to": [{"email": "jordan@example.com"}]}],
                "subject": f"subject {hostile}",
                "from": {"email": OURS[1:] + "@sandbox.example", "name": hostile},
                "content": [{"type": "text/html", "value": f"<p>{hostile}</p>"}],
            },
        ).raise_for_status()
        answer = HTTP.get(url)
        assert answer.status_code == 200
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert re.findall("<script[^>]*>", answer.text) == ['<script src="/_sandbox/page.js" defer>']
        assert [answer.text.count(word) for word in ("text &lt;", "reply &lt;", "subject &lt;")] == [1, 1, 2]
        assert 'sandbox="" srcdoc="&lt;p&gt;' in answer.text
        assert HTTP.get(f"{url}/_sandbox/page.js").headers["content-type"].startswith("text/javascript")


def test_the_phone_shows_one_guest_over_all_channels() -> None:
    hostile = "</iframe><script>alert(1)</script>\"'><b>"
    mail = {
        "personalizations": [{"to": [{"email": "jordan@example.com"}]}],
        "subject": f"subject {hostile}",
        "from": {"email": sandbox_sendgrid.FROM_EMAIL},
        "content": [{"type": "text/html", "value": f"<p>{hostile}</p>"}],
    }
    with running() as url:
        _client(url).messages.create(to=GUEST, from_=OURS, body=f"text {hostile}")
        _client(url).messages.create(to="+13055559999", from_=OURS, body="somebody else's")
        HTTP.post(f"{url}/_sandbox/inbound", json={"from": GUEST, "body": "an answer"})
        bearer = {"Authorization": f"Bearer {sandbox_sendgrid.API_KEY}"}
        HTTP.post(f"{url}/v3/mail/send", headers=bearer, json=mail).raise_for_status()
        unnamed = HTTP.get(f"{url}/phone", params={"guest": GUEST}).text
        assert ("text &lt;" in unnamed, "subject &lt;/iframe" in unnamed.partition("<main")[2]) == (True, False)

        asked = {"name": f"Jordan {hostile}", "addresses": [f"whatsapp:{GUEST}", "jordan@example.com"]}
        assert HTTP.put(f"{url}/_sandbox/guests/jordan", json=asked).json()["addresses"] == [
            GUEST,
            "jordan@example.com",
        ]
        answer = HTTP.get(f"{url}/phone", params={"guest": "jordan"})
        shown = answer.text.partition("<main")[2]
        assert [word in shown for word in ("text &lt;", "subject &lt;", "an answer", "somebody else")] == [True] * 3 + [
            False
        ]
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert re.findall("<script[^>]*>", answer.text) == ['<script src="/_sandbox/phone.js" defer>']
        assert HTTP.get(f"{url}/_sandbox/phone.js").headers["content-type"].startswith("text/javascript")
        assert len(re.findall('<li id="g-', answer.text)) == 2, "two guests, one of them over two channels"

        # An address belongs to whoever was given it last.
        HTTP.put(f"{url}/_sandbox/guests/sam", json={"name": "Sam", "addresses": ["jordan@example.com"]})
        mine = HTTP.get(f"{url}/phone", params={"guest": "jordan"}).text.partition("<main")[2]
        assert ("text &lt;" in mine, "subject &lt;" in mine) == (True, False)


def test_the_command_line_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    shown = capsys.readouterr().out
    for word in ("--db", "SANDBOX_TWILIO_INBOUND_URL", "accept_then_reset", "/_sandbox/faults"):
        assert word in shown
    assert __main__.main(["--accounts"]) == 0
    assert f"TWILIO_ACCOUNT_SID={sandbox_twilio.ACCOUNT_SID}" in capsys.readouterr().out
