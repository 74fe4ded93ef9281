"""Whether an API process runs, noted in one row, and which accounts' callbacks came while none did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, DateTime, Float, Integer, Text, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS
from bellhop.domain.rows.missed_callbacks import MissedCallbacksRow, SilentMessage
from bellhop.store.compiled import CompiledStatement

BEFORE = 3_600.0
"""Seconds: what was sent longer than that before nobody ran has been asked about one by one."""
LONGEST = 4 * 86_400.0
"""Nothing older is asked about: providers do not change their word any more."""
MOST = 50_000
"""Messages of one account that are asked about together, the newest."""

# Of several processes whoever comes first writes; the others see that it is done.
_SEEN = CompiledStatement(
    text(
        """
        update installation set api_seen_at = clock_timestamp()
        where coalesce(api_seen_at, '-infinity') < clock_timestamp() - make_interval(secs => :fresh)
        returning case when old.api_seen_at < new.api_seen_at - make_interval(secs => :after)
          then old.api_seen_at end as since
        """
    ).bindparams(bindparam("fresh", type_=Float), bindparam("after", type_=Float)),
    value=datetime,
)
# What may still be heard of. By the ids, which tell when an attempt was made: what is older is not read.
_SILENT = """
    attempts attempt join provider_accounts account on account.id = attempt.account_id
      join scopes scope on scope.id = account.scope_id
      join messages message on message.id = attempt.message_id
    where attempt.id > (select uuidv7(- least(now() - cast(:since as timestamptz) + make_interval(secs => :before),
        make_interval(secs => :longest))))
      and attempt.state = 'accepted' and attempt.provider_id is not null
      and (coalesce(attempt.stage, 'sent') = 'sent'
        or (attempt.stage = 'delivered' and message.channel = any(:read)))
"""
_BINDS = (
    bindparam("since", type_=DateTime(timezone=True)),
    bindparam("before", value=BEFORE, type_=Float),
    bindparam("longest", value=LONGEST, type_=Float),
    bindparam(
        "read",
        value=[channel.value for channel, rules in CHANNELS.items() if rules.reports_reading and not rules.in_record],
        type_=ARRAY(Text),
    ),
)
_NOTE = CompiledStatement(
    text(
        f"""
        insert into missed_callbacks as known (provider, identity, environment, since, until)
        select distinct account.provider, account.identity, scope.environment, cast(:since as timestamptz), now()
        from {_SILENT} and account.provider = any(:providers) and account.credentials <> '{{}}'
        on conflict (provider, identity, environment) do update
        set since = least(known.since, excluded.since), until = excluded.until, due_at = now()
        """
    ).bindparams(*_BINDS, bindparam("providers", type_=ARRAY(Text)))
)
_CLAIM = CompiledStatement(
    text(
        """
        update missed_callbacks set due_at = now() + make_interval(secs => :lease)
        where (provider, identity, environment) in (
          select provider, identity, environment from missed_callbacks where due_at <= now()
          order by due_at limit :most for update skip locked)
        returning provider, identity, environment, since, until, due_at
        """
    ).bindparams(bindparam("lease", type_=Float), bindparam("most", type_=Integer)),
    row=MissedCallbacksRow,
)
_OF_ACCOUNT = "provider = :provider and identity = :identity and environment = :environment and until = :until"
_NAMES: tuple[BindParameter[Any], ...] = (
    *(bindparam(name, type_=Text) for name in ("provider", "identity", "environment")),
    bindparam("until", type_=DateTime(timezone=True)),
)
_SILENT_OF = CompiledStatement(
    text(
        f"""
        select attempt.provider_id, attempt.stage, attempt.created_at
        from {_SILENT} and account.provider = :provider and account.identity = :identity
          and scope.environment = :environment and attempt.created_at <= :until
        order by attempt.id desc limit :most
        """
    ).bindparams(*_BINDS, *_NAMES, bindparam("most", value=MOST, type_=Integer)),
    row=SilentMessage,
)
_LATER = CompiledStatement(
    text(
        f"update missed_callbacks set due_at = now() + make_interval(secs => :seconds) where {_OF_ACCOUNT}"
    ).bindparams(*_NAMES, bindparam("seconds", type_=Float))
)
# What was noted meanwhile stays.
_DONE = CompiledStatement(text(f"delete from missed_callbacks where {_OF_ACCOUNT}").bindparams(*_NAMES))


async def seen(tx: AsyncConnection, fresh: float, after: float, providers: Sequence[str]) -> int:
    """An API process runs, which is written down where that was longer than `fresh` seconds ago. Where none was seen
    for `after` seconds, the accounts at `providers` are noted whose callbacks may be missing. Returns their number."""
    found = await _SEEN(tx, fresh=fresh, after=after)
    since = found[0] if found else None
    return await _NOTE(tx, since=since, providers=list(providers)) if since is not None else 0


async def claim(tx: AsyncConnection, lease: float, most: int) -> list[MissedCallbacksRow]:
    """Accounts whose callbacks are to be asked for now; for `lease` seconds nobody else does."""
    return await _CLAIM(tx, lease=lease, most=most)


async def silent(tx: AsyncConnection, row: MissedCallbacksRow) -> list[SilentMessage]:
    """What the account has sent, lately or while nobody heard, and may have said more of; the newest first."""
    return await _SILENT_OF(tx, since=row.since, **_named(row))


async def later(tx: AsyncConnection, row: MissedCallbacksRow, seconds: float) -> None:
    """It could not be asked: again after so long."""
    await _LATER(tx, **_named(row), seconds=seconds)


async def done(tx: AsyncConnection, row: MissedCallbacksRow) -> None:
    """It was asked."""
    await _DONE(tx, **_named(row))


def _named(row: MissedCallbacksRow) -> dict[str, object]:
    return {
        "provider": row.provider,
        "identity": row.identity,
        "environment": row.environment,
        "until": row.until,
    }
