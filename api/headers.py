"""Request headers as they are meant, whatever server, proxy or client has left around them."""

from __future__ import annotations

from collections.abc import Iterable


def trimmed(raw: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """ASGI's headers, each value beginning and ending where its blanks do (RFC 9110, 5.5)."""
    return [(name, value.strip(b" \t")) for name, value in raw]


def prefers(given: str | None, preference: str) -> bool:
    """Whether a `Prefer` header (RFC 7240) names this preference: in any case, among others, with parameters or not."""
    return any(one.partition(";")[0].strip().lower() == preference for one in (given or "").split(","))
