"""Many messages accepted in one transaction, each with its own outcome: one that is refused costs no other."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import CHANNELS, kind_of
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.engine import errors
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, IdempotencySubjectGone
from bellhop.engine.idempotency import IdempotencyKey, Once, once
from bellhop.engine.messages import Prepared, SendMessage, accept, prepared
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.messages import batches

MOST = 1_000
"""Messages in one transaction."""
TOGETHER = 50
"""So many are written in one savepoint. Where one of them is refused, these are written again, each in its own."""
ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Unfit:
    """A message that its caller's protocol has refused already, and what it says of that: nothing of a guest."""

    said: Mapping[str, Any]


Outcome = MessageRow | EngineError | Unfit
"""What became of one message: accepted, or why not."""


async def send(
    engine: Engine, scope: Scope, commands: Sequence[SendMessage | Unfit], key: IdempotencyKey | None = None
) -> Once[list[Outcome]]:
    """Accept up to `MOST` messages in one transaction, whose commit is the acceptance of all that are not refused: the
    outcome of each, in the order of `commands`. What a single send would have refused with is the outcome here.

    With a `key` a repetition makes nothing and gets the same outcomes, of messages that were erased since
    IdempotencySubjectGone. Raises IdempotencyMismatch, IdempotencySubjectGone.
    """
    ready: list[Prepared | EngineError | Unfit] = []
    for place, command in enumerate(commands):
        ready.append(command if isinstance(command, Unfit) else _prepared(engine, command))
        if place % TOGETHER == 0:
            # Others have their turn.
            await asyncio.sleep(0)

    async def make(tx: AsyncConnection) -> Once[list[Outcome]]:
        made = await accept_all(engine, tx, scope, ready)
        # Without a key nobody ever asks for them again.
        batch_id = await batches.write(tx, scope, [_stored(one) for one in made]) if key else scope.id
        return Once(made, batch_id, ACCEPTED)

    async def find(tx: AsyncConnection, batch_id: UUID) -> list[Outcome] | None:
        kept = await batches.read(tx, scope, batch_id)
        return None if kept is None else await _of_stored(tx, scope, kept)

    done = await engine.database.write(
        lambda tx: once(
            tx, engine.book, scope, "batch", key, make=lambda: make(tx), find=lambda batch_id: find(tx, batch_id)
        ),
        timeout=BULK_TIMEOUT,
    )
    if not done.replayed:
        engine.dispatcher.accepted(*(row for row in done.made if isinstance(row, MessageRow)))
    return done


def _prepared(engine: Engine, command: SendMessage) -> Prepared | EngineError:
    try:
        return prepared(engine, command)
    except EngineError as refused:
        return refused


async def accept_all(
    engine: Engine, tx: AsyncConnection, scope: Scope, ready: Sequence[Prepared | EngineError | Unfit]
) -> list[Outcome]:
    """Write those that are ready in a transaction of the caller's, who has them started after the commit
    (`TemporalDispatcher.accepted`). What is no message already stays as it is."""
    outcomes: list[Prepared | Outcome] = list(ready)
    places = {place: one for place, one in enumerate(ready) if isinstance(one, Prepared)}
    abouts = await batches.lock(
        tx,
        scope,
        guests={one.guest_id for one in places.values() if one.guest_id},
        stays={one.command.stay_id for one in places.values() if one.command.stay_id},
        conversations={one.command.conversation_id for one in places.values() if one.command.conversation_id},
    )

    def turn(place: int) -> tuple[bytes, str, str, str]:
        # The same in every batch: no two of them wait for each other, for a conversation or an address that is new.
        command, guest_id = places[place].command, places[place].guest_id
        about = command.conversation_id or command.stay_id or (abouts.get(guest_id) if guest_id else None)
        kind = kind_of(command.channel, command.recipient)
        return about.bytes if about else b"", CHANNELS[command.channel].family.value, kind.value, command.recipient

    in_turn = sorted(places, key=turn)
    for first in range(0, len(in_turn), TOGETHER):
        chunk = in_turn[first : first + TOGETHER]
        try:
            async with tx.begin_nested():
                written: dict[int, Outcome] = {place: await accept(engine, tx, scope, places[place]) for place in chunk}
        except EngineError:
            written = {place: await _alone(engine, tx, scope, places[place]) for place in chunk}
        for place, outcome in written.items():
            outcomes[place] = outcome
    return [one for one in outcomes if not isinstance(one, Prepared)]


async def _alone(engine: Engine, tx: AsyncConnection, scope: Scope, ready: Prepared) -> Outcome:
    try:
        async with tx.begin_nested():
            return await accept(engine, tx, scope, ready)
    except EngineError as refused:
        return refused


def _stored(outcome: Outcome) -> dict[str, Any]:
    """Ids, words and sentences about fields."""
    if isinstance(outcome, MessageRow):
        return {"message": str(outcome.id)}
    return {"unfit": dict(outcome.said)} if isinstance(outcome, Unfit) else {"error": errors.stored(outcome)}


async def _of_stored(tx: AsyncConnection, scope: Scope, kept: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    rows = await batches.messages_of(tx, scope, [UUID(one["message"]) for one in kept if "message" in one])
    made: list[Outcome] = []
    for one in kept:
        if "message" in one:
            made.append(rows.get(UUID(one["message"])) or IdempotencySubjectGone())
        else:
            made.append(Unfit(one["unfit"]) if "unfit" in one else errors.of_stored(one["error"]))
    return made
