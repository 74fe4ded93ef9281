"""Writes .env.example from the settings it lists: `python -m bellhop.ops.env_example > .env.example`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from bellhop.settings import groups

MUST_BE_SET = frozenset({"BELLHOP_SECRET_KEY"})
"""Not commented out: an untouched copy says what is missing, and changes nothing else."""

HEAD = """\
# Every setting of Bellhop, with its default. Copy this file to .env and uncomment what you change.
# `make run` needs none of it: the embedded stack sets what only it knows (database, Temporal, secret key, addresses).
# Made by `python -m bellhop.ops.env_example > .env.example` from the settings. Do not edit.
"""


def example() -> str:
    """The whole file."""
    return HEAD + "".join(f"\n{line}\n" if line.startswith("# --- ") else f"{line}\n" for line in _lines())


def _lines() -> Iterator[str]:
    for group in groups().values():
        yield f"# --- {_title(group)} ---"
        prefix = group.model_config.get("env_prefix", "")
        for name, field in group.model_fields.items():
            variable = f"{prefix}{name}".upper()
            says = field.description or ""
            yield f"# {says[:1].upper()}{says[1:]}"
            yield f"{'' if variable in MUST_BE_SET else '# '}{variable}={_shown(field)}"


def _title(group: type[BaseSettings]) -> str:
    """The first line of the group's docstring."""
    return (inspect.getdoc(group) or "").split("\n")[0].rstrip(".")


def _shown(field: FieldInfo) -> str:
    return _as_text(field.get_default(call_default_factory=True))


def _as_text(value: Any) -> str:
    """A value as a variable holds it."""
    if value is None:
        return ""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, list):
        return ",".join(_as_text(each) for each in value)
    return str(value)


if __name__ == "__main__":
    sys.stdout.write(example())
