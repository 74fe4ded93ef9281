"""What an operator does by command: properties, keys, provider accounts, consents. The engine does it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from bellhop.domain import public_consents, serializers
from bellhop.domain.accounts import OWN
from bellhop.domain.channels import Channel
from bellhop.domain.choosing import DEFAULT_ORDER, is_order
from bellhop.domain.consent_keywords import Keyword
from bellhop.domain.consents import ALL, PURPOSES
from bellhop.domain.conversations import Side
from bellhop.domain.credentials import CredentialsUnreadable, Sealing
from bellhop.domain.failures import CHOICES
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.keys import RIGHTS
from bellhop.domain.keyword_answers import LONGEST
from bellhop.domain.paging import PageRequest
from bellhop.domain.policy_settings import BadSetting
from bellhop.domain.provider_urls import receipts_url
from bellhop.domain.retention import LONGEST as RETAINED_LONGEST
from bellhop.domain.scopes import Scope
from bellhop.domain.text import visible
from bellhop.engine import accounts, consents, keys, properties
from bellhop.engine.consents import Action
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField
from bellhop.ops.seed import live_accounts, sandbox_accounts
from bellhop.providers import PACKAGES
from bellhop.settings import Settings


class Refused(Exception):
    """What was asked for can't be done; the message says why and what can."""


async def create_property(
    engine: Engine, settings: Settings, name: str, slug: str | None, timezone: str
) -> dict[str, Any]:
    """Make a property, or complete one that is there, with the accounts the settings name."""
    slug = slug or _slug(name)
    # First, so that what cannot be an account leaves no property without any.
    live, test = live_accounts(settings), sandbox_accounts(settings)
    made = await properties.ensure(engine, name, slug, timezone)
    await accounts.ensure(engine, made["live"], [*live, *OWN])
    await accounts.ensure(engine, made["test"], OWN, following=test)
    channels = {word: await accounts.channels(engine, scope) for word, scope in made.items()}
    return {"id": render(Prefix.PROPERTY, made["test"].property_id), "slug": slug, "channels": channels}


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    if not slug:
        raise Refused("This name has no letters a short name could be made of; give one with --slug.")
    return slug


async def list_properties(engine: Engine) -> list[dict[str, Any]]:
    """Every property with the channels of its environments."""
    return [
        {
            **_part(serializers.property_(row), "id", "slug", "name", "timezone"),
            "channels": {word: await accounts.channels(engine, scope) for word, scope in sorted(scopes.items())},
        }
        for row, scopes in await properties.everything(engine)
    ]


async def choose(engine: Engine, slug: str, environment: str, when_unknown: Sequence[str]) -> dict[str, Any]:
    """Choose, for an environment of a property, what happens when nobody can say whether a provider took a message.
    `when_unknown`: `channel=fail` or `channel=resend`, any number of them."""
    chosen: dict[str, str] = {}
    for one in when_unknown:
        channel, _, choice = one.partition("=")
        if channel not in {known.value for known in Channel} or choice not in CHOICES:
            raise Refused(
                f"--when-unknown: '{one}' is not a choice: name a channel and `fail` or `resend`, e.g. email=resend."
            )
        chosen[channel] = choice
    settings = await properties.choose(engine, await scope_of(engine, slug, environment), chosen)
    return {"property": slug, "environment": environment, "settings": settings}


async def order(engine: Engine, slug: str, environment: str, channels: Sequence[str]) -> dict[str, Any]:
    """In which order the channels of an environment of a property are tried where a message leaves that open; empty:
    the usual one."""
    if channels and not is_order(list(channels)):
        raise Refused(f"Name channels, each once: {', '.join(Channel)}.")
    scope = await scope_of(engine, slug, environment)
    await properties.order(engine, scope, channels)
    return {"property": slug, "environment": environment, "channel_order": list(channels) or list(DEFAULT_ORDER)}


