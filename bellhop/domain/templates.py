"""Templates: a text with places for parameters, written in Liquid (shopify.github.io/liquid). Pure.

Nothing is left out in silence: a parameter that a template names and nobody gives, one that is given and not named, and
one without a value are errors, since the guest would read a sentence with a hole in it. What a template and its
parameters can make the process do is bounded: no loader, no filter that multiplies text, few turns of a loop.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence, Sized
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID

from bellhop.domain import unsubscribe
from bellhop.domain.text import visible

if TYPE_CHECKING:
    from liquid import BoundTemplate, Environment

TEMPLATE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
MOST_BYTES = 8 * 1024
"""Of all parameters of one use, as JSON."""
MOST_PARAMETERS = 50
LONGEST = 10_000
"""Characters of what a template makes."""
MOST_PLACES = 500
"""Outputs and tags of one text."""
LONGEST_PLACE = 500
"""Characters of one of them. Liquid's work grows with the square of both."""
LONGEST_RANGE = 1_000
MOST_WORK = 1_000_000
"""Characters, or values of a list, that filters look at and make in one use."""
EACH = 20
"""The same, for calling one at all."""
_left: ContextVar[int] = ContextVar("left", default=MOST_WORK)
_TAGS = ("assign", "break", "capture", "case", "comment", "continue", "cycle", "echo", "for", "if", "unless", "#")
_KEPT_TAGS = frozenset({*_TAGS, "content", "output", "illegal"})
_FILTERS = frozenset(
    (
        "abs", "append", "at_least", "at_most", "capitalize", "ceil", "date", "divided_by", "downcase", "escape",
        "first", "floor", "join", "last", "lstrip", "minus", "modulo", "newline_to_br", "plus", "prepend", "round",
        "rstrip", "size", "sort", "strip", "times", "truncate", "truncatewords", "uniq", "upcase", "url_encode",
    )
)  # fmt: skip
"""Without `replace` and `split`, of which a short chain makes gigabytes, and `default`, which hides what is missing."""

_OPENING = re.compile(r"\{[{%]")
_CLOSINGS = {"{{": "}}", "{%": "%}"}


class TemplateProblem(ValueError):
    """It cannot be used so; the message says what was expected, `parameter` which parameter it is about, if one."""

    def __init__(self, expected: str, parameter: str | None = None) -> None:
        super().__init__(expected)
        self.parameter = parameter


@dataclass(frozen=True, slots=True)
class TemplateUse:
    """What a message names instead of a text."""

    name: str
    locale: str | None
    parameters: Mapping[str, Any]
    version_id: UUID | None = None
    """The version of it; None: the one in use."""


@cache
def _environment(html: bool) -> Environment:
    # Imported here: half a second, which only who uses templates has to spend.
    from liquid import Environment, Mode, StrictUndefined

    class Bounded(Environment):
        context_depth_limit = 8
        block_nesting_limit = 8
        loop_iteration_limit = 500
        local_namespace_limit = 64 * 1024
        output_stream_limit = 4 * LONGEST

    _short_ranges()
    made = Bounded(undefined=StrictUndefined, tolerance=Mode.STRICT, strict_filters=True, autoescape=html)
    for name in [name for name in made.tags if name not in _KEPT_TAGS]:
        del made.tags[name]
    for name in [name for name in made.filters if name not in _FILTERS]:
        del made.filters[name]
    made.filters.update({name: _counted(each) for name, each in made.filters.items()})
    return made


@cache
def _short_ranges() -> None:
    """Liquid itself bounds a range only where a loop goes through it forwards: not backwards, not with `contains`."""
    from liquid.builtin.expressions.primitive import RangeLiteral
    from liquid.exceptions import ResourceLimitError

    make = RangeLiteral._make_range

    def short(literal: RangeLiteral, start: Any, stop: Any) -> range:
        made = make(literal, start, stop)
        if len(made) > LONGEST_RANGE:
            raise ResourceLimitError("expected a shorter range", token=literal.token)
        return made

    RangeLiteral._make_range = short  # type: ignore[method-assign, assignment]


def _counted(each: Callable[..., Any]) -> Callable[..., Any]:
    """A filter, whose work is taken off what one use of a template may have. Others than filters have limits of
    Liquid's own."""

    @wraps(each)
    def applied(value: Any, *given: Any, **named: Any) -> Any:
        _work(value)
        made = each(value, *given, **named)
        _work(made)
        return made

    return applied


def _work(on: Any) -> None:
    """Count what a filter is given, or has made. Raises LiquidError once that is too much."""
    from liquid.exceptions import ResourceLimitError

    left = _left.get() - EACH - (len(on) if isinstance(on, Sized) else 0)
    if left < 0:
        raise ResourceLimitError("too much work for its filters", token=None)
    _left.set(left)


def warm() -> None:
    """Load what templates are made with, before the first of them waits for it."""
    _parsed("", False)


