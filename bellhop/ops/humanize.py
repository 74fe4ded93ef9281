"""Numbers as people say them, for sentences: `{count:message}`, `{seconds}`."""

from __future__ import annotations

_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"))


class Count(int):
    """`{:message}` → `1 message`, `3 messages`; `{:delivery|deliveries}` where an s is not enough."""

    def __format__(self, noun: str) -> str:
        if not noun:
            return f"{int(self):,}"
        one, _, more = noun.partition("|")
        return f"{int(self):,} {one if self == 1 else more or one + 's'}"


class Lasting(float):
    """Seconds as a length of time: `0.04 s`, `12 s`, `3 minutes`, `2 days`."""

    def __format__(self, _: str) -> str:
        for length, word in _UNITS:
            if self >= 2 * length or (length == 60 and self >= 90):
                return f"{Count(round(self / length)):{word}}"
        if self < 0.01:
            return "less than 0.01 s"
        return f"{float(self):.0f} s" if self >= 10 else f"{float(self):.2g} s"
