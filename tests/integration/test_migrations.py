"""The schema that migrations build is the one the tables describe, and every migration can be taken back."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

from bellhop.ops.migrate import PROJECT
from bellhop.store.connections import sqlalchemy_url
from bellhop.store.months import MONTHLY
from bellhop.store.tables import metadata
from tests.conftest import SECRET

# Without the months of tables that have such parts: they come and go.
SCHEMA = {
    "tables": """
        select relname, relkind::text, relpersistence::text from pg_class
        where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'S') and not relispartition
        order by 1
    """,
    "columns": """
        select table_name, column_name, data_type, udt_name, is_nullable, column_default, collation_name
        from information_schema.columns where table_schema = 'public'
          and not (select relispartition from pg_class where oid = to_regclass(table_name)) order by 1, 2
    """,
    "constraints": """
        select conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid)
        from pg_constraint where connamespace = 'public'::regnamespace
          and not coalesce((select relispartition from pg_class where oid = conrelid), false) order by 1, 2
    """,
    "indexes": """
        select tablename, indexname, indexdef from pg_indexes where schemaname = 'public'
          and not (select relispartition from pg_class where oid = to_regclass(tablename)) order by 1, 2
    """,
    "functions": "select proname, prosrc from pg_proc where pronamespace = 'public'::regnamespace order by 1",
    "triggers": """
        select tgrelid::regclass::text, tgname from pg_trigger
        where not tgisinternal and tgparentid = 0 order by 1, 2
    """,
}


@contextmanager
def connected(dsn: str) -> Iterator[Connection]:
    engine = create_engine(sqlalchemy_url(dsn))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def until(true: Callable[[], bool], seconds: float = 30.0, *, expected: bool = True) -> None:
    """Wait until something becomes true; `expected=False`: make sure that it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            assert expected, "it happened"
            return
        time.sleep(0.05)
    assert not expected, "it did not happen in time"


def now(connection: Connection, query: str) -> object:
    """One value as it is now: in a transaction, what the server does is shown as it was at its beginning."""
    connection.rollback()
    return connection.execute(text(query)).scalar_one()


def schema(connection: Connection) -> dict[str, set[tuple[object, ...]]]:
    """What is there, but for Alembic's own table."""
    found = {what: {tuple(row) for row in connection.execute(text(query))} for what, query in SCHEMA.items()}
    return {what: {row for row in rows if "alembic_version" not in row} for what, rows in found.items()}


def not_a_month(name: str | None, kind: str, _: object) -> bool:
    return kind != "table" or not re.fullmatch(rf"({'|'.join(MONTHLY)})_(before|later|\d{{4}}_\d\d)", name or "")


def alembic(connection: Connection) -> Config:
    config = Config(str(PROJECT / "alembic.ini"))
    config.attributes["connection"] = connection
    return config


def test_what_migrations_build_is_what_the_tables_say(database_dsn: str) -> None:
    with connected(database_dsn) as connection:
        migrated = schema(connection)
        differences = compare_metadata(
            MigrationContext.configure(
                connection,
                opts={"compare_type": True, "compare_server_default": True, "include_name": not_a_month},
            ),
            metadata,
        )
        assert differences == []
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
        metadata.create_all(connection)
        at_once = schema(connection)
    for what in SCHEMA:
        assert migrated[what] == at_once[what], what
    assert ("rate_windows", "r", "u") in migrated["tables"], "unlogged"


def test_every_migration_can_be_taken_back_and_made_again(database_dsn: str) -> None:
    with connected(database_dsn) as connection:
        config = alembic(connection)
        revisions = list(ScriptDirectory.from_config(config).walk_revisions())
        assert len({one.down_revision for one in revisions}) == len(revisions), "one line of migrations, no branches"
        built = schema(connection)
        for _ in revisions:
            command.downgrade(config, "-1")
            connection.commit()
        assert not any(schema(connection).values()), "nothing is left"
        command.upgrade(config, "head")
        connection.commit()
        assert schema(connection) == built