@lru_cache(maxsize=512)
def _parsed(text: str, html: bool) -> BoundTemplate:
    from liquid.exceptions import LiquidError

    _bounded(text)
    try:
        return _environment(html).from_string(text)
    except LiquidError as error:
        raise TemplateProblem(f"expected a Liquid template: {_said(error)}") from None
    except (RecursionError, ValueError):
        raise TemplateProblem("expected a Liquid template that is not nested so deeply") from None


def _bounded(text: str) -> None:
    """Raise TemplateProblem on what Liquid would take long to read: places that are many, long, or without an end (it
    looks for the end of each through all of the text)."""
    place = places = 0
    while begun := _OPENING.search(text, place):
        ended = text.find(_CLOSINGS[begun.group()], begun.end())
        places += 1
        if ended < 0:
            raise TemplateProblem(f"expected a Liquid template: a {begun.group()} is not closed")
        if ended - begun.end() > LONGEST_PLACE:
            raise TemplateProblem(f"expected at most {LONGEST_PLACE} characters between {begun.group()} and its end")
        if places > MOST_PLACES:
            raise TemplateProblem(f"expected at most {MOST_PLACES} outputs and tags")
        place = ended + 2


def _said(error: Exception) -> str:
    """What Liquid says, in one line."""
    # Its `message` is whatever was raised below it, not always text.
    return str(error).partition("\n")[0][:200]


def parameters_of(texts: Sequence[str | None], *, html: bool) -> list[str]:
    """The names of the parameters of these texts (content, subject), in the order of the alphabet. Raises
    TemplateProblem where one is no template."""
    names: set[str] = set()
    for text in texts:
        if text is None:
            continue
        found = _parsed(text, html).analyze()
        if unknown := sorted(set(found.filters) - _FILTERS):
            raise TemplateProblem(f"expected a filter among {', '.join(sorted(_FILTERS))}, not {unknown[0][:40]}")
        # The link is no parameter: it is made when the mail goes out.
        names |= set(found.globals) - {unsubscribe.PARAMETER}
    if len(names) > MOST_PARAMETERS:
        raise TemplateProblem(f"expected at most {MOST_PARAMETERS} parameters")
    return sorted(names)


def check(names: Sequence[str], parameters: Mapping[str, Any]) -> None:
    """Whether these are the template's parameters, each with a value. Raises TemplateProblem."""
    if missing := [name for name in names if name not in parameters]:
        raise TemplateProblem("expected a value: the template names it", missing[0])
    if unknown := [name for name in parameters if name not in names]:
        known = ", ".join(names) or "none"
        raise TemplateProblem(f"expected only parameters that the template names: {known}", unknown[0])
    for name, value in parameters.items():
        if _blank(value):
            raise TemplateProblem("expected a value: a guest would read a sentence with a hole in it", name)
    try:
        size = len(json.dumps(parameters, ensure_ascii=False).encode())
    except (ValueError, RecursionError):
        size = MOST_BYTES + 1
    if size > MOST_BYTES:
        raise TemplateProblem(f"expected at most {MOST_BYTES} bytes of JSON in all")


def _blank(value: Any, depth: int = 0) -> bool:
    """Whether there is nothing to read in it, or in a part of it."""
    if isinstance(value, str):
        return not visible(value)
    if isinstance(value, Mapping | list):
        parts = value.values() if isinstance(value, Mapping) else value
        return depth > 8 or any(_blank(part, depth + 1) for part in parts)
    return value is None


def rendered(text: str, parameters: Mapping[str, Any], *, html: bool, one_line: bool = False) -> str:
    """The text with its parameters in place; in HTML they are escaped. `one_line`: a subject, in which a parameter
    makes no second line. Raises TemplateProblem."""
    from liquid.exceptions import LiquidError, UndefinedError

    _left.set(MOST_WORK)
    try:
        made = _parsed(text, html).render(**{unsubscribe.PARAMETER: unsubscribe.PLACE} | dict(parameters))
    except UndefinedError as error:
        raise TemplateProblem(f"expected parameters that fit the template: {_said(error)}") from None
    except (LiquidError, ValueError, TypeError, ArithmeticError, RecursionError):
        # Its words may quote what a guest is called.
        raise TemplateProblem("expected parameters that fit the template") from None
    if one_line:
        made = " ".join(made.split())
    if not visible(made):
        raise TemplateProblem("expected parameters with which the template makes some text")
    if len(made) > LONGEST:
        raise TemplateProblem(f"expected parameters with which it makes at most {LONGEST} characters")
    return made


def choose(known: Sequence[str], wanted: Sequence[str | None]) -> str | None:
    """Which of a template's locales is used: for each wanted one in turn the same, else its language in another country
    or script, else the language alone; the only one there is, where nothing was wanted. None: none of them."""
    for locale in [one for one in wanted if one]:
        language = locale.partition("-")[0]
        for fits in (
            [one for one in known if one == locale],
            [one for one in known if one == language],
            sorted(one for one in known if one.partition("-")[0] == language),
        ):
            if fits:
                return fits[0]
    return known[0] if len(known) == 1 and not any(wanted) else None
