"""`bellhop …`: run everything on a laptop, set up an installation, send a message and see what became of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import httpx2
import typer
from dotenv import dotenv_values
from psycopg.errors import UndefinedTable
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncConnection
from temporalio.service import RPCError

from bellhop.cli import reports
from bellhop.domain.channels import Channel
from bellhop.ops import administration
from bellhop.settings import Settings, SettingsError, env_file

app = typer.Typer(
    name="bellhop",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="""Durable guest messaging for hotels: SMS, e-mail and more, once, on time, and you can always say why.

**Try it** (nothing to install, no accounts): `bellhop dev`

**Use it**, in another terminal: `bellhop send sms +13055551234 "Your room is ready"`, then
`bellhop timeline omsg_…`

**Set it up** for good: fill in `.env` (see `.env.example`), then `bellhop migrate`,
`bellhop properties create "Grand Sunset Resort"`, `bellhop keys create grand-sunset-resort --environment live`;
run the API (`uvicorn api.app:create_app --factory`) and `python worker.py`. The README has the whole of it.
""",
)
properties_app = typer.Typer(
    no_args_is_help=True, help="Properties (hotels) of this installation: the database of POSTGRES_DSN."
)
keys_app = typer.Typer(
    no_args_is_help=True, help="API keys of this installation: one opens one property, test or live."
)
app.add_typer(properties_app, name="properties")
accounts_app = typer.Typer(
    no_args_is_help=True, help="Provider accounts of this installation: listed, set, rotated, mended."
)
app.add_typer(keys_app, name="keys")
app.add_typer(accounts_app, name="accounts")

STATE = Path(".bellhop")


@app.callback()
def settings_file() -> None:
    """Read `.env` here, as every part of Bellhop does; what is already set in the environment comes first."""
    if file := env_file():
        for name, value in dotenv_values(file).items():
            if value:
                os.environ.setdefault(name, value)


StateDir = Annotated[Path, typer.Option(help="Where the embedded stack keeps its data.", envvar="BELLHOP_STATE_DIR")]


@app.command()
def dev(
    state_dir: StateDir = STATE,
    port: Annotated[int, typer.Option(help="Port of the API; 0: any free one.", envvar="BELLHOP_PORT")] = 8000,
    temporal_port: Annotated[int, typer.Option(help="Port of the Temporal server; 0: any free one.")] = 7233,
    ui_port: Annotated[int, typer.Option(help="Port of the Temporal Web UI; 0: any free one.")] = 8233,
    sandbox_port: Annotated[int, typer.Option(help="Port of the sandbox providers; 0: any free one.")] = 8900,
    receiver_port: Annotated[int, typer.Option(help="Port of the webhook receiver; 0: any free one.")] = 8901,
    host: Annotated[str, typer.Option(help="Address the API listens on.", envvar="BELLHOP_HOST")] = "127.0.0.1",
    story: Annotated[
        bool | None,
        typer.Option("--story/--no-story", help="Send the two demonstration messages [default: first time]"),
    ] = None,
) -> None:
    """Run everything on this machine: PostgreSQL, Temporal, API, workers and sandbox providers. Ctrl-C stops it.

    The first time it also sends an SMS and an e-mail to the sandbox and shows what became of them. Nothing leaves this
    machine. Data is kept: started again, it goes on with the same messages, property and key.
    """
    from bellhop.dev import session
    from bellhop.dev.console import Console
    from bellhop.dev.demo import Story
    from bellhop.dev.free_ports import Ports
    from bellhop.dev.prepare import prepare
    from bellhop.dev.stack import EmbeddedStack

    ports = Ports(api=port, temporal=temporal_port, ui=ui_port, sandbox=sandbox_port, receiver=receiver_port)
    console = Console()
    stack = EmbeddedStack(state_dir, ports=ports, prepare=prepare, console=console, host=host)

    def stay(stack: EmbeddedStack) -> int:
        console.say(f"Everything is up after {stack.took:.1f} s.\n")
        told = Story(stack, console)
        known = told.has_history()
        if story or (story is None and not known):
            told.tell()
        elif known:
            console.say(f"It goes on with the {known} messages of before.")
        told.farewell()
        return session.stay(stack)

    raise typer.Exit(session.run(stack, console, stay))


@app.command()
def demo(state_dir: StateDir = STATE / "demo") -> None:
    """The same without staying, on free ports and data of its own.

    Exits 0 only when both messages and all webhooks arrived.
    """
    from bellhop.dev import session
    from bellhop.dev.console import Console
    from bellhop.dev.demo import Story
    from bellhop.dev.free_ports import Ports
    from bellhop.dev.prepare import prepare
    from bellhop.dev.stack import EmbeddedStack

    console = Console()
    stack = EmbeddedStack(state_dir, ports=Ports.any_free(), prepare=prepare, console=console)
    raise typer.Exit(session.run(stack, console, lambda stack: Story(stack, console).tell()))


@app.command()
def migrate() -> None:
    """Bring the database of POSTGRES_DSN to this version and seed the accounts the environment names.

    Safe to repeat. Run it before every start of a new version. Accounts that are there already are left as they are.
    """
    from bellhop.ops.migrate import migrate as run
    from bellhop.settings import load

    _settled(lambda: asyncio.run(run(load())))
    print("The database is up to date.")


@app.command()
def recover() -> None:
    """Rebuild from PostgreSQL what Temporal should have: after it lost its state, was restored or is a new one.

    Every message that waits or is followed gets a workflow if it has none; what a killed process left behind is woken.
    Workers do both by themselves (within BELLHOP_SWEEP_EVERY seconds). Safe at any moment, and twice: nothing is sent
    again.
    """

    def progress(looked: int, made: int) -> None:
        print(f"  {looked} pending messages looked at, {made} workflows made", file=sys.stderr)

    try:
        made, woken = _settled(lambda: asyncio.run(administration.recover(_settings(), progress)))
    except (RPCError, RuntimeError):
        _stop("Temporal can't be reached: check TEMPORAL_ADDRESS and that the server runs.")
    print(f"Made: {made}, woken: {woken}")


@properties_app.command("create")
def create_property(
    name: Annotated[str, typer.Argument(help="e.g. 'Grand Sunset Resort'")],
    slug: Annotated[str | None, typer.Option(help="Short name for commands [default: from the name]")] = None,
    timezone: Annotated[str, typer.Option(help="IANA name")] = "UTC",
) -> None:
    """Make a property with its test and live environments, and the provider accounts the settings name.

    Repeated with the same short name it adds accounts that are missing and changes nothing else.
    """
    _print(_in_database(lambda tx, settings: administration.create_property(tx, settings, name, slug, timezone)))


@properties_app.command("list")
def list_properties() -> None:
    """Every property and the channels each environment can send on."""
    _print(_in_database(lambda tx, _: administration.list_properties(tx)))


@properties_app.command("choose")
def choose(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    when_unknown: Annotated[list[str], typer.Option(help="channel=fail (the default) or channel=resend; repeatable")],
    environment: Annotated[str, typer.Option(help="test or live")] = "live",
) -> None:
    """Choose what happens to a message of which nobody can say whether the provider took it.

    `fail`: it fails as `outcome_unknown`, and you decide. `resend`: it is sent again, and the guest may get it twice.

    e.g. bellhop properties choose grand-sunset-resort --when-unknown email=resend
    """
    _print(_in_database(lambda tx, _: administration.choose(tx, slug, environment, when_unknown)))


@keys_app.command("create")
def create_key(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    environment: Annotated[str, typer.Option(help="test or live")] = "test",
    name: Annotated[str, typer.Option(help="What it is for")] = "made by the command line",
    scopes: Annotated[str, typer.Option(help="Comma list, e.g. messaging:write,guests:read; * is everything")] = "*",
    rate_limit: Annotated[int | None, typer.Option(help="Requests a minute [default: 1000]")] = None,
) -> None:
    """Mint a key. It is shown this once and stored nowhere.

    e.g. bellhop keys create grand-sunset-resort --environment live --scopes messaging:write,messaging:read
    """
    rights = [word.strip() for word in scopes.split(",") if word.strip()]
    _print(_in_database(lambda tx, _: administration.create_key(tx, slug, environment, name, rights, rate_limit)))


@keys_app.command("list")
def list_keys(slug: Annotated[str, typer.Argument(help="The property's short name")]) -> None:
    """The keys of a property, without their secrets."""
    _print(_in_database(lambda tx, _: administration.list_keys(tx, slug)))


@keys_app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="key_…: see `bellhop keys list`")]) -> None:
    """Close a key for good."""
    _print(_in_database(lambda tx, _: administration.revoke_key(tx, key_id)))


@accounts_app.command("list")
def list_accounts(
    slug: Annotated[str | None, typer.Argument(help="The property's short name [default: every property]")] = None,
) -> None:
    """Provider accounts, their health and senders; `waiting` counts the messages an account holds. No secrets."""
    _print(_in_database(lambda tx, _: administration.list_accounts(tx, slug)))


@accounts_app.command("set")
def set_accounts(
    slug: Annotated[str, typer.Argument(help="The property's short name")],
    environment: Annotated[str, typer.Option(help="live; those of test are the sandbox's")] = "live",
    forget_previous: Annotated[
        bool, typer.Option("--forget-previous", help="Callbacks signed with older credentials are refused from now on")
    ] = False,
) -> None:
    """Send through the accounts that TWILIO_… and SENDGRID_… name: make them, or rotate their credentials.

    Replaced credentials stay good for callbacks. Accounts that were held are tried again at once.
    """
    _print(
        _in_database(
            lambda tx, settings: administration.set_accounts(
                tx, settings, slug, environment, forget_previous=forget_previous
            )
        )
    )


@accounts_app.command("mend")
def mend_accounts(slug: Annotated[str, typer.Argument(help="The property's short name")]) -> None:
    """Say that held accounts are in order again, so that what they held goes out with the next sweep."""
    _print(_in_database(lambda tx, _: administration.mend_accounts(tx, slug)))


ApiUrl = Annotated[str | None, typer.Option(envvar="BELLHOP_API_URL", help="[default: that of `bellhop dev` here]")]
ApiKey = Annotated[str | None, typer.Option(envvar="BELLHOP_API_KEY", help="[default: that of `bellhop dev` here]")]


@app.command()
def send(
    channel: Annotated[str, typer.Argument(help=", ".join(Channel))],
    recipient: Annotated[str, typer.Argument(help="+13055551234, or an e-mail address")],
    content: Annotated[str, typer.Argument(help="The text; HTML goes out as HTML in an e-mail")],
    subject: Annotated[str | None, typer.Option(help="Of an e-mail")] = None,
    at: Annotated[datetime | None, typer.Option(help="When, in UTC, e.g. 2027-03-15T08:30:00 [default: now]")] = None,
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Send a message through the API and print it as the API answers it.

    e.g. bellhop send email jordan@example.com "See you soon" --subject Tomorrow --at 2027-03-15T08:30:00
    """
    body: dict[str, Any] = {"channel": channel, "recipient": recipient, "content": content}
    if subject is not None:
        body["subject"] = subject
    if at is not None:
        body["scheduled_at"] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
    _print(_call("POST", "/v1/messaging/send", api_url, api_key, body))


