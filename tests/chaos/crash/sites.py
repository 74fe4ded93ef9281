"""Where the code opens transactions: found in its source, so that each has a name and none is forgotten.

A step's name is that of the function that opens the transaction; a second one in the same function is `#2`. The same
table names the transactions of a running process (by the line its frame is at) and proves that the list knows them all.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import FrameType

import api
import bellhop

ROOT = Path(__file__).parents[3]
ROOMS = (Path(api.__file__).parent, Path(bellhop.__file__).parent)
# What is never part of a running API or worker: commands, the embedded stack, the providers' stand-in.
ELSEWHERE = frozenset({"dev", "sandbox", "cli", "migrate.py"})
OPENERS = {
    "begin": "engine", "_begin": "self", "transaction": "held",
    "write": "database", "single": "database", "run": "autocommit",
}  # fmt: skip
"""Method → what the name of the thing it is called on ends with."""
WRAPPERS = ("PostgresOutbox._begin", "Database.", "Autocommit.", "HeldConnections.")
"""They open transactions for others: their callers' names count."""


@dataclass(frozen=True, slots=True)
class Site:
    """One call that opens a transaction, and the lines it spans."""

    step: str
    path: str
    first: int
    last: int


def _opens(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
        return False
    on = node.func.value
    named = on.id if isinstance(on, ast.Name) else on.attr if isinstance(on, ast.Attribute) else ""
    return node.func.attr in OPENERS and named.lstrip("_").endswith(OPENERS[node.func.attr])


def _walk(node: ast.AST, names: tuple[str, ...]) -> Iterator[tuple[str, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inside = names
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inside = (*names, child.name)
        if _opens(child):
            assert isinstance(child, ast.Call)
            yield ".".join(names), child
        yield from _walk(child, inside)


@cache
def sites_of(path: str) -> tuple[Site, ...]:
    """The sites of one file, in its order."""
    module, seen, found = Path(path).stem, dict[str, int](), []
    tree = ast.parse(Path(path).read_text())
    classes = {node.name for node in tree.body if isinstance(node, ast.ClassDef)}
    for function, call in _walk(tree, ()):
        if function.startswith(WRAPPERS):
            continue
        seen[function] = seen.get(function, 0) + 1
        name = function if function.split(".")[0] in classes else f"{module}.{function}"
        step = f"tx {name}" + (f"#{seen[function]}" if seen[function] > 1 else "")
        found.append(Site(step, path, call.lineno, call.end_lineno or call.lineno))
    return tuple(found)


def all_sites() -> list[Site]:
    """Every place where an API or a worker opens a transaction."""
    return [
        site
        for room in ROOMS
        for path in sorted(room.rglob("*.py"))
        if not ELSEWHERE & set(path.relative_to(room).parts)
        for site in sites_of(str(path))
    ]


def transaction() -> str:
    """The name of the transaction that is being opened now: the nearest caller that is at a site."""
    frame: FrameType | None = sys._getframe(1)
    nearest = ""
    while frame is not None:
        path, line = frame.f_code.co_filename, frame.f_lineno
        if path.startswith(tuple(f"{room}/" for room in ROOMS)):
            for site in sites_of(path):
                if site.first <= line <= site.last:
                    return site.step
            if not frame.f_code.co_qualname.startswith(WRAPPERS):
                nearest = nearest or f"tx {frame.f_code.co_qualname} (unknown to sites.py)"
        frame = frame.f_back
    return nearest


def within(name: str) -> bool:
    """Whether a function whose qualified name begins like this is being run."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_qualname.startswith(name):
            return True
        frame = frame.f_back
    return False
