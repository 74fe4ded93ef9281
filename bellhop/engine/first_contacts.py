"""Messages on a channel with a window: what each goes out as where the guest has not written lately."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from bellhop.domain.addresses import AddressBook
from bellhop.domain.channels import kind_of
from bellhop.domain.rows.messages import MessageRow
from bellhop.domain.scopes import Scope
from bellhop.engine import templates
from bellhop.engine.errors import TemplateRequired
from bellhop.store.delivery import windows
from bellhop.store.messages.outbound import NewMessage


async def with_approved(tx: AsyncConnection, scope: Scope, new: NewMessage) -> NewMessage:
    """The message with the approved template that it has for that, fixed now as all that it says is. None carries its
    files: rather than go without them it does not go out."""
    if new.content.media:
        without = replace(new.content, approved=None)
        return replace(new, content=without, unapproved="a template that WhatsApp approves carries no file but its own")
    if new.template is not None:
        return new
    made = await templates.first_contact(tx, scope, new.content.text, new.guest_id)
    return replace(new, content=replace(new.content, approved=made.approved), unapproved=made.unapproved)


async def check(tx: AsyncConnection, book: AddressBook, row: MessageRow, unapproved: str | None) -> None:
    """Whether a message that was just written can go out, if it is to go out now; of a later one that is decided then.
    `unapproved`: why it cannot as an approved template. Raises TemplateRequired."""
    if unapproved is None or row.due_at > row.now or row.recipient is None:
        return
    hashes = book.hashes(kind_of(row.channel, row.recipient), row.recipient)
    if not await windows.is_open(tx, row.scope_id, row.channel, hashes, row.now):
        raise TemplateRequired("template" if (row.details or {}).get("template") else "content", unapproved)
