"""Which guest wrote a text: where several have the address that it came from, and where nobody has it yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, Uuid, any_, bindparam, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import AddressKind
from bellhop.domain.delivery_ports import Inbound
from bellhop.domain.inbound_details import MatchedBy
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations.nearest_stays import DAYS_AWAY, TODAY
from bellhop.store.guests import consents, profiles, provisional
from bellhop.store.tables import contact_points, guests, message_steps, messages


@dataclass(slots=True)
class _Owner:
    guest_id: UUID
    is_provisional: bool


_GUESTS = CompiledStatement(
    select(contact_points.c.guest_id, guests.c.is_provisional)
    .join_from(contact_points, guests, guests.c.id == contact_points.c.guest_id)
    .where(
        contact_points.c.scope_id == bindparam("scope"),
        contact_points.c.kind == bindparam("kind"),
        contact_points.c.address_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary))),
    ),
    row=_Owner,
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
_UNKNOWN = Sender(None, None)
"""No guest has the address."""


async def sender(tx: AsyncConnection, scope_id: UUID, kind: AddressKind, hashes: Sequence[bytes]) -> Sender:
    """Whom an address belongs to. Families share phones: of several it is the one whose stay is under way or nearest;
    of these the one we last wrote to there. Provisional guests only where nobody else has it."""
    given = list(hashes)
    owners = await _GUESTS(tx, scope=scope_id, kind=kind.value, hashes=given)
    known = {one.guest_id for one in owners if not one.is_provisional} or {one.guest_id for one in owners}
    if not known:
        return _UNKNOWN
    if len(known) == 1:
        return Sender(known.pop(), None)
    staying = await _STAYING(tx, scope=scope_id, guests=list(known))
    if len(staying) == 1:
        return Sender(staying[0], MatchedBy.STAY)
    last = await _WRITTEN_TO(tx, scope=scope_id, hashes=given, guests=staying or list(known))
    return Sender(last[0], MatchedBy.WRITTEN_TO) if last else NOBODY


async def seen_or_made(
    tx: AsyncConnection, scope_id: UUID, kind: AddressKind, hashes: Sequence[bytes], item: Inbound, answered: Sender
) -> tuple[Sender, set[UUID]]:
    """The guest who wrote, whose `last_seen_at` is now: the one of the message that they `answered`, else whose address
    it is, else one who is made. Returns the endpoints that are owed an event beside it."""
    who = answered if answered.guest_id is not None else await sender(tx, scope_id, kind, hashes)
    if who.guest_id is None and who is not _UNKNOWN:
        return NOBODY, set()
    if who.guest_id is not None and await profiles.seen(tx, who.guest_id):
        return who, set()
    # Nobody's, or erased while we looked. What they write is kept and obeyed all the same, above all a STOP.
    if item.automatic or not provisional.can_be_written_to(kind, item.sender):
        return NOBODY, set()
    await provisional.lock(tx, scope_id, hashes[:1])
    # Another text from there may have been first.
    who = await sender(tx, scope_id, kind, hashes)
    if who.guest_id is not None:
        return (who if await profiles.seen(tx, who.guest_id) else NOBODY), set()
    made = None
    if who is _UNKNOWN:
        made = await provisional.make(tx, scope_id, kind, item.sender, item.details.profile_name)
    return (NOBODY, set()) if made is None else (Sender(made[0], None), made[1])


async def owners_or_made(
    tx: AsyncConnection, scope_id: UUID, kind: AddressKind, given: Mapping[str, Sequence[bytes]]
) -> tuple[dict[str, UUID | None], set[UUID]]:
    """The guest to each of these addresses (with their hashes), to whom the property writes; of nobody's one is made,
    unless the property wants no guests whom it does not know itself. None: that, or nobody can say which of several
    guests. Returns the endpoints that are owed an event beside it."""
    found = {address: await sender(tx, scope_id, kind, hashes) for address, hashes in given.items()}
    unknown = [address for address, who in found.items() if who is _UNKNOWN]
    endpoints: set[UUID] = set()
    if unknown:
        await provisional.lock(tx, scope_id, {given[address][0] for address in unknown})
    for address in unknown:
        # Another message to there may have been first.
        found[address] = await sender(tx, scope_id, kind, given[address])
        if found[address] is not _UNKNOWN:
            continue
        if (made := await provisional.make(tx, scope_id, kind, address, None)) is not None:
            await consents.remember_contact(tx, scope_id, kind.value, address, given[address][0], [made[0]])
            found[address] = Sender(made[0], None)
            endpoints |= made[1]
    return {address: who.guest_id for address, who in found.items()}, endpoints
