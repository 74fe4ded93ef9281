"""A fast bench of a wrong engine is worth nothing: everything sent once, all of it arrived, every webhook came once."""

from __future__ import annotations

from collections import Counter

from bench.guests import BellhopSide, Sent
from bench.receiver import Receiver

WEBHOOKS = {
    "sms": ["message.sent", "message.delivered"],
    "email": ["message.sent", "message.delivered", "message.read"],
}
ENDS = {"sms": "delivered", "email": "read"}


class Wrong(Exception):
    """The engine did something it must not."""


async def everything(side: BellhopSide, receiver: Receiver) -> list[str]:
    """Check the whole run. Returns what was found right, a line each; raises Wrong."""
    book = await side.provider_book()
    once = {content: len(moments) for content, moments in book.items()}
    wanted = {sent.content: 1 for sent in side.sent}
    if once != wanted:
        missing, more = wanted.keys() - once.keys(), [content for content, count in once.items() if count > 1]
        raise Wrong(f"the provider misses {len(missing)} messages, has {len(more)} more than once")
    ends = Counter(ENDS[sent.channel] for sent in side.sent)
    for status, count in ends.items():
        if (found := await side.counted(status)) != count:
            raise Wrong(f"{found} messages are {status}, not {count}")
    for sent in side.sent:
        if receiver.by_message.get(sent.id) != WEBHOOKS[sent.channel]:
            raise Wrong(f"webhooks of {sent.id}: {receiver.by_message.get(sent.id)}")
    if again := [event for event, count in receiver.by_event.items() if count > 1]:
        raise Wrong(f"{len(again)} webhooks came more than once")
    return [
        f"the provider accepted exactly the {len(side.sent)} messages the API had accepted",
        "all of them ended " + ", ".join(f"{status} ({count})" for status, count in sorted(ends.items())),
        f"{len(receiver.by_event)} webhooks came once each, in order within each message",
    ]


def lateness(due: list[Sent], book: dict[str, list[float]]) -> list[float]:
    """Seconds after its time at which the provider got each scheduled message. Raises Wrong if one was early."""
    late = [book[sent.content][0] - sent.due.timestamp() for sent in due if sent.due is not None]
    if early := [seconds for seconds in late if seconds < 0]:
        raise Wrong(f"{len(early)} messages went out before their time, by up to {-min(early):.3f} s")
    return late
