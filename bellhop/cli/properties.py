"""`bellhop properties`, `keys` and `accounts`: who may send, and through which accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli import options
from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show, who, with_engine, with_settings
from bellhop.domain.consent_keywords import Keyword
from bellhop.domain.conversations import Side
from bellhop.domain.keys import USUAL_RIGHTS

if TYPE_CHECKING:
    from bellhop.ops import administration, interventions
else:
    administration = later("bellhop.ops.administration")
    interventions = later("bellhop.ops.interventions")

properties_app = typer.Typer(
    no_args_is_help=True, help="Properties (hotels) of this installation: the database of POSTGRES_DSN."
)
keys_app = typer.Typer(
    no_args_is_help=True, help="API keys of this installation: one opens one property, test or live."
)
accounts_app = typer.Typer(
    no_args_is_help=True, help="Provider accounts of this installation: listed, set, rotated, mended."
)

Slug = Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")]
Reason = Annotated[str, typer.Option(help="Why, for the record")]
Actor = Annotated[str | None, typer.Option(help="Who says so [default: the name you are logged in with]")]
BothOrOne = Annotated[EnvironmentWord | None, typer.Option(help="[default: both]")]
ProviderName = Annotated[str | None, typer.Option(help="[default: every provider]")]


@properties_app.command("create")
def create_property(
    name: Annotated[str, typer.Argument(parser=options.named, metavar="NAME", help="e.g. 'Grand Sunset Resort'")],
    slug: Annotated[
        str | None,
        typer.Option(parser=options.slug, metavar="SLUG", help="Short name for commands [default: from the name]"),
    ] = None,
    timezone: Annotated[str, typer.Option(parser=options.zone, metavar="ZONE", help="IANA name")] = "UTC",
) -> None:
    """Make a property with its test and live environments, and the provider accounts the settings name.

    Repeated with the same short name it adds accounts that are missing and changes nothing else.
    """
    show(with_settings(lambda engine, settings: administration.create_property(engine, settings, name, slug, timezone)))


@properties_app.command("list")
def list_properties() -> None:
    """Every property and the channels each environment can send on."""
    show(with_engine(administration.list_properties))


@properties_app.command("show")
def show_property(slug: Slug) -> None:
    """One property: whether it is paused, its accounts and their health, and what operators did last, and why."""
    show(with_engine(lambda engine: interventions.show_property(engine, slug)))


@properties_app.command("pause")
def pause(slug: Slug, reason: Reason, environment: BothOrOne = None, actor: Actor = None) -> None:
    """Let nothing of a property go out: messages are accepted and wait, until it is resumed or they expire.

    e.g. bellhop properties pause grand-sunset-resort --reason "The PMS sends wrong dates"
    """
    show(
        with_engine(
            lambda engine: interventions.pause_property(engine, slug, environment, reason=reason, actor=who(actor))
        )
    )


@properties_app.command("resume")
def resume(slug: Slug, reason: Reason, environment: BothOrOne = None, actor: Actor = None) -> None:
    """Let what waits of a paused property go out."""
    show(
        with_engine(
            lambda engine: interventions.resume_property(engine, slug, environment, reason=reason, actor=who(actor))
        )
    )


@properties_app.command("choose")
def choose(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    when_unknown: Annotated[list[str], typer.Option(help="channel=fail (the default) or channel=resend; repeatable")],
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Choose what happens to a message of which nobody can say whether the provider took it.

    `fail`: it fails as `outcome_unknown`, and you decide. `resend`: it is sent again, and the guest may get it twice.

    e.g. bellhop properties choose grand-sunset-resort --when-unknown email=resend
    """
    show(with_engine(lambda engine: administration.choose(engine, slug, environment, when_unknown)))


