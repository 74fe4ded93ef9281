"""What an operator does by command: properties, keys, provider accounts, recovery. What the engine can do is called
there; the rest takes an open transaction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import serializers
from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import Channel
from bellhop.domain.choosing import DEFAULT_ORDER, is_order
from bellhop.domain.consents import ALL, PURPOSES
from bellhop.domain.credentials import CredentialsUnreadable, Sealing
from bellhop.domain.failures import CHOICES
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.keys import RIGHTS
from bellhop.domain.paging import PageRequest
from bellhop.domain.provider_urls import receipts_url
from bellhop.domain.scopes import Scope
from bellhop.engine import consents, keys
from bellhop.engine.consents import Action
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField
from bellhop.media.library import Library
from bellhop.ops.seed import ensure_accounts, ensure_property
from bellhop.ops.seed import live_accounts as live_accounts
from bellhop.providers import PACKAGES
from bellhop.settings import Settings
from bellhop.store.access import keys as stored_keys
from bellhop.store.access import properties
from bellhop.store.connections import make_engine
from bellhop.store.database import Database
from bellhop.store.delivery import accounts
from bellhop.temporal.client import connect
from bellhop.temporal.dispatcher import TemporalDispatcher
from bellhop.temporal.recovery import PostgresSweeper
from bellhop.temporal.schedules import keep_sweeping

T = TypeVar("T")

USUAL_RIGHTS = ("messaging:read", "messaging:write", "guests:read", "guests:write")
"""What a key made by command may do unless it is said: what a property's software needs every day."""


class Refused(Exception):
    """What was asked for can't be done; the message says why and what can."""


async def in_database(work: Callable[[AsyncConnection, Settings], Awaitable[T]], settings: Settings) -> T:
    """Run `work` in one transaction on the database of `settings`."""
    engine = make_engine(settings.postgres, "cli")
    try:
        async with engine.begin() as tx:
            return await work(tx, settings)
    finally:
        await engine.dispose()


async def with_engine(work: Callable[[Engine], Awaitable[T]], settings: Settings) -> T:
    """Run `work` with an engine over the installation of `settings`; Temporal need not be there."""
    connections = make_engine(settings.postgres, "cli")
    book = AddressBook(settings.bellhop.secret_key.get_secret_value())
    try:
        async with TemporalDispatcher(await connect(settings.temporal, lazy=True), connections) as dispatcher:
            # No providers: no command takes callbacks, and their SDKs need half a second to be imported.
            cipher = settings.bellhop.credential_cipher()
            database = Database(connections)
            library = Library(settings.media, settings.media_addresses())
            engine = Engine(
                database, dispatcher, book, cipher, {}, settings.delivery, settings.webhook, library=library
            )
            return await work(engine)
    finally:
        await connections.dispose()


async def recover(settings: Settings, progress: Callable[[int, int], None] | None = None) -> tuple[int, int]:
    """Everything recovery can do, now: recovery's own schedules, workflows that are missing, and one sweep. Returns how
    many workflows were made and how much was woken. `progress`: see `PostgresSweeper.rebuild`."""
    client = await connect(settings.temporal, lazy=False)
    engine = make_engine(settings.postgres, "cli")
    try:
        async with TemporalDispatcher(client, engine) as dispatcher:
            grace, hold = settings.bellhop.sweep_grace, settings.delivery.hold
            library = Library(settings.media, settings.media_addresses())
            sweeper = PostgresSweeper(engine, client, dispatcher, grace, hold, library.remove)
            made = await sweeper.rebuild(progress)
            await keep_sweeping(client, settings.sweep_paces())
            return made, await sweeper.sweep()
    finally:
        await engine.dispose()


async def create_property(
    tx: AsyncConnection, settings: Settings, name: str, slug: str | None, timezone: str
) -> dict[str, Any]:
    """Make a property, or complete one that is there, with the accounts the settings name."""
    slug = slug or _slug(name)
    made = await ensure_property(tx, name, slug, timezone)
    channels = {word: await ensure_accounts(tx, scope, settings) for word, scope in made.items()}
    return {"id": render(Prefix.PROPERTY, made["test"].property_id), "slug": slug, "channels": channels}


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        raise Refused("This name has no letters a short name could be made of; give one with --slug.")
    return slug


async def list_properties(tx: AsyncConnection) -> list[dict[str, Any]]:
    """Every property with the channels of its environments."""
    every = await properties.every_scope(tx)
    return [
        {
            **_part(serializers.property_(row), "id", "slug", "name", "timezone"),
            "channels": {
                scope.environment: await accounts.channels(tx, scope) for scope in every if scope.property_id == row.id
            },
        }
        for row in await properties.everything(tx)
    ]


