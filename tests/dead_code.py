"""What nothing in the product uses: `python -m tests.dead_code` (part of `make check`) names it and exits with 1.

What only tests use counts as dead. Attributes declared in the body of a class do not: fields of requests, rows and
settings, members of enums and options of a base class are data that pydantic, SQLAlchemy or a caller reads.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from vulture import Vulture

ROOT = Path(__file__).parents[1]
PRODUCT = ("activities", "api", "bellhop", "bench", "chaos", "workflows", "worker.py")

CALLED_BY_FRAMEWORKS = [
    "@*.get", "@*.post", "@*.put", "@*.patch", "@*.delete", "@*.api_route",  # routes
    "@*.command", "@*.callback",  # commands
    "@field_validator", "@model_validator", "@workflow.signal",
]  # fmt: skip

USED = {
    # Name → who uses it, though no code here does.
    "FailureReason": "shown in the OpenAPI document",
    "drop": "migrations call it",
    "cursor_factory": "psycopg makes cursors by it",
    "CHECKS": "docs and tests: the doctor's whole list",
    "_new_conn": "urllib3 calls it",
    "pool_classes_by_scheme": "urllib3 reads it",
    "_pool": "httpx2 sends through it",
    "connect_unix_socket": "httpcore2's interface",
    "_resolve_host": "aiohttp calls it",
    "traces": "aiohttp passes it",
    "getcode": "python_http_client calls it",
    "_build_client": "python_http_client calls it",
    "_make_request": "python_http_client calls it",
    "opener": "python_http_client passes it",
    "handle_request": "httpx calls it",
    "allow_redirects": "the Twilio SDK passes it",
    "getlist": "the Twilio SDK's validator calls it",
    "sockets": "uvicorn passes it",
    "_receive_goaway_frame": "h2 calls it",
    "_should_upgrade": "uvicorn calls it",
    "on_url": "httptools calls it",
    "on_header": "httptools calls it",
    "expect_100_continue": "uvicorn reads it",
    "disconnected": "uvicorn reads it",
    "env_vars": "pydantic-settings reads it",
    "daemon_threads": "socketserver reads it",
    "row_factory": "sqlite3 reads it",
    "should_exit": "uvicorn reads it",
    "do_POST": "http.server calls it",
    "log_message": "http.server calls it",
}


def declared_in_classes(path: Path) -> set[int]:
    """Lines on which the body of a class declares an attribute."""
    return {
        statement.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
    }


def problems() -> Iterator[str]:
    """A line for each thing that nothing uses, and for each exception that is none any more."""
    vulture = Vulture(ignore_decorators=CALLED_BY_FRAMEWORKS)
    vulture.scavenge([str(ROOT / name) for name in PRODUCT])
    needed = set()
    for item in vulture.get_unused_code():
        path = Path(item.filename)
        if item.typ == "variable" and item.first_lineno in declared_in_classes(path):
            continue
        if item.name in USED:
            needed.add(item.name)
            continue
        yield f"{path.relative_to(ROOT)}:{item.first_lineno}: {item.message}"
    for name in sorted(USED.keys() - needed):
        yield f"tests/dead_code.py: {name} is used, or gone: it needs no exception"


if __name__ == "__main__":
    found = list(problems())
    print("\n".join(found) or "Nothing is unused.")
    sys.exit(bool(found))
