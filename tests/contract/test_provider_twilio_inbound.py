"""What guests write, as Twilio posts it."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.channels import Channel, Service
from bellhop.domain.consents import Effect
from bellhop.domain.delivery_ports import CallbackRequest, Inbound, Receipt
from bellhop.domain.inbound_details import Button, Location, Media, shown
from bellhop.providers.twilio.adapter import Twilio
from tests.contract.providers.twilio import CASE as TWILIO
from tests.contract.test_provider_twilio import status

SID, NUMBER, SENDER = TWILIO.accepted_id, TWILIO.to, TWILIO.sender
SERVICE = "MG" + "1" * 32


@pytest.mark.parametrize(
    ("kind", "effect"), [("", None), ("STOP", Effect.OPT_OUT), ("START", Effect.OPT_IN), ("HELP", None), ("X", None)]
)
def test_a_guests_message(kind: str, effect: Effect | None) -> None:
    request = status(path="inbound", Body="stop\0 \ud83c\udfe8".encode("utf-16", "surrogatepass").decode("utf-16"),
                     OptOutType=kind, From=NUMBER, To=SENDER)  # fmt: skip
    (inbound,) = Twilio().parse(request)
    assert isinstance(inbound, Inbound)
    assert (inbound.channel, inbound.sender, inbound.recipient) == (Channel.SMS, NUMBER, SENDER)
    assert (inbound.text, inbound.effect, inbound.provider_id) == ("stop\ufffd 🏨", effect, SID)


def test_a_guests_message_on_whatsapp() -> None:
    (inbound,) = Twilio().parse(status(path="inbound", Body="hi", From="whatsapp:+1", To="whatsapp:+2"))
    assert isinstance(inbound, Inbound)
    assert (inbound.channel, inbound.sender, inbound.recipient) == (Channel.WHATSAPP, "+1", "+2")


def test_what_comes_with_a_guests_message() -> None:
    message = f"2010-04-01/Accounts/AC{'0' * 32}/Messages/MM{'1' * 32}"
    media = {f"MediaUrl{at}": f"https://api.twilio.com/{message}/Media/ME{at:032}" for at in range(12)}
    (inbound,) = Twilio().parse(
        status(
            path="inbound", Body="", From=f"whatsapp:{NUMBER}", To=f"whatsapp:{SENDER}", NumMedia="12", **media,
            MediaContentType0="image/jpeg", ButtonText="Late check-out", ButtonPayload="late", Latitude="25.77",
            Longitude="-80.19", Address="1 Ocean Drive", Label="The beach", ProfileName="Jo", WaId="13055551234",
            OriginalRepliedMessageSid="SM7",
        )
    )  # fmt: skip
    assert isinstance(inbound, Inbound)
    details = inbound.details
    assert details.media[0] == Media(media["MediaUrl0"], "image/jpeg", f"MM{'1' * 32}/ME{'0' * 32}")
    assert (len(details.media), details.media_count) == (10, 12)
    assert details.button == Button("Late check-out", "late")
    assert details.location == Location(25.77, -80.19, "1 Ocean Drive", "The beach")
    assert (details.profile_name, details.profile_id, details.replied_to) == ("Jo", "13055551234", "SM7")


@pytest.mark.parametrize(
    "fields",
    [
        {"NumMedia": "many"},
        {"NumMedia": "-1"},
        {"NumMedia": "99999"},
        {"Latitude": "north", "Longitude": "1"},
        {"Latitude": "1"},
        {"Latitude": "nan", "Longitude": "1"},
        {"Latitude": "91", "Longitude": "1"},
        {"MediaUrl0": "javascript:alert(1)"},
        {"MediaUrl0": "https://[::1"},
        {"MediaUrl0": "https://x/" + "a" * 3000},
    ],
)
def test_what_is_none_of_that_is_left_out(fields: dict[str, str]) -> None:
    (inbound,) = Twilio().parse(status(path="inbound", Body="hi", From=NUMBER, To=SENDER, **fields))
    assert isinstance(inbound, Inbound)
    stored = inbound.details.stored()
    left_out = {"media": [{"state": "failed", "problem": "no_address"}], "media_count": 1}
    assert stored == (left_out if "MediaUrl0" in fields else None)


def test_a_text_comes_by_either_address() -> None:
    fields = {"Body": "hi", "From": NUMBER, "To": SENDER}
    (first,) = Twilio().parse(status(path="inbound", **fields))
    (second,) = Twilio().parse(status(path="fallback", **fields, ErrorCode="11200", ErrorUrl="https://x/inbound"))
    assert isinstance(second, Inbound)
    assert second == replace(first, payload=second.payload)


def test_a_list_that_the_guest_chose_from() -> None:
    (inbound,) = Twilio().parse(status(path="inbound", From=NUMBER, To=SENDER, ListTitle="Spa", ListId="spa"))
    assert isinstance(inbound, Inbound)
    assert inbound.details.button == Button("Spa", "spa")


@pytest.mark.parametrize(
    ("fields", "service"),
    [
        ({"From": "rcs:hotel_agent", "ChannelPrefix": "rcs", "MessagingServiceSid": SERVICE}, Service.RCS),
        ({"From": "+15005550006", "MessagingServiceSid": SERVICE}, Service.SMS),
        ({"From": "+15005550006"}, None),
        ({"From": "whatsapp:+15005550006", "MessagingServiceSid": SERVICE}, None),
        ({}, None),
    ],
)
def test_by_which_of_its_senders_a_service_sent(fields: dict[str, str], service: Service | None) -> None:
    """A Messaging Service with an RCS sender falls back to SMS by itself: one message, one step."""
    for word in ("sent", "delivered", "queued", "undelivered"):
        body = urlencode({"MessageSid": "SM" + "1" * 32, "MessageStatus": word, **fields}).encode()
        (receipt,) = Twilio().parse(CallbackRequest("http://x", "status", {}, {}, body))
        assert isinstance(receipt, Receipt)
        assert receipt.service is (service if word in ("sent", "delivered") else None)


def test_a_guests_text_by_rcs_is_one_of_their_number() -> None:
    fields = {"From": "rcs:+13055551234", "To": "rcs:hotel_agent", "MessagingServiceSid": SERVICE, "Body": "Hi"}
    body = urlencode({"MessageSid": "SM" + "1" * 32, **fields}).encode()
    (inbound,) = Twilio().parse(CallbackRequest("http://x", "inbound", {}, {}, body))
    assert isinstance(inbound, Inbound)
    assert (inbound.channel, inbound.sender, inbound.recipient) == (Channel.SMS, "+13055551234", "hotel_agent")
    assert inbound.service == SERVICE


FIELDS = (
    *(f"MediaUrl{at}" for at in range(3)), *(f"MediaContentType{at}" for at in range(3)), "NumMedia", "ButtonText",
    "ButtonPayload", "ListTitle", "ListId", "Latitude", "Longitude", "Address", "Label", "ProfileName", "WaId",
    "ExternalUserId", "OriginalRepliedMessageSid", "OptOutType", "Body", "MessagingServiceSid",
)  # fmt: skip
SAID = st.one_of(
    st.text(max_size=3_000), st.floats().map(str), st.integers().map(str), st.sampled_from(["", "nan", "-0", "1e999"]),
    st.just(f"https://api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages/MM{'1' * 32}/Media/ME{'2' * 32}"),
)  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(FIELDS), SAID), st.sampled_from([NUMBER, f"whatsapp:{NUMBER}", "whatsapp:US.A1"])
)
def test_whatever_a_form_says_is_read_and_bounded(fields: dict[str, str], sender: str) -> None:
    form = {name: value.encode("utf-8", "replace").decode() for name, value in fields.items()}
    (inbound,) = Twilio().parse(status(path="inbound", From=sender, To=SENDER, **form))
    assert isinstance(inbound, Inbound)
    object_ = shown(inbound.details.stored())
    assert len(json.dumps(object_, allow_nan=False)) < 128 * 1024
    assert all(one["url"] is None for one in object_["media"]), "where a provider has a file is shown to nobody"
    known = [one for one in inbound.details.media if one.provider_id]
    assert all(one.provider_id == f"MM{'1' * 32}/ME{'2' * 32}" for one in known)
