"""`bellhop ledger`, `reconcile` and `doctor`: for the people who run an installation."""

from __future__ import annotations

import asyncio
import json
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from bellhop.cli import options
from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import settings, settled
from bellhop.domain.ids import Prefix, render
from bellhop.ops.humanize import Count, Lasting

if TYPE_CHECKING:
    from bellhop.cli import report_tables
    from bellhop.domain import message_report as reported
    from bellhop.domain import serializers
    from bellhop.domain.rows.access import PropertyRow
    from bellhop.domain.scopes import Scope
    from bellhop.engine import errors, message_report, properties
    from bellhop.engine.context import Engine
    from bellhop.ops import administration, composition
    from bellhop.ops.doctor import Examination
    from bellhop.ops.reconciliation import Reconciled
    from bellhop.ops.temporal_checks import Sweeps
else:
    report_tables = later("bellhop.cli.report_tables")
    reported, serializers = later("bellhop.domain.message_report"), later("bellhop.domain.serializers")
    errors, properties = later("bellhop.engine.errors"), later("bellhop.engine.properties")
    message_report = later("bellhop.engine.message_report")
    administration, composition = later("bellhop.ops.administration"), later("bellhop.ops.composition")

T = TypeVar("T")

From = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        parser=options.moment,
        metavar="TIME",
        help="e.g. 2027-03-15T08:30:00-05:00; without an offset it is UTC [default: a day before --to]",
    ),
]
To = Annotated[
    datetime | None,
    typer.Option("--to", parser=options.moment, metavar="TIME", help="The same, exclusive [default: now]"),
]
Json = Annotated[bool, typer.Option("--json", help="For programs")]


app = typer.Typer()


@app.command()
def ledger(
    slug: Annotated[str | None, typer.Argument(help="The property's short name [default: every property]")] = None,
    since: From = None,
    until: To = None,
    environment: Annotated[EnvironmentWord | None, typer.Option(help="[default: both]")] = None,
    as_json: Json = False,
) -> None:
    """What became of everything accepted in a span: where it stands, how late it went out, and the webhooks.

    Every accepted message is in exactly one place, so the figures always add up.

    e.g. bellhop ledger grand-sunset-resort --from 2027-03-01 --to 2027-03-08
    """

    async def work(engine: Engine) -> report_tables.Ledgers:
        return await _ledgers(engine, slug, environment, since, until)

    found = settled(lambda: _with_span(lambda: asyncio.run(composition.with_engine(work, settings()))))
    if as_json:
        print(json.dumps(_ledgers_json(found), indent=2))
    else:
        report_tables.print_ledgers(found, everything=slug is not None)


