"""`bellhop senders`: the addresses that a property sends from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show, stop, with_engine

if TYPE_CHECKING:
    from bellhop.engine import senders as engine_senders
    from bellhop.ops import senders
else:
    engine_senders = later("bellhop.engine.senders")
    senders = later("bellhop.ops.senders")

app = typer.Typer(no_args_is_help=True, help="Senders of a property: numbers, from-addresses, names.")

Slug = Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")]
Which = Annotated[str, typer.Argument(metavar="SENDER", help="snd_… or its address: see `bellhop senders list`")]
Environment = Annotated[EnvironmentWord, typer.Option()]


@app.command("list")
def listing(slug: Slug, environment: Environment = "live") -> None:
    """The senders of a property, in the order in which each channel uses them."""
    show(with_engine(lambda engine: senders.listing(engine, slug, environment)))


@app.command()
def add(
    slug: Slug,
    channel: Annotated[str, typer.Argument(help="sms, whatsapp, email, imessage or push")],
    address: Annotated[str, typer.Argument(help="As the provider knows it: a number, MG…, an e-mail address")],
    account: Annotated[
        str | None, typer.Option(help="acc_…: see `bellhop accounts list` [default: the only one of the channel]")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Shown beside the address, in e-mail")] = None,
    default: Annotated[bool, typer.Option("--default", help="The channel uses it from now on")] = False,
    standby: Annotated[
        bool, typer.Option("--standby", help="It takes over where the default did not take a message")
    ] = False,
    rate: Annotated[
        str | None, typer.Option(help="Calls a second, or `none` [default: what its kind takes, where that is certain]")
    ] = None,
    environment: Environment = "live",
) -> None:
    """Send from another address of one of the property's accounts.

    e.g. bellhop senders add grand-sunset-resort sms +13055550188 --standby
    """
    fields = engine_senders.SenderFields(default=default, standby=standby)
    if name is not None:
        fields["name"] = name
    if rate is not None:
        fields["rate"] = _rate(rate)
    show(
        with_engine(
            lambda engine: senders.add(engine, slug, environment, channel, address, account=account, fields=fields)
        )
    )


@app.command("default")
def default_(slug: Slug, sender: Which, environment: Environment = "live") -> None:
    """Let the sender's channel use it from now on, instead of the one before."""
    show(
        with_engine(
            lambda engine: senders.change(engine, slug, environment, sender, engine_senders.SenderFields(default=True))
        )
    )


@app.command("rate")
def rate_(
    slug: Slug,
    sender: Which,
    rate: Annotated[str, typer.Argument(help="Calls a second, e.g. 1 or 0.5; `none`: only what the account takes")],
    environment: Environment = "live",
) -> None:
    """Let no more go out from a sender than it takes: what comes faster waits for its turn, what is urgent in front.

    e.g. bellhop senders rate grand-sunset-resort +13055550188 1
    """
    fields = engine_senders.SenderFields(rate=_rate(rate))
    show(with_engine(lambda engine: senders.change(engine, slug, environment, sender, fields)))


@app.command()
def standby(
    slug: Slug,
    sender: Which,
    off: Annotated[bool, typer.Option("--off", help="It does not stand by any more")] = False,
    environment: Environment = "live",
) -> None:
    """Let a sender take over where the channel's default surely did not take a message."""
    show(
        with_engine(
            lambda engine: senders.change(
                engine, slug, environment, sender, engine_senders.SenderFields(standby=not off)
            )
        )
    )


@app.command()
def remove(slug: Slug, sender: Which, environment: Environment = "live") -> None:
    """Send nothing from it any more; what guests write to it is no message of the property's then.

    Refused while its channel uses it and has others, and while messages wait that no other can carry.
    """
    show(with_engine(lambda engine: senders.remove(engine, slug, environment, sender)))


def _rate(text: str) -> float | None:
    if text == "none":
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.01 <= rate <= 1000:
        stop(f"The rate is a number from 0.01 to 1000, or `none`, not '{text}'.")
    return rate
