"""`bellhop …`: run everything on a laptop, set up an installation, send a message and see what became of it."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, Any, NoReturn

import typer

from bellhop.cli import (
    broadcasts,
    consents,
    conversations,
    dev,
    guests,
    inbound,
    installation,
    intents,
    messages,
    properties,
    reports,
    senders,
    templates,
)
from bellhop.cli.options import OneLine
from bellhop.env_file import env_file

app = typer.Typer(
    name="bellhop",
    cls=OneLine,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Durable guest messaging for hotels: SMS, e-mail and more, once, on time, and you can always say why.

**Try it** (nothing to install, no accounts): `bellhop dev`

**Use it**, in another terminal: `bellhop send sms +13055551234 "Your room is ready"`, then
`bellhop timeline omsg_…`

**Set it up** for good: fill in `.env` (see `.env.example`), then `bellhop migrate`,
`bellhop properties create "Grand Sunset Resort"`, `bellhop keys create grand-sunset-resort --environment live`;
run the API (`python -m api`) and `python worker.py`. The README has the whole of it.
""",
)
for group in (dev, installation, messages, reports):
    app.add_typer(group.app)
app.add_typer(properties.properties_app, name="properties")
app.add_typer(properties.keys_app, name="keys")
app.add_typer(properties.accounts_app, name="accounts")
app.add_typer(senders.app, name="senders")
app.add_typer(consents.app, name="consents")
app.add_typer(guests.app, name="guests")
app.add_typer(inbound.app, name="inbound")
app.add_typer(conversations.app, name="conversations")
app.add_typer(intents.app, name="intents")
app.add_typer(broadcasts.app, name="broadcasts")
app.add_typer(templates.app, name="templates")


def _version(asked: bool) -> None:
    if asked:
        print(f"bellhop {version('bellhop')}")
        raise typer.Exit


@app.callback()
def settings_file(
    context: typer.Context,
    show_version: Annotated[
        bool, typer.Option("--version", help="Which version this is.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Read `.env` here, as every part of Bellhop does; what is already set in the environment comes first."""
    from dotenv import dotenv_values  # here: see later.py

    del show_version  # its callback has answered
    if context.obj:
        context.obj()
    if file := env_file():
        for name, value in dotenv_values(file).items():
            if value:
                os.environ.setdefault(name, value)


def _log_elsewhere() -> None:
    """What a command shows may be read by a program: what is logged meanwhile goes to standard error."""
    import structlog  # here: see later.py

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))


def main() -> NoReturn:
    """Entry point of `bellhop`."""
    code: Any = 0
    try:
        app(obj=_log_elsewhere)
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: threads of Temporal's client that are still at work can keep the interpreter from ending.
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
