"""Credentials at rest: sealed under the newest key, opened under any, and read as they are where they are in plain."""

from __future__ import annotations

import json

import pytest

from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable, Sealing

SECRET, OLD, NEW = "s" * 32, "o" * 32, "n" * 32
TOKEN = {"auth_token": "0123456789abcdef", "webhook_public_key": "MFkw…"}


def test_what_is_sealed_shows_nothing_and_opens_again() -> None:
    cipher = CredentialCipher(SECRET)
    sealed = cipher.seal(TOKEN)
    assert list(sealed) == ["encrypted"]
    assert not [each for each in (*TOKEN, *TOKEN.values()) if each in json.dumps(sealed)]
    assert dict(cipher.open(sealed)) == TOKEN
    assert cipher.seal(TOKEN) != sealed, "the same credentials are not seen to be the same"


def test_nothing_stays_nothing_and_plain_is_read() -> None:
    cipher = CredentialCipher(SECRET, [NEW])
    assert cipher.seal({}) == {} == cipher.open({})
    assert dict(cipher.open(TOKEN)) == TOKEN
    assert [cipher.sealing(each) for each in ({}, TOKEN)] == [Sealing.EMPTY, Sealing.PLAIN]


def test_the_newest_key_seals_and_older_ones_are_read() -> None:
    first, second, third = (
        CredentialCipher(SECRET), CredentialCipher(SECRET, [OLD]), CredentialCipher(SECRET, [NEW, OLD]),
    )  # fmt: skip
    sealed = [each.seal(TOKEN) for each in (first, second, third)]
    assert [third.sealing(each) for each in sealed] == [Sealing.OLDER, Sealing.OLDER, Sealing.CURRENT]
    assert all(dict(third.open(each)) == TOKEN for each in sealed)
    assert [first.sealing(each) for each in sealed] == [Sealing.CURRENT, Sealing.UNREADABLE, Sealing.UNREADABLE]


@pytest.mark.parametrize("token", ["", "gAAAAA", "not a token", "…"])
def test_without_its_key_the_sentence_names_the_setting(token: str) -> None:
    sealed = {"encrypted": token} if token else CredentialCipher(SECRET, [OLD]).seal(TOKEN)
    other = CredentialCipher(SECRET, [NEW])
    assert other.sealing(sealed) is Sealing.UNREADABLE
    for _ in range(2):
        with pytest.raises(CredentialsUnreadable, match="BELLHOP_CREDENTIALS_KEYS") as problem:
            other.open(sealed)
        assert not [each for each in TOKEN.values() if each in str(problem.value)]


def test_opening_twice_decrypts_once() -> None:
    cipher = CredentialCipher(SECRET)
    sealed = cipher.seal(TOKEN)
    opened = cipher.open(sealed)
    assert cipher.open(dict(sealed)) is opened
    with pytest.raises(TypeError):
        opened["auth_token"] = "changed for everybody"  # type: ignore[index]
