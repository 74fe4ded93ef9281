"""Sendblue's messages over HTTP: send, list, fetch, status, evaluate; with its own errors.

https://docs.sendblue.com/api/resources/messages
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults, media
from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.providers.sendblue import errors, scenarios
from bellhop.sandbox.providers.sendblue.accounts import SendblueAccount
from bellhop.sandbox.providers.sendblue.errors import Refused
from bellhop.sandbox.providers.sendblue.messages import answered, callback, checked, compose, item, numbers_of, text_of
from bellhop.sandbox.state import Handler
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.sendblue.simulator import Sendblue

AccountHandler = Callable[[Request, SendblueAccount], Awaitable[Response]]
_GROUP = "json_extract(detail, '$.group_id')"
_ORDERS = ("createdAt", "updatedAt", "sentAt")


def mount(app: FastAPI, sendblue: Sendblue) -> None:
    """Routes without FastAPI's validation: what is wrong with a call is for Sendblue's own errors to say."""
    calls, recorded = _Calls(sendblue), sendblue.state.recorded
    routes: tuple[tuple[str, str, AccountHandler], ...] = (
        ("/api/send-message", "POST", calls.send),
        ("/api/send-group-message", "POST", calls.send_to_group),
        ("/api/v2/messages", "GET", calls.list),
        ("/api/v2/messages/{handle}", "GET", calls.fetch),
        ("/api/status", "GET", calls.status),
        ("/api/evaluate-service", "GET", calls.evaluate),
    )
    for path, method, handler in routes:
        app.add_route(path, recorded("sendblue", calls.authenticated(handler)), methods=[method])


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")


def _fault_error(asked: FaultRequest, status: int) -> Response:
    return errors.of_fault(status, asked.code, asked.message)


class _Calls:
    def __init__(self, sendblue: Sendblue) -> None:
        self._sendblue = sendblue
        self._state = sendblue.state

    def authenticated(self, handler: AccountHandler) -> Handler:
        async def call(request: Request) -> Response:
            account = self._sendblue.accounts.get(request.headers.get("sb-api-key-id", ""))
            given = request.headers.get("sb-api-secret-key", "").encode()
            if account is None or not hmac.compare_digest(account.secret_key.encode(), given):
                return errors.reply(401, None, "Unauthorized")
            try:
                return await handler(request, account)
            except Refused as refused:
                return refused.reply

        return call

    async def send(self, request: Request, account: SendblueAccount) -> Response:
        body = await _body(request)
        return await self._send(request, account, body, [body.get("number")], ())

    async def send_to_group(self, request: Request, account: SendblueAccount) -> Response:
        """One message to all of a group, known by one of them: the one whose number is magic, else the first."""
        body = await _body(request)
        numbers = numbers_of(body, lambda group_id: self._group(account, group_id))
        if not text_of(body, "from_number"):
            raise Refused(400, 4000, "Missing required parameter: from_number")
        known_by = next((one for one in numbers if self._sendblue.magic.lookup(one)), numbers[0])
        return await self._send(request, account, {**body, "number": known_by}, numbers, numbers)

    def _group(self, account: SendblueAccount, group_id: str) -> list[str] | None:
        where = (("provider =", "sendblue"), ("account =", account.id), (f"{_GROUP} =", group_id))
        found, _ = self._state.store.messages(where, limit=1, newest_first=True)
        return [one for one in found[0].detail["participants"] if one != found[0].sender] if found else None

    async def _send(
        self,
        request: Request,
        account: SendblueAccount,
        body: dict[str, Any],
        numbers: Sequence[object],
        group: Sequence[str],
    ) -> Response:
        try:
            files = await media.files_of([url] if (url := text_of(body, "media_url")) else [])
        except media.NotFetched as problem:
            raise Refused(400, 4000, f"media_url: {problem}") from None

        def accept() -> Response:
            try:
                return self._accept(body, account, files, group)
            except Refused as refused:
                return refused.reply

        asked = self._state.call_fault("sendblue", [one for one in numbers if isinstance(one, str)])
        return await faults.through(asked, request, accept, _fault_error)

    def _accept(
        self, body: dict[str, Any], account: SendblueAccount, files: list[media.File], group: Sequence[str]
    ) -> Response:
        number, line = checked(body, account)
        row = self._sendblue.magic.lookup(number)
        if row and row.refused:
            key, words = scenarios.REFUSALS[row.refused]
            raise Refused(400, {4293: 429}.get(row.refused, row.refused), words, key)
        message = compose(body, account, number, line, now(), group)
        message.detail |= media.detail(files)
        steps = self._sendblue.planned(
            message,
            scenarios.USUAL,
            message.accepted_at,
            lambda step, due: callback(message, step, due, account),
            message.callback_url,
        )
        self._state.accept([(message, steps)])
        return _json(answered(message, account))

    async def _faulted(self, request: Request, to: str, look: Callable[[], Response]) -> Response:
        asked = self._state.faults.for_call("sendblue", "lookup", [to])
        return await faults.through(asked, request, look, _fault_error)

    async def _found(
        self, request: Request, account: SendblueAccount, handle: str, show: Callable[[Message], Any]
    ) -> Response:
        known = self._state.store.message("sendblue", handle, account.id)

        def look() -> Response:
            return _json(show(known)) if known else errors.reply(404, 404, "Message not found")

        return await self._faulted(request, known.recipient if known else "", look)

    async def fetch(self, request: Request, account: SendblueAccount) -> Response:
        handle = request.path_params["handle"]
        return await self._found(request, account, handle, lambda found: {"status": "OK", "data": item(found, account)})

    async def status(self, request: Request, account: SendblueAccount) -> Response:
        handle = request.query_params.get("handle", "")
        return await self._found(request, account, handle, lambda found: answered(found, account))

    async def evaluate(self, request: Request, account: SendblueAccount) -> Response:
        """Whether a number has iMessage."""
        number = request.query_params.get("number", "")
        row = self._sendblue.magic.lookup(number)
        words = dict(row.steps[-1].fields) if row and row.steps else {}
        return _json({"number": number, "service": words.get("service", "iMessage")})

    async def list(self, request: Request, account: SendblueAccount) -> Response:
        to = request.query_params.get("number") or request.query_params.get("to_number", "")
        return await self._faulted(request, to, lambda: self._page(request, account))

    def _page(self, request: Request, account: SendblueAccount) -> Response:
        query = request.query_params
        limit = _whole(query.get("limit"), 100, "limit", most=100)
        offset = _whole(query.get("offset"), 0, "offset")
        if query.get("order_by", "createdAt") not in _ORDERS:
            raise Refused(400, 4000, "order_by is not valid")
        lag = self._sendblue.settings.sendblue_list_lag
        outbound = query.get("is_outbound")
        number = query.get("number")
        where = (
            ("provider =", "sendblue"),
            ("deleted =", 0),
            ("account =", account.id),
            ("direction =", {"true": "outbound", "false": "inbound"}.get(outbound or "")),
            ("status =", query.get("status")),
            ("sender =", query.get("from_number")),
            ("recipient =", query.get("to_number")),
            (f"{_GROUP} =", query.get("group_id")),
            (f"({_GROUP} is not null) =", {"group": 1, "message": 0}.get(query.get("message_type", ""))),
            (_either(number), 1) if number else ("1 =", None),
            ("accepted_at >=", _moment(query.get("created_at_gte"), "created_at_gte")),
            ("accepted_at <=", _moment(query.get("created_at_lte"), "created_at_lte")),
            ("accepted_at >=", _moment(query.get("sent_at_gte"), "sent_at_gte")),
            ("accepted_at <=", _moment(query.get("sent_at_lte"), "sent_at_lte")),
            ("accepted_at <=", time.time() - lag if lag else None),
        )
        newest = query.get("order_direction", "desc") == "desc"
        found, total = self._state.store.messages(where, limit=limit, offset=offset, newest_first=newest)
        pages = {"hasMore": offset + len(found) < total, "limit": len(found), "offset": offset, "total": total}
        return _json({"status": "OK", "data": [item(one, account) for one in found], "pagination": pages})


async def _body(request: Request) -> dict[str, Any]:
    try:
        body = json.loads(await request.body())
    except ValueError:
        raise Refused(400, 4000, "The body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(400, 4000, "The body is not an object")
    return body


def _either(number: str) -> str:
    """A condition that holds where the number is that of either side."""
    if not number.lstrip("+").isdecimal():
        raise Refused(400, 4000, "number must be in E.164 format")
    return f"(recipient = '{number}' OR sender = '{number}') ="


def _whole(text: str | None, usual: int, name: str, most: int = 1_000_000_000) -> int:
    if not text:
        return usual
    if not text.isdecimal() or int(text) > most:
        raise Refused(400, 4000, f"{name} is not valid")
    return int(text)


def _moment(text: str | None, name: str) -> float | None:
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(400, 4000, f"{name} is not a date") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
