"""Where a message stands by what is known of its attempts at each of its steps, and what of that is news. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bellhop.domain import statuses
from bellhop.domain.failures import FailureCode
from bellhop.domain.rows.delivery import LIVE, AttemptRow, AttemptState
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.statuses import ARRIVED, FAILED, PASSES, RANK, Stage


@dataclass(frozen=True, slots=True)
class News:
    """A stage that a message has reached."""

    stage: Stage
    step: int
    """Which of its steps brought it there."""
    mark: int
    """With which of its steps it is told: once."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a message stands now."""

    after: Stage | None
    """The stage to which its row moves; None: it stays."""
    seen: Stage
    """The stage that callers see."""
    news: tuple[News, ...]
    current: Stage
    """Of the step that it is at."""

    @property
    def reminder_failed(self) -> bool:
        """Whether what has failed is a reminder, beside which the message may arrive or has."""
        return self.current in FAILED and self.seen not in FAILED


def part_stages(message: MessageRow, rows: Sequence[AttemptRow], step: int | None = None) -> list[Stage]:
    """What is known of each part of a message at one of its steps (None: the one it is at): the highest word of a
    provider on any of its attempts. `rows`: all there are."""
    step = message.step if step is None else step
    rules = message.rules_of(step)
    known = [Stage.QUEUED] * message.parts_of(step)
    for row in rows:
        if row.step != step or row.part >= len(known):
            continue
        said = row.stage or Stage.QUEUED
        if row.state is AttemptState.ACCEPTED:
            said = statuses.higher(said, Stage.SENT, rules)
        known[row.part] = statuses.higher(known[row.part], said, rules)
    if rules.any_part:
        for part in message.gone_at(step):
            # The guest has the device no longer, as was found before a call was made.
            known[part] = statuses.higher(known[part], Stage.GAVE_UP, rules)
    return known


def message_targets(message: MessageRow) -> list[dict[str, Any]]:
    """The devices that a message goes to at the step as which it was read, one for each part, as they were stored at
    acceptance; none where its recipient is all there is."""
    return list((message.body or {}).get("devices", ()))


def moves(row: MessageRow, rows: Sequence[AttemptRow], decision: Stage | None = None) -> Stage | None:
    """The stage to which a message moves by what is known of its attempts and our decision; None: it stays."""
    if row.reminds_of:
        stage, _ = _with_reminder(row, rows, decision)
        return None if stage is row.stage else stage
    known = statuses.of_message(decision or row.decision, part_stages(row, rows), row.rules)
    if row.step and (earlier := statuses.of_steps(Stage.QUEUED, _earlier(row, rows))) in ARRIVED:
        known = statuses.of_steps(known, [earlier])
        # What one step has brought, no other one takes back.
        return known if RANK[known] > RANK[row.stage] else None
    after = statuses.higher(row.stage, known, row.rules)
    return None if after is row.stage else after


def standing(row: MessageRow, rows: Sequence[AttemptRow], decision: Stage | None = None) -> Standing:
    """Where a message stands by what is known of its attempts and our decision, and what of that is news."""
    after = moves(row, rows, decision)
    if row.reminds_of:
        _, seen = _with_reminder(row, rows, decision)
        return Standing(after, seen, _news_with_reminder(row, rows, seen), _current(row, rows, decision))
    news = tuple(News(stage, _step_of(row, rows, stage), row.step) for stage in _passed(row, rows, after))
    return Standing(after, after or row.shown, news, after or row.stage)


def _current(row: MessageRow, rows: Sequence[AttemptRow], decision: Stage | None) -> Stage:
    return statuses.of_message(decision or row.decision, part_stages(row, rows), row.rules)


def _with_reminder(row: MessageRow, rows: Sequence[AttemptRow], decision: Stage | None) -> tuple[Stage, Stage]:
    """As `statuses.with_reminder` says it."""
    beside = row.reminds_of
    known = _earlier(row, rows)
    begun = any(one.step == row.step and one.state in LIVE for one in rows)
    current = _current(row, rows, decision)
    return statuses.with_reminder(current, known[beside.start :], known[: beside.start], begun=begun)


def _news_with_reminder(row: MessageRow, rows: Sequence[AttemptRow], seen: Stage) -> tuple[News, ...]:
    """What was not said before; that the reminder itself went out is said as well."""
    news = [stage for stage in PASSES[seen] if stage not in PASSES[row.shown]]
    brought = {stage: _brought(row, rows, stage) for stage in news if stage in _SAID_BY_PROVIDERS}
    if row.stage is Stage.QUEUED and _of_step(row, rows, row.step) in _WENT_OUT:
        news = [Stage.SENT, *(stage for stage in news if stage is not Stage.SENT)]
        brought[Stage.SENT] = row.step
    known = ((stage, brought.get(stage)) for stage in news)
    return tuple(News(stage, *(2 * (row.step if step is None else step,))) for stage, step in known)


