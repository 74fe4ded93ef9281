"""Everything that is kept of a guest as one JSON document, written piece by piece: no more than a page is in memory,
however much there is, and no connection is held while the reader takes its time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.channels import AddressKind, Channel, kind_of
from bellhop.domain.devices import masked
from bellhop.domain.ids import Prefix, render
from bellhop.domain.scopes import Scope
from bellhop.domain.serializers import timestamp
from bellhop.engine.context import Engine
from bellhop.engine.errors import NotFound
from bellhop.store.guests import export
from bellhop.store.guests.export import FIRST, PAGE, SECTIONS, Section, Subject

_OWN = {
    "guests": Prefix.GUEST,
    "consents": Prefix.CONSENT,
    "devices": Prefix.DEVICE,
    "guest_sessions": Prefix.SESSION,
    "stays": Prefix.STAY,
    "conversations": Prefix.CONVERSATION,
    "assets": Prefix.ASSET,
    "events": Prefix.EVENT,
    "intents": Prefix.INTENT,
}
"""How the ids of a section's rows are shown; others plainly."""
_REFERENCES = {
    "guest_id": Prefix.GUEST,
    "conversation_id": Prefix.CONVERSATION,
    "stay_id": Prefix.STAY,
    "asset_id": Prefix.ASSET,
    "account_id": Prefix.ACCOUNT,
    "resend_of": Prefix.MESSAGE,
}


class ErasedMeanwhile(Exception):
    """The guest was erased while the document was being written: it ends in the middle."""


async def document(engine: Engine, scope: Scope, guest_id: UUID) -> AsyncIterator[bytes]:
    """The pieces of the document. Raises NotFound before the first; ErasedMeanwhile between two, so that it is no whole
    document."""
    subject = await engine.database.read(lambda tx: export.subject(tx, scope, guest_id, engine.book))
    if subject is None:
        raise NotFound
    return _pieces(engine, subject)


async def _pieces(engine: Engine, subject: Subject) -> AsyncIterator[bytes]:
    head = {
        "format": "bellhop.guest/1",
        "guest_id": render(Prefix.GUEST, subject.guest_id),
        "property_id": render(Prefix.PROPERTY, subject.scope.property_id),
    }
    yield json.dumps(head)[:-1].encode()
    for section in SECTIONS:
        yield f', "{section.name}": ['.encode()
        first = True
        async for page in _pages(engine, section, subject):
            written = ",\n".join(json.dumps(row, ensure_ascii=False, default=_plain) for row in page)
            yield (("\n" if first else ",\n") + written).encode()
            first = False
        yield b"]"
    yield b"}\n"


async def _pages(engine: Engine, section: Section, subject: Subject) -> AsyncIterator[list[dict[str, Any]]]:
    if section.of_message is None and section.name != "messages":
        async for page in _rows(engine, section, subject, {}):
            yield page
        return
    after = FIRST
    while linked := await _read(engine, subject, partial(export.linked, subject=subject, after=after)):
        async for page in _rows(engine, section, subject, {one.id: one.direction for one in linked}):
            yield page
        if len(linked) < PAGE:
            return
        after = linked[-1].id


async def _rows(
    engine: Engine, section: Section, subject: Subject, directions: Mapping[UUID, str]
) -> AsyncIterator[list[dict[str, Any]]]:
    after, ids = FIRST, list(directions)
    while True:
        read = partial(export.rows, section=section, subject=subject, ids=ids, after=after)
        found: Sequence[dict[str, Any]] = await _read(engine, subject, read)
        if found:
            yield [_shown(engine, section, row, directions) for row in found]
        if len(found) < PAGE:
            return
        after = found[-1]["id"]


async def _read(engine: Engine, subject: Subject, work: Any) -> Any:
    async def read(tx: AsyncConnection) -> Any:
        found = await work(tx)
        # Last: what was read before it is the guest's as long as they are there.
        if not await export.there(tx, subject):
            raise ErasedMeanwhile
        return found

    return await engine.database.read(read)


def _shown(engine: Engine, section: Section, row: dict[str, Any], directions: Mapping[UUID, str]) -> dict[str, Any]:
    shown = {name: _value(name, value, directions) for name, value in row.items() if name != "id"}
    table = section.table.name
    _without_tokens(shown)
    if table == "messages":
        return {"id": _message(row["id"], directions), **shown}
    if table == "media_links" and engine.library is not None and row["asset_id"] is not None:
        shown["url"] = engine.library.addresses.url(row["id"], row["filename"])
    prefix = _OWN.get(table)
    return {"id": render(prefix, row["id"]) if prefix else str(row["id"]), **shown}


def _value(name: str, value: Any, directions: Mapping[UUID, str]) -> Any:
    if isinstance(value, UUID):
        if value in directions:
            return _message(value, directions)
        return render(_REFERENCES[name], value) if name in _REFERENCES else str(value)
    return value


def _message(key: UUID, directions: Mapping[UUID, str]) -> str:
    return render(Prefix.INBOUND if directions[key] == "inbound" else Prefix.MESSAGE, key)


def _without_tokens(shown: dict[str, Any]) -> None:
    """Of a device that a notification went to as much as tells it from others."""
    to, channel = shown.get("recipient"), shown.get("channel")
    if to and channel and kind_of(Channel(channel), to) is AddressKind.DEVICE:
        shown["recipient"] = masked(to)
    if shown.get("kind") == AddressKind.DEVICE.value and "address" in shown:
        shown["address"] = masked(shown["address"])
    if isinstance(body := shown.get("body"), dict) and "devices" in body:
        goes_to = [{**one, "token": masked(str(one.get("token", "")))} for one in body["devices"]]
        shown["body"] = {**body, "devices": goes_to}


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    raise TypeError(type(value).__name__)
