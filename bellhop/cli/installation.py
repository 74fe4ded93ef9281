"""`bellhop migrate` and `bellhop recover`: what an installation needs done now and then."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import typer

from bellhop.cli.later import later
from bellhop.cli.target import settings, settled, stop

if TYPE_CHECKING:
    from bellhop.ops import composition
else:
    composition = later("bellhop.ops.composition")

app = typer.Typer()


@app.command()
def migrate() -> None:
    """Bring the database of POSTGRES_DSN to this version and seed the accounts the environment names.

    Safe to repeat, to run twice at once, and to kill: it goes on where it was. Run it before every start of a new
    version; the old one may go on running meanwhile. Accounts that are there already are left as they are.
    """
    from bellhop.ops.migrate import migrate as run
    from bellhop.settings import load

    settled(lambda: asyncio.run(run(load(), lambda line: print(f"  {line}", file=sys.stderr))))
    print("The database is up to date.")


@app.command()
def recover() -> None:
    """Rebuild from PostgreSQL what Temporal should have: after it lost its state, was restored or is a new one.

    Every message that waits or is followed gets a workflow if it has none; what a killed process left behind is woken.
    Workers do both by themselves (within BELLHOP_SWEEP_EVERY seconds). Safe at any moment, and twice: nothing is sent
    again.
    """

    from temporalio.service import RPCError  # here: see later.py

    def progress(looked: int, made: int) -> None:
        print(f"  {looked} pending messages looked at, {made} workflows made", file=sys.stderr)

    try:
        made, woken = settled(lambda: asyncio.run(composition.recover(settings(), progress)))
    except typer.Exit:  # a RuntimeError, too
        raise
    except (RPCError, RuntimeError):
        stop("Temporal can't be reached: check TEMPORAL_ADDRESS and that the server runs.")
    print(f"Made: {made}, woken: {woken}")
