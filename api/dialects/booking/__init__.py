"""Booking.com's messaging API: a property and its guests' platforms poll what the other side wrote
(developers.booking.com/demand/docs/messaging)."""

from __future__ import annotations

from api.auth import read_key
from api.dialects.booking import attachments as attachments
from api.dialects.booking import messages as messages
from api.dialects.booking.description import DESCRIPTION
from api.dialects.booking.errors import answer
from api.dialects.booking.router import UPLOAD, router
from api.dialects.booking.schemas import LARGEST_BODY
from api.dialects.dialect import Dialect

BOOKING = Dialect("booking", router, read_key, answer, DESCRIPTION, larger={router.prefix + UPLOAD: LARGEST_BODY})
