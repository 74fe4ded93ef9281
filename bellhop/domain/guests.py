"""What is known about guests without a database: how they are searched for, and their language tags. Pure."""

from __future__ import annotations

import unicodedata

import regex

from bellhop.domain.channels import AddressKind

SETTING_OF_SENDERS = "guests_from_inbound"
"""Of a property: false, and of a sender whom it does not know no guest is made."""
LONGEST_NAME = 200
"""Of the name of a guest who is made of what they wrote, as of one that a property gives."""

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

# Line breaks, and what turns or hides other text. Joiners stay, which names in Persian and in Indian languages have.
_UNSEEN = regex.compile(r"(?V1)[[\p{C}\p{Z}]--[\u200c\u200d]]")
_LETTER = regex.compile(r"\p{L}")


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


def name_of_sender(given: str | None, kind: AddressKind, address: str) -> tuple[str, str]:
    """First and last name of somebody who wrote from an address, by what they call themselves there: parted at the last
    space; `Mitchell, Jordan` is turned round. Without a name that has letters and is no address they are a guest with
    the end of the address (`Guest`, `…1234`)."""
    name = " ".join(_UNSEEN.sub(" ", (given or "")[: 4 * LONGEST_NAME]).split())[:LONGEST_NAME].strip()
    if "@" in name or not _LETTER.search(name):
        end = address[address.rfind("@") :] if kind is AddressKind.EMAIL else address[-4:]
        return "Guest", "…" + end[: LONGEST_NAME - 1]
    last, comma, first = name.partition(", ")
    if comma and first and " " not in last and "," not in first:
        return first, last
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


def language(tag: str) -> str:
    """A BCP 47 tag in its usual spelling (`pt-br` → `pt-BR`). Raises BadLanguage."""
    import langcodes  # here: its tables take 3 MB, and most processes check no language

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
