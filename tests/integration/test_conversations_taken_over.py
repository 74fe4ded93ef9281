"""Conversations with an address that nobody was known by, once it can be said whose they are."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.settings import Settings
from tests.integration.conftest_api import Api, open_api

from .test_conversations import answers, history, listed, no_guests_from_inbound, patch, stay


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_a_guest_takes_over_the_conversation_of_their_address_once_they_are_known(
    api: Api, settings: Settings
) -> None:
    await no_guests_from_inbound(api)
    phone = "+13055550888"
    talk = (await answers(api, settings, "Is there a room?", phone))["conversation_id"]
    assert (await api.http.post(f"/v1/conversations/{talk}/reply", json={"content": "There is."})).status_code == 201
    note = await api.http.post(f"/v1/conversations/{talk}/notes", json={"content": "Asked for a cot", "author": "Ana"})
    assert note.status_code == 201
    kim = await api.guest(email="kim@example.com", phone="+1 305 555 0888")
    (one,) = await listed(api)
    assert (one["id"], one["guest_id"], one["unread"]) == (talk, kim["id"], 1), "with what is not read yet"
    whose = "select count(distinct guest_id), count(guest_id) from messages"
    assert [tuple(row) for row in await api.sql(whose)] == [(1, 2)], "both ways"
    assert (await answers(api, settings, "For two", phone))["conversation_id"] == talk
    updated = "select count(*) from events where type = 'conversation.updated'"
    assert (await api.sql(updated))[0][0] == 1
    # Two have a number and none a stay: nobody can say whose it is, until one of them has.
    jordan = await api.guest(phone=phone)
    shared = (await answers(api, settings, "Late check-out?", phone))["conversation_id"]
    assert shared == talk, "the one who was written to last"
    ana, ben = [await api.guest(email=f"{name}@example.com", phone="+13055550889") for name in ("ana", "ben")]
    asked = (await answers(api, settings, "A cot, please", "+13055550889"))["conversation_id"]
    booked = await stay(api, ben)
    (at_stay,) = await listed(api, stay_id=booked)
    assert (at_stay["id"], [each["guest_id"] for each in await history(api, asked)]) == (asked, [ben["id"]])
    assert (await answers(api, settings, "Thanks", "+13055550889"))["conversation_id"] == asked
    assert (await api.http.delete(f"/v1/guests/{ben['id']}")).status_code == 204
    left = await api.sql("select count(*) from messages where content in ('A cot, please', 'Thanks')")
    assert left[0][0] == 0, "erased along, though Ana has the number too"
    assert {each["id"] for each in await listed(api)} == {talk}
    assert jordan["id"] != ana["id"]


async def test_it_becomes_part_of_the_one_that_its_guest_has(api: Api, settings: Settings) -> None:
    await no_guests_from_inbound(api)
    jordan = await api.guest()
    own = (await answers(api, settings, "Hi"))["conversation_id"]
    assert (await api.http.post(f"/v1/conversations/{own}/read", json={})).status_code == 200
    other = "+13055550888"
    nobodys = (await answers(api, settings, "My new number", other))["conversation_id"]
    note = {"content": "Who is it?", "author": "Ana"}
    assert (await api.http.post(f"/v1/conversations/{nobodys}/notes", json=note)).status_code == 201
    await patch(api, nobodys, tags=["new"], assigned_to="ana")
    changed = await api.http.patch(f"/v1/guests/{jordan['id']}", json={"phone": other})
    assert changed.status_code == 200, changed.text
    (one,) = await listed(api)
    assert (one["id"], one["tags"], one["assigned_to"]) == (own, ["new"], "ana")
    assert one["unread"] >= 1
    assert [each["content"] for each in await history(api, own, order="oldest")] == ["Hi", "My new number"]
    assert [each["content"] for each in (await api.http.get(f"/v1/conversations/{own}/notes")).json()["data"]] == [
        "Who is it?"
    ]
    assert (await api.http.get(f"/v1/conversations/{nobodys}")).status_code == 404
    # What they wrote from stays theirs, whatever the profile says next.
    assert (await api.http.patch(f"/v1/guests/{jordan['id']}", json={"phone": None})).status_code == 200
    assert (await answers(api, settings, "Still me", other))["conversation_id"] == own
