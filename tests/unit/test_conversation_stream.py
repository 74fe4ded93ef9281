"""Places in the stream of conversations, and what clients say they have seen."""

from __future__ import annotations

from uuid import UUID

import pytest

from bellhop.domain.conversation_stream import Place, place_at, place_of

FIRST, LAST = UUID(int=1), UUID(int=2**128 - 1)


def test_places_are_in_the_order_of_transactions_and_then_of_ids() -> None:
    places = [Place(xact, id_) for xact in (1, 2, 2**63 - 1) for id_ in (FIRST, LAST)]
    positions = [place.position for place in places]
    assert positions == sorted(positions)
    assert [place_at(position) for position in positions] == places
    assert [place_of(str(position)) for position in positions] == places


@pytest.mark.parametrize("odd", [None, "", "yesterday", "-1", "1.5", "٧", "7", "9" * 58, "9" * 5_000, str(2**191)])
def test_what_is_no_place_is_none(odd: str | None) -> None:
    assert place_of(odd) is None
