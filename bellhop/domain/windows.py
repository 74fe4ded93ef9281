"""For how long after a stay each side may look at its conversation."""

from __future__ import annotations

from datetime import timedelta

GUEST_READS = timedelta(days=66)
