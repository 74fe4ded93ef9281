"""What the activities need from the world, as shapes: the attempt store (Postgres) and the providers. No I/O here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from bellhop.domain.answers import Answer, Withdrawal
from bellhop.domain.channels import AddressKind, Channel, Service
from bellhop.domain.consents import Effect as Effect
from bellhop.domain.content import Content
from bellhop.domain.devices import DeviceVerdict, Target
from bellhop.domain.failures import FailureCode
from bellhop.domain.file_ports import FetchedFile, FetchFiles, NotFetched
from bellhop.domain.groups import Group
from bellhop.domain.inbound_details import InboundDetails
from bellhop.domain.inbound_files import FileAddress
from bellhop.domain.mail_addresses import MailNames
from bellhop.domain.mail_reading import MailFile
from bellhop.domain.provider_lists import CannotList as CannotList
from bellhop.domain.provider_lists import Listed as Listed
from bellhop.domain.provider_lists import ProviderUnreachable as ProviderUnreachable
from bellhop.domain.slots import Carrier
from bellhop.domain.statuses import Stage

# --- a provider's account and what goes out through it -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """One account at a provider. `credentials` are secret: its repr shows none of them."""

    id: UUID
    provider: str
    identity: str
    """The provider's public name for the account: Twilio's AccountSid, the id inside a SendGrid key."""
    base_url: str
    credentials: Mapping[str, str] = field(repr=False)
    previous_credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Still accepted on callbacks while a rotation is under way."""
    environment: str = ""
    """Of the scope that calls it; known where it is called for a message."""

    @property
    def carrier(self) -> Carrier:
        """What its slots are counted by."""
        return Carrier(self.environment, self.provider, self.identity, self.id)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One provider call: one part of one message, once. `deadline` is on CLOCK_BOOTTIME, seconds."""

    attempt_id: UUID
    message_id: UUID
    channel: Channel
    to: str = field(repr=False)
    sender: str
    sender_name: str | None
    content: Content
    callback_url: str
    """Carries our attempt id, so that a receipt settles an attempt whose answer was lost."""
    timeout: float
    deadline: float
    valid_for: float | None = None
    """Seconds from now within which it is of use, if its sender said so: for providers that take such a limit."""
    device: Target | None = None
    """Of a push notification what is known of the device that `to` is the token of."""
    receipt_token: str | None = field(default=None, repr=False)
    """With which the guest's app may report what became of it."""
    unsubscribe_url: str | None = field(default=None, repr=False)
    """Of marketing: where the guest's mail program posts that they want no more of it (RFC 8058)."""
    group: Group | None = None
    mail_names: MailNames | None = None
    """Of a mail: what answers find it by."""


class SendKind(StrEnum):
    """What is known after a provider call."""

    ACCEPTED = "accepted"
    """The provider said it has the message."""
    RETRY = "retry"
    """Surely not accepted, and the same call may work later (refused connection, 429, documented 5xx)."""
    REFUSED = "refused"
    """Surely not accepted, and the same call will be refused again."""
    ACCOUNT = "account"
    """Surely not accepted because the account is at fault (credentials, suspended, funds): hold its messages."""
    UNKNOWN = "unknown"
    """The request left and no answer says what became of it. Never sent again before it is settled."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """The outcome of one provider call."""

    kind: SendKind
    provider_id: str | None = None
    code: FailureCode | None = None
    provider_code: str | None = None
    text: str | None = field(default=None, repr=False)
    """The provider's own words. May quote the guest's address: kept in Postgres only, never logged or raised."""
    retry_after: float | None = None
    group_id: str | None = None
    device: DeviceVerdict | None = None
    """Of a notification that is refused: what that says of the device, if it says so."""
    device_since: datetime | None = None
    """Since when the device is gone, where the provider says it; None: since before the call."""


@dataclass(frozen=True, slots=True)
class LookupRequest:
    """What a provider is asked about an attempt whose outcome is unknown."""

    attempt_id: UUID
    to: str = field(repr=False)
    sender: str
    text: str = field(repr=False)
    started_at: datetime
    claimed: frozenset[str]
    """Provider ids that other attempts of this account already own."""
    channel: Channel
    media: tuple[str, ...] = field(default=(), repr=False)
    """Addresses of the files that went with it: what it is known by where there is no text."""
    group: Group | None = None
    templated: bool = False
    """Whether it went out as an approved template: the provider's list may have another text."""
    values: tuple[str, ...] = field(default=(), repr=False)
    """What went into that template's variables: its text contains all of them."""