@app.command()
def reconcile(
    slug: Annotated[str, typer.Argument(help="The property's short name")],
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
    since: From = None,
    until: To = None,
    provider: Annotated[str | None, typer.Option(help="Only this one, e.g. twilio [default: all]")] = None,
    as_json: Json = False,
) -> None:
    """Ask the providers for their own list of a span, and show every message about which they and we differ.

    Exit code 0: no discrepancy; 1: discrepancies; 2: none, but a provider could not be asked.
    """
    reconciled = settled(
        lambda: _with_span(
            lambda: asyncio.run(composition.reconcile(settings(), slug, environment, since, until, provider))
        )
    )
    if as_json:
        print(json.dumps(_reconciliation_json(slug, environment, reconciled), indent=2))
    else:
        _print_reconciliation(reconciled)
    raise typer.Exit(reconciled.exit_code)


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look for what is stuck or inconsistent now, and say what to do about it. Changes nothing.

    Exit code 0: all is well; 1: warnings; 2: something is wrong, or can't be reached.
    """
    from bellhop.ops.doctor import examine

    found = settled(lambda: asyncio.run(examine(settings())))
    print(json.dumps(doctor_json(found), indent=2)) if as_json else _print_examination(found)
    raise typer.Exit(int(found.severity))


def _with_span(work: Callable[[], T]) -> T:
    try:
        return work()
    except errors.BadSpan as problem:
        raise administration.Refused(f"--{problem.field}: {problem.expected.replace('`', '')}.") from None


# --- the ledger --------------------------------------------------------------------------------------------------


async def _ledgers(
    engine: Engine, slug: str | None, environment: str | None, since: datetime | None, until: datetime | None
) -> report_tables.Ledgers:
    wanted = await _scopes(engine, slug, environment)
    # One span for all, decided once.
    together = await message_report.read(engine, [scope for _, scope in wanted], message_report.AskReport(since, until))
    span = message_report.AskReport(together.span.since, together.span.until)
    return report_tables.Ledgers(
        [
            report_tables.ScopeLedger(
                row.slug,
                row.name,
                scope.environment,
                await message_report.read(engine, [scope], span),
            )
            for row, scope in wanted
        ],
        together,
    )


def _ledgers_json(ledgers: report_tables.Ledgers) -> dict[str, Any]:
    return {
        "scopes": [
            {
                "property": each.property,
                "name": each.name,
                "environment": each.environment,
                **reported.report_json(each.report),
            }
            for each in ledgers.scopes
        ],
        "together": reported.report_json(ledgers.together),
    }


async def _scopes(engine: Engine, slug: str | None, environment: str | None) -> list[tuple[PropertyRow, Scope]]:
    every = [(row, scopes) for row, scopes in await properties.everything(engine) if slug in (None, row.slug)]
    if slug is not None and not every:
        raise administration.no_property(slug)
    return [
        (row, scope) for row, scopes in every for word, scope in sorted(scopes.items()) if environment in (None, word)
    ]


# --- reconciliation ---------------------------------------------------------------------------------------------


def _reconciliation_json(slug: str, environment: str, reconciled: Reconciled) -> dict[str, Any]:
    return {
        "property": slug,
        "environment": environment,
        "from": serializers.timestamp(reconciled.span.since),
        "to": serializers.timestamp(reconciled.span.until),
        "exit_code": reconciled.exit_code,
        "accounts": [
            {"provider": each.provider, "identity": each.identity, "problem": each.problem}
            for each in reconciled.accounts
        ],
        "providers": {
            name: {
                "ours": compared.ours,
                "theirs": compared.theirs,
                "moving": len(compared.moving),
                "not_compared": compared.uncompared,
                "of_other_scopes": reconciled.elsewhere[name],
                "of_other_software": reconciled.foreign[name],
            }
            for name, compared in reconciled.providers.items()
        },
        "discrepancies": [
            {
                "kind": each.kind.value,
                "provider": each.provider,
                "message_id": render(Prefix.MESSAGE, each.message_id) if each.message_id else None,
                "provider_ids": list(each.provider_ids),
                "at": serializers.timestamp(each.at),
                "ours": each.ours,
                "theirs": each.theirs,
                "said": each.sentence,
            }
            for each in reconciled.discrepancies
        ],
    }


def _print_reconciliation(reconciled: Reconciled) -> None:
    print(f"Accepted by the providers from {_short(reconciled.span.since)} to {_short(reconciled.span.until)} UTC")
    if not reconciled.accounts:
        print("There is nobody to ask: this environment has no such provider account.")
        return
    for name, compared in reconciled.providers.items():
        print(f"\n{name}: {Count(compared.ours):message} as we have it, {Count(compared.theirs)} as it has it.")
        beside = (
            (len(compared.moving), "of the last minutes still moving: look again later"),
            (compared.uncompared, "not compared: sent through an account that could not be asked"),
            (reconciled.elsewhere[name], "of other properties and environments here, through the same account"),
            (reconciled.foreign[name], "of other software in the same account, from senders that are not ours"),
        )
        for count, what in beside:
            if count:
                print(f"  {Count(count)} {what}")
        for discrepancy in compared.discrepancies:
            print(_wrapped(discrepancy.sentence, "  - "))
    for account in reconciled.accounts:
        if account.problem:
            print(_wrapped(f"{account.provider}, account {account.identity}, was not asked: {account.problem}.", "\n"))
    count, asked = len(reconciled.discrepancies), all(account.problem is None for account in reconciled.accounts)
    if count:
        print(f"\n{Count(count):discrepancy|discrepancies}.")
    elif reconciled.providers:
        print("\nNo discrepancy." if asked else "\nNo discrepancy with those that were asked.")


def _short(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "minutes")


# --- the doctor --------------------------------------------------------------------------------------------------


def doctor_json(found: Examination) -> dict[str, Any]:
    """What programs read."""
    return {
        "status": found.severity.name.lower(),
        "exit_code": int(found.severity),
        "findings": [
            {
                "check": each.check,
                "severity": each.severity.name.lower(),
                "said": each.said,
                "do": each.do,
                "facts": dict(each.facts),
            }
            for each in found.findings
        ],
        "looked_at": found.looked,
        "not_looked_at": found.skipped,
        "information": found.information,
        "recovery": {each.kind.value: _sweeps(each) for each in found.sweeps},
    }


def _print_examination(found: Examination) -> None:
    for each in found.findings:
        print(_wrapped(each.said, f"{each.severity.name:<8} "))
        print(_wrapped(each.do, "         ") + "\n")
    looked = f"{Count(len(found.looked)):thing} looked at"
    if found.skipped:
        looked += f", {len(found.skipped)} could not be"
    if not found.findings:
        print(f"All is well: {looked}, nothing is stuck.")
    else:
        print(_wrapped(f"{Count(len(found.findings)):finding}; {looked}.", ""))
    for line in (*_information(found.information), *_recovery(found.sweeps)):
        print(f"  {line}")


def _information(known: Mapping[str, float]) -> list[str]:
    said = []
    if (size := known.get("database_bytes")) is not None:
        said.append(f"The database takes {size / 1024**2:,.0f} MB.")
    if (ahead := known.get("clock_ahead")) is not None:
        said.append(f"This machine's clock and the database's differ by {Lasting(abs(ahead))}.")
    return said


def _sweeps(found: Sweeps) -> dict[str, Any]:
    last = found.last
    return {
        "every": found.every,
        "ago": round(found.ago, 1),
        "woken": last.woken if last else None,
        "seconds": last.seconds if last else None,
        "behind": bool(last and last.next),
        "failed": found.failed,
        "paused": found.paused,
    }


def _recovery(sweeps: Sequence[Sweeps]) -> list[str]:
    said = []
    for each in sweeps:
        looked = f"looked {Lasting(each.ago)} ago, every {Lasting(each.every)}"
        found = f"; woke {each.last.woken} in {Lasting(each.last.seconds)}" if each.last else ""
        words = [word for word, so in (("paused", each.paused), ("failed", each.failed)) if so]
        words += ["behind"] if each.last and each.last.next else []
        said.append(f"  {each.kind.value:<10} {looked}{found}{''.join(f'; {word}' for word in words)}")
    return ["Recovery, by kind of work:", *said] if said else []


def _wrapped(text: str, first: str) -> str:
    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    rest = " " * len(first.lstrip("\n"))
    # Ids and commands stay whole, so that they can be copied.
    return textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
