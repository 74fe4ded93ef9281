"""What an operator does by command: provider accounts set, rotated and mended, and which installation is meant."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bellhop.cli.properties import create_key
from bellhop.cli.target import settings_here
from bellhop.dev.prepare import _playable
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Account, LookupKind, LookupRequest
from bellhop.domain.keys import RIGHTS
from bellhop.domain.operators import Operator
from bellhop.domain.routing import carried
from bellhop.domain.rows.delivery import Backlog
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.ops import administration, composition
from bellhop.ops.administration import Refused
from bellhop.ops.seed import ensure_accounts, ensure_property, live_accounts
from bellhop.providers import PACKAGES, providers
from bellhop.providers.sendgrid.adapter import SendGrid
from bellhop.providers.sendgrid.settings import SendGridSettings
from bellhop.providers.twilio.adapter import Twilio
from bellhop.providers.twilio.settings import TwilioSettings
from bellhop.sandbox.providers import names as simulated_names
from bellhop.settings import Settings, SettingsError
from bellhop.store.delivery import accounts, parked
from bellhop.store.messages import outbound
from bellhop.store.messages.outbound import NewMessage

SID = "AC" + "0" * 32
SLUG = "grand-sunset"
SIMULATED = [package.name for package in PACKAGES if package.name in simulated_names()]
SECRETS = ["first-token", "second-token", "first-secret", "second-secret", "first-public", "second-public"]


def twilio(settings: Settings, token: str = "first-token", number: str = "+13055550100", **more: Any) -> Settings:
    named = TwilioSettings(_env_file=None, account_sid=SID, auth_token=SecretStr(token), from_number=number, **more)
    return settings.model_copy(update={"providers": {**settings.providers, "twilio": named}})


def sendgrid(settings: Settings, key: str = "SG.first.first-secret", public: str | None = "first-public") -> Settings:
    named = SendGridSettings(
        _env_file=None, api_key=SecretStr(key), from_email="stay@example.com", webhook_public_key=public
    )
    return settings.model_copy(update={"providers": {**settings.providers, "sendgrid": named}})


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With an address that live accounts may have."""
    public = settings.bellhop.model_copy(update={"public_url": "https://bellhop.example.com"})
    return settings.model_copy(update={"bellhop": public})


