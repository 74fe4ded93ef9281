"""Files that messages can carry: uploaded, looked at, deleted, handed out to whoever knows their address."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import BinaryIO
from uuid import UUID

from bellhop.domain.rows.media import AssetRow
from bellhop.domain.scopes import Scope
from bellhop.engine.context import Engine
from bellhop.engine.errors import InvalidField, NotFound, QuotaReached, UnknownGuest
from bellhop.media.kinds import UnfitFile, named
from bellhop.media.library import Library
from bellhop.store.messages import assets
from bellhop.store.messages.assets import NewAsset

AT_ONCE = 500
"""Files removed at a time."""


@dataclass(frozen=True, slots=True)
class UploadAsset:
    """A file as a caller hands it over. `content_type`: the caller's word, believed of texts only."""

    file: BinaryIO = field(repr=False)
    filename: str | None = field(default=None, repr=False)
    content_type: str | None = None
    guest_id: UUID | None = None
    """Whose it is: it goes with that guest."""
    received: bool = False
    """The guest sent it: it becomes that of a message within a day, or goes."""


async def upload(engine: Engine, scope: Scope, command: UploadAsset) -> AssetRow:
    """Keep a file. Raises InvalidField, UnknownGuest, QuotaReached; nothing is kept then."""
    library = library_of(engine)
    try:
        found = await library.inspect(command.file, command.content_type, command.filename)
    except UnfitFile as problem:
        raise InvalidField("file", str(problem), "file") from None
    new = NewAsset(
        content_type=found.content_type,
        size=found.size,
        sha256=found.sha256,
        filename=named(command.filename, found.content_type),
        keep_for=library.settings.keep_received_for if command.received else library.settings.keep_for,
        guest_id=command.guest_id,
        received=command.received,
    )
    most = library.settings.max_scope_bytes
    try:
        row = await engine.database.write(lambda tx: assets.reserve(tx, scope.id, new, most))
    except assets.QuotaReached:
        raise QuotaReached(most) from None
    except assets.UnknownGuest:
        raise UnknownGuest("guest_id") from None
    try:
        await library.put(row.key, found.file)
    except OSError:
        await engine.database.write(lambda tx: assets.abandon(tx, row.id))
        raise
    if not await engine.database.write(lambda tx: assets.stored(tx, row.id)):
        # Its guest was erased meanwhile.
        await remove(engine, [row.key])
        raise UnknownGuest("guest_id")
    return row


async def get(engine: Engine, scope: Scope, asset_id: UUID) -> AssetRow:
    """One file. Raises NotFound."""
    row = await engine.database.read(lambda tx: assets.get(tx, scope, asset_id))
    if row is None:
        raise NotFound
    return row


async def delete(engine: Engine, scope: Scope, asset_id: UUID) -> None:
    """Delete a file. What waits and carries it fails with `media_unavailable`. Raises NotFound."""
    if not await engine.database.write(lambda tx: assets.forget(tx, scope, asset_id)):
        raise NotFound
    await remove(engine, [str(asset_id)])


async def remove(engine: Engine, keys: list[str]) -> None:
    """Remove the bytes of files that have been let go, as many as may be done at once: recovery sees to the others, and
    to what is left if the process dies."""
    if engine.library is None or not keys:
        return
    done = await engine.library.remove(keys[:AT_ONCE])
    await engine.database.write(lambda tx: assets.removed(tx, done))


def library_of(engine: Engine) -> Library:
    """The files; only where the process has them."""
    assert engine.library is not None, "the API has files"
    return engine.library
