"""What a field was expected to be, in words for people: pydantic's own speak of Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TEXT = "expected text"
_WHOLE = "expected a whole number"
_NUMBER = "expected a number"
_BOOL = "expected true or false"
_LIST = "expected a list"
_OBJECT = "expected an object"
_TIME = "expected an RFC 3339 time with its zone, such as 2026-03-19T09:00:00Z"
_DATE = "expected a date, such as 2026-03-19"
_UUID = "expected a UUID, such as 6f9619ff-8b86-4d01-b42d-00c04fc964ff"

_SAID: dict[str, str] = {
    "missing": "expected a value: this field is needed",
    "extra_forbidden": "expected nothing of this name",
    "none_required": "expected null",
    "invalid_key": "expected keys that are text",
    "string_type": _TEXT,
    "string_unicode": "expected Unicode text without lone surrogates",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "expected an integer that fits 64 bits",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "expected a finite number",
    "bool_type": _BOOL,
    "bool_parsing": _BOOL,
    "list_type": _LIST,
    "dict_type": _OBJECT,
    "mapping_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_object_invalid": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": _TIME,
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "uuid_type": _UUID,
    "uuid_parsing": _UUID,
    "uuid_version": _UUID,
}
"""Kind of fault → what to say, where it takes nothing from the case."""

_LIMITS: dict[str, tuple[str, str]] = {
    "string_too_short": ("min_length", "expected at least {} character{}"),
    "string_too_long": ("max_length", "expected at most {} character{}"),
    "too_short": ("min_length", "expected at least {} item{}"),
    "too_long": ("max_length", "expected at most {} item{}"),
    "greater_than_equal": ("ge", "expected {} or more"),
    "less_than_equal": ("le", "expected {} or less"),
    "greater_than": ("gt", "expected more than {}"),
    "less_than": ("lt", "expected less than {}"),
}
"""Kind of fault → where its limit is, and what to say about it."""

_OUR_ID = re.compile(r"\^([a-z]+)_")


def expected(error: Mapping[str, Any]) -> str:
    """The sentence for one of pydantic's errors. What was sent is not in it: it may be a guest's data."""
    kind, about = str(error["type"]), error.get("ctx") or {}
    if kind in _SAID:
        return _SAID[kind]
    if kind in _LIMITS:
        name, words = _LIMITS[kind]
        return words.format(about[name], "" if about[name] == 1 else "s")
    if kind in ("literal_error", "enum"):
        return _one_of(str(about["expected"]))
    if kind == "string_pattern_mismatch":
        ours = _OUR_ID.match(str(about["pattern"]))
        return f"expected an id: {ours[1]}_…" if ours else f"expected text that matches {about['pattern']}"
    # Our own checks say it already; pydantic puts its own words before theirs.
    own = str(error["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return re.sub(r"^Input should be ", "expected ", own)


def _one_of(choices: str) -> str:
    """`'sms', 'email' or 'push'` → `expected one of sms, email, push`."""
    words = re.findall(r"'([^']*)'", choices) or [choices]
    return f"expected {words[0]}" if len(words) == 1 else f"expected one of {', '.join(words)}"
