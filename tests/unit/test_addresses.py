"""Addresses: what is taken, what is refused, and hashes that only this installation can make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellhop.domain.addresses import AddressBook, BadAddress, email, email_key, phone
from bellhop.domain.channels import AddressKind


@pytest.mark.parametrize("text", ["+13055551234", "+447911123456", "+4915112345678", "+8613812345678", "+33612345678"])
def test_numbers_as_given(text: str) -> None:
    assert phone(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "13055551234", "0013055551234", "+1 305 555 1234", "+1-305-555-1234", "+1(305)5551234", "+1305555123",
        "+130555512345678", "+0123456789", "+999123456789", "+1305555123a", "+１３０５５５５１２３４",
        "tel:+13055551234", "+13055551234;ext=5", "+13055551234\n", "+" + "1" * 400,
    ],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(BadAddress, match=r"E\.164"):
        phone(text)


@given(st.text())
def test_any_text_is_a_number_or_refused(text: str) -> None:
    try:
        taken = phone(text)
    except BadAddress:
        return
    assert taken.startswith("+")
    assert taken[1:].isdigit()


@pytest.mark.parametrize(
    ("text", "sent_to"),
    [
        ("jordan@example.com", "jordan@example.com"),
        ("Jordan@EXAMPLE.com", "Jordan@example.com"),
        ("jordan+room7@example.com", "jordan+room7@example.com"),
        ("o'brien@example.co.uk", "o'brien@example.co.uk"),
        ("jordan@b\u00fccher.example", "jordan@b\u00fccher.example"),
    ],
)
def test_mail_addresses_keep_their_local_part(text: str, sent_to: str) -> None:
    assert email(text) == sent_to


@pytest.mark.parametrize(
    "text",
    ["", "jordan", "jordan@", "@example.com", "jordan@example", "a b@example.com", "jordan@exa mple.com",
     "jordan@@example.com", "jordan@example..com", "Jordan <jordan@example.com>", "jordan@example.com\n",
     "jordan@[127.0.0.1]", "jordan@" + "x" * 250 + ".com"],
)  # fmt: skip
def test_what_is_no_mail_address(text: str) -> None:
    with pytest.raises(BadAddress, match="e-mail address"):
        email(text)


@given(st.text())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        taken = email(text)
    except BadAddress:
        return
    assert "@" in taken


def test_spellings_of_one_address_have_one_key() -> None:
    assert (
        len({email_key(email(text)) for text in ("Jordan@Example.com", "jordan@example.COM", "JORDAN@EXAMPLE.COM")})
        == 1
    )


BOOK = AddressBook("a secret of the tests, long enough to be one")


def test_hashes_are_the_same_for_one_address_and_differ_for_all_else() -> None:
    mail, number = "jordan@example.com", "+13055551234"
    assert BOOK.hash(AddressKind.EMAIL, mail) == BOOK.hash(AddressKind.EMAIL, "Jordan@Example.com")
    other = AddressBook("another secret of the tests, as long as it")
    every = [
        BOOK.hash(AddressKind.EMAIL, mail),
        BOOK.hash(AddressKind.PHONE, number),
        BOOK.hash(AddressKind.GUEST, number),
        other.hash(AddressKind.PHONE, number),
        BOOK.fingerprint(f"phone:{number}".encode()),
        BOOK.check(),
        other.check(),
    ]
    assert len(set(every)) == len(every)
    assert {len(each) for each in every} == {32}


@given(st.binary())
def test_fingerprints_tell_requests_apart(body: bytes) -> None:
    assert BOOK.fingerprint(body) == AddressBook("a secret of the tests, long enough to be one").fingerprint(body)
    assert BOOK.fingerprint(body) != BOOK.fingerprint(body + b" ")


def test_its_secret_is_not_shown() -> None:
    assert "secret" not in repr(vars(BOOK))
