"""Addresses: checked with the libraries that know them, and compared and hashed in one form.

Rules of this file:
- what is sent to is the address as it was given; what is compared and hashed is its `canonical` form;
- two spellings that reach one guest have one canonical form, and two guests never share one;
- hashes that were stored under another spelling are found too: `AddressBook.hashes`.
It does not know who calls it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Mapping

import phonenumbers
from email_validator import EmailNotValidError, ValidatedEmail, validate_email

from bellhop.domain.app_receipts import ReceiptTokens
from bellhop.domain.channels import AddressKind, Channel, is_user_id, kind_of
from bellhop.domain.ids import Prefix, parse
from bellhop.domain.mail_addresses import MailAddresses
from bellhop.domain.unsubscribe import UnsubscribeTokens

_OTHER_SPELLINGS = frozenset({52, 54, 55})
"""Countries where one phone is written in two ways: Mexico (a 1 before mobiles, until 2019), Argentina (a 9 before
mobiles, from abroad), Brazil (a ninth digit, since 2016)."""
_LONGEST = 15
"""Digits of a number with its country code (ITU-T E.164)."""
_LONGEST_WRITTEN = 40
"""Characters of a number as people write it; longer is none, and is not looked at."""
_LONGEST_EMAIL = 320
"""Characters of an e-mail address, 64 and 255 beside the sign (RFC 5321, 4.5.3.1); what is longer is not looked at."""
_NORTH_AMERICAN = re.compile(r"[2-9]\d\d[2-9]\d{6}")
"""Area code and exchange begin with 2 to 9 wherever +1 is dialled, in area codes to come too."""


class BadAddress(ValueError):
    """The address cannot be one; the message says what was expected."""


def phone(text: str) -> str:
    """An E.164 number as given, checked against the numbering plans: lengths, not ranges, which are assigned anew every
    month. Raises BadAddress."""
    expected = "expected a phone number in E.164 form, such as +13055551234"
    if len(text) > _LONGEST_WRITTEN or not text.startswith("+") or not text[1:].isascii() or not text[1:].isdigit():
        raise BadAddress(expected)
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise BadAddress(expected) from None
    taken = text if number.country_code in _OTHER_SPELLINGS else _e164(number)
    plain = phonenumbers.parse(canonical(AddressKind.PHONE, taken))
    possible = phonenumbers.is_possible_number_with_reason(plain) == phonenumbers.ValidationResult.IS_POSSIBLE
    if not possible or len(taken) > 1 + _LONGEST or not plain.national_number:
        raise BadAddress(expected + "; no country has numbers of that length")
    if plain.country_code == 1 and not _NORTH_AMERICAN.fullmatch(str(plain.national_number)):
        raise BadAddress(expected + "; no area has such numbers")
    return taken


def email(text: str) -> str:
    """An e-mail address, its domain normalised. No look-up is made. Raises BadAddress."""
    return _valid_email(text).normalized


def _valid_email(text: str) -> ValidatedEmail:
    if len(text) > _LONGEST_EMAIL:
        # Before the library looks at it: its work grows faster than the text.
        raise BadAddress(f"expected an e-mail address: it has more than {_LONGEST_EMAIL} characters")
    try:
        return validate_email(text, check_deliverability=False, test_environment=True)
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


def whatsapp_user(text: str) -> str:
    """The id of a guest who shows no number, as WhatsApp has it: capitals count. Raises BadAddress."""
    if not is_user_id(text):
        raise BadAddress("expected the id of a WhatsApp user, such as US.1A2b3C")
    return text


_NORMALISED: Mapping[AddressKind, Callable[[str], str]] = {
    AddressKind.PHONE: phone,
    AddressKind.EMAIL: email,
    AddressKind.GUEST: guest,
    AddressKind.DEVICE: device,
    AddressKind.WHATSAPP_USER: whatsapp_user,
}


def normalised(kind: AddressKind, text: str) -> str:
    """An address of that kind as it is stored and sent to. Raises BadAddress, which says what was expected."""
    return _NORMALISED[kind](text)


def recipient(channel: Channel, text: str) -> str:
    """An address that a channel can reach, as `normalised`."""
    return normalised(kind_of(channel, text), text)


def canonical(kind: AddressKind, text: str) -> str:
    """What the spellings of one address have in common, however we or a provider have it: used to compare and to hash,
    never to send. What is no address stays as it is."""
    match kind:
        case AddressKind.PHONE:
            return _canonical_phone(text)
        case AddressKind.EMAIL:
            return email_key(text)
        case _:
            return text


def spellings(kind: AddressKind, text: str) -> list[str]:
    """The ways in which an address may be written where it is stored, the canonical one first."""
    plain = canonical(kind, text)
    return list(dict.fromkeys([plain, *_others(kind, plain), text.casefold() if kind is AddressKind.EMAIL else text]))


def email_key(address: str) -> str:
    """The canonical form of an e-mail address: no capitals, its domain in Unicode."""
    try:
        return email(address).casefold()
    except BadAddress:
        return address.casefold()


def _canonical_phone(text: str) -> str:
    if len(text) > _LONGEST_WRITTEN:
        return text
    try:
        plain = _one_spelling(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        return text
    # Of what is no number at all, zeros are taken off one by one.
    return plain if plain == text else _canonical_phone(plain)


def _one_spelling(number: phonenumbers.PhoneNumber) -> str:
    plain = _e164(number)
    prefix, national = plain[:3], plain[3:]
    match number.country_code:
        case 52 if len(national) == 11 and national[0] == "1":
            return prefix + national[1:]
        case 54 if len(national) == 11 and national[0] == "9":
            return prefix + national[1:]
        case 54 if len(national) == 12 and "15" in national:
            # As it is dialled in Argentina, the 15 after the area code.
            return _e164(phonenumbers.parse(f"0{national}", "AR"))
        case 55 if len(national) == 10 and national[2] in "6789":
            return prefix + national[:2] + "9" + national[2:]
        case _:
            return plain


def _others(kind: AddressKind, plain: str) -> list[str]:
    """The spellings of a canonical address beside itself."""
    if kind is AddressKind.EMAIL and not plain.isascii():
        try:
            domain = _valid_email(plain).ascii_domain
        except BadAddress:
            return []
        return [plain.rpartition("@")[0] + "@" + domain]
    if kind is not AddressKind.PHONE:
        return []
    prefix, national = plain[:3], plain[3:]
    match prefix:
        case "+52" if len(national) == 10:
            return [prefix + "1" + national]
        case "+54" if len(national) == 10:
            return [prefix + "9" + national]
        case "+55" if len(national) == 11 and national[2] == "9" and national[3] in "6789":
            return [prefix + national[:2] + national[3:]]
        case _:
            return []


def _e164(number: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


class AddressBook:
    """Keyed hashes of addresses and requests: the same address is recognised, its text cannot be read back."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"bellhop address book\0" + secret.encode()).digest()
        self.receipt_tokens = ReceiptTokens(secret)
        """With which guests' apps report what became of a notification."""
        self.unsubscribe_tokens = UnsubscribeTokens(secret)
        """With which guests say that they want no more marketing."""
        self.mail_addresses = MailAddresses(secret)
        """With which answers by mail find what they answer."""

    def hash(self, kind: AddressKind, address: str) -> bytes:
        """HMAC-SHA256 of the kind and the canonical address: what is stored."""
        return self._hash(kind, canonical(kind, address))

    def hashes(self, kind: AddressKind, address: str) -> list[bytes]:
        """Every hash under which an address may be stored, that of `hash` first: what is looked for. Older versions
        hashed other spellings, and what was said of them still binds."""
        return [self._hash(kind, spelling) for spelling in spellings(kind, address)]

    def _hash(self, kind: AddressKind, text: str) -> bytes:
        return hmac.digest(self._key, f"{kind.value}:{text}".encode(), "sha256")

    def group(self, numbers: Iterable[str]) -> str:
        """What the group of these numbers is called with us, in whatever order they are written: no number can be read
        from it."""
        plain = sorted(canonical(AddressKind.PHONE, number) for number in numbers)
        return "group:" + hmac.digest(self._key, b"group:" + ",".join(plain).encode(), "sha256").hex()[:32]

    def fingerprint(self, payload: bytes) -> bytes:
        """HMAC-SHA256 of a request's canonical body, for Idempotency-Key."""
        return hmac.digest(self._key, b"request:" + payload, "sha256")

    def check(self) -> bytes:
        """A value that tells whether the key is still the one this database was made with."""
        return hmac.digest(self._key, b"check", "sha256")
