"""Everything that is kept of a guest, section by section, in pages of bounded size (GDPR, articles 15 and 20).

Each table that has something of a guest is a section. A test walks the tables: whatever column names a guest, a
message or an address, or has a person's data, is in a section, or in `LEFT_OUT` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Integer,
    LargeBinary,
    Select,
    Table,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import groups
from bellhop.domain.addresses import AddressBook
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.guests import erasure, profiles
from bellhop.store.tables import (
    assets,
    attempts,
    broadcast_recipients,
    consents,
    contact_points,
    conversation_notes,
    conversations,
    devices,
    events,
    guest_sessions,
    guests,
    inbound_files,
    inbox,
    intents,
    link_clicks,
    media_links,
    message_steps,
    messages,
    operator_actions,
    receipts,
    short_links,
    stay_guests,
    stays,
)

FIRST: Final = UUID(int=0)
PAGE: Final = 200

_HASH = "a keyed hash: the address itself is in `addresses` and in its messages"
_OURS = "when our own work on it is due: no data of the guest's"
LEFT_OUT: Final[Mapping[str, str]] = {
    "guests.email_key": "the e-mail address once more, as it is compared",
    "guests.search_text": "name and e-mail address once more, as they are searched",
    "contact_points.address_hash": _HASH,
    "consents.address_hash": _HASH,
    "messages.address_hash": _HASH,
    "messages.erased_hash": _HASH,
    "message_steps.address_hash": _HASH,
    "message_steps.erased_hash": _HASH,
    "message_groups.message_id": "the message is in `messages`; of others in the group nothing is told",
    "message_groups.hashes": _HASH,
    "broadcasts.message": "one text for all of its recipients: what the guest got of it is in `messages`",
    "broadcast_recipients.address_hash": _HASH,
    "messages.wake_due_at": _OURS,
    "waiting_questions.message_id": _OURS,
    "messages.pace_id": _OURS,
    "messages.plan": "its further steps are in `steps`",
    "messages.held_account_id": _OURS,
    "devices.token": "a secret of the guest's device: whoever has it may be taken for the property",
    "devices.token_hash": "a hash of that secret",
    "guest_sessions.token_hash": "a hash of a secret",
    "keyword_answers.address_hash": _HASH + "; kept for two days",
    "keyword_answers.message_id": "the message is in `messages`",
    "conversations.assigned_to": "who of the property looks after it: data of theirs",
    "conversation_notes.author": "who of the property wrote it: data of theirs",
    "stay_guests.stay_id": "the stays are in `stays`; of others who stay there nothing is told",
    "stay_guests.guest_id": "as `stay_guests.stay_id`",
    "deliveries.subject_id": "what was told to the property's own systems: ids only, about what is in other sections",
    "pending_deliveries.subject_id": "the same, of what is yet to be told",
    "idempotency.subject_id": "that a request was repeated: ids only, kept for 48 hours",
    "unapplied_receipts.items": "what was acknowledged and is applied within seconds: then it is in `receipts`",
    "history_erasures.workflow_id": "of guests who are erased",
}
"""Columns that are in no section, each with the reason."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data it is. `alone`: kinds and hashes of the addresses that no other guest of the property has; `all_`: of
    every address of theirs."""

    scope: Scope
    guest_id: UUID
    alone: frozenset[tuple[str, bytes]] = field(repr=False)
    all_: frozenset[tuple[str, bytes]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Section:
    """A table with data of guests. `of_message`: the column by which its rows are a message's; None: `mine` says which
    rows are the guest's own."""

    name: str
    table: Table
    of_message: Column[Any] | None = None

    @property
    def columns(self) -> list[Column[Any]]:
        """What is shown of it."""
        table = self.table
        return [one for one in table.c if one.name != "scope_id" and f"{table.name}.{one.name}" not in LEFT_OUT]


SECTIONS: Final = (
    Section("profile", guests),
    Section("addresses", contact_points),
    Section("consents", consents),
    Section("devices", devices),
    Section("app_sessions", guest_sessions),
    Section("stays", stays),
    Section("conversations", conversations),
    Section("broadcasts", broadcast_recipients),
    Section("notes", conversation_notes),
    Section("files", assets),
    Section("history", events),
    Section("messages", messages),
    Section("steps", message_steps, message_steps.c.message_id),
    Section("attempts", attempts, attempts.c.message_id),
    Section("receipts", receipts, receipts.c.message_id),
    Section("timeline", events, events.c.subject_id),
    Section("media", media_links, media_links.c.message_id),
    Section("fetched_files", assets, assets.c.message_id),
    Section("received_files", inbound_files, inbound_files.c.message_id),
    Section("links", short_links, short_links.c.message_id),
    Section("followed_links", link_clicks, link_clicks.c.message_id),
    Section("inbox", inbox, inbox.c.message_id),
    Section("intents", intents, intents.c.message_id),
    Section("operator_actions", operator_actions, operator_actions.c.subject_id),
)
"""In the order of the document."""


