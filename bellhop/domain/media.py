"""Files that go out with a message, and what of them a channel takes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

MOST_MEDIA = 10
"""Files of one message, on any channel."""
MB = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRules:
    """What files one channel takes: so many, of these types (each a whole type, or `image/*`), of so many bytes each
    and all together."""

    count: int
    types: frozenset[str]
    each: int
    together: int
    smaller: Mapping[str, int] = field(default_factory=dict)
    """Bytes of a file of such a type, where that is less than `each`."""
    alone: bool = False
    """Whether files may go without a text."""

    def takes(self, content_type: str) -> bool:
        """Whether it takes files of this type."""
        return content_type in self.types or f"{content_type.partition('/')[0]}/*" in self.types

    def limit(self, content_type: str) -> int:
        """Bytes of a file of this type."""
        whole = f"{content_type.partition('/')[0]}/*"
        return min(self.each, self.smaller.get(content_type, self.smaller.get(whole, self.each)))

    def fitting(self, files: Sequence[Media]) -> tuple[Media, ...]:
        """Of these files, in their order, those that one message can carry."""
        taken: list[Media] = []
        for file in files:
            room = self.together - sum(one.size for one in taken)
            fits = self.takes(file.content_type) and file.size <= min(room, self.limit(file.content_type))
            # Of one that has yet to be fetched nobody knows what it is.
            if fits and file.source is None and len(taken) < self.count:
                taken.append(file)
        return tuple(taken)

    def objection(self, name: str, content_type: str, size: int) -> str | None:
        """What was expected of a file that it does not take; None: it takes it. `name`: of the channel's row."""
        if not self.takes(content_type):
            return f"expected {', '.join(sorted(self.types))}: {name} carries no {content_type}"
        if size > self.limit(content_type):
            return f"expected at most {self.limit(content_type):,} bytes: {name} carries no larger {content_type}"
        return None

    def too_much(self, name: str, sizes: Iterable[int]) -> str | None:
        """What was expected of all the files together; None: it takes them."""
        if sum(sizes) <= self.together:
            return None
        return f"expected at most {self.together:,} bytes together: {name} carries no more"


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaUse:
    """A file as a caller names it: one that was uploaded, or one behind a URL."""

    url: str | None = field(default=None, repr=False)
    asset_id: UUID | None = None
    content_type: str | None = None
    filename: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file: our own copy, at the address from which a provider takes it; or one that has yet to be fetched. Its
    repr shows none of it."""

    url: str = field(repr=False)
    """Empty until it has been fetched, as `size` is 0 and the other two are what its sender said."""
    content_type: str
    filename: str = field(repr=False)
    size: int
    """Bytes."""
    asset_id: UUID | None = None
    source: str | None = field(default=None, repr=False)
    """Where it is to be fetched from."""
    link: UUID | None = field(default=None, compare=False)
    """The row that its address names, where that is about to be written."""
    read: Callable[[], bytes] | None = field(default=None, repr=False, compare=False)
    """All of it, for a provider that takes the bytes themselves: blocks, raises OSError where they are gone."""

    @property
    def use(self) -> MediaUse:
        """The same, named once more."""
        named = self.content_type or None, self.filename or None
        return MediaUse(url=self.source, asset_id=self.asset_id, content_type=named[0], filename=named[1])

    def stored(self) -> dict[str, Any]:
        """As a message's `details` keep it."""
        if self.asset_id is None and self.source is not None:
            return {"source": self.source, "content_type": self.content_type, "filename": self.filename}
        return {
            "url": self.url,
            "content_type": self.content_type,
            "filename": self.filename,
            "size": self.size,
            "asset_id": str(self.asset_id) if self.asset_id else None,
        }


def of_stored(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Media, ...]:
    """The files of a message whose `details` keep these."""
    return tuple(
        Media(
            url=str(one.get("url", "")),
            content_type=str(one["content_type"]),
            filename=str(one["filename"]),
            size=int(one.get("size", 0)),
            asset_id=UUID(one["asset_id"]) if one.get("asset_id") else None,
            source=one.get("source"),
        )
        for one in stored or ()
    )


def shown(stored: Sequence[Mapping[str, Any]] | None) -> list[dict[str, Any]]:
    """As the API shows them; of one that has yet to be fetched there is no more than its sender said."""
    return [
        {
            "url": one.url or None,
            "content_type": one.content_type or None,
            "filename": one.filename or None,
            "size": one.size if one.url else None,
        }
        for one in of_stored(stored)
    ]
