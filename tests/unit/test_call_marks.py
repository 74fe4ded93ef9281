"""What a killed process leaves of its calls: read once, by whoever lives, and only what it had surely not begun."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from bellhop.providers import call_marks
from bellhop.providers.call_marks import CallMarks, directory_of, opened

KILLED = """
import sys, threading, time
from pathlib import Path
from uuid import UUID
from bellhop.providers import call_marks
marks, ready = call_marks.CallMarks(Path(sys.argv[1])), threading.Barrier(4)

def call(number, writes, ends):
    with marks.of(UUID(int=number)):
        if writes:
            call_marks.writes()
        if not ends:
            ready.wait()
            time.sleep(60)
    ready.wait()
    time.sleep(60)

for each in ((1, False, False), (2, True, False), (3, False, True)):
    threading.Thread(target=call, args=each, daemon=True).start()
ready.wait()
print("ready", flush=True)
time.sleep(60)
"""


def left_behind(marks: CallMarks) -> list[UUID]:
    with marks.left_behind() as unwritten:
        return unwritten


def not_recorded(marks: CallMarks) -> None:
    with marks.left_behind() as unwritten:
        assert unwritten == [UUID(int=1)]
        raise RuntimeError("the record does not take it")


def test_what_a_killed_process_had_not_written_is_known_once(tmp_path: Path) -> None:
    directory = tmp_path / "marks"
    marks = CallMarks(directory)
    with subprocess.Popen([sys.executable, "-c", KILLED, str(directory)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        with marks.of(UUID(int=9)):
            assert left_behind(marks) == [], "both live"
        process.kill()
    with pytest.raises(RuntimeError):
        not_recorded(marks)
    assert left_behind(marks) == [UUID(int=1)], "so it is there still"
    assert left_behind(marks) == []
    marks.close()
    assert list(directory.iterdir()) == []


def test_more_calls_than_there_are_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_marks, "SLOTS", 1)
    marks = CallMarks(tmp_path / "marks")
    with marks.of(UUID(int=1)), marks.of(UUID(int=2)):
        assert call_marks._unwritten(bytes(marks._map)) == [UUID(int=1)]
    with marks.of(UUID(int=3)):
        assert call_marks._unwritten(bytes(marks._map)) == [UUID(int=3)]
        call_marks.writes()
        assert call_marks._unwritten(bytes(marks._map)) == []
    marks.close()


def test_a_process_that_ends_is_not_over_before_its_calls_are(tmp_path: Path) -> None:
    """Told to stop, it waits for no call; whoever looks then must not take for gone what may write yet."""
    ends = CallMarks(tmp_path / "marks")
    (path,) = (tmp_path / "marks").iterdir()
    with ends.of(UUID(int=1)), path.open("rb") as seen:
        ends.close()
        with pytest.raises(BlockingIOError):
            fcntl.flock(seen, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with ends.of(UUID(int=2)):
            assert call_marks._unwritten(bytes(ends._map)) == [UUID(int=1)], "of one that begins now nothing is said"


def test_what_was_left_before_the_machine_started_is_gone(tmp_path: Path) -> None:
    now, before, other = (tmp_path / name for name in (str(UUID(int=1)), str(UUID(int=2)), "other"))
    for one in (before, other):
        one.mkdir(mode=0o700)
        (one / "x.calls").write_bytes(b"\1" * 17)
    marks = CallMarks(now)
    assert left_behind(marks) == []
    assert not before.exists()
    assert other.exists(), "which is none of ours"
    marks.close()


def test_a_place_without_room_is_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else the first call that finds none would end the process, by SIGBUS."""

    def no_room(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(os, "posix_fallocate", no_room)
    with opened(str(tmp_path), "x") as marks:
        assert marks is None


def test_a_directory_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    with pytest.raises(PermissionError, match="not this user's own"):
        CallMarks(tmp_path)


def test_each_installation_and_each_start_of_the_machine_has_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert directory_of("", "x") is None
    assert directory_of(str(tmp_path / "missing"), "x") is None
    boot = tmp_path / "boot_id"
    monkeypatch.setattr(call_marks, "_BOOT", boot)
    assert directory_of(str(tmp_path), "x") is None, "nobody could say whether the machine has failed since"
    found = set()
    for boot_id in ("a", "b"):
        boot.write_text(boot_id)
        found |= {directory_of(str(tmp_path), installation) for installation in ("x", "y", "x")}
    assert len(found) == 4
    assert all(one is not None and str(os.geteuid()) in one.parent.name for one in found)
