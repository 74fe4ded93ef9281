"""Time zones: the names that the IANA database knows. Pure."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

EXPECTED = "expected an IANA time zone, such as Europe/Lisbon"


@cache
def _names() -> frozenset[str]:
    # Of the package, not of the machine: there `localtime` is whatever that machine has been set to, and a name is to
    # mean the same to every process. `Factory` says that nobody has chosen one yet.
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {"Factory"}


def known(name: str) -> bool:
    """Whether there is a zone of this name, spelled as IANA does."""
    return name in _names()
