"""Why a message failed: a code for programs and a sentence for the receptionist, one table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FailureCode(StrEnum):
    """The word in `metadata.error.code`."""

    OPTED_OUT = "opted_out"
    BOUNCED = "bounced"
    ADDRESS_INVALID = "address_invalid"
    UNREACHABLE = "unreachable"
    BLOCKED = "blocked"
    CONTENT_REFUSED = "content_refused"
    WHATSAPP_TEMPLATE_REQUIRED = "whatsapp_template_required"
    TEMPLATE_REFUSED = "template_refused"
    REJECTED = "rejected"
    CONFIGURATION = "configuration"
    PROVIDER_ERROR = "provider_error"
    LIMIT_REACHED = "limit_reached"
    EXPIRED = "expired"
    OUTCOME_UNKNOWN = "outcome_unknown"
    UNDELIVERED = "undelivered"
    MEDIA_UNAVAILABLE = "media_unavailable"
    MEDIA_REFUSED = "media_refused"
    FREQUENCY_CAP = "frequency_cap"
    QUIET_HOURS = "quiet_hours"
    INVALID = "invalid"


CHOICES = ("fail", "resend")
"""What a property may choose, per channel, for a message of which nobody can say whether the provider took it."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a failure code says to a person, and whether sending the same message again later could help."""

    sentence: str
    retryable: bool


WORDS: dict[FailureCode, Words] = {
    FailureCode.OPTED_OUT: Words(
        "The guest does not want messages at this address: they opted out or complained. Reach them another way.", False
    ),
    FailureCode.BOUNCED: Words(
        "An earlier message to this address came back for good, so nothing more is sent to it. Check the address with "
        "the guest, or reach them another way.",
        False,
    ),
    FailureCode.ADDRESS_INVALID: Words(
        "This number or address does not exist or cannot receive such messages. Check it with the guest.", False
    ),
    FailureCode.UNREACHABLE: Words(
        "The guest's phone or mailbox could not be reached just now. Try again later, or another way.", True
    ),
    FailureCode.BLOCKED: Words("The guest's phone or mail service blocks messages from this sender.", False),
    FailureCode.CONTENT_REFUSED: Words(
        "The carrier or mail service refused the text. Change the wording; the same text will be refused again.", False
    ),
    FailureCode.WHATSAPP_TEMPLATE_REQUIRED: Words(
        "WhatsApp takes a free text only within 24 hours of the guest's last WhatsApp message, and there was no "
        "approved template to send this one with. Send an approved template, or reach the guest another way.",
        False,
    ),
    FailureCode.TEMPLATE_REFUSED: Words(
        "WhatsApp did not take this template: it is paused, rejected or not as it was approved. Tell your "
        "administrator, or reach the guest another way.",
        False,
    ),
    FailureCode.REJECTED: Words("The provider refused the message. The provider's code says why.", False),
    FailureCode.CONFIGURATION: Words(
        "The sending account is not set up for this message (number, country or permission). Tell your administrator.",
        False,
    ),
    FailureCode.PROVIDER_ERROR: Words("The provider had a fault of its own and dropped the message.", True),
    FailureCode.LIMIT_REACHED: Words("A sending limit at the provider or carrier was reached. Try again later.", True),
    FailureCode.EXPIRED: Words("It could not be sent before it was too late to be useful.", True),
    FailureCode.OUTCOME_UNKNOWN: Words(
        "The provider did not say whether it took the message, so it was not sent again: the guest may have it. "
        "Ask the guest before you repeat it.",
        False,
    ),
    FailureCode.MEDIA_UNAVAILABLE: Words(
        "A picture or file of this message could not be fetched, or has been deleted. Send it again with one that is "
        "there.",
        True,
    ),
    FailureCode.MEDIA_REFUSED: Words(
        "A picture or file of this message cannot be sent this way: its type or size. Send it again with another one.",
        False,
    ),
    FailureCode.FREQUENCY_CAP: Words(
        "The guest has had as many messages of this kind lately as your property allows. Send it again later.", True
    ),
    FailureCode.QUIET_HOURS: Words(
        "It would have had to wait for the guest's quiet hours to end, and would have come too late by then.", True
    ),
    FailureCode.INVALID: Words(
        "What was asked for cannot be sent, as was seen after it had been taken in. Correct it, and send it again.",
        False,
    ),
    FailureCode.UNDELIVERED: Words("The provider could not deliver the message and gave no clear reason.", True),
}


def error_object(code: str, provider_code: str | None) -> dict[str, object]:
    """`metadata.error` of a failed message: {code, message, provider_code, retryable}."""
    words = WORDS[FailureCode(code)]
    return {"code": code, "message": words.sentence, "provider_code": provider_code, "retryable": words.retryable}
