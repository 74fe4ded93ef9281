"""First rows: a property with its scopes, and the accounts the environment names.

Environment variables only seed rows; from then on the rows lead.
"""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.keys import digest
from bellhop.domain.scopes import Scope
from bellhop.sandbox.providers.sendgrid import accounts as sandbox_sendgrid
from bellhop.sandbox.providers.twilio import accounts as sandbox_twilio
from bellhop.settings import Settings, SettingsError
from bellhop.store.access import keys, properties
from bellhop.store.delivery import accounts
from bellhop.store.delivery.accounts import Seed


async def ensure_property(tx: AsyncConnection, name: str, slug: str, timezone: str = "UTC") -> dict[str, Scope]:
    """The two scopes of the property `slug`, by environment; made if there is no such property."""
    there = await properties.scopes_of(tx, slug)
    if there:
        return there
    _, made = await properties.create(tx, name, slug, {"timezone": timezone})
    return made


async def ensure_key(tx: AsyncConnection, scope: Scope, raw: str | None, name: str) -> str:
    """`raw` if it still opens this scope, else a new key that may do everything. Returns the raw key."""
    if raw:
        known = await keys.find(tx, digest(raw))
        if known is not None and scope in known.scopes:
            return raw
    _, made = await keys.create(tx, scope, name, ["*"])
    return made


async def ensure_accounts(tx: AsyncConnection, scope: Scope, settings: Settings) -> list[str]:
    """The provider accounts and senders of a scope, from the sandbox (test) or the environment (live).

    Existing rows are left as they are. Returns the channels that can be used.
    """
    for seed in _sandbox_accounts(settings) if scope.environment == "test" else live_accounts(settings):
        await accounts.ensure(tx, scope, seed)
    return await accounts.channels(tx, scope)


def _sandbox_accounts(settings: Settings) -> list[Seed]:
    base_url = settings.bellhop.sandbox_url
    if base_url is None:
        return []
    return [
        Seed(
            provider="twilio",
            identity=sandbox_twilio.ACCOUNT_SID,
            base_url=base_url,
            credentials={"auth_token": sandbox_twilio.AUTH_TOKEN},
            channel="sms",
            address=sandbox_twilio.FROM_NUMBER,
        ),
        Seed(
            provider="sendgrid",
            identity=sandbox_sendgrid.KEY_ID,
            base_url=base_url,
            credentials={
                "api_key": sandbox_sendgrid.API_KEY,
                "webhook_public_key": sandbox_sendgrid.WEBHOOK_PUBLIC_KEY,
            },
            channel="email",
            address=sandbox_sendgrid.FROM_EMAIL,
        ),
    ]


def live_accounts(settings: Settings) -> list[Seed]:
    wanted: list[Seed] = []
    twilio, sendgrid = settings.twilio, settings.sendgrid
    if twilio.account_sid and twilio.auth_token and twilio.from_number:
        previous = twilio.previous_auth_token
        wanted.append(
            Seed(
                provider="twilio",
                identity=twilio.account_sid,
                base_url=twilio.base_url,
                credentials={"auth_token": twilio.auth_token.get_secret_value()},
                previous={"auth_token": previous.get_secret_value()} if previous else {},
                channel="sms",
                address=twilio.from_number,
            )
        )
    if sendgrid.api_key and sendgrid.from_email:
        key, old = sendgrid.api_key.get_secret_value(), sendgrid.previous_webhook_public_key
        wanted.append(
            Seed(
                provider="sendgrid",
                identity=sendgrid_key_id(key),
                base_url=sendgrid.base_url,
                credentials={"api_key": key, "webhook_public_key": sendgrid.webhook_public_key or ""},
                previous={"webhook_public_key": old} if old else {},
                channel="email",
                address=sendgrid.from_email,
                name=sendgrid.from_name,
            )
        )
    return wanted


def sendgrid_key_id(api_key: str) -> str:
    """The public middle of `SG.<key id>.<secret>`: it names the account in callback URLs."""
    parts = api_key.split(".")
    if len(parts) != 3 or parts[0] != "SG" or not parts[1]:
        raise SettingsError("SENDGRID_API_KEY does not look like SG.<key id>.<secret>; copy it again from SendGrid.")
    return parts[1]
