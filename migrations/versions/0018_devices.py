"""Guests' devices: where their apps take notifications."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("guest_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("bundle_id", sa.Text(), nullable=True),
        sa.Column("locale", sa.Text(), nullable=True),
        sa.Column("app_version", sa.Text(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("suppressed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("platform in ('ios', 'android', 'web')", name=op.f("ck_devices_platform")),
        sa.CheckConstraint("kind in ('fcm_token', 'fcm_fid', 'apns')", name=op.f("ck_devices_kind")),
        sa.CheckConstraint("environment in ('sandbox', 'production')", name=op.f("ck_devices_environment")),
        sa.ForeignKeyConstraint(["guest_id"], ["guests.id"], name=op.f("fk_devices_guest_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_devices_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_devices")),
        sa.UniqueConstraint("scope_id", "token_hash", name=op.f("uq_devices_scope_id_token_hash")),
    )
    op.create_index("ix_devices_guest_id", "devices", ["guest_id", "registered_at"])


def downgrade() -> None:
    op.drop_table("devices")
