"""Somebody writes whom no guest is known by: they become a guest, once, whom the property names when it knows who they
are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Account, Inbound
from bellhop.domain.ids import Prefix, render
from bellhop.domain.inbound_details import InboundDetails
from bellhop.engine import receipts
from bellhop.settings import Settings

from .conftest_api import Api, open_api

PHONE, MAIL = "+13055550888", "Jordan.Mitchell@example.org"


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


class Sender:
    """Somebody who writes from a number or an address."""

    def __init__(self, api: Api) -> None:
        self.api, self.number = api, 0

    async def says(self, body: str = "Is there a room?", *, sender: str = PHONE, **fields: Any) -> dict[str, Any]:
        """Their text, as the API shows it once it is stored."""
        self.number += 1
        mail = "@" in sender
        provider, channel = ("sendgrid", Channel.EMAIL) if mail else ("twilio", Channel.SMS)
        ((to, key, identity),) = await self.api.sql(
            "select s.address, a.id, a.identity from senders s join provider_accounts a on a.id = s.account_id"
            " where s.scope_id = :scope and s.channel = :channel order by s.id limit 1",
            scope=self.api.scope.id, channel=channel.value,
        )  # fmt: skip
        name = fields.pop("name", None)
        sid = fields.pop("sid", f"SM{self.number:032d}")
        item = Inbound(f"{sid}:inbound", channel, sender, to, body, sid, {}, details=InboundDetails(profile_name=name))
        account = Account(key, provider, identity, "", {})
        await receipts.record(self.api.app.state.services.engine, [account], [replace(item, **fields)])
        ((newest,),) = await self.api.sql(
            "select id from messages where direction = 'inbound' order by id desc limit 1"
        )
        return dict((await self.api.http.get(f"/v1/inbound/{render(Prefix.INBOUND, newest)}")).json())

    async def guests(self) -> list[dict[str, Any]]:
        """All that the property has, the newest first."""
        return list((await self.api.http.get("/v1/guests")).json()["data"])

    async def changes(self) -> list[tuple[str, list[str] | None]]:
        """The events of guests, with what changed."""
        rows = await self.api.sql("select type, facts->'changed' from events where subject = 'guest' order by id")
        return [(row[0], row[1]) for row in rows]


@pytest.fixture
def sender(api: Api) -> Sender:
    return Sender(api)


async def test_they_become_a_guest_once(api: Api, sender: Sender) -> None:
    wrote = await sender.says(name="Jordan van Dyck", sid="SM1")
    (made,) = await sender.guests()
    assert (made["first_name"], made["last_name"], made["phone"], made["email"], made["is_provisional"]) == (
        "Jordan van", "Dyck", PHONE, None, True,
    )  # fmt: skip
    assert wrote["guest_id"] == made["id"]
    await sender.says(name="Jordan van Dyck", sid="SM1")
    again = await sender.says("Hello?", name="Another Name")
    assert (again["guest_id"], again["conversation_id"]) == (made["id"], wrote["conversation_id"])
    mailed = await sender.says(sender=MAIL)
    nameless = (await sender.guests())[0]
    assert (nameless["id"], nameless["first_name"], nameless["last_name"], nameless["email"]) == (
        mailed["guest_id"], "Guest", "…@example.org", MAIL,
    )  # fmt: skip
    assert len(await sender.guests()) == 2
    assert await sender.changes() == [("guest.created", None)] * 2
    found = (await api.http.get("/v1/guests", params={"search": MAIL})).json()["data"]
    assert [one["id"] for one in found] == [nameless["id"]]


async def test_two_texts_at_once_and_the_property_meanwhile_make_one(api: Api, sender: Sender) -> None:
    for number in range(4):
        phone = f"+130555501{number:02d}"
        named = api.http.post("/v1/guests", json={"first_name": "Kim", "last_name": "Lee", "phone": phone})
        texts = [sender.says(f"Text {place}", sender=phone, name="Kimmy") for place in range(3)]
        done = await asyncio.gather(*texts, named)
        # Whoever was first: all of it is one guest's, whom the property has named.
        rows = await api.sql("select id, first_name, is_provisional from guests where phone = :phone", phone=phone)
        assert [(first, provisional) for _, first, provisional in rows] == [("Kim", False)], done[-1].text
        written = await api.sql("select distinct guest_id from messages where sender = :phone", phone=phone)
        assert [one for (one,) in written] == [rows[0][0]]


@pytest.mark.parametrize("address", [PHONE, MAIL])
async def test_the_property_names_them(api: Api, sender: Sender, address: str) -> None:
    wrote = await sender.says(sender=address, name="jo")
    field, given = ("phone", PHONE) if address == PHONE else ("email", MAIL.lower())
    body = {"first_name": "Jordan", "last_name": "Mitchell", field: given, "external_id": "PMS-1"}
    named = await api.http.post("/v1/guests", json=body)
    assert (named.status_code, named.json()["id"]) == (200, wrote["guest_id"])
    assert (named.json()["first_name"], named.json()["is_provisional"]) == ("Jordan", False)
    assert (await sender.changes())[1][0] == "guest.updated"
    assert {"first_name", "is_provisional"} <= set((await sender.changes())[1][1] or [])
    # From now on they are matched as any guest is: the number alone names nobody.
    again = await api.http.post("/v1/guests", json={**body, "external_id": None} if field == "email" else body)
    assert (again.status_code, again.json()["id"]) == (200, wrote["guest_id"])
    other = await api.http.post("/v1/guests", json={"first_name": "Kim", "last_name": "Mitchell", "phone": PHONE})
    assert other.status_code == 201


async def test_a_change_of_the_names_is_enough(api: Api, sender: Sender) -> None:
    wrote = await sender.says(sender=MAIL)
    path = f"/v1/guests/{wrote['guest_id']}"
    other = (await api.http.patch(path, json={"preferences": {"floor": 3}})).json()
    assert (other["is_provisional"], other["first_name"]) == (True, "Guest")
    named = (await api.http.patch(path, json={"first_name": "Jordan", "last_name": "Mitchell"})).json()
    assert (named["is_provisional"], named["email"]) == (False, MAIL)
    same = await api.http.post("/v1/guests", json={"first_name": "J", "last_name": "M", "email": MAIL})
    assert (same.status_code, same.json()["id"]) == (200, wrote["guest_id"])


async def test_a_guest_of_the_property_s_own_goes_first(api: Api, sender: Sender) -> None:
    """It gave somebody the address who was known otherwise: what comes from there is theirs from now on."""
    wrote = await sender.says(sender=MAIL)
    known = (await api.guest(external_id="PMS-1", email="else@example.org"))["id"]
    changed = await api.http.patch(f"/v1/guests/{known}", json={"email": MAIL})
    assert changed.status_code == 200, changed.text
    assert (await sender.says("It is me", sender=MAIL))["guest_id"] == known
    # And the provisional one is in nobody's way: named, they keep what they wrote, and not the address.
    path = f"/v1/guests/{wrote['guest_id']}"
    named = await api.http.patch(path, json={"first_name": "Jordan", "last_name": "M"})
    assert (named.status_code, named.json()["email"]) == (200, None)


async def test_where_several_have_the_address_nobody_is_made(api: Api, sender: Sender) -> None:
    for email in ("a@example.org", "b@example.org"):
        await api.guest(email=email, phone=PHONE, external_id=email)
    assert (await sender.says())["guest_id"] is None
    assert len(await sender.guests()) == 2


@pytest.mark.parametrize(
    ("address", "fields"), [(MAIL, {"automatic": True}), ("72000", {}), ("AMAZON", {}), ("MAILER@localhost", {})]
)
async def test_programs_are_no_guests(sender: Sender, address: str, fields: dict[str, Any]) -> None:
    assert (await sender.says(sender=address, **fields))["guest_id"] is None
    assert await sender.guests() == []


async def test_it_can_be_switched_off(api: Api, sender: Sender) -> None:
    (own,) = (await api.http.get("/v1/properties")).json()["data"]
    path = f"/v1/properties/{own['id']}"
    wrong = await api.http.patch(path, json={"settings": {"guests_from_inbound": "no"}})
    assert wrong.status_code == 422
    await api.http.patch(path, json={"settings": {"guests_from_inbound": False, "language": "es"}})
    assert (await sender.says())["guest_id"] is None
    assert await sender.guests() == []
    await api.http.patch(path, json={"settings": {"language": "es"}})
    assert (await sender.says("¿Hola?"))["guest_id"] is not None
    assert [one["language"] for one in await sender.guests()] == ["es"]


async def test_erased_and_back_again(api: Api, sender: Sender) -> None:
    wrote = await sender.says("STOP", name="Quetzal Mitchell")
    assert (await api.http.delete(f"/v1/guests/{wrote['guest_id']}")).status_code == 204
    assert await sender.guests() == []
    kept = await api.sql(
        "select to_jsonb(m)::text from messages m union all select to_jsonb(r)::text from receipts r"
        " union all select to_jsonb(c)::text from contact_points c union all select to_jsonb(e)::text from events e"
    )
    assert not [row for (row,) in kept if "Quetzal" in row or PHONE in row]
    back = await sender.says("Hello again")
    (new,) = await sender.guests()
    assert (back["guest_id"], new["is_provisional"]) == (new["id"], True)
    assert new["id"] != wrote["guest_id"]
    (consent,) = (await api.http.get(f"/v1/guests/{new['id']}/consents")).json()["data"][:1]
    assert consent["action"] == "opt_out"


async def test_another_property_s_guest_is_no_guest_here(api: Api, sender: Sender) -> None:
    """By property: whoever is a guest in one environment is made anew in the other."""
    live = await api.mint(scope=api.live)
    body = {"first_name": "Kim", "last_name": "Lee", "phone": PHONE}
    assert (await api.http.post("/v1/guests", json=body, headers=live)).status_code == 201
    wrote = await sender.says()
    assert wrote["guest_id"] == (await sender.guests())[0]["id"]
    assert (await api.http.post("/v1/guests", json=body, headers=live)).status_code == 201
