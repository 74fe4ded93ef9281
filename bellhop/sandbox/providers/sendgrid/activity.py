"""SendGrid's Email Activity API over HTTP, for accounts that have the add-on: the list with its queries, and a message.

https://www.twilio.com/docs/sendgrid/for-developers/sending-email/getting-started-email-activity-api
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults
from bellhop.sandbox.faults import FaultRequest
from bellhop.sandbox.providers.sendgrid.accounts import SendGridAccount
from bellhop.sandbox.providers.sendgrid.checks import Problem, reply
from bellhop.sandbox.store import Message, PlannedStep

if TYPE_CHECKING:
    from bellhop.sandbox.providers.sendgrid.simulator import SendGrid

FORBIDDEN = Problem("access forbidden")
NO_MESSAGE = Problem("message not found")
MOST = 1_000

# An event's name in the webhook → its name here.
NAMES = {
    "processed": "processed",
    "deferred": "deferred",
    "delivered": "delivered",
    "bounce": "bounced",
    "dropped": "dropped",
    "open": "opened",
    "click": "clicked",
    "spamreport": "spam_report",
    "unsubscribe": "unsubscribe",
    "group_unsubscribe": "group_unsubscribe",
    "group_resubscribe": "group_resubscribe",
}
# A message's status is that of the first row of which it has an event. What is deferred counts as not delivered: the
# documents do not say, and so whoever reads a status alone is caught out here. Nor do they say which of two ends is
# shown of a mail that was taken and sent back: the bounce, here.
STATUSES = (
    ("not_delivered", frozenset({"bounce", "dropped"})),
    ("delivered", frozenset({"delivered", "open", "click"})),
    ("not_delivered", frozenset({"deferred"})),
    ("processed", frozenset({"processed"})),
)

_COLUMNS = {"from_email": "sender", "to_email": "recipient", "subject": "subject"}


class Unreadable(Exception):
    """A query that is not in the language; its argument says where."""


@dataclass(slots=True)
class Wanted:
    """A query, read: conditions for the store, and what can only be said of a message with its events."""

    where: list[tuple[str, Any]] = field(default_factory=list)
    status: str | None = None
    between: tuple[float, float] | None = None


def _equal(wanted: Wanted, found: re.Match[str]) -> None:
    name, value = found.groups()
    if name == "status":
        wanted.status = value
    elif name == "msg_id":
        wanted.where.append(("json_extract(detail, '$.sg_message_id') =", value))
    else:
        wanted.where.append((f"{_COLUMNS[name]} =", value))


def _like(wanted: Wanted, found: re.Match[str]) -> None:
    name, value = found.groups()
    column = "json_extract(detail, '$.sg_message_id')" if name == "msg_id" else _COLUMNS[name]
    wanted.where.append((f"{column} LIKE", value))


def _argument(wanted: Wanted, found: re.Match[str]) -> None:
    wanted.where.append((f"json_extract(custom_args, '$.{found.group(1)}') =", found.group(2)))


def _between(wanted: Wanted, found: re.Match[str]) -> None:
    try:
        first, last = (datetime.fromisoformat(text).timestamp() for text in found.groups())
    except ValueError:
        raise Unreadable("last_event_time") from None
    wanted.between = (first, last)


_CONDITIONS: tuple[tuple[re.Pattern[str], Callable[[Wanted, re.Match[str]], None]], ...] = (
    (re.compile(r"unique_args\['([A-Za-z_]\w*)'\]\s*=\s*\"([^\"]*)\""), _argument),
    (re.compile(r"(status|msg_id|from_email|to_email|subject)\s*=\s*\"([^\"]*)\""), _equal),
    (re.compile(r"(msg_id|from_email|to_email|subject)\s+LIKE\s+[\"']([^\"']*)[\"']"), _like),
    (
        re.compile(r"last_event_time\s+BETWEEN\s+TIMESTAMP\s+\"([^\"]*)\"\s+AND\s+TIMESTAMP\s+\"([^\"]*)\""),
        _between,
    ),
)


def parsed(query: str) -> Wanted:
    """Conditions joined by AND, each in parentheses or not. Raises Unreadable."""
    wanted, rest = Wanted(), query.strip()
    while rest:
        bracket = rest.startswith("(")
        rest = rest[1:].lstrip() if bracket else rest
        for pattern, take in _CONDITIONS:
            if found := pattern.match(rest):
                take(wanted, found)
                rest = rest[found.end() :].lstrip()
                break
        else:
            raise Unreadable(rest[:40])
        if bracket:
            if not rest.startswith(")"):
                raise Unreadable(rest[:40])
            rest = rest[1:].lstrip()
        if rest:
            if not re.match(r"AND\s", rest):
                raise Unreadable(rest[:40])
            rest = rest[3:].lstrip()
    return wanted


class EmailActivity:
    """The two calls; `error` renders a fault."""

    def __init__(self, sendgrid: SendGrid, error: Callable[[FaultRequest, int], Response]) -> None:
        self._sendgrid = sendgrid
        self._state = sendgrid.state
        self._error = error

    def _has_it(self, account: SendGridAccount) -> bool:
        own = account.email_activity
        return self._sendgrid.settings.sendgrid_email_activity if own is None else own

    def _reported(
        self, where: list[tuple[str, Any]], account: SendGridAccount
    ) -> list[tuple[Message, list[PlannedStep]]]:
        """The account's messages that show by now, and what happened to each. A drop of callbacks hides nothing."""
        found, _ = self._state.store.messages(
            [("provider =", "sendgrid"), ("direction =", "outbound"), ("account =", account.id), *where]
        )
        steps = self._state.store.steps_of([message.seq for message in found])
        shown = time.time() - self._sendgrid.settings.sendgrid_activity_lag
        reported = [
            (
                message,
                [
                    step
                    for step in steps[message.seq]
                    if step.applies and (step.state != "owed" or step.tries) and step.payload["timestamp"] <= shown
                ],
            )
            for message in found
        ]
        return [(message, happened) for message, happened in reported if happened]

    async def search(self, request: Request, account: SendGridAccount) -> Response:
        """`GET /v3/messages?query=&limit=`, the newest events first."""
        query = request.query_params

        def look() -> Response:
            if not self._has_it(account):
                return reply(403, FORBIDDEN)
            limit = query.get("limit", "10")
            if not limit.isdecimal() or not 0 < int(limit) <= MOST:
                return reply(400, Problem("limit must be between 1 and 1000", "limit"))
            try:
                wanted = parsed(query.get("query", ""))
            except Unreadable as error:
                return reply(400, Problem(f"invalid syntax: '{error}'", "query"))
            rows = [_summary(message, steps) for message, steps in self._reported(wanted.where, account)]
            rows = [
                row
                for row in rows
                if wanted.status in (None, row["status"])
                and (wanted.between is None or wanted.between[0] <= _epoch(row) <= wanted.between[1])
            ]
            rows.sort(key=_epoch, reverse=True)
            return _json({"messages": rows[: int(limit)]})

        asked = self._state.faults.for_call("sendgrid", "lookup", self._recipients(query.get("query", ""), account))
        return await faults.through(asked, request, look, self._error)

    def _recipients(self, query: str, account: SendGridAccount) -> list[str]:
        """To whom the messages of a query for particular ones went: a fault may be for one recipient only."""
        try:
            where = parsed(query).where
        except Unreadable:
            return []
        found, _ = self._state.store.messages([("account =", account.id), *where], limit=10) if where else ([], 0)
        return [message.recipient for message in found]

    async def fetch(self, request: Request, account: SendGridAccount) -> Response:
        """`GET /v3/messages/{msg_id}`, with its events."""
        message_id = request.path_params["message_id"]
        known = self._state.store.message("sendgrid", message_id.partition(".")[0], account.id)

        def look() -> Response:
            if not self._has_it(account):
                return reply(403, FORBIDDEN)
            found = self._reported([("id =", message_id.partition(".")[0])], account)
            row = next((row for row in found if row[0].detail.get("sg_message_id") == message_id), None)
            return _json(_whole(*row)) if row else reply(404, NO_MESSAGE)

        asked = self._state.faults.for_call("sendgrid", "lookup", [known.recipient] if known else [])
        return await faults.through(asked, request, look, self._error)


