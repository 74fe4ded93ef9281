"""The lease's clock and the dead man's switch, against real signals and real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from bellhop.providers.lease import DeadMansSwitch, boottime, left

CHILD = """
import sys, threading, time
from bellhop.providers.lease import DeadMansSwitch
switch = DeadMansSwitch(15, limit=float(sys.argv[1]))
switch.start()
if "stopped" in sys.argv:
    switch.stop()
def spin():
    while True:
        sum(range(1000))
if "busy" in sys.argv:
    for _ in range(3):
        threading.Thread(target=spin, daemon=True).start()
print("armed", flush=True)
while True:
    before = time.monotonic()
    time.sleep(0.01)
    if time.monotonic() - before > float(sys.argv[1]):
        print("ran after the pause", flush=True)
"""


def paused(limit: float, pause: float, *how: str, watch: float = 1.0) -> tuple[int | None, str]:
    """Start a process with an armed switch, pause it, let it go on: its exit status (None: alive after `watch` seconds)
    and its output."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(limit), *how], stdout=subprocess.PIPE, text=True, env={**os.environ}
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "armed\n"
        time.sleep(0.15)
        child.send_signal(signal.SIGSTOP)
        time.sleep(pause)
        child.send_signal(signal.SIGCONT)
        try:
            status: int | None = child.wait(timeout=watch)
        except subprocess.TimeoutExpired:
            status = None
    finally:
        child.kill()
        child.wait()
    with child.stdout:
        return status, child.stdout.read()


@pytest.mark.parametrize("how", ["idle", "busy"])
@pytest.mark.parametrize("repetition", range(4))
def test_a_process_paused_past_the_limit_dies_before_it_runs_again(how: str, repetition: int) -> None:
    status, output = paused(0.6, 1.0, how, watch=10.0)
    assert status == -signal.SIGALRM
    assert output == ""


def test_a_shorter_pause_is_survived() -> None:
    assert paused(6.0, 1.2, "idle") == (None, "")


def test_a_busy_process_keeps_rearming() -> None:
    # Watched for longer than its limit.
    assert paused(3.0, 0.0, "busy", watch=4.0) == (None, "")


def test_a_stopped_switch_kills_nobody() -> None:
    status, _ = paused(0.4, 0.8, "stopped")
    assert status is None


def test_the_clock_runs_with_monotonic_time() -> None:
    before, first, after = time.monotonic(), boottime(), time.monotonic()
    time.sleep(0.05)
    began, last, ended = time.monotonic(), boottime(), time.monotonic()
    # However long the machine paused between two of these: give or take a clock's tick, it lies between.
    assert began - after - 0.01 <= last - first <= ended - before + 0.01


def test_a_running_switch_shortens_every_lease_by_its_limit() -> None:
    deadline = boottime() + 100
    assert left(deadline) == pytest.approx(100, abs=0.5)
    switch = DeadMansSwitch(150)
    switch.start()
    try:
        assert left(deadline) == pytest.approx(50, abs=0.5)
        with pytest.raises(RuntimeError):
            switch.start()
    finally:
        switch.stop()
        switch.stop()
    assert left(deadline) == pytest.approx(100, abs=0.5)
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0


def test_the_first_process_of_a_container_is_told_why_it_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getpid", lambda: 1)
    with pytest.raises(RuntimeError, match="init: true"):
        DeadMansSwitch().start()


@pytest.mark.parametrize(("lease", "limit"), [(1.0, None), (0.5, None), (10, 10), (10, 12), (10, 0)])
def test_a_limit_that_leaves_no_time_to_write_is_refused(lease: float, limit: float | None) -> None:
    with pytest.raises(ValueError, match="shorter than the lease"):
        DeadMansSwitch(lease, limit=limit)


@pytest.mark.parametrize(("lease", "limit"), [(15, 5), (3, 1), (2, 1), (120, 40)])
def test_the_limit_is_a_third_of_the_lease(lease: float, limit: float) -> None:
    assert DeadMansSwitch(lease).limit == limit
