"""Quiet hours: spans of the day in which a guest is left alone, by the clock where the guest is. Pure.

A span begins on a day with the first moment at which the clock has reached `begins`, and is over with the last at which
it reaches `ends`, that day or the next. So where clocks are set back the guest is left alone for both of the hours that
have one name; and what the clock leaves out, as it is set forward, is neither quiet nor waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import phonenumbers

from bellhop.domain import time_zones
from bellhop.domain.categories import Category
from bellhop.domain.channels import Channel

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_UNKNOWN = "Etc/Unknown"


class By(StrEnum):
    """What a guest's time zone is known by, the first of these that there is."""

    STAY = "stay"
    """They are in house, so their clock is the property's."""
    GUEST = "guest"
    """Their profile names it."""
    PHONE = "phone"
    """Their number's country or region has one clock."""
    PROPERTY = "property"
    """By nothing of their own: the property's is taken."""


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a guest is taken to be."""

    clock: ZoneInfo
    by: By


@dataclass(frozen=True, slots=True)
class Span:
    """One of a property's quiet hours."""

    categories: frozenset[Category]
    channels: frozenset[Channel] | None
    """None: all of them."""
    begins: time
    ends: time
    """Earlier than `begins`: of the next day."""

    def of(self, category: Category, channel: Channel) -> bool:
        """Whether messages of a category wait for it to end, on a channel."""
        return category in self.categories and (self.channels is None or channel in self.channels)

    def over(self, now: datetime, clock: ZoneInfo) -> datetime | None:
        """When it will be over, where it is on now; None: it is not."""
        today = now.astimezone(clock).date()
        # Where clocks are set back at midnight, tomorrow may have begun once already.
        ends = (
            _last(self._end(day), self.ends, clock)
            for day in (today - _DAY, today, today + _DAY)
            if _first(day, self.begins, clock) <= now
        )
        return max((end for end in ends if end > now), default=None)

    def _end(self, day: date) -> date:
        return day if self.ends > self.begins else day + _DAY


@dataclass(frozen=True, slots=True)
class Quiet:
    """The quiet hours that a message keeps, by its guest's clock."""

    spans: tuple[Span, ...]
    zone: Zone | None
    """None: there are no spans."""

    def now(self, now: datetime) -> Span | None:
        """The one that is on; None: the guest may be written to."""
        return next((span for span in self.spans if self.zone and span.over(now, self.zone.clock)), None)

    def over(self, now: datetime) -> datetime | None:
        """When the guest may be written to, where that is later than now; None: now."""
        if self.zone is None:
            return None
        at = now
        # One may begin before the other is over. Those that leave no time at all keep it waiting, day by day.
        for _ in range(2 * len(self.spans) + 1):
            ends = [end for span in self.spans if (end := span.over(at, self.zone.clock)) is not None]
            if not ends:
                break
            at = max(ends)
        return at if at > now else None


NEVER = Quiet((), None)
"""There are none."""

_BY = {
    By.STAY: "the guest is in house",
    By.GUEST: "as the guest's profile has it",
    By.PHONE: "by the country or region of the guest's number",
    By.PROPERTY: "the property's, since nothing is known of the guest's own",
}


def facts_of(quiet: Quiet, now: datetime, until: datetime) -> dict[str, str]:
    """What is stored of a wait that begins now: hours of the property's and how the zone is known, not which it is."""
    on, zone = quiet.now(now), quiet.zone
    assert on is not None and zone is not None, "it is quiet"
    local = until.astimezone(zone.clock)
    hours = {"from": on.begins, "to": on.ends, "until": local.time()}
    return {name: f"{at:%H:%M}" for name, at in hours.items()} | {"by": zone.by.value}


def sentence(facts: Mapping[str, str]) -> str:
    """That as a receptionist reads it."""
    return (
        f"waits until {facts['until']} in the guest's time zone ({_BY[By(facts['by'])]}), because the property leaves "
        f"guests alone there from {facts['from']} to {facts['to']}"
    )


def _first(day: date, at: time, clock: ZoneInfo) -> datetime:
    """When a clock first reaches a time on a day."""
    return _exact(datetime.combine(day, at, clock).replace(fold=0))


def _last(day: date, at: time, clock: ZoneInfo) -> datetime:
    """When it last does."""
    return _exact(datetime.combine(day, at, clock).replace(fold=1))


def _exact(local: datetime) -> datetime:
    """That moment in UTC; where the clock leaves it out, the one at which it does."""
    moment = local.astimezone(UTC)
    if moment.astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None):
        return moment
    before, after = (local.replace(fold=fold).astimezone(UTC) for fold in (1, 0))
    offset = before.astimezone(local.tzinfo).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        if middle.astimezone(local.tzinfo).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def zone_of(
    property_zone: str, *, in_house: bool, own: str | None, phones: Iterable[str | None], now: datetime
) -> Zone:
    """Where a guest is taken to be. `own`: their profile's zone; `phones`: their numbers, the one that is written to
    first."""
    here = ZoneInfo(property_zone if time_zones.known(property_zone) else "UTC")
    if in_house:
        return Zone(here, By.STAY)
    if own is not None and time_zones.known(own):
        return Zone(ZoneInfo(own), By.GUEST)
    found = next(_of_numbers(phones, now), None)
    return Zone(here, By.PROPERTY) if found is None else Zone(found, By.PHONE)


def _of_numbers(phones: Iterable[str | None], now: datetime) -> Iterator[ZoneInfo]:
    for phone in phones:
        if phone and (found := of_number(phone, now)) is not None:
            yield found


def of_number(phone: str, now: datetime) -> ZoneInfo | None:
    """The clock of a number's country or region; None: it has none, or several that differ now or in a day."""
    from phonenumbers import timezone as numbers  # here: few properties have quiet hours

    try:
        names = numbers.time_zones_for_number(phonenumbers.parse(phone))
    except phonenumbers.NumberParseException:
        return None
    clocks = [ZoneInfo(name) for name in names if name != _UNKNOWN and time_zones.known(name)]
    offsets = {tuple((now + later).astimezone(clock).utcoffset() for later in (timedelta(), _DAY)) for clock in clocks}
    return clocks[0] if len(offsets) == 1 else None
