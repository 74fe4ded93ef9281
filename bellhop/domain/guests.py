"""What is known about guests without a database: how they are searched for, and their language tags. Pure."""

from __future__ import annotations

import unicodedata

import langcodes

# Letters that Unicode does not decompose, as people type them who lack the key.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
)


class BadLanguage(ValueError):
    """The text is no language tag; the message says what was expected."""


def fold(text: str) -> str:
    """Text without accents, case and doubled spaces, so that `Muller` finds `Müller` and `MÜLLER`."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return " ".join(
        "".join(letter for letter in plain if not unicodedata.combining(letter)).translate(_LETTERS).split()
    )


def search_text(first_name: str, last_name: str, email: str | None) -> str:
    """What a search looks through. Lines keep a match from running from a name into an address."""
    first, last = fold(first_name), fold(last_name)
    return "\n".join([f"{first} {last}", f"{last} {first}", fold(email or "")])


def language(tag: str) -> str:
    """A BCP 47 tag in its usual spelling (`pt-br` → `pt-BR`). Raises BadLanguage."""
    expected = "expected a BCP 47 language tag, such as en or pt-BR"
    # The library also takes underscores; the standard does not.
    if not tag.isascii() or "_" in tag or len(tag) > 35:
        raise BadLanguage(expected)
    try:
        if not langcodes.tag_is_valid(tag):
            raise BadLanguage(expected)
        return langcodes.standardize_tag(tag)
    except (ValueError, LookupError):
        raise BadLanguage(expected) from None
