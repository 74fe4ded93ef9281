"""What makes each situation that the doctor tells of by the record alone, and a part of what it says."""

from __future__ import annotations

AGO = "now() - interval '10 minutes'"
NEW_ATTEMPT = """insert into attempts (scope_id, message_id, part, account_id, provider, state, sender, lease_until,
    created_at) select message.scope_id, message.id, 0, account.id, 'twilio', '{state}', '+1', {ago}, {ago}
    from messages message, provider_accounts account where account.provider = 'twilio'"""
NEW_ENDPOINT = """insert into endpoints (scope_id, url, secret, {columns})
    select id, 'http://127.0.0.1:9', '"s"', {values} from scopes where environment = 'test'"""
NEW_DELIVERY = f"""insert into deliveries (scope_id, endpoint_id, event_id, subject_id, next_at)
    select event.scope_id, endpoint.id, event.id, event.subject_id, {AGO} from endpoints endpoint, events event"""
FAST_CLOCK = """create function public.clock_timestamp() returns timestamptz language sql as
    $$ select pg_catalog.clock_timestamp() + interval '120 seconds' $$"""
IN_FRONT = """do $$ begin execute format('alter database %I set search_path = public, pg_catalog', current_database());
    end $$"""

SITUATIONS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    # Check → what makes the situation of a stack with one message, and a part of what is said of it.
    "tables": (["drop table alembic_version"], ("no tables", "bellhop migrate")),
    "migrated": (["update alembic_version set version_num = '0000'"], ("at migration 0000", "bellhop migrate")),
    # In front of the database's own function stands one that is ahead.
    "clock": ([FAST_CLOCK, IN_FRONT], ("2 minutes behind the database's", "NTP")),
    "months": (
        [NEW_ENDPOINT.format(columns="is_active", values="false"),
         "insert into events (id, scope_id, subject, subject_id, type) select uuidv7(interval '2 years'), id, 'guest',"
         " uuidv7(), 'guest.updated' from scopes where environment = 'test'",
         NEW_DELIVERY + " where event.id > uuidv7(interval '1 year')", "delete from pending_deliveries"],
        ("deliveries lacks parts", "(none), and 1 row", "worker"),
    ),
    "past_due": (
        [f"update messages set due_at = {AGO}"],
        ("nobody sends them: 1 message, the first for 10 minutes ({message})", "bellhop recover"),
    ),
    "no_sender": (
        ["delete from senders where channel = 'in_app'",
         f"update messages set channel = 'in_app', created_at = {AGO}, due_at = now() + interval '30 seconds'"],
        ("grand-sunset (test) has no sender for in_app", "1 message", "({message})",
         "bellhop accounts set grand-sunset"),
    ),
    "retrying": (
        ["update messages set tries = 3, created_at = now() - interval '3 hours',"
         " due_at = now() + interval '1 minute'"],
        ("tried again: 1 message, the first for 3 hours ({message})", "bellhop timeline {message}"),
    ),
    "pending_notifications": (
        [f"update messages set wake_due_at = {AGO}"],
        ("not been told of 1 message, of the first for 10 minutes ({message})", "bellhop recover"),
    ),
    "lapsed": ([NEW_ATTEMPT.format(state="in_flight", ago=AGO)], ("1 call to a provider should be over", "{message}")),
    "unknown": (
        [NEW_ATTEMPT.format(state="unknown", ago=AGO), f"update messages set due_at = {AGO}"],
        ("not known whether twilio took 1 message, the first since 10 minutes ({message})", "never sends again"),
    ),
    "held": (
        [f"update provider_accounts set health = 'held', held_code = '20003', held_since = {AGO}"
         " where provider = 'twilio'",
         "update messages set due_at = now() - interval '1 hour',"
         " held_account_id = (select id from provider_accounts where health = 'held')"],
        ("grand-sunset (test): twilio refuses the account AC", "20003", "since 10 minutes; 1 message held", "mend"),
    ),
    "held_by_operator": (
        [f"update provider_accounts set health = 'held', held_code = 'operator', held_since = {AGO}"
         " where provider = 'twilio'",
         "update messages set due_at = now() - interval '1 hour',"
         " held_account_id = (select id from provider_accounts where health = 'held')"],
        ("grand-sunset (test): somebody holds the account AC", "at twilio since 10 minutes; 1 message held", "mend"),
    ),
    "paused": (
        [f"update scopes set paused_at = {AGO} where environment = 'test'", f"update messages set due_at = {AGO}"],
        ("grand-sunset (test) is paused since 10 minutes; 1 message past due", "properties resume grand-sunset"),
    ),
    "paced": (
        ["""with pace as (
              insert into sender_paces (provider, identity, environment, channel, address)
              values ('twilio', 'x', 'test', 'sms', 'x') returning id),
            sender as (update senders set rate = 0.5, pace_id = pace.id from pace where channel = 'sms' returning 1)
            update messages set waits_for = 'paced', pace_id = pace.id, parked_at = now() - interval '10 minutes',
              due_at = now() - interval '10 minutes' from pace"""],
        ("grand-sunset (test): the sender's pace on sms, 0.5 a second, keeps back 1 message", "senders rate"),
    ),
    "unreleased": (
        [f"update messages set waits_for = 'paused', parked_at = {AGO}, due_at = {AGO}"],
        ("What kept 1 message of grand-sunset (test) back is over", "since 10 minutes", "DELIVERY_RELEASE_RATE"),
    ),
    "endpoint_failing": (
        [NEW_ENDPOINT.format(columns="failing_since, draining_until", values=f"{AGO}, now() + interval '1 minute'"),
         NEW_DELIVERY],
        ("takes nothing since 10 minutes; it is owed 1 delivery", "/v1/webhooks/{endpoint}/deliveries"),
    ),
    "endpoint_disabled": (
        [NEW_ENDPOINT.format(columns="is_active, disabled_at, disabled_reason", values=f"false, {AGO}, 'gone'"),
         NEW_DELIVERY],
        ("{endpoint} was switched off 10 minutes ago (gone); it is owed 1 delivery", "is_active true"),
    ),
    "undrained": (
        [NEW_ENDPOINT.format(columns="description", values="'x'"), NEW_DELIVERY],
        ("nobody delivers them: 1 delivery to 1 endpoint, the first for 10 minutes", "bellhop recover"),
    ),
    "histories": (
        ["insert into history_erasures (workflow_id, created_at) values ('omsg_x', now() - interval '3 hours')"],
        ("histories of 1 message of erased guests, the first for 3 hours", "next sweep"),
    ),
    "questions": (
        ["insert into waiting_questions (message_id, provider, identity, environment, rank, since, calls, asked_from,"
         f" comes_at) select id, 'sendgrid', 'x', 'test', 2, {AGO}, 1, {AGO}, now() from messages"],
        ("sendgrid's account x (test) is asked about messages as often as it may be: 1 question wait, the first for 10"
         " minutes", "DELIVERY_QUESTION_RATE"),
    ),
    "unapplied_receipts": (
        ["insert into unapplied_receipts (provider, identity, account_ids, items, received_at, due_at)"
         f" values ('sendgrid', 'x', '{{}}', '[]', {AGO}, now() + interval '1 hour')"],
        ("acknowledged and are not applied: 1 chunk of large batches, the first for 10 minutes", "oldest first"),
    ),
    "unmatched": (
        ["""insert into receipts (account_id, provider, dedupe_key, word, payload, received_at)
            select id, provider, dedupe_key, 'inbound', '{"Body": "Hello"}', now() - make_interval(mins => minutes)
            from provider_accounts, (values ('new', 10), ('newer', 5), ('old', 6000)) texts (dedupe_key, minutes)
            where provider = 'twilio'"""],
        ("2 texts from guests to twilio's account AC", "the newest 5 minutes ago", "bellhop inbound unmatched"),
    ),
    "credentials": (
        ["update provider_accounts set credentials = '{\"auth_token\": \"x\"}' where provider = 'twilio'"],
        ("credentials of 1 account are stored in plain or under an older key (the first: twilio", "accounts encrypt"),
    ),
    "credentials_key": (
        ["update provider_accounts set credentials = '{\"encrypted\": \"gAAAAA\"}' where provider = 'sendgrid'"],
        ("credentials of 1 account are encrypted under a key that is not set (the first: sendgrid",
         "BELLHOP_CREDENTIALS_KEYS"),
    ),
    "looking": (["drop table history_erasures"], ("could not be seen whether this is well: histories",)),
}  # fmt: skip
