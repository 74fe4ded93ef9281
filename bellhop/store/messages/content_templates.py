"""What providers say of the approved templates that a scope's own templates name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.approved_templates import Approval, ApprovalStatus, ApprovedText
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import seconds
from bellhop.store.tables import content_templates, scopes


@dataclass(frozen=True, slots=True)
class Due:
    """One that is to be asked about."""

    scope: Scope
    content_sid: str


async def known(tx: AsyncConnection, scope: Scope, content_sid: str) -> None:
    """From now on it is asked about."""
    new = upsert(content_templates).values(scope_id=scope.id, content_sid=content_sid)
    await tx.execute(new.on_conflict_do_nothing())


async def write(tx: AsyncConnection, scope: Scope, content_sid: str, approval: Approval) -> None:
    """What the provider has just said."""
    said: dict[str, Any] = {
        "status": approval.status.value,
        "category": approval.category,
        "rejection_reason": approval.rejection_reason,
        "variables": list(approval.variables),
        "checked_at": func.now(),
        "asked_at": func.now(),
    }
    new = upsert(content_templates).values(scope_id=scope.id, content_sid=content_sid, **said)
    await tx.execute(new.on_conflict_do_update(index_elements=["scope_id", "content_sid"], set_=said))


async def claim(tx: AsyncConnection, age: float, pending_age: float, most: int) -> list[Due]:
    """Those that nobody has asked about for `age` seconds, or `pending_age` where an answer may soon be another; from
    now on somebody does."""
    waits = content_templates.c.status.is_(None) | content_templates.c.status.in_(_WAITING)
    due = (
        select(content_templates.c.scope_id, content_templates.c.content_sid)
        .where(
            (content_templates.c.asked_at < func.now() - seconds(age))
            | (waits & (content_templates.c.asked_at < func.now() - seconds(pending_age)))
        )
        .order_by(content_templates.c.asked_at)
        .limit(most)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claimed = await tx.execute(
        update(content_templates)
        .where(
            content_templates.c.scope_id == due.c.scope_id,
            content_templates.c.content_sid == due.c.content_sid,
            scopes.c.id == content_templates.c.scope_id,
        )
        .values(asked_at=func.now())
        .returning(scopes.c.id, scopes.c.property_id, scopes.c.environment, content_templates.c.content_sid)
    )
    return [Due(Scope(row[0], row[1], row[2]), row[3]) for row in claimed]


_WAITING = [status.value for status in (ApprovalStatus.UNSUBMITTED, ApprovalStatus.RECEIVED, ApprovalStatus.PENDING)]


async def of_scope(tx: AsyncConnection, scope: Scope) -> Sequence[str]:
    """The ids of a scope's."""
    mine = select(content_templates.c.content_sid).where(content_templates.c.scope_id == scope.id)
    return (await tx.execute(mine.order_by(content_templates.c.content_sid))).scalars().all()


async def is_usable(tx: AsyncConnection, scope_id: UUID, approved: ApprovedText) -> bool:
    """Whether it is approved, with the variables that it is to be sent with, as far as the provider has said."""
    row = (
        await tx.execute(
            select(content_templates.c.status, content_templates.c.variables).where(
                content_templates.c.scope_id == scope_id, content_templates.c.content_sid == approved.content_sid
            )
        )
    ).one_or_none()
    return row is not None and row.status == ApprovalStatus.APPROVED and {*row.variables} == {*approved.variables}
