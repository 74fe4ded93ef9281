"""How often Python looks for reference cycles: rarely, once a process has everything loaded."""

from __future__ import annotations

import gc

OFTEN, SELDOM, RARELY = 20_000, 20, 50
"""New objects between two looks at the young ones (Python's own: 700), and how many of those until the older ones are
looked at. A request or an activity makes a few thousand objects that are gone by themselves at its end."""


def loaded() -> None:
    """What has been imported and built stays for the life of the process: it is not looked at again, and the rest less
    often. In tests that run a whole stack in one process collecting took 8 % of the CPU before; what it takes of a
    message has not been measured alone."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OFTEN, SELDOM, RARELY)
