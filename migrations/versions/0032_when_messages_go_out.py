"""When messages go out: for how long they are of use, and which of their property's rules they leave aside; and the time
zone of guests."""

from __future__ import annotations

from bellhop.store import online_indexes

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    online_indexes.run("alter table messages add column if not exists validity integer")
    for name in ("ignore_quiet_hours", "ignore_frequency_cap"):
        online_indexes.run(f"alter table messages add column if not exists {name} boolean not null default false")
    online_indexes.run("alter table guests add column if not exists timezone text")


def downgrade() -> None:
    online_indexes.run("alter table guests drop column if exists timezone")
    for name in ("validity", "ignore_quiet_hours", "ignore_frequency_cap"):
        online_indexes.run(f"alter table messages drop column if exists {name}")
