"""Sendblue under test: what a call looks like, and every way in which one can end."""

from __future__ import annotations

import json

from bellhop.domain.channels import Channel
from bellhop.providers.sendblue import PACKAGE
from tests.contract.conformance import PRIVATE_TEXT, SECRET, Case, answer
from tests.contract.endings import MAYBE, NETWORK, TOO_MANY, E, End, until_a_date
from tests.contract.handing_over import GROUP, PICTURE, Handed, What

HANDLE = "0A6D1F0E-4D1C-4C1B-9E55-5E2C8E6C0F11"


def message(status: str = "QUEUED", **other: object) -> str:
    return json.dumps({"message_handle": HANDLE, "status": status, "error_code": None, "error_message": None, **other})


CASE = Case(
    PACKAGE.provider,
    credentials={"api_secret_key": SECRET, "signing_secret": "s3cr3t-of-the-webhook-1177"},
    identity="7f" * 16,
    to="+33612345678",
    sender="+15005550111",
    accepted=answer(202, message(), Content_Type="application/json"),
    accepted_id=HANDLE,
)


def error(code: int | None, key: str | None = None) -> str:
    return json.dumps({"status": "ERROR", "message": "no", "error_code": code, "error_message": "no", "error_key": key})


ENDINGS: tuple[End, ...] = (
    *NETWORK,
    End(E.BROKEN_BODY, answer(200, '{"message_handle": "0A6D'), *MAYBE),
    End(E.BROKEN_BODY, answer(200, ""), *MAYBE, detail="empty"),
    End(E.BROKEN_BODY, answer(200, "[" * 100_000), *MAYBE, detail="nested too deeply"),
    End(E.UNEXPECTED_BODY, answer(200, "{}"), *MAYBE, detail="no handle"),
    End(E.UNEXPECTED_BODY, answer(200, "[1]"), *MAYBE, detail="no object"),
    End(E.UNEXPECTED_BODY, answer(200, '{"message_handle": 7, "status": "QUEUED"}'), *MAYBE, detail="no text"),
    End(E.UNEXPECTED_BODY, answer(200, message("READ")), *MAYBE, detail="a status that is none"),
    End(E.UNEXPECTED_BODY, answer(204, ""), *MAYBE, detail="no content"),
    End(E.STATUS_408, answer(408, error(None)), *MAYBE),
    End(E.STATUS_409, answer(409, error(None)), *MAYBE),
    End(E.STATUS_429, answer(429, error(4001)), *TOO_MANY),
    End(E.STATUS_429, answer(400, error(429, "LINE_HOURLY_LIMIT_REACHED")), *TOO_MANY, detail="a 400 that means it"),
    End(E.STATUS_429_SECONDS, answer(429, error(4001), Retry_After="7"), *TOO_MANY, 7.0),
    End(E.STATUS_429_DATE, until_a_date(60, 429, error(4001)), *TOO_MANY, 60.0),
    End(E.STATUS_500, answer(500, error(5000)), *MAYBE),
    End(E.STATUS_500, answer(500, "<html>"), *MAYBE, detail="no JSON"),
    End(E.STATUS_502, answer(502, error(5000)), *MAYBE),
    End(E.STATUS_503_OWN, answer(503, error(5000)), *MAYBE),
    End(E.STATUS_503_OWN, answer(503, error(5000), Retry_After="5"), *MAYBE, detail="with Retry-After"),
    End(E.STATUS_504, answer(504, error(5000)), *MAYBE),
)

_TEXT = {"number": CASE.to, "from_number": CASE.sender, "content": PRIVATE_TEXT, "media_url": None, "send_style": None}

HANDED = (
    Handed(Channel.IMESSAGE, What.TEXT, _TEXT),
    Handed(Channel.IMESSAGE, What.FILE, {**_TEXT, "media_url": PICTURE.url}),
    Handed(Channel.IMESSAGE, What.FILE_ALONE, {**_TEXT, "content": "", "media_url": PICTURE.url}),
    Handed(Channel.IMESSAGE, What.GROUP, {
        "numbers": list(GROUP.members), "group_id": None, "number": None, "from_number": CASE.sender,
        "content": PRIVATE_TEXT}),
    # It takes no such limit.
    Handed(Channel.IMESSAGE, What.SOON_OVER, _TEXT),
    Handed(Channel.IMESSAGE, What.OVER_AT_ONCE, _TEXT),
    Handed(Channel.IMESSAGE, What.LONG_OF_USE, _TEXT),
)  # fmt: skip
