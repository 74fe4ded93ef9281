"""What follows a message that cannot arrive or is not read, on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from api.schemas.fields import ChannelWord, Shown, Strict, wrong
from api.schemas.options import MessageOptions, fitting
from api.schemas.templates import TemplateUse
from bellhop.domain import addresses
from bellhop.domain.addresses import BadAddress
from bellhop.domain.channels import CHANNELS, Channel, ChannelRules, SubjectRule
from bellhop.domain.content import HTML, MAX_CONTENT
from bellhop.domain.steps import When
from bellhop.domain.text import visible

WhenWord = Literal["failed", "not_read"]
LONGEST_AFTER = 7 * 86_400


def _rules(info: ValidationInfo) -> ChannelRules | None:
    channel = info.data.get("channel")
    return CHANNELS[Channel(channel)] if channel else None


class FallbackStep(Strict):
    """Another way for a message."""

    model_config = {"json_schema_extra": {"examples": [{"channel": "email", "subject": "Your suite is ready"}]}}

    channel: Annotated[ChannelWord, Field(description="How the guest is reached then.")]
    recipient: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=4096,
            description="As for the message. Left out: the message's, where the channel has the same kind of address; "
            "else that of the guest named by `guest_id`, of push all of their devices.",
        ),
    ] = None
    template: Annotated[
        TemplateUse | None, Field(description="A template of the property instead of `content`, and its parameters.")
    ] = None
    content: Annotated[
        str | None,
        Field(min_length=1, max_length=MAX_CONTENT, description="Its text; left out: that of the message."),
    ] = None
    content_type: Annotated[
        Literal["text/plain", "text/html"] | None, Field(description="How `content` is written, as for the message.")
    ] = None
    subject: Annotated[
        str | None, Field(min_length=1, max_length=998, description="Left out: the template's, or the message's.")
    ] = None
    options: Annotated[
        MessageOptions | None, Field(description="Left out: those of the message that this channel has.")
    ] = None
    when: Annotated[
        WhenWord,
        Field(
            description="`failed` (the usual): once what was sent before can no longer arrive, because it surely "
            "failed. `not_read`: a reminder, `after` seconds after the one before was sent unless it was read by then, "
            "and at once where it surely failed. On a channel that cannot say that a message was read it is sent all "
            "the same. Both may well arrive."
        ),
    ] = "failed"
    after: Annotated[
        int | None,
        Field(
            ge=10,
            le=LONGEST_AFTER,
            validate_default=True,
            description="Seconds that the one before has to arrive. A provider that takes such a limit is told; what "
            "it has is followed only once it says that it did not deliver it. Left out: until the one before fails by "
            "itself. What lies in a guest's inbox (`in_app`) is taken out then, unless it has been delivered. With "
            "`not_read`, where it is needed: seconds that the guest has to read it.",
        ),
    ] = None

    @field_validator("after")
    @classmethod
    def _after(cls, value: int | None, info: ValidationInfo) -> int | None:
        if value is None and info.data.get("when") == When.NOT_READ:
            raise wrong("after_required", "expected seconds: after how long a reminder follows what is not read")
        return value

    @field_validator("recipient")
    @classmethod
    def _recipient(cls, value: str | None, info: ValidationInfo) -> str | None:
        rules = _rules(info)
        if rules is None or value is None:
            return value
        try:
            return addresses.recipient(Channel(info.data["channel"]), value)
        except BadAddress as problem:
            raise wrong("recipient", str(problem)) from None

    @field_validator("content")
    @classmethod
    def _content(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is not None and not visible(value):
            raise wrong("content", "expected some text")
        if value is not None and info.data.get("template") is not None:
            raise wrong("content", "expected `content` or a `template`, not both")
        return value

    @field_validator("content_type")
    @classmethod
    def _content_type(cls, value: str | None, info: ValidationInfo) -> str | None:
        rules = _rules(info)
        if value is not None and info.data.get("content") is None:
            raise wrong("content_type", "expected none without `content`")
        if rules is not None and value == HTML and not rules.html:
            raise wrong("content_type", f"expected text/plain: {rules.name} shows no HTML")
        return value

    @field_validator("subject")
    @classmethod
    def _subject(cls, value: str | None, info: ValidationInfo) -> str | None:
        rules = _rules(info)
        if value is None or rules is None:
            return value
        if rules.subject is SubjectRule.NONE:
            raise wrong("subject_unexpected", f"expected no subject: {rules.name} has none")
        if not visible(value) or any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            raise wrong("subject", "expected one line of text without control characters")
        return value

    @field_validator("options")
    @classmethod
    def _options(cls, value: MessageOptions | None, info: ValidationInfo) -> MessageOptions | None:
        rules = _rules(info)
        return value if value is None or rules is None else fitting(value, Channel(info.data["channel"]), rules)


class ShownStep(Shown):
    """Another way for a message, as it was asked for."""

    channel: ChannelWord
    when: WhenWord
    after: float | None


class ChosenBecause(Shown):
    """Why a channel was chosen."""

    code: Annotated[
        str, Field(description="`signed_in`, `window_open`, `approved_template`, `reachable`, `best_sender`.")
    ]
    reason: str


class NotChosen(Shown):
    """A channel that was not chosen."""

    channel: ChannelWord
    code: Annotated[str, Field(description="A word that programs can rely on, e.g. no_address, opted_out.")]
    reason: Annotated[str, Field(description="A sentence for the front desk.")]


class ChosenChannel(Shown):
    """Which channel was chosen for a message, and why not another."""

    channel: ChannelWord
    because: ChosenBecause
    not_: Annotated[list[NotChosen], Field(alias="not", max_length=len(CHANNELS))]
