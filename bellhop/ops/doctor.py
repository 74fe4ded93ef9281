"""The doctor: what is stuck or inconsistent now, why, and what to do about it, in sentences.

Only looks, but for a small file that it keeps and deletes. PostgreSQL, Temporal and what lies on disk or in a bucket
are looked at independently: when one is down that is the finding, and the others go on.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from temporalio.service import RPCError, RPCStatusCode

from bellhop.ops import temporal_checks
from bellhop.ops.doctor_check import Check, CheckContext, Facts, Limits, Severity
from bellhop.ops.doctor_checks import (
    CHECK_FAILED,
    DATABASE_CHECKS,
    DATABASE_DOWN,
    TEMPORAL_CHECKS,
    TEMPORAL_DOWN,
)
from bellhop.ops.humanize import Count, Lasting
from bellhop.ops.mail_checks import MAIL_CHECKS
from bellhop.ops.media_checks import MEDIA_CHECKS
from bellhop.ops.spool_checks import SPOOL_CHECKS
from bellhop.ops.temporal_checks import Sweeps
from bellhop.settings import Settings
from bellhop.store.connections import make_engine
from bellhop.temporal.client import connect


@dataclass(frozen=True, slots=True)
class Finding:
    """One case."""

    check: str
    severity: Severity
    said: str
    do: str
    facts: Facts


@dataclass(slots=True)
class Examination:
    """What was found."""

    findings: list[Finding] = field(default_factory=list)
    looked: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    """Checks that something found kept from being made."""
    information: dict[str, float] = field(default_factory=dict)
    sweeps: list[Sweeps] = field(default_factory=list)
    """How recovery is doing with each kind of work."""

    @property
    def severity(self) -> Severity:
        """That of the worst finding."""
        return max((finding.severity for finding in self.findings), default=Severity.FINE)


_UNREACHABLE = (SQLAlchemyError, RPCError, RuntimeError, OSError, TimeoutError)
TIMEOUT = 30.0
"""Seconds for all checks of one kind."""
_LATE = frozenset({RPCStatusCode.CANCELLED, RPCStatusCode.DEADLINE_EXCEEDED})
"""How Temporal's client says that an answer did not come within the call's time-out."""


async def examine(settings: Settings, limits: Limits | None = None) -> Examination:
    """Look at everything, once."""
    context = CheckContext(settings, limits or Limits())
    database, temporal, files = Examination(), Examination(), Examination()
    await asyncio.gather(
        _check_database(context, database),
        _check_temporal(context, temporal),
        _run(SPOOL_CHECKS + MEDIA_CHECKS + MAIL_CHECKS, context, files),
    )
    parts = (database, temporal, files)
    findings = sorted((found for part in parts for found in part.findings), key=lambda finding: -finding.severity)
    return Examination(
        findings,
        [name for part in parts for name in part.looked],
        [name for part in parts for name in part.skipped],
        context.information,
        [found for found in (context.sweeps or {}).values() if found is not None],
    )


async def _check_database(context: CheckContext, found: Examination) -> None:
    engine = make_engine(context.settings.postgres, "doctor").execution_options(isolation_level="AUTOCOMMIT")
    try:
        async with asyncio.timeout(TIMEOUT), engine.connect() as context.tx:
            await _run(DATABASE_CHECKS, context, found)
    except _UNREACHABLE as error:
        _unreachable(DATABASE_DOWN, DATABASE_CHECKS, found, {"error": _reason(error)})
    finally:
        await engine.dispose()


async def _check_temporal(context: CheckContext, found: Examination) -> None:
    try:
        async with asyncio.timeout(TIMEOUT):
            context.client = await connect(context.settings.temporal, lazy=True)
            # Raises where it does not answer at all, before anything is said about what it has.
            await temporal_checks.namespace_missing(context.client)
            await _run(TEMPORAL_CHECKS, context, found)
    except _UNREACHABLE as error:
        address = context.settings.temporal.address
        _unreachable(TEMPORAL_DOWN, TEMPORAL_CHECKS, found, {"address": address, "error": _reason(error)})


async def _run(checks: tuple[Check, ...], context: CheckContext, found: Examination) -> None:
    for check in checks:
        try:
            cases = await _look(check, context)
        except (SQLAlchemyError, RPCError) as error:
            if _gone(error):
                raise
            found.findings.append(_finding(CHECK_FAILED, {"check": check.name, "error": _reason(error)}))
            continue
        found.looked.append(check.name)
        found.findings += [_finding(check, facts) for facts in cases]
        if cases and check.last:
            found.skipped += [each.name for each in checks if each.name not in found.looked]
            return


async def _look(check: Check, context: CheckContext) -> list[Facts]:
    """A busy Temporal may let one call run out of time: it is asked once more before that is said."""
    try:
        return await check.look(context)
    except RPCError as error:
        if error.status not in _LATE:
            raise
        return await check.look(context)


def _gone(error: Exception) -> bool:
    """True when it is not the check that failed but what it looked at that has gone away."""
    if isinstance(error, RPCError):
        return error.status is RPCStatusCode.UNAVAILABLE
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _unreachable(check: Check, rest: tuple[Check, ...], found: Examination, facts: Facts) -> None:
    found.findings.append(_finding(check, facts))
    found.skipped += [each.name for each in rest if each.name not in found.looked]


def _reason(error: BaseException) -> str:
    """A word for it: texts of errors may quote what they should not."""
    if isinstance(error, TimeoutError) or (isinstance(error, RPCError) and error.status in _LATE):
        return "no answer in time"
    if isinstance(error, RPCError):
        return error.status.name.lower().replace("_", " ")
    return type(getattr(error, "orig", None) or error).__name__


def _finding(check: Check, facts: Facts) -> Finding:
    words = {
        name: Lasting(value) if isinstance(value, float) else Count(value) if isinstance(value, int) else value
        for name, value in facts.items()
    }
    return Finding(check.name, check.severity, check.said.format(**words), check.do.format(**words), dict(facts))
