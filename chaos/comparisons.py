"""The comparisons that the checker makes of one message: each says what does not fit. Pure; its words are its own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from chaos.accounts import Copy, Exchange, ReceivedEvent, Row
from chaos.pictures import digest

STATUS = {
    "queued": "queued", "cancelled": "cancelled", "gave_up": "failed", "sent": "sent", "undelivered": "failed",
    "delivered": "delivered", "read": "read",
}  # fmt: skip
PROVIDER_SAYS = {
    # The providers' last word about a message → what we must say.
    "QUEUED": "sent", "SENT": "sent", "DELIVERED": "delivered", "ERROR": "failed", "DECLINED": "failed",
    "accepted": "sent", "queued": "sent", "sending": "sent", "sent": "sent", "processed": "sent", "deferred": "sent",
    "delivered": "delivered", "read": "read", "open": "read", "click": "read",
    "undelivered": "failed", "failed": "failed", "bounce": "failed", "dropped": "failed",
}  # fmt: skip
LISTED_AS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sendblue": {
        "queued": ("QUEUED",), "sent": ("SENT",), "delivered": ("DELIVERED",), "read": ("DELIVERED",),
        "failed": ("ERROR",), "cancelled": ("DECLINED",),
    },
    "bird": {
        "queued": ("accepted", "processing", "scheduled"), "sent": ("sent",), "delivered": ("delivered",),
        "read": ("delivered",), "failed": ("rejected", "sending_failed", "delivery_failed"), "cancelled": ("deleted",),
    },
}  # fmt: skip
"""Another vendor's API → our status → the words that it has for it."""
RECEIVED_AS = {"sendblue": "RECEIVED", "bird": "delivered"}
"""The same of what guests wrote."""
HEIGHT = {"sent": 1, "failed": 2, "delivered": 3, "read": 4}
IMPLIED_EVENTS = {
    "queued": (), "cancelled": ("cancelled",), "sent": ("sent",), "failed": ("failed",),
    "delivered": ("sent", "delivered"), "read": ("sent", "delivered", "read"),
}  # fmt: skip
"""Status → the events that it implies, in order."""
GONE = (404, 409, 422)
"""What a client may be answered whose guest has been erased."""


def erased_at(exchange: Exchange) -> float | None:
    """The moment from which the client knew that its guest is erased."""
    return next((answer.at for answer in exchange.of("erase") if answer.status in (204, 404)), None)


def due(exchange: Exchange) -> float | None:
    """The earliest moment at which it may go out, by what its client was answered: the last time that was granted, or
    one that was asked for since and not answered. None: at once."""
    granted = [answer.due for answer in exchange.of("send")[:1]] or [None]
    for move in exchange.of("move"):
        if move.status == 200:
            granted = [move.due]
        elif not move.final:
            granted.append(move.due)
    return None if None in granted else min(moment for moment in granted if moment is not None)


