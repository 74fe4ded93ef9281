"""Guests' names are folded anew: their quotes and dashes are searched for as a plain keyboard writes them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PAGE = 2000


def upgrade() -> None:
    # What the program folds a search by today is what its rows have to be folded by, so this is the program's own.
    from bellhop.domain.guests import search_text

    connection = op.get_bind()
    guests = sa.table(
        "guests", *(sa.column(name) for name in ("id", "first_name", "last_name", "email", "search_text"))
    )
    named = sa.func.concat(guests.c.first_name, guests.c.last_name, guests.c.email)
    # Plain letters, digits and signs were folded so before; the backtick was not.
    page = (
        sa.select(guests).where(named.op("~")(r"[^\x01-\x5f\x61-\x7e]")).order_by(guests.c.id).limit(PAGE)
    )
    rows = connection.execute(page).all()
    while rows:
        folded = [
            {"of": row.id, "folded": search_text(row.first_name, row.last_name, row.email)}
            for row in rows
        ]
        if changed := [one for one, row in zip(folded, rows, strict=True) if one["folded"] != row.search_text]:
            connection.execute(
                sa.update(guests).where(guests.c.id == sa.bindparam("of")).values(search_text=sa.bindparam("folded")),
                changed,
            )
        rows = connection.execute(page.where(guests.c.id > rows[-1].id)).all()


def downgrade() -> None:
    """Rows that are folded further are found by most of what the older version looks for."""
