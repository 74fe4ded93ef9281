"""Provider calls as rows of `attempts`: with whom, when they began, and what became of them (I2, I8).

The caller holds the lock of the message's row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Float,
    Integer,
    LargeBinary,
    Text,
    Uuid,
    bindparam,
    case,
    func,
    insert,
    select,
    text,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NULLTYPE

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.domain.rows.delivery import LIVE, AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement, seconds
from bellhop.store.tables import attempts, messages, provider_accounts, senders


@dataclass(slots=True)
class SendingAccount:
    """A sender with what is needed of its account to send. Its repr shows no credentials."""

    address: str
    name: str | None
    capabilities: dict[str, object]
    account_id: UUID
    provider: str
    identity: str
    base_url: str
    credentials: dict[str, str] = field(repr=False)
    """As stored: see `domain.credentials`."""
    health: str
    rate: float | None
    """Calls a second; None: nothing of ours limits it."""
    pace_id: UUID | None
    is_default: bool

    @property
    def id(self) -> UUID:
        """The account's."""
        return self.account_id


LOOKED_AT = 20
"""How many of the newest messages with an address are looked at for the sender of the conversation."""

# The sender of the conversation with an address first: what was last sent to it from, or what it last wrote to, where
# the channel still goes through that account. Worked out once, and only where the scope has several senders. No more of
# the address's messages are read than the newest, whosever they are.
_CONVERSATION_FIRST = text(
    """
    (senders.address = (
      select talk.address from (
        select coalesce(attempt.sender, written.recipient) as address, coalesce(attempt.id, written.id) as at
        from unnest(cast(:hashes as bytea[])) given (hash)
        cross join lateral (
          select id, scope_id, channel, direction, recipient from messages
          where address_hash = given.hash order by id desc limit :looked_at
        ) written
        left join lateral (
          select id, sender from attempts
          where message_id = written.id and state <> 'not_sent' order by id desc limit 1
        ) attempt on written.direction = 'outbound'
        where written.scope_id = :scope and written.channel = :channel
          and (attempt.id is not null or written.direction = 'inbound')
          and (select count(*) from senders several where several.scope_id = :scope and several.channel = :channel) > 1
      ) talk
      join senders known on known.scope_id = :scope and known.channel = :channel and known.address = talk.address
        and (known.capabilities @> '{"standby": true}' or known.account_id in (
          select used.account_id from senders used
          where used.scope_id = :scope and used.channel = :channel and used.is_default))
      order by talk.at desc limit 1)
    ) desc nulls last
    """
).bindparams(
    bindparam("hashes", type_=ARRAY(LargeBinary)),
    bindparam("looked_at", type_=Integer),
    bindparam("scope", type_=Uuid),
    bindparam("channel", type_=Text),
)
_SENDERS = CompiledStatement(
    select(
        senders.c.address,
        senders.c.name,
        senders.c.capabilities,
        senders.c.account_id,
        provider_accounts.c.provider,
        provider_accounts.c.identity,
        provider_accounts.c.base_url,
        provider_accounts.c.credentials,
        provider_accounts.c.health,
        # As the driver reads it, which is a float.
        type_coerce(senders.c.rate, NULLTYPE).label("rate"),
        senders.c.pace_id,
        senders.c.is_default,
    )
    .join(provider_accounts, provider_accounts.c.id == senders.c.account_id)
    .where(
        senders.c.scope_id == bindparam("scope", type_=Uuid),
        provider_accounts.c.scope_id == bindparam("scope", type_=Uuid),
        senders.c.channel == bindparam("channel", type_=Text),
    )
    .order_by(_CONVERSATION_FIRST, senders.c.is_default.desc(), senders.c.id),
    row=SendingAccount,
)
_START = CompiledStatement(
    insert(attempts)
    .values(lease_until=func.clock_timestamp() + seconds(bindparam("lease", type_=Float)))
    .returning(attempts.c.id),
    ("scope_id", "message_id", "part", "step", "reminder", "account_id", "provider", "sender", "body", "content_sid"),
    value=UUID,
)
_ACCEPTED = CompiledStatement(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"))
    .values(settled_at=func.coalesce(attempts.c.settled_at, func.now())),
    ("state", "stage", "provider_id"),
)
_FAILED = CompiledStatement(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.state == AttemptState.IN_FLIGHT.value)
    .values(
        # What is unknown is not settled.
        settled_at=case((bindparam("pause", type_=Float).is_(None), func.now())),
        ask_at=func.now() + seconds(bindparam("pause", type_=Float)),
    )
    .returning(attempts.c.id),
    ("state", "failure_code", "provider_code", "error_text"),
    value=UUID,
)
_GIVE_UP = CompiledStatement(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"), attempts.c.stage.is_(None))
    .values(stage=Stage.GAVE_UP.value)
)
_EXPIRE = CompiledStatement(
    update(attempts)
    .where(
        attempts.c.message_id == bindparam("message"),
        attempts.c.step == bindparam("number"),
        attempts.c.state == AttemptState.ACCEPTED.value,
    )
    .values(
        state=AttemptState.UNDELIVERED.value,
        stage=Stage.UNDELIVERED.value,
        failure_code=FailureCode.EXPIRED.value,
        settled_at=func.now(),
    )
)
_COME_AGAIN = CompiledStatement(
    update(attempts)
    .where(attempts.c.id == bindparam("attempt"))
    .values(ask_at=bindparam("at", type_=DateTime(timezone=True)))
)
_BEARS = CompiledStatement(
    select(attempts.c.id).where(
        attempts.c.provider_id == bindparam("provider_id"), attempts.c.account_id == bindparam("account")
    ),
    value=UUID,
)
_POSTPONE = CompiledStatement(
    update(messages)
    # Moved meanwhile to another time: that is when it goes out.
    .where(messages.c.id == bindparam("message"), messages.c.stage == "queued", messages.c.due_at <= func.now())
    .values(due_at=func.now() + seconds(bindparam("pause", type_=Float)))
)
_OK_AGAIN = CompiledStatement(
    text(
        """
        update provider_accounts set health = 'ok', held_code = null, held_since = null, probe_at = null,
          updated_at = now()
        where id = :account and health = 'held' and held_code is distinct from 'operator'
        """
    )
)


