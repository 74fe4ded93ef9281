"""What can be wrong with recovery: each kind of work has its own schedule, and is looked at by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bellhop.domain.sweeps import SweepKind
from bellhop.ops import temporal_checks
from bellhop.ops.doctor_check import Check, CheckContext, Facts, Look, Severity
from bellhop.ops.temporal_checks import Sweeps
from bellhop.temporal import contract


async def _known(context: CheckContext) -> dict[SweepKind, Sweeps | None]:
    if context.sweeps is None:
        context.sweeps = await temporal_checks.sweeps(context.temporal)
    return context.sweeps


async def _unscheduled(context: CheckContext) -> list[Facts]:
    missing = [kind for kind, found in (await _known(context)).items() if found is None]
    return [{"kinds": _listed(missing)}] if missing else []


async def _paused(context: CheckContext) -> list[Facts]:
    paused = [kind for kind, found in (await _known(context)).items() if found and found.paused]
    schedules = ", ".join(map(contract.sweep_schedule, paused))
    return [{"kinds": _listed(paused), "schedules": schedules}] if paused else []


async def _unswept(context: CheckContext) -> list[Facts]:
    late = _those(await _known(context), lambda found: found.ago > context.limits.fresh + 3 * found.every)
    if not late:
        return []
    worst = max(late, key=lambda found: found.ago / found.every)
    kinds = _listed(found.kind for found in late)
    return [{"kinds": kinds, "kind": worst.kind.value, "seconds": worst.ago, "every": worst.every}]


async def _failed(context: CheckContext) -> list[Facts]:
    failed = _those(await _known(context), lambda found: found.failed)
    return [{"kinds": _listed(found.kind for found in failed)}] if failed else []


async def _behind(context: CheckContext) -> list[Facts]:
    return [
        {"kind": found.kind.value, "woken": found.last.woken, "seconds": found.last.seconds, "every": found.every}
        for found in _those(await _known(context), lambda found: bool(found.last and found.last.next))
        if found.last
    ]


def _those(known: dict[SweepKind, Sweeps | None], wrong: Callable[[Sweeps], bool]) -> list[Sweeps]:
    """Of the schedules that are there and go on, those with which something is wrong."""
    return [found for found in known.values() if found and not found.paused and wrong(found)]


def _listed(kinds: Iterable[SweepKind]) -> str:
    return ", ".join(kind.value for kind in kinds)


def _check(name: str, severity: Severity, look: Look, said: str, do: str) -> Check:
    return Check(name, severity, said, do, look)


SWEEP_CHECKS: tuple[Check, ...] = (
    _check(
        "schedule", Severity.WRONG, _unscheduled,
        "Recovery has no schedule in Temporal for {kinds}: nobody looks for what was left behind.",
        "A worker of role `activities` or `all` makes it within a minute; `bellhop recover` does it now.",
    ),
    _check(
        "schedule_paused", Severity.WRONG, _paused,
        "Recovery's schedule is paused for {kinds}: nobody looks for what was left behind.",
        "Unpause {schedules} under Schedules in the Temporal UI, or restart a worker, which does it.",
    ),
    _check(
        "swept", Severity.WRONG, _unswept,
        "Recovery has not begun to look for {kinds}; for {kind} not since {seconds}, and it should every {every}.",
        "See that a worker of role `activities` or `all` runs, and in the Temporal UI why the last workflow of type "
        "Sweep does not end.",
    ),
    _check(
        "sweep_failed", Severity.WARNING, _failed,
        "Recovery's last look for {kinds} failed.",
        "The next one goes on where it was. If it stays, a worker's log says why: `recovery cannot look for it now`.",
    ),
    _check(
        "sweep_behind", Severity.WARNING, _behind,
        "Recovery is behind with {kind}: its last look woke {woken:message} in {seconds} and left more.",
        "Nothing: it goes on there within {every}. If it stays for long, more workers of role `activities` help.",
    ),
)  # fmt: skip
