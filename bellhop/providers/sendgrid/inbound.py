"""SendGrid's Inbound Parse: a mail that somebody wrote to the property, raw or taken apart.

twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from bellhop.domain import mail_reading, quoted_replies
from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import Inbound
from bellhop.domain.inbound_details import InboundDetails
from bellhop.domain.mail_addresses import is_token
from bellhop.domain.mail_reading import Body, Head, MailFile
from bellhop.domain.text import visible
from bellhop.providers.reading import clean, from_json, tidy
from bellhop.providers.sendgrid.form import Field, fields_of

RAW = ("email", "rawEmail")
"""The field that holds all of a mail in the mode `POST the raw, full MIME message`."""
NOBODY = "unknown@mail.invalid"
"""Who a mail is from that names nobody."""


def inbound(body: bytes, content_type: str) -> Inbound:
    """A mail as it was posted, or as its receipt keeps it. Raises ValueError."""
    if content_type.partition(";")[0].strip().lower() == "application/json":
        kept = from_json(body)
        if not isinstance(kept, dict) or not isinstance(kept.get("to"), list):
            raise ValueError("not a mail that was kept")
        return _inbound(kept, ())
    form = fields_of(body, content_type)
    named = {one.name: one for one in reversed(form)}
    raw = next((named[name].data for name in RAW if name in named), None)
    if raw is None and not {"headers", "from", "envelope"} & named.keys():
        raise ValueError("not a form of SendGrid's Inbound Parse")
    head, found = mail_reading.whole(raw) if raw is not None else _taken_apart(named, form)
    envelope = _object(named.get("envelope"))
    kept = tidy(_kept(head, found, envelope))
    kept["key"] = _key(head, envelope, [raw] if raw is not None else [one.data for one in form])
    return _inbound(kept, found.files)


def _taken_apart(named: Mapping[str, Field], form: Sequence[Field]) -> tuple[Head, Body]:
    """A mail whose head, text and files are fields. Each is in the charset that `charsets` names."""
    charsets = _object(named.get("charsets"))

    def said(name: str) -> str | None:
        one, charset = named.get(name), charsets.get(name)
        return mail_reading.decoded(one.data, charset if isinstance(charset, str) else None) if one else None

    head = mail_reading.head(named["headers"].data if "headers" in named else b"")
    name, sender = (head.name, head.sender) if head.sender else mail_reading.address(said("from") or "")
    head = Head(
        sender=sender,
        name=name,
        subject=head.subject or said("subject"),
        message_id=head.message_id,
        references=head.references,
        automatic=head.automatic,
    )
    files = tuple(MailFile(one.data, one.filename, one.content_type) for one in form if one.filename is not None)
    return head, Body(said("text"), said("html"), files)


def _kept(head: Head, body: Body, envelope: Mapping[str, Any]) -> dict[str, Any]:
    """What a receipt keeps of a mail, in bounds."""
    to = envelope.get("to")
    recipients = mail_reading.addresses(to if isinstance(to, list) else [])
    return_path = envelope.get("from")
    named = head.sender or (mail_reading.address(return_path)[1] if isinstance(return_path, str) else "")
    text = body.text if body.text and visible(body.text) else None
    if text is None:
        text = quoted_replies.text_of(body.html) if body.html else ""
    return {
        "from": named or NOBODY,
        "name": head.name,
        "to": list(recipients),
        "subject": (head.subject or "")[:998] or None,
        "message_id": head.message_id,
        "references": list(head.references),
        "automatic": head.automatic or return_path in ("", "<>") or not named,
        "text": text[: quoted_replies.LONGEST].replace("\r\n", "\n"),
        "files": len(body.files),
    }


def _inbound(kept: Mapping[str, Any], files: tuple[MailFile, ...]) -> Inbound:
    to = [str(one) for one in kept["to"]]
    # The one that says what the mail answers, where it went to several.
    to.sort(key=lambda address: not is_token(address))
    text, key = str(kept.get("text") or ""), str(kept.get("key"))
    new = quoted_replies.new_words(text)
    return Inbound(
        dedupe_key=f"mail:{key}",
        channel=Channel.EMAIL,
        sender=str(kept.get("from") or NOBODY),
        recipient=to[0] if to else "",
        text=new,
        provider_id=str(kept.get("message_id") or key)[:255],
        payload=dict(kept),
        subject=kept.get("subject"),
        also_to=tuple(to[1:]),
        references=tuple(str(one) for one in kept.get("references") or ()),
        automatic=kept.get("automatic") is True,
        files=files,
        details=InboundDetails(
            media_count=int(kept.get("files") or 0),
            profile_name=kept.get("name"),
            original=text if text.strip() != new.strip() else None,
            automatic=kept.get("automatic") is True,
        ),
    )


def _key(head: Head, envelope: Mapping[str, Any], content: Sequence[bytes]) -> str:
    """What a mail is known by when it comes again: SendGrid gives none an id."""
    digest = hashlib.sha256(json.dumps([head.sender, envelope.get("from"), envelope.get("to")]).encode())
    for one in [head.message_id.encode("utf-8", "replace")] if head.message_id else content:
        digest.update(b"\0" + one)
    return digest.hexdigest()


def _object(one: Field | None) -> Mapping[str, Any]:
    try:
        found = json.loads(clean(one.data[:100_000].decode("utf-8", "replace"))) if one is not None else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