@pytest.fixture
async def tx(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A connection that commits each statement, so that commands see it."""
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as open_tx:
        yield open_tx


@pytest.fixture
async def scopes(tx: AsyncConnection, settings: Settings) -> Mapping[str, Scope]:
    made = await ensure_property(tx, "Grand Sunset Resort", SLUG)
    await ensure_accounts(tx, made["test"], settings)
    return made


async def test_what_happens_to_the_unknown_is_chosen_by_channel(use_cases: Engine, scopes: Mapping[str, Scope]) -> None:
    await administration.choose(use_cases, SLUG, "test", ["email=resend"])
    done = await administration.choose(use_cases, SLUG, "test", ["sms=resend"])
    assert done["settings"] == {"outcome_unknown": {"email": "resend", "sms": "resend"}}
    for wrong in ("email", "email=maybe", "pigeon=resend"):
        with pytest.raises(Refused, match="not a choice"):
            await administration.choose(use_cases, SLUG, "test", [wrong])


async def test_keys_are_minted_listed_and_revoked(engine: AsyncEngine, settings: Settings) -> None:
    """Temporal is away: none of this needs it."""
    away = settings.temporal.model_copy(update={"address": "127.0.0.1:1"})
    settings = settings.model_copy(update={"temporal": away})
    async with engine.begin() as tx:
        await ensure_property(tx, "Grand Sunset Resort", SLUG)

    async def work(use_cases: Engine) -> None:
        for slug, environment, right in (("none", "test", "*"), (SLUG, "staging", "*"), (SLUG, "test", "all")):
            with pytest.raises(Refused):
                await administration.create_key(use_cases, slug, environment, "desk", [right], None)
        for wrong in ("soon", "2020-01-01", "99999999d", "0d"):
            with pytest.raises(Refused, match="--expires"):
                await administration.create_key(use_cases, SLUG, "live", "desk", ["guests:read"], None, wrong)
        until = await administration.create_key(use_cases, SLUG, "test", "desk", ["guests:read"], None, "2099-12-31")
        assert until["expires_at"] == "2099-12-31T00:00:00.000000Z"
        assert (await administration.list_keys(use_cases, SLUG))[0]["expires_at"] == until["expires_at"]
        await administration.revoke_key(use_cases, until["id"])
        made = await administration.create_key(use_cases, SLUG, "live", "desk", ["guests:read"], 50)
        assert made["key"].startswith("sk_live_")
        listed = next(row for row in await administration.list_keys(use_cases, SLUG) if row["environment"] == "live")
        assert (listed["id"], listed["scopes"], listed["revoked_at"]) == (made["id"], ["guests:read"], None)
        assert made["key"] not in str(listed)
        for _ in range(2):
            assert await administration.revoke_key(use_cases, made["id"]) == {"id": made["id"], "revoked": True}
        assert (await administration.list_keys(use_cases, SLUG))[0]["revoked_at"] is not None
        with pytest.raises(Refused):
            await administration.revoke_key(use_cases, "key_none")

    await composition.with_engine(work, settings)


async def rows(tx: AsyncConnection, scope: Scope, settings: Settings) -> dict[str, dict[str, Any]]:
    """The accounts by identity, with their credentials opened."""
    found = await tx.execute(text("select * from provider_accounts where scope_id = :scope"), {"scope": scope.id})
    cipher = settings.bellhop.credential_cipher()
    return {
        row["identity"]: {**row, **{name: cipher.open(row[name]) for name in ("credentials", "previous_credentials")}}
        for row in found.mappings()
    }


async def used(tx: AsyncConnection, scope: Scope) -> list[tuple[str, str]]:
    """(identity, address) of the senders that channels use."""
    found = await tx.execute(
        text(
            "select a.identity, s.address from senders s join provider_accounts a on a.id = s.account_id"
            " where s.scope_id = :scope and s.is_default order by 2"
        ),
        {"scope": scope.id},
    )
    return [(row.identity, row.address) for row in found]


async def test_accounts_are_made_and_listed_without_secrets(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    done = await administration.set_accounts(use_cases, sendgrid(twilio(settings)), SLUG, "live")
    assert [(each["provider"], each["outcome"]) for each in done] == [("twilio", "made"), ("sendgrid", "made")]
    assert done[1]["callbacks"] == "https://bellhop.example.com/v1/receipts/sendgrid/first/events"
    assert done[1]["inbound"] == "https://bellhop.example.com/v1/receipts/sendgrid/first/inbound"
    assert "fallback" not in done[1]
    twilios = f"https://bellhop.example.com/v1/receipts/twilio/{SID}"
    assert done[0]["callbacks"] == f"{twilios}/inbound#rc=5&rp=all&ct=2000&rt=5000"
    assert done[0]["fallback"] == f"{twilios}/fallback#rc=5&rp=all&ct=2000&rt=5000"
    listed = await administration.list_accounts(use_cases, SLUG)
    assert [(each["environment"], each["provider"]) for each in listed] == [
        ("live", "twilio"), ("live", "sendgrid"), *(("test", name) for name in SIMULATED), ("test", "in_app"),
    ]  # fmt: skip
    assert all(each["id"].startswith("acc_") for each in listed)
    assert {name: value for name, value in listed[0].items() if name != "id"} == {
        "property": SLUG,
        "environment": "live",
        "provider": "twilio",
        "identity": SID,
        "health": "ok",
        "held_since": None,
        "held_code": None,
        "waiting": 0,
        "rotating": False,
        "senders": [{"channel": "sms", "address": "+13055550100", "name": None, "used": True}],
    }
    assert await administration.list_accounts(use_cases, None) == listed
    assert not [secret for secret in SECRETS if secret in json.dumps([done, listed])]


async def test_a_rotation_keeps_what_callbacks_may_be_signed_with(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    live = scopes["live"]
    await administration.set_accounts(use_cases, twilio(settings), SLUG, "live")
    for outcome in "rotated", "unchanged":
        done = await administration.set_accounts(use_cases, twilio(settings, "second-token"), SLUG, "live")
        assert done[0]["outcome"] == outcome
        row = (await rows(tx, live, settings))[SID]
        assert row["credentials"] == {"auth_token": "second-token"}
        assert row["previous_credentials"] == {"auth_token": "first-token"}
        assert (await administration.list_accounts(use_cases, SLUG))[0]["rotating"] is True
    await administration.set_accounts(use_cases, twilio(settings, "second-token"), SLUG, "live", forget_previous=True)
    assert (await rows(tx, live, settings))[SID]["previous_credentials"] == {}
    # Another number: it leads, and the old one stays for guests who answer to it.
    await administration.set_accounts(use_cases, twilio(settings, "second-token", "+13055550199"), SLUG, "live")
    assert await used(tx, live) == [(SID, "+13055550199")]
    senders = (await administration.list_accounts(use_cases, SLUG))[0]["senders"]
    assert [one["address"] for one in senders] == ["+13055550100", "+13055550199"]


async def test_a_new_sendgrid_key_takes_the_sender_over(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    live = scopes["live"]
    await administration.set_accounts(use_cases, sendgrid(settings), SLUG, "live")
    moved = await administration.set_accounts(
        use_cases, sendgrid(settings, "SG.second.second-secret", None), SLUG, "live"
    )
    assert moved[0]["outcome"] == "moved"
    assert "SendGrid" in moved[0]["next"]
    assert await used(tx, live) == [("second", "stay@example.com")]
    there = await rows(tx, live, settings)
    # Its verification key was not given anew: that of before goes on.
    assert there["second"]["credentials"] == {
        "api_key": "SG.second.second-secret", "webhook_public_key": "first-public",
    }  # fmt: skip
    assert there["second"]["previous_credentials"] == {"api_key": "SG.first.first-secret"}
    assert there["first"]["credentials"]["webhook_public_key"] == "first-public", "earlier mail's events still verify"
    key = await administration.set_accounts(
        use_cases, sendgrid(settings, "SG.second.second-secret", "second-public"), SLUG, "live"
    )
    assert key[0]["outcome"] == "rotated"
    assert (await rows(tx, live, settings))["second"]["previous_credentials"]["webhook_public_key"] == "first-public"


async def test_what_is_forgotten_leaves_no_secret(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    live = scopes["live"]
    await administration.set_accounts(use_cases, sendgrid(twilio(settings)), SLUG, "live")
    again = sendgrid(twilio(settings), "SG.second.second-secret", "second-public")
    await administration.set_accounts(use_cases, again, SLUG, "live")
    assert (await rows(tx, live, settings))["first"]["credentials"], "earlier mail's events still verify"
    await administration.set_accounts(use_cases, again, SLUG, "live", forget_previous=True)
    there = await rows(tx, live, settings)
    assert there["first"]["credentials"] == there["first"]["previous_credentials"] == {}
    assert there["second"]["credentials"]["api_key"] == "SG.second.second-secret"
    assert there[SID]["credentials"] == {"auth_token": "first-token"}
    assert await used(tx, live) == [(SID, "+13055550100"), ("second", "stay@example.com")]
    # Nothing is asked of it any more, and nothing raises.
    account = Account(there["first"]["id"], "sendgrid", "first", "http://127.0.0.1:9", {})
    lookup = LookupRequest(
        UUID(int=1), "+13055551234", "+15005550006", "Hi", datetime.now(UTC), frozenset(), Channel.SMS
    )
    for adapter in SendGrid(), Twilio():
        assert adapter.look_up(account, lookup, 1.0).kind is LookupKind.CANNOT_KNOW


async def test_a_test_scope_follows_the_sandboxs_credentials(
    tx: AsyncConnection, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    """As after an upgrade from a version whose sandbox had others: nobody has to do anything."""
    test = scopes["test"]
    made = await rows(tx, test, settings)
    leading = {identity for identity, _ in await used(tx, test)}
    await tx.execute(
        text(
            "update provider_accounts set identity = 'old-' || provider, credentials ="
            " (select jsonb_object_agg(key, 'known'::text) from jsonb_each(credentials)), health = 'held',"
            " held_since = now() where provider <> 'in_app'"
        )
    )
    for _ in range(2):
        await ensure_accounts(tx, test, settings)
        there = await rows(tx, test, settings)
        assert {name: there[name]["credentials"] for name in made} == {
            name: row["credentials"] for name, row in made.items()
        }
        assert {row["health"] for row in there.values()} == {"ok"}
        assert [there[f"old-{provider}"]["credentials"] for provider in ("sendgrid", "twilio")] == [{}, {}]
        assert {identity for identity, _ in await used(tx, test)} == leading


async def test_live_accounts_need_an_address_of_https(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    plain = settings.bellhop.model_copy(update={"public_url": "http://bellhop.example.com"})
    asked = twilio(settings.model_copy(update={"bellhop": plain}))
    with pytest.raises(SettingsError, match=r"BELLHOP_PUBLIC_URL is http://bellhop\.example\.com"):
        await administration.set_accounts(use_cases, asked, SLUG, "live")
    with pytest.raises(SettingsError, match="need an address of https"):
        await ensure_accounts(tx, scopes["live"], asked)
    half = settings.bellhop.model_copy(update={"fallback_url": "http://second.example"})
    with pytest.raises(SettingsError, match=r"BELLHOP_FALLBACK_URL is http://second\.example"):
        await administration.set_accounts(use_cases, asked.model_copy(update={"bellhop": half}), SLUG, "live")
    await ensure_accounts(tx, scopes["test"], asked)
    assert await rows(tx, scopes["live"], settings) == {}
    # A stand-in on this machine.
    await ensure_accounts(tx, scopes["live"], twilio(asked, base_url="http://127.0.0.1:9"))
    assert set(await rows(tx, scopes["live"], settings)) == {SID, "bellhop"}


def test_the_embedded_stack_starts_without_the_live_accounts_it_could_not_serve(settings: Settings) -> None:
    named = twilio(settings)
    assert live_accounts(_playable(named)) == live_accounts(named) != []
    plain = settings.bellhop.model_copy(update={"public_url": "http://127.0.0.1:8000"})
    assert live_accounts(_playable(named.model_copy(update={"bellhop": plain}))) == []


def test_a_key_made_by_command_may_not_do_everything() -> None:
    usual = str(inspect.signature(create_key).parameters["scopes"].default).split(",")
    assert set(usual) == {"messaging:read", "messaging:write", "guests:read", "guests:write"} < set(RIGHTS)


@pytest.mark.parametrize("how", ["same account", "new account", "mended"])
async def test_what_was_held_goes_out(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope], book: AddressBook, how: str
) -> None:
    live = scopes["live"]
    await administration.set_accounts(use_cases, sendgrid(settings), SLUG, "live")
    new = NewMessage(
        channel=Channel.EMAIL, recipient="jordan@example.com", content=Content(text="Hello.", subject="Hello")
    )
    message = await outbound.accept(tx, live, new, book, carried(providers()), 3600.0)
    await tx.execute(text("update provider_accounts set health = 'held', held_code = '401', held_since = now()"))
    await tx.execute(
        text(
            "update messages set waits_for = 'account_held', parked_at = now(), held_account_id ="
            " (select id from provider_accounts where identity = 'first')"
        )
    )
    held = next(each for each in await administration.list_accounts(use_cases, SLUG) if each["identity"] == "first")
    assert (held["health"], held["held_code"], held["waiting"]) == ("held", "401", 1)
    assert held["held_since"] is not None
    backlog = Backlog(live.id, Channel.EMAIL)
    assert await parked.backlogs(tx, live.id) == await parked.release(tx, backlog, 10) == []
    if how == "mended":
        for scope in scopes.values():
            for row in await accounts.listing(tx, scope):
                assert await accounts.mend(tx, scope, row.id, Operator("cli:tests", "mended"))
                assert not await accounts.mend(tx, scope, row.id, Operator("cli:tests", "mended"))
    else:
        key = "SG.first.second-secret" if how == "same account" else "SG.second.second-secret"
        await administration.set_accounts(use_cases, sendgrid(settings, key), SLUG, "live")
    live_rows = await rows(tx, live, settings)
    assert {row["health"] for row in live_rows.values()} == {"ok"}
    assert {row["held_since"] for row in live_rows.values()} == {None}
    assert await parked.backlogs(tx) == [backlog]
    assert [row.id for row in await parked.release(tx, backlog, 10)] == [message.id]


async def test_what_cannot_be_set_is_refused_and_says_why(
    tx: AsyncConnection, use_cases: Engine, settings: Settings, scopes: Mapping[str, Scope]
) -> None:
    sid_only = TwilioSettings(_env_file=None, account_sid=SID)
    half = settings.model_copy(update={"providers": {**settings.providers, "twilio": sid_only}})
    for asked, slug, environment, words in [
        (settings, SLUG, "live", "name no account"),
        (half, SLUG, "live", "TWILIO_AUTH_TOKEN, TWILIO_FROM_NUMBER is missing"),
        (twilio(settings), SLUG, "test", "sandbox"),
        (twilio(settings), SLUG, "staging", "`test` or `live`"),
        (twilio(settings), "nowhere", "live", "no property 'nowhere'"),
    ]:
        with pytest.raises(Refused, match=words):
            await administration.set_accounts(use_cases, asked, slug, environment)
    assert await rows(tx, scopes["live"], settings) == {}
    with pytest.raises(Refused, match="no property"):
        await administration.list_accounts(use_cases, "nowhere")


def state(path: Path, pid: int | None) -> Path:
    """The state directory of a stack."""
    (path / "secret_key").write_text("s" * 64 + "\n")
    content = {
        "api_url": "http://127.0.0.1:8000",
        "postgres_dsn": "postgresql:///bellhop?host=/somewhere",
        "temporal_address": "127.0.0.1:7233",
        "temporal_ui_url": "http://127.0.0.1:8233",
        "sandbox_url": "http://127.0.0.1:8900",
        "pids": {} if pid is None else {"supervisor": pid},
    }
    (path / "dev.json").write_text(json.dumps(content))
    return path


def test_beside_a_running_stack_commands_are_about_it(tmp_path: Path) -> None:
    env = {"TEMPORAL_NAMESPACE": "elsewhere", "TWILIO_ACCOUNT_SID": SID, "BELLHOP_ENV_FILE": ""}
    found, api = settings_here(env, state(tmp_path, os.getpid()))
    assert api == "http://127.0.0.1:8000"
    assert found.postgres.dsn.get_secret_value() == "postgresql:///bellhop?host=/somewhere"
    assert (found.temporal.address, found.temporal.namespace) == ("127.0.0.1:7233", "default")
    assert found.bellhop.sandbox_url == "http://127.0.0.1:8900"
    assert found.bellhop.secret_key.get_secret_value() == "s" * 64
    assert found.provider(TwilioSettings).account_sid == SID


def test_an_installation_that_is_named_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELLHOP_ENV_FILE", "")
    monkeypatch.setenv("BELLHOP_SECRET_KEY", "k" * 64)
    monkeypatch.setenv("POSTGRES_DSN", "postgresql://named/bellhop")
    found, api = settings_here(os.environ, state(tmp_path, os.getpid()))
    assert (api, found.postgres.dsn.get_secret_value()) == (None, "postgresql://named/bellhop")


def test_without_either_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="start `bellhop dev`"):
        settings_here({}, tmp_path)
    for stopped in None, 2**22 + 1:
        with pytest.raises(Refused, match="start `bellhop dev`"):
            settings_here({}, state(tmp_path, stopped))
