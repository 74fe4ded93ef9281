"""What the sandbox needs of one provider: each folder in `providers/` exports a subclass as `SIMULATOR`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic_settings import BaseSettings, SettingsConfigDict

from bellhop.sandbox.magic import MagicTable
from bellhop.sandbox.scenarios import Step, disturbed
from bellhop.sandbox.store import Message, PlannedStep

if TYPE_CHECKING:
    from bellhop.sandbox.state import State


class SettingsGroup(BaseSettings):
    """The settings of one simulator. Its fields begin with the provider's name; times are seconds after acceptance."""

    model_config = SettingsConfigDict(env_prefix="SANDBOX_", extra="forbid", validate_assignment=True)


Group = TypeVar("Group", bound=SettingsGroup)

Payload = Callable[[Step, float], dict[str, Any]]
"""What a callback will say of a step that is due at a moment (seconds since 1970)."""

CallbackKind = Literal["unknown", "forged", "again"]


class InvalidRequest(Exception):
    """What `/_sandbox/accounts` or `/_sandbox/inbound` were asked for cannot be; the argument says why."""


@dataclass(frozen=True, slots=True)
class PostedCallback:
    """One callback as posted: what it said, of which message, and what was answered (or why nothing was)."""

    id: str
    word: str
    answer: str


