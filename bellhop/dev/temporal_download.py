"""The first way to get a Temporal server: the SDK's own download of the Temporal CLI."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bellhop.dev.console import Console, Step

# Starting is how the SDK downloads. The version is the one we would build, so that both ways end in the same server.
_SCRIPT = """
import asyncio, sys
from temporalio.testing import WorkflowEnvironment
async def main():
    env = await WorkflowEnvironment.start_local(download_dest_dir=sys.argv[1], dev_server_download_version=sys.argv[2])
    await env.shutdown()
asyncio.run(main())
"""
STALLED_AFTER = 20.0  # seconds without a new byte
_GIVE_UP_AFTER = 600.0


def download(binary: Path, version: str, console: Console, step: Step, env: Mapping[str, str]) -> str:
    """Put the CLI at `binary`. Returns "" or, in a few words, what was tried and why it failed."""
    began = time.monotonic()
    step.note("(downloading)")
    target = binary.parent / f"download-{os.getpid()}"
    target.mkdir(parents=True, exist_ok=True)
    try:
        problem = _run(target, version, step, env)
        found = [path for path in target.iterdir() if path.is_file() and os.access(path, os.X_OK)]
        if found:
            os.replace(max(found, key=lambda path: path.stat().st_size), binary)
            console.say(f"  downloaded Temporal CLI {version} in {time.monotonic() - began:.0f} s")
            return ""
    finally:
        shutil.rmtree(target, ignore_errors=True)
    console.say(
        f"  the SDK's download of the Temporal CLI didn't work after {time.monotonic() - began:.0f} s: {problem}"
    )
    return f"the SDK's download ({problem})"


def _run(target: Path, version: str, step: Step, env: Mapping[str, str]) -> str:
    """Run the script until it ends or nothing arrives any more. Returns why it failed, or ""."""
    log = target / ".log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", _SCRIPT, str(target), f"v{version}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env),
            start_new_session=True,
        )
    try:
        return _watch(process, target, log, step)
    finally:
        # The group: the script may have started a server already.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _watch(process: subprocess.Popen[bytes], target: Path, log: Path, step: Step) -> str:
    began = moved = time.monotonic()
    size = 0
    while process.poll() is None:
        now, arrived = time.monotonic(), sum(path.stat().st_size for path in target.iterdir() if path != log)
        if arrived != size:
            size, moved = arrived, now
            step.note(f"(downloading, {size // 2**20} MB)")
        if now - moved > STALLED_AFTER or now - began > _GIVE_UP_AFTER:
            return f"nothing arrived for {now - moved:.0f} s"
        step.check()
        time.sleep(0.2)
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1][:160] if process.returncode and lines else ""
