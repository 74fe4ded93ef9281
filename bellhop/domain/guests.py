"""What is known about guests without a database: how they are searched for, and their language tags. Pure."""

from __future__ import annotations

import unicodedata

import langcodes
import regex

# Letters that Unicode does not decompose, as people type them who lack the key.
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŋ": "n"}
)


# Marks that stand for one another: which of them is typed depends on the keyboard, the phone and the word processor.
_MARKS = {
    "'": "`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u055a\u05f3\u2018\u2019\u201a\u201b\u2032\u2035"
    "\ua78c\uff07",
    '"': "\u201c\u201d\u201e\u201f\u2033\u2036\u00ab\u00bb\u301d\u301e\u301f\u05f4\uff02",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u02d7\u058a\u05be\ufe58\ufe63\uff0d",
}
_LIKE = str.maketrans({mark: plain for plain, marks in _MARKS.items() for mark in marks})
_INVISIBLE = regex.compile(r"[\p{Cf}\p{Default_Ignorable_Code_Point}]")


class BadLanguage(ValueError):
    """The text is no language tag; the message says what was expected."""


def fold(text: str) -> str:
    """Text without accents, case, doubled spaces and what cannot be seen, its quotes and dashes those of a plain
    keyboard: `Muller` finds `MÜLLER`, and `O'Brien-Smith` finds `O’Brien‑Smith`."""
    # Before it is decomposed, too: an acute accent on its own would become a space with an accent.
    plain = unicodedata.normalize("NFKD", _INVISIBLE.sub("", text).translate(_LIKE))
    plain = unicodedata.normalize("NFKD", plain.casefold()).translate(_LIKE)
    letters = "".join(letter for letter in _INVISIBLE.sub("", plain) if not unicodedata.combining(letter))
    return " ".join(letters.translate(_LETTERS).split())


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
