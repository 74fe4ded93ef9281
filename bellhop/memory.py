"""What the programs do for their memory. They import this first: it makes loading the rest cheaper.

- Python looks for reference cycles rarely, and once a process has everything loaded no more at that.
- structlog brings rich, for tracebacks on terminals, wherever it finds it: 70 modules, for logs that are JSON. It does
  not find it.
"""

from __future__ import annotations

import gc
import sys

OFTEN, SELDOM, RARELY = 20_000, 20, 50
"""New objects between two looks at the young ones (Python's own: 700), and how many of those until the older ones are
looked at. A request or an activity makes a few thousand objects that are gone by themselves at its end."""

gc.set_threshold(OFTEN, SELDOM, RARELY)  # What loading makes stays: looking through it again and again took a tenth.

if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # as Python has it: importing it fails
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]


def loaded() -> None:
    """What has been imported and built stays for the life of the process: it is not looked at again. In tests that run
    a whole stack in one process collecting took 8 % of the CPU before this and the pauses above; what it takes of a
    message has not been measured alone."""
    gc.collect()
    gc.freeze()
