"""Quiet hours: which of them a message keeps, by what is known of where its guest is, and its wait for their end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Date, DateTime, Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy_settings
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import AddressKind, kind_of
from bellhop.domain.policy import Reason
from bellhop.domain.quiet_hours import Quiet, Span, facts_of, zone_of
from bellhop.domain.rows.messages import MessageRow
from bellhop.store.compiled import CompiledStatement
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent


@dataclass(slots=True)
class _Where:
    property_zone: str
    guest_zone: str | None
    phone: str | None
    in_house: bool


# A stay whose software does not say that the guest has come is told by its days; on the first and the last of them
# nobody knows.
_WHERE = CompiledStatement(
    text(
        """
        select coalesce(scope.own ->> 'timezone', property.timezone) as property_zone,
          guest.timezone as guest_zone, guest.phone,
          exists (
            select from stay_guests staying join stays stay on stay.id = staying.stay_id
            where staying.guest_id = guest.id and stay.scope_id = scope.id and (
              (stay.status = 'in_house' and coalesce(stay.departure, :today) >= :today)
              or (stay.status = 'booked' and stay.arrival < :today and stay.departure > :today))
          ) as in_house
        from scopes scope join properties property on property.id = scope.property_id
        left join guests guest on guest.id = :guest and guest.scope_id = scope.id
        where scope.id = :scope
        """
    ).bindparams(bindparam("scope", type_=Uuid), bindparam("guest", type_=Uuid), bindparam("today", type_=Date)),
    row=_Where,
)
_WAIT = CompiledStatement(
    text(
        """
        update messages set due_at = :until, waits_for = null, parked_at = null, held_account_id = null, pace_id = null
        where id = :message
        """
    ).bindparams(bindparam("message", type_=Uuid), bindparam("until", type_=DateTime(timezone=True)))
)


def spans(row: MessageRow) -> tuple[Span, ...]:
    """Those of its property's quiet hours that a message is to keep on the channel that it goes out on now."""
    every = policy_settings.quiet_hours(row.scope_settings)
    return tuple(span for span in every if span.of(row.category, row.channel))


async def kept(tx: AsyncConnection, row: MessageRow) -> Quiet:
    """The same, by its guest's clock."""
    today: date = row.now.date()
    (where,) = await _WHERE(tx, scope=row.scope_id, guest=row.guest_id or UUID(int=0), today=today)
    by_phone = row.recipient is not None and kind_of(row.channel, row.recipient) is AddressKind.PHONE
    phones = [row.recipient if by_phone else None, where.phone]
    own = where.guest_zone
    return Quiet(spans(row), zone_of(where.property_zone, in_house=where.in_house, own=own, phones=phones, now=row.now))


async def wait(tx: AsyncConnection, row: MessageRow, quiet: Quiet, until: datetime) -> Answer:
    """Let the locked message `row` wait until they are over, and say so on its timeline."""
    facts: dict[str, object] = {"for": Reason.QUIET_HOURS.value, **facts_of(quiet, row.now, until)}
    await events.write(tx, row.scope_id, "message", row.id, [NewEvent("message.waiting", facts=facts)])
    await _WAIT(tx, message=row.id, until=until)
    after = (until - row.now).total_seconds()
    return Answer(row.stage.value, Next.AGAIN, after, listed=Reason.QUIET_HOURS.value)
