"""What a property's settings say of when its messages may go out: read and checked. Pure.

A property's settings hold keys of its own too, so that something else may be stored under these names: whoever sends
leaves that aside, whoever sets it is told what was expected (`check`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from itertools import product
from typing import Any

from bellhop.domain import broadcasts
from bellhop.domain.categories import LONGEST, Category
from bellhop.domain.channels import Channel
from bellhop.domain.quiet_hours import Span

VALIDITY = "validity"
QUIET_HOURS = "quiet_hours"
FREQUENCY_CAPS = "frequency_caps"
INBOX_COPIES = "inbox_copies"
NAMES = (QUIET_HOURS, FREQUENCY_CAPS, VALIDITY, INBOX_COPIES)

MOST = 20
"""Quiet hours and caps of a property."""
MOST_MESSAGES = 1_000
"""Of a cap."""
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=365)
_RULED = tuple(category for category in Category if category is not Category.TWO_FACTOR)
"""A code that comes in the morning, or not at all, lets nobody in."""
_WORDS = ", ".join(_RULED)
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_DURATION = re.compile(r"P(?:(\d{1,3})W|(?:(\d{1,3})D)?(?:T(?=\d)(?:(\d{1,4})H)?(?:(\d{1,6})M)?)?)")
_MINUTES = 1440


class BadSetting(ValueError):
    """A setting is not as it has to be; the message says what was expected, `name` of which."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True, slots=True)
class Cap:
    """How many messages of a category a guest may get."""

    category: Category
    most: int
    per: timedelta
    """Within any span of this length."""


def check(settings: Mapping[str, Any]) -> None:
    """Raises BadSetting of the first that is not as it has to be."""
    if VALIDITY in settings:
        _check_validity(settings[VALIDITY])
    if not isinstance(settings.get(INBOX_COPIES, False), bool):
        raise BadSetting(INBOX_COPIES, "expected inbox_copies to be true or false")
    if broadcasts.PACE in settings and broadcasts.pace_given(settings[broadcasts.PACE]) is None:
        most = f"{broadcasts.FASTEST:g}"
        raise BadSetting(broadcasts.PACE, f"expected {broadcasts.PACE} to be messages a second, more than 0 to {most}")
    spans = [_span(place, one) for place, one in enumerate(_list(settings, QUIET_HOURS))]
    _check_some_time(spans)
    for place, one in enumerate(_list(settings, FREQUENCY_CAPS)):
        _cap(place, one)


def inbox_copies(settings: Mapping[str, Any]) -> bool:
    """Whether what the property writes for a platform to poll goes out on the guest's own channel as well."""
    return settings.get(INBOX_COPIES) is True


def quiet_hours(settings: Mapping[str, Any]) -> tuple[Span, ...]:
    """The property's quiet hours."""
    if QUIET_HOURS not in settings:
        return ()
    try:
        return tuple(_span(place, one) for place, one in enumerate(_list(settings, QUIET_HOURS)))
    except BadSetting:
        return ()


def caps(settings: Mapping[str, Any], category: Category) -> tuple[Cap, ...]:
    """Those of the property's caps that count messages of a category."""
    if FREQUENCY_CAPS not in settings:
        return ()
    try:
        every = [_cap(place, one) for place, one in enumerate(_list(settings, FREQUENCY_CAPS))]
    except BadSetting:
        return ()
    return tuple(cap for cap in every if cap.category is category)


def _check_validity(given: Any) -> None:
    known = {category.value for category in Category}
    if not isinstance(given, dict) or any(name not in known or not _whole(given[name], LONGEST) for name in given):
        raise BadSetting(
            VALIDITY,
            f'expected validity to be whole seconds by category, 1 to {LONGEST}, e.g. {{"two_factor": 300}}: the '
            f"categories are {', '.join(Category)}",
        )


def _whole(given: Any, most: int) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and 1 <= given <= most


def _list(settings: Mapping[str, Any], name: str) -> list[Any]:
    given = settings.get(name, [])
    if not isinstance(given, list) or len(given) > MOST:
        raise BadSetting(name, f"expected {name} to be a list of at most {MOST}")
    return given


def _span(place: int, given: Any) -> Span:
    def bad(expected: str) -> BadSetting:
        return BadSetting(QUIET_HOURS, f"expected {expected} in quiet_hours.{place}")

    if not isinstance(given, dict) or {"categories", "from", "to"} - {*given}:
        raise bad('"categories", "from" and "to"')
    if more := {*given} - {"categories", "from", "to", "channels"}:
        raise bad(f'nothing but "categories", "from", "to" and "channels", not "{min(more)}",')
    categories, channels = given["categories"], given.get("channels")
    if not _some_of(categories, _RULED):
        raise bad(f'"categories" to be some of {_WORDS} (a two_factor code never waits)')
    if channels is not None and not _some_of(channels, Channel):
        raise bad(f'"channels" to be some of {", ".join(Channel)}')
    for name in ("from", "to"):
        if not isinstance(given[name], str) or not _CLOCK.fullmatch(given[name]):
            raise bad(f'"{name}" to be a time of the day such as 21:30')
    if given["from"] == given["to"]:
        raise bad('"from" and "to" to differ')
    return Span(
        categories=frozenset(Category(one) for one in categories),
        channels=None if channels is None else frozenset(Channel(one) for one in channels),
        begins=time.fromisoformat(given["from"]),
        ends=time.fromisoformat(given["to"]),
    )


def _some_of(given: Any, words: Any) -> bool:
    known = {word.value for word in words}
    return isinstance(given, list) and bool(given) and all(isinstance(one, str) and one in known for one in given)


def _check_some_time(spans: list[Span]) -> None:
    """Whether of each category and channel some time of the day is left."""
    for category, channel in product(_RULED, Channel):
        quiet: set[int] = set()
        for span in spans:
            if span.of(category, channel):
                begins, ends = (60 * at.hour + at.minute for at in (span.begins, span.ends))
                quiet.update(minute % _MINUTES for minute in range(begins, ends if ends > begins else ends + _MINUTES))
        if len(quiet) == _MINUTES:
            raise BadSetting(
                QUIET_HOURS,
                f"expected quiet_hours to leave some time of the day: {category} has none on {channel}",
            )


def _cap(place: int, given: Any) -> Cap:
    def bad(expected: str) -> BadSetting:
        return BadSetting(FREQUENCY_CAPS, f"expected {expected} in frequency_caps.{place}")

    if not isinstance(given, dict) or {*given} != {"category", "max", "per"}:
        raise bad('"category", "max" and "per", and nothing else,')
    if not _some_of([given["category"]], _RULED):
        raise bad(f'"category" to be one of {_WORDS} (a two_factor code is never capped)')
    if not _whole(given["max"], MOST_MESSAGES):
        raise bad(f'"max" to be a whole number from 1 to {MOST_MESSAGES}')
    return Cap(
        Category(given["category"]), given["max"], _duration(given["per"], bad('"per" to be such as P7D or PT12H'))
    )


def _duration(given: Any, bad: BadSetting) -> timedelta:
    """An ISO 8601 duration in weeks, or in days, hours and minutes. Months and years have no one length."""
    found = _DURATION.fullmatch(given) if isinstance(given, str) else None
    if found is None:
        raise bad
    weeks, days, hours, minutes = (int(one or 0) for one in found.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not _SHORTEST <= length <= _LONGEST:
        raise bad
    return length
