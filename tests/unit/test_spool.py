"""The spool: what was answered is on the disk, whole, in order, encrypted and within its bounds, whoever is killed."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.domain.delivery_ports import CallbackRequest
from bellhop.engine.callback_spool import CallbackSpool
from bellhop.spool import directory
from bellhop.spool.directory import REJECTED, REJECTED_FOR, SpoolDirectory, SpoolFull
from bellhop.spool.entries import Entry, unpacked
from bellhop.spool.settings import SpoolSettings

SECRET = "s" * 40
ROOT = Path(__file__).parents[2]


def made(path: Path, entries: int = 100, size: int = 1_000_000) -> SpoolDirectory:
    return SpoolDirectory(path / "spool", entries, size)


def entry(body: bytes = b"From=%2B13055550101&Body=Towels", at: datetime | None = None) -> Entry:
    callback = CallbackRequest(
        "https://bellhop.example/v1/receipts/twilio/AC1/inbound?a=b",
        "inbound",
        {"a": "b"},
        {"x-twilio-signature": "abc="},
        body,
    )
    return Entry("twilio", "AC1", (uuid4(), uuid4()), at or datetime.now(UTC), callback)


def test_an_entry_comes_back_as_it_was() -> None:
    for body in (b"", b"a=b", b"line\nline\r\n\x00\xff", "„ü“".encode()):
        given = entry(body)
        assert unpacked(given.packed()) == given


def test_texts_come_first_and_each_kind_in_order_of_arrival(tmp_path: Path) -> None:
    spool = made(tmp_path)
    for content, at, text in ((b"1", 30, False), (b"2", 20, True), (b"3", 30, True), (b"4", 10, False)):
        spool.put(content, at, text=text)
    assert [spool.read(name) for name in spool.waiting()] == [b"2", b"3", b"1", b"4"]


def test_a_clock_that_is_set_back_changes_no_order(tmp_path: Path) -> None:
    spool = made(tmp_path)
    for content, at in ((b"1", 100), (b"2", 50), (b"3", 50)):
        spool.put(content, at, text=True)
    assert [spool.read(name) for name in spool.waiting()] == [b"1", b"2", b"3"]


def test_only_the_owner_reads_it_and_nobody_without_the_key(tmp_path: Path) -> None:
    spool = CallbackSpool(SpoolSettings(_env_file=None, dir=tmp_path / "a" / "spool"), CredentialCipher(SECRET))
    import asyncio

    given = entry()
    asyncio.run(spool.keep(given, text=True))
    (name,) = spool.directory.waiting()
    file = tmp_path / "a" / "spool" / name.text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    kept = file.read_bytes()
    assert b"Towels" not in kept and b"3055550101" not in kept and b"3055550101" not in name.text.encode()
    assert asyncio.run(spool.entry(name)) == given
    stranger = CallbackSpool(SpoolSettings(_env_file=None, dir=tmp_path / "a" / "spool"), CredentialCipher("x" * 40))
    with pytest.raises(CredentialsUnreadable):
        asyncio.run(stranger.entry(name))
    spool.close()
    stranger.close()


def test_a_directory_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o755)
    made(tmp_path).put(b"x", 1, text=False)
    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o700


def test_it_is_flushed_with_its_name_before_it_counts_as_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """File, then name, then the directory: whatever the machine loses after that, it is there."""
    spool, happened = made(tmp_path), []
    spool.put(b"first", 1, text=False)  # makes the directory
    flush, rename = os.fsync, os.rename

    def flushed(descriptor: int) -> None:
        happened.append("directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        flush(descriptor)

    def renamed(*names: Any) -> None:
        happened.append("name")
        rename(*names)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "rename", renamed)
    spool.put(b"second", 2, text=False)
    assert happened == ["file", "name", "directory"]


def test_beyond_its_bounds_nothing_is_kept(tmp_path: Path) -> None:
    few = made(tmp_path / "few", entries=2)
    few.put(b"1", 1, text=False)
    few.put(b"2", 2, text=False)
    with pytest.raises(SpoolFull):
        few.put(b"3", 3, text=True)
    assert few.summary().full == 1.0
    small = made(tmp_path / "small", size=10)
    small.put(b"123456", 1, text=False)
    with pytest.raises(SpoolFull):
        small.put(b"12345", 2, text=False)
    small.put(b"1234", 3, text=False)
    assert (small.summary().waiting, small.summary().bytes) == (2, 10)


def test_bounds_are_those_of_all_processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "COUNTED_FOR", 0.0)
    ours, theirs = made(tmp_path, entries=2), made(tmp_path, entries=2)
    ours.put(b"1", 1, text=False)
    theirs.put(b"2", 2, text=False)
    with pytest.raises(SpoolFull):
        ours.put(b"3", 3, text=False)
    ours.remove(ours.waiting()[0])
    ours.put(b"3", 3, text=False)


@pytest.mark.parametrize("failing", ["write", "fsync", "rename"])
def test_a_full_disk_keeps_nothing_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    spool = made(tmp_path)
    spool.put(b"first", 1, text=False)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    if failing == "write":
        monkeypatch.setattr(os, "fdopen", full)
    else:
        monkeypatch.setattr(os, failing, full)
    with pytest.raises(SpoolFull):
        spool.put(b"second", 2, text=True)
    monkeypatch.undo()
    assert [spool.read(name) for name in spool.waiting()] == [b"first"]
    assert not list((tmp_path / "spool").glob(".*"))


KILLED = """
import os, signal, sys
from pathlib import Path
from bellhop.spool import directory
spool = directory.SpoolDirectory(Path(sys.argv[1]), 10, 1000)
if sys.argv[2] == "before it has its name":
    directory.os.rename = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
