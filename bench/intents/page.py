"""docs/intents.md: what intents are, and how right the built-in detector is about messages it was not made from.

`python -m bench.intents.page > docs/intents.md`
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bellhop.domain.intents import DetectorName, IntentDetector, IntentStatus, IntentType
from bellhop.intents.built_in import TYPES, detect
from bellhop.intents.detectors import detector_of
from bellhop.intents.rules import LANGUAGES
from bellhop.intents.settings import IntentSettings
from bellhop.ops.statuses_page import sentences
from bench.intents.sentences import PARTS, TEST, THRESHOLDS, Labelled, read
from bench.intents.train import NEITHER, PRECISION, SAME_LANGUAGE, SAME_TYPE

Z = 1.959964
"""Of a normal distribution 95 % are within so many standard deviations."""
NAMES = {
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "de": "German",
    "it": "Italian",
    "pt": "Portuguese",
    "ja": "Japanese",
}

HEAD = """\
# What guests want

<!-- Made by `python -m bench.intents.page > docs/intents.md`. Do not edit. -->

When a guest has written, a workflow of its own has the message looked at for what they want; the message, its webhook
and an answer never wait for it. What is found is an intent (`int_…`) at `GET /v1/intents`, and the webhook
`guest.intent.created` tells of each. A message may have several intents or none. `PATCH /v1/intents/{id}` says that one
is `done`, or `wrong`, or of another type. An intent is erased with its guest. The property's setting `detect_intents`
switches it off: `{"detect_intents": false}`.

    bellhop intents list grand-sunset-resort --status open
"""

HOSTED = """\
## Hosted detectors

`BELLHOP_INTENTS_DETECTOR=anthropic` or `openai` has a hosted model asked first, through its maker's own SDK
(`pip install 'bellhop[anthropic]'`), with `BELLHOP_INTENTS_API_KEY` and `BELLHOP_INTENTS_MODEL`. Guests' messages then
go to that maker; nothing else of theirs does, and OpenAI is told not to keep them. The types are a closed list, and an
intent whose words do not stand in the message is dropped. It is asked once, for `BELLHOP_INTENTS_TIMEOUT` seconds at
most; where it does not answer, the built-in detector does, and `detector` says which of them it was. They are tested
against a local server that speaks their protocols (`tests/contract/test_intents_hosted.py`); how right they are was not
measured here: that takes a key. With yours, the second line prints the tables above for it:

    export BELLHOP_INTENTS_API_KEY=… BELLHOP_INTENTS_MODEL=…
    python -m bench.intents.page --detector anthropic
"""

WANTED = 0.95
"""The precision that is asked of every type and language."""
ENOUGH = 0.7
"""The recall."""

MADE = """\
## How it is found

The built-in detector works offline and keeps nothing. For each sentence it asks a table of rules
(`bellhop/intents/languages/`: phrases, and guards for "no, thanks", for what is over, for thanks and for what works
again) and a small linear model on hashed character n-grams (`bellhop/intents/model.py`). What the two say makes a
confidence (`bellhop/intents/sureness.py`): a rule counts for as much as it was right about messages that it was not
written from, and a type counts for less beside a likelier one. The detector is silent below a threshold of each type
and language. The words that an intent rests on are the guest's own. At most 4,000 characters are read, in at most 24
pieces, so that no text takes long; a message has to take less than 20 ms.

    python -m bench.intents.train    makes weights and thresholds, the same from the same sentences
    python -m bench.intents.page     makes this page
    python -m bench.intents.speed    measures how long a message takes

## What it was made from

Messages in {languages} languages lie in `bench/intents/data/`, none in two sets. All were written for this, in guests'
spelling.

| Set | Messages | What it was used for |
|---|---|---|
| `first` to `fourth` | {development:,} | Rules were written and mended by reading them; the model's weights. |
| `thresholds` | {thresholds:,} | Of somebody who saw neither rules nor messages: what rules count for, thresholds. |
| `test` | {test:,} | Of somebody else again: nothing is made from them but the figures below. |

A model made of `first` to `fourth` alone scores `thresholds`; from those scores come the weights of confidences and the
thresholds. The model that is kept is then learnt from `thresholds` too: it knows more words, and the thresholds stay.
Nobody who made rules, training or thresholds read a sentence of `thresholds` or `test`. `thresholds` was the test set
of an earlier detector, whose sums were looked at twice (precision 0.922, recall 0.741): its thresholds came from
`third` and `fourth`, which its rules had been mended on. Since then its sums were looked at again and again: what the
confidence goes by was chosen by what the rest of `thresholds` teaches about each fifth of it. {looks}

A threshold is the lowest confidence from which on {precision} of the findings in `thresholds` are right, a little more
than the {wanted} that is asked for. Each type has some seven findings in each language there, too few to stand alone:
findings of the type in other languages count {same_type}, those of the language for other types {same_language}, the
rest {neither}.

What guests really write is more varied than any such set. So expect a property's own messages to be found somewhat
less well; `PATCH` sets right what was wrong.
"""
LOOKS = """The sums of `test`
were looked at once, after everything else was made, for this detector and for the earlier one (precision 0.937, recall
0.750); no rule, weight or threshold was changed after that. Messages that stand in another set had been left out."""


@dataclass(slots=True)
class Counts:
    """How findings compare with labels. `messages`: how many were read; `alarmed`: in how many something was wrong."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    messages: int = 0
    alarmed: int = 0

    def add(self, found: Iterable[IntentType], wanted: Iterable[IntentType]) -> None:
        """Count one message."""
        given, meant = set(found), set(wanted)
        self.right += len(given & meant)
        self.wrong += len(given - meant)
        self.missed += len(meant - given)
        self.messages += 1
        self.alarmed += bool(given - meant)


