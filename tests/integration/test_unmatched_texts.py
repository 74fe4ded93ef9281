"""Guests' texts that are nobody's: an operator sees them, gives one to a property, or forgets it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from typer.testing import CliRunner

from bellhop.cli.main import app

from .test_shared_sender import FIRST, GUEST, SECOND, THIRD, Properties, sharing

__all__ = ["sharing"]


async def command(properties: Properties, *arguments: str) -> tuple[int, Any]:
    """The exit code of `bellhop inbound …`, and what it shows or says."""
    settings = properties.settings
    env = {
        "POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "BELLHOP_SECRET_KEY": settings.bellhop.secret_key.get_secret_value(),
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        "BELLHOP_ENV_FILE": "",
    }
    ran = await asyncio.to_thread(CliRunner().invoke, app, ["inbound", *arguments], env=env)
    if ran.exit_code:
        return ran.exit_code, ran.output
    # Before it there may be log lines: Temporal is away.
    shown = ran.stdout.splitlines()
    start = next(at for at, line in enumerate(shown) if line[:1] in ("{", "["))
    return 0, json.loads("\n".join(shown[start:]))


async def lost(properties: Properties, body: str, sid: str = "SM" + "1" * 32) -> dict[str, Any]:
    """A text that matches nobody, as the operator sees it."""
    to = (await properties.api.sql("select distinct address from senders where channel = 'sms'"))[0][0]
    payload = {"MessageSid": sid, "From": GUEST, "To": to, "Body": body, "ProfileName": "Jo", "NumMedia": "0"}
    await properties.text(body, sid, payload=payload)
    return dict((await command(properties, "unmatched"))[1][0])


async def test_they_are_listed(sharing: Properties) -> None:
    assert await command(sharing, "unmatched") == (0, [])
    seen = await lost(sharing, "Who is this?")
    assert (seen["text"], seen["from"], seen["provider"], seen["environment"]) == (
        "Who is this?", GUEST, "twilio", "test",
    )  # fmt: skip
    newer = await lost(sharing, "Hello?", "SM" + "2" * 32)
    assert newer["text"] == "Hello?"
    assert len((await command(sharing, "unmatched", "--limit", "1"))[1]) == 1


async def test_one_is_given_to_a_property_and_told(sharing: Properties) -> None:
    hook = {"url": "http://127.0.0.1:9/hook"}
    await sharing.api.http.post("/v1/webhooks", json=hook, headers=sharing.headers[SECOND])
    seen = await lost(sharing, "Is the bar open?")
    code, given = await command(sharing, "assign", seen["id"], SECOND, "--environment", "test")
    assert (code, given["property"], given["id"][:5]) == (0, SECOND, "imsg_")
    assert await sharing.got() == {SECOND: ["Is the bar open?"]}
    assert await sharing.api.rows("events where type = 'message.received'") == 1
    assert await sharing.api.rows("deliveries") == 2, "and guest.created: nobody there had the number"
    ((profile, late),) = await sharing.api.sql(
        "select details #>> '{profile,name}', sent_at < created_at from messages where direction = 'inbound'"
    )
    assert (profile, late) == ("Jo", True)
    assert await command(sharing, "unmatched") == (0, [])
    assert (await command(sharing, "assign", seen["id"], FIRST, "--environment", "test"))[0] == 2
    assert (await sharing.text("Is the bar open?", "SM" + "1" * 32)).stored == 0, "its callback, once more"


async def test_a_stop_binds_the_property_it_is_given_to_as_of_when_it_was_said(sharing: Properties) -> None:
    await sharing.api.sql("update senders set address = '+13055550999' where scope_id = :s and channel = 'sms'",
                          s=sharing.scopes[THIRD].id)  # fmt: skip
    await sharing.api.sql("update senders set address = '+13055550998' where scope_id = :s and channel = 'sms'",
                          s=sharing.scopes[SECOND].id)  # fmt: skip
    item_to = "+13055550997"
    await sharing.api.sql("update senders set address = '+13055550996' where scope_id = :s and channel = 'sms'",
                          s=sharing.scopes[FIRST].id)  # fmt: skip
    payload = {"MessageSid": "SM" + "3" * 32, "From": GUEST, "To": item_to, "Body": "STOP"}
    await sharing.text("STOP", payload["MessageSid"], recipient=item_to, payload=payload)
    assert await sharing.refusing() == set()
    seen = (await command(sharing, "unmatched"))[1][0]
    await command(sharing, "assign", seen["id"], THIRD, "--environment", "test")
    assert await sharing.refusing() == {THIRD}


async def test_one_is_forgotten(sharing: Properties) -> None:
    seen = await lost(sharing, "Quetzal")
    assert await command(sharing, "discard", seen["id"]) == (0, {"id": seen["id"], "discarded": True})
    assert await command(sharing, "unmatched") == (0, [])
    assert (await command(sharing, "discard", seen["id"]))[0] == 2
    assert await sharing.api.rows("receipts r where to_jsonb(r)::text like '%Quetzal%'") == 0


async def test_what_cannot_be_done_is_said_in_a_line(sharing: Properties) -> None:
    seen = await lost(sharing, "Hello")
    for arguments, said in (
        (("assign", "SM1", SECOND, "--environment", "test"), "There is no text SM1"),
        (("assign", seen["id"], "nobody", "--environment", "test"), "There is no property 'nobody'"),
        (("assign", seen["id"], SECOND, "--environment", "live"), "has no such account"),
        (("discard", "x"), "There is no text x"),
    ):
        code, output = await command(sharing, *arguments)
        assert (code, said in output) == (2, True), output
