"""Which guest wrote a text, where several have the address that it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import AddressKind
from bellhop.domain.inbound_details import MatchedBy
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations.nearest_stays import DAYS_AWAY, TODAY
from bellhop.store.tables import contact_points, message_steps, messages

_GUESTS = CompiledStatement(
    select(contact_points.c.guest_id).where(
        contact_points.c.scope_id == bindparam("scope"),
        contact_points.c.kind == bindparam("kind"),
        contact_points.c.address_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary))),
        contact_points.c.guest_id.is_not(None),
    ),
    value=UUID,
)
_WRITTEN_TO = CompiledStatement(
    select(messages.c.guest_id)
    .where(
        messages.c.scope_id == bindparam("scope"),
        # To that address, or at a step that has it.
        messages.c.id.in_(
            select(messages.c.id)
            .where(messages.c.address_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary))))
            .union_all(
                select(message_steps.c.message_id).where(
                    message_steps.c.address_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary)))
                )
            )
        ),
        messages.c.direction == "outbound",
        messages.c.guest_id == any_(bindparam("guests", type_=ARRAY(Uuid))),
    )
    .order_by(messages.c.id.desc())
    .limit(1),
    value=UUID,
)
# Of each the stay that is nearest to today, where the property is; those whose stay is as near as the nearest.
_STAYING = CompiledStatement(
    text(
        f"""
        with near as (
          select stay_guests.guest_id, min({DAYS_AWAY}) as days
          from stay_guests
          join stays on stays.id = stay_guests.stay_id
          cross join {TODAY}
          where stay_guests.guest_id = any(:guests) and stays.scope_id = :scope
            and stays.status in ('booked', 'in_house', 'departed') and coalesce(arrival, departure) is not null
          group by stay_guests.guest_id)
        select guest_id from near where days = (select min(days) from near)
        """
    ).bindparams(bindparam("guests", type_=ARRAY(Uuid)), bindparam("scope", type_=Uuid)),
    value=UUID,
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Who wrote; None: nobody known, or nobody can say which of them. `matched_by`: what told, of several."""

    guest_id: UUID | None
    matched_by: MatchedBy | None
    conversation_id: UUID | None = None
    """That of the message they answered; None: that goes by who they are."""
    stay_id: UUID | None = None
    """The stay that they wrote about, which is theirs; None: that goes by who they are, too."""


NOBODY = Sender(None, None)


async def sender(tx: AsyncConnection, scope_id: UUID, kind: AddressKind, hashes: Sequence[bytes]) -> Sender:
    """Whom an address belongs to. Families share phones: of several it is the one whose stay is under way or nearest;
    of these the one we last wrote to there."""
    given = list(hashes)
    known = set(await _GUESTS(tx, scope=scope_id, kind=kind.value, hashes=given))
    if not known:
        return NOBODY
    if len(known) == 1:
        return Sender(known.pop(), None)
    staying = await _STAYING(tx, scope=scope_id, guests=list(known))
    if len(staying) == 1:
        return Sender(staying[0], MatchedBy.STAY)
    last = await _WRITTEN_TO(tx, scope=scope_id, hashes=given, guests=staying or list(known))
    return Sender(last[0], MatchedBy.WRITTEN_TO) if last else NOBODY
