"""Request bodies read strictly: what JSON parsers let pass and Postgres or a provider would not is refused by field."""

from __future__ import annotations

import json
import math
from typing import Any

from api.problems import BadRequest, Invalid

DEEPEST = 32
MOST_VALUES = 100_000
"""Commas and brackets of a body, far beyond what anybody means: a MiB of empty lists takes half a second to look at."""
LARGEST_INTEGER = 2**63 - 1


class _Odd:
    """Stands in the parsed body for a number that cannot be kept, so that its place can be named."""

    def __init__(self, why: str) -> None:
        self.why = why


def is_json(content_type: str | None) -> bool:
    """True for `application/json` and its kin, whatever parameters follow."""
    kind = (content_type or "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def parse(raw: bytes) -> Any:
    """The body as Python objects. Raises BadRequest on text that is no JSON, Invalid naming the field on NUL, lone
    surrogates, numbers beyond 64 bits or not finite, on nesting beyond DEEPEST and more than MOST_VALUES values."""
    brackets = raw.count(b"[") + raw.count(b"{")
    if brackets + raw.count(b",") > MOST_VALUES:
        raise Invalid(["body"], f"expected at most {MOST_VALUES} values", "values")
    odd: list[_Odd] = []

    def mark(why: str) -> _Odd:
        odd.append(_Odd(why))
        return odd[-1]

    def integer(text: str) -> int | _Odd:
        # Length first: turning a million digits into a number is the attack.
        if len(text) > 20 or abs(int(text)) > LARGEST_INTEGER:
            return mark("expected an integer that fits 64 bits")
        return int(text)

    def real(text: str) -> float | _Odd:
        number = float(text)
        return number if math.isfinite(number) else mark("expected a finite number")

    try:
        body = json.loads(
            raw.decode("utf-8"),
            parse_int=integer,
            parse_float=real,
            parse_constant=lambda name: mark("expected a finite number"),
        )
    except UnicodeDecodeError:
        raise BadRequest("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise Invalid(["body"], f"expected at most {DEEPEST} levels of nesting", "nesting") from None
    # Without an escape there is neither NUL nor a surrogate, and few brackets make no depth: most bodies stop here.
    if odd or b"\\u" in raw or brackets > DEEPEST:
        _inspect(body)
    return body


def _inspect(body: Any) -> None:
    left: list[tuple[tuple[str | int, ...], Any]] = [(("body",), body)]
    while left:
        loc, value = left.pop()
        if len(loc) > DEEPEST + 1:
            raise Invalid(loc[:4], f"expected at most {DEEPEST} levels of nesting", "nesting")
        if isinstance(value, str):
            _check_text(loc, value)
        elif isinstance(value, _Odd):
            raise Invalid(loc, value.why, "number")
        elif isinstance(value, dict):
            for name, inner in value.items():
                _check_text(loc, name)
                left.append(((*loc, name), inner))
        elif isinstance(value, list):
            left.extend(((*loc, place), inner) for place, inner in enumerate(value))


def _check_text(loc: tuple[str | int, ...], text: str) -> None:
    if "\0" in text:
        raise Invalid(loc, "expected text without NUL characters", "string_nul")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Invalid(loc, "expected Unicode text without lone surrogates", "string_unicode")
