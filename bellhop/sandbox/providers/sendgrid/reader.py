"""What a guest, or their mail program, does with a mail: opens it, follows a link, wants no more of the kind."""

from __future__ import annotations

import re

import aiohttp

from bellhop.sandbox.callback_sender import CallbackSender
from bellhop.sandbox.providers.sendgrid.events import EventWebhook
from bellhop.sandbox.scenarios import Step
from bellhop.sandbox.simulator import InvalidRequest
from bellhop.sandbox.store import Message

MACHINE_OPEN = "machine_open"
UNSUBSCRIBE = "unsubscribe"
ACTIONS = ("open", MACHINE_OPEN, "click", UNSUBSCRIBE)
_LINK = re.compile(r"""<a\s[^>]*?href="(https?://[^"]+)"[^>]*>""", re.IGNORECASE)
_ONE_CLICK = re.compile(r"<(https?://[^<>\s]+)>")


async def act(sender: CallbackSender, webhook: EventWebhook, message: Message, action: str) -> str:
    """Do it, and say what the app answered to what it was told. Raises InvalidRequest where such a mail cannot be."""
    if action == UNSUBSCRIBE:
        return await _one_click(sender, message)
    if message.html is None:
        raise InvalidRequest("opens and clicks are seen of mails in HTML only")
    match action:
        case "open":
            step = Step("open")
        case "machine_open":
            step = Step("open", fields=(("sg_machine_open", True), ("useragent", "Mozilla/5.0")))
        case _:
            # What says so is not rewritten, so its clicks are not seen.
            seen = [found for found in _LINK.finditer(message.html) if 'clicktracking="off"' not in found.group()]
            step = Step("click", fields=(("url", seen[0].group(1)),) if seen else ())
    return await webhook.post_step(message, step)


async def _one_click(sender: CallbackSender, message: Message) -> str:
    """What a mail program does when its reader takes `Unsubscribe` beside the sender's name (RFC 8058, 3.2)."""
    headers = {str(name).lower(): str(value) for name, value in message.detail.get("headers", {}).items()}
    link = _ONE_CLICK.search(headers.get("list-unsubscribe", ""))
    if link is None or headers.get("list-unsubscribe-post") != "List-Unsubscribe=One-Click":
        raise InvalidRequest("this mail has no one-click link to unsubscribe")
    body, form = b"List-Unsubscribe=One-Click", {"Content-Type": "application/x-www-form-urlencoded"}
    return (await sender.post(link.group(1), body, form, aiohttp.ClientTimeout(total=10, sock_connect=5))).shown
