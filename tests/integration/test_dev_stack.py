"""The embedded stack as a person meets it: what is taken, what dies, what stops, and that nothing is left or lost."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from bellhop.dev import paths as dev_paths
from bellhop.dev.free_ports import Ports, both_loopbacks
from bellhop.dev.paths import DevPaths
from bellhop.dev.postgres import EmbeddedPostgres
from bellhop.dev.problems import AlreadyRunning, NoTemporalServer, PartFailed, PortTaken, StartProblem
from bellhop.dev.process import Process, Program
from bellhop.dev.stack import EmbeddedStack


def until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def rows(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        found = connection.execute("select count(*) from kept").fetchone()
        assert found is not None
        return int(found[0])


def postgres_only(state: Path) -> EmbeddedStack:
    return EmbeddedStack(state, ports=Ports.any_free(), parts=("postgres",))


@pytest.fixture
def listener() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield int(taken.getsockname()[1])


# --- what can't be started ---


def test_a_taken_port_is_named_with_its_setting_and_its_holder(tmp_path: Path, listener: int) -> None:
    ports = Ports(api=listener, temporal=0, ui=0, sandbox=0, receiver=0)
    with pytest.raises(PortTaken) as problem:
        EmbeddedStack(tmp_path, ports=ports, parts=("api",)).start()
    said = str(problem.value)
    assert problem.value.exit_code == 2
    assert "\n" not in said
    assert f"Port {listener}" in said
    assert "BELLHOP_PORT" in said
    assert f"pid {os.getpid()}" in said


def test_a_port_of_a_part_that_is_not_started_does_not_matter(tmp_path: Path, listener: int) -> None:
    Ports(api=listener, temporal=listener, ui=0, sandbox=0).settled({"ui"})


def test_free_ports_are_all_different() -> None:
    ports = Ports.any_free().settled({"api", "temporal", "ui", "sandbox", "receiver", "temporal_http"})
    chosen = [ports.api, ports.temporal, ports.ui, ports.sandbox, ports.receiver, ports.temporal_http]
    assert 0 not in chosen
    assert len(set(chosen)) == len(chosen)


def test_no_disk_space_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev_paths, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(StartProblem, match="MB free on the disk"):
        postgres_only(tmp_path).start()


def test_an_address_nobody_answers_at_is_one_line(tmp_path: Path) -> None:
    stack = EmbeddedStack(tmp_path, parts=("temporal",), env={"TEMPORAL_ADDRESS": "127.0.0.1:1"})
    with pytest.raises(NoTemporalServer, match=r"127\.0\.0\.1:1, but nothing answers"):
        stack.start()


def test_a_program_that_ends_at_once_shows_the_end_of_its_log(tmp_path: Path) -> None:
    program = Program(
        name="x",
        label="Broken",
        command=(sys.executable, "-c", "print('no such setting'); raise SystemExit(3)"),
        env={},
        log=tmp_path / "x.log",
        ready=lambda pid: False,
    )
    with pytest.raises(PartFailed, match=r"Broken stopped while starting \(exit code 3\)[^$]*no such setting"):
        Process.start(program).wait_ready()


# --- PostgreSQL ---


def test_postgres_keeps_its_rows_whatever_is_killed(tmp_path: Path) -> None:
    """Stopped, killed under the supervisor, and killed together with it: what was committed is there."""
    state = tmp_path / "state"
    with postgres_only(state) as stack:
        dsn = stack.postgres_dsn
        with psycopg.connect(dsn, autocommit=True) as connection:
            connection.execute("create table kept (x int)")
            connection.execute("insert into kept values (1)")
        engine = create_engine(dsn.replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as sql:
            sql.execute(text("insert into kept values (2)"))
        engine.dispose()
        server = stack.process("postgres")
        assert (state / "dev.json").exists()

        os.kill(server.pid, signal.SIGKILL)
        until(lambda: stack.process("postgres").pid != server.pid and stack.process("postgres").ready())
        assert rows(dsn) == 2
        until(lambda: json.loads((state / "dev.json").read_text())["pids"]["postgres"] != server.pid)

        known = (state / "dev.json").read_text()
        second = postgres_only(state)
        with pytest.raises(AlreadyRunning, match="already runs"):
            second.start()
        second.stop()  # as whoever runs one does, however its start ended
        assert (state / "dev.json").read_text() == known
        assert json.loads(known)["pids"]["supervisor"] == os.getpid()
        last = stack.process("postgres").pid
    assert not alive(last)
    assert json.loads((state / "dev.json").read_text())["pids"] == {}

    with postgres_only(state) as stack:
        assert rows(stack.postgres_dsn) == 2
        assert stack.took < 15


@pytest.mark.parametrize(
    ("addresses", "host", "listens"),
    [
        (["127.0.0.1", "::1"], "127.0.0.1", "localhost"),
        (["127.0.0.1"], "127.0.0.1", "127.0.0.1"),
        (["127.0.0.1", "::1", "192.0.2.7"], "127.0.0.1", "127.0.0.1"),
        (["127.0.0.1", "::1"], "0.0.0.0", "0.0.0.0"),
        (["127.0.0.1", "::1"], "192.168.0.2", "192.168.0.2"),
    ],
)
def test_localhost_leads_to_the_api_by_either_of_its_addresses(
    monkeypatch: pytest.MonkeyPatch, addresses: list[str], host: str, listens: str
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    try:
        with socket.socket(socket.AF_INET6) as six:
            six.bind(("::1", 0))
    except OSError:
        listens = host  # this machine has no ::1
    assert both_loopbacks(host, 0) == listens


def test_a_stale_pid_file_that_names_a_living_stranger(tmp_path: Path) -> None:
    """After a crash the process id in it may belong to another program of the same user: PostgreSQL alone refuses."""
    state = tmp_path / "state"
    with postgres_only(state):
        pass
    with postgres_only(tmp_path / "stranger") as other:
        pid_file = state / "postgres" / "postmaster.pid"
        pid_file.write_text(f"{other.pids['postgres']}\n{state / 'postgres'}\n0\n5432\n\n\n  0 0\n")
        pid_file.chmod(0o644)
        with postgres_only(state) as stack:
            assert stack.process("postgres").ready()
        assert alive(other.pids["postgres"])


@pytest.mark.parametrize("name", ["with a space", "quite-a-long-name-" * 8])
def test_places_a_checkout_may_be_in(name: str) -> None:
    with tempfile.TemporaryDirectory() as private:  # 0700, so another system user must be let through
        state = Path(private) / name / ".bellhop"
        with postgres_only(state) as stack, psycopg.connect(stack.postgres_dsn) as connection:
            connection.execute("select 1")
            data = stat.S_IMODE((state / "postgres").stat().st_mode)
        assert data == 0o700


def test_a_half_made_data_directory_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "postgres.new-killed").mkdir()
    server = EmbeddedPostgres.prepare(DevPaths(tmp_path))
    assert (server.data / "PG_VERSION").exists()
    assert not (tmp_path / "postgres.new-killed").exists()


# --- the whole of it, as a program ---

PROGRAM = """
import sys
from pathlib import Path
from bellhop.dev.console import Console
from bellhop.dev.free_ports import Ports
from bellhop.dev.session import run, stay
from bellhop.dev.stack import EmbeddedStack, PreparedInfo
console = Console()
stack = EmbeddedStack(Path(sys.argv[1]), ports=Ports.any_free(), parts=("postgres", "temporal", "receiver"),
                      console=console, prepare=lambda paths, env: PreparedInfo("prop_1", env["POSTGRES_DSN"]))
