"""The query of a request, as strictly as its body: no NUL, which PostgreSQL cannot store or compare."""

from __future__ import annotations

from urllib.parse import parse_qsl

from api.problems import Invalid


def nul_in(query: bytes) -> Invalid | None:
    """What to answer to a query with a NUL in it; None: it has none."""
    if b"%00" not in query and b"\0" not in query:
        return None
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    name = next((name for name, value in pairs if "\0" in name + value), "")
    return Invalid(["query", name.replace("\0", "\ufffd")], "expected text without NUL characters", "string_nul")