def test_what_a_property_chose_goes_to_its_environments(database_dsn: str) -> None:
    """0004: settings that held for both are each environment's own, under what that one had chosen. Endpoints that
    were deleted before keep no secret."""
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, "0003")
        connection.execute(
            text(
                """
                with made as (
                  insert into properties (name, slug, settings) values ('Grand', 'grand',
                    '{"a": 1, "b": 2, "outcome_unknown": {"email": "resend", "sms": "resend"}}') returning id)
                insert into scopes (property_id, environment, settings)
                select id, 'live', '{"b": 3, "outcome_unknown": {"sms": "fail"}}'::jsonb from made
                union all select id, 'test', '{}' from made
                """
            )
        )
        connection.execute(
            text(
                "insert into endpoints (scope_id, url, secret, previous_secret, deleted_at) select id,"
                " 'https://u:p@example.com:8443/hook/token?key=x', '\"s\"', '\"old\"',"
                " case environment when 'live' then now() end from scopes"
            )
        )
        connection.commit()
        command.upgrade(config, "head")
        connection.commit()
        settings = "select environment, settings from scopes"
        assert {row[0]: row[1] for row in connection.execute(text(settings))} == {
            "live": {"a": 1, "b": 3, "outcome_unknown": {"email": "resend", "sms": "fail"}},
            "test": {"a": 1, "b": 2, "outcome_unknown": {"email": "resend", "sms": "resend"}},
        }
        kept = "select deleted_at is null, url, secret #>> '{}', previous_secret #>> '{}' from endpoints order by 1"
        assert [tuple(row) for row in connection.execute(text(kept))] == [
            (False, "https://example.com:8443", "", None),
            (True, "https://u:p@example.com:8443/hook/token?key=x", "s", "old"),
        ]


def test_migrating_twice_and_at_once_is_harmless(database_dsn: str, tmp_path: Path) -> None:
    """API, workers and a migration job may all be started together, on a database that is still empty."""
    env = {**os.environ, "POSTGRES_DSN": database_dsn, "BELLHOP_SECRET_KEY": SECRET, "PYTHONPATH": str(PROJECT)}
    with connected(database_dsn) as connection:
        built = schema(connection)
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
        connection.commit()

        def start() -> subprocess.Popen[bytes]:
            return subprocess.Popen(
                [sys.executable, "-m", "bellhop.ops.migrate"], env=env, cwd=tmp_path, stderr=subprocess.PIPE
            )

        with ExitStack() as stack:
            # None of them gets further than to ask for its turn until all three do; a long migration of one must not
            # make the others fail, whatever statements may usually wait for a lock.
            connection.execute(text("select pg_advisory_xact_lock(7236512301)"))
            running = [stack.enter_context(start()) for _ in range(3)]
            # Let go of before they are waited for, also when this test fails: they would wait for their turn for ever.
            stack.callback(connection.rollback)
            # Asking, not waiting in a statement: to that, an index that is built concurrently would have to wait.
            waiting = (
                "select count(*) from pg_stat_activity where datname = current_database() and xact_start is null"
                " and application_name = 'bellhop-migrate'"
            )
            with connected(database_dsn) as watching:
                until(lambda: now(watching, waiting) == 3)
                until(lambda: any(one.poll() is not None for one in running), 6, expected=False)
            connection.rollback()
            said = [one.communicate(timeout=60)[1].decode() for one in running]
            assert [one.returncode for one in running] == [0, 0, 0], said
        assert schema(connection) == built
        assert connection.execute(text("select count(*) from installation")).scalar_one() == 1


