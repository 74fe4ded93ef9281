"""What a broadcast would do, before it does: how many would get it, how many would not and why, and what it looks like.
Counted page by page, by what is known now; nothing is written."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain import policy_settings
from bellhop.domain.broadcasts import MOST_RECIPIENTS, RecipientState, Unsent, filter_of
from bellhop.domain.channels import kind_of
from bellhop.domain.consents import Effect
from bellhop.domain.rows.broadcasts import BroadcastRow, RecipientRow
from bellhop.domain.rows.guests import GuestRow
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.engine import batches
from bellhop.engine.broadcasts import addressed, hash_of, message_of
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, NotFound
from bellhop.engine.messages import SendMessage, prepared
from bellhop.store.broadcasts import recipients, record
from bellhop.store.delivery import caps
from bellhop.store.guests import consents

PAGE = 500
FIRST = UUID(int=0)


@dataclass(slots=True)
class Preview:
    """`sends`: how many would get it. `unchecked`: of these, of how many only their sending tells (`auto` chooses
    then). `refused`: how many would not, by why. `example`: the message to the first of them; `problem`: why there is
    none, though somebody is to get one."""

    sends: int = 0
    unchecked: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    example: MessageRow | None = None
    problem: EngineError | None = None


class _Undone(Exception):
    """What was tried is rolled back."""


async def preview(engine: Engine, scope: Scope, broadcast_id: UUID) -> Preview:
    """Raises NotFound."""
    row = await engine.database.read(lambda tx: record.get(tx, scope, broadcast_id))
    if row is None:
        raise NotFound
    message, found, seen = message_of(row), Preview(refused=Counter(row.left_out)), set[bytes]()
    after, looked, first = FIRST, 0, None
    while looked < MOST_RECIPIENTS:
        page, guests = await engine.database.read(lambda tx, after=after: _page(tx, scope, row, after))  # type: ignore[misc]
        if not page:
            break
        after, looked = page[-1].id, looked + len(page)
        commands = _commands(engine, message, page, guests, found, seen)
        going = await engine.database.read(lambda tx, some=commands: _allowed(engine, tx, scope, row, some, found))  # type: ignore[misc]
        found.sends += len(going)
        first = first or next(iter(going), None)
        # Others have their turn.
        await asyncio.sleep(0)
    found.unchecked = found.sends if message.auto is not None else 0
    if first is not None:
        await _try(engine, scope, first, found)
    return found


async def _page(
    tx: AsyncConnection, scope: Scope, row: BroadcastRow, after: UUID
) -> tuple[list[RecipientRow], Mapping[UUID, GuestRow]]:
    if row.resolved_at is None and row.filter is not None:
        keys = await recipients.meant(tx, scope, filter_of(row.filter), after, PAGE)
        page = [RecipientRow(key, key, None, RecipientState.PENDING, None, None) for key in keys]
    else:
        page = await recipients.of_state(tx, row, RecipientState.PENDING, after, PAGE)
    return page, await recipients.guests_of(tx, scope, [one.guest_id for one in page if one.guest_id])


def _commands(
    engine: Engine,
    message: SendMessage,
    page: Sequence[RecipientRow],
    guests: Mapping[UUID, GuestRow],
    found: Preview,
    seen: set[bytes],
) -> list[SendMessage]:
    made: list[SendMessage] = []
    for one in page:
        command = addressed(message, one, guests)
        if isinstance(command, Unsent):
            found.refused[command.value] += 1
            continue
        hashed = hash_of(engine, command)
        if hashed is not None and hashed in seen:
            found.refused[Unsent.DUPLICATE.value] += 1
            continue
        seen |= {hashed} if hashed is not None else set()
        made.append(command)
    return made


async def _allowed(
    engine: Engine, tx: AsyncConnection, scope: Scope, row: BroadcastRow, commands: list[SendMessage], found: Preview
) -> list[SendMessage]:
    """Those of the messages that would go out."""
    if not commands or commands[0].auto is not None:
        return commands
    category = commands[0].category
    kinds = [kind_of(one.channel, one.recipient) for one in commands]
    hashes = [engine.book.hashes(kind, one.recipient) for kind, one in zip(kinds, commands, strict=True)]
    against: dict[int, Unsent] = {}
    for kind in set(kinds):
        of_kind = [place for place, one in enumerate(kinds) if one is kind]
        said = await consents.refused_each(
            tx,
            scope.id,
            kind.value,
            [hashed for place in of_kind for hashed in hashes[place]],
            category,
            commands[0].channel,
            commands[0].sender,
        )
        for place in of_kind:
            why = next((said[hashed] for hashed in hashes[place] if hashed in said), None)
            if why is not None:
                against[place] = Unsent.BOUNCED if why is Effect.HARD_BOUNCE else Unsent.OPTED_OUT
    if not commands[0].ignore_frequency_cap:
        rules = policy_settings.caps(row.scope_settings, category)
        owners = [(one.guest_id, hashed[0]) for one, hashed in zip(commands, hashes, strict=True)]
        for place in await caps.used_up_by(tx, scope.id, category, rules, row.now, owners):
            against.setdefault(place, Unsent.FREQUENCY_CAP)
    for one in against.values():
        found.refused[one.value] += 1
    return [one for place, one in enumerate(commands) if place not in against]


async def _try(engine: Engine, scope: Scope, command: SendMessage, found: Preview) -> None:
    """Accept one, look at it, and undo it."""

    async def work(tx: AsyncConnection) -> None:
        (outcome,) = await batches.accept_all(engine, tx, scope, [prepared(engine, command)])
        if isinstance(outcome, MessageRow):
            found.example = outcome
        elif isinstance(outcome, EngineError):
            found.problem = outcome
        raise _Undone

    try:
        await engine.database.write(work)
    except _Undone:
        return
    except EngineError as refused:
        found.problem = refused
