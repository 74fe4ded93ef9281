"""The post office: takes each step when it is due, and tells senders by signed callbacks, again until they listen."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Iterable
from typing import Any
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import RequestValidator
from yarl import URL

from bellhop.sandbox.account_registry import EVENT_FLAGS, Books, SendGridAccount, event_settings
from bellhop.sandbox.providers.twilio import overrides
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.store import Step, Store

TOKEN = "I-Twilio-Idempotency-Token"
_FLAG_OF_EVENT = {event: flag for flag, event in EVENT_FLAGS.items()}
_SENT_WORDS = frozenset({"sent", "processed"})
_LARGEST_BATCH = 500
_AT_ONCE = 64


class Post:
    """One HTTP session and a timer for each step still owed."""

    def __init__(self, store: Store, books: Books, settings: Callable[[], Settings]) -> None:
        self._store, self._books, self._settings = store, books, settings
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._outboxes: dict[str, list[Step]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Start, with everything an earlier process left owing."""
        self._gate = asyncio.Semaphore(_AT_ONCE)
        # Idle connections are given up before common servers' five seconds, so that none is used while it closes.
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=2, ttl_dns_cache=10)
        self._session = aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())
        self.schedule(self._store.owed())

    async def close(self) -> None:
        self.forget_all()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    def schedule(self, steps: Iterable[Step]) -> None:
        """Take each stored step when it is due."""
        loop, now = asyncio.get_running_loop(), time.time()
        for step in steps:
            # A time in the past is allowed: what is overdue is taken in its order.
            self._timers[step.id] = loop.call_at(loop.time() + step.due - now, self._take, step)

    def cancel(self, seq: int) -> None:
        """Nothing more will happen to this message."""
        for step in self._store.steps_of([seq])[seq]:
            if timer := self._timers.pop(step.id, None):
                timer.cancel()
        self._store.cancel_steps(seq)

    def forget_all(self) -> None:
        """Nothing more will happen to any message."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._outboxes.clear()

    def _take(self, step: Step) -> None:
        self._timers.pop(step.id, None)
        if step.applies and step.tries == 0:
            now = time.time()
            changed: dict[str, Any] = {"status": step.word, "error_code": step.code, "updated_at": now}
            if step.word in _SENT_WORDS:
                changed["sent_at"] = now
                if step.provider == "twilio":
                    changed["sender"] = step.payload["From"]
            self._store.change(step.message, **changed)
        if not step.told:
            self._settle(step, "done", "")
        elif step.provider == "twilio":
            self._start(self._tell_twilio(step))
        else:
            outbox = self._outboxes[step.account]
            outbox.append(step)
            if len(outbox) == 1:
                loop = asyncio.get_running_loop()
                loop.call_later(self._settings().sendgrid_batch_window, self._flush, step.account)

    def _settle(self, step: Step, state: str, answer: str) -> None:
        step.state, step.answer = state, answer
        self._store.settle(step)

    def _again(self, step: Step, pause: float, answer: str) -> None:
        step.tries, step.due, step.answer = step.tries + 1, time.time() + pause, answer
        if self._store.settle(step):
            self.schedule([step])

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell_twilio(self, step: Step) -> None:
        if not step.url:
            return self._settle(step, "done", "no URL")
        fields = {name: value for name, value in step.payload.items() if name != TOKEN}
        outcome, answer, _ = await self.twilio_call(step.account, step.url, fields, step.payload[TOKEN])
        _, how = overrides.split(step.url)
        if outcome == "ok":
            self._settle(step, "done", answer)
        elif how.retry(outcome, step.tries):
            self._again(step, self._settings().twilio_retry_pause * 2**step.tries, answer)
        else:
            self._settle(step, "failed", answer)

    async def twilio_call(
        self, account: str, url: str, fields: dict[str, str], token: str, *, forged: bool = False
    ) -> tuple[str, str, str]:
        """One signed webhook call: the outcome (ok, ct, rt, 4xx, 5xx), what to show of it, the body answered."""
        bare, how = overrides.split(url)
        secret = secrets.token_hex(16) if forged else self._books.twilio[account].auth_token
        signature = RequestValidator(secret).compute_signature(bare, fields)
        headers = {
            "X-Twilio-Signature": signature,
            TOKEN: token,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "Accept": "*/*",
            "User-Agent": "TwilioProxy/1.1",
        }
        timeout = aiohttp.ClientTimeout(total=how.total, sock_connect=how.connect, sock_read=how.read)
        return await self._call(bare, urlencode(fields).encode(), headers, timeout)

    async def _call(
        self, url: str, body: bytes, headers: dict[str, str], timeout: aiohttp.ClientTimeout
    ) -> tuple[str, str, str]:
        try:
            async with (
                self._gate,
                self._session.post(
                    # encoded: the URL goes out as it was given, since that is what was signed.
                    URL(url, encoded=True),
                    data=body,
                    headers=headers,
                    timeout=timeout,
                    allow_redirects=False,
                ) as answer,
            ):
                text = (await answer.content.read(4096)).decode("utf-8", "replace")
                return ("ok" if answer.status < 400 else f"{answer.status // 100}xx"), str(answer.status), text
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
            return "ct", "could not connect", ""
        except TimeoutError:
            return "rt", "no answer in time", ""
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return "ct", type(error).__name__, ""

    def _flush(self, account_id: str) -> None:
        steps = self._outboxes.pop(account_id, [])
        for start in range(0, len(steps), _LARGEST_BATCH):
            self._start(self._tell_sendgrid(account_id, steps[start : start + _LARGEST_BATCH]))

    async def _tell_sendgrid(self, account_id: str, steps: list[Step]) -> None:
        account = self._books.sendgrid[account_id]
        wanted = event_settings(account, self._settings().sendgrid_event_url)
        if not (wanted["enabled"] and wanted["url"]):
            return self._settle_all(steps, "done", "no webhook")
        for step in steps:
            if not wanted[_FLAG_OF_EVENT[step.word]]:
                self._settle(step, "done", "not enabled")
        steps = [step for step in steps if step.state == "owed"]
        if not steps:
            return
        _, answer, _ = await self.sendgrid_call(account, wanted["url"], [step.payload for step in steps])
        if answer.startswith("2"):
            return self._settle_all(steps, "done", answer)
        pauses = self._settings().sendgrid_retry_pauses
        for step in steps:
            if step.tries < len(pauses):
                self._again(step, pauses[step.tries], answer)
            else:
                self._settle(step, "failed", answer)

    async def sendgrid_call(
        self, account: SendGridAccount, url: str, events: list[dict[str, Any]], *, forged: bool = False
    ) -> tuple[str, str, str]:
        """One post of the event webhook, signed if the account wants it so; the answer as of `twilio_call`."""
        # As SendGrid writes it: one event a line, and a line end after the last, which is signed as well.
        body = ("[" + ",\r\n".join(json.dumps(event, separators=(",", ":")) for event in events) + "]\r\n").encode()
        headers = {"Content-Type": "application/json;charset=utf-8", "User-Agent": "SendGrid Event API"}
        if account.signed:
            timestamp = str(int(time.time()))
            # A forger has seen a genuine signature, of something else.
            signature = base64.b64encode(
                self._books.sign_events(account, timestamp, b"[]" if forged else body)
            ).decode()
            headers["X-Twilio-Email-Event-Webhook-Signature"] = signature
            headers["X-Twilio-Email-Event-Webhook-Timestamp"] = timestamp
        return await self._call(url, body, headers, aiohttp.ClientTimeout(total=10, sock_connect=5))

    def _settle_all(self, steps: list[Step], state: str, answer: str) -> None:
        for step in steps:
            self._settle(step, state, answer)