def body(stack):
    print("The body has begun", flush=True)
    return stay(stack)

sys.exit(run(stack, console, body))
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with (tmp_path / "out").open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "state")],
            stdout=out,
            stderr=out,
            env=env,
            start_new_session=True,
        )
    try:
        until(lambda: "The body has begun" in (tmp_path / "out").read_text(), 120)
        yield process
    finally:
        process.kill()
        process.wait()


def test_ctrl_c_stops_everything_within_ten_seconds(tmp_path: Path, program: subprocess.Popen[bytes]) -> None:
    content = json.loads((tmp_path / "state" / "dev.json").read_text())
    assert content["property_id"] == "prop_1"
    assert content["api_key"] == content["postgres_dsn"]
    pids = content["pids"]
    assert set(pids) == {"postgres", "temporal", "receiver", "supervisor"}
    state = tmp_path / "state"
    assert stat.S_IMODE(state.stat().st_mode) == (0o700 if os.geteuid() else 0o711)
    kept = [path for folder in (state, state / "logs") for path in folder.iterdir() if path.is_file()]
    assert {"secret_key", "dev.json", "lock", "temporal.db", "temporal.log"} <= {path.name for path in kept}
    assert {path.name for path in kept if stat.S_IMODE(path.stat().st_mode) & 0o077} == set(), "others can read these"
    began = time.monotonic()
    os.killpg(program.pid, signal.SIGINT)
    assert program.wait(60) == 0
    assert time.monotonic() - began < 10
    assert not [name for name, pid in pids.items() if alive(pid)]
    said = (tmp_path / "out").read_text()
    assert "PostgreSQL 18" in said
    assert "Stopped; nothing is left running" in said
    assert "Traceback" not in said


def test_nothing_outlives_a_killed_supervisor(tmp_path: Path, program: subprocess.Popen[bytes]) -> None:
    pids = json.loads((tmp_path / "state" / "dev.json").read_text())["pids"]
    program.kill()
    program.wait()
    until(lambda: not [name for name, pid in pids.items() if alive(pid)])
    with EmbeddedStack(tmp_path / "state", ports=Ports.any_free(), parts=("postgres", "temporal")) as stack:
        assert stack.process("postgres").ready()


def test_what_dies_is_started_again_and_said(tmp_path: Path, program: subprocess.Popen[bytes]) -> None:
    content = json.loads((tmp_path / "state" / "dev.json").read_text())
    hook = f"{content['receiver_url']}/hooks/mine"
    _call("POST", hook, b'{"one": 1}')
    os.kill(content["pids"]["receiver"], signal.SIGKILL)

    def back() -> bool:
        pids = json.loads((tmp_path / "state" / "dev.json").read_text())["pids"]
        return bool(pids.get("receiver", content["pids"]["receiver"]) != content["pids"]["receiver"])

    until(back)
    until(lambda: _answers(content["receiver_url"]))
    assert "Webhook receiver ended (killed by SIGKILL); starting it again" in (tmp_path / "out").read_text()

    # Nothing it was sent is forgotten, and it fails when told to.
    _call("PUT", f"{hook}/behaviour", b'{"status": 503, "count": 1}')
    assert _call("POST", hook, b"{}")[0] == 503
    assert _call("POST", hook, b"{}")[0] == 200
    received = json.loads(_call("GET", hook)[1])
    assert [(record["body"], record["status"]) for record in received] == [
        ('{"one": 1}', 200),
        ("{}", 503),
        ("{}", 200),
    ]


def _call(method: str, url: str, body: bytes | None = None) -> tuple[int, bytes]:
    request = urllib.request.Request(url, data=body, method=method, headers={"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return int(answer.status), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def _answers(url: str) -> bool:
    try:
        return _call("GET", f"{url}/healthz")[0] == 200
    except OSError:
        return False
