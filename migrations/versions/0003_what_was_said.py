"""Consents say when they were said, why, and who set them by hand; what is looked up of an address is the last of each.

Rows that are there were said when they came to be known, as far as anybody knows now, and their cause follows from where
we have them from. A process of the older version, which knows no causes, may write on meanwhile.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# `source` as it was written → why. SendGrid's `dropped` has several reasons, which only the receipt tells: the strictest
# is believed, which an operator can lift.
_CAUSES = """
    update consents set
      occurred_at = created_at,
      cause = case
        when source = 'sendgrid group_resubscribe' then 'group_resubscribe'
        when action = 'opt_in' then 'opt_in'
        when source = 'sendgrid group_unsubscribe' then 'group_unsubscribe'
        when source = 'sendgrid unsubscribe' then 'unsubscribe'
        when source = 'sendgrid spamreport' then 'complaint'
        when source like 'sendgrid %' then 'hard_bounce'
        when source like 'provider %' or source like 'twilio %' then 'provider_refusal'
        else 'opt_out'
      end
"""


def upgrade() -> None:
    op.add_column("consents", sa.Column("cause", sa.Text(), server_default="unstated", nullable=False))
    op.add_column("consents", sa.Column("actor", sa.Text(), nullable=True))
    op.add_column("consents", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column(
        "consents",
        sa.Column("occurred_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.execute(_CAUSES)
    op.create_index(
        "ix_consents_said",
        "consents",
        ["scope_id", "kind", "address_hash", "cause", "purpose", "occurred_at", "id"],
    )
    op.drop_index("ix_consents_address", table_name="consents")


def downgrade() -> None:
    op.create_index("ix_consents_address", "consents", ["scope_id", "kind", "address_hash", "id"])
    op.drop_index("ix_consents_said", table_name="consents")
    for name in ("occurred_at", "reason", "actor", "cause"):
        op.drop_column("consents", name)