class LookupKind(StrEnum):
    """What a look-up says."""

    FOUND = "found"
    ABSENT = "absent"
    """The provider answered, and has no such message (yet)."""
    UNREACHABLE = "unreachable"
    """The provider could not be asked; ask again."""
    CANNOT_KNOW = "cannot_know"
    """This provider offers no way to ask."""


@dataclass(frozen=True, slots=True)
class LookupResult:
    """The answer of a look-up."""

    kind: LookupKind
    provider_id: str | None = None
    calls: int = 1
    """What it has cost; 0: the provider says that this account may ask nothing."""


# --- what providers tell us ---------------------------------------------------------------------------------------

NO_DETAILS = InboundDetails()


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """An HTTP request from a provider, as bytes: what verify and parse work on."""

    url: str
    """Public URL as the provider called it, query string included."""
    path: str
    """The part after the account: `status`, `inbound`, `events`."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Lower-case names."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Receipt:
    """One thing a provider says about one message. Unknown words have stage None and change nothing."""

    dedupe_key: str
    word: str
    """The provider's own word, e.g. `delivered`, `bounce`."""
    stage: Stage | None
    attempt_id: UUID | None
    """Our id as it came back, when the provider echoes it."""
    provider_id: str | None
    payload: Mapping[str, object] = field(repr=False)
    code: FailureCode | None = None
    provider_code: str | None = None
    occurred_at: datetime | None = None
    effect: Effect | None = None
    """What it says of the address, beside the message."""
    effect_group: str | None = None
    """The provider's group that the effect is about; see `consents.OF_A_GROUP`."""
    address: str | None = field(default=None, repr=False)
    """The address an effect is about, where the payload names it."""
    address_kind: AddressKind | None = None
    """What sort of address that is: given whenever `address` is."""
    service: Service | None = None
    """By what the message went, where the provider chooses and says so."""
    group_id: str | None = None


@dataclass(frozen=True, slots=True)
class Inbound:
    """A guest's message to the property."""

    dedupe_key: str
    channel: Channel
    sender: str = field(repr=False)
    """The guest's address."""
    recipient: str
    """The property's own address."""
    text: str = field(repr=False)
    provider_id: str
    payload: Mapping[str, object] = field(repr=False)
    effect: Effect | None = None
    """OPT_OUT or OPT_IN when the provider itself says so (Twilio's OptOutType); keywords are ours to read."""
    answered: bool = False
    """Whether the provider has answered it, as a keyword of its own: then we do not."""
    occurred_at: datetime | None = None
    """When the guest wrote it, where the provider or whoever kept it says so; None: when it is stored."""
    service: str | None = None
    """What the sender that was written to may be set as beside its address: Twilio's Messaging Service."""
    details: InboundDetails = field(default=NO_DETAILS, repr=False)
    """What came with the text."""
    subject: str | None = field(default=None, repr=False)
    also_to: tuple[str, ...] = field(default=(), repr=False)
    """Further addresses of the property that it went to."""
    references: tuple[str, ...] = ()
    """Ids of the mails that it answers, the nearest first; see `mail_addresses`."""
    automatic: bool = False
    """A program wrote it, not the guest: it says nothing of their will, and nobody answers it."""
    files: tuple[MailFile, ...] = field(default=(), repr=False)
    """Files that came with it, not those that are still with the provider."""


@dataclass(frozen=True, slots=True)
class Reported:
    """What a provider, asked, says of a message; FOUND: the receipt of its callback, under the same dedupe key."""

    kind: LookupKind
    receipt: Receipt | None = None
    calls: int = 1
    """As of a LookupResult."""


