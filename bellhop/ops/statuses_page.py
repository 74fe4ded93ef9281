"""Writes docs/statuses.md from the tables it explains: `python -m bellhop.ops.statuses_page > docs/statuses.md`."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from enum import Enum
from itertools import product

from bellhop.domain import choosing, statuses
from bellhop.domain.channels import CHANNELS, Channel, ChannelRules, Cost
from bellhop.domain.events import OF_STAGE
from bellhop.domain.failures import WORDS
from bellhop.domain.statuses import PASSES, RANK, STATUS, Stage, Status
from bellhop.domain.steps import When
from bellhop.providers import PACKAGES
from bellhop.providers.package import WordTable

STATUS_SAYS: dict[Status, str] = {
    Status.QUEUED: "Accepted by Bellhop: stored, and not lost from then on. It waits for its time or for a provider.",
    Status.SENT: "A provider accepted it. Final where a channel has no receipts.",
    Status.DELIVERED: "The provider confirmed that it arrived.",
    Status.READ: "The guest opened or read it.",
    Status.FAILED: "It did not arrive, or nobody can know whether it did; `metadata.error` says why.",
    Status.CANCELLED: "The property withdrew it before a provider had it. It only follows a call of ours.",
}

TAKEN = [channel for channel, rules in CHANNELS.items() if not rules.delivered_is_final]
"""Channels on which a failure may follow a delivery."""


OF_ANY = [channel for channel, rules in CHANNELS.items() if rules.any_part]
"""Channels on which one of several parts is enough."""


def _listed(channels: Iterable[Channel]) -> str:
    return ", ".join(channel.value for channel in channels)


HEAD = """\
# Statuses

<!-- Made by `python -m bellhop.ops.statuses_page > docs/statuses.md` from the tables in bellhop/. Do not edit. -->

    queued → sent → delivered → read
                              ↘ failed, cancelled

A message's status is the public word for its **stage**: the highest fact known about it. Facts only add up, so it does
not matter in which order, how often or how late receipts arrive: the same facts end in the same status. Each status
is told once, by one event; a fact that skips stages tells the skipped ones first, in order. What depends on the order
is whether a weaker fact was told before the stronger one that overruled it: `message.failed` before a late
`message.delivered`, and on {taken} `message.delivered` before a bounce. Once the stronger is known, the weaker is no
longer news.
"""


def sentences(kind: type[Enum]) -> dict[str, str]:
    """Member value → the sentence written under the member in its source."""
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)
    found: dict[str, str] = {}
    for member, says in zip(tree.body, tree.body[1:], strict=False):
        if isinstance(member, ast.Assign) and isinstance(says, ast.Expr) and isinstance(says.value, ast.Constant):
            name = member.targets[0]
            assert isinstance(name, ast.Name)
            found[kind[name.id].value] = " ".join(str(says.value.value).split())
    return found


def upward_edges(rules: ChannelRules) -> list[tuple[Stage, Stage]]:
    """Every pair of stages of which the second is the stronger fact: the changes a message can make on a channel with
    these rules."""
    rank = statuses.ranks(rules)
    return [(before, after) for before, after in product(Stage, Stage) if rank[before] < rank[after]]


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    head = list(head)
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
    yield ""


def _code(word: str) -> str:
    return f"`{word}`"


def _events(stages: Iterable[Stage]) -> str:
    return ", ".join(_code(OF_STAGE[stage].value) for stage in stages) or "nothing"


def _status_rows() -> Iterator[list[str]]:
    for status in Status:
        stages = statuses.stages_of(status)
        yield [_code(status.value), STATUS_SAYS[status], ", ".join(_code(stage.value) for stage in stages)]


def _stage_rows() -> Iterator[list[str]]:
    says = sentences(Stage)
    for stage in sorted(Stage, key=RANK.__getitem__):
        yield [_code(stage.value), says[stage.value], _code(STATUS[stage].value), _events(PASSES[stage])]


def _edge_rows(rules: ChannelRules, beside: Iterable[tuple[Stage, Stage]] = ()) -> Iterator[list[str]]:
    """The edges on a channel with these rules, without those of `beside`."""
    odd = statuses.odd_edges(rules)
    known = set(beside)
    for before, after in upward_edges(rules):
        if (before, after) in known:
            continue
        why = odd.get((before, after), "")
        reported = statuses.news(before, after, rules)
        yield [_code(before.value), _code(after.value), _events(reported), f"**odd**: {why}" if why else "as expected"]


def _words(table: WordTable) -> Iterator[str]:
    """A provider's table, without the columns that are empty in it."""
    if table.title:
        yield from (f"### {table.title}", "")
    if table.intro:
        yield from (table.intro, "")
    rows = [
        [_code(word), _stage(says.stage), _code(says.code.value) if says.code else "",
         f"{says.effect.value} of the address" if says.effect else ""]
        for word, says in table.rows.items()
    ]  # fmt: skip
    shown = [place for place in range(4) if place < 2 or any(row[place] for row in rows)]
    head = (table.word, "Stage", "Failure", "Effect")
    yield from _table([head[place] for place in shown], ([row[place] for place in shown] for row in rows))


