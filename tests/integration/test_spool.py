"""PostgreSQL is away or stands still: what providers and guests say is on the disk before it is answered 2xx, and in
the record once, in order and with the time it was said, when the record is back.

Seen to fail before there was a spool: every callback is answered 503, and a guest's text, which Twilio posts once, is
lost.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from pydantic import SecretStr
from sqlalchemy import text as sql

from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.engine import replay
from bellhop.ops.migrate import migrate
from bellhop.settings import Settings
from bellhop.spool.entries import Entry
from tests.chaos.parts import env_of
from tests.integration.conftest_api import Api, open_api
from tests.integration.spool_kit import (
    OwnPostgres,
    Providers,
    emptied,
    fresh,
    kept,
    serving,
    spool,
    straight,
    texts,
)
from tests.sandbox_accounts import sandbox_twilio

ROOT = Path(__file__).parents[2]
AFTER = 1.5
PUBLIC_URL = "https://bellhop.example"
LIMIT = 10.0
"""Seconds: SendGrid's patience. Twilio's is longer."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[OwnPostgres]:
    # Not below pytest's own directory, which is for its owner only, and PostgreSQL may have to run as somebody else.
    with tempfile.TemporaryDirectory(prefix="bellhop-spool-", ignore_cleanup_errors=True) as state:
        made = OwnPostgres(Path(state))
        yield made
        made.kill()


@pytest.fixture
def own(settings: Settings, postgres: OwnPostgres) -> Settings:
    """Settings for a database of the server that can be taken away."""
    made = settings.model_copy(
        update={
            "bellhop": settings.bellhop.model_copy(update={"public_url": PUBLIC_URL}),
            "spool": settings.spool.model_copy(update={"after": AFTER}),
        }
    )
    if not postgres.migrated:
        template = made.postgres.model_copy(update={"dsn": SecretStr(postgres.server.dsn())})
        asyncio.run(migrate(made.model_copy(update={"postgres": template})))
        postgres.migrated = True
    dsn = postgres.database(f"spool_{uuid4().hex[:12]}", "bellhop")
    return made.model_copy(update={"postgres": made.postgres.model_copy(update={"dsn": SecretStr(dsn)})})


async def said_at(api: Api, what: str) -> datetime:
    (row,) = await api.sql("select occurred_at from consents where cause = :what", what=what)
    return datetime.fromisoformat(str(row[0]))


async def test_while_it_is_down_everything_is_kept_and_recorded_afterwards(
    own: Settings, postgres: OwnPostgres
) -> None:
    async with serving(own) as (api, providers):
        postgres.kill()
        before = datetime.now(UTC)
        answers = [await providers.text(f"Text {number}") for number in range(5)]
        answers.append(await providers.text("STOP", "+13055550102"))
        stopped = datetime.now(UTC)
        status = {"MessageSid": "SM" + "a" * 32, "MessageStatus": "delivered", "To": "+13055550103"}
        answers.append(await providers.twilio("status", status))
        answers.append(
            await providers.events({"event": "open", "sg_event_id": "e1"}, {"event": "click", "sg_event_id": "e2"})
        )
        answers.append(await providers.mail("By mail"))
        assert [answer.status_code for answer in answers] == [200] * 9
        assert answers[0].text == "<Response/>" and answers[0].headers["content-type"].startswith("text/xml")
        # Once it is known to be away nobody waits for it.
        assert max(providers.took) < LIMIT and max(providers.took[1:]) < 1.0
        assert kept(own) == 9
        said = await spool(api)
        assert (said["usable"], said["waiting"], said["rejected"]) == (True, 9, 0)
        await asyncio.sleep(1.0)
        postgres.start()
        await emptied(api)
        assert await texts(api) == [*(f"Text {number}" for number in range(5)), "STOP", "By mail"]
        (files,) = await api.sql("select details->'media' from messages where content = 'By mail'")
        assert [one["state"] for one in files[0]] == ["kept"]
        assert await api.sql("select count(*) from receipts where word in ('delivered', 'open', 'click')") == [(3,)]
        assert before <= await said_at(api, "opt_out") <= stopped, "it counts from when it was said"
        assert kept(own) == 0


