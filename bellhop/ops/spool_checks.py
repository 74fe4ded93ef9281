"""What the doctor says of callbacks that are kept on disk: in the directory on this machine, and in that of the API at
the public address, which may be another machine's."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import httpx2

from bellhop.ops.doctor_check import Check, CheckContext, Facts, Severity
from bellhop.settings import Settings
from bellhop.spool.directory import SpoolDirectory, Summary
from bellhop.spool.settings import SpoolSettings

PATIENCE = 5.0
NEARLY_FULL = 0.5


@dataclass(frozen=True, slots=True)
class _Spool:
    """One that can be seen from here. `summary` None: it cannot be used."""

    where: str
    summary: Summary | None


async def _spools(settings: Settings) -> list[_Spool]:
    found: list[_Spool] = []
    if settings.spool.max_entries and settings.spool.dir.is_dir():
        found.append(await asyncio.to_thread(_here, settings.spool))
    theirs = await _there(settings.bellhop.public_url)
    if theirs is not None and not any(_same(one, theirs) for one in found):
        found.append(theirs)
    return found


def _here(settings: SpoolSettings) -> _Spool:
    where = f"in {settings.dir.resolve()} on this machine"
    try:
        return _Spool(where, SpoolDirectory(settings.dir, settings.max_entries, settings.max_bytes).summary())
    except OSError:
        return _Spool(where, None)


async def _there(public_url: str) -> _Spool | None:
    """As the API says; None where it does not answer, which is no matter of this check's."""
    try:
        async with httpx2.AsyncClient(timeout=PATIENCE) as http:
            said = (await http.get(f"{public_url}/readyz")).json()["spool"]
        if said is None:
            return None
        known = Summary(said["waiting"], 0, said["oldest_seconds"], said["rejected"], said["full"])
        return _Spool(f"at the API ({public_url})", known if said["usable"] else None)
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return None


def _same(one: _Spool, other: _Spool) -> bool:
    """Both say the same: as good as certainly the same directory."""
    if one.summary is None or other.summary is None:
        return one.summary is other.summary
    return (one.summary.waiting, one.summary.rejected) == (other.summary.waiting, other.summary.rejected)


async def _waiting(context: CheckContext) -> list[Facts]:
    return [
        {"count": one.summary.waiting, "where": one.where, "seconds": one.summary.oldest}
        for one in await _spools(context.settings)
        if one.summary is not None and one.summary.oldest > context.limits.fresh
    ]


async def _full(context: CheckContext) -> list[Facts]:
    return [
        {"percent": f"{one.summary.full:.0%}", "where": one.where}
        for one in await _spools(context.settings)
        if one.summary is not None and one.summary.full >= NEARLY_FULL
    ]


async def _rejected(context: CheckContext) -> list[Facts]:
    return [
        {"count": one.summary.rejected, "where": one.where}
        for one in await _spools(context.settings)
        if one.summary is not None and one.summary.rejected
    ]


async def _unusable(context: CheckContext) -> list[Facts]:
    return [{"where": one.where} for one in await _spools(context.settings) if one.summary is None]


SPOOL_CHECKS: tuple[Check, ...] = (
    Check(
        "spool_waiting", Severity.WARNING,
        "On disk, {where}: {count:callback} that PostgreSQL has not taken yet, the oldest since {seconds}.",
        "They are recorded, in order, as soon as PostgreSQL takes them. If it does, see that an API process runs "
        "there, and in its log what cannot be recorded.",
        _waiting,
    ),
    Check(
        "spool_full", Severity.WRONG, "The disk's room for callbacks is taken to {percent} {where}.",
        "Bring PostgreSQL back. Beyond the bound callbacks are answered 503, and a guest's text that is not repeated "
        "is lost: raise SPOOL_MAX_ENTRIES and SPOOL_MAX_BYTES if the disk has room.",
        _full,
    ),
    Check(
        "spool_rejected", Severity.WRONG,
        "{count:callback} that the API had answered 2xx could not be recorded: set aside {where}.",
        "See in the API's log why (`set aside`). Once that is mended, move the files from the directory `rejected` one "
        "up: they are tried again. They are deleted after 30 days.",
        _rejected,
    ),
    Check(
        "spool_unusable", Severity.WRONG, "The API cannot keep callbacks on disk {where}.",
        "Let SPOOL_DIR name a directory that its process may write to. Until then callbacks are answered 503 while "
        "PostgreSQL is away.",
        _unusable,
    ),
)  # fmt: skip
