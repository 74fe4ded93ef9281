"""`bellhop consents`: what an address allows, set and lifted by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show, who, with_engine
from bellhop.domain.channels import Channel

if TYPE_CHECKING:
    from bellhop.ops import administration
else:
    administration = later("bellhop.ops.administration")

app = typer.Typer(no_args_is_help=True, help="What guests' addresses allow: looked at, set, lifted.")

Slug = Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")]
ChannelName = Annotated[str, typer.Argument(help=", ".join(Channel))]
Address = Annotated[str, typer.Argument(help="+13055551234, or an e-mail address")]
Environment = Annotated[EnvironmentWord, typer.Option()]


@app.command("list")
def list_consents(slug: Slug, channel: ChannelName, address: Address, environment: Environment = "live") -> None:
    """Whether messages go out to an address, and everything that was said of it, the last first."""
    show(with_engine(lambda engine: administration.list_consents(engine, slug, environment, channel, address)))


@app.command("set")
def set_consent(
    slug: Slug,
    channel: ChannelName,
    address: Address,
    action: Annotated[str, typer.Argument(help="opt_in: it may be written to again; opt_out: nothing is sent there")],
    reason: Annotated[str, typer.Option(help="Why, for the record")],
    purpose: Annotated[str, typer.Option(help="all, or marketing: what it is about")] = "all",
    actor: Annotated[str | None, typer.Option(help="Who says so [default: the name you are logged in with]")] = None,
    environment: Environment = "live",
) -> None:
    """Lift what stands against an address, or write down that it wants nothing. Who and why stay on record.

    e.g. bellhop consents set grand-sunset-resort email jordan@example.com opt_in --reason "The mailbox was full"
    """
    show(
        with_engine(
            lambda engine: administration.set_consent(
                engine, slug, environment, channel, address, action, reason=reason, actor=who(actor), purpose=purpose
            )
        )
    )
