"""SendGrid's v3 API over HTTP: mail/send, the settings of the event webhook, and the routes of the Email Activity.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults, kept_files
from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.providers.sendgrid import accounts, checks, scenarios
from bellhop.sandbox.providers.sendgrid.accounts import SendGridAccount
from bellhop.sandbox.providers.sendgrid.activity import EmailActivity
from bellhop.sandbox.providers.sendgrid.checks import Problem, reply
from bellhop.sandbox.providers.sendgrid.events import EVENT_FLAGS, event, event_settings
from bellhop.sandbox.state import Handler
from bellhop.sandbox.store import Message, PlannedStep, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.sendgrid.simulator import SendGrid

_LARGEST = 30 * 1024 * 1024
_SETTABLE = frozenset({"enabled", "url", "oauth_client_id", "oauth_token_url", "oauth_client_secret", *EVENT_FLAGS})

AccountHandler = Callable[[Request, SendGridAccount], Awaitable[Response]]


def mount(app: FastAPI, sendgrid: SendGrid) -> None:
    """Routes without FastAPI's validation: what is wrong with a call is for SendGrid's own errors to say."""
    calls, activity, recorded = _Calls(sendgrid), EmailActivity(sendgrid, _fault_error), sendgrid.state.recorded
    routes: tuple[tuple[str, str, AccountHandler], ...] = (
        ("/v3/mail/send", "POST", calls.send),
        ("/v3/messages", "GET", activity.search),
        ("/v3/messages/{message_id}", "GET", activity.fetch),
        ("/v3/user/webhooks/event/settings", "GET", calls.settings),
        ("/v3/user/webhooks/event/settings", "PATCH", calls.change_settings),
        ("/v3/user/webhooks/event/settings/signed", "GET", calls.signed),
        ("/v3/user/webhooks/event/settings/signed", "PATCH", calls.change_signed),
    )
    for path, method, handler in routes:
        app.add_route(path, recorded("sendgrid", calls.authenticated(handler)), methods=[method])
    app.add_route(
        "/v3/{rest:path}",
        recorded("sendgrid", calls.nothing_here),
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    )


def _json(content: Any) -> Response:
    return Response(json.dumps(content), 200, media_type="application/json")


def _fault_error(asked: FaultRequest, status: int) -> Response:
    usual = checks.BY_STATUS.get(status, Problem("Error"))
    answer = reply(status, Problem(asked.message) if asked.message else usual)
    if status == 429:
        answer.headers["X-RateLimit-Limit"], answer.headers["X-RateLimit-Remaining"] = "600", "0"
        answer.headers["X-RateLimit-Reset"] = str(int(time.time() + (asked.retry_after or 1)) + 1)
    return answer


class _Calls:
    def __init__(self, sendgrid: SendGrid) -> None:
        self._sendgrid = sendgrid
        self._state = sendgrid.state

    def authenticated(self, handler: AccountHandler) -> Handler:
        async def call(request: Request) -> Response:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or not key:
                return reply(401, checks.NO_KEY)
            account = self._sendgrid.account_of(key.strip())
            return await handler(request, account) if account else reply(401, checks.BAD_KEY)

        return call

    async def nothing_here(self, request: Request) -> Response:
        return reply(404, checks.NOT_FOUND)

    async def send(self, request: Request, account: SendGridAccount) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return reply(415, checks.BAD_TYPE)
        body = await request.body()
        if len(body) > _LARGEST:
            return reply(413, checks.TOO_LARGE)
        try:
            mail = json.loads(body)
        except ValueError:
            return reply(400, checks.BAD_JSON)
        wrong = checks.problems(mail)

        def accept() -> Response:
            return reply(400, *wrong) if wrong else self._accept(mail, account)

        recipients = [] if wrong else [entry["email"] for row in mail["personalizations"] for entry in _all(row)]
        return await faults.through(self._state.call_fault("sendgrid", recipients), request, accept, _fault_error)

    def _accept(self, mail: dict[str, Any], account: SendGridAccount) -> Response:
        if account.from_emails and mail["from"]["email"].casefold() not in account.from_emails:
            return reply(403, checks.NOT_VERIFIED)
        if ((mail.get("mail_settings") or {}).get("sandbox_mode") or {}).get("enable"):
            return Response(status_code=200)  # validated, never sent
        message_id, moment = secrets.token_urlsafe(16), now()
        infix, files = ".filterdrecv-sandbox-1-", self._files(mail, message_id)
        everybody = [(row, entry["email"]) for row in mail["personalizations"] for entry in _all(row)]
        accepted = [
            # Each recipient's copy has an id of its own, which all of its events bear.
            self._one(mail, row, to, account, f"{message_id}{infix}{int(moment):X}-{number}.0", moment, files)
            for number, (row, to) in enumerate(everybody)
        ]
        self._state.accept(accepted)
        return Response(status_code=202, headers={"X-Message-Id": message_id})

    def _files(self, mail: dict[str, Any], message_id: str) -> list[dict[str, Any]]:
        """Keep what is attached, and say what it is."""
        return [
            kept_files.keep(
                self._state.store, f"{message_id}/{at}", str(part["filename"]), part.get("type"), str(part["content"])
            )
            for at, part in enumerate(mail.get("attachments") or [])
        ]

    def _one(
        self,
        mail: dict[str, Any],
        row: dict[str, Any],
        to: str,
        account: SendGridAccount,
        sg_message_id: str,
        moment: float,
        files: list[dict[str, Any]],
    ) -> tuple[Message, list[PlannedStep]]:
        blocks = {block["type"]: block["value"] for block in reversed(mail.get("content") or [])}
        template = {
            name: found
            for name, found in (
                ("template_id", mail.get("template_id")),
                ("dynamic_template_data", row.get("dynamic_template_data")),
            )
            if found
        }
        custom_args = {**(mail.get("custom_args") or {}), **(row.get("custom_args") or {})}
        message = Message(
            provider="sendgrid",
            id=sg_message_id.partition(".")[0],
            account=account.id,
            recipient=to,
            sender=mail["from"]["email"],
            subject=row.get("subject") or mail.get("subject"),
            content=blocks.get("text/plain", "" if "text/html" in blocks else json.dumps(template)),
            html=blocks.get("text/html"),
            status="accepted",
            accepted_at=moment,
            custom_args=custom_args,
            detail={
                "sg_message_id": sg_message_id,
                "from_name": mail["from"].get("name"),
                "reply_to": mail.get("reply_to"),
                "headers": {**(mail.get("headers") or {}), **(row.get("headers") or {})},
                "categories": mail.get("categories") or [],
                "asm": mail.get("asm"),
                **template,
                "attachments": [part.get("filename") for part in mail.get("attachments") or []],
                "files": files,
            },
        )
        start = max(moment, float(row.get("send_at") or mail.get("send_at") or 0))
        steps = self._sendgrid.planned(message, scenarios.EMAIL, start, lambda step, due: event(message, step, due))
        if message.html is None and not template:
            # Opens are seen by a picture, clicks by rewritten links: a mail of plain text has neither.
            steps = [step for step in steps if step.word not in scenarios.TRACKED_IN_HTML]
        return message, steps

    async def settings(self, request: Request, account: SendGridAccount) -> Response:
        return _json(event_settings(account, self._sendgrid.settings.sendgrid_event_url))

    async def change_settings(self, request: Request, account: SendGridAccount) -> Response:
        changed = await _object(request)
        if changed is None or not changed.keys() <= _SETTABLE:
            return reply(400, checks.BAD_JSON)
        account = replace(account, event={**account.event, **changed})
        self._sendgrid.accounts.put(account)
        return await self.settings(request, account)

    async def signed(self, request: Request, account: SendGridAccount) -> Response:
        public = accounts.webhook_public_key(account.private_key) if account.signed else ""
        return _json({"public_key": public})

    async def change_signed(self, request: Request, account: SendGridAccount) -> Response:
        changed = await _object(request)
        if changed is None or not isinstance(changed.get("enabled"), bool):
            return reply(400, checks.BAD_JSON)
        account = replace(account, signed=changed["enabled"])
        self._sendgrid.accounts.put(account)
        return await self.signed(request, account)


def _all(row: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry for role in ("to", "cc", "bcc") for entry in row.get(role) or []]


async def _object(request: Request) -> dict[str, Any] | None:
    try:
        found = json.loads(await request.body())
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
