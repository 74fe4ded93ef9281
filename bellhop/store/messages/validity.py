"""Until when a new message is of use, as its sender, its property or its category says: expressions of the statement
that accepts it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Text,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from bellhop.domain import policy_settings
from bellhop.domain.categories import LONGEST, VALID_FOR, Category
from bellhop.domain.scopes import Scope
from bellhop.store.compiled import seconds
from bellhop.store.tables import scopes

# Null is less than any time here: what is not scheduled is due now.
DUE = func.greatest(func.now(), bindparam("not_before", type_=DateTime(timezone=True)))

_NOT_AFTER = bindparam("not_after", type_=DateTime(timezone=True))
# The property's own settings may have something else of that name.
_NAMED = policy_settings.VALIDITY, bindparam("kind", type_=Text)
_set: ColumnElement[str] = func.jsonb_extract_path_text(scopes.c.settings, *_NAMED)
_of_property = (
    select(
        case(
            (
                func.jsonb_typeof(func.jsonb_extract_path(scopes.c.settings, *_NAMED)) == "number",
                cast(
                    func.least(func.greatest(cast(_set, Float), literal_column("1")), literal_column(str(LONGEST))),
                    Integer,
                ),
            )
        )
    )
    .where(scopes.c.id == bindparam("of_scope", type_=Uuid))
    .scalar_subquery()
)
VALIDITY = case(
    (
        _NOT_AFTER.is_(None),
        func.coalesce(bindparam("own", type_=Integer), _of_property, bindparam("usual", type_=Integer)),
    )
)
"""Seconds; null where a time is given."""
UNTIL = func.coalesce(_NOT_AFTER, DUE + seconds(VALIDITY))


def given(
    scope: Scope, category: Category, scheduled_at: datetime | None, until: datetime | None, own: int | None
) -> dict[str, object]:
    """The parameters of all of these. `until`, `own`: what its sender says, a time or seconds."""
    return {
        "not_before": scheduled_at,
        "not_after": until,
        "own": own,
        "kind": category.value,
        "usual": VALID_FOR.get(category),
        "of_scope": scope.id,
    }
