"""A guest writes a mail: SendGrid's Inbound Parse, in both of its modes.

https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import TYPE_CHECKING, Any

import aiohttp
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

from bellhop.sandbox import kept_files
from bellhop.sandbox.callback_sender import Answer
from bellhop.sandbox.providers.sendgrid.accounts import FROM_EMAIL, SendGridAccount
from bellhop.sandbox.simulator import InvalidRequest
from bellhop.sandbox.store import Message, now

if TYPE_CHECKING:
    from bellhop.sandbox.providers.sendgrid.simulator import SendGrid


class Attachment(BaseModel):
    """A file of a mail; `content` in base64."""

    model_config = ConfigDict(extra="forbid")

    filename: str
    type: str = "application/octet-stream"
    content: Base64Bytes


class InboundRequest(BaseModel):
    """A guest's mail."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: str = Field(alias="from", description="an address, or a name and an address in angle brackets")
    to: str = FROM_EMAIL
    body: str = ""
    html: str | None = None
    subject: str | None = None
    answers: str | None = Field(
        default=None, description="id of a mail that was accepted: it is answered as Gmail does, quoted below the body"
    )
    headers: dict[str, str] = Field(default={}, description="further ones, e.g. Auto-Submitted")
    return_path: str | None = Field(default=None, description="of its envelope; none: `from`; empty: a bounce")
    attachments: list[Attachment] = Field(default=[], max_length=20)
    charset: str = Field(default="utf-8", description="of its text")
    raw: bool | None = Field(default=None, description="posted whole, or in parts; none: as the settings say")
    api_key_id: str | None = Field(default=None, description="which account; none: the first")
    forged: bool = Field(default=False, description="signed for something else")


async def receive(sendgrid: SendGrid, asked: InboundRequest) -> dict[str, Any]:
    """Store the mail, post it to the app and wait for the answer. Returns what the app made of it: `status` None when
    it could not be asked."""
    account = next(iter(sendgrid.accounts)) if asked.api_key_id is None else None
    account = account or sendgrid.accounts.get(f"SG.{asked.api_key_id}")
    if account is None:
        raise InvalidRequest(f"there is no account with the key id {asked.api_key_id}")
    answered = None
    if asked.answers is not None:
        answered = sendgrid.state.store.message(sendgrid.name, asked.answers)
        if answered is None or answered.direction != "outbound":
            raise InvalidRequest(f"no mail {asked.answers} was accepted")
        if "to" not in asked.model_fields_set:
            asked = asked.model_copy(update={"to": sendgrid.answers_to(answered)})
    mail = _mail(asked, answered)
    message = _stored(sendgrid, account, asked, mail)
    raw = sendgrid.settings.sendgrid_inbound_raw if asked.raw is None else asked.raw
    answer, tries = await _post(sendgrid, account, form(mail, asked, raw=raw), forged=asked.forged)
    return {
        "sid": message.id,
        "message_id": mail["Message-ID"],
        "status": int(answer.shown) if answer.shown.isdecimal() else None,
        "body": answer.body,
        "detail": answer.shown,
        "tries": tries,
    }


def _stored(sendgrid: SendGrid, account: SendGridAccount, asked: InboundRequest, mail: EmailMessage) -> Message:
    moment, key = now(), secrets.token_urlsafe(16)
    files = [
        kept_files.keep(
            sendgrid.state.store, f"{key}/{at}", one.filename, one.type, base64.b64encode(one.content).decode()
        )
        for at, one in enumerate(asked.attachments)
    ]
    message = Message(
        provider=sendgrid.name,
        id=key,
        account=account.id,
        recipient=asked.to,
        sender=parseaddr(asked.sender)[1] or asked.sender,
        subject=str(mail["Subject"] or ""),
        content=asked.body,
        html=asked.html,
        status="received",
        accepted_at=moment,
        sent_at=moment,
        direction="inbound",
        detail={"headers": {}, "files": files},
    )
    sendgrid.state.accept([(message, [])])
    return message


