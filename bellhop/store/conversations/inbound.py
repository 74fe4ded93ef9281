"""A guest's message to the property: stored, attached to its guest, and its STOP or START written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, LargeBinary, Uuid, any_, bindparam, case, func, insert, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import AddressKind, kind_of
from bellhop.domain.consent_keywords import EFFECT, Keyword, keyword
from bellhop.domain.consents import SaidTo
from bellhop.domain.delivery_ports import Account, Effect, Inbound
from bellhop.domain.events import EventType
from bellhop.domain.inbound_details import MatchedBy
from bellhop.domain.live import Word
from bellhop.domain.mail_addresses import MailToken
from bellhop.domain.statuses import Stage
from bellhop.domain.text import visible
from bellhop.store import notifications
from bellhop.store.compiled import CompiledStatement
from bellhop.store.conversations import answered_mails, changes, inbound_files, inbound_guests, inbound_scopes, joining
from bellhop.store.conversations.answered_mails import Answered
from bellhop.store.conversations.inbound_guests import Sender
from bellhop.store.conversations.inbound_scopes import Sharing
from bellhop.store.conversations.joining import Joined
from bellhop.store.guests import consent_events, consents, profiles, unsubscribing
from bellhop.store.tables import contact_points, messages, receipts, scopes
from bellhop.store.webhooks import events
from bellhop.store.webhooks.events import NewEvent

_RECORD_RECEIPT = CompiledStatement(
    upsert(receipts).on_conflict_do_nothing(index_elements=["account_id", "dedupe_key"]).returning(receipts.c.id),
    ("scope_id", "account_id", "provider", "dedupe_key", "word", "provider_id", "payload", "occurred_at"),
    value=UUID,
)
_OF_MESSAGE = CompiledStatement(
    update(receipts).where(receipts.c.id == bindparam("receipt")).values(message_id=bindparam("message"))
)
_SAID_AT = bindparam("said_at", type_=DateTime(timezone=True))
_WANTS_INTENTS = (
    select(func.coalesce(scopes.c.settings["detect_intents"].astext, "true") != "false")
    .where(scopes.c.id == bindparam("scope", type_=Uuid))
    .scalar_subquery()
)


@dataclass(slots=True)
class _Stored:
    id: UUID
    wake_due_at: datetime | None


_STORE = CompiledStatement(
    insert(messages)
    .values(
        direction="inbound",
        stage=Stage.DELIVERED.value,
        due_at=func.now(),
        # Of nothing and a time, `least` is the time.
        sent_at=case((_SAID_AT.is_not(None), func.least(_SAID_AT, func.now()))),
        # It is yet to be looked at for intents (intents.py), unless the property wants none or there is no text.
        wake_due_at=case((bindparam("readable", type_=Boolean) & _WANTS_INTENTS, func.clock_timestamp())),
    )
    .returning(messages.c.id, messages.c.wake_due_at),
    ("scope_id", "channel", "recipient", "sender", "address_hash", "guest_id", "conversation_id", "stay_id", "subject",
     "content", "details", "provider"),
    row=_Stored,
)  # fmt: skip
_here = (
    contact_points.c.scope_id == bindparam("scope"),
    contact_points.c.kind == bindparam("kind"),
    contact_points.c.address_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary))),
)
_WROTE = CompiledStatement(
    update(contact_points)
    .where(*_here, contact_points.c.guest_id.is_not_distinct_from(bindparam("guest", type_=Uuid)))
    .values(last_inbound_at=func.now())
    .returning(contact_points.c.id),
    value=UUID,
)


@dataclass(frozen=True, slots=True)
class _Address:
    """The address a guest wrote from, in the scope they wrote to."""

    scope_id: UUID
    kind: AddressKind
    text: str = field(repr=False)
    account_id: UUID
    """With whose credentials its files are fetched."""
    hashes: tuple[bytes, ...]
    """Every one under which it may be stored; under the first it is from now on."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A keyword that a guest wrote to a scope. `own`: that scope's sender."""

    scope_id: UUID
    message_id: UUID
    keyword: Keyword
    item: Inbound
    guest_id: UUID | None
    own: str


@dataclass(frozen=True, slots=True)
class Text:
    """A message in which intents are to be looked for, or files of which are to be fetched."""

    message_id: UUID
    scope_id: UUID


