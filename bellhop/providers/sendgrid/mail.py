"""A mail as SendGrid's v3 API takes it (twilio.com/docs/sendgrid/api-reference/mail-send/mail-send)."""

from __future__ import annotations

import base64
import re

from bellhop.domain import plain_text
from bellhop.domain.content import HTML, PLAIN
from bellhop.domain.delivery_ports import Outgoing
from bellhop.domain.media import Media
from bellhop.domain.text import visible


def mail(outgoing: Outgoing) -> dict[str, object]:
    """The body of /v3/mail/send. The ids stand in the personalization: the message-level field takes no object, and
    SendGrid keeps both as 'not PII', so nothing else may go in."""
    sender = {"email": outgoing.sender}
    if outgoing.sender_name:
        # Neither may stand in a name (docs.sendgrid.com/api-reference/mail-send/limitations).
        sender["name"] = re.sub(r"\s*[;,]\s*", " ", outgoing.sender_name).strip()
    content, names = outgoing.content, outgoing.mail_names
    bodies = [(PLAIN, content.text)]
    if content.content_type == HTML:
        # In this order, and always both: a mail of HTML alone looks like spam.
        plain = plain_text.of_html(content.text) if content.plain is None else content.plain
        bodies = [(PLAIN, plain), (HTML, content.text)]
    ids = {"attempt_id": str(outgoing.attempt_id), "message_id": str(outgoing.message_id)}
    return {
        "personalizations": [{"to": [{"email": outgoing.to}], "custom_args": ids}],
        "from": sender,
        **(
            {"reply_to": {"email": reply_to}}
            if (reply_to := content.options.reply_to or (names and names.reply_to))
            else {}
        ),
        "subject": content.subject or "",
        "content": [{"type": kind, "value": value} for kind, value in bodies if visible(value)],
        **({"attachments": [_attachment(one) for one in content.media]} if content.media else {}),
        **({"headers": headers} if (headers := _headers(outgoing)) else {}),
        # SendGrid adds no header of its own beside ours.
        **({"tracking_settings": _UNTRACKED} if outgoing.unsubscribe_url else {}),
    }


_UNTRACKED = {"subscription_tracking": {"enable": False}}


def _headers(outgoing: Outgoing) -> dict[str, str]:
    """The id that answers name, which is the same at each try: whoever got the mail twice sees it once. Of marketing
    the two headers of RFC 8058; programs that do not post may write instead."""
    names, url = outgoing.mail_names, outgoing.unsubscribe_url
    headers = {"Message-ID": f"<{names.message_id}>"} if names else {}
    if url:
        by_mail = f"<mailto:{names.unsubscribe}?subject=unsubscribe>, " if names and names.unsubscribe else ""
        headers |= {"List-Unsubscribe": f"{by_mail}<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return headers


def _attachment(one: Media) -> dict[str, str]:
    """A file as SendGrid takes it: itself, in base64. Raises OSError where it is gone."""
    if one.read is None:
        raise FileNotFoundError
    return {
        "content": base64.b64encode(one.read()).decode(),
        "type": one.content_type,
        "filename": one.filename,
        "disposition": "attachment",
    }