@properties_app.command("order")
def order(
    slug: Slug,
    channels: Annotated[list[str] | None, typer.Argument(help="In this order [default: the usual one]")] = None,
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Set in which order channels are tried for a message that is sent by `auto`. Those left out are never chosen.

    e.g. bellhop properties order grand-sunset-resort whatsapp sms email
    """
    show(with_engine(lambda engine: administration.order(engine, slug, environment, channels or [])))


@properties_app.command("policy")
def policy(
    slug: Slug,
    quiet_hours: Annotated[
        str | None,
        typer.Option(help='JSON, e.g. \'[{"categories": ["marketing"], "from": "21:00", "to": "09:00"}]\'; []: none'),
    ] = None,
    frequency_caps: Annotated[
        str | None, typer.Option(help='JSON, e.g. \'[{"category": "marketing", "max": 2, "per": "P7D"}]\'; []: none')
    ] = None,
    validity: Annotated[
        str | None, typer.Option(help="JSON, seconds by category, e.g. '{\"two_factor\": 300}'; {}: as usual")
    ] = None,
    inbox_copies: Annotated[
        str | None,
        typer.Option(
            help="true: what is written for Booking.com's platforms to poll also goes out to the guest; false"
        ),
    ] = None,
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Set when guests are left alone, how many messages of a category one may get, and for how long these are of use.

    What is left out stays as it is; all of it is shown. docs/policy.md says what each of them does.
    """
    given = {
        "quiet_hours": quiet_hours,
        "frequency_caps": frequency_caps,
        "validity": validity,
        "inbox_copies": inbox_copies,
    }
    show(with_engine(lambda engine: administration.policy(engine, slug, environment, given)))


@properties_app.command("answer")
def answer(
    slug: Slug,
    keyword: Annotated[Keyword, typer.Argument(help="What a guest says")],
    text: Annotated[
        str | None, typer.Argument(help="What is answered; {property} is its name [default: --usual]")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the text, e.g. de or pt-BR")] = "en",
    nothing: Annotated[bool, typer.Option("--nothing", help="Answer nothing, in no language")] = False,
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Set what guests are answered who say STOP, START or HELP, where their carrier answers nothing itself.

    Without a text: Bellhop's own in that language. A guest's language comes first, then the property's, then English.

    e.g. bellhop properties answer grand-sunset-resort help "{property}: call +1 305 555 0100"
    """
    show(with_engine(lambda engine: administration.answer(engine, slug, environment, keyword, language, text, nothing)))


@properties_app.command("retain")
def retain(
    slug: Slug,
    messages_days: Annotated[
        int | None, typer.Option(min=0, help="Messages both ways, from when they were due")
    ] = None,
    media_days: Annotated[int | None, typer.Option(min=0, help="Files of guests and of messages")] = None,
    receipts_days: Annotated[int | None, typer.Option(min=0, help="What providers reported, as it came")] = None,
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Set for how many days a property keeps things; 0: as long as the installation does. Shows what is set.

    What is older goes with the next sweeps; of a message a tombstone of ids, times and statuses stays.

    e.g. bellhop properties retain grand-sunset-resort --messages-days 365 --receipts-days 7
    """
    days = {"messages_days": messages_days, "media_days": media_days, "receipts_days": receipts_days}
    show(with_engine(lambda engine: administration.retain(engine, slug, environment, days)))


@properties_app.command("limit")
def limit(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    rate_limit: Annotated[
        int | None,
        typer.Option(
            min=1, max=10_000_000, help="Requests a minute [default: 3000, or what one of its keys may if that is more]"
        ),
    ] = None,
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
) -> None:
    """Limit what all keys of an environment of a property may do together; each key's own limit holds beside it.

    e.g. bellhop properties limit grand-sunset-resort --rate-limit 6000
    """
    show(with_engine(lambda engine: administration.limit(engine, slug, environment, rate_limit)))


@keys_app.command("create")
def create_key(
    slug: Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")],
    environment: Annotated[EnvironmentWord, typer.Option()] = "test",
    name: Annotated[
        str, typer.Option(parser=options.named, metavar="NAME", help="What it is for")
    ] = "made by the command line",
    scopes: Annotated[
        str, typer.Option(help="Comma list, e.g. messaging:write,webhooks:read; * is everything, minting keys included")
    ] = ",".join(USUAL_RIGHTS),
    rate_limit: Annotated[
        int | None, typer.Option(min=1, max=1_000_000, help="Requests a minute [default: 1000]")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="Refused from then on: 90d, or a date or time (UTC), e.g. 2027-12-31 [default: never]"),
    ] = None,
    side: Annotated[
        Side, typer.Option(help="For whom its software speaks; guest: a guests' platform, Booking.com's calls only")
    ] = Side.PROPERTY,
) -> None:
    """Mint a key. It is shown this once and stored nowhere.

    e.g. bellhop keys create grand-sunset-resort --environment live --scopes messaging:write --expires 90d
    """
    rights = [word.strip() for word in scopes.split(",") if word.strip()]
    show(
        with_engine(
            lambda engine: administration.create_key(engine, slug, environment, name, rights, rate_limit, expires, side)
        )
    )


@keys_app.command("list")
def list_keys(slug: Annotated[str, typer.Argument(help="The property's short name")]) -> None:
    """The keys of a property, without their secrets."""
    show(with_engine(lambda engine: administration.list_keys(engine, slug)))


@keys_app.command("revoke")
def revoke_key(key_id: Annotated[str, typer.Argument(help="key_…: see `bellhop keys list`")]) -> None:
    """Close a key for good."""
    show(with_engine(lambda engine: administration.revoke_key(engine, key_id)))


@accounts_app.command("list")
def list_accounts(
    slug: Annotated[str | None, typer.Argument(help="The property's short name [default: every property]")] = None,
) -> None:
    """Provider accounts, their health and senders; `waiting` counts the messages an account holds. No secrets."""
    show(with_engine(lambda engine: administration.list_accounts(engine, slug)))


@accounts_app.command("set")
def set_accounts(
    slug: Annotated[str, typer.Argument(help="The property's short name")],
    environment: Annotated[EnvironmentWord, typer.Option(help="Those of test are the sandbox's")] = "live",
    forget_previous: Annotated[
        bool, typer.Option("--forget-previous", help="Callbacks signed with older credentials are refused from now on")
    ] = False,
) -> None:
    """Send through the accounts that the providers' variables in `.env.example` name: make them, or rotate their
    credentials.

    Replaced credentials stay good for callbacks. Accounts that were held are tried again at once.
    """
    show(
        with_settings(
            lambda engine, settings: administration.set_accounts(
                engine, settings, slug, environment, forget_previous=forget_previous
            )
        )
    )


@accounts_app.command("encrypt")
def encrypt_accounts() -> None:
    """Encrypt every account's credentials under the newest of BELLHOP_CREDENTIALS_KEYS, or under the secret key.

    For rows of a version that did not encrypt, and after a new key was set. Safe to repeat. Once nothing is
    `unreadable`, older keys can be removed.
    """
    show(with_engine(administration.encrypt_accounts))


@accounts_app.command("hold")
def hold_accounts(
    slug: Slug,
    reason: Reason,
    provider: ProviderName = None,
    environment: Annotated[EnvironmentWord, typer.Option()] = "live",
    actor: Actor = None,
) -> None:
    """Send nothing through a property's accounts until they are mended by hand: messages wait, none fails before it
    expires, and nobody tries whether they work.

    e.g. bellhop accounts hold grand-sunset-resort --provider twilio --reason "The number is being moved"
    """
    show(
        with_engine(
            lambda engine: interventions.hold_accounts(
                engine, slug, environment, provider, reason=reason, actor=who(actor)
            )
        )
    )


@accounts_app.command("mend")
def mend_accounts(
    slug: Slug,
    reason: Annotated[str, typer.Option(help="Why, for the record")] = "in order again",
    provider: ProviderName = None,
    environment: BothOrOne = None,
    actor: Actor = None,
) -> None:
    """Say that held accounts are in order again, whoever held them, so that what they held goes out."""
    show(
        with_engine(
            lambda engine: interventions.mend_accounts(
                engine, slug, environment, provider, reason=reason, actor=who(actor)
            )
        )
    )