def _mine(section: Section, subject: Subject) -> ColumnElement[bool]:
    """Which rows of a section are the guest's own."""
    table, guest_id = section.table, subject.guest_id
    if table is guests:
        return guests.c.id == guest_id
    if table is consents:
        said = tuple_(consents.c.kind, consents.c.address_hash).in_(list(subject.all_)) if subject.all_ else false()
        return and_(consents.c.scope_id == subject.scope.id, said)
    if table is stays:
        theirs = select(stay_guests.c.stay_id).where(stay_guests.c.guest_id == guest_id)
        return stays.c.id.in_(theirs)
    if table is conversations:
        return conversations.c.id.in_(_conversations(guest_id))
    if table is conversation_notes:
        return conversation_notes.c.conversation_id.in_(_conversations(guest_id))
    if table is events:
        return events.c.subject_id == guest_id
    own: ColumnElement[bool] = table.c.guest_id == guest_id
    return own


def _conversations(guest_id: UUID) -> Select[tuple[UUID]]:
    """The guest's own, of their stays, and of their addresses."""
    at = select(stay_guests.c.stay_id).where(stay_guests.c.guest_id == guest_id)
    points = select(contact_points.c.id).where(contact_points.c.guest_id == guest_id)
    theirs = (conversations.c.stay_id.in_(at), conversations.c.contact_point_id.in_(points))
    return select(conversations.c.id).where(or_(conversations.c.guest_id == guest_id, *theirs))


@dataclass(slots=True)
class Linked:
    """A message that is the guest's, and which way it went."""

    id: UUID
    direction: str


# The guest's own messages, and those to or from an address of theirs alone that name nobody: each read off an index.
_LINKED = CompiledStatement(
    text(
        """
        select found.id, found.direction from (
          (select id, direction from messages
          where scope_id = :scope and guest_id = :guest and id > :after and erased_at is null
          order by id limit :most)
          union
          (select by_address.id, by_address.direction from unnest(:hashes) given (hash) cross join lateral (
            select id, direction from messages
            where address_hash = given.hash and scope_id = :scope and guest_id is null and id > :after
              and erased_at is null
            order by id limit :most) by_address)
          union
          (select written.id, written.direction from message_steps step join messages written
            on written.id = step.message_id
          where step.address_hash = any(:hashes) and written.scope_id = :scope and written.guest_id is null
            and written.id > :after and written.erased_at is null
          order by written.id limit :most)
          union
          (select together.id, together.direction from message_groups member join messages together
            on together.id = member.message_id
          where member.hashes && :hashes and member.scope_id = :scope and together.id > :after
            and together.erased_at is null
          order by together.id limit :most)
        ) found order by found.id limit :most
        """
    ).bindparams(
        bindparam("hashes", type_=ARRAY(LargeBinary)),
        bindparam("scope", type_=Uuid),
        bindparam("guest", type_=Uuid),
        bindparam("after", type_=Uuid),
        bindparam("most", type_=Integer),
    ),
    row=Linked,
)


async def subject(tx: AsyncConnection, scope: Scope, guest_id: UUID, book: AddressBook) -> Subject | None:
    """Whose data is asked for; None: the scope has no such guest."""
    guest = await profiles.get(tx, scope, guest_id)
    if guest is None:
        return None
    alone, all_ = await erasure.addresses_of(tx, scope, guest, book)
    return Subject(scope, guest_id, frozenset(alone), frozenset(all_))


async def there(tx: AsyncConnection, subject: Subject) -> bool:
    """Whether the guest is still there: nothing of one who is erased meanwhile is told any more."""
    found = await tx.execute(
        select(guests.c.id).where(guests.c.id == subject.guest_id, guests.c.scope_id == subject.scope.id)
    )
    return found.first() is not None


async def linked(tx: AsyncConnection, subject: Subject, after: UUID) -> list[Linked]:
    """The next page of the guest's messages, the oldest first."""
    hashes = sorted({hashed for _, hashed in subject.alone})
    return await _LINKED(tx, scope=subject.scope.id, guest=subject.guest_id, hashes=hashes, after=after, most=PAGE)


async def rows(
    tx: AsyncConnection, section: Section, subject: Subject, ids: Sequence[UUID], after: UUID
) -> list[dict[str, Any]]:
    """The next page of a section's rows, by key. `ids`: of the messages, where it is of messages."""
    table, key = section.table, section.table.c.id
    of = messages.c.id if table is messages else section.of_message
    mine = _mine(section, subject) if of is None else of == any_(literal(list(ids), ARRAY(Uuid)))
    found = await tx.execute(select(*section.columns).where(mine, key > after).order_by(key).limit(PAGE))
    return [_alone(dict(row)) if table is messages else dict(row) for row in found.mappings()]


def _alone(row: dict[str, Any]) -> dict[str, Any]:
    """A message without who else is in the group that it went to: they are no matter of this guest's."""
    if (group := groups.of_stored(row["details"])) is not None:
        kept = {"id": group.id, "members": len(group.members)}
        row["details"] = {**row["details"], "group": kept}
    return row
