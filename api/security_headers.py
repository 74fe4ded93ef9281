"""What every answer tells a browser: it is data, not to be guessed at, framed, kept or told to others."""

from __future__ import annotations

import base64
import hashlib
import re

Header = tuple[bytes, bytes]

NOTHING_RUNS = b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def added(path: str, there: list[Header], *, https: bool) -> list[Header]:
    """The headers an answer lacks. `https`: the API's public address is one of https, and stays one."""
    names = {name.lower() for name, _ in there}
    wanted = [*_ALWAYS, (b"content-security-policy", NOTHING_RUNS)]
    if https:
        wanted.append(_HTTPS_ONLY)
    if path.startswith("/v1/"):
        # Guests' data, and keys.
        wanted.append((b"cache-control", b"no-store"))
    return [header for header in wanted if header[0] not in names]


def of_page(html: str) -> str:
    """The policy of a page of ours: its own files and the very scripts that are written in it, nothing else."""
    inline = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE.findall(html)
    )
    return (
        f"default-src 'none'; script-src 'self' {inline}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
