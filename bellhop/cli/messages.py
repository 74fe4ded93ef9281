"""`bellhop send`, `resend` and `timeline`: clients of the HTTP API."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import quote

import typer

from bellhop.cli import options
from bellhop.cli.later import later
from bellhop.cli.target import show, state_dir, stop
from bellhop.domain.categories import LONGEST
from bellhop.domain.channels import Channel
from bellhop.domain.choosing import AUTO

if TYPE_CHECKING:
    import httpx2

    from bellhop.domain import serializers
else:
    serializers = later("bellhop.domain.serializers")

app = typer.Typer()

ApiUrl = Annotated[
    str | None,
    typer.Option(
        envvar="BELLHOP_API_URL", parser=options.url, metavar="URL", help="[default: that of `bellhop dev` here]"
    ),
]
ApiKey = Annotated[
    str | None,
    typer.Option(
        envvar="BELLHOP_API_KEY", parser=options.key, metavar="KEY", help="[default: that of `bellhop dev` here]"
    ),
]


@app.command()
def send(
    channel: Annotated[str, typer.Argument(help=f"{', '.join(Channel)}, or {AUTO}: the one that suits the guest best")],
    recipient: Annotated[
        str, typer.Argument(help="+13055551234, an e-mail address, or a guest's id (gst_…): in_app, push, auto")
    ],
    content: Annotated[str, typer.Argument(help="The text; HTML goes out as HTML in an e-mail")],
    subject: Annotated[str | None, typer.Option(help="Of an e-mail")] = None,
    at: Annotated[
        datetime | None,
        typer.Option(
            parser=options.moment,
            metavar="TIME",
            help="When, e.g. 2027-03-15T08:30:00-05:00; without an offset it is UTC [default: now]",
        ),
    ] = None,
    valid_until: Annotated[
        datetime | None,
        typer.Option(
            parser=options.moment, metavar="TIME", help="It does not go out later, but fails [default: 3 days]"
        ),
    ] = None,
    validity: Annotated[
        int | None, typer.Option(min=1, max=LONGEST, help="The same in seconds after it is due, instead")
    ] = None,
    category: Annotated[
        Literal["transactional", "conversational", "marketing", "two_factor"], typer.Option(help="What it is for")
    ] = "transactional",
    content_type: Annotated[
        Literal["text/plain", "text/html"] | None,
        typer.Option(help="How the text is written [default: HTML if an e-mail has HTML tags]"),
    ] = None,
    priority: Annotated[
        Literal["urgent", "normal", "bulk"], typer.Option(help="Which goes first where many are due at once")
    ] = "normal",
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Send a message through the API and print it as the API answers it.

    e.g. bellhop send email jordan@example.com "See you soon" --subject Tomorrow --at 2027-03-15T08:30:00-05:00
    """
    body: dict[str, Any] = {"channel": channel, "recipient": recipient, "content": content}
    if subject is not None:
        body["subject"] = subject
    if at is not None:
        body["scheduled_at"] = serializers.timestamp(at)
    if valid_until is not None:
        body["valid_until"] = serializers.timestamp(valid_until)
    if validity is not None:
        body["validity"] = validity
    if category != "transactional":
        body["category"] = category
    if content_type is not None:
        body["content_type"] = content_type
    if priority != "normal":
        body["priority"] = priority
    show(_call("POST", "/v1/messaging/send", api_url, api_key, body))


@app.command()
def resend(
    message_id: Annotated[str, typer.Argument(help="omsg_… of a failed message")],
    reason: Annotated[str, typer.Option(help="Why, for the record")],
    api_url: ApiUrl = None,
    api_key: ApiKey = None,
) -> None:
    """Send a failed message again, now: a new message with the same text and recipient, which names the old one.

    Of one that failed as outcome_unknown nobody can say whether the guest has it: they may get it twice.
    """
    show(_call("POST", f"{_path(message_id)}/resend", api_url, api_key, {"reason": reason}))


@app.command()
def timeline(
    message_id: Annotated[str, typer.Argument(help="omsg_…")], api_url: ApiUrl = None, api_key: ApiKey = None
) -> None:
    """What became of a message and why: every event, attempt, receipt and webhook, in the order of time (UTC)."""
    from bellhop.dev.demo import lines

    message = _call("GET", _path(message_id), api_url, api_key)
    to = message["recipient"] or ", ".join(message["recipients"])
    print(f"{message['channel']} to {to}: {message['status']}")
    for line in lines(_call("GET", f"{_path(message_id)}/timeline", api_url, api_key)):
        print("  " + line)


def _path(message_id: str) -> str:
    return "/v1/messaging/" + quote(message_id, safe="")


def _call(method: str, path: str, url: str | None, key: str | None, body: dict[str, Any] | None = None) -> Any:
    import httpx2  # here: see later.py

    if not url or not key:
        found = _dev_json()
        url, key = url or found.get("api_url"), key or found.get("api_key")
    if not url or not key:
        stop("No API known: start `bellhop dev` here, or set BELLHOP_API_URL and BELLHOP_API_KEY.")
    try:
        answer = httpx2.request(
            method, url.rstrip("/") + path, json=body, headers={"Authorization": f"Bearer {key}"}, timeout=30
        )
    except httpx2.HTTPError as problem:
        stop(f"The API at {url} did not answer ({type(problem).__name__}). Is it running?")
    if answer.status_code >= 400:
        stop(f"{answer.status_code}: {_reason(answer)}")
    try:
        said = answer.json()
    except ValueError:
        said = None
    if not isinstance(said, dict):
        stop(f"What answered at {url} is no API of Bellhop's (--api-url, BELLHOP_API_URL).")
    return said


def _reason(answer: httpx2.Response) -> str:
    try:
        detail = answer.json()["detail"]
        if isinstance(detail, list):
            return "; ".join(f"{_flag(one['loc'][1:])}: {one['msg']}" for one in detail)
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.text[:300].split())
    return str(detail)


def _flag(place: list[Any]) -> str:
    """A field of the request as the command calls it."""
    named = ".".join(map(str, place))
    return _FLAGS.get(named, named)


_FLAGS = {
    "channel": "CHANNEL",
    "recipient": "RECIPIENT",
    "content": "CONTENT",
    "subject": "--subject",
    "scheduled_at": "--at",
    "valid_until": "--valid-until",
    "validity": "--validity",
    "category": "--category",
    "content_type": "--content-type",
    "priority": "--priority",
    "reason": "--reason",
}


def _dev_json() -> dict[str, Any]:
    try:
        found = json.loads((state_dir() / "dev.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
