"""Broadcasts: how fast they are, and filters kept and read again."""

from __future__ import annotations

from datetime import date

import pytest

from bellhop.domain import policy_settings
from bellhop.domain.broadcasts import FASTEST, PACE, USUAL_PACE, GuestFilter, filter_of, pace_of
from bellhop.domain.policy_settings import BadSetting
from bellhop.domain.stays import StayStatus


def test_its_own_pace_then_the_propertys_then_the_usual() -> None:
    assert pace_of(3.0, {PACE: 5}) == 3.0
    assert pace_of(None, {PACE: 5}) == 5.0
    for none in (0, -1, "fast", True, None, FASTEST + 1, [5]):
        assert pace_of(None, {PACE: none}) == USUAL_PACE
        with pytest.raises(BadSetting, match="messages a second"):
            policy_settings.check({PACE: none})
    policy_settings.check({PACE: 0.5})


def test_a_filter_is_read_as_it_was_kept() -> None:
    for which in (
        GuestFilter(),
        GuestFilter((StayStatus.IN_HOUSE,), date(2027, 3, 15), date(2027, 3, 19), ("de", "en"), "mitch"),
    ):
        assert filter_of(which.stored()) == which
