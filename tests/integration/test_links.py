"""Short links: made as a message is accepted, followed by whoever has them, counted without saying by whom."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain import short_links as codes_of_links
from bellhop.domain.ids import Prefix, parse
from bellhop.engine.broadcast_feed import BroadcastFeeder
from bellhop.settings import Settings
from bellhop.store.messages import short_links

from .conftest_api import JORDAN, Api, open_api

PHONE = {"user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"}
TARGET = "https://hotel.example/check-in?booking=GSR-1842#top"
SHORT = re.compile(r"http://\S+/s/([0-9A-Za-z]{10})")


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def sent(api: Api, content: str, headers: dict[str, str] | None = None, **fields: Any) -> dict[str, Any]:
    answer = await api.send(headers, content=content, **fields)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def codes(message: dict[str, Any]) -> list[str]:
    return SHORT.findall(message["content"])


async def shown(api: Api, message: dict[str, Any]) -> list[dict[str, Any]]:
    await api.app.state.services.link_clicks.count()
    found = (await api.http.get(f"/v1/messaging/{message['id']}/links")).json()
    assert found["message_id"] == message["id"]
    return list(found["data"])


async def test_what_goes_out_is_short_and_leads_where_it_led(api: Api) -> None:
    long = f"Check in: {TARGET}, or {TARGET}. Spa: (https://hotel.example/spa)"
    message = await sent(api, long, short_links={"enabled": True, "expires_after": 3600})
    one, again, spa = codes(message)
    base = f"{api.app.state.services.settings.bellhop.public_url}/s/"
    assert message["content"] == f"Check in: {base}{one}, or {base}{one}. Spa: ({base}{spa})" and one == again != spa
    used = {"enabled": True, "domain": base.split("/")[2], "expires_after": 3600}
    assert (message["short_links"], message["link_tracking"], message["segments"]) == (used, False, 1)
    ((stored,),) = await api.sql("select content from messages")
    assert stored == message["content"], "it is fixed as it is accepted"

    answer = await api.http.get(f"/s/{one}?to=https://evil.example", headers={**PHONE, "host": "evil.example"})
    assert (answer.status_code, answer.headers["location"], answer.content) == (302, TARGET, b"")
    kept = {name: answer.headers.get(name) for name in ("referrer-policy", "cache-control", "set-cookie")}
    assert kept == {"referrer-policy": "no-referrer", "cache-control": "no-store", "set-cookie": None}
    looked = await api.http.head(f"/s/{one}", headers=PHONE)
    assert (looked.status_code, looked.headers["location"]) == (302, TARGET)
    first, second = await shown(api, message)
    assert (first["url"], first["target"], second["target"]) == (base + one, TARGET, "https://hotel.example/spa")
    assert (first["clicks"], first["bot_clicks"], second["clicks"]) == (1, 1, 0)
    assert [click["bot"] for click in first["first_clicks"]] == [False, True]
    assert first["first_clicked_at"] == first["last_clicked_at"] == first["first_clicks"][0]["at"]

    timeline = (await api.http.get(f"/v1/messaging/{message['id']}/timeline")).json()["data"]
    clicked = [entry for entry in timeline if entry["what"] == "link.clicked"]
    assert [entry["bot"] for entry in clicked] == [False, True]
    assert clicked[0]["detail"] == "the guest opened a link of the message" and clicked[0]["target"] == TARGET
    ledger = (await api.http.get("/v1/ledger", params={"channel": "sms"})).json()
    assert ledger["links"] == {"made": 2, "followed": 1, "clicks": 1, "bot_clicks": 1}
    assert (await api.http.get("/v1/ledger", params={"channel": "email"})).json()["links"]["made"] == 0


async def test_clicks_are_bounded_and_whoever_opens_everything_at_once_is_a_machine(api: Api) -> None:
    message = await sent(api, TARGET, short_links={})
    (code,) = codes(message)
    for _ in range(3):
        assert (await api.http.get(f"/s/{code}", headers=PHONE)).status_code == 302
    (link,) = await shown(api, message)
    assert (link["clicks"], link["bot_clicks"], link["first_clicked_at"]) == (0, 3, None)
    for _ in range(4):
        await api.http.get(f"/s/{code}", headers=PHONE)
        waiting = api.app.state.services.link_clicks._waiting
        waiting[:] = waiting * 20
        await api.app.state.services.link_clicks.count()
    (link,) = await shown(api, message)
    assert link["bot_clicks"] == 83 and len(link["first_clicks"]) == short_links.MOST_KEPT
    assert await api.rows("link_clicks") == short_links.MOST_KEPT


async def test_links_that_lead_nowhere_say_so(api: Api) -> None:
    (code,) = codes(await sent(api, TARGET, short_links={}))
    await api.sql("update short_links set expires_at = now() where code = :code", code=code)
    over = await api.http.get(f"/s/{code}", headers={"accept-language": "de-AT"})
    assert (over.status_code, "nicht mehr gültig" in over.text) == (410, True)
    for unknown in ("8hGfK3mWqZ", "0", "8hGfK3mWqZ8", "%00", "a%20b"):
        none = await api.http.get(f"/s/{unknown}")
        assert (none.status_code, "This link does not work." in none.text) == (404, True)
    async with api.database.begin() as tx:
        await tx.execute(text("lock table short_links"))
        later = await api.http.get(f"/s/{code}")
    assert (later.status_code, later.headers["retry-after"]) == (503, "5")
    assert "try again in a moment" in later.text.lower()
    for _ in range(60):
        await api.http.get("/s/8hGfK3mWqZ")
    kept_off = await api.http.get(f"/s/{code}")
    assert kept_off.status_code == 429 and int(kept_off.headers["retry-after"]) > 0


async def settings_of(api: Api, **said: Any) -> dict[str, str]:
    """Set them; a new key sees them at once."""
    property_ = (await api.http.get("/v1/properties")).json()["data"][0]["id"]
    answer = await api.http.patch(f"/v1/properties/{property_}", json={"settings": {"short_links": said}})
    assert answer.status_code == 200, answer.text
    return await api.mint()


async def test_a_property_says_what_becomes_of_links(api: Api) -> None:
    assert (await sent(api, TARGET))["content"] == TARGET
    assert await api.rows("short_links") == 0
    key = await settings_of(api, enabled=True, domain="go.hotel.example", expires_after=60)
    message = await sent(api, TARGET, key)
    assert re.fullmatch(r"https://go\.hotel\.example/s/\w{10}", message["content"])
    assert message["short_links"] == {"enabled": True, "domain": "go.hotel.example", "expires_after": 60}
    # What lets a guest in is left as it is, unless its sender asks; so is what says that it stays.
    for left in (
        {"category": "two_factor"},
        {"metadata": {"door_code": "1842"}},
        {"short_links": {"enabled": False}},
    ):
        plain = await sent(api, TARGET, key, **left)
        assert (plain["content"], plain["short_links"]) == (TARGET, None)
    asked = await sent(api, TARGET, key, metadata={"roomCode": "1"}, short_links={}, link_tracking=False)
    assert asked["content"].startswith("https://go.hotel.example/s/")
    api_host = api.app.state.services.settings.bellhop.public_url.split("/")[2]
    assert codes(await sent(api, TARGET, key, short_links={"domain": api_host}))
    wrong = await api.send(key, content=TARGET, short_links={"domain": "evil.example"})
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "short_links", "domain"])
    unused = await sent(api, TARGET, key, short_links={"enabled": False, "domain": "text"})
    assert unused["content"] == TARGET
    property_ = (await api.http.get("/v1/properties")).json()["data"][0]["id"]
    bad = await api.http.patch(f"/v1/properties/{property_}", json={"settings": {"short_links": {"domain": "x"}}})
    assert bad.status_code == 422 and "such as go.hotel.example" in bad.text


async def test_tracking_parameters(api: Api) -> None:
    """In the test environment; live messages have none unless they are marketing (test_links in tests/unit)."""
    message = await sent(api, TARGET, link_tracking=True)
    tracked = "https://hotel.example/check-in?booking=GSR-1842&utm_source=bellhop&utm_medium=sms&utm_campaign=transactional#top"
    assert (message["content"], message["link_tracking"], message["short_links"]) == (tracked, True, None)
    both = await sent(api, TARGET, link_tracking=True, short_links={})
    (link,) = await shown(api, both)
    assert (codes(both) != [], link["target"]) == (True, tracked)
    key = await settings_of(api, link_tracking=True)
    assert (await sent(api, TARGET, key))["content"] == tracked
    assert (await sent(api, TARGET, key, category="two_factor"))["content"] == TARGET
    assert (await sent(api, TARGET, key, link_tracking=False))["content"] == TARGET


class Drawn:
    """Draws codes: first of all the one that is taken, after each rollback something else."""

    def __init__(self, taken: str) -> None:
        self.taken, self.real, self.again = taken, codes_of_links.new_code, 0

    def __call__(self) -> str:
        if self.again:
            self.again -= 1
            return self.taken
        return self.real()


async def test_a_code_that_another_link_has_costs_nothing_but_another_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However the message is accepted. One is drawn twice in 10¹⁰ times: here the first one, each time."""
    (taken,) = codes(await sent(api, TARGET, short_links={}, recipient="+13055550001"))
    drawn = Drawn(taken)
    monkeypatch.setattr(codes_of_links, "new_code", drawn)
    asked = {"channel": "sms", "recipient": "+13055550002", "content": f"See {TARGET}", "short_links": {}}

    drawn.again = 2
    one = await sent(api, TARGET, short_links={}, recipient="+13055550003")
    drawn.again = 1
    other = asked | {"recipient": "+13055550004", "content": "See https://hotel.example/spa"}
    many = await api.http.post("/v1/messaging/batch", json={"messages": [asked, other]})
    assert (many.status_code, many.json()["accepted"]) == (202, 2), many.text
    await api.sql("update messages set stage = 'gave_up', decision = 'gave_up', failure_code = 'expired'")
    drawn.again = 1
    again = await api.http.post(f"/v1/messaging/{one['id']}/resend", json={"reason": "again"})
    assert again.status_code == 201, again.text
    content = {name: asked[name] for name in ("channel", "content", "short_links")}
    to_many = {"name": "x", "message": content, "to": {"recipients": ["+13055550005"]}}
    broadcast = (await api.http.post("/v1/broadcasts", json=to_many)).json()["id"]
    drawn.again = 1
    preview = (await api.http.get(f"/v1/broadcasts/{broadcast}/preview")).json()
    assert (preview["sends"], preview["problem"]) == (1, None)
    assert (await api.http.post(f"/v1/broadcasts/{broadcast}/start", json={})).status_code == 200
    feeder, key = BroadcastFeeder(api.app.state.services.engine), parse(Prefix.BROADCAST, broadcast)
    assert key is not None
    drawn.again = 1
    for _ in range(4):
        await feeder.feed(key)
    found = await api.sql("select code, count(*) from short_links group by code")
    assert (len(found), {count for _, count in found}, drawn.again) == (6, {1}, 0)
    assert await api.rows("messages") == 6, "nothing of what was rolled back is there"


