"""Every way a call can end, and what is known then: one literal table for each provider, one row a test.

What may have been accepted is UNKNOWN, however unlikely it is: an unknown outcome costs a question, a second copy
cannot be taken back (I2).
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bellhop.domain.delivery_ports import SendKind
from bellhop.providers import call_marks, providers
from bellhop.providers.call_marks import CallMarks
from tests.contract.conformance import Server
from tests.contract.endings import NETWORK, E, End, Ending, play
from tests.contract.providers import CASES, NOT_TAKEN, TABLES

BEFORE = {E.REFUSED, E.DNS, E.TLS, E.CONNECT_TIMEOUT}
"""Nothing was written."""
ROWS = [pytest.param(name, row, id=f"{name}-{row}") for name, table in TABLES.items() for row in table]


@pytest.mark.parametrize("name", TABLES)
def test_every_way_a_call_can_end_has_a_row(name: str) -> None:
    """Take a row of `NETWORK` or of a provider's own away, and this names the ending that nobody looks at any more."""
    assert {row.ending for row in TABLES[name]} == set(Ending)
    assert {*TABLES} == {*providers()}
    assert len({str(row) for row in TABLES[name]}) == len(TABLES[name]), "two rows of one name"
    assert {row.ending for row in NETWORK} == set(Ending) - {E.BROKEN_BODY, E.STATUS_429_DATE, E.STATUS_503_OWN}
    own = {row.ending for row in TABLES[name] if row not in NETWORK}
    answered = {ending for ending in Ending if ending.name.startswith(("STATUS", "BROKEN", "UNEXPECTED"))}
    assert own >= answered - {Ending.STATUS_503_GATEWAY}, "only a gateway's answers are looked at"


@pytest.mark.parametrize(("name", "end"), ROWS)
def test_how_a_call_ends(name: str, end: End, tmp_path: Path) -> None:
    """And what would be known of it, had its process been killed: only where nothing can have left that nothing has."""
    marks, attempt = CallMarks(tmp_path / "marks"), uuid4()
    with marks.of(attempt):
        play(CASES[name], end)
        unwritten = call_marks._unwritten(bytes(marks._map)) == [attempt]
    marks.close()
    assert end.ending in BEFORE or not unwritten


@pytest.mark.parametrize("name", CASES)
def test_it_is_marked_before_a_byte_leaves(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the very moment in which the kernel gets it, also over a connection that was used before."""
    case, marks, sends = CASES[name], CallMarks(tmp_path / "marks"), socket.socket.send
    provider, unwritten = case.provider(), list[list[UUID]]()

    def send(self: socket.socket, *given: Any) -> int:
        unwritten.append(call_marks._unwritten(bytes(marks._map)))
        return sends(self, *given)

    monkeypatch.setattr(socket.socket, "send", send, raising=False)
    with Server(case.accepted) as server:
        for _ in range(2):
            with marks.of(uuid4()):
                assert provider.send(case.account(server.url), case.outgoing()).kind is SendKind.ACCEPTED
    marks.close()
    assert len(unwritten) >= 2
    assert not any(unwritten)


def test_what_may_have_been_accepted_is_never_repeated() -> None:
    """The rule of the tables, over their rows: RETRY only where nothing left, or where the provider said so itself."""
    said = {E.STATUS_429, E.STATUS_429_SECONDS, E.STATUS_429_DATE}
    for name, table in TABLES.items():
        may = BEFORE | said | NOT_TAKEN[name]
        assert {row.ending for row in table if row.kind is SendKind.RETRY} == may
        assert all(row.kind is SendKind.RETRY for row in table if row.ending in BEFORE)