class Simulator(ABC):
    """One provider in one running sandbox. What the class says is the same for all sandboxes."""

    name: ClassVar[str]
    """As the provider's folder is called."""
    label: ClassVar[str]
    """As people call it."""
    shown_as: ClassVar[Literal["text", "mail"]]
    """How the page shows its messages."""
    channel_label: ClassVar[str]
    """As a guest calls what its messages come in as."""
    settings_group: ClassVar[type[SettingsGroup]]
    account_request: ClassVar[type[BaseModel]]
    """What `POST /_sandbox/accounts` takes beside the provider's name."""
    inbound_request: ClassVar[type[BaseModel] | None] = None
    """What `POST /_sandbox/inbound` takes beside the provider's name; None: nobody can write to its senders."""
    reached_by_default: ClassVar[bool] = False
    """Whether a guest's message comes in here that names neither a provider nor whom it is written to."""
    default_sender: ClassVar[str]
    magic: ClassVar[MagicTable]
    moments: ClassVar[Mapping[str, tuple[str, float]]]
    """When each word comes: the setting that says so, and the part of it."""
    tones: ClassVar[Mapping[str, str]]
    """What a word tells at a glance on the page: good, best, bad or odd; plain, if left out."""
    actions: ClassVar[Sequence[str]] = ()
    """What a guest can do with a message on the page, beside answering it."""
    sent_word: ClassVar[str]
    """With this word the message has left the provider."""
    read_at: ClassVar[str] = ""
    """With this status a message can be read by hand; empty: nobody is told of reading."""
    read_word: ClassVar[str] = ""
    """What it says then."""

    def __init__(self, state: State) -> None:
        self.state = state

    @abstractmethod
    def mount(self, app: FastAPI) -> None:
        """Add the provider's routes, without FastAPI's validation: what is wrong with a call is for the provider's own
        errors to say. Each handler goes through `state.recorded`."""

    @abstractmethod
    def tell(self, step: PlannedStep) -> None:
        """Begin to post the callback of a step that is due, and see to it that it is settled or tried again."""

    @abstractmethod
    async def post_now(
        self, kind: CallbackKind, word: str | None, message: Message, step: PlannedStep
    ) -> PostedCallback:
        """Post a callback made after `step`'s at once, saying `word` (None: as it was)."""

    @abstractmethod
    def put_account(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Add an account or change one; returns it. Raises ValidationError, InvalidRequest."""

    async def receive(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A guest writes: store it, post it to the app, return its answer. Raises ValidationError, InvalidRequest."""
        raise InvalidRequest(f"nobody can write to {self.label}'s senders")

    async def act(self, message: Message, action: str) -> str:
        """A guest does one of `actions` with a message; returns what the app answered. Raises InvalidRequest."""
        raise InvalidRequest(f"nothing can be done with {self.label}'s messages")

    def owns(self, address: str) -> bool:
        """Whether guests' messages to this address come in here."""
        return False

    def channel(self, message: Message) -> str:
        """What a guest calls the channel that this message came on."""
        address = message.sender if message.direction == "inbound" else message.recipient
        return {"whatsapp": "WhatsApp", "rcs": "RCS"}.get(address.partition(":")[0], self.channel_label)

    def media(self, message: Message) -> list[tuple[str, str]]:
        """The files of a message: where each is, and its type; empty where nobody said it."""
        urls = (
            message.detail.get("sent")
            or message.detail.get("media")
            or ([url] if (url := message.detail.get("media_url")) else [])
        )
        types = message.detail.get("media_types") or []
        return [(url, types[at] if at < len(types) else "") for at, url in enumerate(urls)]

    def answers_to(self, message: Message) -> str:
        """Where a guest's answer to this message goes."""
        return message.sender or self.default_sender

    def pressed(self, button: Mapping[str, Any]) -> dict[str, Any]:
        """What `receive` takes beside the text where a guest taps a button (`title`, and whatever the provider keeps
        beside it) of a message."""
        return {}

    def readable(self, message: Message) -> bool:
        """Whether this message can now be read, so that the sender hears of it."""
        at = bool(self.read_at) and message.status == self.read_at
        return at and message.direction == "outbound" and not message.deleted

    def read_step(self, message: Message, moment: float) -> PlannedStep:
        """What happens when the guest reads a message that is `readable`."""
        raise InvalidRequest(f"{self.label} tells nobody of reading")

    def step_now(self, message: Message, moment: float, payload: dict[str, Any], url: str | None) -> PlannedStep:
        """That a message is read, as a step that is due."""
        return PlannedStep(message.seq, self.name, message.account, self.read_word, moment, payload, url=url)

    def unsubscribe_url(self, message: Message) -> str | None:
        """Where a reader who wants no more of these says so with one click; None: nowhere."""
        return None

    def calls_back(self, message: Message) -> bool:
        """Whether there is an address for this message's callbacks."""
        return bool(message.callback_url)

    def changes(self, step: PlannedStep, moment: float) -> dict[str, Any]:
        """The columns of the message that a step sets when it is due."""
        changed: dict[str, Any] = {"status": step.word, "error_code": step.code, "updated_at": moment}
        return changed | ({"sent_at": moment} if step.word == self.sent_word else {})

    def renewed(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The same callback made anew instead of retried: what tells the two apart is different in it."""
        return dict(payload)

    def settings_changed(self, changed: Mapping[str, Any]) -> None:
        """`PUT /_sandbox/settings` has set these."""
        return None

    def planned(
        self, message: Message, usual: Iterable[Step], start: float, payload: Payload, url: str | None = None
    ) -> list[PlannedStep]:
        """What will happen to a message: its recipient's magic steps or the usual ones, as faults have it told."""
        row = self.magic.lookup(message.recipient)
        planned = []
        for step in usual if row is None or row.steps is None else row.steps:
            if self.read_word and step.word == self.read_word and not self.state.reads(message.recipient):
                continue
            due = start + self.after(step)
            planned.append(
                PlannedStep(
                    message=0,
                    provider=self.name,
                    account=message.account,
                    word=step.word,
                    code=step.code,
                    due=due,
                    url=url,
                    payload=payload(step, due),
                )
            )
        return disturbed(planned, self.state.callback_effect(self.name, message.recipient), self.renewed)

    def after(self, step: Step) -> float:
        """Seconds between acceptance and this step."""
        setting, part = self.moments[step.word]
        return float(getattr(self.state.settings, setting)) * part * step.late
