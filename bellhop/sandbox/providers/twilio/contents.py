"""Twilio's Content API: templates, and whether WhatsApp has approved them.

https://www.twilio.com/docs/content/content-api-resources
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from bellhop.sandbox import faults
from bellhop.sandbox.providers.twilio import errors
from bellhop.sandbox.providers.twilio.accounts import TwilioAccount
from bellhop.sandbox.providers.twilio.errors import Refused
from bellhop.sandbox.store import Store, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.twilio.simulator import Twilio

_ROOM = "twilio content"
APPROVED = "approved"
TEXT, QUICK_REPLY = "twilio/text", "twilio/quick-reply"
MOST_BUTTONS = 10
"""Three of them within the window; see https://www.twilio.com/docs/content/twilio-quick-reply"""
_DECIDED = ("pending", "rejected", "paused", "disabled")
"""How an approval ends, if the name it is asked for under ends in such a word; else it is approved."""
_REASON = "It is not what its category allows."

Handler = Callable[[Request, TwilioAccount], Awaitable[Response]]


@dataclass(slots=True)
class Content:
    """A template. `variables`: each one's sample value. `account`: whose it is; empty: every account's."""

    sid: str
    friendly_name: str
    body: str
    variables: dict[str, str] = field(default_factory=dict)
    account: str = ""
    language: str = "en"
    status: str = "unsubmitted"
    name: str = ""
    category: str = ""
    created_at: float = 0.0
    buttons: list[dict[str, str]] = field(default_factory=list)
    """Those of a quick reply: what each says (`title`), and the `id` that comes back with a tap."""


def _ready(number: int, name: str, status: str, body: str, *samples: str, buttons: Sequence[str] = ()) -> Content:
    variables = {str(at): sample for at, sample in enumerate(samples, 1)}
    sid = f"HX{number:032d}"
    return Content(
        sid,
        name,
        body,
        variables,
        status=status,
        name=name.replace("-", "_"),
        category="UTILITY",
        buttons=[{"title": title, "id": f"{name}-{at}"} for at, title in enumerate(buttons, 1)],
    )


READY = (
    _ready(1, "first-contact", APPROVED, "A message from your hotel: {{1}} Reply here to answer.", "Hello."),
    _ready(2, "suite-ready", APPROVED, "Hi {{1}}, your {{2}} is ready for you.", "Jordan", "suite"),
    _ready(3, "in-review", "pending", "Hi {{1}}, your table is set.", "Jordan"),
    _ready(4, "turned-down", "rejected", "Hi {{1}}, win a prize today.", "Jordan"),
    _ready(5, "on-pause", "paused", "Hi {{1}}, how was your stay?", "Jordan"),
    _ready(6, "dinner", APPROVED, "Hi {{1}}, a table tonight?", "Jordan", buttons=("Yes, please", "No, thank you")),
)
"""What every account has from the start."""


