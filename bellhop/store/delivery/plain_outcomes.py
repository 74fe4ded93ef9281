"""That a provider took a message of the plainest kind, written down in one statement that is a transaction by itself.

Plain is a message of one part and one step whose first call this was, of which nothing else has come to be known
meanwhile, through an account that works. For everything else, and where somebody has a lock of what it needs, the
statement writes nothing: `AttemptStore.record` is to do it the long way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import DBAPIError

from bellhop.domain import statuses
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import CHANNELS, Channel, ChannelRules
from bellhop.domain.delivery_ports import Claim, SendKind, SendResult
from bellhop.domain.statuses import Stage
from bellhop.store.compiled import CompiledStatement
from bellhop.store.database import Autocommit, cut_off
from bellhop.store.messages import progress
from bellhop.store.webhooks import events


@dataclass(slots=True)
class _Sent:
    """A message that has gone out just now."""

    channel: Channel
    provider: str | None
    endpoints: list[UUID]
    """That have events to deliver."""


# The guest is locked before the message, as everywhere, and neither is waited for. A receipt that was quicker has moved
# the message, and whoever found that the lease was over has changed the attempt: then this changes neither. `coalesce`
# keeps the planner from indexes of channels and of open calls: both rows are to be found by their ids.
_RECORD = CompiledStatement(
    text(
        f"""
        with guest as materialized (
          select id from guests where id = :guest for no key update skip locked
        ), hit as (
          select message.id, message.scope_id, message.channel, message.provider,
            attempt.id as attempt_id
          from messages message
          join attempts attempt on attempt.id = :attempt and attempt.message_id = message.id
          join provider_accounts account on account.id = :account and account.id = attempt.account_id
          where message.id = :message and account.health = 'ok'
            and coalesce(attempt.state, '') = 'in_flight' and attempt.stage is null and attempt.provider_id is null
            and attempt.failure_code is null and attempt.provider_code is null and attempt.service is null
            and message.stage = 'queued' and message.decision = 'queued'
            and coalesce(message.channel, '') = any(:channels)
            and message.failure_code is null and message.provider_code is null and message.service is null
            and message.parts = 1 and message.step = 0 and message.plan is null and message.sent_at is null
            and message.held_account_id is null and message.erased_at is null
            and (cast(:guest as uuid) is null or exists (select from guest))
            and not exists (select from attempts other
              where other.message_id = :message and other.id <> :attempt)
          for update of message, attempt skip locked
        ), raised as (
          update attempts set state = 'accepted', stage = 'sent', provider_id = :provider_id,
            settled_at = coalesce(settled_at, now())
          where id = (select attempt_id from hit)
        ), moved as (
          update messages set stage = 'sent', waits_for = null, parked_at = null, pace_id = null, sent_at = now(),
            updated_at = now()
          where id = (select id from hit)
        ), seen as (
          update guests set last_seen_at = greatest(last_seen_at, now()) where id = :guest and exists (select from hit)
        ), news as (
          select hit.scope_id, 'message' as subject, hit.id as subject_id, 'message.sent' as type, 'sent' as stage,
            jsonb_build_object('stage', 'sent') as facts, 1 as place
          from hit
        ), {events.WRITTEN}
        select hit.channel, hit.provider, array(select endpoint_id from owed) as endpoints from hit
        """
    ).bindparams(
        *(bindparam(name, type_=Uuid) for name in ("guest", "message", "attempt", "account")),
        bindparam("provider_id", type_=Text),
        bindparam(
            "channels",
            value=[channel.value for channel, rules in CHANNELS.items() if not (rules.any_part or rules.in_record)],
            type_=ARRAY(Text),
        ),
        events.PUBLIC,
    ),
    row=_Sent,
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What the workflow does next, and the endpoints that have events to deliver."""

    answer: Answer
    endpoints: set[UUID]


async def record(
    autocommit: Autocommit, claim: Claim, result: SendResult, follow_at: Sequence[float]
) -> Recorded | None:
    """Write the outcome of a call, if it is that the provider has a plain message. None: it is not, or somebody else
    has a lock of it, and nothing is written. `follow_at`: as `progress.next_step` takes it."""
    if result.kind is not SendKind.ACCEPTED or result.provider_id is None or result.group_id is not None:
        return None
    try:
        written = await autocommit.run(
            _RECORD,
            guest=claim.guest_id,
            message=claim.outgoing.message_id,
            attempt=claim.outgoing.attempt_id,
            account=claim.account.id,
            provider_id=result.provider_id,
        )
    except DBAPIError as error:
        if not cut_off(error):
            raise
        # It may be written: the long way finds that.
        return None
    if not written:
        return None
    (sent,) = written
    answer = _next(CHANNELS[sent.channel], follow_at)
    if sent.provider is not None and answer.next is not Next.CLOSE:
        answer = replace(answer, through=f"{sent.provider}-{claim.account.environment}")
    return Recorded(answer, set(sent.endpoints))


def _next(rules: ChannelRules, follow_at: Sequence[float]) -> Answer:
    if statuses.closes(Stage.SENT, rules):
        return progress.next_of_arrived(Stage.SENT, rules)
    return progress.next_of_sent(0.0, follow_at, follow_at[0])
