"""The doctor asks a busy Temporal once more before it says that something could not be seen."""

from __future__ import annotations

import pytest
from temporalio.service import RPCError, RPCStatusCode

from bellhop.ops.doctor import Examination, _run
from bellhop.ops.doctor_check import Check, CheckContext, Facts, Limits, Severity
from bellhop.settings import Settings


@pytest.mark.parametrize("late", [0, 1, 2])
async def test_a_call_that_runs_out_of_time_is_made_once_more(late: int) -> None:
    calls = 0

    async def look(_: CheckContext) -> list[Facts]:
        nonlocal calls
        calls += 1
        if calls <= late:
            raise RPCError("timeout", RPCStatusCode.CANCELLED, b"")
        return []

    found = Examination()
    await _run((Check("busy", Severity.WRONG, "said", "do", look),), CheckContext(Settings(), Limits()), found)
    assert calls == min(late + 1, 2)
    assert [finding.check for finding in found.findings] == (["looking"] if late == 2 else [])
    assert not found.findings or "no answer in time" in found.findings[0].said


async def test_another_error_is_said_at_once() -> None:
    calls = 0

    async def look(_: CheckContext) -> list[Facts]:
        nonlocal calls
        calls += 1
        raise RPCError("no", RPCStatusCode.PERMISSION_DENIED, b"")

    found = Examination()
    await _run((Check("refused", Severity.WRONG, "said", "do", look),), CheckContext(Settings(), Limits()), found)
    assert calls == 1 and "permission denied" in found.findings[0].said
