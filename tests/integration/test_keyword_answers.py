"""A guest says STOP, START or HELP: one answer, where nobody else gives one, accepted with what was said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.delivery_ports import Account
from bellhop.engine import receipts
from bellhop.providers.twilio.callbacks import inbound
from bellhop.settings import Settings
from bellhop.store.conversations import keyword_answers

from .conftest_api import Api, open_api

WROTE = "+13055550901"
OURS = "+15005550006"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


class Guest:
    """One who writes on WhatsApp, whose callbacks are Twilio's."""

    def __init__(self, api: Api) -> None:
        self.api, self.number = api, 0

    async def says(self, body: str, *, sid: str | None = None, at: datetime | None = None, **fields: str) -> str:
        self.number += 1
        sid = sid or f"SM{self.number:032d}"
        given = {"MessageSid": sid, "From": f"whatsapp:{WROTE}", "To": f"whatsapp:{OURS}", "Body": body, **fields}
        item = inbound(given)
        if at is not None:
            item = replace(item, occurred_at=at)
        ((key, identity),) = await self.api.sql(
            "select id, identity from provider_accounts where scope_id = :scope and provider = 'twilio'",
            scope=self.api.scope.id,
        )
        await receipts.record(self.api.app.state.services.engine, [Account(key, "twilio", identity, "", {})], [item])
        return sid

    async def got(self) -> list[str]:
        """The answers to it, in order."""
        rows = await self.api.sql("select content from messages where direction = 'outbound' order by id")
        return [row[0] for row in rows]


@pytest.fixture
def guest(api: Api) -> Guest:
    return Guest(api)


async def set_answers(api: Api, answers: Any, **more: Any) -> Any:
    (own,) = (await api.http.get("/v1/properties")).json()["data"]
    return await api.http.patch(f"/v1/properties/{own['id']}", json={"settings": {"keyword_answers": answers, **more}})


async def test_stop_is_answered_once_in_the_guests_language(api: Api, guest: Guest) -> None:
    body = {"first_name": "Ana", "last_name": "Gil", "phone": WROTE, "language": "es-MX"}
    ana = (await api.http.post("/v1/guests", json=body)).json()
    sid = await guest.says("¡Alto!")
    await guest.says("¡Alto!", sid=sid)
    await guest.says("STOP")
    (answer,) = await guest.got()
    assert answer.startswith("Grand Sunset Resort: se ha dado de baja")
    ((row),) = await api.sql(
        "select channel, recipient, sender, guest_id::text, priority, wake_due_at is not null,"
        " extract(epoch from expires_at - created_at)::int, details -> 'answers' from messages"
        " where direction = 'outbound'"
    )
    assert tuple(row)[:3] == ("whatsapp", WROTE, OURS)
    assert row[3] is not None and tuple(row)[4:] == ("urgent", True, 300, {"keyword": "stop"})
    updates = await api.sql("select facts from events where type = 'guest.updated'")
    assert [row[0] for row in updates] == [{"changed": ["consents"]}], "a STOP said again changes nothing"
    shown = (await api.http.get(f"/v1/guests/{ana['id']}/consents")).json()
    phone = next(one for one in shown["addresses"] if one["kind"] == "phone")
    assert (phone["allowed"], phone["refused_by"], phone["marketing_allowed"]) == (False, ["opt_out"], False)


async def test_start_and_help_are_answered_too_and_nobody_on_and_on(api: Api, guest: Guest) -> None:
    for _ in range(5):
        for word in ("STOP", "START", "HELP", "help!"):
            await guest.says(word)
    answers = await guest.got()
    assert len(answers) == 6, "in a day"
    assert [text.partition(": ")[2][:3] for text in answers] == ["you", "you", "we ", "you", "you", "you"]
    async with api.database.begin() as tx:
        assert await keyword_answers.answered(tx, 10) == 0
    await api.sql("update keyword_answers set created_at = created_at - interval '3 days'")
    await guest.says("HELP")
    assert len(await guest.got()) == 7
    async with api.database.begin() as tx:
        assert await keyword_answers.answered(tx, 10) == 6


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ("STOP", {"OptOutType": "STOP"}),
        ("HILFE", {"OptOutType": "HELP"}),
        ("stop", {"From": WROTE, "To": OURS}),
        (" Help ", {"From": WROTE, "To": OURS}),
        ("Please stop the noise in the corridor", {}),
    ],
    ids=["Advanced Opt-Out", "its HELP", "Twilio's own word", "its HELP at a long code", "no keyword"],
)
async def test_nothing_is_said_where_the_provider_has_or_nothing_was_asked(
    guest: Guest, body: str, fields: dict[str, str]
) -> None:
    await guest.says(body, **fields)
    assert await guest.got() == []


async def test_a_word_that_twilio_does_not_know_is_answered_by_sms(guest: Guest) -> None:
    await guest.says("Abmelden", From=WROTE, To=OURS)
    assert len(await guest.got()) == 1


async def test_what_was_said_long_ago_is_obeyed_and_not_answered(api: Api, guest: Guest) -> None:
    await guest.says("STOP", at=datetime.now(UTC) - timedelta(minutes=6))
    assert await guest.got() == []
    assert await api.rows("consents") == 1


async def test_the_propertys_own_words(api: Api, guest: Guest) -> None:
    own = {"help": {"en": "{property}: call +1 305 555 0100"}, "stop": False}
    assert (await set_answers(api, own)).status_code == 200
    await guest.says("HELP")
    await guest.says("STOP")
    assert await guest.got() == ["Grand Sunset Resort: call +1 305 555 0100"]
    assert (await set_answers(api, {"help": {"en": ""}})).json()["detail"][0]["type"] == "keyword_answers"


async def test_no_sender_no_answer_and_the_stop_is_kept(api: Api, guest: Guest) -> None:
    await api.sql("delete from senders where channel = 'whatsapp'")
    await guest.says("STOP")
    assert await guest.got() == []
