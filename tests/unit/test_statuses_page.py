"""docs/statuses.md is what the tables say today."""

from __future__ import annotations

from pathlib import Path

from bellhop.domain.channels import CHANNELS
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import ODD_EDGES, ODD_EDGES_WHERE_TAKEN, Stage, Status
from bellhop.ops.statuses_page import STATUS_SAYS, page, upward_edges
from bellhop.providers.sendgrid.codes import EVENTS, REASONS
from bellhop.providers.twilio.codes import STAGES

PAGE = Path(__file__).parents[2] / "docs" / "statuses.md"


def test_the_page_is_up_to_date() -> None:
    again = "run: python -m bellhop.ops.statuses_page > docs/statuses.md"
    assert PAGE.read_text(encoding="utf-8") == page(), again


def test_the_page_names_everything() -> None:
    text = page()
    assert set(STATUS_SAYS) == set(Status)
    words = [*Status, *Stage, *STAGES, *EVENTS, *REASONS, *FailureCode]
    assert not [word for word in words if f"`{word}`" not in text]
    assert not [why for why in ODD_EDGES.values() if why not in text]
    assert not [why for why in ODD_EDGES_WHERE_TAKEN.values() if why not in text]
    for before, after in {edge for rules in CHANNELS.values() for edge in upward_edges(rules)}:
        assert text.count(f"| `{before}` | `{after}` |") == 1
