"""Broadcasts, and who gets them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None


def _time(name: str, *, now: bool = False) -> sa.Column[sa.DateTime]:
    default = sa.text("now()") if now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not now)


def upgrade() -> None:
    op.create_table(
        "broadcasts",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("message", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("filter", JSONB(), nullable=True),
        sa.Column("left_out", JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.Column("pace", sa.Float(), nullable=True),
        sa.Column("resolved_to", sa.Uuid(), nullable=True),
        _time("resolved_at"),
        _time("scheduled_at"),
        _time("started_at"),
        _time("ended_at"),
        sa.Column("problem", sa.Text(), nullable=True),
        _time("forgotten_at"),
        sa.Column("withdrawn_to", sa.Uuid(), nullable=True),
        _time("due_at"),
        _time("created_at", now=True),
        _time("updated_at", now=True),
        sa.CheckConstraint(
            "state in ('draft', 'scheduled', 'running', 'paused', 'cancelled', 'finished')",
            name=op.f("ck_broadcasts_state"),
        ),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_broadcasts_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcasts")),
    )
    op.create_index("ix_broadcasts_listing", "broadcasts", ["scope_id", "id"])
    op.create_index("ix_broadcasts_due", "broadcasts", ["due_at", "id"], postgresql_where=sa.text("due_at is not null"))
    op.create_index(
        "ix_broadcasts_ended",
        "broadcasts",
        ["ended_at"],
        postgresql_where=sa.text("ended_at is not null and forgotten_at is null"),
    )
    op.create_table(
        "broadcast_recipients",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("broadcast_id", sa.Uuid(), nullable=False),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=True),
        sa.Column("address_hash", sa.LargeBinary(), nullable=True),
        sa.Column("state", sa.Text(), server_default="pending", nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint("state in ('pending', 'accepted', 'refused')", name=op.f("ck_broadcast_recipients_state")),
        sa.ForeignKeyConstraint(["broadcast_id"], ["broadcasts.id"], name=op.f("fk_broadcast_recipients_broadcast_id")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_broadcast_recipients_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast_recipients")),
    )
    op.create_index("ix_broadcast_recipients_next", "broadcast_recipients", ["broadcast_id", "state", "id"])
    for name, columns, unique, where in (
        ("guest", ["broadcast_id", "guest_id"], True, "guest_id is not null"),
        ("address", ["broadcast_id", "address_hash"], True, "address_hash is not null"),
        ("of_guest", ["guest_id"], False, "guest_id is not null"),
        ("hash", ["address_hash"], False, "address_hash is not null"),
    ):
        op.create_index(
            f"ix_broadcast_recipients_{name}",
            "broadcast_recipients",
            columns,
            unique=unique,
            postgresql_where=sa.text(where),
        )


def downgrade() -> None:
    op.drop_table("broadcast_recipients")
    op.drop_table("broadcasts")
