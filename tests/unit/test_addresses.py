"""Addresses: what is taken, what is refused, and hashes that only this installation can make."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bellhop.domain.addresses import AddressBook, BadAddress, canonical, email, email_key, phone, recipient, spellings
from bellhop.domain.channels import AddressKind, Channel, kind_of


@pytest.mark.parametrize(
    "text",
    ["+13055551234", "+447911123456", "+4915112345678", "+8613812345678", "+33612345678",
     # Spellings that another one is sent to as well stay as they are.
     "+5215512345678", "+525512345678", "+5491123456789", "+541123456789", "+5511987654321", "+551187654321",
     # Italy's zero is part of the number. New ranges are plausible before a library knows them.
     "+390612345678", "+393401234567", "+15005550006", "+12165550000", "+6599999999"],
)  # fmt: skip
def test_numbers_as_given(text: str) -> None:
    assert phone(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "+", "13055551234", "0013055551234", "+1 305 555 1234", "+1-305-555-1234", "+1(305)5551234", "+1305555123",
        "+130555512345678", "+0123456789", "+999123456789", "+1305555123a", "+１３０５５５５１２３４",
        "+15551234", "+1555123", "+49151234567890123", "+4915123456789012", "+10005551234", "+11115551234",
        "+13051551234", "+13050551234", "+4400000000000", "+52155123456789", "+49" + "0" * 12,
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


ONE_PHONE = [
    ["+525512345678", "+5215512345678", "+52 1 55 1234 5678"],
    ["+541123456789", "+5491123456789", "+54 9 11 2345-6789", "+54 11 15 2345-6789"],
    ["+5511987654321", "+551187654321", "+55 (11) 8765-4321"],
    ["+13055551234", "+1 305 555 1234", "+1 (305) 555-1234"],
    ["+390612345678", "+39 06 12345678"],
    ["+447911123456", "+44 (0)7911 123456"],
]


@pytest.mark.parametrize("ways", ONE_PHONE)
def test_one_phone_is_one_number_however_it_is_spelled(ways: list[str]) -> None:
    assert {canonical(AddressKind.PHONE, way) for way in ways} == {ways[0]}
    assert len({BOOK.hash(AddressKind.PHONE, way) for way in ways}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("+390612345678", "+39612345678"),
        ("+551133334444", "+5511933334444"),  # a landline, and a mobile that was given out with nine digits
        ("+525512345678", "+525512345679"),
        ("+13055551234", "+13055551235"),
        ("32665", "+32665"),
    ],
)
def test_two_phones_are_two_numbers(one: str, other: str) -> None:
    assert canonical(AddressKind.PHONE, one) != canonical(AddressKind.PHONE, other)


@pytest.mark.parametrize("sender", ["32665", "GRANDHOTEL", "", "+", "Anonymous", "\0"])
def test_what_is_no_number_is_compared_as_it_is(sender: str) -> None:
    assert canonical(AddressKind.PHONE, sender) == sender
    assert BOOK.hashes(AddressKind.PHONE, sender) == [BOOK.hash(AddressKind.PHONE, sender)]


@pytest.mark.parametrize(
    "ways",
    [
        ["jordan@b\u00fccher.example", "Jordan@xn--bcher-kva.example", "JORDAN@B\u00dcCHER.EXAMPLE",
         "jordan@bu\u0308cher.example", "jordan@XN--BCHER-KVA.example"],
        ["jos\u00e9@example.com", "Jose\u0301@EXAMPLE.com"],
        ["jordan@example.com", "JORDAN@example.COM"],
    ],
)  # fmt: skip
def test_one_mailbox_is_one_address_however_its_domain_is_written(ways: list[str]) -> None:
    assert {canonical(AddressKind.EMAIL, way) for way in ways} == {ways[0]}


@pytest.mark.parametrize(
    ("kind", "given", "older"),
    [
        (AddressKind.PHONE, "+525512345678", "+5215512345678"),
        (AddressKind.PHONE, "+5215512345678", "+525512345678"),
        (AddressKind.PHONE, "+5215512345678", "+5215512345678"),
        (AddressKind.PHONE, "+541123456789", "+5491123456789"),
        (AddressKind.PHONE, "+5511987654321", "+551187654321"),
        (AddressKind.EMAIL, "jordan@b\u00fccher.example", "jordan@xn--bcher-kva.example"),
    ],
)
def test_what_was_hashed_under_another_spelling_is_found(kind: AddressKind, given: str, older: str) -> None:
    assert older in spellings(kind, given)
    assert BOOK.hashes(kind, given)[0] == BOOK.hash(kind, given) == BOOK.hash(kind, older)
    assert BOOK._hash(kind, older) in BOOK.hashes(kind, given)


@given(st.sampled_from(AddressKind), st.text())
def test_the_canonical_form_is_its_own(kind: AddressKind, text: str) -> None:
    plain = canonical(kind, text)
    assert canonical(kind, plain) == plain
    assert spellings(kind, text)[0] == plain


@example(6_000_000_000_000)
@given(st.integers(10**6, 10**14))
def test_the_canonical_form_of_a_number_is_its_own(digits: int) -> None:
    plain = canonical(AddressKind.PHONE, f"+{digits}")
    assert canonical(AddressKind.PHONE, plain) == plain


def test_its_secret_is_not_shown() -> None:
    assert "secret" not in repr(vars(BOOK))


@pytest.mark.parametrize(
    ("channel", "text", "kind"),
    [
        (Channel.WHATSAPP, "US.1A2b", AddressKind.WHATSAPP_USER),
        (Channel.WHATSAPP, "US.ENT.1A2b", AddressKind.WHATSAPP_USER),
        (Channel.WHATSAPP, "US." + "a" * 128, AddressKind.WHATSAPP_USER),
        (Channel.WHATSAPP, "US." + "a" * 129, AddressKind.PHONE),
        (Channel.WHATSAPP, "us.1A2b", AddressKind.PHONE),
        (Channel.WHATSAPP, "US.1A2b\n", AddressKind.PHONE),
        (Channel.WHATSAPP, "+13055551234", AddressKind.PHONE),
        (Channel.WHATSAPP, None, AddressKind.PHONE),
        (Channel.SMS, "US.1A2b", AddressKind.PHONE),
        (Channel.EMAIL, "US.1A2b", AddressKind.EMAIL),
    ],
)
def test_what_sort_of_address_it_is(channel: Channel, text: str | None, kind: AddressKind) -> None:
    assert kind_of(channel, text) is kind


def test_an_id_of_whatsapps_is_compared_as_it_is() -> None:
    kind, book = AddressKind.WHATSAPP_USER, AddressBook("a secret")
    assert recipient(Channel.WHATSAPP, "US.1A2b") == "US.1A2b"
    assert book.hash(kind, "US.1A2b") not in (book.hash(kind, "US.1a2b"), book.hash(AddressKind.PHONE, "US.1A2b"))
    assert book.hashes(kind, "US.1A2b") == [book.hash(kind, "US.1A2b")]
    with pytest.raises(BadAddress):
        recipient(Channel.SMS, "US.1A2b")