def _stage(stage: Stage | None) -> str:
    return _code(stage.value) if stage else "nothing"


def _of_parts() -> list[str]:
    return [
        "A message in parts (a long SMS) stands where its slowest part does; it has failed once every part is settled "
        "and one was not delivered.",
        f"On {_listed(OF_ANY)} a part is one of the guest's devices, and one is enough: the message stands where",
        "the device does that got furthest; it waits while one is left to be tried, unless another has shown it; and",
        "it has failed when all have.",
    ]


STEPS = """\
## Steps

A message with a `fallback` stands where its steps together do. What one of them brought (`delivered`, `read`) counts,
whichever it is and whenever it comes to be known; a failure only once no step is left that may arrive. So a step that
failed does not fail a message which has another, and a reminder (`when: "not_read"`) that failed does not fail one that
was sent or has arrived.

| `when` | Begins | Beside the step before |
|---|---|---|
{rows}

Whether a message was read can become known on {reading}; elsewhere a reminder is sent in any case. What is read before
its reminder is sent needs none, and one that waits is taken back. What is sent twice may arrive twice: the answer to
the send says so (`warnings`: `may_arrive_twice`, `reading_unknown`).

Where a message names `auto` its steps are chosen as it is accepted: the channels of the property's order ({order}
unless it sets `channel_order`) that suit the guest and the message. `chosen` of the message and `message.chosen` on its
timeline, say why it is the first of these, and for each other channel why not:

{unsuited}

Each step's channel has a cost class, which the timeline and the webhooks name: {costs}.
"""
STEP_BEGINS = {
    When.FAILED: ("once what was sent before surely failed and can no longer arrive", "never: one live copy"),
    When.NOT_READ: (
        "`after` seconds after the step before was sent, if that is not read; at once where it surely failed",
        "yes: both may arrive",
    ),
}


def _steps(reading: str) -> list[str]:
    rows = "\n".join(f"| {_code(when.value)} | {' | '.join(STEP_BEGINS[when])} |" for when in When)
    costs = "; ".join(
        f"{_code(cost.value)} {_listed(channel for channel, rules in CHANNELS.items() if rules.cost is cost)}"
        for cost in Cost
    )
    order = ", ".join(channel.value for channel in choosing.DEFAULT_ORDER)
    unsuited = "\n".join(_table(("Code", "Says"), ((_code(why.value), says) for why, says in choosing.SAID.items())))
    said = {"rows": rows, "reading": reading, "costs": costs, "order": order, "unsuited": unsuited.rstrip("\n")}
    return [STEPS.format(**said)]


def page() -> str:
    """The whole page."""
    taken, of_any = CHANNELS[TAKEN[0]], CHANNELS[OF_ANY[0]]
    final = next(rules for rules in CHANNELS.values() if rules.delivered_is_final and not rules.any_part)
    lines = [
        HEAD.format(taken=_listed(TAKEN)),
        "## Statuses",
        "",
        *_table(("Status", "Meaning", "Stages"), _status_rows()),
    ]
    lines += [
        "## Stages",
        "",
        f"From the weakest fact to the strongest. On {_listed(TAKEN)} `delivered` only means that a server took the",
        "message, so there `undelivered` is the stronger of those two.",
        "",
    ]
    lines += _table(("Stage", "Fact", "Status", "Events told on the way"), _stage_rows())
    reading = _listed(channel for channel, rules in CHANNELS.items() if rules.reports_reading)
    left_out, left_out_of_any = (
        ", ".join(_code(" → ".join(edge)) for edge in upward_edges(final) if edge not in upward_edges(rules))
        for rules in (taken, of_any)
    )
    lines += [
        *_of_parts(),
        "A message is followed until nothing more is worth waiting for: `failed`, `cancelled`, `read`, and `delivered`",
        f"on channels that report no reading. Reading can become known on {reading}. Later receipts are applied all",
        "the same.",
        "",
        "## Edges",
        "",
        "Every change a message can make. Any other pair is a weaker fact after a stronger one: it is recorded, shown",
        "in the timeline, and changes nothing.",
        "",
        *_table(("From", "To", "Tells", ""), _edge_rows(final)),
        f"On {_listed(TAKEN)}, instead of {left_out}:",
        "",
        *_table(("From", "To", "Tells", ""), _edge_rows(taken, upward_edges(final))),
        f"On {_listed(OF_ANY)}, instead of {left_out_of_any}:",
        "",
        *_table(("From", "To", "Tells", ""), _edge_rows(of_any, upward_edges(final))),
        "`message.failed` and `message.delivered` are told once: where these tables tell one a second time it is left",
        "out.",
        "",
        *_steps(reading),
        "## Providers' words",
        "",
        "A word that is not in these tables is stored as it came and changes nothing.",
        "",
        *(line for package in PACKAGES for table in package.tables for line in _words(table)),
        "## Failures",
        "",
        "`metadata.error` of a failed message is `{code, message, provider_code, retryable}`.",
        "",
        *_table(
            ("Code", "Message", "Worth trying again"),
            ([_code(code.value), words.sentence, "yes" if words.retryable else "no"] for code, words in WORDS.items()),
        ),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
