"""The channels, and what is so on each of them: one row per channel, and nobody branches on a channel elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bellhop.domain.media import MB, MediaRules


class Channel(StrEnum):
    """How a message reaches the guest."""

    SMS = "sms"
    EMAIL = "email"
    IN_APP = "in_app"
    WHATSAPP = "whatsapp"
    PUSH = "push"
    IMESSAGE = "imessage"
    """Ours: iMessage, with RCS or SMS where the phone has none."""
    INBOX = "inbox"
    """It lies in the conversation until the other side's platform polls it."""


class Service(StrEnum):
    """By what a message really went, where a provider chooses between several: the best one first."""

    IMESSAGE = "imessage"
    RCS = "rcs"
    SMS = "sms"

    @staticmethod
    def of(said: Iterable[Service | None]) -> Service | None:
        """Of all that was said of one message the plainest, in whatever order it came: nobody goes back to a better
        one. None: nothing was said."""
        order = tuple(Service)
        return max((one for one in said if one is not None), key=order.index, default=None)


class AddressKind(StrEnum):
    """What sort of address a contact point or a consent is about. `addresses.normalised` checks each."""

    PHONE = "phone"
    EMAIL = "email"
    GUEST = "guest"
    WHATSAPP_USER = "whatsapp_user_id"
    """What WhatsApp calls a guest who shows no number: see `kind_of`."""
    DEVICE = "device"


class Family(StrEnum):
    """What a guest without a stay has one conversation on each: channels that are one to them."""

    PHONE = "phone"
    EMAIL = "email"
    APP = "app"
    """The property's app: its notifications too."""


class Cost(StrEnum):
    """What a message of a channel costs, roughly: which of several is the dearer one."""

    FREE = "free"
    """Nothing."""
    LOW = "low"
    """A fraction of a cent."""
    METERED = "metered"
    """Each is charged for, by the part where there are some."""


class SubjectRule(StrEnum):
    """Whether a message has a subject."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRules:
    """What is so on one channel."""

    name: str
    """As sentences call one message of it, with its article."""
    address: AddressKind
    """What a recipient is; see also `kind_of`."""
    family: Family
    """Which channels it shares a conversation with, outside of a stay."""
    user_ids: bool = False
    """Whether it has ids of its own for guests who show no address."""
    cost: Cost = Cost.METERED
    subject: SubjectRule = SubjectRule.NONE
    html: bool = False
    """Whether a text with HTML tags is HTML, or plain text that happens to contain them."""
    part: int | None = None
    """UTF-16 code units that one provider call takes: a longer text is split (`content.split`). None: whatever its
    length, it goes out in one."""
    segmented: bool = False
    """Whether a text is billed by segments, which its sender is told."""
    any_part: bool = False
    """Whether a recipient may be a guest with several devices: one part each, and one that arrives is enough. Elsewhere
    a message has arrived once all of its parts have."""
    reports_delivery: bool = True
    """Whether it can become known that a message arrived; without that and without reading, `sent` is final."""
    reports_reading: bool = False
    """Whether it can become known that a guest read a message, so that a delivered one is still followed."""
    app_reports: bool = False
    """Whether the guest's app may say itself that it has shown a message, or that it was opened; see `app_receipts`."""
    service: Service | None = None
    """What it is meant to go by: by another one it was downgraded. None: whatever it goes by, it is what it is."""
    text: Service | None = None
    """Of what a phone shows among its owner's own texts: by what it goes as far as nobody has said. None: it does not
    appear there."""
    delivered_is_final: bool = True
    """Whether `delivered` is the device's or the carrier's word, so that a failure reported beside it counts for
    nothing. False: it only means that a server took the message, which may report a failure afterwards."""
    message_ids: bool = False
    """Whether a message bears an id of ours, which answers name."""
    stops_by_sender: bool = False
    """Whether its carriers keep STOP and START for each sender: where one is closed, no START to another opens it."""
    any_recipient: bool = False
    """Whether an account takes in what is written to any address of a domain, not to senders only."""
    unsubscribes: bool = False
    """Whether its marketing bears a link with which the guest wants no more of it; see `unsubscribe`."""
    options: frozenset[str] = frozenset()
    """Names of the fields of `options.Options` that a message may use."""
    group: int | None = None
    """Guests that one message may go to, who see each other get it; None: to one alone."""
    media: MediaRules | None = None
    """The files it can carry; None: none."""
    in_record: bool = False
    """Bellhop itself carries it: whatever goes out is laid into the guest's inbox by the transaction that decides it.
    Nobody is called, so no outcome is ever unknown, and nobody can be asked."""
    polled: bool = False
    """Whether the guest's side is a platform that asks for what is new and confirms it, instead of an app of theirs."""
    window: float | None = None
    """Seconds after a guest's last message in which a free text may be sent: outside of them, and at first, a template
    that was approved beforehand. None: at any time."""
    valid_for: float | None = None
    """Seconds after it is due that a message expires; None: as the settings say (DELIVERY_VALID_FOR)."""

    def __post_init__(self) -> None:
        if self.part is not None and not self.delivered_is_final:
            # Of two parts the one that is not delivered makes the message fail; see `statuses.of_parts`.
            raise ValueError(f"{self.name}: where messages go out in parts, delivered has to be final")
        if self.any_part and (self.part is not None or not self.delivered_is_final):
            raise ValueError(f"{self.name}: a part is a device, which has the whole text, and delivered is its word")


