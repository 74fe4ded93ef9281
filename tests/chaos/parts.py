"""API and workers as processes of their own, started by hand: of any version, in any number, with any clock.

They work for a test's own database and Temporal namespace, beside a sandbox in the test's process."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client

from bellhop.dev.callbacks import callback_env
from bellhop.dev.local_http import answers
from bellhop.dev.paths import project_dir
from bellhop.dev.process import Process, Program, log_end
from bellhop.dev.proving import environment_without_settings
from bellhop.domain.addresses import AddressBook
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.sandbox.testing import running
from bellhop.settings import Settings, groups
from bellhop.store.access import keys
from bellhop.temporal.client import register_search_attributes
from bellhop.temporal.dispatcher import TemporalDispatcher
from tests.integration.engine import SANDBOX_PACE, Engine, free_port, stop_sweeping
from tests.sandbox_accounts import SANDBOX_SECRET

ROOMS = ("api", "activities", "bellhop", "workflows", "worker.py")


def env_of(settings: Settings) -> dict[str, str]:
    """The environment of a program that is to have these settings."""
    env = environment_without_settings()
    for kind in groups():
        group = settings.providers.get(kind) or getattr(settings, kind)
        prefix = group.model_config["env_prefix"]
        for name, value in group:
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if value is not None:
                text = ",".join(map(str, value)) if isinstance(value, list) else str(value)
                env[f"{prefix}{name}".upper()] = text
    return env | {"BELLHOP_ENV_FILE": "", "PYTHONUNBUFFERED": "1"}


@dataclass
class Parts:
    """What runs. `tree`: the version of the code, a directory."""

    settings: Settings
    logs: Path
    running: list[Process] = field(default_factory=list)

    async def api(self, url: str, tree: Path | None = None) -> Process:
        """The API at a URL; ready."""
        command: tuple[str, ...] = ("-m", "api", "--host", "127.0.0.1", "--port", url.rpartition(":")[2])
        command += ("--graceful", "2")
        if not ((tree or project_dir()) / "api" / "__main__.py").exists():  # an older version
            command = ("-m", "uvicorn", "api.served:app", "--factory", *command[2:-2])
        return await self._start("api", command, tree, lambda _: answers(f"{url}/healthz")(0))

    async def worker(self, *how: str, tree: Path | None = None) -> Process:
        """A worker of both roles; ready. `how`: what Python runs (default: the worker as it is)."""
        log = self.logs / f"worker-{len(self.running)}.log"
        return await self._start(
            "worker", how or ("-m", "worker"), tree, lambda _: b"worker ready" in log.read_bytes(), log
        )

    async def _start(
        self,
        name: str,
        command: tuple[str, ...],
        tree: Path | None,
        ready: Callable[[int], bool],
        log: Path | None = None,
    ) -> Process:
        program = Program(
            name=name,
            label=name,
            command=(sys.executable, *command),
            env=env_of(self.settings),
            log=log or self.logs / f"{name}-{len(self.running)}.log",
            ready=ready,
            cwd=tree or project_dir(),
            start_timeout=90,
        )
        process = Process.start(program)
        self.running.append(process)
        await asyncio.to_thread(process.wait_ready)
        return process

    async def stop(self, process: Process) -> None:
        """As a rolling restart does: SIGTERM, and time."""
        process.ask_to_stop()
        assert await asyncio.to_thread(process.wait_ended, 20), "it does not end when asked"
        # uvicorn, once it has shut down in good order, ends by the signal it was sent.
        assert process.how_it_ended() in ("exit code 0", "killed by SIGTERM"), log_end(process.program)
        self.running.remove(process)


@dataclass
class PartsStack:
    """A property, its caller, the sandbox; and the parts, none of which runs yet."""

    engine: Engine
    parts: Parts

    async def send(self, number: int, *urls: str, **fields: Any) -> dict[str, Any]:
        """Send as a good client does, again and elsewhere until it is accepted. `number` makes guest and key."""
        body = {"channel": "sms", "recipient": f"+130555{60000 + number}", "content": f"Message {number}", **fields}
        headers = {"Idempotency-Key": f"message-{number}", "Prefer": "respond-async"}
        async with asyncio.timeout(60):
            while True:
                for url in urls or (str(self.engine.http.base_url),):
                    try:
                        answer = await self.engine.http.post(
                            f"{url.rstrip('/')}/v1/messaging/send", json=body, headers=headers
                        )
                    except httpx2.TransportError:
                        continue
                    if answer.status_code == 201:
                        return dict(answer.json())
                    assert answer.status_code >= 500, answer.text
                await asyncio.sleep(0.1)


@asynccontextmanager
async def parts_stack(settings: Settings, database: AsyncEngine, client: Client) -> AsyncIterator[PartsStack]:
    """Everything but API and workers."""
    await register_search_attributes(client)
    url = settings.bellhop.public_url = f"http://127.0.0.1:{free_port()}"
    logs = Path(tempfile.mkdtemp(prefix="bellhop-parts-"))
    parts = Parts(settings, logs)
    # A third of it is how long a process may stand still: a busy machine is not to end ours.
    settings.delivery.lease = 15.0
    try:
        with running() as sandbox_url:
            settings.bellhop.sandbox_url = sandbox_url
            async with database.begin() as tx:
                scopes = await ensure_property(tx, "Grand Sunset Resort", "grand-sunset")
                await ensure_accounts(tx, scopes["test"], settings)
                _, raw = await keys.create(tx, scopes["test"], "tests", ["*"], rate_limit=1_000_000)
            headers = {"Authorization": f"Bearer {raw}"}
            limits = httpx2.Limits(max_keepalive_connections=0)
            async with (
                httpx2.AsyncClient(base_url=url, headers=headers, timeout=20, limits=limits, trust_env=False) as http,
                httpx2.AsyncClient(base_url=sandbox_url, timeout=20, trust_env=False) as sandbox,
            ):
                urls = {
                    name.removeprefix("SANDBOX_").lower(): value
                    for name, value in callback_env(url, SANDBOX_SECRET).items()
                }
                await sandbox.put("/_sandbox/settings", json={**SANDBOX_PACE, **urls})
                book = AddressBook(settings.bellhop.secret_key.get_secret_value())
                dispatcher = TemporalDispatcher(client, database)
                engine = Engine(settings, database, dispatcher, client, book, scopes["test"], http, sandbox)
                try:
                    yield PartsStack(engine, parts)
                finally:
                    for process in parts.running:
                        await asyncio.to_thread(process.kill)
                    await stop_sweeping(client)
    finally:
        shutil.rmtree(logs, ignore_errors=True)


def next_release(into: Path, changes: dict[str, tuple[tuple[str, str], ...]]) -> Path:
    """A copy of the code with some text in it changed: file → (what is there, what the next release has instead)."""
    for room in ROOMS:
        source = project_dir() / room
        if source.is_dir():
            # With what is compiled of it, which holds for whatever is not changed below.
            shutil.copytree(source, into / room)
        else:
            shutil.copy(source, into / room)
    for name, pairs in changes.items():
        text = (into / name).read_text()
        for old, new in pairs:
            assert text.count(old) == 1, f"{name} no longer reads {old!r}: say what the next release changes"
            text = text.replace(old, new)
        (into / name).write_text(text)
    return into
