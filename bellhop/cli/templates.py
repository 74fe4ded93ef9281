"""`bellhop templates`: texts that messages name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import settings, show, with_engine

if TYPE_CHECKING:
    from bellhop.ops import templates
else:
    templates = later("bellhop.ops.templates")

app = typer.Typer(no_args_is_help=True, help="Templates that WhatsApp approves.")


@app.callback()
def group() -> None:
    """Keep `refresh` a command of the group."""


@app.command()
def refresh(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Ask Twilio which of the WhatsApp templates that the property's templates name are approved.

    The API does so by itself every BELLHOP_APPROVALS_EVERY seconds.

    e.g. bellhop templates refresh grand-sunset-resort
    """
    routes = settings().routes
    show(with_engine(lambda engine: templates.refresh(engine, routes, slug, environment)))
