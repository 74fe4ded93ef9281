"""Provider credentials in the database: encrypted from the start, read from older rows, put under another key, and held
with their messages while their key is missing."""

from __future__ import annotations

from dataclasses import replace
from typing import cast
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.domain.addresses import AddressBook
from bellhop.domain.answers import Answer, Next
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.credentials import CredentialsUnreadable
from bellhop.domain.delivery_ports import CallbackRequest, Claim, Lookup
from bellhop.domain.provider_urls import Routes
from bellhop.domain.routing import carried
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import AccountUnreadable, NotFound
from bellhop.engine.receipts import receive
from bellhop.ops import administration
from bellhop.ops.administration import Refused
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.providers import PACKAGES, providers
from bellhop.sandbox.providers import default_accounts
from bellhop.settings import Settings
from bellhop.store.database import Database
from bellhop.store.delivery.accounts import calling_account
from bellhop.store.delivery.attempt_store import AttemptStore
from bellhop.store.delivery.callback_accounts import of_callbacks
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import NewMessage
from bellhop.temporal.dispatcher import TemporalDispatcher
from tests.integration.test_administration import SID, SLUG, rows, twilio, tx
from tests.sandbox_accounts import SANDBOX_SECRET

__all__ = ["tx"]

ALL = len(PACKAGES) + 1
"""Accounts with credentials: one of each provider for tests, and Twilio's of live. Beside them there is our own."""
OLD, NEW = "an older key of the tests, long enough", "the newest key of the tests, long enough"
PLAIN = '{"auth_token": "plain-token"}'


def keyed(settings: Settings, *keys: str) -> Settings:
    """The settings with these keys for credentials, newest first."""
    changed = settings.bellhop.model_copy(update={"credentials_keys": [SecretStr(key) for key in keys]})
    return settings.model_copy(update={"bellhop": changed})


