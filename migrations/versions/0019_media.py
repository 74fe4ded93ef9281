"""Files that messages carry: what they are, and at which address providers find them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Nothing has ever been written to it.
    op.drop_table("assets")
    op.create_table(
        "assets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), server_default="storing", nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.Column("guest_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state in ('storing', 'stored', 'gone')", name=op.f("ck_assets_state")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_assets_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
    )
    op.create_index("ix_assets_scope", "assets", ["scope_id", "id"])
    op.create_index("ix_assets_guest", "assets", ["guest_id"], postgresql_where=sa.text("guest_id is not null"))
    op.create_index("ix_assets_message", "assets", ["message_id"], postgresql_where=sa.text("message_id is not null"))
    op.create_index("ix_assets_expires", "assets", ["expires_at"], postgresql_where=sa.text("state <> 'gone'"))
    op.create_index("ix_assets_gone", "assets", ["id"], postgresql_where=sa.text("state = 'gone'"))
    op.create_table(
        "media_links",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=True),
        sa.Column("filename", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_media_links_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media_links")),
        sa.UniqueConstraint("message_id", "position", name=op.f("uq_media_links_message_id_position")),
    )
    op.create_index(
        "ix_media_links_asset", "media_links", ["asset_id"], postgresql_where=sa.text("asset_id is not null")
    )


def downgrade() -> None:
    op.drop_table("media_links")
    op.drop_table("assets")
    op.create_table(
        "assets",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuidv7()"), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("slug", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_assets_scope_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assets")),
        sa.UniqueConstraint("slug", name=op.f("uq_assets_slug")),
    )
