"""First rows: a property with its scopes, and the accounts the environment names.

Environment variables only seed rows; from then on the rows lead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.accounts import OWN, Seed
from bellhop.domain.keys import digest
from bellhop.domain.scopes import Scope
from bellhop.providers import PACKAGES
from bellhop.providers.package import ProviderPackage, ProviderSettings
from bellhop.sandbox.accounts import secret_of
from bellhop.sandbox.providers import default_accounts
from bellhop.settings import Settings, SettingsError
from bellhop.store.access import keys, properties
from bellhop.store.delivery import accounts


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
    """The provider accounts and senders of a scope, from the sandbox (test) or the environment (live), and our own.

    Existing rows are left as they are, but that a test scope follows the sandbox's credentials. Returns the channels
    that can be used.
    """
    cipher = settings.bellhop.credential_cipher()
    if scope.environment == "test":
        for seed in sandbox_accounts(settings):
            await accounts.follow(tx, cipher, scope, seed)
    else:
        for seed in live_accounts(settings):
            await accounts.ensure(tx, cipher, scope, seed)
    for seed in OWN:
        await accounts.ensure(tx, cipher, scope, seed)
    return await accounts.channels(tx, scope)


def live_accounts(settings: Settings) -> list[Seed]:
    """The accounts the environment names. Raises SettingsError on one that cannot be an account, and on a public
    address without encryption: callbacks with guests' numbers and answers would come by it (a stand-in that is itself
    reached without may)."""
    named = [seed for package in PACKAGES for seed in _seeds(package, settings.provider(package.settings))]
    plain = settings.bellhop.unencrypted
    if plain and any(seed.base_url.startswith("https:") for seed in named):
        ours = ", ".join(sorted({package.settings.variable("…") for package in PACKAGES}))
        raise SettingsError(
            f"{plain}: accounts of live environments ({ours}) need an "
            "address of https, since providers post guests' numbers and answers to it."
        )
    return named


def sandbox_accounts(settings: Settings) -> list[Seed]:
    """The accounts the sandbox knows, made as somebody would who set its variables."""
    base_url = settings.bellhop.sandbox_url
    if base_url is None:
        return []
    known = default_accounts(secret_of(settings.bellhop.secret_key.get_secret_value()))
    return [
        replace(seed, base_url=base_url)
        for package in PACKAGES
        if (account := known.get(package.name))
        for seed in _seeds(package, package.settings.of(account.env))
    ]


def _seeds(package: ProviderPackage[Any], group: ProviderSettings) -> Sequence[Seed]:
    try:
        return package.seeds(group)
    except ValueError as problem:
        raise SettingsError(str(problem)) from None