_SAID_BY_PROVIDERS = frozenset({Stage.SENT, Stage.DELIVERED, Stage.READ})
_WENT_OUT = _SAID_BY_PROVIDERS | {Stage.UNDELIVERED}


def _step_of(row: MessageRow, rows: Sequence[AttemptRow], stage: Stage) -> int:
    brought = _brought(row, rows, stage) if row.plan is not None and stage in ARRIVED else None
    return row.step if brought is None else brought


def _earlier(row: MessageRow, rows: Sequence[AttemptRow]) -> list[Stage]:
    """Where the message stands at each step before the one it is at."""
    return [_of_step(row, rows, step) for step in range(row.step)]


def _of_step(row: MessageRow, rows: Sequence[AttemptRow], step: int) -> Stage:
    """The same of one step."""
    return statuses.of_message(Stage.QUEUED, part_stages(row, rows, step), row.rules_of(step))


def _passed(row: MessageRow, rows: Sequence[AttemptRow], after: Stage | None) -> tuple[Stage, ...]:
    """What is news of a message that moves to `after`."""
    if after is None:
        return ()
    passed = statuses.news(row.stage, after, row.rules)
    if row.step and after in ARRIVED:
        # It may be an earlier step's: that one was said to be sent before.
        passed = tuple(stage for stage in PASSES[after] if stage not in PASSES[row.stage])
        if all(stage is Stage.QUEUED for stage in part_stages(row, rows)):
            passed = tuple(stage for stage in passed if stage is not Stage.SENT)
    return passed


def _brought(row: MessageRow, rows: Sequence[AttemptRow], stage: Stage) -> int | None:
    """Which step it is of which that is known: the last one; None: none."""
    known = enumerate([*_earlier(row, rows), _of_step(row, rows, row.step)])
    return max((step for step, at in known if at in _WENT_OUT and RANK[at] >= RANK[stage]), default=None)


Reason = tuple[str | None, str | None]
"""A failure code and the provider's own."""


def says_less(reason: Reason) -> tuple[bool, str, str]:
    """What reasons are compared by: the least of them is shown. It depends on the reasons alone, so that the error of a
    message does not tell in which order its receipts came."""
    code, provider_code = reason
    return code in (None, FailureCode.UNDELIVERED.value), code or "", provider_code or ""


def failure_of(row: MessageRow, rows: Sequence[AttemptRow]) -> Reason:
    """Why a message is undelivered, or none of its devices has it: of the parts that failed, the reason that says
    most."""
    stages = part_stages(row, rows)
    failed = [
        (code, attempt.provider_code)
        for attempt in rows
        if attempt.step == row.step
        and attempt.stage in (Stage.UNDELIVERED, Stage.GAVE_UP)
        and attempt.stage is stages[attempt.part]
        and (code := _code_of(attempt))
    ]
    maybe = [reason for reason in failed if reason[0] == FailureCode.OUTCOME_UNKNOWN]
    if maybe or failed:
        # That the guest may have it comes before why others did not.
        return min(maybe or failed, key=says_less)
    gone = row.rules.any_part
    return (FailureCode.ADDRESS_INVALID if gone else FailureCode.UNDELIVERED).value, None


def _code_of(attempt: AttemptRow) -> str | None:
    """Why an attempt failed. One whose process died in the call has no answer that would name a code."""
    unknown = FailureCode.OUTCOME_UNKNOWN.value if attempt.state is AttemptState.UNKNOWN else None
    return attempt.failure_code or unknown


def why(
    row: MessageRow, rows: Sequence[AttemptRow], stands: Standing, failure: tuple[FailureCode, str | None] | None
) -> Reason:
    """Why the step that a message is at has failed, if it has; else what the row says. `failure`: of our own
    decision."""
    reminds = bool(row.reminds_of)
    gave_up = stands.after is Stage.GAVE_UP or (reminds and stands.current is Stage.GAVE_UP)
    if gave_up and failure:
        return failure[0].value, failure[1]
    if gave_up and reminds and row.failure_code:
        return row.failure_code, row.provider_code
    if gave_up or stands.reminder_failed or (stands.after or row.stage) is Stage.UNDELIVERED:
        # Also where it had failed before: the reason, too, is a function of the set of receipts.
        return failure_of(row, rows)
    return row.failure_code, row.provider_code
