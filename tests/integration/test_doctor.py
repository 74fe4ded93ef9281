"""The doctor: each check is seen to fire on what it is for, and nothing is said of a stack that is well."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.worker import Worker

from bellhop.cli.reports import doctor_json as as_json
from bellhop.dev import temporal_server
from bellhop.dev.console import Console
from bellhop.domain.ids import endpoint_workflow
from bellhop.domain.scopes import ENVIRONMENTS
from bellhop.domain.sweeps import SweepKind
from bellhop.ops.doctor import examine
from bellhop.ops.doctor_check import Limits, Severity
from bellhop.ops.doctor_checks import CHECKS, DATABASE_CHECKS, TEMPORAL_CHECKS
from bellhop.ops.mail_checks import MAIL_CHECKS
from bellhop.ops.media_checks import MEDIA_CHECKS
from bellhop.ops.spool_checks import SPOOL_CHECKS
from bellhop.settings import Settings
from bellhop.spool.directory import SpoolDirectory
from bellhop.temporal import contract
from bellhop.temporal.client import connect_when_up, register_search_attributes
from bellhop.temporal.schedules import keep_sweeping
from workflows.sweep import SweepWorkflow

from . import test_doctor_sweeps
from .doctor_kit import OF_TEMPORAL, client_of, names, said, until
from .doctor_kit import empty as empty
from .doctor_kit import scene as scene
from .doctor_situations import AGO, NEW_ATTEMPT, SITUATIONS
from .engine import Engine, free_port, running_engine, serving, working

ELSEWHERE = {
    "secret_key": "test_another_key",
    "public_url": "test_live_accounts_behind_an_address_without_encryption",
    "sandbox_in_live": "test_live_accounts_behind_an_address_without_encryption",
    "inbound_list": "test_a_list_of_guests_texts_that_nobody_reads",
    "postgres": "test_without_postgres",
    "temporal": "test_without_temporal",
    "namespace": "test_a_namespace_that_is_not_there",
    "search_attributes": "test_a_temporal_that_is_empty",
    "workers": "test_a_temporal_that_is_empty",
    "schedule": "test_a_temporal_that_is_empty",
    "swept": "test_sweeps_that_do_not_run",
    "sweep_failed": "test_a_kind_of_work_that_fails_and_one_that_is_behind",
    "sweep_behind": "test_a_kind_of_work_that_fails_and_one_that_is_behind",
    "schedule_paused": "test_sweeps_that_do_not_run",
    "queues": "test_half_a_stack",
    "spool_waiting": "test_what_waits_on_disk",
    "spool_full": "test_what_waits_on_disk",
    "spool_rejected": "test_what_waits_on_disk",
    "spool_unusable": "test_what_waits_on_disk",
    "media_unusable": "test_a_place_for_files_that_takes_none",
    "reply_domain": "test_a_reply_domain_that_leads_elsewhere",
    "turns": "test_a_temporal_that_takes_no_turns",
}


def test_every_check_is_seen_to_fire() -> None:
    assert {check.name for check in CHECKS} == SITUATIONS.keys() | ELSEWHERE.keys()
    assert set(ELSEWHERE.values()) <= {*globals(), *vars(test_doctor_sweeps)}


OF_THE_DATABASE = {check.name for check in DATABASE_CHECKS} | {"looking"}


@pytest.mark.parametrize("check", SITUATIONS)
async def test_what_is_in_the_database(scene: tuple[Settings, str], engine: AsyncEngine, check: str) -> None:
    settings, message = scene
    statements, expected = SITUATIONS[check]
    assert not names(await examine(settings)) & OF_THE_DATABASE
    async with engine.begin() as tx:
        for statement in statements:
            await tx.execute(text(statement))
    endpoint = ""
    if "endpoint" in check:
        async with engine.begin() as tx:
            endpoint = endpoint_workflow((await tx.execute(text("select id from endpoints"))).scalar_one())
    found = await examine(settings)
    # That one and no other: what explains itself is not told twice.
    assert names(found) & OF_THE_DATABASE == {check}, [finding.said for finding in found.findings]
    for words in expected:
        assert words.format(message=message, endpoint=endpoint) in said(found, check)
    assert "+1305" not in json.dumps([[each.said, each.do] for each in found.findings])


async def test_what_is_over_soon_is_not_reported(scene: tuple[Settings, str], engine: AsyncEngine) -> None:
    """A message a moment past due, a call of just now, a notification that is pending: everyday life."""
    settings, _ = scene
    async with engine.begin() as tx:
        await tx.execute(text(NEW_ATTEMPT.format(state="unknown", ago="now() - interval '20 seconds'")))
        await tx.execute(text("update messages set due_at = now() - interval '20 seconds', wake_due_at = now()"))
    assert not names(await examine(settings)) & OF_THE_DATABASE
    assert names(await examine(settings, Limits(fresh=15.0))) & OF_THE_DATABASE == {"unknown"}


async def test_another_key(scene: tuple[Settings, str]) -> None:
    settings, _ = scene
    lost = settings.bellhop.model_copy(update={"secret_key": SecretStr("not the key of the first start, but another")})
    found = await examine(settings.model_copy(update={"bellhop": lost}))
    assert "opt-outs are not recognised" in said(found, "secret_key")


class _Exchangers(asyncio.DatagramProtocol):
    """A name server that knows one MX record, of every name; with none of it there is no such name."""

    def __init__(self, exchange: bytes) -> None:
        self._exchange = exchange

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: object) -> None:
        name = b"".join(bytes([len(label)]) + label for label in self._exchange.split(b".")) + b"\0"
        record = b"\xc0\x0c" + struct.pack("!HHIHH", 15, 1, 60, len(name) + 2, 10) + name
        flags, count, answer = (b"\x81\x80", 1, record) if self._exchange else (b"\x81\x83", 0, b"")
        question = data[12 : data.index(b"\0", 12) + 5]
        head = data[:2] + flags + struct.pack("!HHHH", 1, count, 0, 0)
        self._transport.sendto(head + question + answer, addr)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("exchange", "leads_to"), [(b"mx.sendgrid.net", ""), (b"mail.hotel.example", "mail.hotel.example"), (b"", "nobody")]
)
async def test_a_reply_domain_that_leads_elsewhere(scene: tuple[Settings, str], exchange: bytes, leads_to: str) -> None:
    settings, _ = scene
    loop = asyncio.get_running_loop()
    transport, _server = await loop.create_datagram_endpoint(lambda: _Exchangers(exchange), local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    webhook = settings.webhook.model_copy(update={"nameservers": [f"127.0.0.1:{port}"]})
    sendgrid = settings.providers["sendgrid"].model_copy(update={"reply_domain": "reply.hotel.example"})
    changed = {"webhook": webhook, "providers": {**settings.providers, "sendgrid": sendgrid}}
    found = await examine(settings.model_copy(update=changed))
    transport.close()
    if not leads_to:
        assert "reply_domain" not in names(found)
    else:
        assert f"whose mails go to {leads_to} and not to mx.sendgrid.net" in said(found, "reply_domain")


async def test_live_accounts_behind_an_address_without_encryption(
    scene: tuple[Settings, str], engine: AsyncEngine
) -> None:
    settings, _ = scene
    async with engine.begin() as tx:
        live = "(select id from scopes where environment = 'live')"
        await tx.execute(text(f"update provider_accounts set scope_id = {live} where provider = 'sendgrid'"))
    found = await examine(settings)
    assert "live environments have 1 account" in said(found, "public_url")
    assert "grand-sunset (live) sends through the sandbox: sendgrid" in said(found, "sandbox_in_live")
    async with engine.begin() as tx:
        elsewhere = "identity = 'another', base_url = 'https://api.sendgrid.com'"
        await tx.execute(text(f"update provider_accounts set {elsewhere} where provider = 'sendgrid'"))
    assert "sandbox_in_live" not in names(await examine(settings))
    https = settings.bellhop.model_copy(update={"public_url": "https://bellhop.example.com"})
    assert "public_url" not in names(await examine(settings.model_copy(update={"bellhop": https})))


async def test_what_waits_on_disk(settings: Settings, engine: AsyncEngine, tmp_path: Path) -> None:
    """Said of this machine's directory; and of the API's, which may be elsewhere."""
    found = await examine(settings)
    assert not names(found) & {check.name for check in SPOOL_CHECKS}
    few = settings.model_copy(update={"spool": settings.spool.model_copy(update={"max_entries": 4})})
    kept = SpoolDirectory(few.spool.dir, 4, 1_000)
    for _ in range(3):
        kept.put(b"x", time.time_ns() - 600 * 10**9, text=True)
    kept.reject(kept.waiting()[0])
    found = await examine(few)
    where = f"in {few.spool.dir} on this machine"
    assert f"On disk, {where}: 2 callbacks that PostgreSQL has not taken yet, the oldest since 10 minutes" in said(
        found, "spool_waiting"
    )
    assert f"taken to 50% {where}" in said(found, "spool_full")
    assert f"1 callback that the API had answered 2xx could not be recorded: set aside {where}" in said(
        found, "spool_rejected"
    )
    # The doctor runs where there is no spool: the API tells.
    public_url = f"http://127.0.0.1:{free_port()}"
    bellhop = few.bellhop.model_copy(update={"public_url": public_url})
    api = few.model_copy(update={"bellhop": bellhop})
    elsewhere = api.model_copy(update={"spool": few.spool.model_copy(update={"dir": tmp_path / "none"})})
    gone = settings.postgres.model_copy(update={"dsn": SecretStr("postgresql://nobody@127.0.0.1:1/bellhop")})
    async with serving(api.model_copy(update={"postgres": gone})):
        assert f"On disk, at the API ({public_url}): 2 callbacks" in said(await examine(elsewhere), "spool_waiting")
        assert len([one for one in (await examine(api)).findings if one.check == "spool_waiting"]) == 1
    (tmp_path / "file").write_text("")
    none = api.model_copy(update={"spool": few.spool.model_copy(update={"dir": tmp_path / "file" / "spool"})})
    async with serving(none):
        assert f"cannot keep callbacks on disk at the API ({public_url})" in said(
            await examine(elsewhere), "spool_unusable"
        )


async def test_a_place_for_files_that_takes_none(scene: tuple[Settings, str], tmp_path: Path) -> None:
    settings, _ = scene
    kept = tmp_path / "files"
    media = settings.media.model_copy(update={"dir": kept})
    found = await examine(settings.model_copy(update={"media": media}))
    assert "media_unusable" not in names(found), "it is made with the first file"
    kept.mkdir()
    assert "media_unusable" not in names(await examine(settings.model_copy(update={"media": media})))
    assert not [path for path in kept.rglob("*") if path.is_file()]
    given = {"s3_bucket": "guests", "s3_endpoint": "http://127.0.0.1:9", "s3_access_key_id": "k"}
    bucket = settings.media.model_copy(update={**given, "s3_secret_access_key": SecretStr("s")})
    answer = said(await examine(settings.model_copy(update={"media": bucket})), "media_unusable")
    assert "Files cannot be kept in the bucket guests (the bucket:" in answer


async def test_a_list_of_guests_texts_that_nobody_reads(scene: tuple[Settings, str], engine: AsyncEngine) -> None:
    settings, _ = scene
    never = settings.model_copy(update={"bellhop": settings.bellhop.model_copy(update={"inbound_every": 0.0})})
    for environment, found in ("test", False), ("live", True):
        async with engine.begin() as tx:
            where = f"(select id from scopes where environment = '{environment}')"
            for table in ("provider_accounts", "senders"):
                await tx.execute(text(f"update {table} set scope_id = {where}"))
            await tx.execute(
                text(
                    "insert into inbound_lists (provider, identity, environment, received_until)"
                    " select provider, identity, :environment, case provider"
                    " when 'twilio' then now() - interval '2 hours'"
                    " when 'sendblue' then now() - interval '20 minutes' end from provider_accounts"
                ),
                {"environment": environment},
            )
        assert ("inbound_list" in names(await examine(settings))) is found
        assert "inbound_list" not in names(await examine(never))
    assert "twilio could not be asked for 2 hours" in said(await examine(settings), "inbound_list")


async def test_without_postgres(settings: Settings, temporal: Client) -> None:
    """Temporal is looked at all the same."""
    gone = settings.postgres.model_copy(update={"dsn": SecretStr("postgresql://nobody@127.0.0.1:1/bellhop")})
    found = await examine(settings.model_copy(update={"postgres": gone}))
    assert found.severity == Severity.WRONG
    assert "PostgreSQL can't be reached (OperationalError)" in said(found, "postgres")
    assert set(found.looked) >= OF_TEMPORAL
    assert set(found.skipped) == {check.name for check in DATABASE_CHECKS}
    assert "nobody" not in said(found, "postgres")
    answer = as_json(found)
    assert (answer["status"], answer["exit_code"]) == ("wrong", 2)
    assert {"check", "severity", "said", "do", "facts"} == answer["findings"][0].keys()
    json.dumps(answer)


async def test_without_temporal(scene: tuple[Settings, str], engine: AsyncEngine) -> None:
    """PostgreSQL is looked at all the same."""
    settings, _ = scene
    async with engine.begin() as tx:
        await tx.execute(text(f"update messages set wake_due_at = {AGO}"))
    away = settings.temporal.model_copy(update={"address": "127.0.0.1:1"})
    found = await examine(settings.model_copy(update={"temporal": away}))
    assert names(found) == {"temporal", "pending_notifications"}
    assert "can't be reached at 127.0.0.1:1" in said(found, "temporal")
    assert set(found.skipped) == OF_TEMPORAL


async def test_a_namespace_that_is_not_there(settings: Settings, temporal: Client) -> None:
    elsewhere = settings.temporal.model_copy(update={"namespace": "nowhere"})
    found = await examine(settings.model_copy(update={"temporal": elsewhere}))
    assert names(found) == {"namespace"}
    assert "no namespace `nowhere`" in said(found, "namespace")
    assert set(found.skipped) == OF_TEMPORAL - {"namespace"}


async def test_a_temporal_that_is_empty(empty: Settings) -> None:
    found = await until(empty, {"search_attributes", "workers", "schedule"})
    assert "BellhopProperty, BellhopGuest" in said(found, "search_attributes")
    assert "python worker.py" in said(found, "workers")
    assert "bellhop recover" in said(found, "schedule")
    client = await client_of(empty)
    await register_search_attributes(client)
    await keep_sweeping(client, dict.fromkeys(SweepKind, 3600.0))
    await until(empty, {"workers"})


@pytest.fixture
def unfair() -> Iterator[str]:
    """The address of a Temporal server with its own settings, not ours."""
    binary = temporal_server.find(Console()).binary
    if binary is None:
        pytest.skip("the tests' Temporal is another's: its settings cannot be chosen")
    address = f"127.0.0.1:{free_port()}"
    command = [binary, "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", address.partition(":")[2]]
    with subprocess.Popen([*command, "--log-level", "never"], stdout=subprocess.DEVNULL) as server:
        yield address
        server.terminate()


async def test_a_temporal_that_takes_no_turns(settings: Settings, unfair: str) -> None:
    elsewhere = settings.temporal.model_copy(update={"address": unfair})
    await connect_when_up(elsewhere, pause=0.2)
    found = await until(settings.model_copy(update={"temporal": elsewhere}), {"workers", "schedule", "turns"})
    assert "order of arrival" in said(found, "turns")
    assert "docs/operations.md" in said(found, "turns")


@pytest.fixture
async def well(empty: Settings, engine: AsyncEngine, sandbox_url: str) -> AsyncIterator[Engine]:
    """A stack in which everything runs."""
    async with (
        running_engine(empty, engine, await client_of(empty), sandbox_url, worker=False) as made,
        working(made, ENVIRONMENTS),
    ):
        await keep_sweeping(made.client, dict.fromkeys(SweepKind, 1.0))
        yield made


def bellhop(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command, with the settings of a test."""
    mine = {
        "POSTGRES_DSN": settings.postgres.dsn.get_secret_value(),
        "BELLHOP_SECRET_KEY": settings.bellhop.secret_key.get_secret_value(),
        "TEMPORAL_ADDRESS": settings.temporal.address,
        "TEMPORAL_NAMESPACE": settings.temporal.namespace,
        "BELLHOP_ENV_FILE": "",
    }
    return subprocess.run(
        [sys.executable, "-c", "from bellhop.cli.main import main; main()", *arguments],
        env={**os.environ, **mine}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


async def test_a_stack_that_is_well(well: Engine) -> None:
    sent = await well.send({"channel": "sms", "recipient": "+13055550401", "content": "Your suite is ready."})
    await well.until(sent["id"], "delivered", seconds=60)
    found = await until(well.settings, set())
    assert found.findings == [] and found.severity == Severity.FINE
    others = (*SPOOL_CHECKS, *MEDIA_CHECKS, *MAIL_CHECKS)
    assert set(found.looked) == {check.name for check in (*DATABASE_CHECKS, *TEMPORAL_CHECKS, *others)}
    result = await asyncio.to_thread(bellhop, well.settings, "doctor")
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"All is well: {len(found.looked)} things looked at, nothing is stuck." in result.stdout
    assert "Recovery, by kind of work:" in result.stdout
    assert result.stdout.count(", every 1 s; woke 0 in ") >= 1, result.stdout
    async with well.database.begin() as tx:
        await tx.execute(text("update scopes set paused_at = now() where environment = 'test'"))
    warned = await until(well.settings, set())
    assert (warned.severity, names(warned)) == (Severity.WARNING, {"paused"})
    async with well.database.begin() as tx:
        await tx.execute(text("update alembic_version set version_num = '0000'"))
    wrong = await asyncio.to_thread(bellhop, well.settings, "doctor")
    assert wrong.returncode == 2
    assert wrong.stdout.index("WRONG ") < wrong.stdout.index("WARNING ")
    looked = len(DATABASE_CHECKS) + len(TEMPORAL_CHECKS) + len(others)
    assert f"2 findings; {looked} things looked at" in wrong.stdout, wrong.stdout


async def test_half_a_stack(empty: Settings, engine: AsyncEngine) -> None:
    """Only what goes out at once has a worker: eight queues are named, each with what stands still."""
    client = await client_of(empty)
    await register_search_attributes(client)
    await keep_sweeping(client, dict.fromkeys(SweepKind, 3600.0))
    async with Worker(client, task_queue=contract.TASK_QUEUE_WORKFLOWS, workflows=[SweepWorkflow]):
        found = await until(empty, {"queues"})
    result = [finding.said for finding in found.findings if finding.check == "queues"]
    assert len(result) == 8
    assert "No worker polls the task queue bellhop-webhooks: no webhook is delivered." in result
