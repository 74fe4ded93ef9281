"""Files that go out with a message, and what of them a channel takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
            if fits and len(taken) < self.count:
                taken.append(file)
        return tuple(taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """One file: our own copy, at the address from which a provider takes it. Its repr shows none of it."""

    url: str = field(repr=False)
    content_type: str
    filename: str = field(repr=False)
    size: int
    """Bytes."""
    asset_id: UUID | None = None

    def stored(self) -> dict[str, Any]:
        """As a message's `details` keep it."""
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
            url=str(one["url"]),
            content_type=str(one["content_type"]),
            filename=str(one["filename"]),
            size=int(one["size"]),
            asset_id=UUID(one["asset_id"]) if one.get("asset_id") else None,
        )
        for one in stored or ()
    )
