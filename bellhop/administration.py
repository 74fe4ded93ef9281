"""What an operator does by command: properties, keys, recovery. Each function takes an open transaction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.conductor import Conductor
from bellhop.database import make_engine
from bellhop.ids import Prefix, parse, render
from bellhop.keys import RIGHTS
from bellhop.recovery import PostgresSweeper
from bellhop.rendering import timestamp
from bellhop.seed import ensure_accounts, ensure_property
from bellhop.settings import Settings, load
from bellhop.store import accounts, keys, properties
from bellhop.store.scopes import Scope
from bellhop.temporal import connect

T = TypeVar("T")


class Refused(Exception):
    """What was asked for can't be done; the message says why and what can."""


async def in_database(work: Callable[[AsyncConnection, Settings], Awaitable[T]]) -> T:
    """Run `work` in one transaction on the database of the environment's settings."""
    settings = load()
    engine = make_engine(settings.postgres, "cli")
    try:
        async with engine.begin() as tx:
            return await work(tx, settings)
    finally:
        await engine.dispose()


async def recover() -> int:
    """One sweep, now. Returns how much was woken."""
    settings = load()
    client = await connect(settings.temporal, lazy=False)
    engine = make_engine(settings.postgres, "cli")
    try:
        async with Conductor(client, engine) as conductor:
            return await PostgresSweeper(engine, client, conductor).sweep()
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
            "id": render(Prefix.PROPERTY, row["id"]),
            "slug": row["slug"],
            "name": row["name"],
            "timezone": row["timezone"],
            "channels": {
                scope.environment: await accounts.channels(tx, scope)
                for scope in every
                if scope.property_id == row["id"]
            },
        }
        for row in await properties.everything(tx)
    ]


async def _scopes_of(tx: AsyncConnection, slug: str) -> dict[str, Scope]:
    there = await properties.scopes_of(tx, slug)
    if not there:
        raise Refused(f"There is no property '{slug}'. `bellhop properties list` shows those there are.")
    return there


async def create_key(
    tx: AsyncConnection, slug: str, environment: str, name: str, rights: Sequence[str], rate_limit: int | None
) -> dict[str, Any]:
    """Mint a key for one property and environment; the raw key is in the answer and nowhere else."""
    there = await _scopes_of(tx, slug)
    if environment not in there:
        raise Refused(f"The environment is `test` or `live`, not '{environment}'.")
    if unknown := [word for word in rights if word not in RIGHTS]:
        raise Refused(f"No such scope: {', '.join(unknown)}. There are: {', '.join(RIGHTS)}.")
    row, raw = await keys.create(tx, there[environment], name, rights, rate_limit=rate_limit)
    return {"id": render(Prefix.KEY, row["id"]), "environment": environment, "scopes": list(rights), "key": raw}


async def list_keys(tx: AsyncConnection, slug: str) -> list[dict[str, Any]]:
    """The keys of a property, without their secrets."""
    found = []
    for environment, scope in sorted((await _scopes_of(tx, slug)).items()):
        rows, _ = await keys.listing(tx, scope, limit=1000, offset=0)
        found += [
            {
                "id": render(Prefix.KEY, row["id"]),
                "name": row["name"],
                "environment": environment,
                "scopes": row["rights"],
                "last4": row["last4"],
                "created_at": timestamp(row["created_at"]),
                "revoked_at": timestamp(row["revoked_at"]),
            }
            for row in rows
        ]
    return found


async def revoke_key(tx: AsyncConnection, key_id: str) -> dict[str, Any]:
    """Close a key for good."""
    key = parse(Prefix.KEY, key_id)
    scope = await keys.home(tx, key) if key else None
    if key is None or scope is None:
        raise Refused(f"There is no key {key_id}. `bellhop keys list` shows those there are.")
    await keys.revoke(tx, scope, key)
    return {"id": key_id, "revoked": True}
