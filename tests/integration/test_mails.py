"""Guests answer by mail: posted as SendGrid's Inbound Parse posts it, in both modes, and put where it belongs."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

from bellhop.domain.ids import Prefix, parse
from tests.chaos.crash.scenarios import PHOTO

from .engine import EMAIL, Engine
from .test_unsubscribe import HTML, guest, mail, marketing_allowed

BIG = "x" * (1024 * 1024) + "\n"


async def writes(stack: Engine, **said: Any) -> dict[str, Any]:
    """What the app answered to a guest's mail."""
    asked = {"provider": "sendgrid", "to": "stay@sandbox.example", **said}
    if "answers" in said and "to" not in said:
        del asked["to"]
    answer = await stack.sandbox.post("/_sandbox/inbound", json=asked)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def stored(stack: Engine, mark: str) -> dict[str, Any]:
    """A guest's message, by the beginning of its text."""
    found = await stack.rows(
        "select * from messages where direction = 'inbound' and content like :mark || '%'", mark=mark
    )
    assert len(found) == 1, mark
    return dict(found[0])


async def test_answers_find_what_they_answer(stack: Engine) -> None:
    ann = await guest(stack, "ann@guest.example", "en")
    _, found = await mail(stack, {**EMAIL, "recipient": "ann@guest.example", "guest_id": ann["id"]})
    own = await stack.send({**EMAIL, "recipient": "ann@guest.example", "options": {"reply_to": "desk@hotel.example"}})
    detail = found["detail"]
    reply_to = detail["reply_to"]["email"]
    assert reply_to.startswith("r-") and reply_to.endswith("@reply.sandbox.example")
    assert detail["headers"]["Message-ID"].startswith("<m-")

    # From the address of another: by our reply address, in capitals as some programs write it.
    for raw in (True, False):
        to = reply_to.upper() if raw else reply_to
        text = f"Ja, gern für zwei, {raw}"
        said = {"from": "Bob <bob@guest.example>", "to": to, "body": text, "answers": found["id"], "raw": raw}
        assert (await writes(stack, **said))["status"] == 200
        row = await stored(stack, text)
        assert (row["guest_id"], row["content"]) == (parse(Prefix.GUEST, ann["id"]), text)
        assert (row["sender"], row["recipient"]) == ("bob@guest.example", "stay@sandbox.example")
        assert row["subject"] == f"Re: {EMAIL['subject']}"
        assert row["details"]["matched_by"] == "answered" and row["details"]["profile"]["name"] == "Bob"
        assert row["details"]["original"].startswith(f"{text}\n\nOn Mon") and row["conversation_id"]

    # By the id that it names; and from the guest's own address where it names none.
    headers = {"In-Reply-To": detail["headers"]["Message-ID"]}
    assert (await writes(stack, **{"from": "bob@guest.example", "body": "By its id", "headers": headers}))[
        "status"
    ] == 200
    assert (await stored(stack, "By its id"))["guest_id"] == parse(Prefix.GUEST, ann["id"])
    assert (await writes(stack, **{"from": "Ann@Guest.example", "body": "Hello"}))["status"] == 200
    assert (await stored(stack, "Hello"))["guest_id"] == parse(Prefix.GUEST, ann["id"])

    # One that somebody made up is a mail like any other.
    forged = reply_to[:-30] + ("a" if reply_to[-30] != "a" else "b") + reply_to[-29:]
    assert (await writes(stack, **{"from": "eve@guest.example", "to": forged, "body": "Forged"}))["status"] == 200
    row = await stored(stack, "Forged")
    assert row["recipient"] == forged and row["guest_id"] != parse(Prefix.GUEST, ann["id"])
    (eve,) = await stack.rows("select id, email from guests where is_provisional")
    assert (eve["id"], eve["email"]) == (row["guest_id"], "eve@guest.example")
    await stack.until(own["id"], "sent", "delivered", "read")
    mails = await stack.accepted(to="ann@guest.example")
    assert [one["detail"]["reply_to"]["email"] for one in mails if one["detail"]["reply_to"]["email"] != reply_to] == [
        "desk@hotel.example"
    ]


