"""The first look at a message that may go out: its row under its lock, and, where nothing of it asks for more, its
first attempt, written by the same statement.

The attempt is what the statement takes for right. Whether policy lets the message go, `Claims.of_plain` says before it
is committed; else it is rolled back, and everything is looked up.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Float, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery.attempt_rows import SendingAccount
from bellhop.store.tables import messages

_SENDER = ("address", "name", "capabilities", "account_id", "is_default")
_ACCOUNT = ("provider", "identity", "base_url", "credentials", "health")


@dataclass(slots=True)
class Begun(MessageRow):
    """A message that is locked; where its first attempt is written, with that and with the one sender there is."""

    attempt_id: UUID | None
    """None: it is to be looked at the long way."""
    by_address: str | None
    by_name: str | None
    by_capabilities: dict[str, object] | None
    by_account_id: UUID | None
    by_is_default: bool | None
    by_provider: str | None
    by_identity: str | None
    by_base_url: str | None
    by_credentials: dict[str, str] | None = field(repr=False)
    by_health: str | None

    @property
    def by(self) -> SendingAccount:
        """The one sender. Only of a message with an attempt."""
        assert self.by_address is not None and self.by_capabilities is not None and self.by_account_id is not None
        assert self.by_is_default is not None and self.by_provider is not None and self.by_identity is not None
        assert self.by_base_url is not None and self.by_credentials is not None and self.by_health is not None
        return SendingAccount(
            address=self.by_address,
            name=self.by_name,
            capabilities=self.by_capabilities,
            account_id=self.by_account_id,
            provider=self.by_provider,
            identity=self.by_identity,
            base_url=self.by_base_url,
            credentials=self.by_credentials,
            health=self.by_health,
            rate=None,
            pace_id=None,
            is_default=self.by_is_default,
        )


_KINDS = {
    channel.value: rules.address.value
    for channel, rules in CHANNELS.items()
    if not (rules.any_part or rules.in_record or rules.window or rules.user_ids)
}
"""Of each channel without rules of its own what its addresses are."""
_SAID = """exists (
    select from unnest(:channels, :kinds) as rules (channel, kind)
    join consents said on said.kind = rules.kind
    where rules.channel = message.channel and said.scope_id = message.scope_id
      and said.address_hash = message.address_hash)"""
"""Whether anything was ever said of a message's address."""
_RULES = (
    bindparam("channels", value=list(_KINDS), type_=ARRAY(Text)),
    bindparam("kinds", value=list(_KINDS.values()), type_=ARRAY(Text)),
)
_COLUMNS = ", ".join(f"message.{column.name}" for column in messages.c)
_OF_BY = ", ".join([*(f"sender.{name}" for name in _SENDER), *(f"account.{name}" for name in _ACCOUNT)])
_BY = ", ".join(f"chosen.{name} as by_{name}" for name in (*_SENDER, *_ACCOUNT))
# What is not waited for is read as it is now: of what was committed before, nothing is missed. Whatever was said of an
# address, a second sender, a second attempt, a file or a group: the long way.
_BEGIN = CompiledStatement(
    text(
        f"""
        with locked as (
          select {_COLUMNS}, scope.property_id, scope.environment, scope.settings as scope_settings, scope.paused_at,
            now() as now, {_BY}
          from messages message
          join scopes scope on scope.id = message.scope_id
          left join lateral (
            select {_OF_BY}
            from senders sender
            join provider_accounts account on account.id = sender.account_id and account.scope_id = sender.scope_id
            where sender.scope_id = message.scope_id and sender.channel = message.channel and sender.rate is null
              and sender.pace_id is null and account.health = 'ok'
              and not exists (select from senders other
                where other.scope_id = sender.scope_id and other.channel = sender.channel and other.id <> sender.id)
          ) chosen on message.direction = 'outbound' and message.stage = 'queued' and message.decision = 'queued'
            and message.due_at <= now() and message.expires_at > now() and scope.paused_at is null
            and message.waits_for is null and message.pace_id is null and message.held_account_id is null
            and message.parts = 1 and message.step = 0 and message.plan is null and message.sender is null
            and message.category <> 'marketing' and message.content is not null and message.recipient is not null
            and message.erased_at is null and not coalesce(message.details ?| array['media', 'group'], false)
            and (message.ignore_quiet_hours or not scope.settings ? 'quiet_hours')
            and (message.ignore_frequency_cap or not scope.settings ? 'frequency_caps')
            and not exists (select from attempts tried where tried.message_id = :message)
            and not {_SAID}
            and message.channel = any(:channels) and message.address_hash is not null
          where message.id = :message
          for update of message skip locked
        ), started as (
          insert into attempts (scope_id, message_id, part, account_id, provider, sender, body, lease_until)
          select scope_id, id, 0, by_account_id, by_provider, by_address, content,
            clock_timestamp() + make_interval(secs => :lease)
          from locked where by_account_id is not null
          on conflict do nothing
          returning id
        )
        select locked.*, started.id as attempt_id from locked left join started on true
        """
    ).bindparams(
        bindparam("message", type_=Uuid),
        bindparam("lease", type_=Float),
        *_RULES,
    ),
    row=Begun,
)


async def begin(tx: AsyncConnection, message_id: UUID, lease: float) -> Begun | None:
    """The message, locked; None: there is none, or somebody else has it. `lease`: seconds that its call may take."""
    found: list[Begun] = await _BEGIN(tx, message=message_id, lease=lease)
    return found[0] if found else None


# The statement above sees what was committed before it began, and it may have waited: what a guest said meanwhile
# counts. This one begins under the lock, as the long way's do.
_STILL: CompiledStatement[list[bool]] = CompiledStatement(
    text(
        f"""
        select scope.paused_at is null and not {_SAID} as still
        from messages message join scopes scope on scope.id = message.scope_id where message.id = :message
        """
    ).bindparams(
        bindparam("message", type_=Uuid),
        *_RULES,
    ),
    value=bool,
)


async def still(tx: AsyncConnection, message_id: UUID) -> bool:
    """Whether nothing was said of its address, and its property not paused, by now: under the lock of the message."""
    return await _STILL(tx, message=message_id) == [True]
