"""A guest writes to one of an account's lines: Sendblue's webhook `receive`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from bellhop.sandbox import kept_files
from bellhop.sandbox.callback_sender import Answer
from bellhop.sandbox.kept_files import GuestFile
from bellhop.sandbox.providers.sendblue.accounts import FROM_NUMBER, SendblueAccount
from bellhop.sandbox.providers.sendblue.messages import item
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.sendblue.simulator import Sendblue


class InboundRequest(BaseModel):
    """A guest's message. `files`: what comes with it, of which Sendblue takes one. `fields` are added to what Sendblue
    would post."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from")
    to: str = FROM_NUMBER
    body: str
    media_url: str = ""
    files: list[GuestFile] = Field(default=[], max_length=1)
    service: Literal["iMessage", "SMS", "RCS"] = "iMessage"
    fields: dict[str, Any] = {}


async def receive(sendblue: Sendblue, account: SendblueAccount, asked: InboundRequest) -> dict[str, Any]:
    """Store the message, post it to the app and wait for the answer. Returns what the app made of it: `status` None
    when it could not be asked."""
    moment, handle = now(), str(uuid4()).upper()
    sent = kept_files.keep_sent(sendblue.state.store, handle, asked.files)
    base = sendblue.settings.sendblue_files_url.rstrip("/") or sendblue.state.called_at
    media_url = f"{base}{sent[0]}" if sent else asked.media_url
    message = Message(
        provider=sendblue.name,
        id=handle,
        account=account.id,
        recipient=asked.to,
        sender=asked.sender,
        content=asked.body,
        status="RECEIVED",
        accepted_at=moment,
        sent_at=moment,
        direction="inbound",
        detail={"media_url": media_url, "sent": sent, "service": asked.service},
    )
    sendblue.state.accept([(message, [])])
    url = sendblue.settings.sendblue_inbound_url
    answer, tries = Answer("ct", "no sendblue_inbound_url is set", ""), 0
    while url:
        answer = await sendblue.webhooks.call(url, item(message, account) | asked.fields, account.signing_secret)
        pause = sendblue.webhooks.retry_pause(answer, tries)
        tries += 1
        if pause is None:
            break
        await asyncio.sleep(pause)
    return {
        "sid": message.id,
        "status": int(answer.shown) if answer.shown.isdecimal() else None,
        "body": answer.body,
        "detail": answer.shown,
        "tries": tries,
    }
