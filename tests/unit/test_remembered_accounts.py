"""What a process remembers of the accounts that callbacks come for. Beside the record: test_account_versions.py."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from bellhop.domain.credentials import CredentialCipher, CredentialsUnreadable
from bellhop.engine.remembered_accounts import Known, RememberedAccounts

CIPHER = CredentialCipher("a" * 32)


def row(identity: str, number: int = 0, **credentials: str) -> Any:
    return SimpleNamespace(
        id=number, provider="twilio", identity=identity, base_url="", credentials=CIPHER.seal(credentials),
        previous_credentials={},
    )  # fmt: skip


def test_what_is_not_an_account_any_more_is_remembered_no_longer() -> None:
    known = RememberedAccounts()
    assert known.note("twilio", "AC1", 1, [row("AC1")])
    assert known.note("twilio", "AC1", 2, []) is None
    assert known.of("twilio", "AC1") is None and known.of("sendgrid", "AC1") is None


def test_so_many_rows_are_remembered_and_no_more() -> None:
    known = RememberedAccounts(most=3)
    known.note("twilio", "AC1", 1, [row("AC1"), row("AC1")])
    known.note("twilio", "AC2", 1, [row("AC2")])
    assert known.of("twilio", "AC1")  # used since
    known.note("twilio", "AC3", 1, [row("AC3")])
    assert known.of("twilio", "AC1") and known.of("twilio", "AC3")
    assert known.of("twilio", "AC2") is None
    # One that is larger than that is what there is.
    known.note("twilio", "AC4", 1, [row("AC4")] * 4)
    assert known.of("twilio", "AC4")
    assert known.of("twilio", "AC1") is None and known.of("twilio", "AC3") is None


def test_each_secret_is_opened_once_and_asked_once() -> None:
    known = Known(1, [row("AC1", 1, token="a"), row("AC1", 2, token="b"), row("AC1", 3, token="a")])
    together = known.opened(CIPHER)
    assert [[cast(int, account.id) for account in same] for same in together] == [[1, 3], [2]]
    assert known.opened(CIPHER) is together
    assert "token" not in repr(known)


def test_what_cannot_be_opened_is_not_tried_at_each_callback() -> None:
    known = Known(1, [row("AC1", token="a")])
    for cipher in (CredentialCipher("b" * 32), CIPHER):
        with pytest.raises(CredentialsUnreadable):
            known.opened(cipher)
