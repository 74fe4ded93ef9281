"""What the pages of the documentation name exists: files, folders, modules and what other pages link to."""

from __future__ import annotations

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