@dataclass(slots=True)
class Received:
    """What the commit leaves to do."""

    endpoints: set[UUID] = field(default_factory=set)
    """Those that have events to deliver."""
    texts: list[Text] = field(default_factory=list)
    files: list[Text] = field(default_factory=list)
    """Messages with files that are to be fetched."""
    asked: list[Asked] = field(default_factory=list)
    """The one of a keyword that may be answered."""


class GuestErased(Exception):
    """The guest who wrote is no more, or no more in the stay they wrote about."""


async def receive(
    tx: AsyncConnection, verified: Sequence[Account], item: Inbound, book: AddressBook
) -> Received | None:
    """Store one inbound message once for each scope whose message it is. None when it was here before.

    Where it is nobody's, only the receipt is kept; STOP and START bind every scope that shares the sender all the same.
    """
    if len(verified) > 1 and await inbound_scopes.was_here(tx, verified, item):
        return None
    kind = kind_of(item.channel, item.sender)
    hashes = book.hashes(kind, item.sender)
    answered = await answered_mails.answered(tx, verified, item, book)
    if answered is not None and answered.named.token is MailToken.UNSUBSCRIBE:
        return await _unsubscribed(tx, answered, verified[0].provider, item)
    item = answered_mails.as_answer(item, answered, book)
    owners = [answered.owner] if answered else await inbound_scopes.owners(tx, verified, item, hashes)
    provider = verified[0].provider
    evidence: dict[UUID | None, UUID] = {}
    kept_for: list[tuple[UUID | None, UUID]] = [(one.scope_id, one.account_id) for one in owners]
    for scope_id, account_id in kept_for or [(None, verified[0].id)]:
        receipt = await _record_receipt(tx, scope_id, account_id, provider, item)
        if receipt is None:
            return None
        evidence[scope_id] = receipt
    unowned = evidence.get(None)
    # Guests come before all else in the order of locks, scopes by id.
    addresses = [_Address(one.scope_id, kind, item.sender, one.account_id, tuple(hashes)) for one in owners]
    addresses.sort(key=lambda address: address.scope_id)
    received = Received()
    seen = [(address, await _guest_seen(tx, address, item, received, answered)) for address in addresses]
    for address, sender in seen:
        receipt = evidence[address.scope_id]
        evidence[address.scope_id] = await _message(tx, address, item, provider, sender, receipt, received)
    if (said := _keyword(item)) is None:
        return received
    if (effect := EFFECT.get(said)) is not None:
        # START also where nothing was stopped: a STOP said before may be late.
        some = unowned or next(iter(evidence.values()))
        written_to = await inbound_scopes.written_to(tx, {account.id for account in verified}, item)
        sharing = {one.scope_id for one in owners} | set(written_to)
        proofs = {scope_id: evidence.get(scope_id, some) for scope_id in sorted(sharing)}
        received.endpoints |= await _said(tx, proofs, written_to, kind, hashes, effect, item)
    if seen and not item.answered:
        # Whoever shares the sender: the guest is answered once.
        address, sender = seen[0]
        own = next(one.address for one in owners if one.scope_id == address.scope_id)
        received.asked.append(Asked(address.scope_id, evidence[address.scope_id], said, item, sender.guest_id, own))
    return received


async def assign(
    tx: AsyncConnection,
    receipt_id: UUID,
    scope_id: UUID,
    account: tuple[UUID, str],
    item: Inbound,
    book: AddressBook,
) -> tuple[UUID, Received]:
    """Make a text that was nobody's a message of this scope. `receipt_id`: its receipt, locked; `account`: the scope's
    own row of the account it came to, with its provider. Returns the message."""
    account_id, provider = account
    kind = kind_of(item.channel, item.sender)
    address = _Address(scope_id, kind, item.sender, account_id, tuple(book.hashes(kind, item.sender)))
    received = Received()
    sender = await _guest_seen(tx, address, item, received)
    message_id = await _message(tx, address, item, provider, sender, receipt_id, received)
    await tx.execute(update(receipts).where(receipts.c.id == receipt_id).values(scope_id=scope_id))
    effect = EFFECT.get(said) if (said := _keyword(item)) else None
    if effect is not None:
        # It bound whoever shares the sender; this one may not.
        written_to = await inbound_scopes.written_to(tx, {account_id}, item)
        received.endpoints |= await _said(tx, {scope_id: message_id}, written_to, kind, address.hashes, effect, item)
    return message_id, received


