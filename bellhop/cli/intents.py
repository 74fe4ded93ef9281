"""`bellhop intents`: what guests want."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show, with_engine
from bellhop.domain.intents import IntentStatus, IntentType

if TYPE_CHECKING:
    from bellhop.ops import intents
else:
    intents = later("bellhop.ops.intents")

app = typer.Typer(no_args_is_help=True, help="What guests want, as it was found in what they wrote.")


@app.callback()
def group() -> None:
    """Keep `list` a command of the group."""


@app.command("list")
def listing(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
    kind: Annotated[IntentType | None, typer.Option("--type", help="Only those of this type")] = None,
    status: Annotated[IntentStatus | None, typer.Option(help="Only those with this status")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest")] = 50,
) -> None:
    """What guests of a property want, the newest first.

    e.g. bellhop intents list grand-sunset-resort --status open
    """
    show(with_engine(lambda engine: intents.listing(engine, slug, environment, kind, status, limit)))
