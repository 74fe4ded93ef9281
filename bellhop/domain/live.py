"""Live streams: what a stream is about, what writers say of it when they commit, and what a client reads. Pure.

A writer's word carries ids only. A stream never shows what a word says: it reads the record from where it is.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID


class Word(StrEnum):
    """What a writer says of an id."""

    NEWS = "news"
    """There is something new about a stream's subject."""
    ENDED = "ended"
    """Streams that depend on it (a session, a guest) are over."""


def said(word: Word, of: UUID) -> str:
    """A word as it is passed from process to process."""
    return f"{word.value} {of}"


def received(payload: str) -> tuple[Word, UUID] | None:
    """The same read back; None: a word of a newer version."""
    word, _, of = payload.partition(" ")
    try:
        return Word(word), UUID(of)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Subject:
    """What a stream shows: of `kind`, e.g. the inbox of one guest (`id`), in one scope."""

    kind: str
    scope_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class Change:
    """One thing a stream shows: where it comes in its subject's order, and what is written of it."""

    position: int
    event: bytes
    """Whole, as `event` makes it; empty: nothing is shown, and the stream goes on from there."""


class Source(Protocol):
    """Where the streams of one kind are read from."""

    looks: bool
    """Whether not everything that comes is said: its streams are read for once a second."""

    async def changes(self, wanted: Sequence[tuple[Subject, int]], most: int) -> list[list[Change]]:
        """For each subject what comes after that position, in order, `most` at most. One query for all of them."""

    async def good(self, sessions: Collection[UUID]) -> set[UUID]:
        """Those of these sessions in which something may still be read."""


def event(name: str, data: bytes, position: int | None = None) -> bytes:
    """One server-sent event. `data`: JSON, which has no line breaks. `position`: what the client resumes from."""
    numbered = b"" if position is None else b"id: %d\n" % position
    return b"%bevent: %b\ndata: %b\n\n" % (numbered, name.encode(), data)
