"""`make chaos` in its short form: a storm with every kind of fault, and four accounts that must agree in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bellhop.dev.paths import project_dir

LIMIT = 400.0
"""Seconds the whole may take where other things run besides: it is over in 90 where none do."""


def test_after_a_storm_nothing_is_lost_twice_early_stuck_or_untrue(tmp_path: Path) -> None:
    """The checker that says so is tested by itself, fault by fault (tests/unit/test_chaos_checker.py)."""
    run = subprocess.run(
        [sys.executable, "-m", "chaos", "--quick", "--json", "--state", str(tmp_path / "state")],
        cwd=project_dir(),
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 0, f"{run.stdout[-6000:]}\n{run.stderr[-20000:]}"
    figures = json.loads(run.stdout)
    assert set(figures["wrong"].values()) == {0}
    # Who writes to a guest who is erased meanwhile may be told that there is no such guest.
    assert figures["ends"].get("not accepted", 0) == figures["messages"] - figures["accepted"] <= 6
    assert all(figures["faults"].values())
    assert not (tmp_path / "state").exists(), "data and logs are kept only when somebody will need them"