async def choose(tx: AsyncConnection, slug: str, environment: str, when_unknown: Sequence[str]) -> dict[str, Any]:
    """Choose, for an environment of a property, what happens when nobody can say whether a provider took a message.
    `when_unknown`: `channel=fail` or `channel=resend`, any number of them."""
    scope = await scope_of(tx, slug, environment)
    chosen: dict[str, str] = {}
    for one in when_unknown:
        channel, _, choice = one.partition("=")
        if channel not in {known.value for known in Channel} or choice not in CHOICES:
            raise Refused(
                f"--when-unknown: '{one}' is not a choice: name a channel and `fail` or `resend`, e.g. email=resend."
            )
        chosen[channel] = choice
    settings = await properties.choose(tx, scope, chosen)
    return {"property": slug, "environment": environment, "settings": settings}


async def order(tx: AsyncConnection, slug: str, environment: str, channels: Sequence[str]) -> dict[str, Any]:
    """In which order the channels of an environment of a property are tried where a message leaves that open; empty:
    the usual one."""
    if channels and not is_order(list(channels)):
        raise Refused(f"Name channels, each once: {', '.join(Channel)}.")
    scope = await scope_of(tx, slug, environment)
    await properties.set_channel_order(tx, scope, channels)
    return {"property": slug, "environment": environment, "channel_order": list(channels) or list(DEFAULT_ORDER)}


async def limit(tx: AsyncConnection, slug: str, environment: str, requests: int | None) -> dict[str, Any]:
    """Let all keys of an environment of a property together make so many requests a minute; None: the usual number."""
    await properties.limit(tx, await scope_of(tx, slug, environment), requests)
    return {"property": slug, "environment": environment, "rate_limit": requests}


async def scopes_of(tx: AsyncConnection, slug: str) -> dict[str, Scope]:
    there = await properties.scopes_of(tx, slug)
    if not there:
        raise Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")
    return there


async def scope_of(tx: AsyncConnection, slug: str, environment: str) -> Scope:
    there = await scopes_of(tx, slug)
    if environment not in there:
        raise Refused(f"--environment: expected `test` or `live`, not '{environment}'.")
    return there[environment]


async def create_key(
    engine: Engine,
    slug: str,
    environment: str,
    name: str,
    rights: Sequence[str],
    rate_limit: int | None,
    expires: str | None = None,
) -> dict[str, Any]:
    """Mint a key for one property and environment; the raw key is in the answer and nowhere else. `expires`: a number
    of days (`90d`) or an ISO date or time, in UTC unless it names its zone."""
    until = None if expires is None else _moment(expires)
    scope = await engine.database.read(lambda tx: scope_of(tx, slug, environment))
    if unknown := [word for word in rights if word not in RIGHTS]:
        raise Refused(f"--scopes: no such scope: {', '.join(unknown)}. There are: {', '.join(RIGHTS)}.")
    try:
        row, raw = await keys.mint(engine, scope, name, rights, rate_limit=rate_limit, expires_at=until)
    except InvalidField as problem:
        raise Refused(f"--expires: {problem.expected}.") from None
    return _part(serializers.minted_key(row, raw), "id", "environment", "scopes", "expires_at", "key")


def _moment(said: str) -> datetime:
    """When a key expires. Raises Refused."""
    try:
        if days := re.fullmatch(r"(\d{1,5})d", said):
            return datetime.now(UTC) + timedelta(days=int(days[1]))
        moment = datetime.fromisoformat(said)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Refused(f"--expires: '{said}' is neither 90d nor a date or time such as 2027-12-31.") from None


def _part(shown: dict[str, Any], *names: str) -> dict[str, Any]:
    """Some fields of a public object, in this order."""
    return {name: shown[name] for name in names}


async def list_keys(engine: Engine, slug: str) -> list[dict[str, Any]]:
    """The keys of a property, without their secrets."""
    found = []
    for _, scope in sorted((await engine.database.read(lambda tx: scopes_of(tx, slug))).items()):
        rows = (await keys.listing(engine, scope, PageRequest(limit=1000))).rows
        found += [
            _part(
                serializers.api_key(row),
                "id",
                "name",
                "environment",
                "scopes",
                "last4",
                "created_at",
                "expires_at",
                "revoked_at",
            )
            for row in rows
        ]
    return found


async def revoke_key(engine: Engine, key_id: str) -> dict[str, Any]:
    """Close a key for good."""
    key = parse(Prefix.KEY, key_id)
    scope = await engine.database.read(lambda tx: stored_keys.home(tx, key)) if key else None
    if key is None or scope is None:
        raise Refused(f"There is no key {key_id}. `bellhop keys list` shows those there are.")
    await keys.revoke(engine, scope, key)
    return {"id": key_id, "revoked": True}


async def list_accounts(tx: AsyncConnection, slug: str | None) -> list[dict[str, Any]]:
    """The provider accounts of one property or of all, without their secrets."""
    if slug is not None:
        await scopes_of(tx, slug)
    slugs = [slug] if slug is not None else [row.slug for row in await properties.everything(tx)]
    return [
        {"property": each, **serializers.account(row, environment)}
        for each in slugs
        for environment, scope in sorted((await properties.scopes_of(tx, each)).items())
        for row in await accounts.listing(tx, scope)
    ]


