"""Twilio under test: what a call looks like, and every way in which one can end."""

from __future__ import annotations

import json

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import LookupKind
from bellhop.providers.twilio import PACKAGE
from tests.contract.conformance import PRIVATE_TEXT, SECRET, Case, answer
from tests.contract.endings import MAYBE, NETWORK, TOO_MANY, E, End, until_a_date
from tests.contract.handing_over import PICTURE, TEMPLATE, Handed, What

SID = "SM" + "0a" * 16

CASE = Case(
    PACKAGE.provider,
    credentials={"auth_token": SECRET},
    identity="AC" + "7f" * 16,
    to="+33612345678",
    sender="+15005550006",
    accepted=answer(201, json.dumps({"sid": SID, "status": "queued", "error_code": None})),
    accepted_id=SID,
)


def error(status: int, code: int | None) -> str:
    return json.dumps({"code": code, "message": "no", "more_info": "", "status": status})


ENDINGS: tuple[End, ...] = (
    *NETWORK,
    End(E.BROKEN_BODY, answer(201, '{"sid": "SM0a'), *MAYBE),
    End(E.BROKEN_BODY, answer(201, ""), *MAYBE, detail="empty"),
    End(E.BROKEN_BODY, answer(201, "[" * 100_000), *MAYBE, detail="nested too deeply"),
    End(E.UNEXPECTED_BODY, answer(201, "{}"), *MAYBE, detail="no sid"),
    End(E.UNEXPECTED_BODY, answer(201, "[1]"), *MAYBE, detail="no object"),
    End(E.UNEXPECTED_BODY, answer(201, '{"sid": 7}'), *MAYBE, detail="a sid that is none"),
    End(E.UNEXPECTED_BODY, answer(202, '{"sid": "MG0a"}'), *MAYBE, detail="a sid of something else"),
    End(E.UNEXPECTED_BODY, answer(204, ""), *MAYBE, detail="no content"),
    # RFC 9110 §15.5.9 means a request that did not arrive whole; but gateways say 408 too when Twilio took too long
    # over a whole one. A look-up tells the two apart.
    End(E.STATUS_408, answer(408, error(408, None)), *MAYBE),
    # 90009 "message SID already exists", 20409 "conflict with the current state": perhaps with our own message.
    End(E.STATUS_409, answer(409, error(409, 20409)), *MAYBE),
    End(E.STATUS_409, answer(409, error(409, 90009)), *MAYBE, detail="already exists"),
    # "429 is never processed, always safe to retry" (twilio.com/docs/api/errors/20429).
    End(E.STATUS_429, answer(429, error(429, 20429)), *TOO_MANY),
    End(E.STATUS_429, answer(429, error(429, 20429), Retry_After="soon"), *TOO_MANY, detail="Retry-After is odd"),
    End(E.STATUS_429_SECONDS, answer(429, error(429, 20429), Retry_After="7"), *TOO_MANY, 7.0),
    End(E.STATUS_429_SECONDS, answer(429, error(429, 20429), Retry_After="86400"), *TOO_MANY, 3600.0, detail="a day"),
    End(E.STATUS_429_DATE, until_a_date(60, 429, error(429, 20429)), *TOO_MANY, 60.0),
    End(E.STATUS_429_DATE, until_a_date(-60, 429, error(429, 20429)), *TOO_MANY, 0.0, detail="past"),
    End(E.STATUS_500, answer(500, error(500, 20500)), *MAYBE),
    End(E.STATUS_502, answer(502, error(502, 20502)), *MAYBE),
    # Its own 503 comes after a time-out inside, too: the message may exist, and a look-up tells.
    End(E.STATUS_503_OWN, answer(503, error(503, 20503)), *MAYBE),
    End(E.STATUS_503_OWN, answer(503, error(503, 20503), Retry_After="5"), *MAYBE, detail="with Retry-After"),
    End(E.STATUS_504, answer(504, error(504, 20504)), *MAYBE),
)  # fmt: skip

S, W = Channel.SMS, Channel.WHATSAPP
_SMS = {"To": [CASE.to], "From": [CASE.sender], "ContentSid": None, "ContentVariables": None}
_CHAT = {**_SMS, "To": [f"whatsapp:{CASE.to}"], "From": [f"whatsapp:{CASE.sender}"]}
_TEXT = {"Body": [PRIVATE_TEXT], "MediaUrl": None, "ValidityPeriod": None}
_FILE = {**_TEXT, "MediaUrl": [PICTURE.url]}
# An empty Body is an error of Twilio's, and beside a ContentSid it counts for nothing, as do files.
_FILE_ALONE = {**_FILE, "Body": None}
_TEMPLATE = {
    "Body": None,
    "MediaUrl": None,
    "ContentSid": [TEMPLATE.content_sid],
    "ContentVariables": [json.dumps(dict(TEMPLATE.variables), ensure_ascii=False)],
}

HANDED = (
    Handed(S, What.TEXT, {**_SMS, **_TEXT}),
    Handed(S, What.FILE, {**_SMS, **_FILE}),
    Handed(S, What.FILE_ALONE, {**_SMS, **_FILE_ALONE}),
    # Whole seconds from 1 to 36,000, which is what it does without being told.
    Handed(S, What.SOON_OVER, {**_SMS, **_TEXT, "ValidityPeriod": ["90"]}),
    Handed(S, What.OVER_AT_ONCE, {**_SMS, **_TEXT, "ValidityPeriod": ["1"]}),
    Handed(S, What.LONG_OF_USE, {**_SMS, **_TEXT}),
    Handed(W, What.TEXT, {**_CHAT, **_TEXT}),
    Handed(
        W, What.TEXT, {**_CHAT, **_TEXT, "To": ["whatsapp:US.1A2b3C"]}, other={"to": "US.1A2b3C"}, detail="to an id"
    ),
    Handed(W, What.FILE, {**_CHAT, **_FILE}),
    Handed(W, What.FILE_ALONE, {**_CHAT, **_FILE_ALONE}),
    # The list has the approved text, and none of the values is long enough to say which message it is.
    Handed(W, What.TEMPLATE, {**_CHAT, **_TEMPLATE}, LookupKind.CANNOT_KNOW),
    Handed(W, What.SOON_OVER, {**_CHAT, **_TEXT, "ValidityPeriod": ["90"]}),
    Handed(W, What.OVER_AT_ONCE, {**_CHAT, **_TEXT, "ValidityPeriod": ["1"]}),
    Handed(W, What.LONG_OF_USE, {**_CHAT, **_TEXT}),
)
