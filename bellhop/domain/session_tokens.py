"""Tokens with which a guest's app reads the guest's inbox: made and recognised as API keys are. Pure.

`gs_test_<26 characters of the session's id>_<32 random base62><6 of CRC32>`.
"""

from __future__ import annotations

import re
from uuid import UUID

from bellhop.domain import keys
from bellhop.domain.ids import Prefix
from bellhop.domain.keys import Minted

SHORTEST, LONGEST = 60, 3_600
"""Seconds a session lasts unless it is renewed."""

_FORM = re.compile(r"gs_(?:test|live)_[0-9a-z]{26}_[0-9A-Za-z]{38}")


def mint(environment: str, session_id: UUID) -> Minted:
    """A fresh token for `environment` of the session with this row key."""
    return keys.made(f"gs_{environment}", Prefix.SESSION, session_id)


def plausible(raw: str) -> bool:
    """True when the text has the form of a token and its checksum is right. Says nothing about its existence."""
    return _FORM.fullmatch(raw) is not None and keys.checked(raw)
