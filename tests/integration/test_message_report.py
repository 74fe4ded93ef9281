"""The ledger: every accepted message has one place, whatever its state, and the figures are those of real life."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from typer.testing import CliRunner

from bellhop.cli.main import app
from bellhop.domain.channels import Channel
from bellhop.domain.failures import FailureCode
from bellhop.domain.message_report import PLACES, REASONS, report_json
from bellhop.domain.scopes import Scope
from bellhop.domain.statuses import STATUS, Stage, Status
from bellhop.engine import message_report
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from tests.integration.conftest_api import Api, open_api

ATTEMPTS = ("in_flight", "accepted", "unknown", "not_sent", "undelivered", "abandoned")
DECISIONS = ("queued", "cancelled", "gave_up")
CHANNELS = ("sms", "email", "push")

# A message of any age, which the ledger must put somewhere, whether or not such a combination should ever occur.
_PUT = text(
    """
    with message as (
      insert into messages (id, scope_id, channel, stage, decision, failure_code, provider, scheduled_at, due_at, tries,
        held_account_id, sent_at, created_at, erased_at)
      select uuidv7(made.at - now()), :scope, :channel, :stage, :decision, :failure_code, 'twilio',
        made.at + make_interval(secs => :scheduled), made.at, :tries,
        case when :held then (select id from provider_accounts limit 1) end,
        made.at + make_interval(secs => :sent), made.at, case when :erased then now() end
      from (select now() - make_interval(secs => :age) as at) made
      returning id, created_at
    ), attempt as (
      insert into attempts (scope_id, message_id, part, account_id, provider, state, sender, lease_until, created_at)
      select :scope, message.id, 0, (select id from provider_accounts limit 1), 'twilio', :attempt, '+1', now(),
        message.created_at
      from message where :attempt <> 'none'
    )
    select id from message
    """
)


async def put(tx: AsyncConnection, scope: Scope, **given: Any) -> Any:
    usual = {
        "channel": "sms", "stage": "queued", "decision": "queued", "failure_code": None, "age": 60.0, "scheduled": None,
        "tries": 0, "held": False, "sent": None, "erased": False, "attempt": "none",
    }  # fmt: skip
    return (await tx.execute(_PUT, {"scope": scope.id, **usual, **given})).scalar_one()


def adds_up(figures: dict[str, Any]) -> None:
    """What this file is about."""
    assert figures["accepted"] == sum(figures[place] for place in PLACES)
    assert figures["pending"] == sum(figures["pending_because"][reason] for reason in REASONS)
    assert figures["failed"] == sum(figures["failures"].values())


@pytest.fixture
async def scopes(engine: AsyncEngine, settings: Settings) -> dict[str, Scope]:
    async with engine.begin() as tx:
        made = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
        await ensure_accounts(tx, made["test"], settings)
    return made


@pytest.fixture
async def tx(engine: AsyncEngine, scopes: dict[str, Scope]) -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as open_tx:
        yield open_tx


async def read(tx: AsyncConnection, scope: Scope) -> dict[str, Any]:
    return report_json(await message_report.figures(tx, [scope], None, None))


async def test_every_state_there_can_be_has_its_place(tx: AsyncConnection, scopes: dict[str, Scope]) -> None:
    """Every stage × decision × attempt × hold × tries. A stage that STATUS does not know, or a case left out of the
    statement, and the sum is short."""
    everything = itertools.product(Stage, DECISIONS, (*ATTEMPTS, "none"), (False, True), (0, 2), (None, -30.0, 3600.0))
    expected: dict[str, int] = dict.fromkeys((*PLACES, *REASONS), 0)
    count = 0
    for stage, decision, attempt, held, tries, scheduled in everything:
        word = STATUS[stage]
        code = random.choice([*FailureCode]).value if word is Status.FAILED else None
        channel = CHANNELS[count % len(CHANNELS)]
        await put(
            tx, scopes["test"], channel=channel, stage=stage.value, decision=decision, attempt=attempt, held=held,
            tries=tries, scheduled=scheduled, failure_code=code, erased=count % 5 == 0,
        )  # fmt: skip
        count += 1
        if word is not Status.QUEUED:
            expected[word.value] += 1
        elif attempt == "unknown":
            expected["unknown"] += 1
        else:
            reason = "held" if held else "waiting" if scheduled == 3600.0 else "retrying" if tries else "due"
            expected["pending"] += 1
            expected[reason] += 1
    found = await read(tx, scopes["test"])
    total = found["total"]
    assert total["accepted"] == count
    adds_up(total)
    assert {place: total[place] for place in PLACES} | total["pending_because"] == expected
    assert total["erased"] == (count + 4) // 5
    for each in found["channels"]:
        adds_up(each)
    assert [each["channel"] for each in found["channels"]] == sorted(CHANNELS)
    for name in ("accepted", *PLACES):
        assert sum(each[name] for each in found["channels"]) == total[name]
    assert (await read(tx, scopes["live"]))["total"]["accepted"] == 0


MESSAGE = st.fixed_dictionaries(
    {
        "channel": st.sampled_from(CHANNELS),
        "stage": st.sampled_from([stage.value for stage in Stage]),
        "decision": st.sampled_from(DECISIONS),
        "failure_code": st.sampled_from([None, *(code.value for code in FailureCode)]),
        "age": st.floats(0, 200_000),
        "scheduled": st.none() | st.floats(-1000, 100_000),
        "sent": st.none() | st.floats(0, 1000),
        "tries": st.integers(0, 3),
        "held": st.booleans(),
        "erased": st.booleans(),
        "attempt": st.sampled_from((*ATTEMPTS, "none")),
    }
)


@examples(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(population=st.lists(MESSAGE, max_size=25))
async def test_it_adds_up_whatever_there_is(
    settings: Settings, scopes: dict[str, Scope], population: list[dict[str, Any]]
) -> None:
    # Each example runs in an event loop of its own.
    engine = make_engine(settings.postgres, "tests")
    try:
        async with engine.connect() as tx:
            for each in population:
                await put(tx, scopes["test"], **each)
            found = await read(tx, scopes["test"])
            await tx.rollback()
    finally:
        await engine.dispose()
    young = [each for each in population if each["age"] <= 86_399]
    assert found["total"]["accepted"] == len(young)
    adds_up(found["total"])
    for each in found["channels"]:
        adds_up(each)
    assert found["total"]["lateness"]["count"] == sum(each["sent"] is not None for each in young)


async def test_lateness_is_measured_from_when_it_was_due(tx: AsyncConnection, scopes: dict[str, Scope]) -> None:
    scope = scopes["test"]
    for late in range(1, 101):
        await put(tx, scope, stage="delivered", age=4000, scheduled=100.0, sent=100.0 + late)
    # A time that had passed already: due when it was accepted.
    await put(tx, scope, channel="email", stage="sent", age=4000, scheduled=-500.0, sent=2.5)
    # Asked for later, then moved to "now", which was 3,000 seconds after it was accepted; sent 3 seconds later.
    moved = await put(tx, scope, channel="push", stage="sent", age=4000, scheduled=None, sent=3003.0)
    await tx.execute(
        text(
            "insert into events (scope_id, subject, subject_id, type, created_at) select scope_id, 'message', id,"
            " 'message.rescheduled', created_at + interval '3000 seconds' from messages where id = :id"
        ),
        {"id": moved},
    )
    # Not sent: their time came 40 and 10 seconds ago; the time of the third has not come.
    await put(tx, scope, channel="push", age=100, scheduled=60.0, attempt="unknown")
    await put(tx, scope, channel="push", age=10)
    await put(tx, scope, channel="push", scheduled=9999.0)
    found = await read(tx, scope)
    sms, email, push = (
        next(each for each in found["channels"] if each["channel"] == channel) for channel in ("sms", "email", "push")
    )
    assert sms["lateness"] == {"count": 100, "p50": 50, "p95": 95, "p99": 99, "worst": 100}
    assert email["lateness"]["worst"] == 2.5
    assert push["lateness"] == {"count": 1, "p50": 3, "p95": 3, "p99": 3, "worst": 3}
    assert push["overdue"]["count"] == 2
    assert 39 < push["overdue"]["worst"] < 60
    assert 99 < push["unknown_longest"] < 130
    assert sms["unknown_longest"] is None
    assert sms["overdue"] == {"count": 0, "worst": None}


async def test_the_span_has_a_beginning_and_an_end(tx: AsyncConnection, scopes: dict[str, Scope]) -> None:
    scope = scopes["test"]
    at = (await tx.execute(text("select date_trunc('hour', now()) - interval '5 hours'"))).scalar_one()
    for offset in (-1e-6, 0.0, 1e-6):
        message = await put(tx, scope)
        await tx.execute(
            text(
                "update messages set created_at = cast(:at as timestamptz) + make_interval(secs => :offset),"
                " id = uuidv7(cast(:at as timestamptz) - now()) where id = :id"
            ),
            {"at": at, "offset": offset, "id": message},
        )
    assert (await message_report.figures(tx, [scope], at, None)).total.accepted == 2
    assert (await message_report.figures(tx, [scope], None, at)).total.accepted == 1
    assert (await message_report.figures(tx, list(scopes.values()), None, None)).total.accepted == 3


async def test_webhook_deliveries_add_up_too(tx: AsyncConnection, scopes: dict[str, Scope]) -> None:
    scope = scopes["test"]
    sms, email = await put(tx, scope, stage="sent"), await put(tx, scope, channel="email", stage="sent")
    made = await tx.execute(
        text("insert into endpoints (scope_id, url, secret) values (:scope, 'http://x', '\"s\"') returning id"),
        {"scope": scope.id},
    )
    endpoint = made.scalar_one()
    for message, state, age, after in [
        (sms, "delivered", 500.0, 0.25), (sms, "delivered", 500.0, 4.0), (sms, "pending", 90.0, None),
        (email, "failed", 500.0, None), (email, "abandoned", 500.0, None), (sms, "delivered", 90_000.0, 1.0),
    ]:  # fmt: skip
        await tx.execute(
            text(
                """
                with event as (
                  insert into events (scope_id, subject, subject_id, type)
                  values (:scope, 'message', :message, 'message.sent') returning id)
                insert into deliveries (id, scope_id, endpoint_id, event_id, subject_id, state, created_at,
                  delivered_at)
                select uuidv7(made.at - now()), :scope, :endpoint, event.id, :message, :state, made.at,
                  made.at + make_interval(secs => :after)
                from event, (select now() - make_interval(secs => :age) as at) made
                """
            ),
            {
                "scope": scope.id,
                "message": message,
                "endpoint": endpoint,
                "state": state,
                "age": age,
                "after": after,
            },
        )
    found = (await read(tx, scope))["webhooks"]
    states = {name: found[name] for name in ("owed", "delivered", "pending", "failed", "abandoned")}
    assert states == {"owed": 5, "delivered": 2, "pending": 1, "failed": 1, "abandoned": 1}
    assert found["lateness"] == {"count": 2, "p50": 0.25, "p95": 4, "p99": 4, "worst": 4}
    assert 89 < found["pending_longest"] < 120
    email_only = report_json(await message_report.figures(tx, [scope], None, None, Channel.EMAIL))
    assert email_only["webhooks"]["owed"] == 2
    assert email_only["total"]["accepted"] == 1
    assert [each["channel"] for each in email_only["channels"]] == ["email"]


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_the_api_answers_it_for_its_own_property_and_environment(api: Api) -> None:
    guest = await api.guest()
    for more in ({}, {"guest_id": guest["id"]}, {"scheduled_at": "2030-01-01T09:00:00Z"}):
        assert (await api.send(**more)).status_code == 201
    later = await api.later()
    assert (await api.http.post(f"/v1/messaging/{later['id']}/cancel")).status_code == 200
    # Its two linked messages and those to its number become tombstones, and still count.
    assert (await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 204
    found = (await api.http.get("/v1/ledger")).json()
    adds_up(found["total"])
    assert found["total"]["accepted"] == found["total"]["erased"] == 4
    assert found["total"]["cancelled"] == 4
    assert [each["channel"] for each in found["channels"]] == ["sms"]
    assert found["from"][10:] == found["to"][10:]
    assert found["as_of"].endswith("Z") and len(found["as_of"]) == 27
    assert (await api.http.get("/v1/ledger?channel=email")).json()["total"]["accepted"] == 0
    for headers in (await api.neighbour(), await api.mint(scope=api.live)):
        assert (await api.http.get("/v1/ledger", headers=headers)).json()["total"]["accepted"] == 0
    refused = await api.http.get("/v1/ledger", headers=await api.mint("messaging:write"))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing_scope")


@pytest.mark.parametrize(
    ("query", "place", "said"),
    [
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", "to", "expected a time after `from`"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-02T00:00:00Z", "to", "expected a time after `from`"),
        ("from=2190-03-02T00:00:00Z", "from", "expected a time that has passed"),
        ("from=2026-01-01T00:00:00Z&to=2026-02-02T00:00:00Z", "from", "expected at most 31 days before `to`"),
        ("from=2001-01-01T00:00:00Z", "from", "expected at most 31 days before `to`"),
        ("to=0001-01-01T00:00:00Z", "to", "expected a time between the years 2000 and 2199"),
        ("from=yesterday", "from", "expected an RFC 3339 time with its zone, such as 2026-03-19T09:00:00Z"),
        ("form=2026-03-02T00:00:00Z", "form", "expected nothing of this name"),
        ("channel=pigeon", "channel", "expected one of sms, email, in_app, whatsapp, push, imessage, inbox"),
    ],
)
async def test_what_is_no_span_is_refused(api: Api, query: str, place: str, said: str) -> None:
    answer = await api.http.get(f"/v1/ledger?{query}")
    assert answer.status_code == 422
    (problem,) = answer.json()["detail"]
    assert (problem["loc"], problem["msg"]) == (["query", place], said)


def command(settings: Settings, *arguments: str) -> Any:
    env = {
        "POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "BELLHOP_SECRET_KEY": settings.bellhop.secret_key.get_secret_value(),
        "BELLHOP_ENV_FILE": "",
    }
    return CliRunner().invoke(app, ["ledger", *arguments], env=env)


async def test_the_command_prints_a_table_that_adds_up(
    engine: AsyncEngine, settings: Settings, scopes: dict[str, Scope]
) -> None:
    async with engine.begin() as tx:
        await put(tx, scopes["test"], stage="delivered", sent=0.5)
        await put(tx, scopes["test"], channel="email", stage="gave_up", failure_code="expired")
        await put(tx, scopes["test"], attempt="unknown", age=125)
        await put(tx, scopes["test"], scheduled=9999.0)
        await put(tx, scopes["live"], stage="cancelled")
    result = await asyncio.to_thread(command, settings)
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.output.splitlines()]
    test = lines[
        next(i for i, line in enumerate(lines) if line.startswith("Grand Sunset Resort (grand-sunset, test)")) :
    ]
    for row in (
        "email sms all", "accepted 1 3 4", "delivered 0 1 1", "failed 1 0 1", "expired 1 0 1", "pending 0 1 1",
        "waiting for their time 0 1 1", "unknown 0 1 1", "the oldest call 2 minutes 2 minutes", "webhooks: none",
    ):  # fmt: skip
        assert row in test, result.output
    assert any(line.startswith("Grand Sunset Resort (grand-sunset, live)") for line in lines)
    assert any(line.startswith("All together: accepted from") for line in lines)
    answer = json.loads((await asyncio.to_thread(command, settings, "grand-sunset", "--json")).stdout)
    assert [each["environment"] for each in answer["scopes"]] == ["live", "test"]
    assert answer["together"]["total"]["accepted"] == 5
    one = await asyncio.to_thread(command, settings, "grand-sunset", "--environment", "live", "--json")
    assert json.loads(one.stdout)["together"]["total"]["cancelled"] == 1
    old = await asyncio.to_thread(command, settings, "--from", "0999-01-01", "--to", "0999-01-02")
    assert old.output.strip() == "Nothing was accepted from 0999-01-01 00:00 to 0999-01-02 00:00 UTC."
    none = await asyncio.to_thread(command, settings, "--from", "2020-01-01T05:30:00+05:30", "--to", "2020-01-02")
    assert none.output.strip() == "Nothing was accepted from 2020-01-01 00:00 to 2020-01-02 00:00 UTC."


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "2020-01-02", "--to", "2020-01-01"], "--to: expected a time after from."),
        (["--from", "2020-01-01", "--to", "2020-03-01"], "--from: expected at most 31 days before to."),
        (["nowhere"], "There is no property 'nowhere'."),
        (["--environment", "staging"], "bellhop: Invalid value for '--environment': 'staging' is not one of"),
        (["--from", "2020-13-01"], "bellhop: Invalid value for '--from': '2020-13-01' is no time"),
    ],
)
async def test_the_command_says_what_is_wrong(
    settings: Settings, scopes: dict[str, Scope], arguments: list[str], said: str
) -> None:
    result = await asyncio.to_thread(command, settings, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