async def receive_from(
    tx: AsyncConnection,
    guest_id: UUID,
    sender: Sharing,
    provider: str,
    item: Inbound,
    book: AddressBook,
    stay_id: UUID | None = None,
) -> tuple[UUID, Received] | None:
    """Store once what a guest wrote who is known by other means than an address. `stay_id`: the stay of theirs that it
    is about; None: that goes by the guest. Returns the message; None when it was here before. Raises GuestErased."""
    receipt = await _record_receipt(tx, sender.scope_id, sender.account_id, provider, item)
    if receipt is None:
        return None
    if not await profiles.seen(tx, guest_id):
        raise GuestErased
    if stay_id is not None and not await joining.named_stay(tx, sender.scope_id, stay_id, guest_id):
        raise GuestErased
    kind = kind_of(item.channel, item.sender)
    address = _Address(sender.scope_id, kind, item.sender, sender.account_id, tuple(book.hashes(kind, item.sender)))
    received = Received()
    message_id = await _message(tx, address, item, provider, Sender(guest_id, None, None, stay_id), receipt, received)
    if (said := _keyword(item)) is not None:
        if (effect := EFFECT.get(said)) is not None:
            proofs, written_to = {sender.scope_id: message_id}, {sender.scope_id: [sender.address]}
            received.endpoints |= await _said(tx, proofs, written_to, kind, address.hashes, effect, item)
        received.asked.append(Asked(sender.scope_id, message_id, said, item, guest_id, sender.address))
    return message_id, received


def _keyword(item: Inbound) -> Keyword | None:
    """What it asks for, by the provider's word or as a whole message: what a program wrote asks for nothing."""
    if item.automatic:
        return None
    by_effect = {effect: said for said, effect in EFFECT.items()}
    return by_effect[item.effect] if item.effect in by_effect else keyword(item.text)


async def _said(
    tx: AsyncConnection,
    proofs: Mapping[UUID, UUID],
    written_to: Mapping[UUID, Sequence[str]],
    kind: AddressKind,
    hashes: Sequence[bytes],
    effect: Effect,
    item: Inbound,
) -> set[UUID]:
    """Write down what a guest said of their address, in each scope that it binds, with its evidence there and to each
    of the scope's senders that it was said to. Returns the endpoints that have events to deliver."""
    before = await consent_events.allowed_now(tx, proofs, kind.value, hashes)
    for scope_id, proof in proofs.items():
        said = scope_id, kind.value, hashes[0], effect, "guest", proof
        senders = [SaidTo(item.channel, sender) for sender in written_to.get(scope_id, ())]
        for said_to in senders or (None,):
            await consents.write(tx, *said, said_to=said_to, occurred_at=item.occurred_at)
    return await consent_events.changed_since(tx, before, kind.value, hashes)


async def _unsubscribed(tx: AsyncConnection, answered: Answered, provider: str, item: Inbound) -> Received | None:
    """A mail to the address with which a guest wants no more marketing: as their click would, whoever sent it and
    whatever it says. None when it was here before."""
    owner, named = answered.owner, answered.named
    # Nothing of what it says is kept: only that it came.
    receipt = await _record_receipt(tx, owner.scope_id, owner.account_id, provider, replace(item, payload={}))
    if receipt is None:
        return None
    await _OF_MESSAGE(tx, receipt=receipt, message=named.message_id)
    who = await unsubscribing.subscriber(tx, named.message_id, named.step)
    return Received(set() if who is None else await unsubscribing.unsubscribe(tx, who, named.message_id))


