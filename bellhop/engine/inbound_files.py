"""Files that guests send, where their bytes come with the message: kept before it is recorded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO
from uuid import UUID

from bellhop.domain.delivery_ports import Account, Inbound, Receipt
from bellhop.domain.inbound_details import MOST_MEDIA, Media
from bellhop.domain.inbound_files import FileProblem, KeptFile
from bellhop.engine.assets import library_of
from bellhop.engine.context import Engine
from bellhop.media.kinds import Inspected, UnfitFile, named
from bellhop.store.conversations import answered_mails
from bellhop.store.messages import assets
from bellhop.store.messages.assets import NewAsset


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as a guest's message brings it. `content_type`, `filename`: the sender's word."""

    file: BinaryIO = field(repr=False)
    content_type: str | None = None
    filename: str | None = field(default=None, repr=False)


async def with_files(
    engine: Engine, verified: Sequence[Account], items: Sequence[Receipt | Inbound]
) -> Sequence[Receipt | Inbound]:
    """What a callback says, with the files that came in it kept: see `keep`. `verified`: the accounts that signed."""
    return [
        await _with_files(engine, verified, item) if isinstance(item, Inbound) and item.files else item
        for item in items
    ]


async def _with_files(engine: Engine, verified: Sequence[Account], item: Inbound) -> Inbound:
    theirs = await engine.database.read(lambda tx: answered_mails.scopes_of(tx, verified, item, engine.book))
    if not theirs:
        return replace(item, files=())
    files = [ReceivedFile(io.BytesIO(one.data), one.content_type, one.filename) for one in item.files]
    media = await keep(engine, theirs, files)
    return replace(item, files=(), details=replace(item.details, media=media))


async def keep(engine: Engine, scope_ids: Sequence[UUID], files: Sequence[ReceivedFile]) -> tuple[Media, ...]:
    """Keep files whose bytes come with a guest's message, such as the attachments of an e-mail, BEFORE the message is
    recorded and acknowledged: there is nobody to ask for them again. At most `MOST_MEDIA` are looked at; one that is
    too large or none that is accepted is not kept, and says why.

    `scope_ids`: the scopes whose message it may be (`inbound_scopes.owners`); each gets its own copy, in its own room.
    Put what is returned into the `InboundDetails.media` of the `Inbound`, with the number of all files as
    `media_count`. Recording it makes the copies the message's own, in the same transaction; copies that no message
    takes are removed after a day. Raises OSError where the bytes could not be written: the message is to come again.
    """
    return tuple([await _kept(engine, scope_ids, file) for file in files[:MOST_MEDIA]])


async def _kept(engine: Engine, scope_ids: Sequence[UUID], given: ReceivedFile) -> Media:
    library = library_of(engine)
    said = Media(content_type=given.content_type, filename=given.filename)
    size = given.file.seek(0, 2)
    if size > library.settings.max_bytes:
        return Media(content_type=said.content_type, filename=said.filename, problem=FileProblem.SIZE)
    try:
        found = await library.inspect(given.file, given.content_type, given.filename, received=True)
    except UnfitFile:
        return Media(content_type=said.content_type, filename=said.filename, problem=FileProblem.TYPE)
    copies: dict[UUID, KeptFile] = {}
    for scope_id in dict.fromkeys(scope_ids):
        copy = await _copy(engine, scope_id, found, named(given.filename, found.content_type))
        if copy is not None:
            copies[scope_id] = copy
    problem = None if copies else FileProblem.NO_ROOM
    return Media(content_type=found.content_type, filename=said.filename, kept=copies, problem=problem)


async def _copy(engine: Engine, scope_id: UUID, found: Inspected, name: str) -> KeptFile | None:
    """One scope's copy; None: it has no room."""
    library = library_of(engine)
    new = NewAsset(
        content_type=found.content_type,
        size=found.size,
        sha256=found.sha256,
        filename=name,
        keep_for=library.settings.keep_received_for,
        received=True,
    )
    most = library.settings.max_scope_bytes
    try:
        row = await engine.database.write(lambda tx: assets.reserve(tx, scope_id, new, most))
    except assets.QuotaReached:
        return None
    found.file.seek(0)
    await library.put(row.key, found.file)
    await engine.database.write(lambda tx: assets.stored(tx, row.id))
    return KeptFile(row.id, library.addresses.url(row.id, name), row.content_type, name, row.size)
