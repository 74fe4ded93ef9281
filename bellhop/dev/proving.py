"""An embedded stack to prove something on (bench, chaos): nobody else's data, and a key whose limit is never met."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

from bellhop.dev.console import Console
from bellhop.dev.free_ports import Ports
from bellhop.dev.paths import DevPaths
from bellhop.dev.prepare import prepare
from bellhop.dev.stack import ALL_PARTS, EmbeddedStack, PreparedInfo
from bellhop.domain.ids import Prefix, parse
from bellhop.settings import Settings, from_env, groups
from bellhop.store.access import keys
from bellhop.store.connections import make_engine

RATE_LIMIT = 1_000_000
"""Requests a minute: the limit is not what is measured."""


def environment_without_settings() -> dict[str, str]:
    """This process's environment without any variable of ours: a person's own settings are no part of a proof."""
    prefixes = (*(str(group.model_config.get("env_prefix")) for group in groups().values()), "SANDBOX_")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def proving_stack(state: Path, name: str, console: Console, env: Mapping[str, str]) -> EmbeddedStack:
    """All parts as `bellhop dev` runs them, but for the receiver. `name` is the key's; `env` is all they get."""

    def prepared(paths: DevPaths, env: Mapping[str, str]) -> PreparedInfo:
        made = prepare(paths, env)
        return PreparedInfo(made.property_id, asyncio.run(_key(from_env(env), made.property_id, name)))

    return EmbeddedStack(
        state,
        ports=Ports.any_free(),
        parts=[part for part in ALL_PARTS if part != "receiver"],
        prepare=prepared,
        console=console,
        env=env,
    )


async def _key(settings: Settings, property_id: str, name: str) -> str:
    property_key = parse(Prefix.PROPERTY, property_id)
    assert property_key is not None
    engine = make_engine(settings.postgres, name)
    try:
        async with engine.begin() as tx:
            scope = await keys.scope_of(tx, property_key, "test")
            assert scope is not None
            _, raw = await keys.create(tx, scope, name, ["*"], rate_limit=RATE_LIMIT)
    finally:
        await engine.dispose()
    return raw