def test_consents_that_are_there_get_their_time_and_their_cause(database_dsn: str) -> None:
    """What an older version wrote counts as said when it came to be known, for the reason that its source tells."""
    causes = {
        ("opt_out", "guest"): "opt_out",
        ("opt_in", "guest"): "opt_in",
        ("opt_out", "provider 21610"): "provider_refusal",
        ("opt_out", "twilio undelivered"): "provider_refusal",
        ("opt_out", "sendgrid bounce"): "hard_bounce",
        ("opt_out", "sendgrid dropped"): "hard_bounce",
        ("opt_out", "sendgrid spamreport"): "complaint",
        ("opt_out", "sendgrid unsubscribe"): "unsubscribe",
        ("opt_out", "sendgrid group_unsubscribe"): "group_unsubscribe",
        ("opt_in", "sendgrid group_resubscribe"): "group_resubscribe",
    }
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, f"{WHEN_SAID}-1")
        connection.execute(
            text(
                """
                with made as (insert into properties (name, slug) values ('x', 'x') returning id),
                scope as (insert into scopes (property_id, environment) select id, 'test' from made returning id)
                insert into consents (scope_id, kind, address_hash, action, source, created_at)
                select scope.id, 'phone', decode(md5(given.source), 'hex'), given.action, given.source, '2026-03-15'
                from scope, unnest(cast(:actions as text[]), cast(:sources as text[])) as given (action, source)
                """
            ),
            {"actions": [action for action, _ in causes], "sources": [source for _, source in causes]},
        )
        connection.commit()
        command.upgrade(config, "head")
        found = connection.execute(text("select action, source, cause, occurred_at = created_at from consents"))
        assert {(action, source): (cause, same) for action, source, cause, same in found} == {
            of: (cause, True) for of, cause in causes.items()
        }


WHEN_SAID = "0003"
"""The migration that gave consents their times and causes."""
NAMES_FOLDED = "0005"


def test_names_folded_by_an_older_version_are_found(database_dsn: str) -> None:
    from bellhop.domain.guests import fold

    names = ["O’Brien‑Smith", "O´Brien", "O`Hara", "Zo\u200bë", "Müller", "Plain"]
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, f"{NAMES_FOLDED}-1")
        place = connection.execute(
            text("insert into properties (name, slug) values ('x', 'x') returning id")
        ).scalar_one()
        scope = connection.execute(
            text("insert into scopes (property_id, environment) values (:of, 'test') returning id"), {"of": place}
        ).scalar_one()
        for name in names:
            connection.execute(
                text(
                    "insert into guests (scope_id, first_name, last_name, search_text) "
                    "values (:scope, 'Jo', :name, 'as it was')"
                ),
                {"scope": scope, "name": name},
            )
        connection.commit()
        command.upgrade(config, "head")
        connection.commit()
        found = {row[0]: row[1] for row in connection.execute(text("select last_name, search_text from guests"))}
    assert {name for name in names if fold(name) in found[name]} == set(names) - {"Plain"}, "plain ones are left alone"


LIVE = re.compile(r"WHERE \(state = ANY \(ARRAY\['in_flight'::text, 'accepted'::text, 'unknown'::text\]\)\)$")


@pytest.mark.parametrize(
    ("index", "definition"),
    [
        # I2: the database itself refuses a second live attempt.
        (
            "uq_attempts_live",
            r"CREATE UNIQUE INDEX .* ON public\.attempts USING btree \(message_id, part, reminder\) " + LIVE.pattern,
        ),
        # I4: a stage is told once.
        ("uq_events_once", r"CREATE UNIQUE INDEX .*\(subject_id, stage\) WHERE \(stage IS NOT NULL\)$"),
    ],
)
def test_what_the_database_itself_guards(database_dsn: str, index: str, definition: str) -> None:
    with connected(database_dsn) as connection:
        found = connection.execute(text("select indexdef from pg_indexes where indexname = :i"), {"i": index})
        assert re.match(definition, str(found.scalar_one()))


CONVERSATIONS = "0030"


