"""What commands take, checked before anything is done: what is wrong is said in one line that names the option."""

from __future__ import annotations

import re
import sys
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn
from urllib.parse import urlsplit

import typer
from typer.core import TyperGroup

from bellhop.domain import time_zones
from bellhop.domain.text import visible

EnvironmentWord = Literal["test", "live"]

_TIME = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(Z|[+-]\d{2}:?\d{2})?)?", re.ASCII)
_BLANK = re.compile(r"\s")
_USAGE_ERROR: Any = typer.BadParameter.__base__


class OneLine(TyperGroup):
    """A program whose wrong usage is one line on standard error, as everything else that is wrong: no box, no usage."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        extra["standalone_mode"] = False
        given = extra.get("args") or (args[0] if args else None) or sys.argv[1:]
        if odd := next((one for one in given if not _encodes(one)), None):
            shown = odd.encode("utf-8", "backslashreplace").decode()
            print(f"bellhop: expected arguments in UTF-8, not '{shown[:40]}'", file=sys.stderr)
            sys.exit(2)
        try:
            code = super().main(*args, **extra)
        except _USAGE_ERROR as problem:
            said = problem.format_message().replace("Value error, ", "")
            if "\n" in said or not said:  # the help, where no command was given
                problem.show()
            else:
                hint = f" ({problem.ctx.command_path} --help)" if problem.ctx else ""
                print(f"bellhop: {said}{hint}", file=sys.stderr)
            sys.exit(2)
        except typer.Abort:
            sys.exit(1)
        sys.exit(code if isinstance(code, int) else 0)


def _encodes(text: str) -> bool:
    """Whether an argument came as UTF-8: other bytes of it stand here as lone surrogates, which nothing can store."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def moment(text: str) -> datetime:
    """A time as people write it, in UTC: a date, or a date and a time; one without an offset is UTC already."""
    parts = _TIME.fullmatch(text.strip().upper())
    try:
        if parts is None:
            raise ValueError
        day, clock, offset = parts.groups()
        return datetime.fromisoformat(f"{day}T{clock or '00:00'}{offset or 'Z'}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time: expected one such as 2027-03-15, 2027-03-15T08:30:00 (which is UTC) or "
            "2027-03-15T08:30:00-05:00"
        ) from None


def zone(name: str) -> str:
    """A time zone's name."""
    if not time_zones.known(name):
        raise typer.BadParameter(f"{name!r} is none: {time_zones.EXPECTED}")
    return name


def named(text: str) -> str:
    """A name that can be read."""
    if not visible(text) or len(text) > 200:
        raise typer.BadParameter("expected a name of 1 to 200 characters")
    return text


def slug(text: str) -> str:
    """A short name."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", text) or len(text) > 100:
        raise typer.BadParameter(f"{text!r} is none: expected small letters, digits and hyphens, such as grand-sunset")
    return text


def url(text: str) -> str:
    """The address of an API."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna")
        good = parts.scheme in ("http", "https") and bool(host) and (parts.port or 0) >= 0
        good = good and not parts.query and not parts.fragment and text.isprintable() and not _BLANK.search(text)
    except ValueError:
        good = False
    if not good:
        raise typer.BadParameter(f"{text!r} is no address: expected one such as https://bellhop.example.com")
    return text


def key(text: str) -> str:
    """An API key, as far as a header can hold it."""
    if not text.isascii() or not text.isprintable():
        raise typer.BadParameter("expected an API key: sk_live_… or sk_test_…")
    return text.strip()
