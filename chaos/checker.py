"""The checker: compares the accounts, message by message, and says what does not fit. Pure, and strict on purpose.

It knows nothing of the engine but its promises: its tables of words are its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chaos.accounts import Accounts, Copy, Exchange, ReceivedEvent, Row

WRONGS: dict[str, str] = {
    "lost": "answered 2xx and not there, or cancelled or failed without a cause",
    "never sent": "we say sent, delivered or read; the provider does not have all of it",
    "twice": "a provider accepted some of its text more than once",
    "early": "a provider accepted it before the time its client was last given",
    "after cancel": "a cancel was answered 200, and a provider accepted it",
    "after erasure": "handed over after its guest was erased, or some of its text is left",
    "stuck": "neither final nor waiting for something that can still come",
    "wrong status": "the provider says one thing, we say another",
    "untrue answer": "a client was answered what is not so, or was never answered",
    "second message": "a repeated request, or none at all, made another message",
    "event missing": "an event that its status implies was not written, or not received",
    "event renamed": "an event came under a second id, or under one that nobody wrote",
    "event order": "an endpoint first received a later stage, then of an earlier one",
    "event forged": "what an endpoint got was not signed with its secret",
    "delivery pending": "an endpoint that listens is still to get an event",
    "text lost": "a guest's text was answered 2xx, and is not stored",
    "text twice": "a guest's text is stored more than once, or one that nobody wrote",
    "set aside": "a callback was answered 2xx, kept on disk, and could not be recorded",
    "forgery believed": "a callback that no provider signed was answered with 2xx",
}
"""What must not happen, one line of the table each."""

STATUS = {
    "queued": "queued", "cancelled": "cancelled", "gave_up": "failed", "sent": "sent", "undelivered": "failed",
    "delivered": "delivered", "read": "read",
}  # fmt: skip
PROVIDER_SAYS = {
    # Twilio's and SendGrid's last word about a message → what we must say.
    "accepted": "sent", "queued": "sent", "sending": "sent", "sent": "sent", "processed": "sent", "deferred": "sent",
    "delivered": "delivered", "read": "read", "open": "read", "click": "read",
    "undelivered": "failed", "failed": "failed", "bounce": "failed", "dropped": "failed",
}  # fmt: skip
HEIGHT = {"sent": 1, "failed": 2, "delivered": 3, "read": 4}
IMPLIED_EVENTS = {
    "queued": (), "cancelled": ("cancelled",), "sent": ("sent",), "failed": ("failed",),
    "delivered": ("sent", "delivered"), "read": ("sent", "delivered", "read"),
}  # fmt: skip
"""Status → the events that it implies, in order."""
GONE = (404, 409, 422)
"""What a client may be answered whose guest has been erased."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. `token`: the message; "" where it belongs to none."""

    wrong: str
    token: str
    says: str


@dataclass(slots=True)
class Verdict:
    """What was found, and what was counted on the way."""

    findings: list[Finding] = field(default_factory=list)
    ends: Counter[str] = field(default_factory=Counter)
    """Messages by how they ended."""
    unknown: int = 0
    """E-mails that ended `outcome_unknown`: nobody can say that the provider does not have them."""
    recanted: int = 0
    """Failed by the provider's final word, which it took back later in a callback that never reached us."""
    unheard: int = 0
    """Guests' texts for which the provider got a 2xx nowhere, as often as it tried: those may be stored or not."""

    def count(self, wrong: str) -> int:
        """How many messages that went wrong for."""
        return len({finding.token or finding.says for finding in self.findings if finding.wrong == wrong})


def check_accounts(accounts: Accounts) -> Verdict:
    """Compare everything with everything."""
    return _Checker(accounts).verdict()