class Contents:
    """Every template the sandbox knows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._all = {content.sid: replace(content) for content in READY}
        for row in store.kept(_ROOM).values():
            self._all[row["sid"]] = Content(**row)

    def of(self, account: TwilioAccount) -> list[Content]:
        return [content for content in self._all.values() if content.account in ("", account.sid)]

    def get(self, sid: str, account: TwilioAccount) -> Content | None:
        found = self._all.get(sid)
        return found if found is not None and found.account in ("", account.sid) else None

    def put(self, content: Content) -> None:
        self._all[content.sid] = content
        self._store.keep(_ROOM, content.sid, asdict(content))


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _kind(content: Content) -> str:
    return QUICK_REPLY if content.buttons else TEXT


def _what(content: Content) -> dict[str, Any]:
    actions = [{"type": "QUICK_REPLY", **button} for button in content.buttons]
    return {"body": content.body, **({"actions": actions} if actions else {})}


def _buttons(kind: str, what: Mapping[str, Any]) -> list[dict[str, str]]:
    """The buttons of a template that is to be made. Raises ValueError on what Twilio would not take."""
    if kind == TEXT:
        return []
    found = [{"title": str(one["title"]), "id": str(one["id"])} for one in what["actions"]]
    if kind != QUICK_REPLY or not 0 < len(found) <= MOST_BUTTONS or any(len(one["title"]) > 25 for one in found):
        raise ValueError(kind)
    return found


def _shown(content: Content, account: TwilioAccount) -> dict[str, Any]:
    where = f"https://content.twilio.com/v1/Content/{content.sid}"
    return {
        "sid": content.sid,
        "account_sid": account.sid,
        "friendly_name": content.friendly_name,
        "language": content.language,
        "variables": content.variables,
        "types": {_kind(content): _what(content)},
        "date_created": _iso(content.created_at),
        "date_updated": _iso(content.created_at),
        "url": where,
        "links": {
            "approval_create": f"{where}/ApprovalRequests/whatsapp",
            "approval_fetch": f"{where}/ApprovalRequests",
        },
    }


def _approval(content: Content) -> dict[str, Any]:
    return {
        "type": "whatsapp",
        "name": content.name,
        "category": content.category,
        "content_type": _kind(content),
        "status": content.status,
        "rejection_reason": _REASON if content.status == "rejected" else "",
        "allow_category_change": True,
    }


def _json(content: Any, status: int = 200) -> Response:
    return Response(json.dumps(content), status, media_type="application/json")


async def _asked(request: Request) -> dict[str, Any]:
    try:
        asked = json.loads(await request.body())
    except ValueError:
        raise Refused(20001, "body") from None
    if not isinstance(asked, dict):
        raise Refused(20001, "body")
    return asked


def mount(app: FastAPI, twilio: Twilio, authenticated: Callable[[Handler], Callable[..., Awaitable[Response]]]) -> None:
    """Its routes; what is wrong with a call is for Twilio's own errors to say."""
    calls, recorded = _Calls(twilio), twilio.state.recorded
    routes: tuple[tuple[str, str, Handler], ...] = (
        ("/v1/Content", "POST", calls.create),
        ("/v1/Content", "GET", calls.list),
        ("/v1/Content/{sid}", "GET", calls.fetch),
        ("/v1/Content/{sid}/ApprovalRequests", "GET", calls.approval),
        ("/v1/Content/{sid}/ApprovalRequests/whatsapp", "POST", calls.ask_approval),
    )
    for path, method, handler in routes:
        app.add_route(path, recorded("twilio", authenticated(handler)), methods=[method])


class _Calls:
    def __init__(self, twilio: Twilio) -> None:
        self._state, self._contents = twilio.state, twilio.contents

    def _content(self, request: Request, account: TwilioAccount) -> Content:
        found = self._contents.get(request.path_params["sid"], account)
        if found is None:
            raise Refused(20404, request.url.path)
        return found

    async def _faulted(self, request: Request, answer: Callable[[], Response]) -> Response:
        asked = self._state.faults.for_call("twilio", "lookup", [request.path_params.get("sid", "")])
        return await faults.through(
            asked, request, answer, lambda fault, status: errors.of_fault(status, fault.code, fault.message)
        )

    async def create(self, request: Request, account: TwilioAccount) -> Response:
        asked = await _asked(request)
        try:
            ((kind, what),) = asked["types"].items()
            variables = {str(name): str(value) for name, value in asked.get("variables", {}).items()}
            content = Content(
                "HX" + secrets.token_hex(16),
                str(asked.get("friendly_name", "")),
                str(what["body"]),
                variables,
                account.sid,
                str(asked.get("language", "en")),
                created_at=now(),
                buttons=_buttons(kind, what),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            raise Refused(92001) from None
        self._contents.put(content)
        return _json(_shown(content, account), 201)

    async def list(self, request: Request, account: TwilioAccount) -> Response:
        meta = {"page": 0, "page_size": 50, "key": "contents", "next_page_url": None, "previous_page_url": None}
        return _json({"contents": [_shown(one, account) for one in self._contents.of(account)], "meta": meta})

    async def fetch(self, request: Request, account: TwilioAccount) -> Response:
        content = self._content(request, account)
        return await self._faulted(request, lambda: _json(_shown(content, account)))

    async def approval(self, request: Request, account: TwilioAccount) -> Response:
        content = self._content(request, account)
        url = f"https://content.twilio.com/v1/Content/{content.sid}/ApprovalRequests"
        shown = {"sid": content.sid, "account_sid": account.sid, "url": url, "whatsapp": _approval(content)}
        return await self._faulted(request, lambda: _json(shown))

    async def ask_approval(self, request: Request, account: TwilioAccount) -> Response:
        """Decided at once, and again if it is asked for again."""
        content, asked = self._content(request, account), await _asked(request)
        name = str(asked.get("name", ""))
        if not name or asked.get("category") not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
            raise Refused(20001, "name, category")
        status = next((word for word in _DECIDED if name.endswith(word)), APPROVED)
        decided = replace(content, status=status, name=name, category=asked["category"])
        self._contents.put(decided)
        return _json({**_approval(decided), "status": "received"}, 201)