def _mail(asked: InboundRequest, answered: Message | None) -> EmailMessage:
    """The mail as the guest's program writes it."""
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"], mail["To"] = asked.sender, asked.to
    mail["Message-ID"] = f"<{secrets.token_hex(16)}@mail.guest.example>"
    text = asked.body
    if answered is not None:
        headers = {str(name).lower(): str(value) for name, value in answered.detail["headers"].items()}
        if "message-id" in headers:
            mail["In-Reply-To"] = mail["References"] = headers["message-id"]
        said = "".join(f"> {line}\n" for line in (answered.content or "").splitlines())
        text = f"{text}\n\nOn Mon, Nov 2, 2026 at 9:14 AM <{answered.sender}> wrote:\n\n{said}"
    subject = asked.subject or (f"Re: {answered.subject}" if answered and answered.subject else None)
    if subject:
        mail["Subject"] = subject
    for name, value in asked.headers.items():
        del mail[name]
        mail[name] = value
    if text or asked.html is None:
        mail.set_content(text, charset=asked.charset, cte="8bit" if asked.charset == "utf-8" else None)
        if asked.html is not None:
            mail.add_alternative(asked.html, subtype="html")
    else:
        mail.set_content(asked.html, subtype="html")
    for one in asked.attachments:
        kind, _, subtype = one.type.partition("/")
        mail.add_attachment(one.content, maintype=kind, subtype=subtype or "octet-stream", filename=one.filename)
    return mail


def form(mail: EmailMessage, asked: InboundRequest, *, raw: bool) -> tuple[bytes, str]:
    """The body that is posted, and its content type."""
    envelope = {"to": [parseaddr(asked.to)[1] or asked.to]}
    returns = parseaddr(asked.sender)[1] if asked.return_path is None else asked.return_path
    fields: list[tuple[str, bytes, str | None, str | None]] = [
        ("to", str(mail["To"]).encode(), None, None),
        ("from", str(mail["From"]).encode(), None, None),
        ("subject", str(mail["Subject"] or "").encode(), None, None),
        ("envelope", json.dumps({**envelope, "from": returns}).encode(), None, None),
        ("dkim", b"{@guest.example : pass}", None, None),
        ("SPF", b"pass", None, None),
        ("spam_score", b"0.1", None, None),
        ("sender_ip", b"192.0.2.25", None, None),
    ]
    if raw:
        fields.append(("email", mail.as_bytes(), None, None))
    else:
        fields += _parts(mail)
    boundary = f"xYzZY{secrets.token_hex(12)}"
    body = bytearray()
    for name, data, filename, kind in fields:
        shown = name if filename is None else f'{name}"; filename="{filename}'
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="{shown}"\r\n'.encode()
        body += f"Content-Type: {kind}\r\n".encode() if kind else b""
        body += b"\r\n" + data + b"\r\n"
    body += f"--{boundary}--\r\n".encode()
    return bytes(body), f"multipart/form-data; boundary={boundary}"


def _parts(mail: EmailMessage) -> list[tuple[str, bytes, str | None, str | None]]:
    """What SendGrid posts of a mail that it has taken apart: each text in its own charset."""
    charsets = {"to": "UTF-8", "from": "UTF-8", "subject": "UTF-8"}
    head = "".join(f"{name}: {value}\n" for name, value in mail.items())
    found: list[tuple[str, bytes, str | None, str | None]] = [("headers", head.encode(), None, None)]
    for name in ("plain", "html"):
        part = mail.get_body((name,))
        data = part.get_payload(decode=True) if part is not None else None
        if part is not None and isinstance(data, bytes):
            field = "text" if name == "plain" else name
            charsets[field] = part.get_content_charset() or "us-ascii"
            found.append((field, data, None, None))
    files = list(mail.iter_attachments())
    for at, one in enumerate(files, 1):
        data = one.get_payload(decode=True)
        if isinstance(data, bytes):
            found.append((f"attachment{at}", data, one.get_filename() or f"file{at}", one.get_content_type()))
    found += [
        ("attachments", str(len(files)).encode(), None, None),
        ("charsets", json.dumps(charsets).encode(), None, None),
    ]
    return found


async def _post(
    sendgrid: SendGrid, account: SendGridAccount, posted: tuple[bytes, str], *, forged: bool
) -> tuple[Answer, int]:
    """The last answer and the number of tries. A 5xx is tried again; anything else but 2xx is the end of it
    (support.sendgrid.com, 46513815674395)."""
    url, pauses = sendgrid.settings.sendgrid_inbound_url, sendgrid.settings.sendgrid_inbound_retry_pauses
    if not url:
        return Answer("ct", "no sendgrid_inbound_url is set", ""), 0
    body, kind = posted
    timeout = aiohttp.ClientTimeout(total=60, sock_connect=5)
    for tries, pause in enumerate((*pauses, None), 1):
        headers = {"Content-Type": kind, "User-Agent": "Sendlib/1.0 server=sandbox"}
        headers |= sendgrid.webhook.signature(account, b"" if forged else body)
        answer = await sendgrid.state.callback_sender.post(url, body, headers, timeout)
        if pause is None or answer.outcome in ("ok", "4xx"):
            return answer, tries
        await asyncio.sleep(pause)
    raise AssertionError("the last pause is none")
