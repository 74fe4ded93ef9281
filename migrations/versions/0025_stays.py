"""Stays have several guests, days, a room and a status."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

WORDS = "('booked', 'in_house', 'departed', 'cancelled', 'no_show')"


def upgrade() -> None:
    # Nothing wrote stays before.
    op.drop_index("ix_stays_guest_id", "stays")
    for name in ("guest_id", "arrives_at", "departs_at"):
        op.drop_column("stays", name)
    op.add_column("stays", sa.Column("status", sa.Text(), server_default="booked", nullable=False))
    op.add_column("stays", sa.Column("arrival", sa.Date(), nullable=True))
    op.add_column("stays", sa.Column("departure", sa.Date(), nullable=True))
    op.add_column("stays", sa.Column("room", sa.Text(), nullable=True))
    op.add_column(
        "stays",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.create_check_constraint(op.f("ck_stays_status"), "stays", f"status in {WORDS}")
    op.create_index("ix_stays_listing", "stays", ["scope_id", "id"])
    op.create_index("ix_stays_arrival", "stays", ["scope_id", sa.text("coalesce(arrival, departure)")])
    op.create_index("ix_stays_departure", "stays", ["scope_id", sa.text("coalesce(departure, arrival)")])
    op.create_table(
        "stay_guests",
        sa.Column("stay_id", sa.Uuid(), nullable=False),
        sa.Column("guest_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(["stay_id"], ["stays.id"], name=op.f("fk_stay_guests_stay_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_stay_guests_guest_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stay_id", "guest_id", name=op.f("pk_stay_guests")),
    )
    op.create_index("ix_stay_guests_guest_id", "stay_guests", ["guest_id"])


def downgrade() -> None:
    op.drop_table("stay_guests")
    for name in ("ix_stays_departure", "ix_stays_arrival", "ix_stays_listing"):
        op.drop_index(name, "stays")
    op.drop_constraint(op.f("ck_stays_status"), "stays")
    for name in ("updated_at", "room", "departure", "arrival", "status"):
        op.drop_column("stays", name)
    op.add_column("stays", sa.Column("arrives_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stays", sa.Column("departs_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("stays", sa.Column("guest_id", sa.Uuid(), nullable=True))
    op.create_foreign_key("fk_stays_guest_id", "stays", "guests", ["guest_id"], ["id"], ondelete="CASCADE")
    op.create_index("ix_stays_guest_id", "stays", ["guest_id"])