async def set_accounts(
    tx: AsyncConnection, settings: Settings, slug: str, environment: str, *, forget_previous: bool = False
) -> list[dict[str, Any]]:
    """Make a property send through the accounts the settings name: made, or rotated where they are there."""
    scope = await scope_of(tx, slug, environment)
    if environment != "live":
        raise Refused("--environment: a test environment reaches the sandbox only, whose accounts are never changed.")
    _complete(settings)
    seeds = live_accounts(settings)
    if not seeds:
        ways = (package.settings.needed_variables() for package in PACKAGES)
        raise Refused(f"The settings name no account: set {', or '.join(' and '.join(way) for way in ways)}.")
    packages = {package.name: package for package in PACKAGES}
    cipher = settings.bellhop.credential_cipher()
    done = []
    for seed in seeds:
        try:
            outcome = await accounts.put(tx, cipher, scope, seed, forget_previous=forget_previous)
        except CredentialsUnreadable as problem:
            raise Refused(str(problem)) from None
        now: dict[str, Any] = {"provider": seed.provider, "identity": seed.identity, "outcome": outcome}
        path, fallback = packages[seed.provider].entered, packages[seed.provider].entered_fallback
        if path is not None and outcome == "moved":
            now["next"] = f"Name this address at {path.console}; the old one knows earlier messages only."
        now["sender"] = seed.address
        for name, base, entered in (
            ("callbacks", settings.bellhop.public_url, path),
            ("fallback", settings.bellhop.fallback, fallback),
        ):
            if entered is not None:
                now[name] = receipts_url(base, seed.provider, seed.identity, entered.path, entered.options)
        done.append(now)
    if forget_previous:
        await accounts.forget_previous(tx, scope)
    return done


def _complete(settings: Settings) -> None:
    """Refuse half an account: leaving it out silently would look like having set it."""
    for package in PACKAGES:
        missing = settings.provider(package.settings).missing()
        if missing and len(missing) < len(package.settings.needed):
            raise Refused(f"{', '.join(missing)} is missing, which the others of its kind need.")


async def encrypt_accounts(tx: AsyncConnection, settings: Settings) -> dict[str, Any]:
    """Put every account's credentials under the newest key. Returns how many accounts had them in plain (`encrypted`),
    under an older key (`reencrypted`), under the newest already (`unchanged`), or under a key that is not set
    (`unreadable`); those stay as they are."""
    cipher = settings.bellhop.credential_cipher()
    done: dict[str, Any] = dict.fromkeys(("encrypted", "reencrypted", "unchanged", "unreadable"), 0)
    for row, kept in await accounts.sealings(tx, cipher, lock=True):
        if Sealing.UNREADABLE in kept:
            done["unreadable"] += 1
            done["next"] = str(CredentialsUnreadable())
        elif kept & {Sealing.PLAIN, Sealing.OLDER}:
            await accounts.reseal(tx, cipher, row)
            done["encrypted" if Sealing.PLAIN in kept else "reencrypted"] += 1
        else:
            done["unchanged"] += 1
    return done


async def list_consents(engine: Engine, slug: str, environment: str, channel: str, address: str) -> dict[str, Any]:
    """Whether an address may be written to, and what was said of it."""
    scope = await engine.database.read(lambda tx: scope_of(tx, slug, environment))
    try:
        found = await consents.of_address(engine, scope, _channel(channel), address, PageRequest(limit=1000))
    except InvalidField as problem:
        raise Refused(f"The address is wrong: {problem.expected}.") from None
    return {
        "address": found.address,
        "allowed": not found.refused_by,
        "refused_by": [effect.value for effect in found.refused_by],
        "marketing_allowed": not found.marketing_refused_by,
        "said": [
            serializers.consent(row, found.address, in_force=row.id in found.holding) for row in found.listed.rows
        ],
    }


async def set_consent(
    engine: Engine,
    slug: str,
    environment: str,
    channel: str,
    address: str,
    action: str,
    *,
    reason: str,
    actor: str,
    purpose: str = ALL,
) -> dict[str, Any]:
    """Set or lift what an address allows, with who says so and why on record."""
    scope = await engine.database.read(lambda tx: scope_of(tx, slug, environment))
    if action not in {each.value for each in Action}:
        raise Refused(f"The action is `opt_in` or `opt_out`, not '{action}'.")
    if purpose not in PURPOSES:
        raise Refused(f"The purpose is `all` or `marketing`, not '{purpose}'.")
    if not reason.strip():
        raise Refused("--reason has to say why.")
    try:
        written, row = await consents.set_by_operator(
            engine,
            scope,
            _channel(channel),
            address,
            Action(action),
            source="cli",
            actor=actor,
            reason=reason.strip(),
            purpose=purpose,
        )
    except InvalidField as problem:
        raise Refused(f"The address is wrong: {problem.expected}.") from None
    return serializers.consent(row, written, in_force=Action(action) is Action.OPT_OUT)


def _channel(word: str) -> Channel:
    if word not in {each.value for each in Channel}:
        raise Refused(f"There is no channel '{word}': {', '.join(Channel)}.")
    return Channel(word)
