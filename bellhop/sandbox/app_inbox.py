"""The property's own app on a guest's phone: signed in by the property's back end, it reads the guest's inbox, reports
what it shows and what is read, and sends what the guest writes. All through the public API, by HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import aiohttp

from bellhop.sandbox.state import State
from bellhop.sandbox.store import Message

PROVIDER = "in_app"
TONES = {"delivered": "good", "read": "best"}
PAGE = 50
MOST_REPORTED = 25
TIMEOUT = aiohttp.ClientTimeout(total=3)


class AppAway(Exception):
    """The app's back end or the API did not answer as wanted; the argument says what was."""


class AppInbox:
    """One guest's app. `app`: the address of its back end."""

    def __init__(self, state: State, app: str) -> None:
        self._sessions, self._app = state.app_sessions, app.rstrip("/")

    async def messages(self) -> list[Message]:
        """What lies in the inbox, newest first; what is new there is reported as delivered. Raises AppAway."""
        found = (await self._call("GET", f"/v1/inbox/messages?limit={PAGE}"))["data"]
        fresh = [one["id"] for one in found if one["status"] == "sent"]
        if fresh:
            await self._call("POST", "/v1/inbox/reports", {"delivered": fresh[:MOST_REPORTED]})
        return [_shown(one) for one in found]

    async def read(self, message_id: str) -> str:
        """The guest has read a message; returns its status. Raises AppAway."""
        return str((await self._call("POST", f"/v1/inbox/messages/{message_id}/read"))["status"])

    async def write(self, content: str) -> str:
        """The guest writes to the property; returns the message's id. Raises AppAway."""
        return str((await self._call("POST", "/v1/inbox/messages", {"key": uuid4().hex, "content": content}))["id"])

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as http:
                for _ in range(2):
                    session = self._sessions.get(self._app) or await self._sign_in(http)
                    headers = {"Authorization": f"Bearer {session['token']}"}
                    url = session["url"].rstrip("/") + path
                    async with http.request(method, url, json=body, headers=headers, allow_redirects=False) as answer:
                        if answer.status < 300:
                            return await answer.json()
                        if answer.status != 401:
                            raise AppAway(f"the inbox answered {answer.status}")
                    # The session is over, or was ended.
                    self._sessions.pop(self._app, None)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError, KeyError, TypeError) as problem:
            raise AppAway(type(problem).__name__) from None
        raise AppAway("the inbox let nobody in")

    async def _sign_in(self, http: aiohttp.ClientSession) -> dict[str, str]:
        async with http.post(f"{self._app}/session", allow_redirects=False) as answer:
            if answer.status >= 300:
                raise AppAway(f"the app's back end answered {answer.status}")
            made = await answer.json(content_type=None)
        session = {"url": str(made["url"]), "token": str(made["token"])}
        self._sessions[self._app] = session
        return session


def _shown(one: dict[str, Any]) -> Message:
    return Message(
        provider=PROVIDER,
        id=one["id"],
        account="",
        recipient="",
        sender="",
        subject=one["title"],
        content=one["content"],
        html=one["content"] if one["content_type"] == "text/html" else None,
        direction="inbound" if one["from"] == "guest" else "outbound",
        status="delivered" if one["status"] == "sent" else one["status"],
        accepted_at=datetime.fromisoformat(one["sent_at"]).timestamp(),
        detail={
            "media": [file["url"] for file in one["media"]],
            "media_types": [file["content_type"] for file in one["media"]],
        },
    )
