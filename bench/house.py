"""What the bench runs on: an embedded stack of its own, a key without a limit, a sandbox that answers soon."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from bellhop.database import make_engine
from bellhop.dev.console import Console
from bellhop.dev.paths import DevPaths
from bellhop.dev.ports import Ports
from bellhop.dev.prepare import prepare
from bellhop.dev.stack import ALL_PARTS, EmbeddedStack, PreparedInfo
from bellhop.ids import Prefix, parse
from bellhop.settings import Settings, from_env
from bellhop.store import keys

RATE_LIMIT = 1_000_000
"""Requests a minute for the bench's key: the limit is not what is measured."""

SANDBOX_PACE = {
    "twilio_sent_after": 0.05,
    "twilio_delivered_after": 0.15,
    "twilio_read_after": 0.25,
    "sendgrid_processed_after": 0.05,
    "sendgrid_delivered_after": 0.15,
    "sendgrid_open_after": 0.3,
}


def build(state: Path, console: Console) -> EmbeddedStack:
    """A stack on fresh data in `state`, everything as `bellhop dev` runs it, but for the webhook receiver."""
    shutil.rmtree(state, ignore_errors=True)
    own = {name: value for name, value in os.environ.items() if name != "TEMPORAL_ADDRESS"}
    return EmbeddedStack(
        state,
        ports=Ports.any_free(),
        parts=[part for part in ALL_PARTS if part != "receiver"],
        prepare=_prepare,
        console=console,
        env=own,
    )


def _prepare(paths: DevPaths, env: Mapping[str, str]) -> PreparedInfo:
    prepared = prepare(paths, env)
    return PreparedInfo(prepared.property_id, asyncio.run(_key(from_env(env), prepared.property_id)))


async def _key(settings: Settings, property_id: str) -> str:
    property_key = parse(Prefix.PROPERTY, property_id)
    assert property_key is not None
    engine = make_engine(settings.postgres, "bench")
    try:
        async with engine.begin() as tx:
            scope = await keys.scope_of(tx, property_key, "test")
            assert scope is not None
            _, raw = await keys.create(tx, scope, "bench", ["*"], rate_limit=RATE_LIMIT)
    finally:
        await engine.dispose()
    return raw
