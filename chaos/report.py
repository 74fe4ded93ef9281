"""What a run says: the plan before, the table after, and for each message that went wrong its accounts side by side."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from chaos import environment
from chaos.accounts import Row, Told
from chaos.checker import STATUS, WRONGS, due
from chaos.faults import KINDS
from chaos.plan import Letter, Plan
from chaos.run import Outcome

MOST_SHOWN = 12
AIM = 10.0
"""Seconds after the last fault within which all is to be settled, beyond the windows above."""

MIX: dict[str, Callable[[Letter], bool]] = {
    "immediate": lambda letter: letter.ahead is None,
    "scheduled": lambda letter: letter.ahead is not None,
    "cancelled": lambda letter: letter.cancel is not None,
    "moved": lambda letter: letter.move is not None,
    "repeated": lambda letter: letter.together > 1 or letter.again is not None or letter.hasty is not None,
    "in parts": lambda letter: letter.words > 1,
    "to guests who are erased": lambda letter: letter.guest is not None,
    "calls disturbed": lambda letter: letter.call is not None,
    "callbacks disturbed": lambda letter: letter.callbacks is not None,
}


def opening(plan: Plan) -> str:
    """The plan in a few lines."""
    mix = ", ".join(f"{sum(map(is_so, plan.letters))} {name}" for name, is_so in MIX.items())
    lines = [
        f"Seed {plan.seed}: {len(plan.letters)} messages in {plan.seconds:.0f} s, {len(plan.strikes)} faults",
        f"  {mix}",
    ]
    return "\n".join(lines)


def table(outcome: Outcome) -> str:
    """The table."""
    verdict, accounts = outcome.verdict, outcome.accounts
    accepted = sum(bool(told.ids) for told in accounts.told)
    lines = [
        "",
        f"Chaos, seed {outcome.plan.seed}: {accepted} messages accepted, {outcome.played.total()} faults in "
        f"{outcome.storm:.0f} s",
        "",
        *(f"  {wrong:<20} {verdict.count(wrong):6}   {says}" for wrong, says in WRONGS.items()),
        "",
        "How the messages ended",
        "  " + ", ".join(f"{count} {end}" for end, count in sorted(verdict.ends.items())),
        f"  of these {verdict.unknown} e-mails `outcome_unknown`: SendGrid does not show them, which proves nothing",
        *(
            [
                f"  and {verdict.recanted} failed, as the provider told us; that they arrived after all it told us "
                "while nobody heard"
            ]
            * bool(verdict.recanted)
        ),
        "",
        "The accounts",
        f"  clients      {outcome.tries} requests, {outcome.unanswered} of them unanswered and repeated",
        f"  PostgreSQL   {len(accounts.rows)} messages, {sum(len(row.attempts) for row in accounts.rows)} attempts, "
        f"{sum(len(row.events) for row in accounts.rows)} events",
        f"  providers    {len(accounts.copies)} texts accepted",
        f"  endpoints    {outcome.posts} posts, {len(accounts.heard)} of them listened to",
        "",
        "Faults played",
        *(f"  {kind:<20} {outcome.played[kind]:6}   {row.says}" for kind, row in KINDS.items()),
        f"  {'to single messages':<20} {sum(_of_letters(outcome.plan).values()):6}   "
        + ", ".join(f"{name} {count}" for name, count in sorted(_of_letters(outcome.plan).items())),
        *_left_out(outcome),
        "",
        "Time",
        f"  the last faults: {'; '.join(strike.says() for strike in outcome.plan.strikes[-2:])}",
        f"  from the last fault until every part ran again     {outcome.mending:6.1f} s",
        f"  from there until the last message was settled      {outcome.settled:6.1f} s   "
        f"aim: within {AIM:.0f} s beyond these windows",
        *(f"    {name}: {says}" for name, says in environment.WINDOWS.items()),
        "  the engine's own: " + "; ".join(f"{name} {says}" for name, says in environment.OWN.items()),
        f"  load average at the end {outcome.load:.1f} on {os.cpu_count()} cores",
        *_slowest(outcome),
        "",
    ]
    return "\n".join(lines)


def _left_out(outcome: Outcome) -> list[str]:
    if not outcome.skipped:
        return []
    return [f"  {'left out':<20} {outcome.skipped.total():6}   the machine was too slow for the plan"]


def _of_letters(plan: Plan) -> Counter[str]:
    found: Counter[str] = Counter()
    for letter in plan.letters:
        found.update(kind for kind in (letter.call, letter.callbacks) if kind)
        found.update(["look-up fails"] if letter.lookup else [])
    return found


def _slowest(outcome: Outcome) -> list[str]:
    """The messages that were settled last, and what happened to each of them since."""
    rows = sorted(outcome.accounts.rows, key=lambda row: -row.changed)[:5]
    letters = {told.ids[0]: told.letter for told in outcome.accounts.told if told.ids}
    lines = []
    for row in rows:
        after = row.changed - outcome.restored
        if after > 1.0:
            lines.append(f"    {after:5.1f} s  {row.id} ({_nature(letters.get(row.id))}): {_waited(outcome, row)}")
    return ["  settled last", *lines] if lines else []


def _waited(outcome: Outcome, row: Row) -> str:
    """Its timeline since everything ran again, in seconds from then: where it waited shows as a gap."""
    story: dict[str, None] = {}
    for entry in outcome.timelines.get(row.id, []):
        after = _moment(entry[:12], outcome.restored) - outcome.restored
        if after > 0:
            story[f"{after:.1f} {entry[13:].partition(' ')[0]}"] = None
    before = row.attempts[-1].state if row.attempts else "nothing"
    return ", ".join(story) or f"nothing new; last attempt: {before}; it is {STATUS[row.stage]}"


def _moment(clock: str, near: float) -> float:
    day = datetime.fromtimestamp(near, UTC).strftime("%Y-%m-%dT")
    return datetime.fromisoformat(f"{day}{clock}+00:00").timestamp()


def _nature(letter: Letter | None) -> str:
    if letter is None:
        return "?"
    words = [letter.channel, letter.call, letter.callbacks]
    words += ["look-up fails"] if letter.lookup else []
    words += ["in parts"] if letter.words > 1 else []
    words += [name for name in ("scheduled", "moved", "cancelled", "repeated") if MIX[name](letter)]
    return ", ".join(word for word in words if word)


def wrongs(outcome: Outcome) -> str:
    """For each message that went wrong: its accounts side by side and its timeline."""
    by_token: dict[str, list[str]] = {}
    for finding in outcome.verdict.findings:
        by_token.setdefault(finding.token, []).append(f"{finding.wrong}: {finding.says}")
    told = {one.letter.token: one for one in outcome.accounts.told}
    lines = [""]
    for token, says in list(by_token.items())[:MOST_SHOWN]:
        lines += [f"✗ {line}" for line in says]
        if token in told:
            lines += _side_by_side(outcome, told[token])
        lines.append("")
    if len(by_token) > MOST_SHOWN:
        lines.append(f"… and {len(by_token) - MOST_SHOWN} messages more")
    return "\n".join(lines)


def _side_by_side(outcome: Outcome, told: Told) -> list[str]:
    letter, ids = told.letter, told.ids
    rows = [row for row in outcome.accounts.rows if row.id in ids or row.token == letter.token]
    copies = [copy for copy in outcome.accounts.copies if copy.token == letter.token]
    heard = [one for one in outcome.accounts.heard if one.subject in ids and one.endpoint in outcome.accounts.faithful]
    lines = [f"  letter     {letter.token}: {_nature(letter)}; for {_clock(due(told))}"]
    for answer in told.answers:
        lines.append(
            f"  client     {_clock(answer.asked)} {answer.verb} → {_clock(answer.at)} "
            f"{answer.status or 'no answer'} {answer.code or ''} {answer.id or ''}".rstrip()
        )
    for row in rows:
        attempts = ", ".join(f"{_clock(one.created)} part {one.part + 1} {one.state}" for one in row.attempts)
        lines.append(f"  PostgreSQL {row.id} {row.stage} {row.failure or ''} attempts: {attempts or 'none'}")
        if row.pending:
            lines.append(f"  PostgreSQL still owed to: {', '.join(row.pending)}")
    for copy in copies:
        words = f"{copy.words[0]}…{copy.words[-1][-3:]}" if len(copy.words) > 1 else copy.words[0]
        lines.append(
            f"  provider   {copy.provider} {copy.id} {words} accepted {_clock(copy.accepted)}, {copy.status}; "
            f"told us {', '.join(sorted(copy.told)) or 'nothing'}"
        )
    for endpoint in outcome.accounts.faithful:
        words_heard = [f"{_clock(one.at)} {one.type} {one.event[-6:]}" for one in heard if one.endpoint == endpoint]
        lines.append(f"  {endpoint:<10} {', '.join(words_heard) or 'heard nothing'}")
    for message in ids:
        lines += [f"  timeline   {entry}" for entry in outcome.timelines.get(message, [])]
    return lines


def _clock(moment: float | None) -> str:
    return "now" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%H:%M:%S.%f")[:-3]


def as_json(outcome: Outcome) -> dict[str, Any]:
    """The figures, for programs."""
    return {
        "seed": outcome.plan.seed,
        "messages": len(outcome.plan.letters),
        "accepted": sum(bool(told.ids) for told in outcome.accounts.told),
        "wrong": {wrong: outcome.verdict.count(wrong) for wrong in WRONGS},
        "ends": dict(outcome.verdict.ends),
        "outcome_unknown": outcome.verdict.unknown,
        "faults": dict(outcome.played) | {"to single messages": dict(_of_letters(outcome.plan))},
        "storm_s": round(outcome.storm, 1),
        "until_running_s": round(outcome.mending, 1),
        "settled_s": round(outcome.settled, 1),
        "load": round(outcome.load, 1),
        "windows": environment.WINDOWS,
        "findings": [{"wrong": one.wrong, "letter": one.token, "says": one.says} for one in outcome.verdict.findings],
    }
