"""Where a Temporal server comes from, and that it keeps its workflows across a restart."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from bellhop.dev import temporal_build, temporal_download, temporal_server
from bellhop.dev.console import Console, Step
from bellhop.dev.free_ports import Ports
from bellhop.dev.problems import NoTemporalServer
from bellhop.dev.stack import EmbeddedStack


def fake_cli(path: Path, version: str, *, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho temporal version {version}\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def empty_machine(tmp_path: Path) -> dict[str, str]:
    """No `temporal`, no Go, no cache: HOME and PATH are empty directories (sh is found by its full path)."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "home").mkdir()
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path / "home")}


class Ways:
    """Stands for the download and the build: notes that they were asked, succeeds if told so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, download: str = "no network", build: str = "no network"):
        self.asked: list[str] = []
        self._says = {"download": download, "build": build}
        monkeypatch.setattr(temporal_download, "download", self._way("download"))
        monkeypatch.setattr(temporal_build, "build", self._way("build"))

    def _way(self, name: str) -> Callable[..., str]:
        def way(binary: Path, version: str, console: Console, step: Step, env: Mapping[str, str]) -> str:
            self.asked.append(name)
            if not self._says[name]:
                fake_cli(binary, f"{version} by {name}")
            return self._says[name]

        return way


def test_a_given_address_comes_before_everything(empty_machine: dict[str, str], tmp_path: Path) -> None:
    fake_cli(tmp_path / "bin" / "temporal", "9.9")
    found = temporal_server.find(Console(quiet=True), {**empty_machine, "TEMPORAL_ADDRESS": "temporal.example:7233"})
    assert (found.address, found.binary) == ("temporal.example:7233", None)


def test_the_one_on_path_comes_before_the_cache(empty_machine: dict[str, str], tmp_path: Path) -> None:
    on_path = fake_cli(tmp_path / "bin" / "temporal", "9.9")
    fake_cli(temporal_server.cached_binary(empty_machine), "1.5.1")
    assert temporal_server.find(Console(quiet=True), empty_machine).binary == on_path


def test_one_on_path_that_does_not_run_is_passed_over(empty_machine: dict[str, str], tmp_path: Path) -> None:
    fake_cli(tmp_path / "bin" / "temporal", "9.9", code=1)
    cached = fake_cli(temporal_server.cached_binary(empty_machine), "1.5.1")
    assert temporal_server.find(Console(quiet=True), empty_machine).binary == cached


def test_the_cache_follows_xdg(empty_machine: dict[str, str], tmp_path: Path) -> None:
    env = {**empty_machine, "XDG_CACHE_HOME": str(tmp_path / "elsewhere")}
    assert temporal_server.cached_binary(env) == tmp_path / "elsewhere/bellhop/temporal/1.5.1/temporal"
    relative = {**empty_machine, "XDG_CACHE_HOME": "not/absolute"}
    assert temporal_server.cached_binary(relative).is_relative_to(empty_machine["HOME"])


def test_the_download_comes_before_the_build(empty_machine: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    ways = Ways(monkeypatch, download="")
    found = temporal_server.find(Console(quiet=True), empty_machine)
    assert ways.asked == ["download"]
    assert found.binary == temporal_server.cached_binary(empty_machine)
    assert "1.5.1 by download" in found.how


def test_the_build_is_last_and_a_broken_cache_is_replaced(
    empty_machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    temporal_server.cached_binary(empty_machine).parent.mkdir(parents=True)
    temporal_server.cached_binary(empty_machine).write_bytes(b"half a download")
    ways = Ways(monkeypatch, build="")
    out = io.StringIO()
    found = temporal_server.find(Console(out), empty_machine)
    assert ways.asked == ["download", "build"]
    assert "by build" in found.how
    assert "Temporal server kept in" in out.getvalue()


def test_when_nothing_works_one_line_says_what_was_tried(
    empty_machine: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Ways(monkeypatch, download="the SDK's download (no network)", build="fetching a Go toolchain (no network)")
    with pytest.raises(NoTemporalServer) as problem:
        temporal_server.find(Console(quiet=True), empty_machine)
    text = str(problem.value)
    assert "\n" not in text
    for words in ("on PATH", "the SDK's download (no network)", "fetching a Go toolchain", "TEMPORAL_ADDRESS"):
        assert words in text


def test_too_little_disk_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_machine: dict[str, str]
) -> None:
    monkeypatch.setattr(temporal_build, "_NEEDED_BYTES", 2**60)
    console = Console(quiet=True)
    with console.step("Temporal server") as step:
        problem = temporal_build.build(tmp_path / "temporal", "1.5.1", console, step, empty_machine)
    assert "GB free" in problem
    assert not list(tmp_path.glob("build-*"))


def test_a_build_that_fails_says_why_and_leaves_nothing(tmp_path: Path, empty_machine: dict[str, str]) -> None:
    go = tmp_path / "bin" / "go"
    go.write_text(
        '#!/bin/sh\nif [ "$1" = env ]; then echo go1.26.6; else echo "dial tcp: no route to host" >&2; exit 1; fi\n'
    )
    go.chmod(0o755)
    out = io.StringIO()
    console = Console(out)
    with console.step("Temporal server") as step:
        problem = temporal_build.build(tmp_path / "temporal", "1.5.1", console, step, empty_machine)
    assert "no route to host" in problem
    assert "the build failed after" in out.getvalue()
    assert not list(tmp_path.glob("build-*"))


def test_two_processes_make_it_once(tmp_path: Path, empty_machine: dict[str, str]) -> None:
    """Both ask at the same moment; the second waits and finds what the first made."""
    script = f"""
import sys, time
from pathlib import Path
from bellhop.dev import temporal_server, temporal_download
from bellhop.dev.console import Console
def download(binary, version, console, step, env):
    with open({str(tmp_path / "made")!r}, "a") as file:
        file.write("once ")
    time.sleep(0.5)
    binary.write_text("#!/bin/sh\\necho temporal version fake\\n")
    binary.chmod(0o755)
    return ""
temporal_download.download = download
print(temporal_server.find(Console(quiet=True), {empty_machine!r}).how)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    both = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=env) for _ in range(2)]
    assert [process.communicate(timeout=30)[0] for process in both] == [b"cached, fake\n"] * 2
    assert (tmp_path / "made").read_text() == "once "


async def test_a_workflow_outlives_a_killed_and_a_stopped_server(tmp_path: Path) -> None:
    async with EmbeddedStack(tmp_path / "s", ports=Ports.any_free(), parts=("temporal",)) as stack:
        address = stack.temporal_address
        client = await Client.connect(address)
        await client.start_workflow("Anything", id="kept", task_queue="nobody")
        description = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert description.config.workflow_execution_retention_ttl.seconds == 7 * 86400

        before = stack.process("temporal").pid
        stack.process("temporal").popen.kill()
        deadline = time.monotonic() + 60
        while stack.process("temporal").pid == before or not stack.process("temporal").ready():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert (await (await Client.connect(address)).get_workflow_handle("kept").describe()).id == "kept"

    ports = Ports(temporal=int(address.rpartition(":")[2]), ui=0, sandbox=0, api=0, receiver=0)
    async with EmbeddedStack(tmp_path / "s", ports=ports, parts=("temporal",)) as stack:
        assert stack.temporal_address == address
        assert (await (await Client.connect(address)).get_workflow_handle("kept").describe()).id == "kept"
