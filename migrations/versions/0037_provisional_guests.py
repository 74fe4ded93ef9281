"""Guests who were made of what somebody wrote, and whom the property has not named yet."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online_indexes.run("alter table guests add column if not exists is_provisional boolean not null default false")


def downgrade() -> None:
    online_indexes.run("alter table guests drop column if exists is_provisional")
