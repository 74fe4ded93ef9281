"""Live streams without a database: what each reads, in which order, and what happens when that fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from api.event_streams import position
from bellhop.domain import session_tokens
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.live import Change, Subject, Word, event, received, said
from bellhop.engine import live
from bellhop.engine.live import LiveStream, LiveStreams, StreamLimits, TooManyStreams

LIMITS = StreamLimits(in_all=6, of_scope=4, of_subject=3, heartbeat=3_600.0)
SCOPE = UUID(int=1)


class Record:
    """Changes by subject, as a table would have them, and what is said of them."""

    def __init__(self) -> None:
        self.changes_of: dict[UUID, list[int]] = {}
        self.reads: list[list[tuple[UUID, int]]] = []
        self.words: asyncio.Queue[str | Exception | None] = asyncio.Queue()
        self.over: set[UUID] = set()
        self.away = 0
        self.hidden: set[int] = set()
        self.looks = False

    def add(self, subject: Subject, *positions: int) -> None:
        self.changes_of.setdefault(subject.id, []).extend(positions)
        self.words.put_nowait(said(Word.NEWS, subject.id))

    async def listen(self) -> AsyncGenerator[str | None, None]:
        yield None
        while True:
            word = await self.words.get()
            if isinstance(word, Exception):
                raise word
            yield word

    async def changes(self, wanted: Sequence[tuple[Subject, int]], most: int) -> list[list[Change]]:
        await asyncio.sleep(0)
        if self.away:
            self.away -= 1
            raise ConnectionError
        self.reads.append([(subject.id, after) for subject, after in wanted])
        assert len({subject.id for subject, _ in wanted}) == len(wanted)
        return [
            [
                Change(at, b"" if at in self.hidden else b"%d " % at)
                for at in sorted(self.changes_of.get(subject.id, []))
                if at > after
            ][:most]
            for subject, after in wanted
        ]

    async def good(self, sessions: Collection[UUID]) -> set[UUID]:
        return set(sessions) - self.over


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> Record:
    monkeypatch.setattr(live, "AGAIN", 0.01)
    monkeypatch.setattr(live, "LOOK_EVERY", 0.01)
    return Record()


@asynccontextmanager
async def running(record: Record, limits: StreamLimits = LIMITS) -> AsyncIterator[LiveStreams]:
    streams = LiveStreams(record.listen, {"inbox": record}, limits)
    async with streams.running():
        yield streams


def subject(number: int = 7) -> Subject:
    return Subject("inbox", SCOPE, UUID(int=number))


async def written(stream: LiveStream, *, ends: bool = False) -> bytes:
    async with asyncio.timeout(5):
        found = await stream.next()
        while ends and not stream.over:
            found = (found or b"") + (await stream.next() or b"")
    return found or b""


async def test_a_stream_reads_what_it_lacks_page_by_page_and_then_follows(record: Record) -> None:
    record.changes_of[subject().id] = list(range(1, 26))
    async with running(record) as streams:
        stream = streams.open(subject(), uuid4(), after=2, lasts=60)
        pages = [await written(stream) for _ in range(3)]
        assert [page.split() for page in pages] == [
            [b"%d" % at for at in span] for span in (range(3, 13), range(13, 23), range(23, 26))
        ]
        record.add(subject(), 30)
        assert await written(stream) == b"30 "
        record.add(subject(8), 31)
        record.add(subject(), 32)
        assert await written(stream) == b"32 "
        streams.close(stream)
        assert len(streams) == 0


async def test_streams_at_one_place_share_a_read_and_others_do_not(record: Record) -> None:
    record.changes_of[subject().id] = [1, 2]
    async with running(record) as streams:
        three = [streams.open(subject(), uuid4(), after=after, lasts=60) for after in (0, 0, 1)]
        assert [await written(stream) for stream in three] == [b"1 2 ", b"1 2 ", b"2 "]
        record.reads.clear()
        record.add(subject(), 3)
        assert [await written(stream) for stream in three] == [b"3 "] * 3
        assert record.reads == [[(subject().id, 2)]]


async def test_a_client_that_takes_nothing_holds_one_page(record: Record) -> None:
    record.changes_of[subject().id] = list(range(1, 100))
    async with running(record) as streams:
        stream = streams.open(subject(), uuid4(), after=0, lasts=60)
        await asyncio.sleep(0.05)
        for at in range(200, 205):
            record.add(subject(), at)
            await asyncio.sleep(0.01)
        assert len(record.reads) == 1
        everything = [int(at) for _ in range(11) for at in (await written(stream)).split()]
        assert everything == [*range(1, 100), *range(200, 205)]


async def test_what_is_not_heard_or_not_read_is_made_up_for(record: Record) -> None:
    async with running(record) as streams:
        lost, kept = uuid4(), uuid4()
        ended = streams.open(subject(8), lost, after=0, lasts=60)
        stream = streams.open(subject(), kept, after=0, lasts=60)
        await streams.listening.wait()
        record.away = 2
        record.add(subject(), 1)
        assert await written(stream) == b"1 "
        record.changes_of[subject().id].append(2)
        record.over.add(lost)
        record.words.put_nowait(ConnectionError())
        assert await written(stream) == b"2 "
        assert b"session_over" in await written(ended, ends=True)
        record.words.put_nowait("a word of tomorrow")
        record.words.put_nowait(said(Word.ENDED, subject().id))
        assert b"session_over" in await written(stream, ends=True)
        assert await stream.next() is None


async def test_what_is_not_shown_moves_a_stream_on(record: Record) -> None:
    """Behind a page of which nothing is shown there may be more, and not everything that comes is said."""
    record.changes_of[subject().id] = list(range(1, 36))
    record.hidden = {*range(1, 31), 35}
    record.looks = True
    async with running(record) as streams:
        stream = streams.open(subject(), uuid4(), after=0, lasts=60)
        assert await written(stream) == b"31 32 33 34 "
        record.changes_of[subject().id].append(36)
        assert await written(stream) == b"36 "


async def test_a_whole_scope_has_as_many_streams_as_a_scope_may(record: Record) -> None:
    async with running(record) as streams:
        whole = Subject("inbox", SCOPE, SCOPE)
        opened = [streams.open(whole, uuid4(), after=0, lasts=60) for _ in range(LIMITS.of_scope)]
        assert not any(stream.over for stream in opened)
        with pytest.raises(TooManyStreams):
            streams.open(whole, uuid4(), after=0, lasts=60)


async def test_limits_and_ends(record: Record) -> None:
    async with running(record, StreamLimits(in_all=6, of_scope=4, of_subject=3, heartbeat=0.05)) as streams:
        mine = [streams.open(subject(), uuid4(), after=0, lasts=60) for _ in range(4)]
        assert [stream.over for stream in mine] == [True, False, False, False]
        with pytest.raises(TooManyStreams):
            streams.open(subject(9), uuid4(), after=0, lasts=60)
        streams.close(mine[0])
        brief = streams.open(subject(9), uuid4(), after=0, lasts=0.1)
        assert await written(mine[1]) == b":\n\n"
        assert b"session_over" in await written(brief, ends=True)
        streams.stop()
        assert all(stream.over for stream in mine)


def test_words_and_events() -> None:
    key = uuid4()
    assert received(said(Word.ENDED, key)) == (Word.ENDED, key)
    for odd in ("", "news", "news x", f"later {key}"):
        assert received(odd) is None
    assert event("message", b"{}", 7) == b"id: 7\nevent: message\ndata: {}\n\n"
    assert event("end", b"{}") == b"event: end\ndata: {}\n\n"


def test_what_a_client_says_it_has_seen() -> None:
    for odd in (None, "", "yesterday", "-1", "1.5", "٧", "1" * 20, "7 "):
        assert position(odd) == 0
    assert position("41") == 41
    assert position("9" * 19) == 2**63 - 1


def test_tokens_are_recognised_without_a_database() -> None:
    key = uuid4()
    minted = session_tokens.mint("test", key)
    assert session_tokens.plausible(minted.raw) and minted.raw.startswith("gs_test_")
    assert parse(Prefix.SESSION, f"gss_{minted.raw.split('_')[2]}") == key
    assert minted.raw not in repr(minted)
    for wrong in (minted.raw[:-1] + "!", minted.raw.replace("gs_", "sk_"), minted.raw[:-6] + "000000", ""):
        assert not session_tokens.plausible(wrong)
    assert session_tokens.mint("test", key).raw != minted.raw
