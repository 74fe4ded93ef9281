"""Who carries a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import HTML, Content
from bellhop.domain.routing import STANDBY, candidates, choose

CARRIED = {"pigeon": frozenset({Channel.SMS, Channel.EMAIL}), "owl": frozenset({Channel.EMAIL})}
TEXT, PAGE = Content(text="Hello"), Content(text="<p>Hello</p>", content_type=HTML)


@dataclass(frozen=True)
class Sender:
    provider: str
    capabilities: Mapping[str, object] = field(default_factory=dict)
    is_default: bool = False


PIGEON, OWL, PLAIN_OWL = Sender("pigeon"), Sender("owl"), Sender("owl", {"html": False})


@pytest.mark.parametrize(
    ("senders", "channel", "content", "chosen"),
    [
        ([], Channel.SMS, TEXT, None),
        ([PIGEON], Channel.SMS, TEXT, PIGEON),
        ([OWL], Channel.SMS, TEXT, None),
        ([OWL, PIGEON], Channel.SMS, TEXT, PIGEON),
        ([OWL, PIGEON], Channel.EMAIL, TEXT, OWL),
        ([PIGEON, OWL], Channel.EMAIL, TEXT, PIGEON),
        ([PLAIN_OWL], Channel.EMAIL, TEXT, PLAIN_OWL),
        ([PLAIN_OWL], Channel.EMAIL, PAGE, None),
        ([PLAIN_OWL, OWL], Channel.EMAIL, PAGE, OWL),
        ([Sender("owl", {"html": True})], Channel.EMAIL, PAGE, Sender("owl", {"html": True})),
        ([Sender("a provider that is no more")], Channel.EMAIL, TEXT, None),
    ],
)
def test_the_first_that_can(senders: list[Sender], channel: Channel, content: Content, chosen: Sender | None) -> None:
    assert choose(senders, CARRIED, channel, content) == chosen


OTHER, PLAIN_OTHER = Sender("pigeon", {STANDBY: True}), Sender("pigeon", {STANDBY: True, "html": False})


@pytest.mark.parametrize(
    ("senders", "channel", "content", "in_order"),
    [
        ([PIGEON], Channel.EMAIL, TEXT, [PIGEON]),
        ([OWL, PIGEON], Channel.EMAIL, TEXT, [OWL]),
        ([OWL, PIGEON, OTHER], Channel.EMAIL, TEXT, [OWL, OTHER]),
        ([OWL, PLAIN_OTHER, OTHER], Channel.EMAIL, PAGE, [OWL, OTHER]),
        ([PLAIN_OTHER, OTHER], Channel.EMAIL, TEXT, [PLAIN_OTHER, OTHER]),
        ([OWL], Channel.SMS, TEXT, []),
    ],
)
def test_who_stands_by_follows(
    senders: list[Sender], channel: Channel, content: Content, in_order: list[Sender]
) -> None:
    assert candidates(senders, CARRIED, channel, content) == in_order


def test_nobody_stands_by_where_the_guest_let_one_sender_write() -> None:
    carried = {"pigeon": frozenset({Channel.WHATSAPP})}
    assert candidates([PIGEON, OTHER], carried, Channel.WHATSAPP, TEXT) == [PIGEON]
