"""What can be wrong: the whole list of the doctor's checks, each with its sentence and with what to do about it.

Each only looks. `CHECKS` is the list; what it lacks is not looked at.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.credentials import Sealing
from bellhop.ops import fairness_probe, temporal_checks
from bellhop.ops.account_checks import ACCOUNT_CHECKS
from bellhop.ops.doctor_check import Check, CheckContext, Facts, Look, Query, Severity
from bellhop.ops.mail_checks import MAIL_CHECKS
from bellhop.ops.media_checks import MEDIA_CHECKS
from bellhop.ops.migrate import PROJECT
from bellhop.ops.spool_checks import SPOOL_CHECKS
from bellhop.ops.sweep_checks import SWEEP_CHECKS
from bellhop.store import month_keeping
from bellhop.store.delivery import accounts
from bellhop.store.reports import health_queries

# --- looking at PostgreSQL ---------------------------------------------------------------------------------------


async def _migrated(context: CheckContext) -> list[Facts]:
    config = Config()
    config.set_main_option("script_location", str(PROJECT / "migrations"))
    head = ScriptDirectory.from_config(config).get_current_head()
    found = await health_queries.revision(context.database)
    return [] if found == head else [{"found": found or "none", "head": head or "none"}]


async def _empty(context: CheckContext) -> list[Facts]:
    return [] if await health_queries.revision(context.database) else [{}]


async def _key(context: CheckContext) -> list[Facts]:
    known = await health_queries.secret_check(context.database)
    ours = AddressBook(context.settings.bellhop.secret_key.get_secret_value()).check()
    return [{}] if known not in (None, ours) else []


async def _plain(context: CheckContext) -> list[Facts]:
    plain = context.settings.bellhop.unencrypted
    if plain is None or not (count := len(await health_queries.live_accounts(context.database))):
        return []
    return [{"count": count, "address": plain}]


async def _clock(context: CheckContext) -> list[Facts]:
    before = datetime.now(UTC)
    there = await health_queries.clock(context.database)
    after = datetime.now(UTC)
    ahead = (before - there).total_seconds() if before > there else min(0.0, (after - there).total_seconds())
    context.information["clock_ahead"] = round(ahead, 3)
    context.information["database_bytes"] = await health_queries.size(context.database)
    if abs(ahead) <= context.limits.clock:
        return []
    return [{"seconds": abs(ahead), "way": "ahead of" if ahead > 0 else "behind"}]


async def _unmade(context: CheckContext) -> list[Facts]:
    return [asdict(row) for row in await month_keeping.unmade(context.database)]


def _sealed(*wrong: Sealing) -> Look:
    """The accounts whose credentials are kept in one of these ways; the first is named."""

    async def look(context: CheckContext) -> list[Facts]:
        cipher = context.settings.bellhop.credential_cipher()
        found = [row for row, kept in await accounts.sealings(context.database, cipher) if kept & {*wrong}]
        return [{"count": len(found), "provider": found[0].provider, "identity": found[0].identity}] if found else []

    return look


async def _unread(context: CheckContext) -> list[Facts]:
    every = context.settings.bellhop.inbound_every
    if every == 0:
        return []
    return await _cases(health_queries.unread_lists, context.database, 4 * every + context.limits.stubborn)


def _fresh(query: Query) -> Look:
    return lambda context: _cases(query, context.database, context.limits.fresh)


def _stubborn(query: Query) -> Look:
    return lambda context: _cases(query, context.database, context.limits.stubborn)


async def _cases(query: Query, tx: AsyncConnection, after: float) -> list[Facts]:
    return [asdict(row) for row in await query(tx, after)]


# --- looking at Temporal -----------------------------------------------------------------------------------------


async def _namespace(context: CheckContext) -> list[Facts]:
    missing = await temporal_checks.namespace_missing(context.temporal)
    return [{"namespace": context.settings.temporal.namespace}] if missing else []


async def _attributes(context: CheckContext) -> list[Facts]:
    missing = await temporal_checks.attributes_missing(context.temporal)
    return [{"names": ", ".join(missing)}] if missing else []


async def _nobody_works(context: CheckContext) -> list[Facts]:
    return [{}] if len(await temporal_checks.unpolled(context.temporal)) == len(temporal_checks.QUEUES) else []


async def _unpolled(context: CheckContext) -> list[Facts]:
    found = await temporal_checks.unpolled(context.temporal)
    if len(found) == len(temporal_checks.QUEUES):
        return []
    # Queues of one kind (one for each provider and environment) are one case.
    cases: dict[tuple[str, str], list[str]] = {}
    for each in found:
        cases.setdefault((each.role, each.stands_still), []).append(each.task_queue)
    return [{"queue": ", ".join(queues), "role": role, "stands": stands} for (role, stands), queues in cases.items()]


async def _unfair(context: CheckContext) -> list[Facts]:
    return [] if await fairness_probe.takes_turns(context.temporal) else [{}]


# --- the list ----------------------------------------------------------------------------------------------------

DATABASE_CHECKS: tuple[Check, ...] = (
    Check(
        "tables", Severity.WRONG, "The database has no tables of Bellhop's.",
        "Check that POSTGRES_DSN names the right database; if it does, run `bellhop migrate`.",
        _empty, last=True,
    ),
    Check(
        "migrated", Severity.WRONG, "The database is at migration {found}; this version of Bellhop is made for {head}.",
        "Run `bellhop migrate` with the newest version you have installed, and restart what is older than that.",
        _migrated,
    ),
    Check(
        "secret_key", Severity.WRONG, "BELLHOP_SECRET_KEY is not the key this database was made with.",
        "Set it to the first key. With another one opt-outs are not recognised, so neither API nor workers start.",
        _key,
    ),
    Check(
        "credentials_key", Severity.WRONG,
        "The credentials of {count:account} are encrypted under a key that is not set (the first: {provider}, "
        "{identity}).",
        "Put that key back into BELLHOP_CREDENTIALS_KEYS, after the newer ones: what the account held goes out then. "
        "Where it is gone for good, give the credentials anew with `bellhop accounts set --forget-previous`.",
        _sealed(Sealing.UNREADABLE),
    ),
    Check(
        "credentials", Severity.WARNING,
        "The credentials of {count:account} are stored in plain or under an older key (the first: {provider}, "
        "{identity}).",
        "Run `bellhop accounts encrypt`, once every process runs this version and knows the newest key.",
        _sealed(Sealing.PLAIN, Sealing.OLDER),
    ),
    Check(
        "public_url", Severity.WRONG,
        "{address}, and live environments have {count:account}: providers would post guests' "
        "numbers and answers unencrypted.",
        "Set it to the public https address that leads to the API, at every process.",
        _plain,
    ),
    *ACCOUNT_CHECKS,
    Check(
        "clock", Severity.WARNING, "This machine's clock is {seconds} {way} the database's.",
        "Set it (NTP). Messages go by the database's clock, so none is early or late for it; logs, signatures of "
        "webhooks and certificates are not.",
        _clock,
    ),
    Check(
        "past_due", Severity.WRONG,
        "Past due, and nobody sends them: {count:message}, the first for {seconds} ({message}).",
        "See that a worker runs and that Temporal answers (below, if not). Recovery wakes them by itself within a "
        "minute then; `bellhop recover` does it now.",
        _fresh(health_queries.past_due),
    ),
    Check(
        "no_sender", Severity.WRONG,
        "{property} ({environment}) has no sender for {channel} any more, or none that can carry it, and "
        "{count:message} waiting for one, the first for {seconds} ({message}).",
        "Set its account: `bellhop accounts set {property}`. They go out by themselves then.",
        _fresh(health_queries.without_sender),
    ),
    Check(
        "retrying", Severity.WARNING,
        "A provider does not take them, and they are tried again: {count:message}, the first for {seconds} "
        "({message}).",
        "`bellhop timeline {message}` says what the provider answers. They are tried until they expire.",
        _stubborn(health_queries.retrying),
    ),
    Check(
        "pending_notifications", Severity.WRONG,
        "Temporal has not been told of {count:message}, of the first for {seconds} ({message}).",
        "Nothing is lost: recovery tells it. If this stays, see that Temporal answers and that a worker runs, then run "
        "`bellhop recover`.",
        _fresh(health_queries.pending_notifications),
    ),
    Check(
        "lapsed", Severity.WRONG,
        "{count:call} to a provider should be over and nobody settles them, the first since {seconds} ({message}).",
        "The worker that made them is gone, and none has taken over: start one.",
        _fresh(health_queries.lapsed),
    ),
    Check(
        "unknown", Severity.WARNING,
        "It is not known whether {provider} took {count:message}, the first since {seconds} ({message}).",
        "Bellhop asks {provider} and settles them; it never sends again what may have arrived. If this stays, see "
        "whether {provider} can be reached from the workers.",
        _fresh(health_queries.unknown),
    ),
    Check(
        "held", Severity.WRONG,
        "{property} ({environment}): {provider} refuses the account {identity} (its code: {code}) since {seconds}; "
        "{count:message} held.",
        "Mend it at {provider} (credentials, status, funds), or give new credentials with `bellhop accounts set "
        "{property}`. What is held goes out a minute later, or soon after `bellhop accounts mend {property}`.",
        _fresh(health_queries.held),
    ),
    Check(
        "held_by_operator", Severity.WARNING,
        "{property} ({environment}): somebody holds the account {identity} at {provider} since {seconds}; "
        "{count:message} held.",
        "Nothing, if that is meant (`bellhop properties show {property}` says who holds it and why). Else `bellhop "
        "accounts mend {property} --environment {environment}`.",
        _fresh(health_queries.held_by_operator),
    ),
    Check(
        "paused", Severity.WARNING,
        "{property} ({environment}) is paused since {seconds}; {count:message} past due.",
        "Nothing, if that is meant (`bellhop properties show {property}` says who paused it and why). Else `bellhop "
        "properties resume {property} --environment {environment} --reason …`.",
        _fresh(health_queries.paused),
    ),
    Check(
        "paced", Severity.WARNING,
        "{property} ({environment}): the sender's pace on {channel}, {rate} a second, keeps back {count:message}, the "
        "first for {seconds} ({message}).",
        "Nothing, if they are to go out by and by. Else raise the rate, where the provider allows more (`bellhop "
        "senders rate {property}`), or send from several.",
        _fresh(health_queries.paced),
    ),
    Check(
        "unreleased", Severity.WARNING,
        "What kept {count:message} of {property} ({environment}) back is over, and they are being released; the first "
        "waits since {seconds}.",
        "Nothing: they go out at DELIVERY_RELEASE_RATE a second. If there are no fewer in a minute, see that a worker "
        "of role `activities` or `all` runs.",
        _fresh(health_queries.unreleased),
    ),
    Check(
        "endpoint_failing", Severity.WARNING,
        "{property} ({environment}): the webhook endpoint {endpoint} takes nothing since {seconds}; it is owed "
        "{count:delivery|deliveries}.",
        "Its owner must mend it; `GET /v1/webhooks/{endpoint}/deliveries` says what it answers. It is tried for about "
        "three days each, and switched off after five days of nothing else.",
        _fresh(health_queries.failing),
    ),
    Check(
        "endpoint_disabled", Severity.WARNING,
        "{property} ({environment}): the webhook endpoint {endpoint} was switched off {seconds} ago ({reason}); it is "
        "owed {count:delivery|deliveries}.",
        "Once it is mended, switch it on: PATCH /v1/webhooks/{endpoint} with is_active true; what it is owed goes out "
        "then. Delete it if it is of no use any more.",
        _fresh(health_queries.disabled),
    ),
    Check(
        "undrained", Severity.WRONG,
        "Webhooks are due and nobody delivers them: {count:delivery|deliveries} to {endpoints:endpoint}, the first for "
        "{seconds}.",
        "See that a worker of role `activities` or `all` runs; `bellhop recover` wakes them now.",
        _fresh(health_queries.undrained),
    ),
    Check(
        "unmatched", Severity.WARNING,
        "{count:text} from guests to {provider}'s account {identity} matched no property in the last three days, the "
        "newest {seconds} ago.",
        "Several properties share the sender and none has written there or has such a guest, or the sender is none of "
        "theirs (`bellhop accounts list`). `bellhop inbound unmatched` shows them. A STOP among them binds every "
        "property that shares the sender.",
        _fresh(health_queries.unmatched),
    ),
    Check(
        "unapplied_receipts", Severity.WRONG,
        "Receipts were acknowledged and are not applied: {count:chunk} of large batches, the first for {seconds}.",
        "A running API applies them, oldest first. One that is applied again and again without success is logged by it "
        "as `stored receipts not applied yet`, with the error.",
        _fresh(health_queries.unapplied_receipts),
    ),
    Check(
        "inbound_list", Severity.WARNING,
        "{provider} could not be asked for {seconds} which texts guests have written to account {identity} "
        "({count:property|properties}): what it could not deliver meanwhile is not found.",
        "See that an API process runs and reaches the provider, and that the credentials are valid (`bellhop accounts "
        "list`); `bellhop inbound fetch` asks now and says what is wrong.",
        _unread,
    ),
    Check(
        "questions", Severity.WARNING,
        "{provider}'s account {identity} ({environment}) is asked about messages as often as it may be: "
        "{count:question} wait, the first for {seconds}.",
        "Nothing: they have their turn, what became of a call before what is merely silent, and nothing fails for it. "
        "If there are ever more, look why its callbacks do not arrive; where {provider} allows more, raise "
        "DELIVERY_QUESTION_RATE.",
        _fresh(health_queries.waiting_questions),
    ),
    Check(
        "months", Severity.WARNING,
        "The table {table} lacks parts for months that begin soon ({months}), and {rows:row} of it belong to no month. "
        "Nothing is refused or lost; such months cannot be dropped.",
        "See that a worker of role `activities` or `all` runs: its sweep makes them. It logs `months are seen to at "
        "the next sweep` when it could not: a transaction that is open for hours, a dump, a missing right.",
        _unmade,
    ),
    Check(
        "histories", Severity.WARNING,
        "Temporal still has the histories of {count:message} of erased guests, the first for {seconds}. There is no "
        "personal data in them.",
        "The next sweep deletes them, once Temporal answers and a worker runs. The credentials must allow deleting.",
        _stubborn(health_queries.histories),
    ),
)  # fmt: skip

TEMPORAL_CHECKS: tuple[Check, ...] = (
    Check(
        "namespace", Severity.WRONG, "Temporal has no namespace `{namespace}`.",
        "Check TEMPORAL_NAMESPACE, or make it: `temporal operator namespace create --namespace {namespace} "
        "--retention 7d`.",
        _namespace, last=True,
    ),
    Check(
        "search_attributes", Severity.WRONG, "Temporal does not know the search attributes {names}: no message starts.",
        "API and workers register them when they start: restart one.",
        _attributes,
    ),
    Check(
        "workers", Severity.WRONG, "No worker runs: nothing is sent and no webhook is delivered.",
        "Start one: `python worker.py`, with the environment of the API. What was accepted meanwhile goes out then.",
        _nobody_works,
    ),
    Check(
        "queues", Severity.WRONG, "No worker polls the task queue {queue}: {stands}.",
        "Start one: `python worker.py --role {role}`.",
        _unpolled,
    ),
    *SWEEP_CHECKS,
    Check(
        "turns", Severity.WARNING, "Temporal works in the order of arrival: a property with a thousand messages due "
        "makes all others late.",
        "Switch fairness on in it; how, and what to mind, is in docs/operations.md under Fairness.",
        _unfair,
    ),
)  # fmt: skip


async def _never(_: CheckContext) -> list[Facts]:
    return []


DATABASE_DOWN = Check(
    "postgres", Severity.WRONG, "PostgreSQL can't be reached ({error}).",
    "Check POSTGRES_DSN and that the server runs. Until it is back the API answers 503 and nothing is sent; what was "
    "accepted is not lost, and what providers and guests say is kept on disk.",
    _never,
)  # fmt: skip
TEMPORAL_DOWN = Check(
    "temporal", Severity.WRONG, "Temporal can't be reached at {address} ({error}).",
    "Check TEMPORAL_ADDRESS and that the server runs. Messages are accepted meanwhile, and go out when it is back.",
    _never,
)  # fmt: skip
CHECK_FAILED = Check(
    "looking", Severity.WARNING, "It could not be seen whether this is well: {check} ({error}).",
    "Look again; if it stays, what is said above is the likely reason.",
    _never,
)  # fmt: skip

CHECKS: tuple[Check, ...] = (
    DATABASE_DOWN, *DATABASE_CHECKS, TEMPORAL_DOWN, *TEMPORAL_CHECKS, *SPOOL_CHECKS, *MEDIA_CHECKS, *MAIL_CHECKS,
    CHECK_FAILED,
)  # fmt: skip
"""Every check there is."""
