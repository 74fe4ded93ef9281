"""The token with which a guest's app reports: of one attempt, for a while, and nobody's who makes one up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.app_receipts import LIFE, ReceiptTokens

ATTEMPT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
NOW = datetime(2026, 3, 15, 10, tzinfo=UTC)
TOKENS = ReceiptTokens("a secret of the tests, long enough to be one")


def test_it_is_read_until_its_time_is_over() -> None:
    token = TOKENS.make(ATTEMPT, NOW)
    assert TOKENS.read(token, NOW) == ATTEMPT
    assert TOKENS.read(token, NOW + LIFE - timedelta(seconds=1)) == ATTEMPT
    assert TOKENS.read(token, NOW + LIFE) is None


def test_it_is_read_by_nobody_else() -> None:
    assert ReceiptTokens("another secret of the tests, as long as it").read(TOKENS.make(ATTEMPT, NOW), NOW) is None


@given(st.text(max_size=60) | st.binary(min_size=40, max_size=40).map(lambda raw: raw.hex()[:54]))
def test_what_is_made_up_is_none(text: str) -> None:
    assert TOKENS.read(text, NOW) is None


@given(st.integers(0, 53), st.sampled_from("AZaz09-_"))
def test_one_letter_changed_is_none(place: int, letter: str) -> None:
    token = TOKENS.make(ATTEMPT, NOW)
    changed = token[:place] + letter + token[place + 1 :]
    if changed[:53] != token[:53]:
        assert TOKENS.read(changed, NOW) is None
