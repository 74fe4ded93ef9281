"""What the pages of the documentation name exists: files, folders, modules and what other pages link to."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
ROOMS = "bellhop|api|workflows|activities|migrations|tests|chaos|bench|docs"
PATH = re.compile(rf"(?<![\w./-])((?:{ROOMS})/[\w./-]*\w/?)(?![\w<*…{{])")
MODULE = re.compile(r"`((?:bellhop|api|workflows|activities|chaos|bench|tests)(?:\.\w+)+)\b")
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


def _module_exists(dotted: str) -> bool:
    """True for a package, a module, or a name that its module spells out."""
    path = ROOT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    module = path.parent / "__init__.py" if path.parent.is_dir() else path.parent.with_suffix(".py")
    return module.is_file() and re.search(rf"\b{path.name}\b", module.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_module_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    missing = {path for path in PATH.findall(text) if not (ROOT / path).exists()}
    missing |= {module for module in MODULE.findall(text) if not _module_exists(module)}
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file_that_is_kept(page: Path) -> None:
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    there = {(ROOT / path).resolve() for path in kept}
    there |= {parent for path in there for parent in path.parents}
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        assert (page.parent / target).resolve() in there, target


def test_the_first_call_of_the_readme_runs_as_it_stands(tmp_path: Path) -> None:
    """A newcomer pastes it beside a running `make run`, and has set nothing."""
    blocks = re.findall(r"^```\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    first = next(block for block in blocks if "curl" in block)
    (tmp_path / ".bellhop").mkdir()
    (tmp_path / ".bellhop" / "dev.json").write_text(
        json.dumps({"api_url": "x", "api_key": "sk_test_1", "pids": {}}, indent=2)
    )
    curl = tmp_path / "curl"
    curl.write_text('#!/bin/sh\nfor each in "$@"; do echo "$each"; done\n')
    curl.chmod(0o755)
    env = {name: value for name, value in os.environ.items() if not name.startswith("BELLHOP_")}
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    done = subprocess.run(["sh", "-euc", first], cwd=tmp_path, env=env, capture_output=True, text=True, check=True)
    assert "Authorization: Bearer sk_test_1\n" in done.stdout
    body = done.stdout[done.stdout.index("{") :]
    assert json.loads(body)["channel"] == "sms"
