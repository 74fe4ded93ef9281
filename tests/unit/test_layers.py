"""Rules that imports alone do not show: whose clock counts (I9), and where SQL is spoken."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CLOCKS = {
    ("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today"),
    ("time", "time"), ("time", "time_ns"), ("time", "localtime"), ("time", "gmtime"),
}  # fmt: skip
"""The wall clock of whatever machine we happen to run on."""

SPEAKS_SQL = {
    "bellhop/dev/postgres.py": "makes the embedded server's database",
}
"""Outside the store, and why."""
TYPES_AND_ERRORS = {"AsyncConnection", "AsyncEngine", "Connection"}

IDS = {"uuid1", "uuid4", "uuid6", "uuid7"}


def files(*places: str) -> list[Path]:
    found = [path for place in places for path in sorted((ROOT / place).rglob("*.py"))]
    assert found
    return found


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def calls(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """(owner, name, line) of every `owner.name` that is mentioned, called at once or not."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            yield owner, node.attr, node.lineno
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield node.module or "", alias.name, node.lineno


@pytest.mark.parametrize("path", files("workflows", "activities", "bellhop/store"), ids=name)
def test_i9_the_clock_is_the_workflows_or_the_databases(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used = [f"{name(path)}:{line} {owner}.{what}" for owner, what, line in calls(tree) if (owner, what) in CLOCKS]
    assert not used, "`now` comes from the workflow or the database"


@pytest.mark.parametrize("path", files("workflows", "activities", "bellhop/store"), ids=name)
def test_i9_the_database_makes_the_ids(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [f"{name(path)}:{line} {what}" for _, what, line in calls(tree) if what in IDS]


@pytest.mark.parametrize("path", files("workflows"), ids=name)
def test_workflows_import_nothing_that_is_not_deterministic(path: Path) -> None:
    allowed = {"__future__", "asyncio", "collections", "contextlib", "datetime", "temporalio", "typing", "bellhop"}
    tree = ast.parse(path.read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert {module.split(".")[0] for module in modules} <= allowed
    ours = {module for module in modules if module.startswith("bellhop.")}
    assert ours <= {
        "bellhop.domain.answers",
        "bellhop.temporal",
        "bellhop.temporal.contract",
        "bellhop.temporal.search_attributes",
    }


def sql_of(path: Path) -> list[str]:
    """What a file imports to speak SQL with; types of connections and errors are for everybody."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("sqlalchemy", "psycopg"):
            if node.module in ("sqlalchemy.exc", "psycopg.errors"):
                continue
            found += [alias.name for alias in node.names if alias.name not in TYPES_AND_ERRORS]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] in ("sqlalchemy", "psycopg")]
        elif isinstance(node, ast.ImportFrom) and node.module == "bellhop.store.tables":
            found.append("bellhop.store.tables")
    return found


def test_sql_is_spoken_in_the_store_and_in_the_rooms_named_here() -> None:
    elsewhere = {
        name(path): sql
        for path in [*files("workflows", "activities", "api", "bellhop"), ROOT / "worker.py"]
        if "bellhop/store" not in name(path) and (sql := sql_of(path))
    }
    assert set(elsewhere) <= set(SPEAKS_SQL), elsewhere
    assert set(SPEAKS_SQL) <= set(elsewhere), "an exception nobody needs any more"


def test_every_workflow_activity_and_signal_has_an_explicit_name() -> None:
    unnamed: list[str] = []
    for path in files("workflows", "activities"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            for mark in node.decorator_list:
                text = ast.unparse(mark)
                if text.startswith(("workflow.defn", "activity.defn", "workflow.signal", "workflow.update")):
                    unnamed += [] if "name=" in text else [f"{name(path)} {node.name}"]
    assert not unnamed


def test_stores_that_serve_callers_take_their_scope() -> None:
    """I5: a function of the store that a route calls names a Scope, or stands here with its reason."""
    serves = (
        "messages/outbound", "messages/timeline", "guests/profiles", "webhooks/endpoints", "access/idempotency",
        "access/properties", "access/operator_actions", "inbox/entries", "inbox/sessions",
    )  # fmt: skip
    without = {
        ("messages/outbound", "stages"): "ids the route has itself just written",
        ("messages/outbound", "cancel_locked"): "a message that its own workflow has locked",
        ("guests/profiles", "seen"): "the guest of a message or contact point that its caller has found",
        ("guests/profiles", "seen_if_free"): "the same of a message that its caller has locked",
        ("inbox/entries", "lay_in"): "a message that its own workflow has locked",
        ("inbox/entries", "withdraw"): "a message that its own workflow has locked",
        ("inbox/entries", "move_to_the_end"): "messages that the caller has found in the guest's inbox",
        ("inbox/entries", "changes"): "each subject names its scope",
        ("inbox/entries", "forget"): "the guest that is being erased",
        ("inbox/entries", "expired"): "what is kept for a while only",
        ("inbox/sessions", "find"): "a token names its scope",
        ("inbox/sessions", "good"): "sessions this process has open streams of",
        ("inbox/sessions", "over"): "what is kept for a while only",
        ("access/properties", "create"): "makes the scopes",
        ("access/properties", "everything"): "an operator's list",
        ("access/properties", "every_scope"): "an operator's list",
        ("access/properties", "scopes_of"): "an operator names the property",
    }
    found: set[tuple[str, str]] = set()
    for module in serves:
        tree = ast.parse((ROOT / "bellhop" / "store" / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                kinds = " ".join(ast.unparse(arg.annotation) for arg in node.args.args if arg.annotation)
                if not re.search(r"\bScope\b", kinds):
                    found.add((module, node.name))
    assert found == set(without)