async def policy(engine: Engine, slug: str, environment: str, given: Mapping[str, str | None]) -> dict[str, Any]:
    """Set when an environment of a property sends, and show it. `given`: JSON by name; None: as it is."""
    settings: dict[str, Any] = {}
    for name, text in given.items():
        try:
            settings |= {name: json.loads(text)} if text is not None else {}
        except ValueError:
            raise Refused(f"--{name.replace('_', '-')}: expected JSON.") from None
    try:
        done = await properties.policy(engine, await scope_of(engine, slug, environment), settings)
    except BadSetting as problem:
        raise Refused(f"--{problem.name.replace('_', '-')}: {problem}.") from None
    return {"property": slug, "environment": environment, **done}


async def answer(
    engine: Engine, slug: str, environment: str, keyword: Keyword, language: str, text: str | None, nothing: bool
) -> dict[str, Any]:
    """What an environment of a property answers to a keyword in a language; None: Bellhop's own text; `nothing`: no
    answer at all."""
    scope = await scope_of(engine, slug, environment)
    try:
        answers = await properties.answer(engine, scope, keyword, language, False if nothing else text)
    except ValueError:
        raise Refused(f"Give a language such as de or pt-BR, and a text of at most {LONGEST} characters.") from None
    return {"property": slug, "environment": environment, "keyword_answers": answers}


async def retain(engine: Engine, slug: str, environment: str, days: Mapping[str, int | None]) -> dict[str, Any]:
    """For how many days an environment of a property keeps things; None: as it is set; 0: as the installation does."""
    scope = await scope_of(engine, slug, environment)
    given = {name: many or None for name, many in days.items() if many is not None}
    try:
        kept = await properties.retain(engine, scope, given)
    except ValueError:
        longest = ", ".join(f"{name} {most}" for name, most in RETAINED_LONGEST.items())
        raise Refused(f"So many days it can be at most: {longest}.") from None
    return {"property": slug, "environment": environment, "retention": dict.fromkeys(RETAINED_LONGEST) | kept}


async def limit(engine: Engine, slug: str, environment: str, requests: int | None) -> dict[str, Any]:
    """Let all keys of an environment of a property together make so many requests a minute; None: the usual number."""
    await properties.limit(engine, await scope_of(engine, slug, environment), requests)
    return {"property": slug, "environment": environment, "rate_limit": requests}


async def scopes_of(engine: Engine, slug: str) -> dict[str, Scope]:
    """The scopes of a property, by environment. Raises Refused when there is none."""
    there = await properties.by_slug(engine, slug)
    if not there:
        raise no_property(slug)
    return there


def no_property(slug: str) -> Refused:
    """That there is none with this short name."""
    return Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")


async def scope_of(engine: Engine, slug: str, environment: str) -> Scope:
    """One of them. Raises Refused when there is none."""
    there = await scopes_of(engine, slug)
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
    side: Side = Side.PROPERTY,
) -> dict[str, Any]:
    """Mint a key for one property and environment; the raw key is in the answer and nowhere else. `expires`: a number
    of days (`90d`) or an ISO date or time, in UTC unless it names its zone."""
    until = None if expires is None else _moment(expires)
    if not rights:
        raise Refused(f"--scopes: expected at least one of: {', '.join(RIGHTS)}.")
    if unknown := [word for word in rights if word not in RIGHTS]:
        raise Refused(f"--scopes: no such scope: {', '.join(unknown)}. There are: {', '.join(RIGHTS)}.")
    scope = await scope_of(engine, slug, environment)
    try:
        row, raw = await keys.mint(engine, scope, name, rights, rate_limit=rate_limit, expires_at=until, side=side)
    except InvalidField as problem:
        raise Refused(f"--expires: {problem.expected}.") from None
    return _part(serializers.minted_key(row, raw), "id", "environment", "scopes", "side", "expires_at", "key")


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
    for _, scope in sorted((await scopes_of(engine, slug)).items()):
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
    scope = await keys.home(engine, key) if key else None
    if key is None or scope is None:
        raise Refused(f"There is no key {key_id}. `bellhop keys list` shows those there are.")
    await keys.revoke(engine, scope, key)
    return {"id": key_id, "revoked": True}


