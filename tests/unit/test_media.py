"""What files a channel takes, and that a message keeps what it was given."""

from __future__ import annotations

from uuid import uuid4

import pytest

from bellhop.domain import media, options
from bellhop.domain.channels import CHANNELS, Channel
from bellhop.domain.media import MB, MOST_MEDIA, Media
from bellhop.domain.options import Options, SendStyle


@pytest.mark.parametrize("channel", [one for one, rules in CHANNELS.items() if rules.media])
def test_limits_are_in_order(channel: Channel) -> None:
    rules = CHANNELS[channel].media
    assert rules is not None
    assert 1 <= rules.count <= MOST_MEDIA
    assert 0 < rules.each <= rules.together
    assert all(rules.limit(content_type) <= rules.each for content_type in rules.types)


def test_a_kind_of_file_may_be_smaller() -> None:
    rules = CHANNELS[Channel.WHATSAPP].media
    assert rules is not None
    assert rules.takes("image/png") and not rules.takes("image/gif")
    assert (rules.limit("image/png"), rules.limit("video/mp4")) == (5 * MB, 16 * MB)


def test_media_and_options_survive_being_stored() -> None:
    one = Media(url="https://a.example/m/t/x.png", content_type="image/png", filename="x.png", size=9, asset_id=uuid4())
    assert media.of_stored([one.stored()]) == (one,)
    assert media.of_stored(None) == ()
    asked = Options(send_style=SendStyle.LASERS, reply_to="a@example.com", title="T", data={"k": "v"})
    assert options.of_stored(asked.stored()) == asked
    assert options.of_stored(Options().stored()) == options.NONE
    for secret in ("x.png", "a@example.com", "'T'"):
        assert secret not in repr(one) + repr(asked)