async def test_while_it_stands_still_it_is_asked_once_and_for_a_bounded_time(
    own: Settings, postgres: OwnPostgres
) -> None:
    async with serving(own) as (api, providers):
        assert (await providers.text("Before")).status_code == 200
        with postgres.frozen():
            # All at once, more than there are connections, or requests that are worked on at a time.
            answers = await asyncio.gather(*(providers.text(f"Text {number}") for number in range(40)))
            assert [answer.status_code for answer in answers] == [200] * 40
            assert max(providers.took) < LIMIT
            providers.took.clear()
            assert (await providers.text("Later")).status_code == 200
            assert max(providers.took) < 1.0
        await emptied(api)
        found = await texts(api)
        assert sorted(found) == sorted(["Before", "Later", *(f"Text {number}" for number in range(40))])
        assert found[0] == "Before" and found[-1] == "Later"


async def test_callers_who_wait_for_the_database_keep_no_guest_waiting(own: Settings, postgres: OwnPostgres) -> None:
    """Every place there is for requests is taken by callers whose messages cannot be accepted."""
    async with serving(own) as (api, providers):
        with postgres.frozen():
            callers = [asyncio.create_task(api.send()) for _ in range(60)]
            await asyncio.sleep(0.3)
            assert (await providers.text("Hello?")).status_code == 200
            assert max(providers.took) < LIMIT
            assert {(await caller).status_code for caller in callers} == {503}
        await emptied(api)
        assert await texts(api) == ["Hello?"]


async def test_no_forgery_is_answered_2xx(own: Settings, postgres: OwnPostgres) -> None:
    async with serving(own) as (api, providers):
        postgres.kill()
        form = {"MessageSid": "SM" + "b" * 32, "From": "+13055550101", "To": sandbox_twilio.FROM_NUMBER, "Body": "x"}
        refused = [
            await providers.twilio("inbound", form, token="f" * 32),
            await providers.twilio("inbound", form, account="AC" + "0" * 32),
            await api.http.post(f"/v1/receipts/sendgrid/{'x' * 22}/events", json=[]),
        ]
        assert [answer.status_code for answer in refused] == [503] * 3
        assert {answer.json()["code"] for answer in refused} == {"database_unavailable"}
        assert kept(own) == 0
        # Who tries it again and again is slowed down, as always.
        tried = [await providers.twilio("inbound", form, token="f" * 32) for _ in range(70)]
        assert tried[-1].status_code == 429
        assert (await providers.text("Genuine")).status_code == 200
        postgres.start()
        await emptied(api)
        assert await texts(api) == ["Genuine"]


async def test_an_account_that_was_forgotten_signs_nothing_any_more(
    own: Settings, postgres: OwnPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replay, "REMEMBER_EVERY", 0.1)
    async with serving(own) as (api, providers):
        await api.sql("update provider_accounts set credentials = '{}', previous_credentials = '{}'")
        await asyncio.sleep(1.0)
        postgres.kill()
        assert (await providers.text("Hello")).status_code == 503
        postgres.start()


async def test_full_it_answers_503_as_without_one(own: Settings, postgres: OwnPostgres) -> None:
    few = own.model_copy(update={"spool": own.spool.model_copy(update={"max_entries": 2})})
    async with serving(few) as (api, providers):
        postgres.kill()
        answers = [await providers.text(f"Text {number}") for number in range(4)]
        assert [answer.status_code for answer in answers] == [200, 200, 503, 503]
        assert int(answers[-1].headers["retry-after"]) > 0
        assert (await spool(api))["full"] == 1.0
        postgres.start()
        await emptied(api)
        assert await texts(api) == ["Text 0", "Text 1"]
    none = own.model_copy(update={"spool": own.spool.model_copy(update={"max_entries": 0})})
    database = fresh(none)
    async with open_api(none, database) as api:
        assert (await api.http.get("/readyz")).json()["spool"] is None
        postgres.kill()
        assert (await Providers(api, PUBLIC_URL).text("Lost")).status_code == 503
        postgres.start()
    await database.dispose()