async def list_accounts(engine: Engine, slug: str | None) -> list[dict[str, Any]]:
    """The provider accounts of one property or of all, without their secrets."""
    if slug is not None:
        listed = [(slug, await scopes_of(engine, slug))]
    else:
        listed = [(row.slug, scopes) for row, scopes in await properties.everything(engine)]
    return [
        {"property": each, **serializers.account(row, environment)}
        for each, scopes in listed
        for environment, scope in sorted(scopes.items())
        for row in (await accounts.listing(engine, scope, PageRequest(limit=1000))).rows
    ]


async def set_accounts(
    engine: Engine, settings: Settings, slug: str, environment: str, *, forget_previous: bool = False
) -> list[dict[str, Any]]:
    """Make a property send through the accounts the settings name: made, or rotated where they are there."""
    scope = await scope_of(engine, slug, environment)
    if environment != "live":
        raise Refused("--environment: a test environment reaches the sandbox only, whose accounts are never changed.")
    _complete(settings)
    seeds = live_accounts(settings)
    if not seeds:
        ways = (package.settings.needed_variables() for package in PACKAGES)
        raise Refused(f"The settings name no account: set {', or '.join(' and '.join(way) for way in ways)}.")
    packages = {package.name: package for package in PACKAGES}
    try:
        outcomes = await accounts.put(engine, scope, seeds, forget_previous=forget_previous)
    except CredentialsUnreadable as problem:
        raise Refused(str(problem)) from None
    done = []
    for seed, outcome in zip(seeds, outcomes, strict=True):
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
        for each in packages[seed.provider].entered_beside:
            now[each.path] = receipts_url(settings.bellhop.public_url, seed.provider, seed.identity, each.path)
        done.append(now)
    return done


def _complete(settings: Settings) -> None:
    """Refuse half an account: leaving it out silently would look like having set it."""
    for package in PACKAGES:
        missing = settings.provider(package.settings).missing()
        if missing and len(missing) < len(package.settings.needed):
            raise Refused(f"{', '.join(missing)} is missing, which the others of its kind need.")


async def encrypt_accounts(engine: Engine) -> dict[str, Any]:
    """Put every account's credentials under the newest key. Returns how many accounts had them in plain (`encrypted`),
    under an older key (`reencrypted`), under the newest already (`unchanged`), or under a key that is not set
    (`unreadable`); those stay as they are."""
    found = await accounts.encrypt(engine)
    done: dict[str, Any] = {
        "encrypted": found[Sealing.PLAIN],
        "reencrypted": found[Sealing.OLDER],
        "unchanged": found[Sealing.CURRENT],
        "unreadable": found[Sealing.UNREADABLE],
    }
    return {**done, "next": str(CredentialsUnreadable())} if done["unreadable"] else done


async def list_consents(engine: Engine, slug: str, environment: str, channel: str, address: str) -> dict[str, Any]:
    """Whether an address may be written to, and what was said of it."""
    scope = await scope_of(engine, slug, environment)
    try:
        found = await consents.of_address(engine, scope, _channel(channel), address, PageRequest(limit=1000))
    except InvalidField as problem:
        raise Refused(f"The address is wrong: {problem.expected}.") from None
    return {
        "address": found.address,
        "allowed": not found.refused_by,
        "refused_by": [effect.value for effect in found.refused_by],
        "marketing_allowed": not found.marketing_refused_by,
        "allowed_from": public_consents.senders(found.reopened),
        "said": [
            public_consents.consent(row, found.address, in_force=row.id in found.holding) for row in found.listed.rows
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
    if action not in {each.value for each in Action}:
        raise Refused(f"The action is `opt_in` or `opt_out`, not '{action}'.")
    if purpose not in PURPOSES:
        raise Refused(f"The purpose is `all` or `marketing`, not '{purpose}'.")
    if not visible(reason):
        raise Refused("--reason has to say why.")
    scope = await scope_of(engine, slug, environment)
    try:
        written, row, holds = await consents.set_by_operator(
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
    return public_consents.consent(row, written, in_force=holds)


def _channel(word: str) -> Channel:
    if word not in {each.value for each in Channel}:
        raise Refused(f"There is no channel '{word}': {', '.join(Channel)}.")
    return Channel(word)
