"""Twilio's Messages resource over HTTP: create, list, fetch, update, delete, with its own errors.

https://www.twilio.com/docs/messaging/api/message-resource
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults, media
from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.providers.twilio import contents, errors, whatsapp
from bellhop.sandbox.providers.twilio.accounts import TwilioAccount
from bellhop.sandbox.providers.twilio.errors import Refused
from bellhop.sandbox.providers.twilio.messages import (
    API_VERSION,
    callback,
    checked,
    compose,
    one,
    rendered,
    rendered_media,
    usual_steps,
)
from bellhop.sandbox.state import Handler
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.twilio.simulator import Twilio

_ROOT = f"/{API_VERSION}/Accounts/{{account}}/Messages"
_FINAL = frozenset({"delivered", "undelivered", "failed", "canceled", "read", "received"})

AccountHandler = Callable[[Request, TwilioAccount], Awaitable[Response]]


def mount(app: FastAPI, twilio: Twilio) -> None:
    """Routes without FastAPI's validation: what is wrong with a call is for Twilio's own errors to say."""
    calls, recorded = _Calls(twilio), twilio.state.recorded
    routes: tuple[tuple[str, str, AccountHandler], ...] = (
        (f"{_ROOT}.json", "POST", calls.create),
        (f"{_ROOT}.json", "GET", calls.list),
        (f"{_ROOT}/{{sid}}.json", "GET", calls.fetch),
        (f"{_ROOT}/{{sid}}.json", "POST", calls.update),
        (f"{_ROOT}/{{sid}}.json", "DELETE", calls.delete),
        (f"{_ROOT}/{{sid}}/Media.json", "GET", calls.media),
        (f"{_ROOT}/{{sid}}/Media/{{file}}", "GET", calls.file),
        (f"{_ROOT}/{{sid}}/Media/{{file}}", "DELETE", calls.delete_file),
    )
    for path, method, handler in routes:
        app.add_route(path, recorded("twilio", calls.authenticated(handler)), methods=[method])
    contents.mount(app, twilio, calls.authenticated)
    app.add_route(
        f"/{API_VERSION}/{{rest:path}}",
        recorded("twilio", calls.nothing_here),
        methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
    )


def _json(content: Any, status: int = 200) -> Response:
    return Response(
        json.dumps(content),
        status,
        {"Twilio-Request-Id": f"RQ{secrets.token_hex(16)}", "Twilio-Concurrent-Requests": "1"},
        "application/json",
    )


def _credentials(request: Request) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return (user, password) if scheme.lower() == "basic" else ("", "")


def _fault_error(asked: FaultRequest, status: int) -> Response:
    return errors.of_fault(status, asked.code, asked.message)


async def _form(request: Request) -> dict[str, list[str]]:
    return parse_qs((await request.body()).decode("utf-8", "replace"), keep_blank_values=True)


class _Calls:
    def __init__(self, twilio: Twilio) -> None:
        self._twilio = twilio
        self._state = twilio.state

    def authenticated(self, handler: AccountHandler) -> Handler:
        async def call(request: Request) -> Response:
            sid, token = _credentials(request)
            account = self._twilio.accounts.get(sid)
            try:
                if account is None or not hmac.compare_digest(account.auth_token.encode(), token.encode()):
                    raise Refused(20003)
                if sid != request.path_params.get("account", sid):
                    raise Refused(20003)
                return await handler(request, account)
            except Refused as refused:
                return refused.reply

        return call

    async def nothing_here(self, request: Request) -> Response:
        return Refused(20404, request.url.path).reply

    async def create(self, request: Request, account: TwilioAccount) -> Response:
        form = await _form(request)
        try:
            files = await media.files_of(form.get("MediaUrl", []))
        except media.NotFetched as problem:
            raise Refused(21620, str(problem)) from None

        def accept() -> Response:
            try:
                return self._accept(form, account, files)
            except Refused as refused:
                return refused.reply

        asked = self._state.call_fault("twilio", [one(form, "To")])
        return await faults.through(asked, request, accept, _fault_error)

    def _accept(self, form: dict[str, list[str]], account: TwilioAccount, files: list[media.File]) -> Response:
        to, sender, body = checked(form, account)
        row = self._twilio.magic.lookup(to)
        if row and row.refused:
            raise Refused(row.refused, to)
        out = self._state.store.opted_out(account.sid, sender or account.numbers[0], to)
        if out and not to.startswith(whatsapp.PREFIX):
            raise Refused(21610, to)
        content, given = self._content(form, account)
        if content is not None:
            body = whatsapp.rendered(content, given)
        message = compose(form, account, to, sender, body, now())
        message.detail["buttons"] = [
            {"title": one["title"], "payload": one["id"]} for one in (content.buttons if content else [])
        ]
        usual = usual_steps(message)
        if to.startswith(whatsapp.PREFIX):
            free = whatsapp.is_open(self._state.store, message, self._twilio.settings.twilio_window)
            usual = whatsapp.steps(message, content, given, free=free, out=out)
        message.detail |= media.detail(files)
        steps = self._twilio.planned(
            message,
            self._twilio.in_time(message, usual),
            message.detail["send_at"] or message.accepted_at,
            lambda step, _: callback(message, step, account),
            message.callback_url,
        )
        self._state.accept([(message, steps)])
        return _json(rendered(message), 201)

    def _content(
        self, form: dict[str, list[str]], account: TwilioAccount
    ) -> tuple[contents.Content | None, dict[str, str]]:
        """The template of a create call, if it names one, and its variables."""
        sid = one(form, "ContentSid")
        if not sid:
            return None, {}
        found = self._twilio.contents.get(sid, account)
        if found is None:
            raise Refused(21655, sid)
        return found, whatsapp.variables_of(one(form, "ContentVariables"))

    async def _faulted(self, request: Request, to: str, look: Callable[[], Response]) -> Response:
        asked = self._state.faults.for_call("twilio", "lookup", [to])
        return await faults.through(asked, request, look, _fault_error)

    def _message(self, request: Request, account: TwilioAccount) -> Message:
        found = self._state.store.message("twilio", request.path_params["sid"], account.sid)
        if found is None:
            raise Refused(20404, request.url.path)
        return found

    async def fetch(self, request: Request, account: TwilioAccount) -> Response:
        known = self._state.store.message("twilio", request.path_params["sid"], account.sid)

        def look() -> Response:
            return _json(rendered(known)) if known else Refused(20404, request.url.path).reply

        return await self._faulted(request, known.recipient if known else "", look)

    async def update(self, request: Request, account: TwilioAccount) -> Response:
        message, form = self._message(request, account), await _form(request)
        status, moment = one(form, "Status"), now()
        if status and "Body" in form:
            raise Refused(30400)
        if status:
            if status != "canceled":
                raise Refused(20001, "Status")
            if message.status not in ("accepted", "scheduled"):
                raise Refused(30409)
            self._state.callback_sender.cancel(message.seq)
            self._state.store.change(message.seq, status="canceled", updated_at=moment)
        elif form.get("Body") == [""]:
            self._state.store.change(message.seq, content="", updated_at=moment)
        else:
            raise Refused(20001, "Body")
        return _json(rendered(self._message(request, account)))

    async def delete(self, request: Request, account: TwilioAccount) -> Response:
        message = self._message(request, account)
        if message.status not in _FINAL and message.status != "sent":
            raise Refused(20009)
        self._state.store.change(message.seq, deleted=1, content="")
        return Response(status_code=204)

    async def media(self, request: Request, account: TwilioAccount) -> Response:
        message = self._message(request, account)
        uri = request.url.path

        def look() -> Response:
            found = rendered_media(message)
            return _json(
                {
                    "media_list": found,
                    "first_page_uri": uri,
                    "next_page_uri": None,
                    "previous_page_uri": None,
                    "page": 0,
                    "page_size": 50,
                    "uri": uri,
                    "start": 0,
                    "end": max(len(found) - 1, 0),
                }
            )

        return await self._faulted(request, message.recipient, look)

    def _file(self, request: Request, account: TwilioAccount) -> tuple[Message, int]:
        """One of a message's files, by its place."""
        message, sid = self._message(request, account), request.path_params["file"].removesuffix(".json")
        for at, url in enumerate(message.detail.get("media", [])):
            if str(url).rpartition("/")[2] == sid and sid not in message.detail.get("deleted", []):
                return message, at
        raise Refused(20404, request.url.path)

    async def file(self, request: Request, account: TwilioAccount) -> Response:
        """Its resource, or where its bytes are: there no credentials are asked for."""
        message, at = self._file(request, account)

        def look() -> Response:
            if request.url.path.endswith(".json"):
                sid = str(message.detail["media"][at]).rpartition("/")[2]
                return _json(next(one for one in rendered_media(message) if one["sid"] == sid))
            return Response(status_code=307, headers={"Location": message.detail["sent"][at]})

        return await self._faulted(request, message.sender, look)

    async def delete_file(self, request: Request, account: TwilioAccount) -> Response:
        message, at = self._file(request, account)

        def delete() -> Response:
            sid = str(message.detail["media"][at]).rpartition("/")[2]
            self._state.store.keep("files", f"{message.id}/{at}", {"deleted": True})
            self._state.store.change(message.seq, detail={"deleted": [*message.detail.get("deleted", []), sid]})
            return Response(status_code=204)

        return await self._faulted(request, message.sender, delete)

    async def list(self, request: Request, account: TwilioAccount) -> Response:
        query = request.query_params
        return await self._faulted(request, query.get("To", ""), lambda: self._page(request, account))

    def _page(self, request: Request, account: TwilioAccount) -> Response:
        query = dict(request.query_params)
        size = min(max(_whole(query.get("PageSize"), 50), 1), 1000)
        number, token = _whole(query.get("Page"), 0), query.get("PageToken", "")
        lag = self._twilio.settings.twilio_list_lag
        where = (
            ("provider =", "twilio"),
            ("deleted =", 0),
            ("account =", account.sid),
            ("recipient =", query.get("To")),
            ("sender =", query.get("From")),
            ("sent_at >=", _day(query.get("DateSent"))),
            ("sent_at <", _day(query.get("DateSent"), 1)),
            ("sent_at <", _day(query.get("DateSent<"), 1)),
            ("sent_at >=", _day(query.get("DateSent>"))),
            ("accepted_at <=", time.time() - lag if lag else None),
            # The token names the last row of the page before, so that newer messages do not shift the pages.
            ("seq <", _whole(token.removeprefix("PASM"), 0) if token else None),
        )
        found, total = self._state.store.messages(where, limit=size, newest_first=True)

        def uri(page: int, page_token: str = "") -> str:
            kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken", "PageSize")}
            kept |= {"PageSize": str(size), "Page": str(page)} | ({"PageToken": page_token} if page_token else {})
            return f"/{API_VERSION}/Accounts/{account.sid}/Messages.json?{urlencode(kept)}"

        more = total > len(found) > 0
        return _json(
            {
                "messages": [rendered(message) for message in found],
                "first_page_uri": uri(0),
                "next_page_uri": uri(number + 1, f"PASM{found[-1].seq}") if more else None,
                "previous_page_uri": uri(number - 1) if number == 1 else None,
                "page": number,
                "page_size": size,
                "uri": uri(number, token),
                "start": number * size,
                "end": number * size + max(len(found) - 1, 0),
            }
        )


def _whole(text: str | None, usual: int) -> int:
    return int(text) if text and text.isdecimal() else usual


def _day(text: str | None, days: int = 0) -> float | None:
    """The start of a day (of the next one) in GMT: Twilio's filter knows no times."""
    if not text:
        return None
    try:
        day = datetime.fromisoformat(text[:10]).replace(tzinfo=UTC)
    except ValueError:
        raise Refused(20001, "DateSent") from None
    return day.timestamp() + 86_400 * days