async def test_a_disk_that_takes_nothing_answers_503(own: Settings, postgres: OwnPostgres) -> None:
    own.spool.dir.write_text("no directory")
    async with serving(own) as (api, providers):
        assert (await spool(api))["usable"] is False
        assert (await providers.text("Straight")).status_code == 200
        postgres.kill()
        assert (await providers.text("Nowhere")).status_code == 503
        postgres.start()


async def test_what_a_process_left_behind_the_next_one_records(own: Settings, postgres: OwnPostgres) -> None:
    """Ended, restarted and only then is the database back: two processes share the directory, and each text comes
    once."""
    async with serving(own) as (_, providers):
        postgres.kill()
        assert [(await providers.text(f"Text {number}")).status_code for number in range(20)] == [200] * 20
    assert kept(own) == 20
    postgres.start()
    async with serving(own) as (api, _), serving(own):
        await emptied(api)
        assert await texts(api) == [f"Text {number}" for number in range(20)]


KILLED = """
import asyncio, os, signal
from api.app import create_app
from bellhop.settings import from_env
from bellhop.spool.directory import SpoolDirectory
SpoolDirectory.remove = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
async def main():
    app = create_app(from_env(os.environ))
    async with app.router.lifespan_context(app):
        await asyncio.sleep(60)
asyncio.run(main())
"""


async def test_killed_between_commit_and_deletion_it_is_recorded_once(own: Settings, postgres: OwnPostgres) -> None:
    async with serving(own) as (_, providers):
        postgres.kill()
        assert (await providers.text("Towels, please")).status_code == 200
        assert (await providers.text("STOP", "+13055550104")).status_code == 200
    postgres.start()
    for _ in range(2):  # the second finds the first one's commit
        died = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, cwd=ROOT, env=env_of(own))
        assert await died.wait() == -signal.SIGKILL
        assert kept(own) == 2
    async with serving(own) as (api, _):
        await emptied(api)
        assert await texts(api) == ["Towels, please", "STOP"]
        assert await api.sql("select count(*) from consents") == [(1,)]
        assert await api.sql("select count(*) from events where type = 'message.received'") == [(2,)]


async def test_what_the_provider_repeats_and_what_is_kept_are_one(own: Settings, postgres: OwnPostgres) -> None:
    sid = "SM" + uuid4().hex
    async with serving(own) as (api, providers):
        postgres.kill()
        for _ in range(3):
            assert (await providers.text("Once", MessageSid=sid)).status_code == 200
        postgres.start()
        await emptied(api)
        assert (await providers.text("Once", MessageSid=sid)).status_code == 200
        assert await texts(api) == ["Once"]


async def test_read_only_and_not_migrated_are_away_too(own: Settings, postgres: OwnPostgres) -> None:
    name = str(psycopg.conninfo.conninfo_to_dict(own.postgres.dsn.get_secret_value())["dbname"])

    def alter(setting: str) -> None:
        with psycopg.connect(postgres.server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"alter database {name} {setting}")
            connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])

    async with serving(own) as (api, providers):
        alter("set default_transaction_read_only = on")
        assert (await providers.text("Read only")).status_code == 200
        assert kept(own) == 1
        alter("reset default_transaction_read_only")
        await emptied(api)
        await api.sql("alter table receipts rename to not_yet")
        assert (await providers.text("Not migrated")).status_code == 200
        await asyncio.sleep(2.5)
        assert (await spool(api))["rejected"] == 0, "it waits for as long as it takes"
        await api.sql("alter table not_yet rename to receipts")
        await emptied(api)
        assert await texts(api) == ["Read only", "Not migrated"]


async def test_a_lock_that_is_held_too_long_keeps_it_and_others_go_on(own: Settings) -> None:
    """The database is there: one callback waits for a row that somebody holds, and later ones pass it."""
    async with serving(own) as (api, providers):
        assert (await providers.text("First", "+13055550110")).status_code == 200
        async with api.database.begin() as tx:
            await tx.execute(sql("select 1 from contact_points for update"))
            assert (await providers.text("Second", "+13055550110")).status_code == 200
            assert providers.took[-1] < LIMIT
            await asyncio.sleep(1.0)
            status = {"MessageSid": "SM" + "c" * 32, "MessageStatus": "delivered", "To": "+13055550111"}
            assert (await providers.twilio("status", status)).status_code == 200
            assert await api.sql("select count(*) from receipts where word = 'delivered'") == [(1,)]
        await emptied(api, 60)
        assert await texts(api) == ["First", "Second"]