_NOT_YET_ACCEPTED = frozenset({AttemptState.IN_FLIGHT, AttemptState.UNKNOWN, AttemptState.NOT_SENT})


async def senders_of(
    tx: AsyncConnection, scope_id: UUID, channel: Channel, hashes: Sequence[bytes] = ()
) -> list[SendingAccount]:
    """Whom a scope may send from on a channel, with their accounts' details, in the order in which it wants them used.
    `hashes`: of the address that is written to; the sender of the conversation with it comes first."""
    found: list[SendingAccount] = await _SENDERS(
        tx, scope=scope_id, channel=channel.value, hashes=list(hashes), looked_at=LOOKED_AT
    )
    return found


async def start(
    tx: AsyncConnection,
    message: MessageRow,
    part: int,
    body: str,
    sender: SendingAccount,
    lease: float,
    content_sid: str | None = None,
) -> UUID:
    """Write down, before it is made, a call that carries `part` of a message. It may take `lease` seconds.
    `content_sid`: the approved template as which it goes."""
    (started,) = await _START(
        tx,
        scope_id=message.scope_id,
        message_id=message.id,
        part=part,
        step=message.step,
        reminder=message.reminders,
        account_id=sender.account_id,
        provider=sender.provider,
        sender=sender.address,
        body=body,
        content_sid=content_sid,
        lease=lease,
    )
    return started


def beside(attempt: AttemptRow, rows: Sequence[AttemptRow]) -> bool:
    """Whether another attempt of the same part is live, which the database allows one of; every attempt of the message
    is in `rows`."""
    place = (attempt.part, attempt.reminder)
    return any(one.id != attempt.id and (one.part, one.reminder) == place and one.state in LIVE for one in rows)


async def is_another(tx: AsyncConnection, attempt: AttemptRow, provider_id: str | None) -> bool:
    """Whether that id of the provider's is another attempt's."""
    found = await _BEARS(tx, account=attempt.account_id, provider_id=provider_id)
    return any(one != attempt.id for one in found)


async def accepted(
    tx: AsyncConnection, attempt: AttemptRow, rows: Sequence[AttemptRow], provider_id: str | None
) -> None:
    """The provider has it. `rows`: every attempt of the message. Written to the row and to `attempt`."""
    # Also from `not_sent`: proof of acceptance is stronger than our belief, and the message is locked. Beside another
    # live attempt of the same part it stays as it is: what is known of it counts all the same.
    if attempt.state in _NOT_YET_ACCEPTED and not beside(attempt, rows):
        attempt.state = AttemptState.ACCEPTED
    attempt.stage = attempt.stage or Stage.SENT
    attempt.provider_id = attempt.provider_id or provider_id
    await _ACCEPTED(
        tx, attempt=attempt.id, state=attempt.state.value, stage=attempt.stage.value, provider_id=attempt.provider_id
    )


async def postpone(tx: AsyncConnection, message_id: UUID, pause: float) -> None:
    """A message that is due waits `pause` seconds more: nobody is to look for it before."""
    await _POSTPONE(tx, message=message_id, pause=pause)


async def account_works(tx: AsyncConnection, account_id: UUID) -> bool:
    """An account has taken a message: if its messages were held, they need not be any longer. Whether they were."""
    return await _OK_AGAIN(tx, account=account_id) > 0


async def give_up(tx: AsyncConnection, attempt: AttemptRow) -> None:
    """Nothing more is done for the part of this attempt. Written to the row and to `attempt`."""
    if attempt.stage is None:
        attempt.stage = Stage.GAVE_UP
        await _GIVE_UP(tx, attempt=attempt.id)


async def expire(tx: AsyncConnection, message: MessageRow) -> None:
    """What a message has laid into an inbox at the step that it is at has not arrived within its time."""
    await _EXPIRE(tx, message=message.id, number=message.step)


async def come_again(tx: AsyncConnection, attempt: AttemptRow, now: datetime, pause: float) -> None:
    """The part of this attempt is tried again in `pause` seconds, not before. Written to the row and to `attempt`."""
    attempt.ask_at = now + timedelta(seconds=pause)
    await _COME_AGAIN(tx, attempt=attempt.id, at=attempt.ask_at)


async def record_failure(
    tx: AsyncConnection, attempt: AttemptRow, result: SendResult, ask_after: float, *, erased: bool
) -> bool:
    """Write that an attempt did not (or may not) have arrived; False: a receipt has proved otherwise. What may have
    arrived is asked about in `ask_after` seconds. Written to the row and to `attempt`."""
    unknown = result.kind is SendKind.UNKNOWN
    state = AttemptState.UNKNOWN if unknown else AttemptState.NOT_SENT
    code = result.code.value if result.code else None
    error_text = None if erased else result.text
    if not await _FAILED(
        tx,
        attempt=attempt.id,
        pause=ask_after if unknown else None,
        state=state.value,
        failure_code=code,
        provider_code=result.provider_code,
        error_text=error_text,
    ):
        return False
    attempt.state, attempt.failure_code = state, code
    attempt.provider_code, attempt.error_text = result.provider_code, error_text
    return True
