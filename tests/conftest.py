"""What every test may ask for: real PostgreSQL and a real Temporal server, started once for the whole run.

The process that runs pytest starts them (its xdist workers are told by environment variables), and only when a test
outside `tests/unit` was asked for. Each test gets a database of its own and each xdist worker a Temporal namespace.
"""

from __future__ import annotations

import asyncio
import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from google.protobuf.duration_pb2 import Duration
from hypothesis import settings as examples
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from bellhop import memory
from bellhop.dev.free_ports import Ports
from bellhop.dev.stack import EmbeddedStack
from bellhop.domain.addresses import AddressBook
from bellhop.media.settings import MediaSettings
from bellhop.ops.migrate import migrate
from bellhop.providers import PACKAGES
from bellhop.sandbox.authority import certificate
from bellhop.settings import BellhopSettings, Settings
from bellhop.spool.settings import SpoolSettings
from bellhop.store.connections import make_engine
from bellhop.store.settings import DeliverySettings, PostgresSettings
from bellhop.temporal.settings import TemporalSettings
from bellhop.webhooks.settings import WebhookSettings
from tests.databases import Databases, dsn_of
from tests.sandbox_accounts import SANDBOX_SECRET, SECRET_KEY

# What `bellhop.sandbox.testing.running` derives its accounts from.
os.environ["SANDBOX_SECRET"] = SANDBOX_SECRET

# How long an example takes is a matter of what else the machine does.
examples.register_profile("bellhop", deadline=None)
examples.load_profile("bellhop")

SECRET = SECRET_KEY
TEMPLATE = "bellhop_template"

# What a client that could speak TLS reads when it is made, in place of every authority there is: a twentieth of a
# second's work, a hundred times over. Whom tests call by TLS, they say themselves whom to trust.
_TRUSTED = "SSL_CERT_FILE"
_DSN = "BELLHOP_TEST_DSN"
_TEMPORAL = "BELLHOP_TEST_TEMPORAL"

_running: dict[str, object] = {}

# Not while thousands of tests are imported, which all stay: a fifth of the time.
gc.disable()

ORDER = (
    # Four minutes in one file, beside what only computes.
    "tests/chaos/crash/",
    "tests/contract/",
    "tests/unit/",
    # A minute and more in one test: begun last, it would be waited for with nothing beside it.
    "tests/chaos/test_storm.py",
    "tests/integration/test_races.py",
    "tests/chaos/",
    "tests/integration/test_webhooks_drained.py",
    "",
)
"""Where the whole suite begins, and what follows: what takes longest is not left to the end."""


def _usual() -> Settings:
    # `_env_file=None`: a developer's own .env has no part in a test.
    return Settings(
        bellhop=BellhopSettings(
            _env_file=None,
            secret_key=SecretStr(SECRET),
            sandbox_url="http://127.0.0.1:9",
            public_url="http://127.0.0.1:8",
            sweep_every=1.0,
        ),
        postgres=PostgresSettings(_env_file=None, dsn=SecretStr("")),
        temporal=TemporalSettings(_env_file=None),
        providers={package.name: package.settings(_env_file=None) for package in PACKAGES},
        delivery=DeliverySettings(
            _env_file=None,
            call_timeout=2.0,
            lease=3.0,
            lease_margin=0.2,
            settle_pauses=[0.3, 0.3, 0.5],
            retry_first=0.1,
            retry_longest=1.0,
            hold=0.5,
        ),
        webhook=WebhookSettings(_env_file=None, allow=["127.0.0.0/8"], timeout=3.0),
    )


_USUAL = _usual()


def _settings(dsn: str, temporal: str, namespace: str = "default") -> Settings:
    # A copy: to read them all from the environment takes sixty times as long.
    made = _USUAL.model_copy(deep=True)
    made.postgres.dsn, made.temporal.address, made.temporal.namespace = SecretStr(dsn), temporal, namespace
    return made


