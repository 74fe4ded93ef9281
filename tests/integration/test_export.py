"""Everything that is kept of a guest in one document, in pages, of this guest and no other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, parse
from bellhop.engine import export
from bellhop.engine.errors import NotFound
from bellhop.ops import guests as by_command
from bellhop.ops.administration import Refused
from bellhop.settings import Settings
from bellhop.store.guests.export import SECTIONS

from .conftest_api import EMAIL, JORDAN, Api, open_api

TOKEN = "fcm-token-of-jordan-0123456789"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def exported(api: Api, guest: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = await api.http.get(f"/v1/guests/{guest['id']}/export", headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    return dict(answer.json())


async def written_of(api: Api) -> tuple[dict[str, Any], list[str]]:
    """A guest with something in most places, and the ids of the messages."""
    guest = await api.guest(preferences={"pillow": "firm"}, metadata={"crm": 7})
    device = {"platform": "android", "kind": "fcm_token", "token": TOKEN}
    assert (await api.http.post(f"/v1/guests/{guest['id']}/devices", json=device)).status_code == 201
    stay = {"source": "pms", "reservation": "R7", "guests": [guest["id"]], "room": "412", "arrival": "2030-01-01"}
    assert (await api.http.post("/v1/stays", json=stay)).status_code == 201
    said = {"channel": "email", "action": "opt_out", "purpose": "marketing"}
    assert (await api.http.post(f"/v1/guests/{guest['id']}/consents", json=said)).status_code == 201
    sent = [
        (await api.later(guest_id=guest["id"], metadata={"order": "9"}))["id"],
        (await api.later(**EMAIL))["id"],
        (await api.later(channel="push", recipient=guest["id"], content="Hello"))["id"],
        (await api.later(content="Another's", recipient="+13055550977",
                         fallback=[{"channel": "email", "recipient": JORDAN["email"], "subject": "A", "content": "B"}])
         )["id"],
    ]  # fmt: skip
    return guest, sent


async def test_the_document_has_everything_and_no_secret(api: Api, tmp_path: Path) -> None:
    other = await api.guest(first_name="Sam", email="sam@example.com", phone="+13055550978")
    await api.later(guest_id=other["id"], recipient="+13055550978", content="For Sam")
    guest, sent = await written_of(api)
    shown = await exported(api, guest)
    assert list(shown) == ["format", "guest_id", "property_id", *(section.name for section in SECTIONS)]
    (profile,) = shown["profile"]
    assert (profile["id"], profile["first_name"], profile["preferences"]) == (guest["id"], "Jordan", {"pillow": "firm"})
    assert [row["id"] for row in shown["messages"]] == sent
    assert shown["messages"][0]["content"] == "Your suite is ready."
    assert shown["messages"][0]["metadata"] == {"order": "9"}
    assert [row["content"] for row in shown["steps"]] == ["B"]
    assert {row["type"] for row in shown["timeline"]} == {"message.queued"}
    assert {row["subject_id"] for row in shown["timeline"]} == set(sent)
    assert [row["kind"] for row in shown["devices"]] == ["fcm_token"]
    assert [row["room"] for row in shown["stays"]] == ["412"]
    assert {row["address"] for row in shown["addresses"]} >= {JORDAN["email"], JORDAN["phone"]}
    assert [row["purpose"] for row in shown["consents"]] == ["marketing"]
    text = json.dumps(shown)
    for secret in (TOKEN, "For Sam", "sam@example.com", other["id"]):
        assert secret not in text

    engine = api.app.state.services.engine
    file = tmp_path / "jordan.json"
    done = await by_command.export_to(engine, "grand-sunset", "test", guest["id"], file)
    assert done["bytes"] == file.stat().st_size and file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == shown
    with pytest.raises(Refused):
        await by_command.export_to(engine, "grand-sunset", "test", guest["id"], file)


async def test_it_is_written_in_pages_and_of_messages_the_oldest_first(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    guest = await api.guest()
    sent = [(await api.later(guest_id=guest["id"], content=f"No. {number}"))["id"] for number in range(7)]
    monkeypatch.setattr("bellhop.store.guests.export.PAGE", 3)
    monkeypatch.setattr("bellhop.engine.export.PAGE", 3)
    shown = await exported(api, guest)
    assert [row["id"] for row in shown["messages"]] == sent
    assert [row["subject_id"] for row in shown["timeline"]] == sent
    engine = api.app.state.services.engine
    pieces = [len(piece) async for piece in await export.document(engine, api.scope, _key(guest))]
    assert len(pieces) > len(SECTIONS) + 4


async def test_it_ends_in_the_middle_when_the_guest_is_erased_meanwhile(api: Api) -> None:
    guest = await api.guest()
    pieces = await export.document(api.app.state.services.engine, api.scope, _key(guest))
    assert await anext(pieces)
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    with pytest.raises(export.ErasedMeanwhile):
        [piece async for piece in pieces]
    with pytest.raises(NotFound):
        await export.document(api.app.state.services.engine, api.scope, _key(guest))


async def test_it_needs_a_right_and_stays_in_the_property(api: Api) -> None:
    guest = await api.guest()
    for headers, status in (
        (await api.mint("messaging:read"), 403),
        (await api.mint("*", scope=api.live), 404),
        (await api.neighbour(), 404),
    ):
        assert (await api.http.get(f"/v1/guests/{guest['id']}/export", headers=headers)).status_code == status
    await exported(api, guest, **await api.mint("guests:read"))


async def test_it_is_erased_by_command(api: Api) -> None:
    guest = await api.guest()
    engine = api.app.state.services.engine
    assert await by_command.erase(engine, "grand-sunset", "test", guest["id"]) == {
        "guest_id": guest["id"], "erased": True,
    }  # fmt: skip
    for wrong in (guest["id"], "gst_1"):
        with pytest.raises(Refused):
            await by_command.erase(engine, "grand-sunset", "test", wrong)


def _key(guest: dict[str, Any]) -> Any:
    return parse(Prefix.GUEST, guest["id"])
