"""What a run says: the plan before, the table after, and for each message that went wrong its accounts side by side."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chaos import environment
from chaos.accounts import Accounts, Exchange, Row
from chaos.checker import WRONGS
from chaos.comparisons import STATUS, due
from chaos.faults import KINDS
from chaos.plan import CHANNELS, Plan, Request
from chaos.run import Outcome

MOST_SHOWN = 12
AIM = 10.0
"""Seconds after the last fault within which all is to be settled, beyond the windows above."""


def _by(channel: str) -> Callable[[Request], bool]:
    return lambda request: request.channel == channel


MIX: dict[str, Callable[[Request], bool]] = {
    "immediate": lambda request: request.ahead is None,
    "scheduled": lambda request: request.ahead is not None,
    "cancelled": lambda request: request.cancel is not None,
    "moved": lambda request: request.move is not None,
    "repeated": lambda request: request.together > 1 or request.again is not None or request.hasty is not None,
    "in parts": lambda request: request.words > 3,
    **{name: _by(name) for name in CHANNELS},
    "with a file": lambda request: request.file is not None,
    "with a second way": lambda request: request.fallback is not None and not request.reminds,
    "with a reminder": lambda request: request.reminds,
    "by Sendblue's API": lambda request: request.api == "sendblue",
    "by Bird's": lambda request: request.api == "bird",
    "by Booking.com's": lambda request: request.api == "booking",
    "left to `auto`": lambda request: request.reached is not None,
    "as a template": lambda request: not request.written_to,
    "to several devices": lambda request: request.channel == "push" and request.guest_with is not None,
    "to guests who say STOP": lambda request: request.stop is not None,
    "to guests who are erased": lambda request: request.guest is not None,
    "calls disturbed": lambda request: request.call is not None,
    "callbacks disturbed": lambda request: request.callbacks is not None,
}


def opening(plan: Plan) -> str:
    """The plan in a few lines."""
    mix = ", ".join(f"{sum(map(is_so, plan.requests))} {name}" for name, is_so in MIX.items())
    lines = [
        f"Seed {plan.seed}: {len(plan.requests)} messages in {plan.seconds:.0f} s, {len(plan.faults)} faults",
        f"  {mix}",
        f"  beside them {len(plan.texts)} texts of guests, "
        f"{sum(text.reached is not None for text in plan.texts)} of them by guests whom the property writes to",
    ]
    return "\n".join(lines)


def table(outcome: Outcome) -> str:
    """The table."""
    verdict, accounts = outcome.verdict, outcome.accounts
    accepted = sum(bool(exchange.ids) for exchange in accounts.exchanges)
    lines = [
        "",
        f"Chaos, seed {outcome.plan.seed}: {accepted} messages accepted, {outcome.played.total()} faults in "
        f"{outcome.storm:.0f} s",
        "",
        *(f"  {wrong:<20} {verdict.count(wrong):6}   {says}" for wrong, says in WRONGS.items()),
        "",
        "How the messages ended",
        "  " + ", ".join(f"{count} {end}" for end, count in sorted(verdict.ends.items())),
        f"  of these {verdict.unknown} `outcome_unknown`: e-mails that SendGrid does not show, which proves nothing, "
        "and notifications, of which nobody can be asked",
        *(
            [
                f"  and {verdict.recanted} failed, as the provider reported; that they arrived after all it reported "
                "in callbacks that did not reach us"
            ]
            * bool(verdict.recanted)
        ),
        "",
        "The accounts",
        f"  clients      {outcome.tries} requests, {outcome.unanswered} of them unanswered and repeated",
        f"  through each API: {_by_api(accounts)}",
        f"  PostgreSQL   {len(accounts.rows)} messages, {sum(len(row.attempts) for row in accounts.rows)} attempts, "
        f"{sum(len(row.events) for row in accounts.rows)} events",
        f"  providers    {len(accounts.copies)} texts accepted",
        f"  guests       {len(accounts.written)} texts, {sum(one.taken for one in accounts.written)} answered 2xx in "
        f"{sum(one.tries for one in accounts.written)} tries, {verdict.unheard} nowhere, "
        f"{len(accounts.texts)} stored",
        f"  endpoints    {outcome.posts} posts, {len(accounts.received)} of them listened to",
        "",
        "Faults played",
        *(f"  {kind:<20} {outcome.played[kind]:6}   {row.says}" for kind, row in KINDS.items()),
        f"  {'to single messages':<20} {sum(_of_requests(outcome.plan).values()):6}   "
        + ", ".join(f"{name} {count}" for name, count in sorted(_of_requests(outcome.plan).items())),
        *_left_out(outcome),
        "",
        "Time",
        f"  the last faults: {'; '.join(fault.says() for fault in outcome.plan.faults[-2:])}",
        f"  from the last fault until every part ran again     {outcome.restoring:6.1f} s",
        f"  from there until the last message was settled      {outcome.settled:6.1f} s   "
        f"aim: within {AIM:.0f} s beyond these windows",
        *(f"    {name}: {says}" for name, says in environment.WINDOWS.items()),
        "  the engine's own: " + "; ".join(f"{name} {says}" for name, says in environment.OWN.items()),
        f"  load average at the end {outcome.load:.1f} on {os.cpu_count()} cores",
        *_slowest(outcome),
        "",
    ]
    return "\n".join(lines)


def _by_api(accounts: Accounts) -> str:
    """How many messages each was handed in by, in how many requests; and the texts that guests wrote by one."""
    apis: dict[str, list[Exchange]] = {}
    for exchange in accounts.exchanges:
        apis.setdefault(exchange.request.api, []).append(exchange)
    said = [
        f"{api} {sum(bool(one.ids) for one in found)} in {sum(len(one.of('send')) for one in found)}"
        for api, found in sorted(apis.items())
    ]
    written = [one for one in accounts.written if one.text.talk is not None]
    said.append(
        f"and {sum(one.taken for one in written)} texts of guests by booking in {sum(one.tries for one in written)}"
    )
    return ", ".join(said)


def _left_out(outcome: Outcome) -> list[str]:
    if not outcome.skipped:
        return []
    return [f"  {'left out':<20} {outcome.skipped.total():6}   the machine was too slow for the plan"]


def _of_requests(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for request in plan.requests:
        found.update(kind for kind in (request.call, request.callbacks) if kind)
        found.update(["look-up fails"] if request.lookup else [])
    return found


def _slowest(outcome: Outcome) -> list[str]:
    """The messages that were settled last, and what happened to each of them since."""
    rows = sorted(outcome.accounts.rows, key=lambda row: -row.changed)[:5]
    requests = {exchange.ids[0]: exchange.request for exchange in outcome.accounts.exchanges if exchange.ids}
    lines = []
    for row in rows:
        after = row.changed - outcome.restored
        if after > 1.0:
            lines.append(f"    {after:5.1f} s  {row.id} ({_nature(requests.get(row.id))}): {_waited(outcome, row)}")
    return ["  settled last", *lines] if lines else []


def _waited(outcome: Outcome, row: Row) -> str:
    """Its timeline since everything ran again, in seconds from then: where it waited shows as a gap."""
    storm: dict[str, None] = {}
    for entry in outcome.timelines.get(row.id, []):
        after = _moment(entry[:12], outcome.restored) - outcome.restored
        if after > 0:
            storm[f"{after:.1f} {entry[13:].partition(' ')[0]}"] = None
    before = row.attempts[-1].state if row.attempts else "nothing"
    return ", ".join(storm) or f"nothing new; last attempt: {before}; it is {STATUS[row.stage]}"


def _moment(clock: str, near: float) -> float:
    day = datetime.fromtimestamp(near, UTC).strftime("%Y-%m-%dT")
    return datetime.fromisoformat(f"{day}{clock}+00:00").timestamp()


def _nature(request: Request | None) -> str:
    if request is None:
        return "?"
    words = [request.channel, request.call, request.callbacks]
    words += ["look-up fails"] if request.lookup else []
    words += ["in parts"] if request.words > 1 else []
    words += [name for name in ("scheduled", "moved", "cancelled", "repeated") if MIX[name](request)]
    return ", ".join(word for word in words if word)


def wrongs(outcome: Outcome) -> str:
    """For each message that went wrong: its accounts side by side and its timeline."""
    by_token: dict[str, list[str]] = {}
    for finding in outcome.verdict.findings:
        by_token.setdefault(finding.token, []).append(f"{finding.wrong}: {finding.says}")
    exchanges = {one.request.token: one for one in outcome.accounts.exchanges}
    lines = [""]
    for token, says in list(by_token.items())[:MOST_SHOWN]:
        lines += [f"✗ {line}" for line in says]
        if token in exchanges:
            lines += _side_by_side(outcome, exchanges[token])
        lines.append("")
    if len(by_token) > MOST_SHOWN:
        lines.append(f"… and {len(by_token) - MOST_SHOWN} messages more")
    return "\n".join(lines)


def _side_by_side(outcome: Outcome, exchange: Exchange) -> list[str]:
    request, ids = exchange.request, exchange.ids
    rows = [row for row in outcome.accounts.rows if row.id in ids or row.token == request.token]
    copies = [copy for copy in outcome.accounts.copies if copy.token == request.token]
    received = [
        one for one in outcome.accounts.received if one.subject in ids and one.endpoint in outcome.accounts.reliable
    ]
    lines = [f"  message    {request.token}: {_nature(request)}; for {_clock(due(exchange))}"]
    for answer in exchange.answers:
        lines.append(
            f"  client     {_clock(answer.asked)} {answer.verb} → {_clock(answer.at)} "
            f"{answer.status or 'no answer'} {answer.code or ''} {answer.id or ''}".rstrip()
        )
    for row in rows:
        attempts = ", ".join(f"{_clock(one.created)} part {one.part + 1} {one.state}" for one in row.attempts)
        lines.append(f"  PostgreSQL {row.id} {row.stage} {row.failure or ''} attempts: {attempts or 'none'}")
        if row.pending:
            lines.append(f"  PostgreSQL still pending for: {', '.join(row.pending)}")
    for copy in copies:
        words = f"{copy.words[0]}…{copy.words[-1][-3:]}" if len(copy.words) > 1 else copy.words[0]
        lines.append(
            f"  provider   {copy.provider} {copy.id} {words} accepted {_clock(copy.accepted)}, {copy.status}; "
            f"reported {', '.join(sorted(copy.reported)) or 'nothing'}"
        )
    for endpoint in outcome.accounts.reliable:
        lines_received = [
            f"{_clock(one.at)} {one.type} {one.event[-6:]}" for one in received if one.endpoint == endpoint
        ]
        lines.append(f"  {endpoint:<10} {', '.join(lines_received) or 'received nothing'}")
    for message in ids:
        lines += [f"  timeline   {entry}" for entry in outcome.timelines.get(message, [])]
    return lines


def _clock(moment: float | None) -> str:
    return "now" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S.%f")[:-3]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The figures, for programs."""
    return {
        "seed": outcome.plan.seed,
        "messages": len(outcome.plan.requests),
        "accepted": sum(bool(exchange.ids) for exchange in outcome.accounts.exchanges),
        "wrong": {wrong: outcome.verdict.count(wrong) for wrong in WRONGS},
        "ends": dict(outcome.verdict.ends),
        "outcome_unknown": outcome.verdict.unknown,
        "apis": dict(Counter(one.request.api for one in outcome.accounts.exchanges if one.ids)),
        "texts": {
            "written": len(outcome.accounts.written),
            "answered": sum(one.taken for one in outcome.accounts.written),
            "unheard": outcome.verdict.unheard,
            "stored": len(outcome.accounts.texts),
        },
        "faults": dict(outcome.played) | {"to single messages": dict(_of_requests(outcome.plan))},
        "storm_s": round(outcome.storm, 1),
        "until_running_s": round(outcome.restoring, 1),
        "settled_s": round(outcome.settled, 1),
        "load": round(outcome.load, 1),
        "windows": environment.WINDOWS,
        "findings": [{"wrong": one.wrong, "token": one.token, "says": one.says} for one in outcome.verdict.findings],
    }
