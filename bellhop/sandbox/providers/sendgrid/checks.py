"""What SendGrid finds wrong with a mail: its own words, fields and order.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from starlette.responses import Response

_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message."
_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>.]+")
_RESERVED = frozenset(
    {
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    }
)
_WITHIN = 72 * 3600
_ROW_TYPES: dict[str, type] = {
    "to": list,
    "cc": list,
    "bcc": list,
    "subject": str,
    "headers": dict,
    "custom_args": dict,
    "dynamic_template_data": dict,
    "send_at": int,
}
_TYPES: dict[str, type] = {
    "personalizations": list,
    "from": dict,
    "subject": str,
    "content": list,
    "headers": dict,
    "custom_args": dict,
    "categories": list,
    "attachments": list,
    "template_id": str,
    "asm": dict,
    "mail_settings": dict,
    "tracking_settings": dict,
    "send_at": int,
}


class Problem(NamedTuple):
    """One entry of `errors`."""

    message: str
    field: str | None = None

    def shown(self) -> dict[str, str | None]:
        return {"message": self.message, "field": self.field, "help": _HELP + self.field if self.field else None}


def reply(status: int, *problems: Problem) -> Response:
    """The JSON SendGrid answers a wrong call with."""
    return Response(
        json.dumps({"errors": [problem.shown() for problem in problems]}), status, media_type="application/json"
    )


BAD_KEY = Problem("The provided authorization grant is invalid, expired, or revoked")
NO_KEY = Problem("Permission denied, wrong credentials")
BAD_JSON = Problem("Bad Request")
BAD_TYPE = Problem("Content-Type should be application/json.")
TOO_LARGE = Problem("Payload too large")
NOT_FOUND = Problem("not found")
NOT_VERIFIED = Problem(
    "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. "
    "Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity "
    "requirements",
    "from",
)
BY_STATUS = {
    400: BAD_JSON,
    401: BAD_KEY,
    403: Problem("access forbidden"),
    413: TOO_LARGE,
    415: BAD_TYPE,
    429: Problem("too many requests"),
    500: Problem("Internal Server Error"),
    503: Problem("Service Unavailable"),
}


def is_email(value: Any) -> bool:
    return isinstance(value, str) and _EMAIL.fullmatch(value) is not None


def problems(mail: Any) -> list[Problem]:
    """Everything wrong with the body of `POST /v3/mail/send`; empty when it would be accepted."""
    if not isinstance(mail, dict):
        return [BAD_JSON]
    if mistyped := [*_types(mail, _TYPES, ""), *_row_types(mail)]:
        return mistyped
    return [*_personalizations(mail), *_sender(mail), *_subject(mail), *_content(mail), *_rest(mail)]


def _types(found: dict[str, Any], expected: dict[str, type], path: str) -> Iterator[Problem]:
    for name, kind in expected.items():
        if found.get(name) is not None and not isinstance(found[name], kind):
            yield Problem(f"The {name} parameter has the wrong type.", path + name)


def _row_types(mail: dict[str, Any]) -> Iterator[Problem]:
    for number, row in enumerate(mail.get("personalizations") or []):
        if isinstance(row, dict):
            yield from _types(row, _ROW_TYPES, f"personalizations.{number}.")


def _personalizations(mail: dict[str, Any]) -> Iterator[Problem]:
    rows = mail.get("personalizations")
    if not isinstance(rows, list) or not rows:
        yield Problem(
            "The personalizations field is required and must have at least one personalization.", "personalizations"
        )
        return
    if len(rows) > 1000:
        yield Problem("The personalizations field cannot have more than 1000 personalizations.", "personalizations")
    for number, row in enumerate(rows):
        path = f"personalizations.{number}"
        to = row.get("to") if isinstance(row, dict) else None
        if not isinstance(to, list) or not to:
            yield Problem(
                "The to array is required for all personalization objects, and must have at least one email "
                "object with a valid email address.",
                f"{path}.to",
            )
            continue
        yield from _recipients(row, path)
        yield from _arguments(row.get("custom_args"), f"{path}.custom_args")


def _recipients(row: dict[str, Any], path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for role in ("to", "cc", "bcc"):
        for number, entry in enumerate(row.get(role) or []):
            email = entry.get("email") if isinstance(entry, dict) else None
            if not is_email(email):
                yield Problem("Does not contain a valid address.", f"{path}.{role}.{number}.email")
            elif str(email).casefold() in seen:
                yield Problem(
                    "Each email address in the personalization block should be unique between to, cc, and "
                    f"bcc. We found the first duplicate instance of [{email}] in the {path}.{role} field.",
                    path,
                )
            else:
                seen.add(str(email).casefold())


def _arguments(arguments: Any, path: str) -> Iterator[Problem]:
    if arguments is None:
        return
    if not isinstance(arguments, dict) or not all(isinstance(value, str) for value in arguments.values()):
        yield Problem("The custom_args field must be an object of strings.", path)
    elif len(json.dumps(arguments)) > 10_000:
        yield Problem("The custom_args field cannot exceed 10,000 bytes.", path)


def _sender(mail: dict[str, Any]) -> Iterator[Problem]:
    sender = mail.get("from")
    if not isinstance(sender, dict) or not sender.get("email"):
        yield Problem(
            "The from object must be provided for every email send. It is an object that requires the email "
            'parameter, but may also contain a name parameter.  e.g. {"email" : "example@example.com"}  or '
            '{"email" : "example@example.com", "name" : "Example Recipient"}.',
            "from.email",
        )
    elif not is_email(sender["email"]):
        yield Problem("The from email does not contain a valid address.", "from.email")


def _subject(mail: dict[str, Any]) -> Iterator[Problem]:
    rows = mail.get("personalizations")
    everywhere = isinstance(rows, list) and all(isinstance(row, dict) and row.get("subject") for row in rows)
    if not mail.get("template_id") and not mail.get("subject") and not (rows and everywhere):
        yield Problem(
            "The subject is required. You can get around this requirement if you use a template with a "
            "subject defined or if every personalization has a subject defined.",
            "subject",
        )


def _content(mail: dict[str, Any]) -> Iterator[Problem]:
    blocks = mail.get("content")
    if blocks is None and mail.get("template_id"):
        return
    if not isinstance(blocks, list) or not blocks:
        yield Problem(
            "Unless a valid template_id is provided, the content parameter is required. There must be at "
            "least one defined content block. We typically suggest both text/plain and text/html blocks are "
            "included, but only one block is required.",
            "content",
        )
        return
    types = [block.get("type") if isinstance(block, dict) else None for block in blocks]
    for number, block in enumerate(blocks):
        if not isinstance(block, dict) or not isinstance(block.get("value"), str) or not block["value"]:
            yield Problem(
                "The content value must be a string at least one character in length.", f"content.{number}.value"
            )
        if not types[number]:
            yield Problem(
                "The content type must be a string at least one character in length.", f"content.{number}.type"
            )
    if "text/plain" in types[1:] or ("text/html" in types and types.index("text/html") > 1):
        yield Problem(
            "If present, text/plain and text/html may only be provided once, and text/plain must come first, "
            "followed by text/html.",
            "content.0.type",
        )


def _rest(mail: dict[str, Any]) -> Iterator[Problem]:
    yield from _arguments(mail.get("custom_args"), "custom_args")
    yield from _types(mail.get("mail_settings") or {}, {"sandbox_mode": dict}, "mail_settings.")
    for number, attachment in enumerate(mail.get("attachments") or []):
        if not isinstance(attachment, dict) or not attachment.get("content") or not attachment.get("filename"):
            yield Problem("The attachment must be an object with content and filename.", f"attachments.{number}")
    categories = mail.get("categories") or []
    if len(categories) > 10:
        yield Problem("The categories field cannot have more than 10 categories.", "categories")
    for name in mail.get("headers") or {}:
        if str(name).casefold() in _RESERVED:
            yield Problem(f"The header {name} is reserved and cannot be set.", f"headers.{name}")
    send_at = mail.get("send_at")
    if send_at is not None and send_at > time.time() + _WITHIN:
        yield Problem("The send_at parameter must be a unix timestamp not more than 72 hours in the future.", "send_at")
