"""A message's steps: what is planned and kept of them, and the status that follows from the set of all facts (I3)."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain import statuses, steps
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.statuses import ARRIVED, RANK, Stage
from bellhop.domain.steps import Step, When

PROVIDER_SAYS = (Stage.SENT, Stage.UNDELIVERED, Stage.DELIVERED, Stage.READ)
DAY = 86_400.0


def first(channel: Channel = Channel.SMS) -> Step:
    return Step(channel=channel, parts=1, valid_for=DAY)


def then(after: float | None = None, channel: Channel = Channel.EMAIL, when: When = When.FAILED) -> Step:
    return Step(channel=channel, parts=1, valid_for=DAY, when=when, after=after)


def test_a_step_is_as_long_valid_as_the_next_one_leaves_to_it() -> None:
    planned = steps.plan([first(), then(600.0), then(2 * DAY), then()])
    assert [(step.valid_for, step.limited) for step in planned] == [
        (600.0, True), (DAY, False), (DAY, False), (DAY, False),
    ]  # fmt: skip


def test_what_is_kept_is_read_as_it_was_and_names_nobody() -> None:
    planned = steps.plan([first(), then(600.0)])
    kept = steps.stored(planned)
    assert kept is not None
    assert tuple(steps.read(one) for one in json.loads(json.dumps(kept))) == planned
    assert set(kept[0]) == {"channel", "parts", "valid_for", "limited", "when", "after"}
    assert steps.stored(steps.plan([first()])) is None


Receipts = list[tuple[int, Stage]]
channels = st.lists(st.sampled_from([Channel.SMS, Channel.EMAIL, Channel.IN_APP]), min_size=2, max_size=5)


def of(said: Receipts, path: list[Channel], decision: Stage) -> Stage:
    """The stage of a message at its last step by all that is said of its steps."""
    known = [Stage.QUEUED] * len(path)
    for step, stage in said:
        known[step] = statuses.higher(known[step], stage, CHANNELS[path[step]])
    return statuses.of_steps(statuses.of_message(decision, [known[-1]], CHANNELS[path[-1]]), known[:-1])


@given(st.data())
def test_i3_the_order_and_repetition_of_facts_of_all_steps_does_not_matter(data: st.DataObject) -> None:
    path = data.draw(channels)
    facts = st.tuples(st.integers(0, len(path) - 1), st.sampled_from(PROVIDER_SAYS))
    said = data.draw(st.lists(facts, max_size=8))
    decision = data.draw(st.sampled_from([Stage.QUEUED, Stage.GAVE_UP, Stage.CANCELLED]))
    again = data.draw(st.permutations(said + said))
    assert of(said, path, decision) is of(again, path, decision)


@given(st.data())
def test_i3_what_one_step_brought_no_other_takes_back(data: st.DataObject) -> None:
    path = data.draw(channels)
    facts = st.tuples(st.integers(0, len(path) - 1), st.sampled_from(PROVIDER_SAYS))
    said: Receipts = data.draw(st.lists(facts, max_size=8))
    ends = of(said, path, Stage.QUEUED)
    arrived = [stage for step in range(len(path)) if (stage := _known(said, path, step)) in ARRIVED]
    if arrived:
        assert ends is max(arrived, key=RANK.__getitem__)
    else:
        assert ends is _known(said, path, len(path) - 1), "a step before that failed does not fail the message"


def test_a_reminder_limits_nobody_and_its_sender_hears_what_it_means() -> None:
    planned = steps.plan([first(), then(600.0, when=When.NOT_READ), then(60.0, Channel.WHATSAPP, When.NOT_READ)])
    assert [(step.valid_for, step.limited) for step in planned] == [(DAY, False)] * 3
    assert [one["code"] for one in steps.warnings(planned)] == ["may_arrive_twice", "reading_unknown"]
    assert "an SMS was read" in steps.warnings(planned)[1]["message"]
    silent = steps.plan([first(Channel.WHATSAPP), then(60.0, when=When.NOT_READ)])
    assert [one["code"] for one in steps.warnings(silent)] == ["may_arrive_twice"]
    assert steps.warnings(steps.plan([first(), then(600.0)])) == []


@given(st.data())
def test_i3_a_message_and_its_reminders_stand_where_all_facts_say_in_any_order(data: st.DataObject) -> None:
    path = data.draw(channels)
    first_reminded = data.draw(st.integers(0, len(path) - 2))
    facts = st.tuples(st.integers(0, len(path) - 1), st.sampled_from(PROVIDER_SAYS))
    said = data.draw(st.lists(facts, max_size=8))
    decision = data.draw(st.sampled_from([Stage.QUEUED, Stage.GAVE_UP]))

    def ends(said: Receipts) -> tuple[Stage, Stage]:
        known = [_known(said, path, step) for step in range(len(path))]
        current = statuses.of_message(decision, [known[-1]], CHANNELS[path[-1]])
        earlier, beside = known[:first_reminded], known[first_reminded:-1]
        return statuses.with_reminder(current, beside, earlier, begun=False)

    kept, seen = ends(said)
    assert ends(data.draw(st.permutations(said + said))) == (kept, seen)
    known = [_known(said, path, step) for step in range(len(path))]
    arrived = [stage for stage in known if stage in ARRIVED]
    if arrived:
        assert seen is max(arrived, key=RANK.__getitem__), "what one step brought no other takes back"
    elif Stage.SENT in known[first_reminded:]:
        assert seen is Stage.SENT, "none fails a message that may still arrive"
    waits = decision is Stage.QUEUED and known[-1] is Stage.QUEUED and seen is not Stage.READ
    assert kept is (Stage.QUEUED if waits else seen)


def _known(said: Receipts, path: list[Channel], step: int) -> Stage:
    known = Stage.QUEUED
    for at, stage in said:
        if at == step:
            known = statuses.higher(known, stage, CHANNELS[path[step]])
    return known