@app.command()
def timeline(
    message_id: Annotated[str, typer.Argument(help="omsg_…")], api_url: ApiUrl = None, api_key: ApiKey = None
) -> None:
    """What became of a message and why: every event, attempt, receipt and webhook, in the order of time (UTC)."""
    from bellhop.dev.demo import lines

    message = _call("GET", f"/v1/messaging/{message_id}", api_url, api_key)
    print(f"{message['channel']} to {message['recipient']}: {message['status']}")
    for line in lines(_call("GET", f"/v1/messaging/{message_id}/timeline", api_url, api_key)):
        print("  " + line)


def _call(method: str, path: str, url: str | None, key: str | None, body: dict[str, Any] | None = None) -> Any:
    if not url or not key:
        found = _dev_json()
        url, key = url or found.get("api_url"), key or found.get("api_key")
    if not url or not key:
        _stop("No API known: start `bellhop dev` here, or set BELLHOP_API_URL and BELLHOP_API_KEY.")
    try:
        answer = httpx2.request(
            method, url.rstrip("/") + path, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
    except httpx2.HTTPError as problem:
        _stop(f"The API at {url} did not answer ({type(problem).__name__}). Is it running?")
    if answer.status_code >= 400:
        _stop(f"{answer.status_code}: {_reason(answer)}")
    return answer.json()


def _reason(answer: httpx2.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError):
        return answer.text[:300]
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in detail)
    return str(detail)


