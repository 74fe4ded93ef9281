"""Calls to the stack's own programs: plain HTTP to this machine."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable

# Never through a proxy the person may have set: these are local addresses.
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def answers(url: str) -> Callable[[int], bool]:
    """A readiness check: does the URL answer 2xx?"""

    def check(pid: int) -> bool:
        try:
            with direct.open(url, timeout=2) as answer:
                return bool(200 <= answer.status < 300)
        except OSError:
            return False

    return check