def test_conversations_of_one_guest_by_address_become_one(database_dsn: str) -> None:
    """A guest with two numbers and a mail had three; nobody whom nobody knows loses theirs, and nothing is unread."""
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, f"{CONVERSATIONS}-1")
        connection.execute(
            text(
                """
                with made as (insert into properties (name, slug) values ('x', 'x') returning id),
                scope as (insert into scopes (property_id, environment) select id, 'test' from made returning id),
                guest as (insert into guests (scope_id, first_name, last_name) select id, 'A', 'B' from scope
                  returning id, scope_id),
                points as (
                  insert into contact_points (scope_id, guest_id, kind, address, address_hash)
                  select scope.id, case when given.known then guest.id end, given.kind, given.address,
                    decode(md5(given.address), 'hex')
                  from scope, guest, (values ('phone', '+1', true), ('phone', '+2', true), ('email', 'a@b.c', true),
                    ('phone', '+3', false)) as given (kind, address, known)
                  returning id, scope_id, guest_id, address),
                talks as (
                  insert into conversations (scope_id, contact_point_id, guest_id)
                  select scope_id, id, guest_id from points order by address returning id, scope_id, contact_point_id)
                insert into messages (scope_id, direction, channel, sender, conversation_id, stage)
                select talks.scope_id, 'inbound', case when address like '%@%' then 'email' else 'sms' end, address,
                  talks.id, 'delivered'
                from talks join points on points.id = talks.contact_point_id
                """
            )
        )
        connection.commit()
        command.upgrade(config, "head")
        found = connection.execute(
            text(
                """
                select conversations.family, guest_id is not null, contact_point_id is not null, channel,
                  (select array_agg(sender order by sender) from messages where conversation_id = conversations.id),
                  inbound_place > read_id
                from conversations order by 1, 2
                """
            )
        )
        assert [tuple(row) for row in found] == [
            ("email", True, False, "email", ["a@b.c"], False),
            ("phone", False, True, "sms", ["+3"], False),
            ("phone", True, False, "sms", ["+1", "+2"], False),
        ]


PENDING_APART = "0041"
"""The migration that gave what is pending a table of its own."""


def test_what_is_pending_is_found_where_it_is_looked_for(database_dsn: str) -> None:
    with connected(database_dsn) as connection:
        config = alembic(connection)
        command.downgrade(config, f"{PENDING_APART}-1")
        connection.execute(
            text(
                """
                with made as (insert into properties (name, slug) values ('x', 'x') returning id),
                scope as (insert into scopes (property_id, environment) select id, 'test' from made returning id),
                endpoint as (insert into endpoints (scope_id, url, secret) select id, 'https://x', '""' from scope
                  returning id, scope_id),
                event as (insert into events (scope_id, subject, subject_id, type)
                  select scope_id, 'guest', uuidv7(), 'guest.updated' from endpoint, generate_series(1, 4) returning *)
                insert into deliveries (scope_id, endpoint_id, event_id, subject_id, state, attempts, next_at)
                select event.scope_id, endpoint.id, event.id, event.subject_id, state, attempts, '2026-03-15'
                from endpoint, (select *, row_number() over (order by id) as place from event) event
                  join unnest(array['pending', 'delivered', 'pending', 'failed'], array[0, 1, 2, 9]) with ordinality
                    as given (state, attempts, place) on given.place = event.place
                """
            )
        )
        connection.commit()
        command.upgrade(config, "head")
        differ = """
            select count(*) from (
              select id, endpoint_id, event_id, subject_id, attempts, next_at from deliveries where state = 'pending'
            ) as is_so full join pending_deliveries as kept on kept.delivery_id = is_so.id
            where (id, is_so.endpoint_id, is_so.event_id, is_so.subject_id, is_so.attempts, is_so.next_at)
              is distinct from
                (delivery_id, kept.endpoint_id, kept.event_id, kept.subject_id, kept.attempts, kept.next_at)
        """
        assert connection.execute(text("select count(*) from pending_deliveries")).scalar_one() == 2
        assert connection.execute(text(differ)).scalar_one() == 0
        for change in (
            "update deliveries set state = 'pending', attempts = 0, next_at = now() where state = 'failed'",
            "update deliveries set attempts = 3, next_at = now() where attempts = 2",
            "delete from deliveries where attempts = 3",
            "update deliveries set state = 'abandoned' where state = 'pending'",
        ):
            assert connection.execute(text(change)).rowcount > 0
            assert connection.execute(text(differ)).scalar_one() == 0, change