def wilson(part: int, of: int) -> tuple[float, float]:
    """The interval that a share lies in with 95 % confidence."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = part / of, Z * Z
    middle = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = Z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, middle - half), min(1.0, middle + half)


Findings = Sequence[Iterable[IntentType]]
"""What was found in each message of a set."""


def found_by_rules_and_model(messages: Sequence[Labelled]) -> Findings:
    """By the built-in detector."""
    return [[intent.type for intent in detect(one.text)] for one in messages]


async def found_by_a_maker(messages: Sequence[Labelled], detector: IntentDetector) -> Findings:
    """By a hosted one, a message at a time. Raises DetectorAway where it does not answer: half a set is no measure."""
    return [[intent.type for intent in (await detector.detect(one.text)).intents] for one in messages]


def counted(
    messages: Sequence[Labelled], findings: Findings
) -> tuple[Counts, dict[str, Counts], dict[IntentType, Counts]]:
    """In all, by language and by type."""
    total = Counts()
    by_language = {language: Counts() for language in LANGUAGES}
    by_type = {kind: Counts() for kind in TYPES}
    for one, found in zip(messages, findings, strict=True):
        total.add(found, one.types)
        by_language[one.language].add(found, one.types)
        for kind, counts in by_type.items():
            counts.add({kind} & set(found), {kind} & one.types)
    return total, by_language, by_type


def _imprecise(counts: Counts) -> bool:
    return counts.right < WANTED * (counts.right + counts.wrong)


def _misses(counts: Counts) -> bool:
    return counts.right < ENOUGH * (counts.right + counts.missed)


def _share(part: int, of: int) -> str:
    low, high = wilson(part, of)
    return f"{part / of:.3f} ({low:.2f} to {high:.2f})" if of else "none"


def _row(name: str, counts: Counts) -> str:
    low, high = (1000 * bound for bound in wilson(counts.alarmed, counts.messages))
    alarms = f"{1000 * counts.alarmed / counts.messages:.0f} ({low:.0f} to {high:.0f})"
    precision = _share(counts.right, counts.right + counts.wrong)
    recall = _share(counts.right, counts.right + counts.missed)
    return f"| {name} | {counts.right + counts.missed} | {precision} | {recall} | {alarms} |"


def _figures(rows: Iterable[tuple[str, Counts]], head: str) -> Iterator[str]:
    yield f"| {head} | Intents | Precision | Recall | False alarms per 1,000 messages |"
    yield "|---|---|---|---|---|"
    for name, counts in rows:
        yield _row(name, counts)
    yield ""


def _tables(total: Counts, by_language: dict[str, Counts], by_type: dict[IntentType, Counts]) -> Iterator[str]:
    yield from _figures([("all", total)], "In all")
    yield from _figures([(NAMES[language], counts) for language, counts in by_language.items()], "Language")
    yield from _figures([(f"`{kind.value}`", counts) for kind, counts in by_type.items()], "Type")


def page() -> str:
    """The whole page."""
    test = read(TEST)
    total, by_language, by_type = counted(test, found_by_rules_and_model(test))
    silent = sum(not one.types for one in test)
    named = [
        ("all", total),
        *((NAMES[language], counts) for language, counts in by_language.items()),
        *((f"`{kind.value}`", counts) for kind, counts in by_type.items()),
    ]
    imprecise = [name for name, counts in named if _imprecise(counts)]
    misses = [name for name, counts in named if _misses(counts)]
    says, statuses, detectors = sentences(IntentType), sentences(IntentStatus), sentences(DetectorName)
    lines = [
        HEAD,
        "## Types",
        "",
        "| Type | What the guest wants |",
        "|---|---|",
        *(f"| `{kind.value}` | {says[kind.value]} |" for kind in TYPES),
        "",
        "| Status | |",
        "|---|---|",
        *(f"| `{status.value}` | {statuses[status.value]} |" for status in IntentStatus),
        "",
        MADE.format(
            languages=len(LANGUAGES),
            development=sum(len(read(part)) for part in PARTS),
            thresholds=len(read(THRESHOLDS)),
            test=len(test),
            looks=LOOKS,
            precision=PRECISION,
            wanted=WANTED,
            same_type=SAME_TYPE,
            same_language=SAME_LANGUAGE,
            neither=NEITHER,
        ),
        "## How right it is",
        "",
        f"On the {len(test):,} messages of the test set, {silent} of which ask for nothing (thanks, small talk, what",
        "is over or not needed). In brackets: the interval that holds the figure with 95 % confidence (Wilson's), for",
        "as many messages as there are.",
        "",
        f"Below the precision of {WANTED} that is asked for: {', '.join(imprecise) or 'none'}.",
        "",
        f"Below a recall of {ENOUGH}: {', '.join(misses) or 'none'}.",
        "",
        *_tables(total, by_language, by_type),
        HOSTED,
        "| Detector | |",
        "|---|---|",
        *(f"| `{name}` | {said} |" for name, said in detectors.items()),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


def main() -> None:
    """Print the page, or a hosted detector's figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.intents.page", description="Prints docs/intents.md.")
    parser.add_argument(
        "--detector",
        choices=list(DetectorName),
        default=DetectorName.BUILT_IN,
        help="a hosted one: print its figures on the test set instead (BELLHOP_INTENTS_API_KEY, _MODEL)",
    )
    name = DetectorName(parser.parse_args().detector)
    if name is DetectorName.BUILT_IN:
        sys.stdout.write(page())
        return
    test = read(TEST)
    found = asyncio.run(found_by_a_maker(test, detector_of(IntentSettings(detector=name))))
    print("\n".join(_tables(*counted(test, found))))


if __name__ == "__main__":
    main()