MOST_ATTACHED: Final = 1_048_576
"""Bytes of a picture in a conversation that is polled (Booking.com's limit)."""

# What people send each other: nothing that a phone or a computer would run.
_ATTACHED = frozenset(
    {"image/*", "audio/*", "video/*", "application/pdf", "text/plain", "text/csv", "text/vcard", "text/calendar"}
)

CHANNELS: Final[Mapping[Channel, ChannelRules]] = {
    Channel.SMS: ChannelRules(
        name="an SMS",
        address=AddressKind.PHONE,
        family=Family.PHONE,
        text=Service.SMS,
        segmented=True,
        stops_by_sender=True,  # of a number, or of a Messaging Service (help.twilio.com/articles/223134027)
        part=1_600,  # the longest body Twilio takes in one request (error 21617 above); an emoji counts as two
        # MMS (twilio.com/docs/messaging/guides/accepted-mime-types); the carrier decides what it makes of the rest.
        media=MediaRules(
            count=10,
            types=frozenset({"image/*", "audio/*", "video/*", "application/pdf", "text/vcard", "text/calendar"}),
            each=5 * MB,
            together=5 * MB,
            alone=True,
        ),
    ),
    Channel.EMAIL: ChannelRules(
        name="an e-mail",
        address=AddressKind.EMAIL,
        family=Family.EMAIL,
        cost=Cost.LOW,
        subject=SubjectRule.REQUIRED,
        html=True,
        reports_reading=True,
        message_ids=True,
        any_recipient=True,
        unsubscribes=True,
        delivered_is_final=False,  # the guest's mail server took it; it may bounce it hours later (RFC 3464)
        options=frozenset({"reply_to"}),
        # Of SendGrid's 30 MB for a request, base64 takes a third and the text some.
        media=MediaRules(count=10, types=_ATTACHED, each=20 * MB, together=20 * MB),
    ),
    Channel.IN_APP: ChannelRules(
        name="an in-app message",
        address=AddressKind.GUEST,
        family=Family.APP,
        cost=Cost.FREE,
        reports_reading=True,
        options=frozenset({"title", "data"}),
        media=MediaRules(count=10, types=_ATTACHED, each=20 * MB, together=20 * MB),
        in_record=True,
    ),
    Channel.WHATSAPP: ChannelRules(
        name="a WhatsApp message",
        address=AddressKind.PHONE,
        family=Family.PHONE,
        user_ids=True,
        part=1_600,  # Twilio's limit for a body, on whatever channel (error 21617)
        window=24 * 3600.0,  # twilio.com/docs/whatsapp/key-concepts
        stops_by_sender=True,  # a guest blocks one business number
        reports_reading=True,
        # twilio.com/docs/whatsapp/guidance-whatsapp-media-messages
        media=MediaRules(
            count=1,
            types=frozenset(
                {"image/jpeg", "image/png", "image/webp", "audio/*", "video/mp4", "video/3gpp", "application/pdf"}
            ),
            each=16 * MB,
            together=16 * MB,
            smaller={"image/*": 5 * MB},
            alone=True,
        ),
    ),
    Channel.PUSH: ChannelRules(
        name="a push notification",
        address=AddressKind.DEVICE,
        family=Family.APP,
        cost=Cost.FREE,
        any_part=True,
        app_reports=True,
        reports_delivery=False,  # Apple and Google say that they took it, and nothing more
        options=frozenset({"title", "data"}),
        media=MediaRules(count=1, types=frozenset({"image/jpeg", "image/png"}), each=MB, together=MB),
    ),
    Channel.IMESSAGE: ChannelRules(
        name="an iMessage",
        address=AddressKind.PHONE,
        family=Family.PHONE,
        options=frozenset({"send_style"}),
        group=25,  # docs.sendblue.com/docs/groups
        stops_by_sender=True,  # of a line
        service=Service.IMESSAGE,
        text=Service.IMESSAGE,
        media=MediaRules(count=1, types=_ATTACHED, each=100 * MB, together=100 * MB, alone=True),
    ),
    Channel.INBOX: ChannelRules(
        name="a message in the conversation",
        address=AddressKind.GUEST,
        family=Family.APP,
        cost=Cost.FREE,
        media=MediaRules(
            count=10, types=frozenset({"image/jpeg", "image/png"}), each=MOST_ATTACHED, together=10 * MOST_ATTACHED
        ),
        in_record=True,
        polled=True,
    ),
}

TEXTS: Final = tuple(channel for service in Service for channel, rules in CHANNELS.items() if rules.text is service)
"""Those of a phone's own texts, the best first."""

_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")
"""A country and what WhatsApp made up, for one business alone (developers.facebook.com, business-scoped user ids)."""


def is_user_id(text: str) -> bool:
    """Whether WhatsApp may call a guest so who shows no number."""
    return _USER_ID.fullmatch(text) is not None


def kind_of(channel: Channel, address: str | None) -> AddressKind:
    """What sort of address this is on a channel, whether it is a good one or not. None: that of one that is erased."""
    rules = CHANNELS[channel]
    if rules.user_ids and address is not None and is_user_id(address):
        return AddressKind.WHATSAPP_USER
    return rules.address
