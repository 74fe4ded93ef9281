"""The channel table: a row for each, and what is said of them elsewhere."""

from __future__ import annotations

from typing import get_args
from uuid import uuid4

import pytest

from api.schemas.messages import ChannelWord
from bellhop.domain.addresses import BadAddress, normalised
from bellhop.domain.channels import CHANNELS, AddressKind, Channel
from bellhop.domain.ids import Prefix, render


def test_every_channel_has_its_row_and_its_word_in_the_api() -> None:
    assert set(CHANNELS) == set(Channel)
    assert get_args(ChannelWord) == tuple(channel.value for channel in Channel)


ADDRESSES = {
    AddressKind.PHONE: "+13055551234",
    AddressKind.EMAIL: "jordan@example.com",
    AddressKind.GUEST: render(Prefix.GUEST, uuid4()),
    AddressKind.DEVICE: "a token of some app",
    AddressKind.WHATSAPP_USER: "US.1A2b3C4d",
}


@pytest.mark.parametrize("kind", AddressKind)
def test_every_kind_of_address_is_checked(kind: AddressKind) -> None:
    assert normalised(kind, ADDRESSES[kind]) == ADDRESSES[kind]
    for other in set(AddressKind) - {kind, AddressKind.DEVICE}:
        with pytest.raises(BadAddress):
            normalised(other, ADDRESSES[kind])