def _dev_json() -> dict[str, Any]:
    try:
        found = json.loads((Path(os.environ.get("BELLHOP_STATE_DIR", STATE)) / "dev.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _in_database(work: Callable[[AsyncConnection, Any], Awaitable[Any]]) -> Any:
    return _settled(lambda: asyncio.run(administration.in_database(work, _settings())))


def _settings() -> Settings:
    """Those of the environment and `.env`, else of the stack that runs here."""
    state = Path(os.environ.get("BELLHOP_STATE_DIR", STATE))
    settings, stack = administration.settings_here(os.environ, state)
    if stack:
        print(f"bellhop: this is about `bellhop dev` in {state} ({stack})", file=sys.stderr)
    return settings


def _settled(work: Callable[[], Any]) -> Any:
    """Run `work`; a problem a person can mend becomes a line on standard error and exit code 2."""
    try:
        return work()
    except (SettingsError, administration.Refused) as problem:
        _stop(str(problem))
    except OperationalError:
        _stop("PostgreSQL can't be reached: check POSTGRES_DSN and that the server runs.")
    except ProgrammingError as problem:
        if not isinstance(problem.orig, UndefinedTable):
            raise
        _stop("This database has no tables of Bellhop's yet: run `bellhop migrate` first.")


def _stop(problem: str) -> NoReturn:
    print(f"bellhop: {problem}", file=sys.stderr)
    raise typer.Exit(2)


def _print(found: Any) -> None:
    print(json.dumps(found, indent=2, ensure_ascii=False))


reports.add_to(app, _settings, _settled)


def main() -> NoReturn:
    """Entry point of `bellhop`."""
    code: Any = 0
    try:
        app()
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: threads of Temporal's client that are still at work can keep the interpreter from ending.
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
