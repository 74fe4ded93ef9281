"""A receipt of the plainest kind, stored and applied in one statement that is a transaction by itself.

Plain is what says where a message stands that went out in one call, took one attempt and has only moved up, and has no
other consequence. For everything else the statement writes nothing, and `receipts.record` is to do it: under the
message's lock, which this one takes as well, but does not wait for.

In the order of locks the receipt's key comes before the message. Here it comes after it, since a row that was written
cannot be taken back within one statement. So two transactions can wait for each other where the same callback comes
twice at once and the message was locked in between; PostgreSQL ends one of them, and the other has recorded the fact.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.delivery_ports import Receipt
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.delivery.receipts import Recorded, Signal
from bellhop.store.messages import progress
from bellhop.store.tables import PersonalJSON
from bellhop.store.webhooks import events

_STAGES = (None, Stage.SENT, Stage.DELIVERED, Stage.READ)
"""What a plain receipt may say: that it arrived or was read, that it went out, or nothing."""


@dataclass(slots=True)
class _Applied:
    """What was stored."""

    message_id: UUID
    channel: Channel
    wake_due_at: datetime | None
    """When it moved the message; None: the message stands where it stood."""
    endpoints: list[UUID]
    """That have events to deliver."""


# Another attempt, a step or a part, a failure, an erased guest, a member who left the group: not plain. What is locked
# is read as it is then: whoever moved the message or its attempt meanwhile has changed what is asked of it here.
# `coalesce` keeps the planner, which knows nothing of tables that are an hour old, from an index of channels: the
# message is to be found by its id.
RECORD = CompiledStatement(
    text(
        f"""
        with ranks as (select array['sent', 'delivered', 'read'] as rising),
        hit as (
          select attempt.id, attempt.scope_id, attempt.account_id, attempt.message_id, attempt.stage as stood,
            message.channel, array_position(ranks.rising, attempt.stage) as before,
            array_position(ranks.rising, :stage) as said
          from attempts attempt
          join messages message on message.id = (select message_id from attempts where id = :attempt)
            and message.id = attempt.message_id
          join provider_accounts account on account.id = attempt.account_id
          cross join ranks
          where attempt.id = :attempt and attempt.provider_id = :provider_id
            and account.provider = :provider and account.identity = :identity and attempt.provider = :provider
            and exists (select from account_versions known
              where known.provider = :provider and known.identity = :identity and known.version = :version)
            and attempt.state = 'accepted' and attempt.stage = any(ranks.rising) and attempt.stage = message.stage
            and attempt.failure_code is null and attempt.provider_code is null and attempt.service is null
            and message.direction = 'outbound' and message.decision = 'queued'
            and coalesce(message.channel, '') = any(:channels)
            and message.failure_code is null and message.provider_code is null and message.service is null
            and message.parts = 1 and message.step = 0 and message.plan is null and message.remind_at is null
            and message.sent_at is not null and message.erased_at is null
            and not coalesce(message.details ? 'group', false)
            and (message.guest_id is null or :stage is distinct from 'read')
            and not exists (select from attempts other
              where other.message_id = attempt.message_id and other.id <> :attempt)
            and not exists (select from receipts here
              where here.account_id = attempt.account_id and here.dedupe_key = :dedupe_key)
          for update of message, attempt skip locked
        ), stored as (
          insert into receipts (scope_id, account_id, provider, dedupe_key, attempt_id, message_id, word, stage,
            provider_id, payload, occurred_at)
          select hit.scope_id, hit.account_id, :provider, :dedupe_key, hit.id, hit.message_id, :word, :stage,
            :provider_id, :payload, :occurred_at
          from hit
          on conflict (account_id, dedupe_key) do nothing
          returning message_id
        ), rising as (
          select hit.* from hit join stored on stored.message_id = hit.message_id where hit.said > hit.before
        ), raised as (
          update attempts set stage = :stage, settled_at = coalesce(settled_at, now())
          where id = (select id from rising)
        ), moved as (
          update messages set stage = :stage,
            held_account_id = null, waits_for = null, parked_at = null, pace_id = null,
            delivered_at =
              case when (select stood from rising) = 'sent' then greatest(now(), sent_at) else delivered_at end,
            read_at = case when :stage = 'read' then greatest(now(), sent_at, delivered_at) else read_at end,
            wake_due_at = clock_timestamp(), updated_at = now()
          where id = (select message_id from rising)
          returning id, wake_due_at
        ), news as (
          select rising.scope_id, 'message' as subject, rising.message_id as subject_id,
            'message.' || passed.stage as type, passed.stage, jsonb_build_object('stage', passed.stage) as facts,
            passed.place
          from rising cross join ranks
            cross join unnest(ranks.rising) with ordinality as passed (stage, place)
          where passed.place > rising.before and passed.place <= rising.said
        ), {events.WRITTEN}
        select hit.message_id, hit.channel, moved.wake_due_at, array(select endpoint_id from owed) as endpoints
        from hit join stored on stored.message_id = hit.message_id left join moved on moved.id = hit.message_id
        """
    ).bindparams(
        *(
            bindparam(name, type_=Text)
            for name in ("provider_id", "provider", "identity", "dedupe_key", "word", "stage")
        ),
        bindparam("attempt", type_=Uuid),
        bindparam("version", type_=BigInteger),
        bindparam("payload", type_=PersonalJSON()),
        bindparam("occurred_at", type_=DateTime(timezone=True)),
        bindparam(
            "channels",
            value=[channel.value for channel, rules in CHANNELS.items() if not (rules.any_part or rules.in_record)],
            type_=ARRAY(Text),
        ),
        events.PUBLIC,
    ),
    row=_Applied,
)


def plain(item: Receipt) -> bool:
    """Whether a receipt may be recorded so."""
    says = (item.code, item.provider_code, item.effect, item.service, item.group_id)
    return bool(item.attempt_id and item.provider_id and item.stage in _STAGES) and not any(says)


def values(item: Receipt, provider: str, identity: str, version: int) -> dict[str, object]:
    """The parameters of `RECORD`. `version`: of the account, all of whose rows signed the callback."""
    return {
        "attempt": item.attempt_id,
        "provider_id": item.provider_id,
        "provider": provider,
        "identity": identity,
        "version": version,
        "dedupe_key": item.dedupe_key,
        "word": item.word,
        "stage": item.stage.value if item.stage else None,
        "payload": dict(item.payload),
        "occurred_at": item.occurred_at,
    }


def recorded(item: Receipt, applied: list[_Applied]) -> Recorded | None:
    """What recording led to, for after the commit; None: it is not plain, or nothing new, and nothing was written."""
    if not applied:
        return None
    (one,) = applied
    signals: list[Signal] = []
    if one.wake_due_at is not None:
        assert item.stage is not None, "it moved the message"
        answer = progress.next_of_arrived(item.stage, CHANNELS[one.channel])
        signals.append(Signal(one.message_id, answer, one.wake_due_at))
    return Recorded(signals=signals, endpoints=set(one.endpoints), stored=1)
