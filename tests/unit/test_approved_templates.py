"""Templates that WhatsApp approves: what they can carry, and when one can be used."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bellhop.domain import content
from bellhop.domain.approved_templates import (
    Approval,
    ApprovalStatus,
    ApprovedText,
    Mapped,
    flat,
    of_stored,
    refused,
    state_of,
)
from bellhop.domain.policy import WINDOW_MARGIN, window_open

NOW = datetime(2026, 3, 15, 10, tzinfo=UTC)
DAY = 24 * 3600.0
ONE = ApprovedText("HX" + "1" * 32, {"1": "Jo"}, "Hi Jo")


@pytest.mark.parametrize(
    ("values", "text", "taken"),
    [
        (["Jo", "a    b"], "Hi Jo", True),
        (["a\nb"], "Hi", False),
        (["a\tb"], "Hi", False),
        (["a     b"], "Hi", False),
        ([""], "Hi", False),
        (["x" * 1_601], "Hi", False),
        ([], "x" * 1_024, True),
        ([], "x" * 1_025, False),
    ],
)
def test_what_it_carries(values: list[str], text: str, taken: bool) -> None:
    assert (refused(values, text) is None) is taken
    assert refused([flat(value) for value in values if value and len(value) < 1_600], text[:1_000]) is None


@pytest.mark.parametrize(
    ("approval", "problem"),
    [
        (None, "not known yet"),
        (Approval(ApprovalStatus.PAUSED, ("1",)), "paused"),
        (Approval(ApprovalStatus.MISSING), "missing"),
        (Approval(ApprovalStatus.APPROVED, ("1", "2")), "1, 2"),
        (Approval(ApprovalStatus.APPROVED, ()), "none"),
        (Approval(ApprovalStatus.APPROVED, ("1",)), None),
    ],
)
def test_when_it_can_be_used(approval: Approval | None, problem: str | None) -> None:
    said = Mapped("HX", {"1": "first_name"}).problem(approval)
    assert (said is None) if problem is None else (problem in str(said))


def test_what_a_message_keeps_of_it() -> None:
    assert of_stored(content.body(["Hi"], approved=ONE)) == ONE
    assert of_stored(content.body(["Hi", "there"], approved=ONE)) is None, "it goes out in one call"
    assert of_stored(content.body(["Hi"])) is of_stored(None) is None
    assert "Jo" not in repr(ONE)


def test_what_is_stored_of_an_approval() -> None:
    row = {"status": "approved", "variables": ["1"], "checked_at": "2026-03-15T10:00:00+00:00"}
    assert state_of(row) == (Approval(ApprovalStatus.APPROVED, ("1",)), NOW)
    assert state_of({**row, "status": None}) is state_of(None) is None


def test_the_window_ends_a_little_early() -> None:
    end = NOW + timedelta(seconds=DAY - WINDOW_MARGIN)
    assert window_open(NOW, end - timedelta(seconds=1), DAY)
    assert not window_open(NOW, end, DAY)
    assert not window_open(None, NOW, DAY)
