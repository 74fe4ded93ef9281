"""Addresses: checked with the libraries that know them, normalised once, and hashed with the installation's key."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from bellhop.domain.channels import AddressKind
from bellhop.domain.ids import Prefix, parse


class BadAddress(ValueError):
    """The address cannot be one; the message says what was expected."""


def phone(text: str) -> str:
    """An E.164 number as given, checked against the numbering plans. Raises BadAddress."""
    expected = "expected a phone number in E.164 form, such as +13055551234"
    if not text.startswith("+") or not text[1:].isascii() or not text[1:].isdigit():
        raise BadAddress(expected)
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise BadAddress(expected) from None
    if not phonenumbers.is_possible_number(number):
        raise BadAddress(expected + "; no country has numbers of that length")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(text: str) -> str:
    """An e-mail address, its domain normalised. No look-up is made. Raises BadAddress."""
    try:
        return validate_email(text, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError as error:
        raise BadAddress(f"expected an e-mail address: {error}") from None


def guest(text: str) -> str:
    """The id of a guest; whether there is one is for the database to say. Raises BadAddress."""
    if parse(Prefix.GUEST, text) is None:
        raise BadAddress("expected the id of a guest of this property (gst_…)")
    return text


def device(text: str) -> str:
    """A device token. Its form is its maker's: nothing is checked."""
    return text


_NORMALISED: Mapping[AddressKind, Callable[[str], str]] = {
    AddressKind.PHONE: phone,
    AddressKind.EMAIL: email,
    AddressKind.GUEST: guest,
    AddressKind.DEVICE: device,
}


def normalised(kind: AddressKind, text: str) -> str:
    """An address of that kind as it is stored and sent to. Raises BadAddress, which says what was expected."""
    return _NORMALISED[kind](text)


def email_key(address: str) -> str:
    """What the spellings of one e-mail address have in common, given as `email` or a provider writes it: used to match
    and to hash, never to send."""
    return address.casefold()


class AddressBook:
    """Keyed hashes of addresses and requests: the same address is recognised, its text cannot be read back."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"bellhop address book\0" + secret.encode()).digest()

    def hash(self, kind: AddressKind, address: str) -> bytes:
        """HMAC-SHA256 of the kind and the normalised address."""
        plain = email_key(address) if kind is AddressKind.EMAIL else address
        return hmac.digest(self._key, f"{kind.value}:{plain}".encode(), "sha256")

    def fingerprint(self, payload: bytes) -> bytes:
        """HMAC-SHA256 of a request's canonical body, for Idempotency-Key."""
        return hmac.digest(self._key, b"request:" + payload, "sha256")

    def check(self) -> bytes:
        """A value that tells whether the key is still the one this database was made with."""
        return hmac.digest(self._key, b"check", "sha256")