def _json(content: Any) -> Response:
    return Response(json.dumps(content), 200, media_type="application/json")


def _at(step: PlannedStep) -> str:
    return datetime.fromtimestamp(step.payload["timestamp"], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _epoch(row: dict[str, Any]) -> float:
    return datetime.fromisoformat(row["last_event_time"]).timestamp()


def _summary(message: Message, happened: list[PlannedStep]) -> dict[str, Any]:
    words = [step.word for step in happened]
    return {
        "from_email": message.sender,
        "msg_id": message.detail["sg_message_id"],
        "subject": message.subject or "",
        "to_email": message.recipient,
        "status": next((status for status, of in STATUSES if of.intersection(words)), "processed"),
        "opens_count": words.count("open"),
        "clicks_count": words.count("click"),
        "last_event_time": max(_at(step) for step in happened),
    }


def _whole(message: Message, happened: list[PlannedStep]) -> dict[str, Any]:
    summary = _summary(message, happened)
    return {
        **{name: summary[name] for name in ("from_email", "msg_id", "subject", "to_email", "status")},
        "template_id": message.detail.get("template_id", ""),
        "asm_group_id": 0,
        "teammate": "",
        "api_key_id": message.account,
        "events": [_event(step) for step in happened],
        "originating_ip": "192.0.2.10",
        "categories": message.detail.get("categories", []),
        "unique_args": json.dumps(message.custom_args),
        "outbound_ip": "192.0.2.10",
        "outbound_ip_type": "dedicated",
    }


def _event(step: PlannedStep) -> dict[str, Any]:
    bounced = step.word == "bounce"
    event: dict[str, Any] = {
        "event_name": NAMES[step.word],
        "processed": _at(step),
        "bounce_type": ("soft" if step.payload.get("type") == "blocked" else "hard") if bounced else "",
        "http_user_agent": step.payload.get("useragent", ""),
        "mx_server": "mx.sandbox.example",
    }
    said = step.payload.get("reason") or step.payload.get("response")
    if said and step.word in ("bounce", "dropped", "deferred"):
        event["reason"] = said
    if step.word == "deferred":
        event["attempt_num"] = int(step.payload.get("attempt", 1))
    return event
