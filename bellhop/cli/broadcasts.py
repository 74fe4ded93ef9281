"""`bellhop broadcasts`: one message to many guests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show as shown
from bellhop.cli.target import with_engine
from bellhop.domain.broadcasts import BroadcastState

if TYPE_CHECKING:
    from bellhop.ops import broadcasts
else:
    broadcasts = later("bellhop.ops.broadcasts")

app = typer.Typer(no_args_is_help=True, help="One message to many guests.")

Slug = Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")]
Id = Annotated[str, typer.Argument(help="The broadcast's id: see `bellhop broadcasts list`")]
Environment = Annotated[EnvironmentWord, typer.Option()]


@app.command("list")
def listing(
    slug: Slug,
    environment: Environment = "live",
    state: Annotated[BroadcastState | None, typer.Option(help="Only those that stand so")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many, the newest")] = 50,
) -> None:
    """Broadcasts of a property, newest first.

    e.g. bellhop broadcasts list grand-sunset-resort --state running
    """
    shown(with_engine(lambda engine: broadcasts.listing(engine, slug, environment, state, limit)))


@app.command()
def show(slug: Slug, broadcast_id: Id, environment: Environment = "live") -> None:
    """One broadcast and how far it is: who has yet to get it, who gets none and why, where the messages stand."""
    shown(with_engine(lambda engine: broadcasts.show(engine, slug, environment, broadcast_id)))


@app.command()
def pause(slug: Slug, broadcast_id: Id, environment: Environment = "live") -> None:
    """Give it to nobody else until it is resumed."""
    shown(with_engine(lambda engine: broadcasts.change(engine, slug, environment, broadcast_id, "pause")))


@app.command()
def resume(slug: Slug, broadcast_id: Id, environment: Environment = "live") -> None:
    """Go on with one that was paused."""
    shown(with_engine(lambda engine: broadcasts.change(engine, slug, environment, broadcast_id, "resume")))


@app.command()
def cancel(slug: Slug, broadcast_id: Id, environment: Environment = "live") -> None:
    """Give it to nobody else, and cancel those of its messages that still wait."""
    shown(with_engine(lambda engine: broadcasts.change(engine, slug, environment, broadcast_id, "cancel")))
