"""Many messages of one line, taken in together: what is wrong with one is its own failure, and costs no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.failures import FailureCode
from bellhop.domain.formats import bird
from bellhop.domain.rows.delivery import OwnSender
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.engine import batches, contacts, line_messages, lines, messages, refusals
from bellhop.engine.contacts import Contact
from bellhop.engine.context import Engine
from bellhop.engine.errors import EngineError, InvalidField
from bellhop.engine.line_messages import SendFromLine
from bellhop.engine.messages import Prepared
from bellhop.store.database import BULK_TIMEOUT
from bellhop.store.messages import line_texts
from bellhop.store.messages.progress import Progress


async def send(engine: Engine, scope: Scope, line_id: UUID, commands: Sequence[SendFromLine]) -> UUID:
    """Accept all in one transaction, those that a single send would refuse as messages that have failed. Returns
    what they are one batch of (`WhichOfLine.batch`). Raises NotFound."""
    line = await lines.get(engine, scope, line_id)
    found = await contacts.resolved(engine, scope, [one.to for one in commands])

    async def work(tx: AsyncConnection) -> tuple[UUID, list[MessageRow], list[Progress]]:
        batch_id = await line_texts.new_batch(tx)
        asked = [replace(one, metadata=bird.of_batch(one.metadata, batch_id)) for one in commands]
        ready = [await _ready(engine, tx, scope, line, *both) for both in zip(asked, found, strict=True)]
        made = await batches.accept_all(engine, tx, scope, ready)
        refused = [
            await _refused(engine, tx, scope, line, command, contact, outcome)
            for command, contact, outcome in zip(asked, found, made, strict=True)
            if isinstance(outcome, EngineError)
        ]
        return batch_id, [one for one in made if isinstance(one, MessageRow)], refused

    batch_id, accepted, refused = await engine.database.write(work, timeout=BULK_TIMEOUT)
    engine.dispatcher.accepted(*accepted)
    for one in refused:
        engine.dispatcher.woken(one.row)
    engine.dispatcher.wake_endpoints({endpoint for one in refused for endpoint in one.endpoints})
    return batch_id


async def _ready(
    engine: Engine,
    tx: AsyncConnection,
    scope: Scope,
    line: OwnSender,
    command: SendFromLine,
    contact: Contact | InvalidField,
) -> Prepared | EngineError:
    if isinstance(contact, InvalidField):
        return contact
    try:
        asked = line_messages.as_asked(line, command, contact)
        return messages.prepared(engine, await line_messages.settled_on(tx, scope, line, command, asked))
    except EngineError as refused:
        return refused


async def _refused(
    engine: Engine,
    tx: AsyncConnection,
    scope: Scope,
    line: OwnSender,
    command: SendFromLine,
    contact: Contact | InvalidField,
    why: EngineError,
) -> Progress:
    asked = line_messages.as_asked(line, command, contact if isinstance(contact, Contact) else None)
    said = f"{bird.named(why.field)}: {why}" if isinstance(why, InvalidField) else str(why)
    asked = replace(asked, metadata=bird.refused(asked.metadata, said))
    return await refusals.accept(engine, tx, scope, asked, _code(why))


def _code(why: EngineError) -> FailureCode:
    if isinstance(why, InvalidField) and why.kind == line_messages.UNCARRIED:
        return FailureCode.MEDIA_REFUSED
    return FailureCode.INVALID
