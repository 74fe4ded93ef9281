"""Messages on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from api.schemas import links
from api.schemas.fallback import ChosenChannel, FallbackStep, ShownStep
from api.schemas.fields import (
    AnyChannelWord,
    DueTime,
    GuestId,
    MessageMetadata,
    Paging,
    Shown,
    Strict,
    id_pattern,
    wrong,
)
from api.schemas.fields import ChannelWord as ChannelWord
from api.schemas.media import MediaItem, UsedMedia, carried
from api.schemas.message_example import EXAMPLE as EXAMPLE
from api.schemas.options import MessageOptions, UsedOptions, fitting
from api.schemas.recipients import Recipient, Recipients, group, one
from api.schemas.templates import TemplateUse, UsedTemplate
from bellhop.domain.categories import LONGEST
from bellhop.domain.channels import CHANNELS, Channel, ChannelRules, SubjectRule
from bellhop.domain.choosing import AUTO
from bellhop.domain.content import HTML, MAX_CONTENT
from bellhop.domain.ids import Prefix
from bellhop.domain.media import MOST_MEDIA
from bellhop.domain.steps import MOST
from bellhop.domain.text import visible

StatusWord = Literal["queued", "sent", "delivered", "read", "failed", "cancelled"]
PriorityWord = Literal["urgent", "normal", "bulk"]
CategoryWord = Literal["transactional", "conversational", "marketing", "two_factor"]

_SUBJECT = " or ".join(
    rules.name.partition(" ")[2] for rules in CHANNELS.values() if rules.subject is not SubjectRule.NONE
)


def _rules(info: ValidationInfo) -> ChannelRules | None:
    """Those of the channel asked for; None: it is to be chosen; or it is not one, which the caller will hear."""
    channel = info.data.get("channel")
    return CHANNELS[Channel(channel)] if channel and channel != AUTO else None


class SendRequest(Strict):
    """A message to a guest."""

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "channel": "sms",
                    "recipient": "+13055551234",
                    "content": "Hi Jordan, your ocean view suite is ready. Reply STOP to opt out.",
                    "metadata": {"booking": "GSR-1842"},
                },
                {
                    "channel": "email",
                    "recipient": "jordan@example.com",
                    "subject": "Your arrival",
                    "content": "At what time may we expect you?",
                    "fallback": [{"channel": "sms", "recipient": "+13055551234", "when": "not_read", "after": 86400}],
                },
                {
                    "channel": "imessage",
                    "recipients": ["+13055551234", "+13055555678"],
                    "content": "Your table is set.",
                },
                {"channel": "auto", "recipient": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3", "content": "Your suite is ready."},
            ]
        }
    }

    channel: Annotated[
        AnyChannelWord,
        Field(
            description="How the guest is reached. `auto`: by the first of the property's `channel_order` that suits "
            "the guest (consents, addresses, session, WhatsApp's window) and the message; `recipient` is their id. The "
            "others that suit follow where it cannot arrive, unless `fallback` is there, `[]` for none. `chosen` says "
            "why. Of `options` each channel takes what it has."
        ),
    ]
    recipients: Recipients = None
    recipient: Recipient = None
    template: Annotated[
        TemplateUse | None, Field(description="A template of the property instead of `content`, and its parameters.")
    ] = None
    media: Annotated[
        list[MediaItem] | None,
        Field(
            min_length=1,
            max_length=MOST_MEDIA,
            description="Files that go with it, as far as the channel carries them. Those behind a URL are fetched "
            "before it goes out; it fails with `media_unavailable` where they cannot be.",
        ),
    ] = None
    content: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=MAX_CONTENT,
            validate_default=True,
            description="Text of the message; left out or null only with a `template`, or where `media` can go without "
            "one. E-mail may be HTML.",
        ),
    ] = None
    content_type: Annotated[
        Literal["text/plain", "text/html"] | None,
        Field(
            description="How `content` is written; `text/html` for e-mail only. Left out or null: an e-mail that "
            "contains HTML tags is HTML, everything else plain text."
        ),
    ] = None
    guest_id: Annotated[GuestId | None, Field(description="The guest this message belongs to.")] = None
    stay_id: Annotated[
        str | None,
        Field(
            pattern=id_pattern(Prefix.STAY),
            description="The stay it is about: it belongs to that one's conversation. Left out: the guest's stay that "
            "is under way or nearest.",
        ),
    ] = None
    subject: Annotated[
        str | None,
        Field(min_length=1, max_length=998, validate_default=True, description="E-mail only, and needed there."),
    ] = None
    scheduled_at: Annotated[
        DueTime | None, Field(description="When to send it; a time that is over, or none, means now.")
    ] = None
    valid_until: Annotated[
        DueTime | None,
        Field(
            description="Until when it is of use: it does not go out later, but fails with `expired`, and a provider "
            "that takes such a limit is told. Later than `scheduled_at`. A message is never sent later than three days "
            "after it was due."
        ),
    ] = None
    validity: Annotated[
        int | None,
        Field(
            ge=1,
            le=LONGEST,
            description="Instead of `valid_until`: for how many seconds after it is due it is of use. It moves with "
            "`scheduled_at`. With neither: the property's `validity` for the category, else 600 of `two_factor`.",
        ),
    ] = None
    ignore_quiet_hours: Annotated[bool, Field(description="Whether quiet hours do not keep it.")] = False
    ignore_frequency_cap: Annotated[bool, Field(description="Whether frequency caps do not keep it.")] = False
    short_links: links.Asked = None
    link_tracking: links.Tracked = None
    options: Annotated[
        MessageOptions | None, Field(description="What only some channels can: any other channel refuses it.")
    ] = None
    from_: Annotated[
        str | None,
        Field(
            alias="from",
            min_length=1,
            max_length=320,
            description="Which of the property's senders it goes out from, by its address (`GET /v1/senders`). Left "
            "out: what the guest was last written to from, or last wrote to; else the one that its channel uses.",
        ),
    ] = None
    fallback: Annotated[
        list[FallbackStep] | None,
        Field(
            max_length=MOST,
            description="What follows where this cannot arrive: other channels, each tried when the one before has "
            "surely failed, and never while nobody knows. The message fails when the last one has.",
        ),
    ] = None
    metadata: Annotated[
        MessageMetadata | None,
        Field(description="Your own keys and values, at most 50 keys and 16 KiB. The key `error` is reserved."),
    ] = None
    priority: Annotated[
        PriorityWord,
        Field(
            description="Which goes first where many are due at once: `urgent` (somebody waits for it, the code of a "
            "room), `normal`, or `bulk` (a newsletter). Among messages of one priority properties take turns."
        ),
    ] = "normal"
    category: Annotated[
        CategoryWord,
        Field(
            description="What it is for. `marketing` does not go to a guest who has opted out of marketing; everything "
            "else does. `two_factor`, a code, is of use for ten minutes only. Which categories wait for quiet hours to "
            "end, and how many of each a guest may get, the property's settings say."
        ),
    ] = "transactional"

    @field_validator("validity")
    @classmethod
    def _one_limit(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is not None and info.data.get("valid_until") is not None:
            raise wrong("validity", "expected `valid_until` or `validity`, not both")
        return value

    @field_validator("recipients")
    @classmethod
    def _recipients(cls, value: list[str] | None, info: ValidationInfo) -> list[str] | None:
        return group(value, info.data.get("channel"))

    @field_validator("recipient")
    @classmethod
    def _recipient(cls, value: str | None, info: ValidationInfo) -> str | None:
        # Of a list that is wrong in itself the caller hears already.
        return one(value, info.data.get("recipients", ...) is not None, info.data.get("channel"), _rules(info))

    @field_validator("fallback")
    @classmethod
    def _fallback(cls, value: list[FallbackStep] | None, info: ValidationInfo) -> list[FallbackStep] | None:
        if value and info.data.get("recipients"):
            raise wrong("fallback", "expected none beside `recipients`: nothing follows a message to a group")
        return value

    @field_validator("subject")
    @classmethod
    def _subject(cls, value: str | None, info: ValidationInfo) -> str | None:
        rules = _rules(info)
        if rules is None:
            return value
        # That of a template is known once it has been found.
        missing = not visible(value) if value is not None else info.data.get("template") is None
        if rules.subject is SubjectRule.REQUIRED and missing:
            raise wrong("subject_required", f"expected a subject: {rules.name} needs one")
        if value is None:
            return value
        if rules.subject is SubjectRule.NONE:
            raise wrong("subject_unexpected", f"expected no subject: only {_SUBJECT} has one")
        if any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            raise wrong("subject", "expected one line without control characters")
        return value

    @field_validator("media")
    @classmethod
    def _media(cls, value: list[MediaItem] | None, info: ValidationInfo) -> list[MediaItem] | None:
        rules = _rules(info)
        return value if value is None or rules is None else carried(value, rules)

    @field_validator("content")
    @classmethod
    def _content(cls, value: str | None, info: ValidationInfo) -> str | None:
        # Absent where it is wrong in itself, which the caller hears of then.
        template, rules = info.data.get("template", ...), _rules(info)
        if value is None and info.data.get("media", ...) and rules and rules.media and rules.media.alone:
            return value
        if template is None and (value is None or not visible(value)):
            raise wrong("content", "expected some text")
        if template not in (None, ...) and value is not None:
            raise wrong("content", "expected `content` or a `template`, not both")
        return value

    @field_validator("options")
    @classmethod
    def _options(cls, value: MessageOptions | None, info: ValidationInfo) -> MessageOptions | None:
        rules = _rules(info)
        return value if value is None or rules is None else fitting(value, Channel(info.data["channel"]), rules)

    @field_validator("content_type")
    @classmethod
    def _content_type(cls, value: str | None, info: ValidationInfo) -> str | None:
        rules = _rules(info)
        if value is not None and info.data.get("template") is not None:
            raise wrong("content_type", "expected none beside a template, which says it itself")
        if rules is not None and value == HTML and not rules.html:
            raise wrong("content_type", f"expected text/plain: {rules.name} shows no HTML")
        return value


class RescheduleRequest(Strict):
    """Another time for a message that still waits."""

    model_config = {
        "json_schema_extra": {"examples": [{"scheduled_at": "2026-03-19T09:00:00Z"}, {"scheduled_at": None}]}
    }

    scheduled_at: Annotated[
        DueTime | None, Field(description="When to send it, before its `valid_until` if it has one; null: now.")
    ]


class ListMessages(Paging):
    """Which messages."""

    guest_id: Annotated[GuestId | None, Field(description="Only this guest's.")] = None
    channel: Annotated[ChannelWord | None, Field(description="Only this channel's.")] = None
    status: Annotated[StatusWord | None, Field(description="Only those that stand so.")] = None


class FailureReason(Shown):
    """Why a message failed."""

    code: Annotated[str, Field(description="A word that programs can rely on, e.g. opted_out.")]
    message: Annotated[str, Field(description="A sentence for the front desk.")]
    provider_code: str | None
    retryable: Annotated[bool, Field(description="Whether the same message may work later.")]


class OutboundMessage(Shown):
    """A message to a guest and where it stands."""

    model_config = {"json_schema_extra": {"examples": [EXAMPLE]}}

    id: Annotated[str, Field(pattern=id_pattern(Prefix.MESSAGE))]
    property_id: str
    guest_id: str | None
    channel: ChannelWord
    status: StatusWord
    recipient: Annotated[str | None, Field(description="null: it went to `recipients`.")]
    subject: str | None
    content: str
    scheduled_at: datetime | None
    sent_at: datetime | None
    created_at: datetime
    metadata: Annotated[
        dict[str, Any],
        Field(
            description="As given; of a failed message `error` says why: code, message, provider_code, retryable; "
            "of one to a group that did not go out for opt-outs `recipients_refused` as well, how many."
        ),
    ]
    priority: PriorityWord
    category: CategoryWord
    valid_until: Annotated[datetime | None, Field(description="Until when it is of use; null: the usual time.")]
    validity: Annotated[int | None, Field(description="Seconds from when it is due, if `valid_until` is so far off.")]
    ignore_quiet_hours: bool
    ignore_frequency_cap: bool
    segments: Annotated[int | None, Field(description="Of an SMS: what it is billed as.")]
    encoding: Annotated[Literal["GSM-7", "UCS-2"] | None, Field(description="Of an SMS: in which alphabet.")]
    template: Annotated[UsedTemplate | None, Field(description="Which template `content` is of.")]
    options: UsedOptions | None
    short_links: links.UsedShortLinks | None
    link_tracking: Annotated[bool, Field(description="Whether tracking parameters were appended to its links.")]
    media: Annotated[list[UsedMedia], Field(description="The files that go with it.")]
    resend_of: Annotated[str | None, Field(description="The failed message that this one sends again.")]
    from_: Annotated[str | None, Field(alias="from", description="The sender that was asked for.")]
    fallback: list[ShownStep]
    service: Annotated[
        Literal["imessage", "rcs", "sms"] | None,
        Field(description="By what it really went, where the provider chooses and has said so."),
    ]
    was_downgraded: Annotated[
        bool | None, Field(description="Of an iMessage: whether it went as RCS or SMS instead; null: not known yet.")
    ]
    chosen: Annotated[ChosenChannel | None, Field(description="Why it goes by this channel, where that was `auto`.")]
    conversation_id: Annotated[str | None, Field(description="The conversation with its guest; null: it names none.")]
    stay_id: Annotated[str | None, Field(description="The stay that it is about.")]
    recipients: Annotated[list[str] | None, Field(description="The numbers of the group that it goes to.")]
    group_id: Annotated[str | None, Field(description="What the provider calls that group, once it has said so.")]


class Warned(Shown):
    """What its sender may want to know of a message that is accepted as it is."""

    code: Annotated[str, Field(description="A word that programs can rely on, e.g. long_text.")]
    message: str


class AcceptedMessage(OutboundMessage):
    """A message that was just accepted."""

    model_config = {
        "json_schema_extra": {
            "examples": [EXAMPLE | {"warnings": [{"code": "long_text", "message": "The text has 180 characters …"}]}]
        }
    }

    warnings: Annotated[list[Warned], Field(description="Only where there are any.")] = []
