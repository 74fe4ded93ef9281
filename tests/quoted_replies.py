"""Mails of our own making, as mail programs quote in seven languages, and what is new in each.

python -m tests.quoted_replies     prints what `bellhop.domain.quoted_replies` makes of them
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bellhop.domain import quoted_replies

MAILS = Path(__file__).parent / "quoted_mails"


@dataclass(frozen=True, slots=True)
class Mail:
    """`text`: plain, or HTML that begins with a tag. `new`: the words it does not quote."""

    language: str
    name: str
    text: str
    new: str

    @property
    def found(self) -> str:
        """What we take for new."""
        text = quoted_replies.text_of(self.text) if self.text.startswith("<") else self.text
        return quoted_replies.new_words(text)

    @property
    def right(self) -> bool:
        return self.found == self.new


def mails() -> Iterator[Mail]:
    """All of them."""
    for file in sorted(MAILS.glob("*.txt")):
        for one in file.read_text(encoding="utf-8").split("=== ")[1:]:
            head, _, new = one.rpartition("\n---\n")
            name, _, text = head.partition("\n")
            yield Mail(file.stem, name, text, new.strip("\n"))


def table() -> list[str]:
    """A line for each language, one for all, and one for each that is wrong."""
    known = list(mails())
    lines = [f"{'language':<10}{'mails':>6}{'right':>7}"]
    for language in (*sorted({one.language for one in known}), "all"):
        some = [one for one in known if language in (one.language, "all")]
        lines.append(f"{language:<10}{len(some):>6}{sum(one.right for one in some):>7}")
    return lines + [f"wrong: {one.language}, {one.name}: {one.found!r}" for one in known if not one.right]


if __name__ == "__main__":
    print("\n".join(table()))
