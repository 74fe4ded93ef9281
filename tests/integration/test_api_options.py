"""What a message asks for beside its text: taken where its channel has it, refused elsewhere, and handed on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import Api, open_api


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


TO = {"email": "jordan@example.com", "sms": "+13055551234", "push": "a-token", "imessage": "+13055551234"}


def _asked(channel: str, options: dict[str, Any]) -> dict[str, Any]:
    subject = {"subject": "Your suite"} if channel == "email" else {}
    return {"channel": channel, "recipient": TO[channel], "options": options, **subject}


async def test_an_option_is_kept_and_shown(api: Api) -> None:
    answer = await api.send(**_asked("email", {"reply_to": "Front-Desk@Example.com"}))
    assert answer.status_code == 201, answer.text
    assert answer.json()["options"] == {"reply_to": "Front-Desk@example.com"}
    shown = await api.http.get(f"/v1/messaging/{answer.json()['id']}")
    assert shown.json()["options"] == answer.json()["options"]


@pytest.mark.parametrize(
    ("channel", "options", "words"),
    [
        ("sms", {"send_style": "lasers"}, ("send_style", "an SMS", "imessage")),
        ("email", {"title": "Hello"}, ("title", "an e-mail", "push")),
        ("imessage", {"reply_to": "a@example.com"}, ("reply_to", "an iMessage", "email")),
        ("push", {"data": {"google.x": "1"}}, ("google.x", "reserved")),
        ("push", {"data": {"room": "9" * 3_000}}, ("2048 bytes",)),
        ("push", {"title": "two\nlines"}, ("one line",)),
        ("push", {"title": "\u200b\u2060"}, ("visible",)),
        ("email", {"reply_to": "nobody"}, ("reply_to",)),
        ("imessage", {"send_style": "waterfall"}, ("celebration",)),
        ("imessage", {"colour": "red"}, ("colour",)),
    ],
)
async def test_what_a_channel_has_not_is_refused(
    api: Api, channel: str, options: dict[str, Any], words: tuple[str, ...]
) -> None:
    answer = await api.send(**_asked(channel, options))
    assert answer.status_code == 422, answer.text
    assert all(word in answer.text for word in words), answer.text
    assert (await api.http.get("/v1/messaging")).json()["total"] == 0