async def _message(
    tx: AsyncConnection,
    address: _Address,
    item: Inbound,
    provider: str,
    sender: Sender,
    receipt_id: UUID,
    received: Received,
) -> UUID:
    """A text as a message of a scope, with its event and its files; what that leaves to do is added to `received`."""
    joined = await _conversation(tx, address, item, sender)
    stored = await _store(tx, address, item, provider, sender, joined)
    await _OF_MESSAGE(tx, receipt=receipt_id, message=stored.id)
    event = NewEvent(EventType.MESSAGE_RECEIVED.value, "received", {"channel": item.channel.value})
    subscribed = await events.write(tx, address.scope_id, "inbound", stored.id, [event])
    received.endpoints |= subscribed
    if joined.reopened:
        received.endpoints |= await changes.write_event(tx, address.scope_id, joined.id, ["status"])
    media = item.details.media
    if media and await inbound_files.store(tx, address.scope_id, stored.id, address.account_id, media):
        await inbound_files.hold_back(tx, stored.id, subscribed)
        received.files.append(Text(stored.id, address.scope_id))
    await notifications.notify(tx, Word.NEWS, address.scope_id)
    if stored.wake_due_at is not None:
        received.texts.append(Text(stored.id, address.scope_id))
    return stored.id


async def _record_receipt(
    tx: AsyncConnection, scope_id: UUID | None, account_id: UUID, provider: str, item: Inbound
) -> UUID | None:
    """The row key of the callback's receipt; None when it was here before."""
    recorded = await _RECORD_RECEIPT(
        tx,
        scope_id=scope_id,
        account_id=account_id,
        provider=provider,
        dedupe_key=item.dedupe_key,
        word="inbound",
        provider_id=item.provider_id,
        payload=dict(item.payload),
        occurred_at=item.occurred_at,
    )
    return next(iter(recorded), None)


async def _guest_seen(
    tx: AsyncConnection, address: _Address, item: Inbound, received: Received, answered: Answered | None = None
) -> Sender:
    """The guest who wrote, made where nobody knows the address; None: it is undecided, or a program wrote."""
    of = inbound_guests.NOBODY
    if answered is not None and answered.guest_id is not None:
        of = Sender(answered.guest_id, MatchedBy.ANSWERED, answered.conversation_id)
    sender, endpoints = await inbound_guests.seen_or_made(tx, address.scope_id, address.kind, address.hashes, item, of)
    received.endpoints |= endpoints
    return sender


async def _store(
    tx: AsyncConnection,
    address: _Address,
    item: Inbound,
    provider: str,
    sender: Sender,
    joined: Joined,
) -> _Stored:
    stored = await _STORE(
        tx,
        scope=address.scope_id,
        readable=visible(item.text) and not item.automatic,
        scope_id=address.scope_id,
        channel=item.channel.value,
        recipient=item.recipient,
        sender=item.sender,
        address_hash=address.hashes[0],
        guest_id=sender.guest_id,
        conversation_id=joined.id,
        stay_id=joined.stay_id,
        subject=item.subject,
        content=item.text,
        details=item.details.stored(sender.matched_by, address.scope_id),
        provider=provider,
        said_at=item.occurred_at,
    )
    return stored[0]


async def _contacts(tx: AsyncConnection, address: _Address, guest_id: UUID | None) -> list[UUID]:
    """The contact points of an address, which has just written; one is made if there is none. Only older versions made
    more than one, where it has several spellings."""
    scope_id, kind, hashes = address.scope_id, address.kind.value, list(address.hashes)
    found = await _WROTE(tx, scope=scope_id, kind=kind, hashes=hashes, guest=guest_id)
    if not found:
        await consents.remember_contact(tx, scope_id, kind, address.text, hashes[0], [guest_id])
        found = await _WROTE(tx, scope=scope_id, kind=kind, hashes=hashes, guest=guest_id)
    return sorted(found)


async def _conversation(tx: AsyncConnection, address: _Address, item: Inbound, sender: Sender) -> Joined:
    """The conversation that a guest's message joins: that of the message they answered, else that with their stay, else
    with them; with the address while nobody knows whose it is."""
    scope_id, channel, guest_id, opens = address.scope_id, item.channel, sender.guest_id, not item.automatic
    if guest_id is None:
        contacts = await _contacts(tx, address, None)
        return await joining.answered(tx, scope_id, channel, None, None, contacts[0], opens=opens)
    named = sender.conversation_id
    joined = await joining.continued(tx, scope_id, channel, named, opens=opens) if named is not None else None
    if joined is None:
        stay_id = sender.stay_id or await joining.nearest_stay(tx, scope_id, guest_id)
        joined = await joining.answered(tx, scope_id, channel, guest_id, stay_id, opens=opens)
    # After the conversation, as where a message to them is accepted.
    await _contacts(tx, address, guest_id)
    return joined
