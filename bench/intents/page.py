"""docs/intents.md: what intents are, and how right the built-in detector is about messages it was not made from.

`python -m bench.intents.page > docs/intents.md`
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bellhop.domain.intents import DetectorName, IntentStatus, IntentType
from bellhop.intents.built_in import TYPES, detect
from bellhop.intents.model import model
from bellhop.intents.rules import LANGUAGES
from bellhop.ops.statuses_page import sentences
from bench.intents.sentences import Labelled, read
from bench.intents.train import FLOOR

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
most; where it does not answer, the built-in detector does, and `detector` says which of them it was.
"""

MADE = """\
## How it is found

The built-in detector works offline and keeps nothing. For each sentence it asks a table of rules
(`bellhop/intents/languages/`: phrases, and guards for "no, thanks", for what is over, for thanks and for what works
again) and a small linear model on hashed character n-grams (`bellhop/intents/model.py`). It is silent below a threshold
of each type and language ({floor} at least). The words that an intent rests on are the guest's own. At most 4,000
characters are read, in at most 24 pieces, so that no text takes long: about 0.3 ms as guests write, 13 ms at worst.

    python -m bench.intents.train    makes weights and thresholds, the same from the same sentences
    python -m bench.intents.page     makes this page
    python -m bench.intents.speed    measures how long a message takes

Three sets of messages in {languages} languages, no message in two of them, lie in `bench/intents/data/`: {train}
make the weights, {validation} the thresholds, and on {test} the figures below are counted. All were written for this,
in guests' spelling; what guests really write is more varied than any such set. No message of the test set was read
while rules, weights and thresholds were made; its sums were, eight times. They led to guards for "no need" of towels,
to a cue beside the mere word "towels", and to the lowest threshold ({floor}, of three that were tried). So expect a
property's own messages to be found somewhat less well; `PATCH` sets right what was wrong.
"""


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


def counted(messages: Sequence[Labelled]) -> tuple[Counts, dict[str, Counts], dict[IntentType, Counts]]:
    """In all, by language and by type."""
    total = Counts()
    by_language = {language: Counts() for language in LANGUAGES}
    by_type = {kind: Counts() for kind in TYPES}
    for one in messages:
        found = [intent.type for intent in detect(one.text)]
        total.add(found, one.types)
        by_language[one.language].add(found, one.types)
        for kind, counts in by_type.items():
            counts.add({kind} & set(found), {kind} & one.types)
    return total, by_language, by_type


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


def page() -> str:
    """The whole page."""
    test = read("test")
    total, by_language, by_type = counted(test)
    silent = sum(not one.types for one in test)
    raised = sum(limit > FLOOR for row in model().thresholds.values() for limit in row.values())
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
            floor=FLOOR,
            languages=len(LANGUAGES),
            train=len(read("train")),
            validation=len(read("validation")),
            test=len(test),
        ),
        "## How right it is",
        "",
        f"On the {len(test)} messages of the test set, {silent} of which ask for nothing (thanks, small talk, what is",
        "over or not needed). In brackets: the interval that holds the figure with 95 % confidence (Wilson's), for as",
        f"many messages as there are. {raised} of {len(TYPES) * len(LANGUAGES)} thresholds are above {FLOOR}.",
        "",
        *_figures([("all", total)], "In all"),
        *_figures([(NAMES[language], counts) for language, counts in by_language.items()], "Language"),
        *_figures([(f"`{kind.value}`", counts) for kind, counts in by_type.items()], "Type"),
        HOSTED,
        "| Detector | |",
        "|---|---|",
        *(f"| `{name}` | {said} |" for name, said in detectors.items()),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
