"""Reconciliation: what the provider has and what we have, compared through its real API; every kind of discrepancy is
made once and seen, and none is seen where there is none."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import httpx2
from sqlalchemy import text

from bellhop.domain.provider_urls import Routes
from bellhop.domain.scopes import Scope
from bellhop.ops.discrepancies import Kind
from bellhop.ops.reconciliation import Patience, Reconciled, Reconciler
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.providers import providers
from bellhop.store.access import keys
from tests.integration.engine import EMAIL, SMS, Engine, key
from tests.sandbox_accounts import sandbox_twilio

SID, TOKEN, NUMBER = sandbox_twilio.ACCOUNT_SID, sandbox_twilio.AUTH_TOKEN, sandbox_twilio.FROM_NUMBER
QUICK = Patience(settles=timedelta(0), pause=0.3, timeout=10.0)


async def reconcile(
    stack: Engine, patience: Patience = QUICK, *, only: str | None = "twilio", scope: Scope | None = None, **span: Any
) -> Reconciled:
    routes = Routes("http://127.0.0.1:9", stack.settings.bellhop.sandbox_url)
    reconciler = Reconciler(
        stack.database, scope or stack.scope, providers(), routes, stack.settings.bellhop.credential_cipher(), patience
    )
    return await reconciler.reconcile(span.get("since"), span.get("until"), only)


async def sent(stack: Engine, count: int = 3, first: int = 600) -> list[dict[str, Any]]:
    """So many messages, all delivered."""
    made = [
        await stack.send({**SMS, "recipient": f"+13055550{first + number}", "content": f"Suite {number} is ready."})
        for number in range(count)
    ]
    return [await stack.until(one["id"], "delivered", seconds=60) for one in made]


async def behind_our_back(stack: Engine, to: str, said: str, sender: str = NUMBER) -> str:
    """Other software sends through the same account; Twilio's id of it."""
    answer = await stack.sandbox.post(
        f"/2010-04-01/Accounts/{SID}/Messages.json", data={"To": to, "From": sender, "Body": said}, auth=(SID, TOKEN)
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sid"])


async def change(stack: Engine, statement: str, **values: Any) -> None:
    async with stack.database.begin() as tx:
        await tx.execute(text(statement), values)


def kinds(reconciled: Reconciled) -> list[Kind]:
    return [discrepancy.kind for discrepancy in reconciled.discrepancies]


async def test_both_have_the_same(stack: Engine) -> None:
    await sent(stack)
    waiting = await stack.send({**SMS, "scheduled_at": "2030-01-01T00:00:00Z"})
    assert (await stack.http.post(f"/v1/messaging/{waiting['id']}/cancel")).status_code == 200
    for number in ("+13055552211", "+13055553003"):
        # Refused at once, so that it has none; taken, and then not delivered, as both say.
        failed = await stack.send({**SMS, "recipient": number})
        await stack.until(failed["id"], "failed", seconds=60)
    found = await reconcile(stack)
    assert found.discrepancies == []
    assert (found.providers["twilio"].ours, found.providers["twilio"].theirs) == (4, 4)
    assert found.exit_code == 0


async def test_what_we_know_nothing_of(stack: Engine) -> None:
    await sent(stack, 1)
    sid = await behind_our_back(stack, "+13055550699", "Sent by hand.")
    found = await reconcile(stack)
    (discrepancy,) = found.discrepancies
    assert (discrepancy.kind, discrepancy.provider_ids, discrepancy.message_id) == (Kind.UNKNOWN_HERE, (sid,), None)
    assert f"twilio has {sid}, accepted 20" in discrepancy.sentence and "know nothing of it" in discrepancy.sentence
    assert (found.providers["twilio"].ours, found.providers["twilio"].theirs) == (1, 2)
    assert found.exit_code == 1


async def test_an_account_shared_with_other_software_does_not_drown_it(stack: Engine) -> None:
    await sent(stack, 1)
    account = {"provider": "twilio", "account_sid": SID, "auth_token": TOKEN, "numbers": [NUMBER, "+15005550199"]}
    assert (await stack.sandbox.post("/_sandbox/accounts", json=account)).status_code == 201
    for number in range(5):
        await behind_our_back(stack, f"+1305555068{number}", "Ticket sold.", sender="+15005550199")
    found = await reconcile(stack)
    assert found.discrepancies == [] and found.exit_code == 0
    assert (found.providers["twilio"].theirs, found.foreign["twilio"]) == (1, 5)


async def test_what_the_provider_does_not_have(stack: Engine) -> None:
    first, second = await sent(stack, 2)
    await stack.sandbox.delete("/_sandbox/messages")
    found = await reconcile(stack)
    assert kinds(found) == [Kind.UNKNOWN_THERE] * 2
    assert {each.message_id for each in found.discrepancies} == {key(first["id"]), key(second["id"])}
    assert (
        first["id"] in found.discrepancies[0].sentence
        and "its list does not have it" in found.discrepancies[0].sentence
    )
    assert (found.providers["twilio"].ours, found.providers["twilio"].theirs) == (2, 0)
    # Of the last minutes a list may lag.
    lenient = await reconcile(stack, Patience(pause=0.1))
    assert lenient.discrepancies == [] and len(lenient.providers["twilio"].moving) == 2


async def test_two_copies(stack: Engine) -> None:
    """Twilio knows nothing of our ids: a second copy is known by its text and its receiver."""
    one, _ = await sent(stack, 2)
    sid = await behind_our_back(stack, one["recipient"], one["content"])
    found = await reconcile(stack)
    (discrepancy,) = found.discrepancies
    assert (discrepancy.kind, discrepancy.message_id) == (Kind.TWO_COPIES, key(one["id"]))
    assert sid in discrepancy.provider_ids and len(discrepancy.provider_ids) == 2


async def test_the_same_text_sent_twice_on_purpose_is_two_messages(stack: Engine) -> None:
    for _ in range(2):
        again = await stack.send({**SMS, "recipient": "+13055550650"})
        await stack.until(again["id"], "delivered", seconds=60)
    assert (await reconcile(stack)).discrepancies == []


WRONG = [
    ("state = 'not_sent'", Kind.NOT_SENT, "we say that a call of"),
    ("state = 'unknown', stage = null, provider_id = null", Kind.UNSETTLED, "do not know what became of a call"),
    ("state = 'abandoned', stage = null, provider_id = null", Kind.UNSETTLED, "(abandoned); twilio has it as SM"),
    ("stage = 'sent'", Kind.STATUSES, "statuses differ: ours sent, theirs delivered"),
    ("state = 'undelivered', stage = 'undelivered'", Kind.STATUSES, "ours failed, theirs delivered"),
]
"""What is written over an attempt of ours, what it is then, and words of its sentence."""


async def test_what_we_have_wrong(stack: Engine) -> None:
    right, *wrong = await sent(stack, len(WRONG) + 1)
    for one, (statement, _, _) in zip(wrong, WRONG, strict=True):
        await change(stack, f"update attempts set {statement} where message_id = :id", id=key(one["id"]))
    found = {discrepancy.message_id: discrepancy for discrepancy in (await reconcile(stack)).discrepancies}
    assert len(found) == len(WRONG) and key(right["id"]) not in found
    for one, (_, kind, words) in zip(wrong, WRONG, strict=True):
        discrepancy = found[key(one["id"])]
        assert discrepancy.kind == kind
        assert words in discrepancy.sentence and one["id"] in discrepancy.sentence


async def test_what_is_over_at_the_second_look_is_none(stack: Engine) -> None:
    """As of a message that was in flight: seen once, and set right while we waited."""
    one, _ = await sent(stack, 2)
    await change(stack, "update attempts set stage = 'sent' where message_id = :id", id=key(one["id"]))
    looking = asyncio.create_task(reconcile(stack, Patience(timedelta(0), pause=3.0, timeout=10.0)))
    await asyncio.sleep(1.5)
    await change(stack, "update attempts set stage = 'delivered' where message_id = :id", id=key(one["id"]))
    assert (await looking).discrepancies == []


async def test_another_property_with_the_same_account_is_no_difference(stack: Engine) -> None:
    await sent(stack, 1)
    async with stack.database.begin() as tx:
        scopes = await ensure_property(tx, "Harbour House", "harbour-house")
        await ensure_accounts(tx, scopes["test"], stack.settings)
        _, raw = await keys.create(tx, scopes["test"], "neighbour", ["*"], rate_limit=1_000_000)
    headers = {"Authorization": f"Bearer {raw}"}
    async with httpx2.AsyncClient(base_url=stack.http.base_url, headers=headers, timeout=30) as theirs:
        answer = await theirs.post("/v1/messaging/send", json={**SMS, "recipient": "+13055550671"})
        async with asyncio.timeout(60):
            while (await theirs.get(f"/v1/messaging/{answer.json()['id']}")).json()["status"] != "delivered":
                await asyncio.sleep(0.05)
    for scope in (stack.scope, scopes["test"]):
        found = await reconcile(stack, scope=scope)
        assert found.discrepancies == []
        assert (found.providers["twilio"].theirs, found.elsewhere["twilio"]) == (1, 1)


async def test_a_span_is_that_span(stack: Engine) -> None:
    await sent(stack, 1, first=610)
    await asyncio.sleep(1.1)  # lists show whole seconds
    (middle,) = await stack.rows("select clock_timestamp() as at")
    await asyncio.sleep(1.1)
    sid = await behind_our_back(stack, "+13055550698", "Sent by hand.")
    before, after = await reconcile(stack, until=middle["at"]), await reconcile(stack, since=middle["at"])
    assert (before.providers["twilio"].ours, before.discrepancies) == (1, [])
    assert after.providers["twilio"].ours == 0
    assert [each.provider_ids for each in after.discrepancies] == [(sid,)]


async def test_who_cannot_be_asked_is_named(stack: Engine) -> None:
    await sent(stack, 1)
    found = await reconcile(stack, only=None)
    problems = {each.provider: each.problem for each in found.accounts if each.problem}
    assert problems.keys() == {"sendgrid", "fcm"}
    assert all("offers no list of its messages" in problem for problem in problems.values())
    assert found.discrepancies == [] and found.exit_code == 2
    nowhere = stack.settings.bellhop.sandbox_url
    try:
        stack.settings.bellhop.sandbox_url = "http://127.0.0.1:9"
        away = await reconcile(stack)
    finally:
        stack.settings.bellhop.sandbox_url = nowhere
    assert "could not be reached" in (away.accounts[0].problem or "")
    assert (away.providers, away.exit_code) == ({}, 2)
    live = (await reconcile(stack, scope=Scope(stack.scope.property_id, stack.scope.property_id, "live"))).exit_code
    assert live == 2


async def test_mail_is_compared_where_the_account_has_its_activity(stack: Engine) -> None:
    await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_email_activity": True})
    try:
        read = await stack.send({**EMAIL, "recipient": "guest-1@example.com"})
        bounced = await stack.send({**EMAIL, "recipient": "guest-2@example.com"})
        await stack.until(read["id"], "read", seconds=60)
        await stack.until(bounced["id"], "read", seconds=60)
        assert (await reconcile(stack, only="sendgrid")).discrepancies == []
        await change(stack, "update attempts set stage = 'sent' where message_id = :id", id=key(bounced["id"]))
        (discrepancy,) = (await reconcile(stack, only="sendgrid")).discrepancies
        assert (discrepancy.kind, discrepancy.message_id) == (Kind.STATUSES, key(bounced["id"]))
        # No text to compare: by its receiver it is the call of which we know nothing.
        await change(
            stack,
            "update attempts set state = 'unknown', stage = null, provider_id = null where message_id = :id",
            id=key(bounced["id"]),
        )
        (discrepancy,) = (await reconcile(stack, only="sendgrid")).discrepancies
        assert (discrepancy.kind, discrepancy.message_id) == (Kind.UNSETTLED, key(bounced["id"]))
    finally:
        await stack.sandbox.put("/_sandbox/settings", json={"sendgrid_email_activity": False})


async def test_the_command_says_it_without_addresses(stack: Engine) -> None:
    (one,) = await sent(stack, 1)

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        mine = {
            "POSTGRES_DSN": stack.settings.postgres.dsn.get_secret_value(),
            "BELLHOP_SECRET_KEY": stack.settings.bellhop.secret_key.get_secret_value(),
            "BELLHOP_SANDBOX_URL": stack.settings.bellhop.sandbox_url or "",
            "BELLHOP_ENV_FILE": "",
        }
        command_line = ("reconcile", "grand-sunset", "--environment", "test", *arguments)
        return subprocess.run(
            [sys.executable, "-c", "from bellhop.cli.main import main; main()", *command_line],
            env={**os.environ, **mine}, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    partly = await asyncio.to_thread(command)
    assert partly.returncode == 2, partly.stdout + partly.stderr
    assert "twilio: 1 message as we have it, 1 as it has it." in partly.stdout
    assert "was not asked: it offers no list" in partly.stdout
    assert "No discrepancy with those that were asked." in partly.stdout
    sid = await behind_our_back(stack, "+13055550697", "Sent by hand.")
    differs = await asyncio.to_thread(command, "--json")
    assert differs.returncode == 1
    (discrepancy,) = json.loads(differs.stdout)["discrepancies"]
    assert (discrepancy["kind"], discrepancy["provider_ids"]) == ("unknown_here", [sid])
    shown = "".join(each.stdout + each.stderr for each in (partly, differs))
    for secret in (one["recipient"], "+1305555", NUMBER, one["content"], TOKEN):
        assert secret not in shown
