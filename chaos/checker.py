"""The checker: compares the accounts, message by message, and says what does not fit. Pure, and strict on purpose.

It knows nothing of the engine but its promises: its tables of words are its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from chaos import comparisons
from chaos.accounts import Accounts, Copy, Exchange, ReceivedEvent, Row
from chaos.comparisons import HEIGHT, IMPLIED_EVENTS, PROVIDER_SAYS, RECEIVED_AS, STATUS
from chaos.texts import Text, talker

PHONES = ("sms", "imessage")
"""The channels of a phone's own texts."""

WRONGS: dict[str, str] = {
    "lost": "answered 2xx and not there, or cancelled or failed without a cause",
    "never sent": "we say sent, delivered or read; the provider does not have all of it",
    "twice": "a provider accepted some of its text more than once",
    "early": "a provider accepted it before the time its client was last given",
    "after cancel": "a cancel was answered 200, and a provider accepted it",
    "after STOP": "handed to a provider after its guest's STOP was on record, or one answered 2xx is not",
    "two ways": "its next way began while the one before could still arrive",
    "other channel": "its channel was left open, and it went by another than the first that suits its guest",
    "other list": "another vendor's API lists a text not at all, twice, or in a word for another status",
    "other file": "a provider has another file than the one that was handed in, or none",
    "not shown": "a guest's app that follows its inbox was not shown what lies in it, or twice as new",
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
    "text astray": "what a guest and the property wrote to each other stands in several conversations, or in none",
    "set aside": "a callback was answered 2xx, kept on disk, and could not be recorded",
    "forgery believed": "a callback that no provider signed was answered with 2xx",
}
"""What must not happen, one line of the table each."""


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
    """E-mails and notifications that ended `outcome_unknown`: nobody can say that the provider does not have them."""
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
        self._listed = {api: _by_id(texts) for api, texts in accounts.listed.items()}
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
        verdict.findings += self._apps()
        verdict.findings += self._texts()
        verdict.findings += self._astray()
        verdict.unheard = sum(not one.taken for one in self._accounts.written)
        verdict.recanted = self._recanted
        return verdict

    def _row(self, exchange: Exchange) -> Row | None:
        return next((self._by_id[known] for known in exchange.ids if known in self._by_id), None)

    def _request(self, exchange: Exchange, row: Row | None) -> Iterator[tuple[str, str]]:
        copies = self._copies.get(exchange.request.token, [])
        yield from comparisons.answers(exchange)
        yield from self._second(exchange)
        yield from comparisons.twice(copies)
        yield from comparisons.files(exchange, copies)
        if row is None:
            if exchange.ids:
                yield "lost", f"answered 201 as {exchange.ids[0]}, and there is no such message"
            return
        yield from comparisons.two_ways(exchange, row, copies)
        yield from comparisons.reminded(exchange, row, copies)
        yield from comparisons.early(exchange, copies)
        yield from comparisons.withdrawn(exchange, row, copies)
        yield from comparisons.complete(exchange, row, copies)
        if row.channel in PHONES and not (row.erased or exchange.request.fallback or exchange.request.reached):
            yield from comparisons.listed(row, {api: found.get(row.id, []) for api, found in self._listed.items()})
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
        if row.id in self._accounts.running and comparisons.over(exchange, row):
            yield "stuck", f"it is {status}, and its workflow still runs"
        opted_out = row.failure == "opted_out" and exchange.request.stop is not None
        excused = exchange.request.refused or opted_out or self._unknowable(exchange, row)
        if status == "failed" and not copies and not excused:
            yield "lost", f"failed ({row.failure}) for no cause: no provider has it, and none refused it"
        if copies and status not in ("queued", "cancelled"):
            yield from self._status(exchange, row, copies, status)

    def _status(self, exchange: Exchange, row: Row, copies: Sequence[Copy], status: str) -> Iterator[tuple[str, str]]:
        wanted = comparisons.wanted(exchange, copies)
        if status == wanted:
            return
        notified = [copy for copy in copies if copy.channel == "push"]
        silent = self._unasked(exchange) and not any(copy.reported for copy in notified)
        if status == "failed" and row.failure == "outcome_unknown" and silent:
            return
        said = " and ".join(sorted({copy.status for copy in copies}))
        lower = status in ("sent", "delivered") and HEIGHT[status] < HEIGHT[wanted]
        if lower and (row.erased or self._unreported(exchange, row, copies, wanted)):
            return
        if row.stage == "undelivered" and HEIGHT[wanted] > HEIGHT[status] and self._took_back(copies):
            self._recanted += 1
            return
        yield "wrong status", f"the provider says {said}, we say {status}"

    def _unreported(self, exchange: Exchange, row: Row, copies: Sequence[Copy], wanted: str) -> bool:
        """True where our standing lower is right: an opening is reported by the event webhook alone, and none arrived.
        About everything else the provider can be asked."""
        reported = {PROVIDER_SAYS.get(word) for copy in copies for word in copy.reported}
        low = ("sent", "delivered") if self._unasked(exchange) else ("delivered",)
        return wanted == "read" and STATUS[row.stage] in low and wanted not in reported

    def _took_back(self, copies: Sequence[Copy]) -> bool:
        """True where a callback reported that it failed for good, and none that it arrived after all. Nobody asks about
        a message whose end was reported."""
        return any(
            {PROVIDER_SAYS.get(word) for word in copy.reported} & {"failed", "delivered", "read"} == {"failed"}
            for copy in copies
        )

    def _unknowable(self, exchange: Exchange, row: Row) -> bool:
        """A message whose answer was lost: nothing proves that its provider does not have it, so it ends so. SendGrid
        shows some, the services of notifications nothing."""
        request = exchange.request
        return row.failure == "outcome_unknown" and (
            "email" in (request.channel, request.fallback) or self._unasked(exchange)
        )

    def _unasked(self, exchange: Exchange) -> bool:
        """One of its ways is a provider that nobody can ask, and that calls nobody."""
        return "push" in (exchange.request.channel, exchange.request.fallback)

    # --- its events -----------------------------------------------------------------------------------------------

    def _events(self, row: Row) -> Iterator[tuple[str, str]]:
        written = [event.type.removeprefix("message.") for event in row.events]
        for wanted in IMPLIED_EVENTS[STATUS[row.stage]]:
            if wanted not in written:
                yield "event missing", f"it is {STATUS[row.stage]}, and message.{wanted} was never written"
        yield from comparisons.renamed(
            "written", [(f"{event.type} {event.step}".rstrip(), event.id) for event in row.events]
        )
        for step in {event.step for event in row.events}:
            of_step = [event.type.removeprefix("message.") for event in row.events if event.step == step]
            if comparisons.disordered(of_step):
                yield "event order", f"written in the order {', '.join(of_step)}"
        for endpoint in self._accounts.reliable:
            yield from comparisons.received_by(endpoint, row, self._received[row.id][endpoint])

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

    # --- what guests' apps were shown ---------------------------------------------------------------------------------

    def _apps(self) -> Iterator[Finding]:
        tokens = {row.id: row.token or "" for row in self._accounts.rows}
        for app in self._accounts.apps:
            for message in app.listed:
                times = app.shown.get(message, 0)
                if times != 1:
                    yield Finding("not shown", tokens.get(message, ""), f"{message} was shown {times} times as new")

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
            yield from self._text_listed(one.text, times)
        for unknown in stored.keys() - tokens:
            yield Finding("text twice", unknown or "", f"nobody wrote it, and it is there {stored[unknown]} times")
        if self._accounts.rejected:
            yield Finding("set aside", "", f"{self._accounts.rejected} files in the spool's directory `rejected`")

    def _text_listed(self, text: Text, times: int) -> Iterator[Finding]:
        """Each API that has texts of phones lists a guest's, as often as it is there."""
        for api, texts in self._accounts.listed.items() if text.channel in PHONES else ():
            words = [status for _, content, status in texts if content == text.content]
            if words != [RECEIVED_AS[api]] * times:
                yield Finding("other list", text.token, f"{api} lists it as {words}, and it is there {times} times")

    def _astray(self) -> Iterator[Finding]:
        """Each guest has one conversation: a stranger's texts stand in it, and of a guest whom the property knows also
        what it wrote to them."""
        found: dict[str, dict[str, str | None]] = defaultdict(dict)
        for one in self._accounts.written:
            if one.text.token in self._accounts.conversations:
                found[one.text.sender][one.text.token] = self._accounts.conversations[one.text.token]
        for exchange in self._accounts.exchanges:
            row = self._row(exchange)
            if row is not None and exchange.request.reached is not None:
                found[exchange.request.recipient][exchange.request.token] = row.conversation
            if row is not None and exchange.request.talk is not None:
                found[talker(exchange.request.talk)][exchange.request.token] = row.conversation
        for address, conversations in found.items():
            if None in conversations.values() or len(set(conversations.values())) > 1:
                yield Finding(
                    "text astray", max(conversations), f"{address}: {sorted(map(str, conversations.values()))}"
                )


def _by_id(texts: Sequence[tuple[str, str, str]]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for key, content, status in texts:
        found[key].append((content, status))
    return found
