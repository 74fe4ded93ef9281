"""Live streams: everything that one process's clients hear of as it happens.

One connection listens for what writers say when they commit; whatever is said only tells which streams to look after.
What a stream shows is read from the record, from where it is, by one reader for all of them: so a stream first listens,
then reads what it lacks, then follows, and a word that is lost with a connection costs nothing but time. A stream holds
one page at most, and reads on when its client has taken that.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from bellhop.domain.live import Change, Source, Subject, Word, event, received

log = structlog.get_logger()

PAGE = 10
"""Changes a stream reads, and holds, at a time."""
BATCH = 40
"""Streams that are read for at a time: one query, and one connection, for all of them."""
AGAIN = 1.0
"""Seconds after a failed read, and the first pause before a lost connection is made anew."""
LONGEST_PAUSE = 10.0
LOOK_EVERY = 1.0
"""Seconds between looks at who is due for a heartbeat: one timer for all streams."""

Listen = Callable[[], AsyncGenerator[str | None, None]]
"""What is said from now on; None first, once it listens. See `store.notifications.listen`."""


class TooManyStreams(Exception):
    """There is no room for another stream just now."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How many streams one process serves: in all, of one scope, of one subject (the oldest gives way). `heartbeat`:
    seconds between signs of life."""

    in_all: int
    of_scope: int
    of_subject: int
    heartbeat: float


@dataclass(slots=True, eq=False)
class LiveStream:
    """One client's stream. `next` gives what to write."""

    subject: Subject
    session: UUID
    after: int
    until: float
    """On the loop's clock: its session is over then."""
    stale: bool = False
    """There may be something to read for it."""
    over: bool = False
    _pending: list[bytes] = field(default_factory=list)
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _on_taken: Callable[[LiveStream], None] | None = None

    @property
    def idle(self) -> bool:
        """Whether its client has taken everything."""
        return not self._pending

    async def next(self) -> bytes | None:
        """What to write next; None: nothing more will come."""
        while not self._pending:
            if self.over:
                return None
            self._wake.clear()
            await self._wake.wait()
        written = b"".join(self._pending)
        self._pending.clear()
        if self._on_taken is not None:
            self._on_taken(self)
        return written

    def put(self, written: bytes) -> None:
        """Have this written next."""
        self._pending.append(written)
        self._wake.set()

    def end(self, reason: str | None = None) -> None:
        """Nothing more comes. `reason`: what the client is told, if it still listens."""
        if self.over:
            return
        self.over = True
        if reason is not None:
            self._pending.append(event("end", b'{"reason":"%b"}' % reason.encode()))
        self._wake.set()


