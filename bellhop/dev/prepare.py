"""Brings the embedded stack's database to date and gives it a property to play with and a key."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from bellhop.dev.paths import DevPaths
from bellhop.dev.problems import StartProblem
from bellhop.dev.stack import PreparedInfo
from bellhop.domain.ids import Prefix, render
from bellhop.ops.migrate import migrate
from bellhop.ops.seed import ensure_accounts, ensure_key, ensure_property
from bellhop.providers import PACKAGES
from bellhop.settings import Settings, SettingsError, from_env
from bellhop.store.connections import make_engine

NAME = "Grand Sunset Resort"
SLUG = "grand-sunset-resort"


def prepare(paths: DevPaths, env: Mapping[str, str]) -> PreparedInfo:
    """Migrate, seed, and keep the key of the last start. Raises StartProblem in one line."""
    try:
        return asyncio.run(_prepare(from_env(env), paths.read_dev_json().get("api_key")))
    except SettingsError as problem:
        raise StartProblem(str(problem)) from None


def _playable(settings: Settings) -> Settings:
    """Without the live accounts the environment names, unless there is an address providers may reach them by: the
    stack is to start all the same."""
    if settings.bellhop.encrypted:
        return settings
    nobody = {package.name: package.settings.of({}) for package in PACKAGES}
    return settings.model_copy(update={"providers": nobody})


async def _prepare(settings: Settings, last_key: str | None) -> PreparedInfo:
    settings = _playable(settings)
    await migrate(settings)
    engine = make_engine(settings.postgres, "dev")
    try:
        async with engine.begin() as tx:
            scopes = await ensure_property(tx, NAME, SLUG)
            for scope in scopes.values():
                await ensure_accounts(tx, scope, settings)
            key = await ensure_key(tx, scopes["test"], last_key, "bellhop dev")
    finally:
        await engine.dispose()
    return PreparedInfo(render(Prefix.PROPERTY, scopes["test"].property_id), key)