def _memory_of_temporal() -> int:
    """MiB for a whole run's workflows and task queues. Where they fill it, the server spends half of its CPU on
    collecting garbage: with 1 GiB they do, so it has up to 3, and a quarter of what there is."""
    there = [psutil.virtual_memory().total]
    with suppress(OSError, ValueError):
        # What a container may take; "max" where it may take all.
        there.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return min(3 * 1024, min(there) // 4 // 2**20)


def pytest_configure(config: pytest.Config) -> None:
    asked = [str(argument) for argument in config.args]
    only_pure = bool(asked) and all("tests/unit" in argument for argument in asked)
    if hasattr(config, "workerinput") or only_pure or config.option.collectonly or _DSN in os.environ:
        return
    state = tempfile.TemporaryDirectory(prefix="bellhop-tests-", ignore_cleanup_errors=True)
    authority = Path(state.name) / "authority.pem"
    authority.write_text(certificate(SANDBOX_SECRET), encoding="utf-8")
    os.environ.setdefault(_TRUSTED, str(authority))
    env = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    env["GOMEMLIMIT"] = f"{_memory_of_temporal()}MiB"
    stack = EmbeddedStack(Path(state.name), ports=Ports.any_free(), parts=("postgres", "temporal"), env=env).start()
    _running.update(stack=stack, state=state)
    dsn = stack.postgres_dsn
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(f"create database {TEMPLATE}")
        # The power does not fail here, and what is over with the run needs no care.
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.execute(f"alter system set {setting} = off")
        connection.execute("select pg_reload_conf()")
    asyncio.run(migrate(_settings(dsn_of(dsn, TEMPLATE), stack.temporal_address)))
    os.environ[_DSN] = dsn
    os.environ[_TEMPORAL] = stack.temporal_address


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In the order of ORDER: xdist hands files out as they come."""
    items.sort(key=lambda item: next(at for at, place in enumerate(ORDER) if item.nodeid.startswith(place)))


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import stay: the garbage collector need not look at them again."""
    gc.enable()
    memory.loaded()


def pytest_unconfigure(config: pytest.Config) -> None:
    stack = _running.pop("stack", None)
    if isinstance(stack, EmbeddedStack):
        stack.stop()
    state = _running.pop("state", None)
    if isinstance(state, tempfile.TemporaryDirectory):
        state.cleanup()


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The databases of this process's tests."""
    made = Databases(os.environ[_DSN], TEMPLATE)
    yield made
    made.close()


@pytest.fixture
def database_dsn(databases: Databases) -> Iterator[str]:
    """A database of this test's own, migrated."""
    name = databases.take()
    yield dsn_of(os.environ[_DSN], name)
    databases.give_back(name)


@pytest.fixture(scope="session")
def temporal_namespace(worker_id: str) -> str:
    """A Temporal namespace of this xdist worker's own: workers of one test never take another process's tasks."""

    async def make() -> str:
        client = await Client.connect(os.environ[_TEMPORAL])
        name = f"tests-{worker_id}"
        try:
            await client.workflow_service.register_namespace(
                RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=Duration(seconds=86_400))
            )
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise
        # The frontend's cache learns of it within seconds.
        for _ in range(200):
            try:
                await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=name))
                async for _found in (await Client.connect(os.environ[_TEMPORAL], namespace=name)).list_workflows():
                    break
                return name
            except RPCError:
                await asyncio.sleep(0.1)
        raise RuntimeError("the namespace did not come up")

    return asyncio.run(make())


@pytest.fixture
def settings(database_dsn: str, tmp_path: Path, request: pytest.FixtureRequest) -> Settings:
    """Settings for this test's database, and for the run's Temporal server where the test uses it."""
    uses_temporal = "temporal_namespace" in request.fixturenames
    namespace = request.getfixturevalue("temporal_namespace") if uses_temporal else "default"
    made = _settings(database_dsn, os.environ[_TEMPORAL], namespace)
    # On a busy machine, too, what a test posts is in the database when it is answered.
    spool = SpoolSettings(_env_file=None, dir=tmp_path / "spool", after=8.0)
    media = MediaSettings(_env_file=None, dir=tmp_path / "media")
    return made.model_copy(update={"spool": spool, "media": media})


@pytest.fixture
async def engine(settings: Settings) -> AsyncIterator[AsyncEngine]:
    """An engine on this test's database."""
    made = make_engine(settings.postgres, "tests")
    yield made
    await made.dispose()


@pytest.fixture
async def temporal(temporal_namespace: str) -> Client:
    """A client of the run's Temporal server, in this xdist worker's namespace."""
    return await Client.connect(os.environ[_TEMPORAL], namespace=temporal_namespace)


@pytest.fixture
def book() -> AddressBook:
    """The address book of the tests' secret key."""
    return AddressBook(SECRET)
