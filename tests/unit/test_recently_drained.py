"""Who was drained a moment ago: only a guess that lets a look come a little later, never one that lets it fall out."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bellhop.temporal import drained
from bellhop.temporal.drained import RecentlyDrained


def test_only_what_the_last_look_found_drained_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr("bellhop.temporal.drained.time.monotonic", lambda: now)
    known, (one, two, unknown) = RecentlyDrained(), (uuid4() for _ in range(3))
    assert known.all(())
    known.note({one, two}, {two})
    assert known.all({one})
    assert not known.all({one, two})
    assert not known.all({unknown})
    known.note({one, two}, {one})
    assert known.all({two})
    assert not known.all({one})
    now += drained.MEMORY + 0.1
    assert not known.all({two})


def test_it_does_not_grow_without_end() -> None:
    known = RecentlyDrained()
    for _ in range(3):
        known.note({uuid4() for _ in range(drained.MOST)}, ())
    assert len(known._seen) <= 2 * drained.MOST
