"""What operators have done, by command or through the API: who, when and why."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.operators import Operator, OperatorAction
from bellhop.domain.rows.access import OperatorActionRow
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import CompiledStatement
from bellhop.store.rows import from_result
from bellhop.store.tables import operator_actions, scopes

_SHOWN = select(operator_actions, scopes.c.environment).join(scopes, scopes.c.id == operator_actions.c.scope_id)

_OF_SUBJECT = CompiledStatement(
    _SHOWN.where(
        operator_actions.c.subject_id == bindparam("subject"), operator_actions.c.scope_id == bindparam("scope")
    ).order_by(operator_actions.c.id),
    row=OperatorActionRow,
)


async def write(
    tx: AsyncConnection, scope: Scope, action: OperatorAction, subject_id: UUID, operator: Operator
) -> None:
    """Write down that somebody did something to a property, an account or a message."""
    await tx.execute(
        insert(operator_actions).values(
            scope_id=scope.id,
            action=action.value,
            subject_id=subject_id,
            actor=operator.actor,
            reason=operator.reason,
        )
    )


async def of_subject(tx: AsyncConnection, scope: Scope, subject_id: UUID) -> list[OperatorActionRow]:
    """What was done to one thing of the scope, the first first."""
    return await _OF_SUBJECT(tx, subject=subject_id, scope=scope.id)


async def last(tx: AsyncConnection, opened: Sequence[Scope], most: int) -> list[OperatorActionRow]:
    """The last things that were done in these scopes, the last first."""
    found = await tx.execute(
        _SHOWN.where(operator_actions.c.scope_id.in_({scope.id for scope in opened}))
        .order_by(operator_actions.c.id.desc())
        .limit(most)
    )
    return from_result(OperatorActionRow, found)