class Provider(Protocol):
    """A provider: one file, and stateless but for its connections. Calls are synchronous and run in a thread."""

    name: str
    channels: frozenset[Channel]
    """What it can carry."""
    horizon: timedelta
    """How long after acceptance the provider may still change its word about a message."""

    def send(self, account: Account, outgoing: Outgoing) -> SendResult:
        """Make the call, once, within `outgoing.timeout` and before `outgoing.deadline`. Never raises."""

    def look_up(self, account: Account, lookup: LookupRequest, timeout: float) -> LookupResult:
        """Ask what became of an attempt. Never raises. ABSENT only where it surely does not have the message."""

    def report(self, account: Account, provider_id: str | None, attempt_id: UUID, timeout: float) -> Reported:
        """Ask where a message stands that the provider has: for receipts that never came. Never raises. ABSENT: it
        shows no such message (yet), from which nothing follows."""

    def listing(self, account: Account, since: datetime, until: datetime, timeout: float) -> Iterator[Listed]:
        """The provider's own list of what this account sent in the span [since, until), newest or oldest first, by
        the provider's clock. Raises CannotList or ProviderUnreachable, also in the middle. `timeout` is for each page.
        One whose time the list does not show (`accepted_at` None) may lie outside of the span."""

    def received(self, account: Account, senders: Sequence[str], since: datetime, timeout: float) -> Iterator[Inbound]:
        """The provider's own list of what guests have written to the account's `senders` since then, by the provider's
        clock and under the dedupe keys of its callbacks. In any order, but of two with the same `occurred_at` the later
        one first. Raises CannotList or ProviderUnreachable, also in the middle. `timeout` is for each page."""

    def complete(self, account: Account, inbound: Inbound, timeout: float) -> Inbound:
        """One of `received` with what that list does not show, asked for by itself; as it was where nobody answers.
        Never raises."""

    def file_at(self, account: Account, source: str, provider_id: str | None) -> FileAddress | None:
        """Where a file of a guest's message is, by a callback (`inbound_details.Media`). None: none of its own."""

    def delete_file(self, account: Account, provider_id: str, timeout: float) -> bool:
        """Delete the provider's copy of a guest's file. True: it has none any more. Never raises."""

    def verify(self, account: Account, request: CallbackRequest) -> bool:
        """True when the signature is right for this account (current or previous secret). Constant time."""

    def parse(self, request: CallbackRequest) -> Sequence[Receipt | Inbound]:
        """What a verified request says. Unknown words and fields are kept in `payload`; raises ValueError on a
        body that is not what this provider sends at all."""

    def acknowledgement(self) -> tuple[int, str, str]:
        """(status, content type, body) the provider expects in answer to a callback."""


# --- the attempt store ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """Leave to make one provider call: the attempt row is committed and live."""

    account: Account
    outgoing: Outgoing
    guest_id: UUID | None = None
    """The guest it goes to, if that is known."""


@dataclass(frozen=True, slots=True)
class Busy:
    """It may go out, but too many calls are under way: nothing is written, and no attempt is made."""

    carrier: Carrier
    status: str


TakeSlot = Callable[[Carrier], bool]
"""Asked before an attempt is written: whether a call through that account can be made at once."""


def always(_: Carrier) -> bool:
    """For whoever counts no slots."""
    return True


@dataclass(frozen=True, slots=True)
class Lookup:
    """Leave to ask a provider about an attempt whose outcome is unknown."""

    account: Account
    request: LookupRequest
    asked: int = 0
    """How often it had been asked about before."""


@dataclass(frozen=True, slots=True)
class PolledAttempt:
    """One provider's message to ask about: it was accepted, and no receipt says how it ended."""

    account: Account
    attempt_id: UUID
    provider_id: str | None
    age: float
    """Seconds since the message was sent."""


@dataclass(frozen=True, slots=True)
class StatusPoll:
    """Leave to ask where a message stands that was sent and got no further receipts."""

    message_id: UUID
    polled: tuple[PolledAttempt, ...]


class Attempts(Protocol):
    """The record of attempts: each method is one transaction under the message's row lock."""

    async def claim(self, message_id: UUID, deadline: float, take: TakeSlot) -> Claim | Answer | Busy | FetchFiles:
        """Decide whether the message may go out now and, if so and `take` gives a slot, write the attempt row.
        `deadline`: CLOCK_BOOTTIME seconds, read before the call, at which the lease ends."""

    async def postpone(self, message_id: UUID, seconds: float) -> None:
        """A message that is due and found no slot waits so long for its turn: recovery is not to look for it before."""

    async def record_files(self, wanted: FetchFiles, fetched: Sequence[FetchedFile | NotFetched]) -> Answer | None:
        """Write down which files were fetched, and what is next where one was not; None: it can be claimed."""

    async def record(self, claim: Claim, result: SendResult) -> Answer:
        """Write the outcome of a call by compare-and-set and say what is next."""

    async def withdraw(self, message_id: UUID) -> Withdrawal:
        """Cancel the message if no provider has it, nor could still get it, and say what is next."""

    async def prepare_lookup(self, message_id: UUID) -> Lookup | StatusPoll | Answer:
        """The attempt to ask about, those without receipts, or what else is next."""

    async def record_lookup(self, lookup: Lookup, result: LookupResult) -> Answer:
        """Write what a look-up found and say what is next."""

    async def record_poll(self, poll: StatusPoll, reports: Sequence[Reported]) -> Answer:
        """Write what was reported, one for each attempt and in their order, and say what is next."""