def answers(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Every request got an answer that the plan explains."""
    excused = exchange.request.guest is not None
    for verb, right in (("send", (201,)), ("move", (200, 409)), ("cancel", (200, 409))):
        tries = exchange.of(verb)
        if tries and not any(answer.final for answer in tries):
            yield "untrue answer", f"{verb} was tried {len(tries)} times and never answered"
        for answer in tries:
            if answer.final and answer.status not in right and not (excused and answer.status in GONE):
                yield "untrue answer", f"{verb} was answered {answer.status} {answer.code or ''}".rstrip()
    if not exchange.of("send"):
        yield "untrue answer", "its client never got to hand it in"


def twice(copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    """Each address gets each word once; a guest's devices have an address each."""
    often = Counter((word, copy.channel, copy.to) for copy in copies for word in copy.words)
    again = sorted(found for found, count in often.items() if count > 1)
    if again:
        yield "twice", f"{len(copies)} copies; {again[0][0]} came {often[again[0]]} times"


def ways(exchange: Exchange, copies: Sequence[Copy]) -> tuple[list[Copy], list[Copy]]:
    """The copies of its first way, and those of its second."""
    second = exchange.request.fallback
    return [one for one in copies if one.channel != second], [one for one in copies if one.channel == second]


def two_ways(exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    """But for a reminder, its second way begins only once the first has surely failed."""
    if exchange.request.reminds:
        return
    first, second = ways(exchange, copies)
    # An inbox shows when the message was first sent, whichever way that was.
    laid_in = [event.at for event in row.events if event.type == "message.sent" and event.step]
    began = min(laid_in if exchange.request.fallback == "in_app" else (copy.accepted for copy in second), default=None)
    for copy in first:
        if began is not None and (copy.failed is None or copy.failed > began):
            yield "two ways", f"{copy.provider} had it ({copy.status}) when {second[0].provider} took it as well"


def files(exchange: Exchange, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    request = exchange.request
    wanted = (digest(request.number),) if request.file else ()
    for copy in copies:
        if copy.files != wanted:
            yield "other file", f"{copy.provider} has {len(copy.files)} files with it, and not {len(wanted)} as given"


def wanted(exchange: Exchange, copies: Sequence[Copy]) -> str:
    """What we must say: of parts the lowest, of a guest's devices the highest; of two ways whichever arrived, else the
    second."""
    choose = max if exchange.request.channel == "push" and not exchange.request.fallback else min
    found = [
        choose((PROVIDER_SAYS[copy.status] for copy in way), key=HEIGHT.__getitem__)
        for way in ways(exchange, copies)
        if way
    ]
    if exchange.request.reminds:
        alive = [status for status in found if status != "failed"] or found
        return max(alive, key=HEIGHT.__getitem__)
    arrived = [status for status in found if status in ("delivered", "read")]
    return max(arrived, key=HEIGHT.__getitem__) if arrived else found[-1]


def reminded(exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    """What was sent and is not read has been followed by its reminder, and what was left open went the right way."""
    request, status = exchange.request, STATUS[row.stage]
    gone = [event for event in row.events if event.type == "message.fallback"]
    if request.reminds and status in ("sent", "delivered") and not gone:
        yield "never sent", f"it is {status}, nobody has read it, and its reminder never went out"
    if request.reached is not None and row.channel != request.channel:
        yield "other channel", f"it went by {row.channel}, and not by {request.channel}"


def early(exchange: Exchange, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    wanted = due(exchange)
    for copy in copies:
        if wanted is not None and copy.accepted < wanted:
            yield "early", f"accepted {wanted - copy.accepted:.3f} s before its time"


def withdrawn(exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    answers = [answer.status for answer in exchange.of("cancel") if answer.final]
    status = STATUS[row.stage]
    if 200 in answers and copies:
        yield "after cancel", "cancel was answered 200, and a provider has it"
    if 200 in answers and status != "cancelled":
        yield "untrue answer", f"cancel was answered 200, and it is {status}"
    if status == "cancelled" and 200 not in answers and not row.erased:
        yield "untrue answer" if 409 in answers else "lost", "it is cancelled, and no client was answered so"
    if exchange.stopped is not None and row.stopped is None:
        yield "after STOP", "its guest's STOP was answered, and is not on record"
    elif row.stopped is not None and any(attempt.created > row.stopped for attempt in row.attempts):
        yield "after STOP", "handed to a provider after its guest's STOP was on record"
    gone = erased_at(exchange)
    if gone is not None and any(attempt.created > gone for attempt in row.attempts):
        yield "after erasure", "handed to a provider after its guest was erased"
    if gone is not None and (row.remains or not row.erased):
        yield "after erasure", "its guest was erased, and its text is still there"
    if row.history:
        yield "after erasure", "its guest was erased, and its history is still there"


def listed(row: Row, shown: Mapping[str, Sequence[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    """Each API that has texts of phones lists it once, as it stands. `shown`: API → content and status."""
    for api, found in shown.items():
        words = [status for _, status in found]
        if len(words) != 1:
            yield "other list", f"{api} lists it {len(words)} times"
        elif words[0] not in LISTED_AS[api][STATUS[row.stage]]:
            yield "other list", f"it is {STATUS[row.stage]}, and {api} lists it as {words[0]}"


def over(exchange: Exchange, row: Row) -> bool:
    """Nothing more can come: whether a mail that was delivered is read, is worth waiting for."""
    status = STATUS[row.stage]
    last = {"sms": "delivered", "imessage": "delivered", "push": "sent", "inbox": "delivered"}.get(row.channel)
    return status in ("cancelled", "failed", "read") or (status == last and exchange.request.fallback is None)


def complete(exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    if STATUS[row.stage] not in ("sent", "delivered", "read"):
        return
    there = {word for copy in copies for word in copy.words}
    missing = exchange.request.words - len(there)
    if missing:
        yield (
            "never sent",
            f"it is {STATUS[row.stage]}, and the provider misses {missing} of {exchange.request.words} words",
        )


def received_by(endpoint: str, row: Row, received: Sequence[ReceivedEvent]) -> Iterator[tuple[str, str]]:
    """What one endpoint received about a message, against what was written for it."""
    first: dict[str, str] = {}
    for one in received:
        first.setdefault(one.event, one.type)
    for event in row.events:
        if event.id not in first:
            yield "event missing", f"{endpoint} never received {event.type}"
    known = {event.id for event in row.events}
    for unknown in [event for event in first if event not in known]:
        yield "event renamed", f"{endpoint} received {first[unknown]} as {unknown}, which nobody wrote"
    steps = {event.id: event.step for event in row.events}
    pairs = [(f"{kind} {steps.get(event, '')}".rstrip(), event) for event, kind in first.items()]
    yield from renamed(f"{endpoint} received", pairs)
    order = [event.id for event in row.events if event.id in first]
    if [event for event in first if event in known] != order:
        yield "event order", f"{endpoint} received {', '.join(first.values())}"


def renamed(who: str, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    ids: dict[str, set[str]] = defaultdict(set)
    for kind, event in pairs:
        ids[kind].add(event)
    for kind, under in ids.items():
        if len(under) > 1:
            yield "event renamed", f"{who} {kind} under {len(under)} ids"


def disordered(written: Sequence[str]) -> bool:
    places = [IMPLIED_EVENTS["read"].index(word) for word in written if word in IMPLIED_EVENTS["read"]]
    return places != sorted(places)
