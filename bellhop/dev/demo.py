"""What a new user sees happen: messages on every channel sent, followed and shown, through the public API only."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from standardwebhooks import Webhook, WebhookVerificationError

from bellhop.dev.console import Console
from bellhop.dev.demo_messages import DEVICE, GUEST, MAILBOX, OPTED_OUT, PHONE, SAMPLES, TEMPLATE, Sample, picture
from bellhop.dev.stack import EmbeddedStack
from bellhop.domain import signing

AHEAD = timedelta(seconds=4)
PATIENCE = 60.0
FROM = "+15005550006"
"""The number that the sandbox's account has."""
ANSWER = "Could we get a late checkout?"
MARK = "the demonstration's receiver"

NAMED = "jordan"
"""What the sandbox calls the guest whose phone it shows."""
JORDANS_PHONE = {"name": "Jordan Mitchell", "addresses": [PHONE, MAILBOX, DEVICE]}


class DemoFailed(Exception):
    """Something did not happen that should have; the message says what, and where to look."""


class Demo:
    """The demonstration against one running stack."""

    def __init__(self, stack: EmbeddedStack, console: Console) -> None:
        assert stack.prepared is not None
        self._stack = stack
        self._console = console
        self._key = stack.prepared.api_key
        self._api = httpx2.Client(
            base_url=stack.api_url, headers={"Authorization": f"Bearer {self._key}"}, trust_env=False, timeout=30
        )
        self._hook = f"{stack.receiver_url}/hooks/demo"

    def run(self) -> int:
        """Run it. Returns 0 when each message ended as it was to and every expected webhook came and bears a right
        signature."""
        try:
            guest_id = self._prepare()
            endpoint = self._endpoint()
            sent = [self._send(sample, guest_id) for sample in SAMPLES]
            for sample, message in zip(SAMPLES, sent, strict=True):
                self._follow(sample, message)
            self._answer()
            hooks = self._webhooks(
                endpoint, {message["id"]: sample for sample, message in zip(SAMPLES, sent, strict=True)}
            )
        except (DemoFailed, httpx2.HTTPError) as problem:
            self._console.say(f"\nThe demonstration did not end well: {problem}")
            self._console.say(f"Logs: {self._stack.paths.logs}")
            return 1
        for sample, message in zip(SAMPLES, sent, strict=True):
            self._timeline(sample, message)
        self._show_webhooks(hooks)
        self._sandbox("PUT", f"guests/{NAMED}", {**JORDANS_PHONE, "app": f"{self._stack.receiver_url}/app"})
        return 0

    def has_history(self) -> int:
        """How many messages this property has already."""
        return int(self._call("GET", "/v1/messaging?limit=1")["total"])

    def farewell(self) -> None:
        """Where everything is, and a command to paste."""
        stack = self._stack
        body = json.dumps({"channel": "sms", "recipient": PHONE, "content": "Hello from Bellhop."})
        self._console.say(
            f"""
Bellhop is up.
  API and its documentation   {stack.api_url}/docs
  Temporal Web UI             {stack.temporal_ui_url}
  Sandbox (what guests see)   {stack.sandbox_url}
  A guest's phone             {stack.sandbox_url}/phone?guest={NAMED}
  The guest's app (in_app)    {stack.receiver_url}/app/
  API key (test environment)  {self._key}
  Everything for programs     {stack.paths.dev_json}

Send a message yourself:
  curl -X POST {stack.api_url}/v1/messaging/send \\
    -H "Authorization: Bearer {self._key}" \\
    -H "Content-Type: application/json" \\
    -d '{body}'

See what became of it (or of any message) in another terminal, with the id from the answer:
  {_command()} timeline omsg_…

Ctrl-C stops everything and keeps the data."""
        )

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = self._api.request(method, path, json=body)
        if answer.status_code >= 400:
            raise DemoFailed(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def _prepare(self) -> str:
        """A guest and a template at the property; at the sandbox the guest's phone, a WhatsApp message of theirs, and
        somebody who says STOP. Returns the guest's id."""
        guest = self._call("POST", "/v1/guests", GUEST)
        self._call("POST", "/v1/templates", TEMPLATE)
        # Without the app, which would take the in-app message at once where somebody looks at the phone.
        self._sandbox("PUT", f"guests/{NAMED}", JORDANS_PHONE)
        said = "Hello, can you help us?"
        self._sandbox("POST", "inbound", {"from": f"whatsapp:{PHONE}", "to": f"whatsapp:{FROM}", "body": said})
        self._sandbox("POST", "inbound", {"from": OPTED_OUT, "to": FROM, "body": "STOP"})
        return str(guest["id"])

    def _sandbox(self, method: str, path: str, body: Mapping[str, Any]) -> None:
        url = f"{self._stack.sandbox_url}/_sandbox/{path}"
        answer = httpx2.request(method, url, json=body, trust_env=False, timeout=30)
        if answer.status_code >= 300:
            raise DemoFailed(f"{method} {url} was answered {answer.status_code}: {answer.text[:300]}")

    def _endpoint(self) -> dict[str, Any]:
        found: dict[str, Any] | None = None
        for endpoint in self._call("GET", "/v1/webhooks?limit=200")["data"]:
            if endpoint["description"] != MARK:
                continue
            if endpoint["url"] == self._hook and endpoint["is_active"]:
                found = endpoint
            else:
                # Of an earlier start, whose receiver listened elsewhere.
                self._call("DELETE", f"/v1/webhooks/{endpoint['id']}")
        return found or dict(self._call("POST", "/v1/webhooks", {"url": self._hook, "description": MARK}))

    def _send(self, sample: Sample, guest_id: str) -> dict[str, Any]:
        at = (datetime.now(UTC) + AHEAD).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        body = {**sample.message, "scheduled_at": at}
        if sample.to_guest:
            body["recipient"] = guest_id
        if sample.with_picture:
            body["media"] = [{"asset_id": self._upload()}]
        sent: dict[str, Any] = self._call("POST", "/v1/messaging/send", body)
        self._console.say(f"  {sent['channel']:<8} {sent['id']} accepted, due {sent['scheduled_at']}: {sample.label}")
        return sent

    def _upload(self) -> str:
        answer = self._api.post("/v1/assets", files={"file": ("evening.png", picture(), "image/png")})
        if answer.status_code != 201:
            raise DemoFailed(f"POST /v1/assets was answered {answer.status_code}: {answer.text[:300]}")
        return str(answer.json()["id"])

    def _follow(self, sample: Sample, message: Mapping[str, Any]) -> None:
        began = time.monotonic()
        with self._console.step(sample.label) as step:
            while time.monotonic() - began < PATIENCE:
                seen = self._call("GET", f"/v1/messaging/{message['id']}")
                step.note(seen["status"])
                code = (seen["metadata"].get("error") or {}).get("code")
                if seen["status"] in sample.wanted and code == sample.code:
                    step.label = f"{sample.label}: {seen['status']}{f' ({code})' if code else ''}"
                    return
                if seen["status"] in ("failed", "cancelled"):
                    raise DemoFailed(f"{message['id']} ended as {seen['status']}: {seen['metadata'].get('error')}")
                time.sleep(0.1)
        raise DemoFailed(f"{message['id']} is still {seen['status']} after {PATIENCE:.0f} s")

    def _answer(self) -> None:
        """The guest answers, and what they want is found in it."""
        known = self._intents()
        label = f"a guest writes {ANSWER!r}"
        with self._console.step(label) as step:
            self._sandbox("POST", "inbound", {"from": PHONE, "to": FROM, "body": ANSWER})
            began = time.monotonic()
            while time.monotonic() - began < PATIENCE:
                if new := [kind for key, kind in self._intents().items() if key not in known]:
                    step.label = f"{label}: {', '.join(new)}"
                    return
                time.sleep(0.1)
        raise DemoFailed(f"nothing was found in {ANSWER!r} within {PATIENCE:.0f} s")

    def _intents(self) -> dict[str, str]:
        return {one["id"]: one["type"] for one in self._call("GET", "/v1/intents")["data"]}

    def _webhooks(self, endpoint: Mapping[str, Any], samples: Mapping[str, Sample]) -> list[dict[str, Any]]:
        """The deliveries about our messages: complete, in order for each message, and rightly signed twice."""
        expected = {one: list(sample.events) for one, sample in samples.items()}
        began = time.monotonic()
        with self._console.step("signed webhooks") as step:
            while True:
                ours = [self._verified(endpoint, hook) for hook in self._received(list(samples))]
                types = {one: [hook["type"] for hook in ours if hook["data"]["id"] == one] for one in samples}
                step.note(f"{len(ours)} of {sum(map(len, expected.values()))}")
                if types == expected:
                    step.label = f"{len(ours)} webhooks received and verified"
                    return ours
                if time.monotonic() - began > PATIENCE:
                    raise DemoFailed(f"webhooks expected {expected}, received {types}")
                time.sleep(0.1)

    def _received(self, ids: list[str]) -> list[dict[str, Any]]:
        """What the receiver was sent about our messages; it also remembers earlier demonstrations."""
        hooks = httpx2.get(self._hook, trust_env=False).json()
        return [hook for hook in hooks if json.loads(hook["body"])["data"].get("id") in ids]

    def _verified(self, endpoint: Mapping[str, Any], hook: Mapping[str, Any]) -> dict[str, Any]:
        body, headers, secret = hook["body"].encode(), hook["headers"], endpoint["secret"]
        at = datetime.fromisoformat(hook["received_at"])
        if not signing.verify(secret, headers, body, now=at):
            raise DemoFailed("a webhook's EscapeLife-Signature is wrong")
        if abs(at - datetime.now(UTC)) < timedelta(minutes=4):
            try:
                Webhook(secret).verify(body, headers)
            except WebhookVerificationError as problem:
                raise DemoFailed(f"a webhook's Standard Webhooks signature is wrong: {problem}") from None
        return {**json.loads(body), "received_at": hook["received_at"]}

    def _timeline(self, sample: Sample, message: Mapping[str, Any]) -> None:
        self._console.say(f"\n{message['channel']} {message['id']}: {sample.label}")
        for line in lines(self._call("GET", f"/v1/messaging/{message['id']}/timeline")):
            self._console.say("  " + line)

    def _show_webhooks(self, hooks: list[dict[str, Any]]) -> None:
        self._console.say("\nWebhooks received (signature verified)")
        for hook in hooks:
            self._console.say(f"  {hook['received_at']}  {hook['type']:<18} {hook['id']}  {hook['data']['id']}")


def _command() -> str:
    """`bellhop` as the person can type it here: it is on PATH only inside the virtual environment."""
    on_path = shutil.which("bellhop")
    return "bellhop" if on_path and Path(on_path).parent == Path(sys.executable).parent else sys.argv[0]


def lines(timeline: Mapping[str, Any]) -> list[str]:
    """A timeline as lines: when, what, and whose id."""
    shown = []
    for entry in timeline["data"]:
        rest = [str(entry[name]) for name in ("provider", "provider_id", "event", "code", "detail") if entry.get(name)]
        if error := entry.get("error"):
            rest.append(f"{error['code']}: {error['message']}")
        if step := entry.get("step"):
            rest.append(f"[{step['channel']}, {step['cost']}]")
        shown.append(f"{entry['at']}  {entry['what']:<22} {'  '.join(rest)}".rstrip())
    return shown
