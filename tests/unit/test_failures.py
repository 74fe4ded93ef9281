"""Every failure code has words for the receptionist, and one form."""

from __future__ import annotations

import pytest

from bellhop.domain.failures import WORDS, FailureCode, error_object
from bellhop.providers.sendgrid.codes import ANSWERS, EVENTS, FIELDS, REASONS
from bellhop.providers.twilio.codes import CODES


@pytest.mark.parametrize("code", FailureCode)
def test_its_words(code: FailureCode) -> None:
    said = error_object(code.value, "30003")
    assert list(said) == ["code", "message", "provider_code", "retryable"]
    assert said["code"] == code.value
    assert said["provider_code"] == "30003"
    assert isinstance(said["retryable"], bool)
    sentence = str(said["message"])
    assert sentence.endswith(".")
    assert len(sentence.split()) > 5
    assert error_object(code.value, None)["provider_code"] is None


def test_the_table_is_whole_and_no_two_codes_say_the_same() -> None:
    assert set(WORDS) == set(FailureCode)
    assert len({words.sentence for words in WORDS.values()}) == len(FailureCode)


def test_what_the_guest_may_have_is_never_called_worth_repeating() -> None:
    assert not WORDS[FailureCode.OUTCOME_UNKNOWN].retryable
    assert not WORDS[FailureCode.OPTED_OUT].retryable
    assert not WORDS[FailureCode.BOUNCED].retryable


def test_every_code_of_the_providers_tables_is_one_of_ours() -> None:
    used = {code.failure for code in CODES.values()}
    used |= {code for _, code in ANSWERS.values()} | {code for _, code in FIELDS}
    used |= {event.code for event in (*EVENTS.values(), *REASONS.values()) if event.code}
    assert used <= set(FailureCode)
    # Nobody needs a code that nothing leads to; these are our own decisions.
    assert set(FailureCode) - used <= {
        FailureCode.EXPIRED,
        FailureCode.REJECTED,
        FailureCode.BOUNCED,
        FailureCode.MEDIA_UNAVAILABLE,
        FailureCode.FREQUENCY_CAP,
        FailureCode.QUIET_HOURS,
        FailureCode.INVALID,
    }


def test_an_unknown_code_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="no_such_code"):
        error_object("no_such_code", None)
