"""What answering a guest's keyword takes: the property and its texts, and what the address was answered lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import LargeBinary, any_, bindparam, delete, func, insert, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.consent_keywords import Keyword
from bellhop.domain.keyword_answers import DAY, MOST_A_DAY, SETTING, Given
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.tables import guests, keyword_answers, properties, scopes


@dataclass(slots=True)
class Answerer:
    """A scope, with what it says. `now`: the database's clock."""

    property_id: UUID
    environment: str
    property_name: str
    own: Any
    language: str | None
    """The guest's."""
    property_language: str | None
    now: datetime

    def scope(self, scope_id: UUID) -> Scope:
        """The scope itself."""
        return Scope(scope_id, self.property_id, self.environment)


_ANSWERER = CompiledStatement(
    select(
        scopes.c.property_id,
        scopes.c.environment,
        func.coalesce(scopes.c.own["name"].astext, properties.c.name).label("property_name"),
        scopes.c.settings[SETTING].label("own"),
        select(guests.c.language).where(guests.c.id == bindparam("guest")).scalar_subquery().label("language"),
        scopes.c.settings["language"].astext.label("property_language"),
        func.now().label("now"),
    )
    .join(properties, properties.c.id == scopes.c.property_id)
    .where(scopes.c.id == bindparam("scope")),
    row=Answerer,
)
_GIVEN = CompiledStatement(
    select(keyword_answers.c.keyword, keyword_answers.c.created_at)
    .where(
        keyword_answers.c.scope_id == bindparam("scope"),
        keyword_answers.c.address_hash == any_(bindparam("hashes", type_=ARRAY(LargeBinary))),
    )
    .order_by(keyword_answers.c.created_at.desc())
    .limit(MOST_A_DAY),
    row=Given,
)


async def answerer(tx: AsyncConnection, scope_id: UUID, guest_id: UUID | None) -> Answerer:
    """Who answers, and in which languages."""
    (found,) = await _ANSWERER(tx, scope=scope_id, guest=guest_id)
    return found


async def given(tx: AsyncConnection, scope_id: UUID, hashes: list[bytes]) -> list[Given]:
    """The last answers to an address, the newest first. Whoever asks holds the lock of its contact point: two texts
    of one guest are not answered at the same time."""
    return await _GIVEN(tx, scope=scope_id, hashes=hashes)


async def note(tx: AsyncConnection, scope_id: UUID, address_hash: bytes, keyword: Keyword, message_id: UUID) -> None:
    """Write down that an address is answered by this message."""
    await tx.execute(
        insert(keyword_answers).values(
            scope_id=scope_id, address_hash=address_hash, keyword=keyword.value, message_id=message_id
        )
    )


async def answered(tx: AsyncConnection, most: int) -> int:
    """Delete at most `most` of those that count no longer. Returns how many."""
    old = (
        select(keyword_answers.c.id)
        .where(keyword_answers.c.created_at < func.now() - 2 * DAY)
        .order_by(keyword_answers.c.created_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    ids = any_(func.array(old.scalar_subquery()))
    return (await tx.execute(delete(keyword_answers).where(keyword_answers.c.id == ids))).rowcount