async def test_a_reply_says_what_becomes_of_its_links(api: Api) -> None:
    guest = await api.guest(**JORDAN)
    talk = (await api.later(guest_id=guest["id"]))["conversation_id"]
    body = {"content": f"See {TARGET}", "short_links": {"expires_after": 3600}, "link_tracking": True}
    answer = await api.http.post(f"/v1/conversations/{talk}/reply", json=body)
    assert answer.status_code == 201, answer.text
    message = answer.json()
    assert (len(codes(message)), message["short_links"]["expires_after"]) == (1, 3600)
    assert message["link_tracking"] is True
    wrong = await api.http.post(
        f"/v1/conversations/{talk}/reply", json=body | {"short_links": {"domain": "evil.example"}}
    )
    assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "short_links", "domain"])


async def test_mails_and_what_follows_a_message(api: Api) -> None:
    html = f'<p>Hello <a href="{TARGET}">check in</a> {TARGET}</p>'
    fallback = [
        {"channel": "sms", "recipient": "+13055551234", "content": f"See {TARGET} and https://hotel.example/sms"}
    ]
    mail = {"channel": "email", "recipient": "jordan@example.com", "subject": "x", "fallback": fallback}
    message = await sent(api, html, short_links={}, **mail)
    (code,) = codes(message)
    public = api.app.state.services.settings.bellhop.public_url
    assert message["content"] == f'<p>Hello <a href="{public}/s/{code}">check in</a> {TARGET}</p>'
    ((step, details),) = await api.sql("select content, details from message_steps")
    assert step.startswith(f"See {public}/s/{code} and {public}/s/") and details is None
    assert [link["target"] for link in await shown(api, message)] == [TARGET, "https://hotel.example/sms"]

    # Sent again it has links of its own, and the old ones lead on.
    await api.sql("update messages set stage = 'gave_up', decision = 'gave_up', failure_code = 'expired'")
    again = (await api.http.post(f"/v1/messaging/{message['id']}/resend", json={"reason": "again"})).json()
    (other,) = codes(again)
    assert other != code and again["short_links"] == message["short_links"]
    assert again["content"].replace(other, code) == message["content"]
    assert [link["target"] for link in await shown(api, again)] == [TARGET, "https://hotel.example/sms"]
    assert (await api.http.get(f"/s/{code}")).headers["location"] == TARGET
    # A link of ours is not made short once more.
    assert (await sent(api, f"{public}/s/{code}", short_links={}))["content"] == f"{public}/s/{code}"


async def test_clicks_are_the_propertys_alone_and_go_with_the_guest(api: Api) -> None:
    guest = await api.guest(**JORDAN)
    message = await sent(api, TARGET, guest_id=guest["id"], short_links={})
    (code,) = codes(message)
    assert (await api.http.get(f"/s/{code}", headers=PHONE)).status_code == 302
    assert len(await shown(api, message)) == 1
    path = f"/v1/messaging/{message['id']}/links"
    assert (await api.http.get(path, headers=await api.neighbour())).status_code == 404
    assert (await api.http.get(path, headers=await api.mint("guests:read"))).status_code == 403
    document = (await api.http.get(f"/v1/guests/{guest['id']}/export")).json()
    assert [link["target"] for link in document["links"]] == [TARGET]
    assert [click["bot"] for click in document["followed_links"]] == [False]
    # What a click of a guest who is erased meanwhile counts: nothing.
    await api.http.get(f"/s/{code}", headers=PHONE)
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    await api.app.state.services.link_clicks.count()
    assert (await api.rows("short_links"), await api.rows("link_clicks")) == (0, 0)
    assert (await api.http.get(f"/s/{code}")).status_code == 404
