"""Files and functions a person can hold in mind: no file above 400 lines, no function above 60 (migrations aside)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACES = ("activities", "api", "bellhop", "bench", "chaos", "migrations", "tests", "workflows")
LINES_OF_A_FILE = 400
LINES_OF_A_FUNCTION = 60


def files() -> Iterator[tuple[str, str]]:
    for path in (*(path for place in PLACES for path in (ROOT / place).rglob("*.py")), ROOT / "worker.py"):
        name = path.relative_to(ROOT).as_posix()
        yield name, path.read_text(encoding="utf-8")


def test_no_file_is_too_long() -> None:
    lengths = {name: len(text.splitlines()) for name, text in files()}
    assert len(lengths) > 300
    assert not {name: length for name, length in lengths.items() if length > LINES_OF_A_FILE}


def test_no_function_is_too_long() -> None:
    long = {
        f"{name} {node.name}": length
        for name, text in files()
        for node in ast.walk(ast.parse(text))
        if not name.startswith("migrations/")
        and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > LINES_OF_A_FUNCTION
    }
    assert not long