class LiveStreams:
    """All streams of one process. `sources`: where each kind is read from."""

    def __init__(self, listen: Listen, sources: Mapping[str, Source], limits: StreamLimits) -> None:
        self._listen = listen
        self._sources = sources
        self.limits = limits
        self._streams: dict[UUID, list[LiveStream]] = {}
        """By the subject's id, the oldest first."""
        self._of_session: dict[UUID, list[LiveStream]] = {}
        self._of_scope: dict[UUID, int] = {}
        self._count = 0
        self._stale: deque[LiveStream] = deque()
        self._work = asyncio.Event()
        self._beats: deque[tuple[float, LiveStream]] = deque()
        self._looking: asyncio.TimerHandle | None = None
        self.listening = asyncio.Event()
        """Set while this process hears what is said."""

    def __len__(self) -> int:
        return self._count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve streams as long as the body lasts; then they end."""
        tasks = [asyncio.create_task(self._keep_listening()), asyncio.create_task(self._keep_reading())]
        self._look()
        try:
            yield
        finally:
            self.stop()
            if self._looking is not None:
                self._looking.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # --- streams come and go ---

    def open(self, subject: Subject, session: UUID, after: int, lasts: float) -> LiveStream:
        """A new stream, which shows what comes after that position. `session`: what it depends on, which lasts so many
        seconds. Raises TooManyStreams."""
        if self._count >= self.limits.in_all or self._of_scope.get(subject.scope_id, 0) >= self.limits.of_scope:
            raise TooManyStreams
        now = asyncio.get_running_loop().time()
        stream = LiveStream(subject, session, after, now + lasts, _on_taken=self._taken)
        mine = self._streams.setdefault(subject.id, [])
        # What shows a whole scope has the limit of the scope alone.
        several = subject.id != subject.scope_id
        if several and len([one for one in mine if not one.over]) >= self.limits.of_subject:
            # A device that has lost its network holds its stream until that is noticed: the newest goes first.
            next(one for one in mine if not one.over).end("replaced")
        mine.append(stream)
        self._of_session.setdefault(session, []).append(stream)
        self._of_scope[subject.scope_id] = self._of_scope.get(subject.scope_id, 0) + 1
        self._count += 1
        self._beats.append((now + self.limits.heartbeat, stream))
        self._has_news(stream)
        return stream

    def close(self, stream: LiveStream) -> None:
        """Its client has gone, or everything is written. Once for each that was opened."""
        stream.end()
        _take_out(self._streams, stream.subject.id, stream)
        _take_out(self._of_session, stream.session, stream)
        self._of_scope[stream.subject.scope_id] -= 1
        if not self._of_scope[stream.subject.scope_id]:
            del self._of_scope[stream.subject.scope_id]
        self._count -= 1

    def stop(self) -> None:
        """End all streams: this process is about to end. Clients come again, to another."""
        for stream in self._all():
            stream.end("restart")

    def _all(self) -> list[LiveStream]:
        return [stream for streams in self._streams.values() for stream in streams]

    # --- what is said ---

    async def _keep_listening(self) -> None:
        pause = AGAIN
        while True:
            try:
                async with aclosing(self._listen()) as words:
                    async for payload in words:
                        if payload is None:
                            pause = AGAIN
                            self.listening.set()
                            await self._catch_up()
                        else:
                            self._hear(payload)
            except Exception as error:  # noqa: BLE001  whatever it is, it is tried again
                if self.listening.is_set():
                    log.warning("live streams do not hear what is new", error=type(error).__name__)
            self.listening.clear()
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _catch_up(self) -> None:
        """What was said while nobody listened is in the record."""
        for kind, source in self._sources.items():
            sessions = {stream.session for stream in self._all() if stream.subject.kind == kind}
            good = await source.good(sessions) if sessions else set()
            for session in sessions - good:
                self._end(session)
        for stream in self._all():
            self._has_news(stream)

    def _hear(self, payload: str) -> None:
        word = received(payload)
        if word is None:
            return
        said, of = word
        if said is Word.ENDED:
            self._end(of)
        else:
            for stream in self._streams.get(of, ()):
                self._has_news(stream)

    def _end(self, of: UUID) -> None:
        for stream in (*self._of_session.get(of, ()), *self._streams.get(of, ())):
            stream.end("session_over")

    # --- what is read ---

    def _has_news(self, stream: LiveStream) -> None:
        if stream.stale or stream.over:
            return
        stream.stale = True
        self._stale.append(stream)
        self._work.set()

    def _taken(self, stream: LiveStream) -> None:
        """Its client has taken a page: if there is more, it is read now."""
        if stream.stale:
            self._stale.append(stream)
            self._work.set()

    async def _keep_reading(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            batch = self._batch()
            if not batch:
                continue
            try:
                await self._read(batch)
            except Exception as error:  # noqa: BLE001  they are read for again
                log.warning("live streams could not be read for", error=type(error).__name__)
                await asyncio.sleep(AGAIN)
                for stream in batch:
                    self._has_news(stream)
            if self._stale:
                self._work.set()

    def _batch(self) -> list[LiveStream]:
        """Streams to read for: of one kind, those of one subject only where they are at the same place."""
        batch: list[LiveStream] = []
        places: dict[UUID, int] = {}
        later: list[LiveStream] = []
        while self._stale and len(batch) < BATCH:
            stream = self._stale.popleft()
            if stream.over or not stream.stale or not stream.idle:
                continue  # what is stale and not idle comes back when its client has taken what it holds
            same_kind = not batch or batch[0].subject.kind == stream.subject.kind
            if same_kind and places.setdefault(stream.subject.id, stream.after) == stream.after:
                # From here on: what is said while it is being read may be later than what is read.
                stream.stale = False
                batch.append(stream)
            else:
                later.append(stream)
        self._stale.extend(later)
        return batch

    async def _read(self, batch: list[LiveStream]) -> None:
        wanted = {stream.subject.id: (stream.subject, stream.after) for stream in batch}
        source = self._sources[batch[0].subject.kind]
        read = await source.changes(list(wanted.values()), PAGE)
        found: dict[UUID, list[Change]] = dict(zip(wanted, read, strict=True))
        for stream in batch:
            changes = found[stream.subject.id]
            if not changes or stream.over:
                continue
            stream.after = changes[-1].position
            written = b"".join(change.event for change in changes)
            # Behind what is not shown there may be something that is.
            more = len(changes) == PAGE or not changes[-1].event
            if written:
                stream.stale = stream.stale or more
                stream.put(written)
            elif more:
                self._has_news(stream)

    # --- signs of life ---

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for kind, source in self._sources.items():
            if source.looks:
                for stream in [one for one in self._all() if one.subject.kind == kind]:
                    self._has_news(stream)
        while self._beats and self._beats[0][0] <= now:
            _, stream = self._beats.popleft()
            if stream.over:
                continue
            if now >= stream.until:
                stream.end("session_over")
                continue
            if stream.idle:
                stream.put(b":\n\n")
            self._beats.append((now + self.limits.heartbeat, stream))
        self._looking = loop.call_later(LOOK_EVERY, self._look)


def _take_out(streams: dict[UUID, list[LiveStream]], key: UUID, stream: LiveStream) -> None:
    there = streams[key]
    there.remove(stream)
    if not there:
        del streams[key]
