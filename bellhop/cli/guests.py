"""`bellhop guests`: what is kept of a guest, and its erasure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show, with_engine

if TYPE_CHECKING:
    from bellhop.ops import guests
else:
    guests = later("bellhop.ops.guests")

app = typer.Typer(no_args_is_help=True, help="Guests: everything kept about one, and their erasure.")

Slug = Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")]
GuestId = Annotated[str, typer.Argument(help="gst_…")]
Environment = Annotated[EnvironmentWord, typer.Option()]


@app.command()
def export(
    slug: Slug,
    guest: GuestId,
    file: Annotated[Path, typer.Argument(dir_okay=False, help="A file to be made; nobody else can read it")],
    environment: Environment = "live",
) -> None:
    """Write everything that is kept of a guest into a file, as one JSON document.

    e.g. bellhop guests export grand-sunset-resort gst_01kaj3p6zve5jvqzkqdk1w4yb2 jordan.json
    """
    show(with_engine(lambda engine: guests.export_to(engine, slug, environment, guest, file)))


@app.command()
def erase(
    slug: Slug,
    guest: GuestId,
    environment: Environment = "live",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask")] = False,
) -> None:
    """Erase a guest with all conversations and messages. What waits to be sent is cancelled. Nothing brings it back.

    e.g. bellhop guests erase grand-sunset-resort gst_01kaj3p6zve5jvqzkqdk1w4yb2
    """
    if not yes:
        typer.confirm(f"Erase {guest} for good?", abort=True, err=True)
    show(with_engine(lambda engine: guests.erase(engine, slug, environment, guest)))
