"""What a provider's folder exports: one `ProviderPackage`, from which all that concerns providers is made.

Light to import: settings, logging and the command line read the list of packages, so an adapter and its SDK are
imported only when `provider` is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel

from bellhop.domain.accounts import Seed
from bellhop.domain.channels import Channel
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import Provider
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.settings_group import SettingsGroup


class ProviderSettings(SettingsGroup):
    """The account of `live` scopes, as the environment names it."""

    needed: ClassVar[tuple[str, ...]] = ()
    """Fields that make an account only together."""

    @classmethod
    def variable(cls, name: str) -> str:
        """The environment variable of a field."""
        return f"{cls.model_config.get('env_prefix', '')}{name}".upper()

    @classmethod
    def needed_variables(cls) -> list[str]:
        """The environment variables that make an account only together."""
        return [cls.variable(name) for name in cls.needed]

    def answers_at(self) -> tuple[str, str] | None:
        """The domain at which answers to mails are taken in, and the provider's server that its MX record has to name;
        None: nowhere."""
        return None

    def missing(self) -> list[str]:
        """What is not set of `needed`, as environment variables."""
        return [self.variable(name) for name in self.needed if not getattr(self, name)]

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Self:
        """The group as these variables alone set it: neither the environment nor `.env` has a part in it. Raises
        ValidationError."""
        given = {name: variables[cls.variable(name)] for name in cls.model_fields if cls.variable(name) in variables}
        made = cls.__new__(cls)
        BaseModel.__init__(made, **given)
        return made


@dataclass(frozen=True, slots=True)
class CallbackPath:
    """One address a provider calls: `/v1/receipts/{provider}/{identity}/{path}`."""

    path: str
    brings: str
    """What arrives there, in words."""
    console: str | None = None
    """Where an operator enters the address at the provider. None: every request of ours names it."""
    options: str = ""
    """What the provider reads in the address's fragment, and neither sends nor signs: how often it repeats a call."""
    fallback: bool = False
    """It brings what the provider could not deliver at the first entered address, once more: see
    BELLHOP_FALLBACK_URL."""
    most_bytes: int = 64 * 1024
    """How large a request may be: several times the largest the provider makes."""
    on_disk: bool = False
    """Whether its requests are too large for many to be held in memory while they come in."""
    only_5xx: bool = False
    """Whether the provider takes any other answer than 2xx and 5xx for the last word, and drops what it brings."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a provider's word says: a stage, why the message failed, an effect on the address."""

    stage: Stage | None
    code: FailureCode | None = None
    effect: Effect | None = None


@dataclass(frozen=True, slots=True)
class WordTable:
    """A provider's words and what they mean, as the page of statuses shows them."""

    word: str
    """What the provider calls such a word, e.g. Event."""
    rows: Mapping[str, Meaning]
    title: str | None = None
    """Heading; None: it belongs to the table above."""
    intro: str | None = None
    """A sentence above the table."""


S = TypeVar("S", bound=ProviderSettings)


@dataclass(frozen=True, slots=True)
class ProviderPackage(Generic[S]):
    """Everything there is to know of a provider outside of its folder."""

    name: str
    """As in rows and addresses, and the adapter's own `name`."""
    title: str
    """As people write it."""
    adapter: Callable[[], Provider]
    settings: type[S]
    seeds: Callable[[S], Sequence[Seed]]
    """The accounts a group of settings names; none where something of `needed` is not set. Raises ValueError, with a
    sentence that names the variable, on what cannot be an account."""
    callback_paths: tuple[CallbackPath, ...] = ()
    tables: tuple[WordTable, ...] = ()
    sdk: str | None = None
    """The full name of the module that imports its SDK; None: there is none, or it is light."""
    chatty_loggers: Mapping[str, int] = field(default_factory=dict)
    """Loggers of its SDK that quote addresses, texts or numbers, and the level from which they may speak. During a
    call they do not speak at all."""
    senders: Mapping[Channel, Callable[[str], str]] = field(default_factory=dict)
    """By channel, where an account may have several senders: an address as it is stored. Raises ValueError, with a
    sentence on what was expected."""
    usual_rate: Callable[[Channel, str], float | None] = lambda _channel, _address: None
    """How many calls a second a new sender takes at the most, where the provider says so for its kind; None: it does
    not, or by another measure."""

    def __post_init__(self) -> None:
        entered = [(path.console, path.fallback) for path in self.callback_paths if path.console]
        if len({*entered}) < len(entered):
            raise ValueError(f"{self.name}: at each place of the provider one address is entered, and one fallback")

    def provider(self) -> Provider:
        """A new adapter, with connections of its own; its SDK keeps silent from now on."""
        from bellhop.providers.lease_http import quiet_during_calls

        quiet_during_calls(self.chatty_loggers)
        return self.adapter()

    @property
    def entered(self) -> CallbackPath | None:
        """The callback path whose address an operator enters at the provider: the first, where there are several."""
        return next((path for path in self.callback_paths if path.console and not path.fallback), None)

    @property
    def entered_beside(self) -> list[CallbackPath]:
        """Further ones, each at a place of its own."""
        return [path for path in self.callback_paths if path.console and not path.fallback and path != self.entered]

    @property
    def entered_fallback(self) -> CallbackPath | None:
        """The one entered beside it, for what did not arrive there."""
        return next((path for path in self.callback_paths if path.console and path.fallback), None)
