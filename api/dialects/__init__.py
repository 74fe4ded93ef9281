"""Dialects: other vendors' APIs, spoken over the same engine. One folder each, and one line in DIALECTS."""

from __future__ import annotations

from api.dialects.bird import BIRD, ORGANIZATIONS
from api.dialects.booking import BOOKING
from api.dialects.dialect import Dialect
from api.dialects.sendblue import SENDBLUE

DIALECTS: tuple[Dialect, ...] = (SENDBLUE, BOOKING, BIRD, ORGANIZATIONS)
"""Those that the API speaks beside its own."""
