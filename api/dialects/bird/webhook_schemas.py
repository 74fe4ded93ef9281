"""Bird's requests about webhook subscriptions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from api.schemas.fields import Strict, wrong
from api.schemas.media import is_url
from bellhop.domain.formats.bird import EVENTS, STATUSES


def _url(value: str) -> str:
    if not is_url(value):
        raise wrong("url", "expected a URL that begins with https:// and names a host")
    return value


def _event(value: str) -> str:
    if value not in EVENTS:
        raise wrong("event", f"expected one of {', '.join(EVENTS)}")
    return value


def _once(value: list[EventFilter] | None) -> list[EventFilter] | None:
    if len({one.key for one in value or ()}) < len(value or ()):
        raise wrong("event_filters", "expected each key once: all filters must match")
    return value


class EventFilter(Strict):
    """What of a message must be so. `channelId`: its channel; `status`: one of the nine words."""

    key: Literal["channelId", "status"]
    value: Annotated[str, Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _known(self) -> EventFilter:
        if self.key == "status" and self.value not in STATUSES:
            raise wrong("status", f"expected one of {', '.join(STATUSES)}")
        return self


Address = Annotated[str, Field(min_length=1, max_length=2_048), AfterValidator(_url)]
SigningKey = Annotated[str, Field(max_length=256)]
EventFilters = Annotated[list[EventFilter], Field(max_length=10), AfterValidator(_once)]


class Subscribe(Strict):
    """`POST …/webhook-subscriptions`."""

    model_config = ConfigDict(alias_generator=to_camel)

    service: Literal["channels"]
    event: Annotated[str, AfterValidator(_event)]
    url: Address
    signing_key: SigningKey | None = None
    event_filters: EventFilters | None = None


class ChangeSubscription(Strict):
    """`PATCH …/webhook-subscriptions/{id}`: what is left out stays."""

    model_config = ConfigDict(alias_generator=to_camel)

    url: Address | None = None
    signing_key: SigningKey | None = None
    event_filters: EventFilters | None = None
    status: Literal["active", "inactive"] | None = None