def under(use_cases: Engine, settings: Settings) -> Engine:
    """The same with the keys of these settings."""
    return replace(use_cases, cipher=settings.bellhop.credential_cipher())


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an address that live accounts may have."""
    public = settings.bellhop.model_copy(update={"public_url": "https://bellhop.example.com"})
    return settings.model_copy(update={"bellhop": public})


@pytest.fixture
async def live(tx: AsyncConnection, use_cases: Engine, settings: Settings) -> Scope:
    """A live scope whose Twilio account was set, and its token rotated."""
    scopes = await ensure_property(tx, "Grand Sunset Resort", SLUG)
    await ensure_accounts(tx, scopes["test"], settings)
    for token in ("first-token", "second-token"):
        await administration.set_accounts(use_cases, twilio(settings, token), SLUG, "live")
    return scopes["live"]


async def dump(tx: AsyncConnection) -> str:
    """The whole table as text."""
    return str((await tx.execute(text("select string_agg(a::text, ' ') from provider_accounts a"))).scalar_one())


async def test_nothing_of_a_credential_is_in_the_table(tx: AsyncConnection, live: Scope) -> None:
    kept = await dump(tx)
    secret = [
        value
        for account in default_accounts(SANDBOX_SECRET).values()
        for name, value in account.env.items()
        if name.endswith(("TOKEN", "API_KEY", "PUBLIC_KEY"))
    ]
    assert len(secret) >= 3
    assert not [value for value in (*secret, "first-token", "second-token", "auth_token") if value in kept]


async def test_rows_in_plain_are_read_and_encrypted_by_command(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, live: Scope
) -> None:
    await tx.execute(text("update provider_accounts set credentials = :plain where identity = :sid"),
                     {"plain": PLAIN, "sid": SID})  # fmt: skip
    cipher = settings.bellhop.credential_cipher()
    (row,) = await of_callbacks(tx, "twilio", SID)
    account = calling_account(cipher, row)
    assert (account.credentials["auth_token"], account.previous_credentials["auth_token"]) == (
        "plain-token", "first-token",
    )  # fmt: skip
    done = await administration.encrypt_accounts(use_cases)
    assert done == {"encrypted": 1, "reencrypted": 0, "unchanged": ALL, "unreadable": 0}
    assert "plain-token" not in await dump(tx)
    before = await dump(tx)
    assert (await administration.encrypt_accounts(use_cases))["unchanged"] == ALL + 1
    assert await dump(tx) == before, "safe to repeat"
    assert (await rows(tx, live, settings))[SID]["credentials"] == {"auth_token": "plain-token"}


async def test_keys_are_rotated(tx: AsyncConnection, use_cases: Engine, settings: Settings, live: Scope) -> None:
    """From the secret key to one of its own, to the next; then the older ones are needed no more."""
    for keys in ([OLD], [NEW, OLD]):
        now = keyed(settings, *keys)
        assert (await rows(tx, live, now))[SID]["credentials"] == {"auth_token": "second-token"}
        done = await administration.encrypt_accounts(under(use_cases, now))
        assert done == {"encrypted": 0, "reencrypted": ALL, "unchanged": 1, "unreadable": 0}
    found = (await rows(tx, live, keyed(settings, NEW)))[SID]
    assert (found["credentials"], found["previous_credentials"]) == (
        {"auth_token": "second-token"}, {"auth_token": "first-token"},
    )  # fmt: skip


async def test_under_a_key_that_is_not_set_nothing_is_lost(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, live: Scope
) -> None:
    await administration.encrypt_accounts(under(use_cases, keyed(settings, NEW)))
    before = await dump(tx)
    done = await administration.encrypt_accounts(use_cases)
    assert (done["unreadable"], done["unchanged"]) == (ALL, 1)
    assert "BELLHOP_CREDENTIALS_KEYS" in done["next"]
    for row in await of_callbacks(tx, "twilio", SID):
        with pytest.raises(CredentialsUnreadable, match="BELLHOP_CREDENTIALS_KEYS"):
            calling_account(settings.bellhop.credential_cipher(), row)
    with pytest.raises(Refused, match="BELLHOP_CREDENTIALS_KEYS"):
        await administration.set_accounts(use_cases, twilio(settings, "third-token"), SLUG, "live")
    assert await dump(tx) == before
    # The key is gone for good: the credentials are given anew, and those of before are forgotten.
    await administration.set_accounts(use_cases, twilio(settings, "third-token"), SLUG, "live", forget_previous=True)
    found = (await rows(tx, live, settings))[SID]
    assert (found["credentials"], found["previous_credentials"]) == ({"auth_token": "third-token"}, {})


async def test_messages_wait_until_the_key_is_back(
    engine: AsyncEngine, use_cases: Engine, settings: Settings, book: AddressBook
) -> None:
    def store(now: Settings) -> AttemptStore:
        routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
        return AttemptStore(
            engine,
            settings.delivery,
            routes,
            carried(providers()),
            now.bellhop.credential_cipher(),
            book,
            lambda _: None,
        )

    async with engine.begin() as tx:
        scope = (await ensure_property(tx, "Grand Sunset Resort", SLUG))["test"]
        await ensure_accounts(tx, scope, keyed(settings, NEW))
        message = await outbound.accept(tx, scope, sms(), book, carried(providers()), 3600.0)
    decided = await store(settings).claim(message.id, 1e12)
    assert isinstance(decided, Answer)
    assert (decided.status, decided.next) == ("queued", Next.AGAIN)
    assert decided.after > 0
    held = [row for row in await administration.list_accounts(use_cases, SLUG) if row["health"] == "held"]
    assert [(row["provider"], row["held_code"], row["waiting"]) for row in held] == [
        ("twilio", "credentials_unreadable", 1)
    ]
    async with engine.begin() as tx:
        assert (await tx.execute(text("select count(*) from attempts"))).scalar_one() == 0
        await at_once(tx, message.id)
    claim = await store(keyed(settings, NEW)).claim(message.id, 1e12)
    assert isinstance(claim, Claim)
    assert claim.account.credentials["auth_token"] in default_accounts(SANDBOX_SECRET)["twilio"].env.values()


async def test_a_provider_is_asked_once_the_key_is_back(
    engine: AsyncEngine, settings: Settings, book: AddressBook
) -> None:
    """An attempt whose outcome is unknown stays unknown meanwhile: nobody asks with what cannot be decrypted."""
    routes = Routes("http://127.0.0.1:8", "http://127.0.0.1:9")
    async with engine.begin() as tx:
        scope = (await ensure_property(tx, "Grand Sunset Resort", SLUG))["test"]
        await ensure_accounts(tx, scope, keyed(settings, NEW))
        message = await outbound.accept(tx, scope, sms(), book, carried(providers()), 3600.0)
    ciphers = [each.bellhop.credential_cipher() for each in (settings, keyed(settings, NEW))]
    without, given = [
        AttemptStore(engine, settings.delivery, routes, carried(providers()), each, book, lambda _: None)
        for each in ciphers
    ]
    assert isinstance(await given.claim(message.id, 1e12), Claim)
    async with engine.begin() as tx:
        await tx.execute(text("update attempts set state = 'unknown', ask_at = now()"))
    answer = await without.prepare_lookup(message.id)
    assert isinstance(answer, Answer)
    assert (answer.next, answer.after) == (Next.SETTLE, settings.delivery.hold)
    lookup = await given.prepare_lookup(message.id)
    assert isinstance(lookup, Lookup)
    assert lookup.account.credentials["auth_token"]


async def test_a_callback_that_cannot_be_verified_is_not_refused(
    engine: AsyncEngine, settings: Settings, book: AddressBook
) -> None:
    """A refused one would not be repeated by everybody."""
    async with engine.begin() as tx:
        scope = (await ensure_property(tx, "Grand Sunset Resort", SLUG))["test"]
        await ensure_accounts(tx, scope, keyed(settings, NEW))
    asked = Engine(
        Database(engine), cast(TemporalDispatcher, None), book, settings.bellhop.credential_cipher(), providers(),
        settings.delivery, settings.webhook, settings.bellhop.public_url,
    )  # fmt: skip
    identity = default_accounts(SANDBOX_SECRET)["twilio"].identity
    callback = CallbackRequest("https://bellhop.example/", "status", {}, {}, b"MessageSid=SM1&MessageStatus=sent")
    with pytest.raises(AccountUnreadable):
        await receive(asked, "twilio", identity, callback)
    with pytest.raises(NotFound):
        await receive(asked, "twilio", SID, callback)


def sms() -> NewMessage:
    return NewMessage(channel=Channel.SMS, recipient="+13055551234", content=Content(text="Your suite is ready."))


async def at_once(tx: AsyncConnection, message_id: UUID) -> None:
    """As if the pauses were over."""
    await tx.execute(text("update messages set due_at = now() where id = :id"), {"id": message_id})
    await tx.execute(text("update provider_accounts set probe_at = now()"))
