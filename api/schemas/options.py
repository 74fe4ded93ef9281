"""What a message asks for beside its text, on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from api.schemas.fields import Shown, Strict, wrong
from bellhop.domain import addresses
from bellhop.domain.addresses import BadAddress
from bellhop.domain.channels import CHANNELS, Channel, ChannelRules
from bellhop.domain.options import Options, SendStyle
from bellhop.domain.text import visible

MOST_DATA_BYTES = 2_048
"""Of an app's data, keys and values together: a notification takes 4,096 with its text."""
StyleWord = Literal[
    "celebration", "shooting_star", "fireworks", "lasers", "love", "confetti", "balloons", "spotlight", "echo",
    "invisible", "gentle", "loud", "slam",
]  # fmt: skip
_RESERVED = ("google.", "gcm.", "aps")


def _of(option: str) -> str:
    """The channels that have an option, as a sentence names them."""
    return " or ".join(channel.value for channel, rules in CHANNELS.items() if option in rules.options)


class MessageOptions(Strict):
    """What only some channels can."""

    model_config = {"json_schema_extra": {"examples": [{"reply_to": "front-desk@grandsandsresort.com"}]}}

    send_style: Annotated[
        StyleWord | None,
        Field(description=f"How it appears ({_of('send_style')}); where the phone has no iMessage, it is ignored."),
    ] = None
    reply_to: Annotated[
        str | None, Field(max_length=320, description=f"The address that answers go to ({_of('reply_to')}).")
    ] = None
    title: Annotated[
        str | None,
        Field(min_length=1, max_length=250, description=f"The line above the text ({_of('title')})."),
    ] = None
    data: Annotated[
        dict[str, str] | None,
        Field(
            max_length=20,
            description=f"What your app is given with it ({_of('data')}): texts, 2,048 bytes together. `message_id`, "
            "`from`, `message_type`, `aps` and what begins with `google.` or `gcm.` are reserved.",
        ),
    ] = None

    @field_validator("reply_to")
    @classmethod
    def _reply_to(cls, value: str | None) -> str | None:
        try:
            return None if value is None else addresses.email(value)
        except BadAddress as problem:
            raise wrong("reply_to", str(problem)) from None

    @field_validator("title")
    @classmethod
    def _title(cls, value: str | None) -> str | None:
        if value is not None and any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
            raise wrong("title", "expected one line without control characters")
        if value is not None and not visible(value):
            raise wrong("title", "expected a visible character")
        return value

    @field_validator("data")
    @classmethod
    def _data(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        for name in value or ():
            if not name or name in ("message_id", "from", "message_type", "aps") or name.startswith(_RESERVED):
                raise wrong("data", f"expected other names than `{name[:40]}`, which is reserved")
        if value and sum(len(name.encode()) + len(text.encode()) for name, text in value.items()) > MOST_DATA_BYTES:
            raise wrong("data", f"expected at most {MOST_DATA_BYTES} bytes together")
        return value

    def asked(self) -> Options:
        """The same, as the engine takes it."""
        return Options(
            send_style=SendStyle(self.send_style) if self.send_style else None,
            reply_to=self.reply_to,
            title=self.title,
            data=self.data,
        )


def fitting(options: MessageOptions, channel: Channel, rules: ChannelRules) -> MessageOptions:
    """The options, all of which the channel has. Raises PydanticCustomError with the first that it has not."""
    for name in type(options).model_fields:
        if getattr(options, name) is not None and name not in rules.options:
            raise wrong(
                "option_unexpected", f"expected no `{name}`: {rules.name} has none, but {_of(name)} ({channel.value})"
            )
    return options


class UsedOptions(Shown):
    """What a message asked for; only what there is."""

    send_style: StyleWord | None = None
    reply_to: str | None = None
    title: str | None = None
    data: dict[str, str] | None = None
