"""`bellhop dev` and `bellhop demo`: everything on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bellhop.cli.target import STATE

app = typer.Typer()

StateDir = Annotated[Path, typer.Option(help="Where the embedded stack keeps its data.", envvar="BELLHOP_STATE_DIR")]


@app.command()
def dev(
    state_dir: StateDir = STATE,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the API; 0: any free one.", envvar="BELLHOP_PORT")
    ] = 8000,
    temporal_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the Temporal server; 0: any free one.")
    ] = 7233,
    ui_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the Temporal Web UI; 0: any free one.")
    ] = 8233,
    sandbox_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the sandbox providers; 0: any free one.")
    ] = 8900,
    receiver_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the webhook receiver; 0: any free one.")
    ] = 8901,
    host: Annotated[str, typer.Option(help="Address the API listens on.", envvar="BELLHOP_HOST")] = "127.0.0.1",
    demo_messages: Annotated[
        bool | None,
        typer.Option(help="Send the two demonstration messages [default: first time]"),
    ] = None,
) -> None:
    """Run everything on this machine: PostgreSQL, Temporal, API, workers and sandbox providers. Ctrl-C stops it.

    The first time it also sends an SMS and an e-mail to the sandbox and shows what became of them. Nothing leaves this
    machine. Data is kept: started again, it goes on with the same messages, property and key.
    """
    from bellhop.dev import session
    from bellhop.dev.console import Console
    from bellhop.dev.demo import Demo
    from bellhop.dev.free_ports import Ports
    from bellhop.dev.prepare import prepare
    from bellhop.dev.stack import EmbeddedStack

    ports = Ports(api=port, temporal=temporal_port, ui=ui_port, sandbox=sandbox_port, receiver=receiver_port)
    console = Console()
    stack = EmbeddedStack(state_dir, ports=ports, prepare=prepare, console=console, host=host)

    def stay(stack: EmbeddedStack) -> int:
        console.say(f"Everything is up after {stack.took:.1f} s.\n")
        demonstration = Demo(stack, console)
        known = demonstration.has_history()
        if demo_messages or (demo_messages is None and not known):
            demonstration.run()
        elif known:
            console.say(f"It goes on with the {known} messages of before.")
        demonstration.farewell()
        return session.stay(stack)

    raise typer.Exit(session.run(stack, console, stay))


@app.command()
def demo(state_dir: StateDir = STATE / "demo") -> None:
    """The same without staying, on free ports and data of its own.

    Exits 0 only when every message and all webhooks arrived.
    """
    from bellhop.dev import session
    from bellhop.dev.console import Console
    from bellhop.dev.demo import Demo
    from bellhop.dev.free_ports import Ports
    from bellhop.dev.prepare import prepare
    from bellhop.dev.stack import EmbeddedStack

    console = Console()
    stack = EmbeddedStack(state_dir, ports=Ports.any_free(), prepare=prepare, console=console)
    raise typer.Exit(session.run(stack, console, lambda stack: Demo(stack, console).run()))
