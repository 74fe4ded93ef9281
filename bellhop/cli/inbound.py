"""`bellhop inbound`: guests' messages that were lost, or are nobody's."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli import options
from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import settings, show, with_engine

if TYPE_CHECKING:
    from bellhop.domain import provider_urls
    from bellhop.ops import inbound
else:
    provider_urls = later("bellhop.domain.provider_urls")
    inbound = later("bellhop.ops.inbound")

app = typer.Typer(no_args_is_help=True, help="Guests' messages that were lost on the way, or are no property's.")

Environment = Annotated[EnvironmentWord, typer.Option()]


@app.command()
def fetch(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    environment: Environment = "live",
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=options.moment,
            metavar="TIME",
            help="e.g. 2027-03-15T08:30:00-05:00; without an offset it is UTC [default: a little before the last time]",
        ),
    ] = None,
) -> None:
    """Ask the provider for guests' messages that it could not deliver, and take in those we do not have.

    The API does so by itself every BELLHOP_INBOUND_EVERY seconds, and at once after it was away. Safe to repeat: each
    message is taken once, and a STOP among them binds as of when it was written.

    e.g. bellhop inbound fetch grand-sunset-resort --since 2027-03-15
    """
    ours = settings().bellhop
    routes = provider_urls.Routes(ours.public_url, ours.sandbox_url)

    def progress(listed: int, looked: int, new: int) -> None:
        print(f"  {looked} of {listed} messages looked at, {new} new", file=sys.stderr)

    show(with_engine(lambda engine: inbound.fetch(engine, routes, slug, environment, since, progress)))


@app.command()
def unmatched(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest")] = 50,
) -> None:
    """Guests' texts that are no property's: none that shares the sender has written there or has such a guest.

    A STOP among them binds every property that shares the sender all the same. What they say is kept for 30 days.
    """
    show(with_engine(lambda engine: inbound.unmatched(engine, limit)))


@app.command()
def assign(
    text: Annotated[str, typer.Argument(help="Its `id`: see `bellhop inbound unmatched`")],
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    environment: Environment = "live",
) -> None:
    """Give such a text to a property, which gets it as `message.received`."""
    show(with_engine(lambda engine: inbound.assign(engine, text, slug, environment)))


@app.command()
def discard(text: Annotated[str, typer.Argument(help="Its `id`: see `bellhop inbound unmatched`")]) -> None:
    """Forget what such a text says, so that it is shown no longer."""
    show(with_engine(lambda engine: inbound.discard(engine, text)))