async def test_large_and_odd_mails_arrive_whole(stack: Engine) -> None:
    program = base64.b64encode(b"MZ" + bytes(range(256)) * 8_192).decode()
    attached = [
        {"filename": "a.png", "type": "image/png", "content": base64.b64encode(PHOTO).decode()},
        {"filename": "b.exe", "type": "application/octet-stream", "content": program},
    ]
    for at, raw in enumerate((True, False)):
        html = f"<p>Large {at}</p><!-- {BIG * 2} --><div class='gmail_quote'>quoted</div>"
        said = {"from": "joe@guest.example", "html": html, "raw": raw, "attachments": attached}
        assert (await writes(stack, **said))["status"] == 200
        row = await stored(stack, f"Large {at}")
        assert (row["content"], row["details"]["media_count"]) == (f"Large {at}", 2)
        kept, refused = row["details"]["media"]
        assert (kept["state"], kept["content_type"], kept["filename"]) == ("kept", "image/png", "a.png")
        served = await stack.http.get(urlsplit(kept["url"]).path)
        assert (served.status_code, served.content) == (200, PHOTO)
        assert (refused["state"], refused["problem"]) == ("failed", "type_not_accepted")
        text = f"{at} Zimmer für Jörg, 「和室」"
        said = {"from": "joe@guest.example", "body": text, "raw": raw}
        assert (await writes(stack, **said))["status"] == 200
        assert (await stored(stack, text))["content"] == text
    said = {"from": "joe@guest.example", "body": "和室をお願いします。", "charset": "iso-2022-jp", "raw": False}
    assert (await writes(stack, **said))["status"] == 200
    assert (await stored(stack, "和室をお願いします。"))["details"] is None


async def test_programs_say_nothing_of_a_guests_will(stack: Engine) -> None:
    address = "away@guest.example"
    for headers, more in (
        ({"Auto-Submitted": "auto-replied"}, {}),
        ({"Precedence": "bulk"}, {}),
        ({"X-Autoreply": "yes"}, {}),
        ({"List-Id": "<news.example>"}, {}),
        ({}, {"return_path": ""}),
    ):
        assert (await writes(stack, **{"from": address, "body": "STOP", "headers": headers, **more}))["status"] == 200
    rows = await stack.rows("select details, wake_due_at from messages where content = 'STOP'")
    assert len(rows) == 5
    assert all(row["details"]["automatic"] and row["wake_due_at"] is None for row in rows)
    assert await stack.rows("select 1 from consents") == []
    assert await stack.rows("select 1 from guests") == []
    # Nothing is opened again by one.
    await stack.rows("update conversations set closed_at = now() returning id")
    away = {"from": address, "body": "Still away", "headers": {"Auto-Submitted": "auto-replied"}}
    assert (await writes(stack, **away))["status"] == 200
    assert all(row["closed_at"] for row in await stack.rows("select closed_at from conversations"))
    # One of our own that has come back.
    _, found = await mail(stack, {**EMAIL, "recipient": address})
    headers = {"Message-ID": found["detail"]["headers"]["Message-ID"]}
    assert (await writes(stack, **{"from": address, "body": "Back again", "headers": headers}))["status"] == 200
    assert (await stored(stack, "Back again"))["details"]["automatic"] is True
    # The guest themselves, above what they quote.
    assert (await writes(stack, **{"from": address, "body": "Stop", "answers": found["id"]}))["status"] == 200
    # Now there is somebody who writes.
    opened = await stack.rows("select guest_id from conversations where closed_at is null")
    assert [row["guest_id"] for row in opened] == [row["id"] for row in await stack.rows("select id from guests")]
    assert len(opened) == 1
    (said,) = await stack.rows("select action, purpose from consents")
    assert (said["action"], said["purpose"]) == ("opt_out", "all")


async def test_a_mail_unsubscribes_as_a_click_does(stack: Engine) -> None:
    address = "ann@mailto.example"
    _, found = await mail(stack, {**HTML, "recipient": address})
    named = found["detail"]["headers"]["List-Unsubscribe"]
    assert named.startswith("<mailto:u-") and ", <http" in named
    to = named.removeprefix("<mailto:").partition("?")[0]
    assert await marketing_allowed(stack, address)
    for _ in range(2):
        said = {"from": "robot@mail.example", "to": to, "subject": "unsubscribe", "headers": {"Message-ID": "<1@a.b>"}}
        assert (await writes(stack, **said))["status"] == 200
    assert not await marketing_allowed(stack, address)
    assert await stack.rows("select 1 from messages where direction = 'inbound'") == []


async def test_a_mail_that_fails_the_check_comes_again(stack: Engine) -> None:
    await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_inbound_retry_pauses": [0.1]})
    forged = await writes(stack, **{"from": "eve@guest.example", "body": "Forged", "forged": True})
    assert (forged["status"], forged["tries"]) == (503, 2)
    assert (await stack.http.post("/v1/receipts/sendgrid/nobody/inbound", content=b"x")).status_code == 503
    mail_id = {"Message-ID": "<again@guest.example>"}
    for _ in range(2):
        said = {"from": "joe@guest.example", "body": "Once", "headers": mail_id}
        assert (await writes(stack, **said))["status"] == 200
    assert (await stored(stack, "Once"))["channel"] == "email"