class _Checker:
    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._recanted = 0
        self._by_id = {row.id: row for row in accounts.rows}
        self._by_token: dict[str, list[Row]] = defaultdict(list)
        for row in accounts.rows:
            if row.token:
                self._by_token[row.token].append(row)
        self._copies: dict[str, list[Copy]] = defaultdict(list)
        for copy in accounts.copies:
            self._copies[copy.token].append(copy)
        self._received: dict[str, dict[str, list[ReceivedEvent]]] = defaultdict(lambda: defaultdict(list))
        for received in accounts.received:
            self._received[received.subject][received.endpoint].append(received)

    def verdict(self) -> Verdict:
        verdict = Verdict()
        for exchange in self._accounts.exchanges:
            token = exchange.request.token
            row = self._row(exchange)
            verdict.ends[STATUS.get(row.stage, row.stage) if row else "not accepted"] += 1
            if row is not None and row.failure == "outcome_unknown" and STATUS[row.stage] == "failed":
                verdict.unknown += 1
            verdict.findings += [Finding(wrong, token, says) for wrong, says in self._request(exchange, row)]
        verdict.findings += self._unclaimed()
        verdict.findings += self._texts()
        verdict.unheard = sum(not one.taken for one in self._accounts.written)
        verdict.recanted = self._recanted
        return verdict

    def _row(self, exchange: Exchange) -> Row | None:
        return next((self._by_id[known] for known in exchange.ids if known in self._by_id), None)

    def _request(self, exchange: Exchange, row: Row | None) -> Iterator[tuple[str, str]]:
        copies = self._copies.get(exchange.request.token, [])
        yield from _answers(exchange)
        yield from self._second(exchange)
        yield from _twice(copies)
        if row is None:
            if exchange.ids:
                yield "lost", f"answered 201 as {exchange.ids[0]}, and there is no such message"
            return
        yield from _early(exchange, copies)
        yield from _withdrawn(exchange, row, copies)
        yield from _complete(exchange, row, copies)
        yield from self._end(exchange, row, copies)
        yield from self._events(row)
        if row.pending:
            names = sorted({name for name in row.pending if name in self._accounts.reliable})
            if names:
                yield "delivery pending", f"still pending for {', '.join(names)}"

    def _second(self, exchange: Exchange) -> Iterator[tuple[str, str]]:
        ids = set(exchange.ids) | {row.id for row in self._by_token.get(exchange.request.token, [])}
        if len(ids) > 1:
            yield "second message", f"{len(ids)} messages: {', '.join(sorted(ids))}"

    # --- where it stands ------------------------------------------------------------------------------------------

    def _end(self, exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
        status = STATUS[row.stage]
        if status == "queued":
            yield "stuck", "still queued"
        if any(attempt.state == "in_flight" for attempt in row.attempts):
            yield "stuck", "an attempt is still in flight"
        if row.wake_pending:
            yield "stuck", "a notification of Temporal is still pending"
        if row.id in self._accounts.running and _over(row):
            yield "stuck", f"it is {status}, and its workflow still runs"
        if status == "failed" and not copies and not exchange.request.refused and not self._unknowable(row):
            yield "lost", f"failed ({row.failure}) for no cause: no provider has it, and none refused it"
        if copies and status not in ("queued", "cancelled"):
            yield from self._status(exchange, row, copies, status)

    def _status(self, exchange: Exchange, row: Row, copies: Sequence[Copy], status: str) -> Iterator[tuple[str, str]]:
        wanted = min((PROVIDER_SAYS[copy.status] for copy in copies), key=HEIGHT.__getitem__)
        if status == wanted:
            return
        said = " and ".join(sorted({copy.status for copy in copies}))
        lower = status in ("sent", "delivered") and HEIGHT[status] < HEIGHT[wanted]
        if lower and (row.erased or self._unreported(row, copies, wanted)):
            return
        if row.stage == "undelivered" and HEIGHT[wanted] > HEIGHT[status] and self._took_back(copies):
            self._recanted += 1
            return
        yield "wrong status", f"the provider says {said}, we say {status}"

    def _unreported(self, row: Row, copies: Sequence[Copy], wanted: str) -> bool:
        """True where our standing lower is right: an opening is reported by the event webhook alone, and none arrived.
        About everything else the provider can be asked."""
        reported = {PROVIDER_SAYS.get(word) for copy in copies for word in copy.reported}
        return wanted == "read" and STATUS[row.stage] == "delivered" and wanted not in reported

    def _took_back(self, copies: Sequence[Copy]) -> bool:
        """True where a callback reported that it failed for good, and none that it arrived after all. Nobody asks about
        a message whose end was reported."""
        return any(
            {PROVIDER_SAYS.get(word) for word in copy.reported} & {"failed", "delivered", "read"} == {"failed"}
            for copy in copies
        )

    def _unknowable(self, row: Row) -> bool:
        """An e-mail whose answer was lost: nothing proves that SendGrid does not have it, so it ends so."""
        return row.failure == "outcome_unknown" and row.channel == "email"

    # --- its events -----------------------------------------------------------------------------------------------

    def _events(self, row: Row) -> Iterator[tuple[str, str]]:
        written = [event.type.removeprefix("message.") for event in row.events]
        for wanted in IMPLIED_EVENTS[STATUS[row.stage]]:
            if wanted not in written:
                yield "event missing", f"it is {STATUS[row.stage]}, and message.{wanted} was never written"
        yield from _renamed("written", [(event.type, event.id) for event in row.events])
        if _disordered(written):
            yield "event order", f"written in the order {', '.join(written)}"
        for endpoint in self._accounts.reliable:
            yield from _received_by(endpoint, row, self._received[row.id][endpoint])

    # --- what belongs to no message ----------------------------------------------------------------------------------

    def _unclaimed(self) -> Iterator[Finding]:
        tokens = {exchange.request.token for exchange in self._accounts.exchanges}
        known = {message_id for exchange in self._accounts.exchanges for message_id in exchange.ids}
        for row in self._accounts.rows:
            # An erased one has no content; its client may have been answered that it is gone.
            if row.id not in known and row.token not in tokens and not row.erased:
                yield Finding("second message", "", f"{row.id} belongs to no message")
        for copy in self._accounts.copies:
            if copy.token not in tokens:
                yield Finding("second message", "", f"{copy.provider} has {copy.id}, which belongs to no message")
        for answer in self._accounts.forged:
            if 200 <= answer.status < 300:
                yield Finding("forgery believed", "", f"{answer.id} answered {answer.status}")
        for received in self._accounts.received:
            if not received.genuine:
                yield Finding("event forged", "", f"{received.event} to {received.endpoint} bears no signature of ours")

    # --- what guests wrote ------------------------------------------------------------------------------------------

    def _texts(self) -> Iterator[Finding]:
        stored = Counter(self._accounts.texts)
        tokens = {one.text.token for one in self._accounts.written}
        for one in self._accounts.written:
            token, times = one.text.token, stored[one.text.token]
            if one.taken and not times:
                yield Finding("text lost", token, f"answered {one.answered} at try {one.tries}, and it is not there")
            if one.answered is not None and 400 <= one.answered < 500:
                yield Finding("untrue answer", token, f"a genuine text was answered {one.answered}")
            if times > 1:
                yield Finding("text twice", token, f"it is there {times} times")
        for unknown in stored.keys() - tokens:
            yield Finding("text twice", unknown or "", f"nobody wrote it, and it is there {stored[unknown]} times")
        if self._accounts.rejected:
            yield Finding("set aside", "", f"{self._accounts.rejected} files in the spool's directory `rejected`")


# --- the single comparisons -------------------------------------------------------------------------------------------


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


def _answers(exchange: Exchange) -> Iterator[tuple[str, str]]:
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


def _twice(copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    often = Counter(word for copy in copies for word in copy.words)
    again = sorted(word for word, count in often.items() if count > 1)
    if again:
        yield "twice", f"{len(copies)} copies; {again[0]} came {often[again[0]]} times"


def _early(exchange: Exchange, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    wanted = due(exchange)
    for copy in copies:
        if wanted is not None and copy.accepted < wanted:
            yield "early", f"accepted {wanted - copy.accepted:.3f} s before its time"


def _withdrawn(exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    answers = [answer.status for answer in exchange.of("cancel") if answer.final]
    status = STATUS[row.stage]
    if 200 in answers and copies:
        yield "after cancel", "cancel was answered 200, and a provider has it"
    if 200 in answers and status != "cancelled":
        yield "untrue answer", f"cancel was answered 200, and it is {status}"
    if status == "cancelled" and 200 not in answers and not row.erased:
        yield "untrue answer" if 409 in answers else "lost", "it is cancelled, and no client was answered so"
    gone = erased_at(exchange)
    if gone is not None and any(attempt.created > gone for attempt in row.attempts):
        yield "after erasure", "handed to a provider after its guest was erased"
    if gone is not None and (row.remains or not row.erased):
        yield "after erasure", "its guest was erased, and its text is still there"
    if row.history:
        yield "after erasure", "its guest was erased, and its history is still there"


def _over(row: Row) -> bool:
    """Nothing more can come: whether a mail that was delivered is read, is worth waiting for."""
    status = STATUS[row.stage]
    return status in ("cancelled", "failed", "read") or (status == "delivered" and row.channel == "sms")


def _complete(exchange: Exchange, row: Row, copies: Sequence[Copy]) -> Iterator[tuple[str, str]]:
    if STATUS[row.stage] not in ("sent", "delivered", "read"):
        return
    there = {word for copy in copies for word in copy.words}
    missing = exchange.request.words - len(there)
    if missing:
        yield (
            "never sent",
            f"it is {STATUS[row.stage]}, and the provider misses {missing} of {exchange.request.words} words",
        )


def _received_by(endpoint: str, row: Row, received: Sequence[ReceivedEvent]) -> Iterator[tuple[str, str]]:
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
    yield from _renamed(f"{endpoint} received", [(kind, event) for event, kind in first.items()])
    order = [event.id for event in row.events if event.id in first]
    if [event for event in first if event in known] != order:
        yield "event order", f"{endpoint} received {', '.join(first.values())}"


def _renamed(who: str, pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    ids: dict[str, set[str]] = defaultdict(set)
    for kind, event in pairs:
        ids[kind].add(event)
    for kind, under in ids.items():
        if len(under) > 1:
            yield "event renamed", f"{who} {kind} under {len(under)} ids"


def _disordered(written: Sequence[str]) -> bool:
    places = [IMPLIED_EVENTS["read"].index(word) for word in written if word in IMPLIED_EVENTS["read"]]
    return places != sorted(places)
