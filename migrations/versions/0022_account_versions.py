"""A version of each account at a provider: what processes remember of it is checked by that."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

NOTE = """
create or replace function note_account_version() returns trigger language plpgsql as $$
declare
  changed provider_accounts;
begin
  foreach changed in array case tg_op
    when 'INSERT' then array[new] when 'DELETE' then array[old] else array[old, new] end
  loop
    insert into account_versions as known (provider, identity, version)
    values (changed.provider, changed.identity, pg_current_xact_id()::text::bigint)
    on conflict (provider, identity) do update set version = excluded.version
      where known.version <> excluded.version;
  end loop;
  return null;
end
$$
"""
MADE = """
create or replace trigger provider_accounts_made after insert or delete on provider_accounts
for each row execute function note_account_version()
"""
CHANGED = """
create or replace trigger provider_accounts_changed
after update of scope_id, provider, identity, base_url, credentials, previous_credentials on provider_accounts
for each row when (
  (old.scope_id, old.provider, old.identity, old.base_url, old.credentials, old.previous_credentials) is distinct from
  (new.scope_id, new.provider, new.identity, new.base_url, new.credentials, new.previous_credentials)
) execute function note_account_version()
"""


def upgrade() -> None:
    op.create_table(
        "account_versions",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "identity", name=op.f("pk_account_versions")),
    )
    for statement in (NOTE, MADE, CHANGED):
        op.execute(statement)
    # The triggers keep writers away until this is committed.
    op.execute(
        "insert into account_versions (provider, identity, version)"
        " select distinct provider, identity, pg_current_xact_id()::text::bigint from provider_accounts"
    )


def downgrade() -> None:
    op.execute("drop trigger provider_accounts_changed on provider_accounts")
    op.execute("drop trigger provider_accounts_made on provider_accounts")
    op.execute("drop function note_account_version()")
    op.drop_table("account_versions")
