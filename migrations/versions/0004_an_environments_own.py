"""What a key of one environment changes stays in that environment: settings and the property's fields by scope.

Endpoints that were deleted keep no secret.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "scopes", sa.Column("own", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False)
    )
    # A scope's settings came before the property's, choice by choice; from now on they are all there are.
    op.execute(
        """
        update scopes set settings = property.settings || scopes.settings || case
          when jsonb_typeof(property.settings -> 'outcome_unknown') = 'object'
            and jsonb_typeof(coalesce(scopes.settings -> 'outcome_unknown', '{}')) = 'object'
          then jsonb_build_object('outcome_unknown',
            (property.settings -> 'outcome_unknown') || coalesce(scopes.settings -> 'outcome_unknown', '{}'))
          else '{}' end
        from properties property
        where property.id = scopes.property_id and property.settings <> '{}'
        """
    )
    op.execute(
        """
        update endpoints set secret = '""', previous_secret = null, previous_until = null,
          url = regexp_replace(url, '^([^:]+://)([^/?#]*@)?([^/?#]*).*$', '\\1\\3')
        where deleted_at is not null
        """
    )


def downgrade() -> None:
    op.drop_column("scopes", "own")
