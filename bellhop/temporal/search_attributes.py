"""What operators can search conversations with guests by in Temporal: ids and enums, never a guest's data (I6)."""

from __future__ import annotations

from temporalio.common import SearchAttributeKey

PROPERTY = SearchAttributeKey.for_keyword("BellhopProperty")
GUEST = SearchAttributeKey.for_keyword("BellhopGuest")
CHANNEL = SearchAttributeKey.for_keyword("BellhopChannel")
PROVIDER = SearchAttributeKey.for_keyword("BellhopProvider")
STATUS = SearchAttributeKey.for_keyword("BellhopStatus")

ALL = (PROPERTY, GUEST, CHANNEL, PROVIDER, STATUS)
