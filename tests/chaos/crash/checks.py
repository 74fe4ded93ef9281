"""What has to be true of every scenario, wherever its process died."""

from __future__ import annotations

import signal
from datetime import datetime, timedelta
from typing import Any

from tests.chaos.crash.worker_slot import Played

from .points import Point
from .scenarios import Ending

STAGES = ("message.fallback", "message.sent", "message.delivered", "message.read")


def check(end: Ending, point: Point | None, played: Played) -> None:
    """Everything. Raises AssertionError."""
    assert played.deaths == ([] if point is None else [-signal.SIGKILL]), (
        f"it ended {played.deaths}, not once and there"
    )
    assert played.status == end.status, f"it is {played.status!r}"
    _once(end, played)
    if played.timeline is not None:
        _timeline(end, played, played.timeline)
    _webhooks(end, played)


def _once(end: Ending, played: Played) -> None:
    assert len(played.copies) == end.copies, f"the provider accepted {len(played.copies)}: {played.copies}"
    for copy in played.copies if played.play.files else ():
        assert len(copy["detail"]["media"]) == played.play.files, copy
    if played.play.due is not None:
        for copy in played.copies:
            # The sandbox's clock is this machine's, as is the client's.
            early = played.play.due - datetime.fromisoformat(copy["accepted_at"])
            assert early < timedelta(milliseconds=50), f"early by {early}"
    states = played.state["attempts"] or []
    # Of one that failed because nobody could be asked, the copy that the provider has is known to no attempt.
    assert states.count("accepted") == (0 if end.status == "failed" else end.copies), states
    assert set(states) <= {"accepted", "not_sent"} | end.left, f"an attempt is left open: {states}"


def _timeline(end: Ending, played: Played, timeline: list[dict[str, Any]]) -> None:
    whats = [entry["what"] for entry in timeline]
    times = [entry["at"] for entry in timeline]
    assert times == sorted(times)
    assert whats[0] == "message.queued" and whats.count("message.queued") == 1, whats
    stages = [what for what in whats if what in STAGES]
    ends = [what for what in whats if what in ("message.failed", "message.cancelled")]
    assert tuple(stages + ends) == end.events, whats
    attempts = played.state["attempts"] or []
    assert whats.count("attempt.started") == len(attempts), whats
    for state in set(attempts):
        assert whats.count(f"attempt.{state}") >= attempts.count(state), whats
    for word in set(end.receipts):
        # More where the provider was asked as well, and calls what it says by no name that its callbacks have.
        assert whats.count(f"receipt.{word}") >= end.copies, f"{word!r} is not there for each part: {whats}"
    assert whats.count("webhook.delivered") == len(end.events), whats


def _webhooks(end: Ending, played: Played) -> None:
    ids: dict[str, set[str]] = {}
    for hook in played.webhooks:
        ids.setdefault(hook["type"], set()).add(hook["id"])
    # Insertion order is that in which each was received first; of several subjects there is none.
    several = len({hook["data"]["id"] for hook in played.webhooks}) > 1
    assert tuple(sorted(ids) if several else ids) == end.events, f"received {list(ids)}"
    assert all(len(same) == 1 for same in ids.values()), f"one event under two ids: {ids}"
    if played.timeline is not None:
        shown = {entry["event_id"] for entry in played.timeline if "event_id" in entry}
        assert set().union(*ids.values()) <= shown
