"""What an operator does by command to the senders of a property."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar
from uuid import UUID

from bellhop.domain import public_senders
from bellhop.domain.channels import Channel
from bellhop.domain.ids import Prefix, parse, render
from bellhop.domain.paging import PageRequest
from bellhop.domain.rows.delivery import OwnSender
from bellhop.domain.scopes import Scope
from bellhop.engine import senders
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, InvalidField
from bellhop.engine.senders import NewSender, SenderFields
from bellhop.ops.administration import Refused, scope_of

T = TypeVar("T")

_FLAGS = {"address": "ADDRESS", "channel": "CHANNEL", "account_id": "--account", "rate": "RATE"}
"""How the command says what the engine calls a field."""


async def listing(engine: Engine, slug: str, environment: str) -> list[dict[str, Any]]:
    """The senders of an environment of a property, in the order in which each channel uses them."""
    scope = await _scope(engine, slug, environment)
    return [public_senders.sender(row) for row in await _every(engine, scope)]


async def add(
    engine: Engine,
    slug: str,
    environment: str,
    channel: str,
    address: str,
    *,
    account: str | None,
    fields: SenderFields,
) -> dict[str, Any]:
    """Make a sender. `account`: acc_…; `fields`: as `NewSender` takes them."""
    scope = await _scope(engine, slug, environment)
    if channel not in {each.value for each in Channel}:
        raise Refused(f"There is no channel '{channel}': {', '.join(Channel)}.")
    key = parse(Prefix.ACCOUNT, account) if account else None
    if account and key is None:
        raise Refused(
            f"--account: expected the id of an account (acc_…), not '{account}'. See `bellhop accounts list`."
        )
    new = NewSender(channel=Channel(channel), address=address, account_id=key, fields=fields)
    return public_senders.sender(await _said(senders.create(engine, scope, new)))


async def change(engine: Engine, slug: str, environment: str, sender: str, fields: SenderFields) -> dict[str, Any]:
    """Change what is given of a sender. `sender`: snd_… or its address."""
    scope = await _scope(engine, slug, environment)
    key = await _key(engine, scope, sender)
    return public_senders.sender(await _said(senders.change(engine, scope, key, fields)))


async def remove(engine: Engine, slug: str, environment: str, sender: str) -> dict[str, Any]:
    """Send nothing from it any more."""
    scope = await _scope(engine, slug, environment)
    key = await _key(engine, scope, sender)
    await _said(senders.remove(engine, scope, key))
    return {"id": render(Prefix.SENDER, key), "removed": True}


async def _scope(engine: Engine, slug: str, environment: str) -> Scope:
    return await scope_of(engine, slug, environment)


async def _every(engine: Engine, scope: Scope) -> list[OwnSender]:
    return (await senders.listing(engine, scope, PageRequest(limit=1000))).rows


async def _key(engine: Engine, scope: Scope, sender: str) -> UUID:
    known = await _every(engine, scope)
    found = [one for one in known if one.address == sender or one.id == parse(Prefix.SENDER, sender)]
    if len(found) == 1:
        return found[0].id
    if found:
        which = ", ".join(f"{render(Prefix.SENDER, one.id)} ({one.channel})" for one in found)
        raise Refused(f"There are several such senders; name one by its id: {which}.")
    raise Refused(
        f"There is no sender '{sender}' in {scope.environment}. `bellhop senders list` shows those there are."
    )


async def _said(work: Awaitable[T]) -> T:
    """The same; what the engine refuses is said in the command's words."""
    try:
        return await work
    except InvalidField as problem:
        raise Refused(f"{_FLAGS.get(problem.field, problem.field)}: {problem.expected}.") from None
    except EngineError as problem:
        raise Refused(str(problem)) from None
