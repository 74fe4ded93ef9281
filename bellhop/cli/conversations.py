"""`bellhop conversations`: what guests and a property write to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from bellhop.cli.later import later
from bellhop.cli.options import EnvironmentWord
from bellhop.cli.target import show as shown
from bellhop.cli.target import with_engine
from bellhop.domain.channels import Channel
from bellhop.domain.conversations import ConversationStatus

if TYPE_CHECKING:
    from bellhop.ops import conversations
else:
    conversations = later("bellhop.ops.conversations")

app = typer.Typer(no_args_is_help=True, help="What guests and a property write to each other.")

Slug = Annotated[str, typer.Argument(help="The property's short name: see `bellhop properties list`")]
Id = Annotated[str, typer.Argument(help="The conversation's id: see `bellhop conversations list`")]
Environment = Annotated[EnvironmentWord, typer.Option()]


@app.command("list")
def listing(
    slug: Slug,
    environment: Environment = "live",
    status: Annotated[ConversationStatus | None, typer.Option(help="Only those that stand so")] = None,
    unread: Annotated[bool, typer.Option("--unread", help="Only those with something unread")] = False,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many")] = 50,
) -> None:
    """Conversations of a property, that with the newest message first.

    e.g. bellhop conversations list grand-sunset-resort --status open --unread
    """
    shown(with_engine(lambda engine: conversations.listing(engine, slug, environment, status, unread, limit)))


@app.command()
def show(
    slug: Slug,
    conversation_id: Id,
    environment: Environment = "live",
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most so many messages, the newest")] = 20,
) -> None:
    """One conversation with its newest messages."""
    shown(with_engine(lambda engine: conversations.show(engine, slug, environment, conversation_id, limit)))


@app.command()
def reply(
    slug: Slug,
    conversation_id: Id,
    content: Annotated[str, typer.Argument(help="What it says")],
    environment: Environment = "live",
    channel: Annotated[Channel | None, typer.Option(help="Left out: the one that the guest used last")] = None,
) -> None:
    """Answer in a conversation: a message like any other.

    e.g. bellhop conversations reply grand-sunset-resort cvs_… "Of course." --channel email
    """
    shown(with_engine(lambda engine: conversations.reply(engine, slug, environment, conversation_id, content, channel)))


@app.command()
def close(slug: Slug, conversation_id: Id, environment: Environment = "live") -> None:
    """Close a conversation; what the guest writes opens it again."""
    shown(with_engine(lambda engine: conversations.close(engine, slug, environment, conversation_id)))