async def test_what_can_never_be_recorded_is_set_aside_and_the_rest_goes_on(
    own: Settings, postgres: OwnPostgres
) -> None:
    async with serving(own) as (api, providers):
        postgres.kill()
        form = b"MessageSid=SM1&From=%2B13055550101&To=%2B13055550999&Body=x"
        signed = CallbackRequest("https://x/inbound", "inbound", {}, {}, form)
        nobody = Entry("twilio", "AC1", (uuid4(),), datetime.now(UTC) - timedelta(minutes=5), signed)
        gone = Entry("pigeons", "P1", (uuid4(),), datetime.now(UTC) - timedelta(minutes=4), signed)
        holding = api.app.state.services.engine.spool
        for entry in (nobody, gone):
            await holding.keep(entry, text=True)
        (own.spool.dir / f"{1:020d}-text-00000000-4.entry").write_bytes(b"torn")
        assert (await providers.text("After them")).status_code == 200
        assert (await spool(api))["oldest_seconds"] > 200
        postgres.start()
        async with asyncio.timeout(30):
            while await texts(api) != ["After them"]:
                await asyncio.sleep(0.1)
        said = await spool(api)
        # What cannot be decrypted may be so for want of a key: it waits.
        assert (said["waiting"], said["rejected"]) == (1, 2)


async def test_what_is_written_now_comes_after_what_waits(own: Settings, postgres: OwnPostgres) -> None:
    """The database is back and another process is replaying: a guest's next text waits behind the one before it, other
    receipts do not."""
    async with serving(own) as (api, providers):
        directory = api.app.state.services.engine.spool.directory
        postgres.kill()
        assert (await providers.text("START", "+13055550105")).status_code == 200
        with directory.locked() as alone:
            assert alone
            postgres.start()
            await straight(providers, api)
            assert (await providers.text("STOP", "+13055550105")).status_code == 200
            assert len(list(own.spool.dir.glob("*-text-*"))) == 2
            assert await texts(api) == []
        await emptied(api)
        assert await texts(api) == ["START", "STOP"]
        times = await api.sql("select cause from consents order by occurred_at")
        assert [row[0] for row in times] == ["opt_in", "opt_out"]


async def test_a_guest_who_was_erased_meanwhile_is_treated_as_in_any_late_text(
    own: Settings, postgres: OwnPostgres
) -> None:
    async with serving(own) as (api, providers):
        guest = await api.guest(phone="+13055550107")
        directory = api.app.state.services.engine.spool.directory
        postgres.kill()
        assert (await providers.text("STOP", "+13055550107")).status_code == 200
        with directory.locked() as alone:
            assert alone
            postgres.start()
            async with asyncio.timeout(30):
                while (answer := await api.http.delete(f"/v1/guests/{guest['id']}")).status_code == 503:
                    await asyncio.sleep(0.1)
            assert answer.status_code == 204
        await emptied(api)
        assert (await providers.text("Still me", "+13055550107")).status_code == 200
        rows = await api.sql(
            "select count(*), count(distinct guests.id), bool_and(is_provisional) from messages"
            " join guests on guests.id = guest_id where direction = 'inbound'"
        )
        assert rows == [(2, 1, True)], "as a text that comes now"
        assert await api.sql("select count(*) from consents where cause = 'opt_out'") == [(1,)], "and obeyed"


async def test_nothing_of_it_is_in_the_logs(
    own: Settings, postgres: OwnPostgres, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async with serving(own) as (api, providers):
        postgres.kill()
        assert (await providers.text("A quetzal", "+13055550108")).status_code == 200
        postgres.start()
        await emptied(api)
    said = capsys.readouterr()
    assert "kept on disk" in said.out + said.err
    for secret in ("quetzal", "3055550108", sandbox_twilio.AUTH_TOKEN):
        assert secret not in said.out + said.err
