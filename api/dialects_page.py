"""Writes docs/dialects.md: `python -m api.dialects_page > docs/dialects.md`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from api.dialects import DIALECTS
from api.dialects.dialect import Described, Dialect

HEAD = """\
# Dialects

<!-- Made by `python -m api.dialects_page > docs/dialects.md`. Do not edit: each dialect's folder says what it has. -->

Other vendors' APIs that Bellhop speaks beside its own, over the same engine: what is sent through one of them is a
message like any other, seen in all of them. For each field of a vendor's description: where it is in our model, or what
happens to it, and a test that shows it. [Adding one](adding-a-dialect.md).
"""


def page(dialects: Sequence[Dialect] = DIALECTS) -> str:
    """The whole page."""
    return HEAD + "".join(f"\n{line}" for dialect in dialects for line in _dialect(dialect)) + "\n"


def _dialect(dialect: Dialect) -> Iterator[str]:
    said = dialect.description
    if said is None:
        return
    yield f"## {said.title}"
    yield ""
    yield from said.intro.strip("\n").split("\n")
    for described in said.objects:
        yield from _object(described)


def _object(described: Described) -> Iterator[str]:
    yield ""
    yield f"### {described.name}"
    yield ""
    yield "| Field | Here | Test |"
    yield "|---|---|---|"
    for field in described.fields:
        yield f"| `{field.name}` | {field.place} | `{field.test}` |"


if __name__ == "__main__":
    sys.stdout.write(page())
