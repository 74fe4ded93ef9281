"""In-app messages: laid into the guest's inbox, read by streams and pages, reported of by the guest's app."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.answers import Next
from bellhop.ops.seed import ensure_property
from bellhop.sandbox.app_inbox import AppAway, AppInbox
from bellhop.sandbox.settings import Settings as SandboxSettings
from bellhop.sandbox.state import State
from bellhop.settings import Settings
from bellhop.store.access import keys
from bellhop.store.inbox import entries, sessions

from .engine import key
from .inbox_kit import Inboxes, open_inboxes

STRANGER = {"Authorization": "Bearer gs_test_01kaj3p6zve5jvqzkqdk1w4yb2_" + "a" * 38}


@pytest.fixture
async def inboxes(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Inboxes]:
    async with open_inboxes(settings, engine) as opened:
        yield opened


async def test_one_transaction_lays_it_in(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    message = await inboxes.accept(guest, options={"title": "Check-in", "data": {"screen": "key"}})
    answer = await inboxes.claim(message)
    # Nobody can be asked about it: its workflow waits for what the guest's app reports.
    assert (answer.status, answer.next, answer.after, answer.through) == ("sent", Next.TRACK, 0.0, None)
    (attempt,) = await inboxes.sql("select provider, state, stage, settled_at from attempts")
    assert (attempt.provider, attempt.state, attempt.stage) == ("in_app", "accepted", "sent")
    assert attempt.settled_at is not None
    assert (await inboxes.claim(message)).next is Next.TRACK
    assert [tuple(row) for row in await inboxes.sql("select count(*) from inbox")] == [(1,)]
    (shown,) = await inboxes.inbox(await inboxes.token(guest))
    assert list(shown) == [
        "id", "from", "status", "content", "content_type", "title", "data", "media", "sent_at", "read_at", "expires_at",
    ]  # fmt: skip
    assert (shown["id"], shown["status"], shown["title"]) == (message, "sent", "Check-in")
    assert shown["data"] == {"screen": "key"} and shown["read_at"] is None
    assert (await inboxes.attempts.prepare_lookup(key(message))).next is Next.TRACK  # type: ignore[union-attr]


async def test_of_a_message_with_a_fallback_it_shows_the_step_that_went_out(inboxes: Inboxes) -> None:
    guest, token = (guest := await inboxes.guest()), await inboxes.token(guest)
    message = await inboxes.send(guest, "What the first step says")
    await inboxes.sql(
        "insert into message_steps (scope_id, message_id, step, channel, content, details)"
        " values (:scope, :message, 1, 'in_app', 'What the second says', cast(:details as jsonb))",
        scope=inboxes.scope.id,
        message=key(message),
        details='{"options": {"title": "Again"}}',
    )
    await inboxes.sql("update inbox set step = 1")
    stream = inboxes.open(token)
    for shown in (await inboxes.inbox(token), await stream.until([message])):
        assert [(each["content"], each["title"]) for each in shown] == [("What the second says", "Again")]


async def test_who_was_away_finds_it_and_then_follows_on_every_device(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    early = [await inboxes.send(guest, f"While you were away {number}") for number in range(12)]
    token, other = await inboxes.token(guest), await inboxes.token(guest)
    phone, laptop = inboxes.open(token), inboxes.open(other, server=1)
    await phone.until(early)
    await laptop.until(early)
    await inboxes.send(await inboxes.guest("Alex"), "Not for you")
    late = await inboxes.send(guest, "Now")
    everything = await phone.until([*early, late])
    await laptop.until([*early, late])
    assert [each["content"] for each in everything[-2:]] == ["While you were away 11", "Now"]
    again = inboxes.open(token, after=everything[9]["_position"], server=1)
    await again.until([*early[10:], late])
    nonsense = inboxes.open(token, after="yesterday")
    await nonsense.until([*early, late])
    (first, *_), page = (
        await inboxes.inbox(token, limit=5),
        await inboxes.http.get("/v1/inbox/messages?limit=5", headers=token),
    )
    assert first["id"] == late and page.json()["has_more"]
    following = await inboxes.inbox(token, limit=5, cursor=page.json()["next_cursor"])
    assert [each["id"] for each in following] == early[7:2:-1]


async def test_reports_in_any_order_and_any_number(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    token = await inboxes.token(guest)
    tablet = inboxes.open(await inboxes.token(guest), server=1)
    message, other = await inboxes.send(guest), await inboxes.send(guest, "The bar is open.")
    await tablet.until([message, other])
    for word, status in (("delivered", "delivered"), ("delivered", "delivered"), ("read", "read"), ("read", "read")):
        answer = await inboxes.report(token, message, word)
        assert (answer.status_code, answer.json()) == (200, {"id": message, "status": status})
    # What was read has been delivered, whatever is said afterwards.
    assert (await inboxes.report(token, other, "read", server=1)).json()["status"] == "read"
    assert (await inboxes.report(token, other, "delivered")).json()["status"] == "read"
    for each in (message, other):
        types = await inboxes.sql("select type from events where subject_id = :id order by id", id=key(each))
        assert [row.type for row in types] == ["message.queued", "message.sent", "message.delivered", "message.read"]
        assert (await inboxes.message(each))["status"] == "read"
    # The guest's other devices learn that it was read, once.
    (_, _, *read) = await tablet.until([message, other, message, other])
    assert all(each["status"] == "read" and each["read_at"] for each in read)
    pending = await inboxes.sql("select wake_due_at from messages where wake_due_at is not null")
    assert len(pending) == 2, "their workflows are notified"


async def test_a_batch_says_of_each_where_it_stands(inboxes: Inboxes) -> None:
    guest, token = (guest := await inboxes.guest()), await inboxes.token(guest)
    mine = [await inboxes.send(guest, f"Number {number}") for number in range(3)]
    waiting = await inboxes.accept(guest, "Not yet", scheduled_at="2030-01-01T09:00:00Z")
    theirs = await inboxes.send(await inboxes.guest("Alex"))
    body = {"delivered": [*mine, waiting, theirs], "read": mine[:1]}
    answer = await inboxes.http.post("/v1/inbox/reports", json=body, headers=token)
    assert answer.status_code == 200, answer.text
    stages = dict(zip(mine, ("read", "delivered", "delivered"), strict=True))
    assert answer.json()["data"] == [{"id": each, "status": stages[each]} for each in mine]
    assert (await inboxes.message(theirs))["status"] == "sent"
    too_many = {"delivered": [mine[0][:-3] + f"{number:03}" for number in range(26)]}
    assert (await inboxes.http.post("/v1/inbox/reports", json=too_many, headers=token)).status_code == 422


async def test_it_lies_there_until_it_expires(inboxes: Inboxes) -> None:
    guest, token = (guest := await inboxes.guest()), await inboxes.token(guest)
    tonight = (datetime.now(UTC) + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    message = await inboxes.send(guest, "Tonight: oysters.", valid_until=tonight)
    kept = await inboxes.send(guest, "Your invoice.")
    assert [each["expires_at"] for each in await inboxes.inbox(token)][1] == tonight
    await inboxes.sql("update inbox set expires_at = now() where message_id = :id", id=key(message))
    assert [each["id"] for each in await inboxes.inbox(token)] == [kept]
    await inboxes.open(token).until([kept])
    # An app that has it on its screen still may say so.
    assert (await inboxes.report(token, message, "read")).json()["status"] == "read"
    async with inboxes.database.begin() as tx:
        assert (await entries.expired(tx, 10), await entries.expired(tx, 10)) == (1, 0)
    assert (await inboxes.message(message))["status"] == "read"


async def test_an_erased_guest_has_no_inbox(inboxes: Inboxes) -> None:
    guest, token = (guest := await inboxes.guest()), await inboxes.token(guest)
    message = await inboxes.send(guest, "For Jordan's eyes only")
    streams = [inboxes.open(token), inboxes.open(token, server=1)]
    for stream in streams:
        await stream.until([message])
    assert (await inboxes.http.delete(f"/v1/guests/{guest}", headers=inboxes.key)).status_code == 204
    assert [await stream.over() for stream in streams] == ["session_over"] * 2
    for table in ("inbox", "guest_sessions"):
        assert (await inboxes.sql(f"select count(*) from {table}"))[0][0] == 0
    async with inboxes.database.begin() as tx:
        assert await sessions.find(tx, b"") is None
    gone = inboxes.open(token, server=1)
    await gone.wait(lambda: gone.status)
    assert gone.status == 401


async def test_nobody_reads_another_guests_inbox(inboxes: Inboxes) -> None:
    guest, alex = await inboxes.guest(), await inboxes.guest("Alex")
    token, theirs = await inboxes.token(guest), await inboxes.token(alex)
    message = await inboxes.send(guest)
    no_message = message[:-1] + ("y" if message.endswith("x") else "x")
    for word in ("delivered", "read"):
        assert (await inboxes.report(theirs, message, word)).status_code == 404
        assert (await inboxes.report(token, no_message, word)).status_code == 404
    assert await inboxes.inbox(theirs) == []
    refused = [{}, STRANGER, inboxes.key, {"X-API-Key": "gs_test_"}, {"Authorization": token["Authorization"][:-1]}]
    for headers in refused:
        answer = await inboxes.http.get("/v1/inbox/messages", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "session_over")
    by_query = await inboxes.http.get("/v1/inbox/messages", params={"token": token["Authorization"][7:]})
    assert by_query.status_code == 401
    # A session is no key.
    assert (await inboxes.http.get("/v1/guests", headers=token)).status_code == 401


async def test_another_property_mints_and_revokes_nothing_here(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    made = await inboxes.session(guest)
    mine = {"Authorization": f"Bearer {made['token']}"}
    async with inboxes.database.begin() as tx:
        other = (await ensure_property(tx, "Other House", "other-house"))["test"]
        _, raw = await keys.create(tx, other, "theirs", ["*"])
        _, weak = await keys.create(tx, inboxes.scope, "weak", ["guests:read"])
    theirs, path = {"Authorization": f"Bearer {raw}"}, f"/v1/guests/{guest}/sessions"
    http = inboxes.http
    assert (await http.post(path, json={}, headers=theirs)).status_code == 404
    assert (await http.post(f"{path}/{made['id']}/renew", json={}, headers=theirs)).status_code == 404
    assert (await http.delete(f"{path}/{made['id']}", headers=theirs)).status_code == 404
    assert (await http.delete(path, headers=theirs)).status_code == 404
    assert (await http.post(path, json={}, headers={"Authorization": f"Bearer {weak}"})).status_code == 403
    assert await inboxes.inbox(mine) == []


async def test_sessions_end_when_their_time_is_over_or_somebody_says_so(inboxes: Inboxes) -> None:
    guest = await inboxes.guest()
    first, second = await inboxes.session(guest, expires_in=60), await inboxes.session(guest)
    path = f"/v1/guests/{guest}/sessions"
    for out_of_bounds in (59, 3_601):
        answer = await inboxes.http.post(path, json={"expires_in": out_of_bounds}, headers=inboxes.key)
        assert answer.status_code == 422
    renewed = await inboxes.http.post(f"{path}/{first['id']}/renew", json={}, headers=inboxes.key)
    assert renewed.json()["expires_at"] > first["expires_at"] and "token" not in renewed.json()
    tokens = [{"Authorization": f"Bearer {each['token']}"} for each in (first, second)]
    streams = [inboxes.open(tokens[0], server=1), inboxes.open(tokens[1])]
    message = await inboxes.send(guest)
    for stream in streams:
        await stream.until([message])
    assert (await inboxes.http.delete(f"{path}/{first['id']}", headers=inboxes.key)).status_code == 204
    assert await streams[0].over() == "session_over"
    assert (await inboxes.http.get("/v1/inbox/messages", headers=tokens[0])).status_code == 401
    again = await inboxes.http.post(f"{path}/{first['id']}/renew", json={}, headers=inboxes.key)
    assert again.status_code == 404, "what is over is not renewed"
    # Revoked while nobody heard of it: found out when the connection is there again.
    await inboxes.sql("update guest_sessions set revoked_at = now() where id = id")
    await inboxes.sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bellhop-live'")
    assert await streams[1].over() == "session_over"
    await inboxes.sql("update guest_sessions set expires_at = now() - interval '1 second'")
    async with inboxes.database.begin() as tx:
        assert (await sessions.over(tx, 1), await sessions.over(tx, 10)) == (1, 1)


async def test_the_sandbox_s_phone_shows_it_as_the_guest_s_app_does(inboxes: Inboxes) -> None:
    state = State(None, SandboxSettings(), "a secret that only the sandbox's accounts are made of")
    app, url, guest = AppInbox(state, "http://127.0.0.1:1/app/"), str(inboxes.http.base_url), await inboxes.guest()
    message = await inboxes.send(guest, options={"title": "Check-in"})
    with pytest.raises(AppAway):
        await app.messages()
    token = (await inboxes.token(guest))["Authorization"].removeprefix("Bearer ")
    state.app_sessions["http://127.0.0.1:1/app"] = {"url": url, "token": token}
    (shown,) = await app.messages()
    assert (shown.id, shown.subject, shown.content, shown.status) == (
        message,
        "Check-in",
        "Your room is ready.",
        "delivered",
    )
    assert (await inboxes.message(message))["status"] == "delivered"
    assert await app.read(message) == "read"
    assert (await inboxes.message(message))["status"] == "read"
    written = await app.write("At three, then.")
    mine, _ = await app.messages()
    assert (mine.id, mine.content, mine.direction) == (written, "At three, then.", "inbound")
