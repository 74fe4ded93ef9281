"""Who carries a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import HTML, Content
from bellhop.domain.routing import choose

CARRIED = {"pigeon": frozenset({Channel.SMS, Channel.EMAIL}), "owl": frozenset({Channel.EMAIL})}
TEXT, PAGE = Content(text="Hello"), Content(text="<p>Hello</p>", content_type=HTML)


@dataclass(frozen=True)
class Sender:
    provider: str
    capabilities: Mapping[str, object] = field(default_factory=dict)


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
