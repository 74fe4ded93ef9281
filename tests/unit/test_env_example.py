"""`.env.example` and the settings tree name the same variables with the same defaults, each with a line of words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr, TypeAdapter

from bellhop.ops.env_example import example
from bellhop.providers import PACKAGES
from bellhop.settings import groups

EXAMPLE = Path(__file__).parents[2] / ".env.example"
ASSIGNMENT = re.compile(r"^(# )?([A-Z][A-Z0-9_]*)=(.*)$")


def settings_variables() -> dict[str, Any]:
    """Variable → the field it sets, for every group of the tree."""
    found: dict[str, Any] = {}
    for group in groups().values():
        prefix = group.model_config.get("env_prefix", "")
        for field_name, field in group.model_fields.items():
            assert not (isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)), field_name
            found[f"{prefix}{field_name.upper()}"] = (group, field_name, field)
    return found


def example_lines() -> list[str]:
    return EXAMPLE.read_text(encoding="utf-8").splitlines()


def example_variables() -> dict[str, str]:
    return {match[2]: match[3] for line in example_lines() if (match := ASSIGNMENT.match(line))}


def test_the_file_is_up_to_date() -> None:
    again = "run: python -m bellhop.ops.env_example > .env.example"
    assert EXAMPLE.read_text(encoding="utf-8") == example(), again


def test_every_provider_brings_its_group() -> None:
    there = groups()
    assert all(there[package.name] is package.settings for package in PACKAGES)
    assert all(set(package.settings.needed_variables()) <= set(settings_variables()) for package in PACKAGES)


def test_the_same_variables() -> None:
    assert sorted(example_variables()) == sorted(settings_variables())


def test_no_variable_twice() -> None:
    names = [match[2] for line in example_lines() if (match := ASSIGNMENT.match(line))]
    assert len(names) == len(set(names))


def test_each_has_a_line_of_words_above_it() -> None:
    lines = example_lines()
    for number, line in enumerate(lines):
        if match := ASSIGNMENT.match(line):
            above = lines[number - 1]
            assert above.startswith("# "), match[2]
            assert not ASSIGNMENT.match(above), match[2]
            assert len(above) > 8, match[2]


def test_only_what_must_be_set_is_not_commented_out() -> None:
    """So that an untouched copy changes nothing."""
    given = [match[2] for line in example_lines() if (match := ASSIGNMENT.match(line)) and not match[1]]
    assert given == ["BELLHOP_SECRET_KEY"]


@pytest.mark.parametrize("variable", sorted(settings_variables()))
def test_the_value_shown_is_the_default(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    group, field_name, field = settings_variables()[variable]
    shown = example_variables()[variable]
    default = field.get_default(call_default_factory=True)
    if shown == "":
        assert plain(default) in (None, "", []), variable
        return
    monkeypatch.chdir(tmp_path)  # no .env here
    monkeypatch.setenv(variable, shown)
    assert plain(getattr(group(), field_name)) == plain(default)


def plain(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    return TypeAdapter(Any).dump_python(value, mode="json")
