"""Cursors: the place where a page ended, as a word that a caller gives back and does not read."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from datetime import UTC, datetime, timedelta
from uuid import UUID

from api.problems import Invalid
from api.schemas.fields import Paging
from bellhop.domain.ids import Prefix
from bellhop.domain.paging import PageRequest, Place

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CHECKED = 4
"""Bytes of a cursor that tell whether it is one, and of which list."""


def page_request(which: Paging, of: Prefix, *, timed: bool = False) -> PageRequest:
    """The page that a query asks for, of a list of such objects; `timed`: in the order of a time. Raises Invalid."""
    if which.cursor is None:
        return PageRequest(which.limit, which.offset)
    if which.offset:
        raise Invalid(["query", "offset"], "expected no offset beside a cursor", "offset_with_cursor")
    place = read(which.cursor, of, timed=timed)
    if place is None:
        raise Invalid(["query", "cursor"], "expected a `next_cursor` from an earlier page of this list", "cursor")
    return PageRequest(which.limit, after=place)


def write(place: Place, of: Prefix) -> str:
    """The cursor of a place in a list of such objects."""
    at = b"" if place.at is None else ((place.at - _EPOCH) // _MICROSECOND).to_bytes(8, signed=True)
    packed = place.id.bytes + at
    return urlsafe_b64encode(packed + _check(packed, of)).rstrip(b"=").decode()


def read(text: str, of: Prefix, *, timed: bool = False) -> Place | None:
    """The place that a cursor of such a list names; None when it is none."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (Error, ValueError):
        return None
    packed, check = raw[:-_CHECKED], raw[-_CHECKED:]
    # Consents are always in the order of a time.
    if len(packed) != (24 if timed or of is Prefix.CONSENT else 16) or check != _check(packed, of):
        return None
    if len(packed) == 16:
        return Place(UUID(bytes=packed))
    try:
        return Place(UUID(bytes=packed[:16]), _EPOCH + int.from_bytes(packed[16:], signed=True) * _MICROSECOND)
    except OverflowError:
        return None


def _check(packed: bytes, of: Prefix) -> bytes:
    return hashlib.blake2s(packed, digest_size=_CHECKED, person=of.value.encode()).digest()