spool.put(b"kept", 1, text=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("when", ["before it has its name", "before it is answered"])
def test_killed(tmp_path: Path, when: str) -> None:
    """What was answered to nobody may be there or not, and is whole if it is."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "spool"), when], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    spool = made(tmp_path)
    kept = [spool.read(name) for name in spool.waiting()]
    assert kept == ([b"kept"] if when == "before it is answered" else [])
    left = list((tmp_path / "spool").glob(".*.part"))
    assert len(left) == (0 if kept else 1)
    spool.clear_unfinished()
    assert list((tmp_path / "spool").glob(".*.part")) == left, "somebody may be writing it"
    for part in left:
        os.utime(part, (time.time() - 3600, time.time() - 3600))
    spool.clear_unfinished()
    assert not list((tmp_path / "spool").glob(".*.part"))


HOLDS = """
import sys, time
from pathlib import Path
from bellhop.spool.directory import SpoolDirectory
with SpoolDirectory(Path(sys.argv[1]), 10, 1000).locked() as alone:
    print(alone, flush=True)
    time.sleep(60)
"""


def test_one_process_at_a_time_replays_and_a_killed_one_holds_nobody_up(tmp_path: Path) -> None:
    spool = made(tmp_path)
    with spool.locked() as alone:
        assert not alone, "there is nothing yet"
    spool.put(b"x", 1, text=False)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path / "spool")], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "True\n"
        with spool.locked() as alone:
            assert not alone
    finally:
        holder.kill()
        holder.wait()
    with spool.locked() as alone:
        assert alone
        with made(tmp_path).locked() as second:
            assert not second, "not twice in one process either"


def test_what_is_set_aside_is_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory, "MOST_REJECTED", 2)
    spool = made(tmp_path)
    now = time.time_ns()
    for number in range(3):
        spool.put(b"%d" % number, now + number, text=False)
    for name in spool.waiting():
        spool.reject(name)
    assert (spool.summary().waiting, spool.summary().rejected) == (0, 2)
    aside = tmp_path / "spool" / REJECTED
    assert sorted(file.read_bytes() for file in aside.iterdir()) == [b"1", b"2"]
    assert stat.S_IMODE(aside.stat().st_mode) == 0o700
    spool.forget_rejected(now=time.time() + REJECTED_FOR + 1)
    assert spool.summary().rejected == 0


def test_what_it_says_of_itself(tmp_path: Path) -> None:
    spool = made(tmp_path, entries=4)
    assert spool.summary() == directory.Summary()
    spool.put(b"123", time.time_ns() - 90 * 10**9, text=True)
    spool.put(b"4", time.time_ns(), text=False)
    said = spool.summary()
    assert (said.waiting, said.bytes, said.rejected, said.full) == (2, 4, 0, 0.5)
    assert said.oldest == pytest.approx(90, abs=5)


def test_where_it_cannot_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file")
    spool = made(tmp_path)
    with pytest.raises(OSError):
        spool.check()
    with pytest.raises(SpoolFull):
        spool.put(b"x", 1, text=False)
