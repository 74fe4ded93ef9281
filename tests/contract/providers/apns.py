"""Apple Push Notification service under test: what a call looks like, and every way in which one can end."""

from __future__ import annotations

import json
from typing import Any

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import LookupKind
from bellhop.providers.apns import PACKAGE
from bellhop.providers.apns.settings import pem
from bellhop.providers.lease_http2 import Http2
from bellhop.sandbox.providers.apns import accounts
from tests.contract.conformance import ATTEMPT, PRIVATE_TEXT, Act, Case, answer
from tests.contract.endings import MAYBE, NETWORK, TOO_MANY, E, End, until_a_date
from tests.contract.handing_over import PICTURE, Handed, Moment, What

TOKEN = "00fc13adff785122b4ad28809a3420982341241421348097878e577c991de8f0"

CASE = Case(
    PACKAGE.provider,
    credentials={"team_id": "9XQ7V2LDPT", "private_key": pem(accounts.p8(accounts.private_key("a secret", "a case")))},
    identity="4KJ2N8WQ6Z",
    to=TOKEN,
    sender="com.example.hotel",
    accepted=answer(200, "", apns_id=str(ATTEMPT)),
    accepted_id=str(ATTEMPT),
    http=Http2,
)


def said(reason: str, **more: Any) -> str:
    return json.dumps({"reason": reason, **more})


def refused(status: int, reason: str, **headers: str) -> Act:
    return answer(status, said(reason), apns_id=str(ATTEMPT), **headers)


ENDINGS: tuple[End, ...] = (
    *NETWORK,
    End(E.BROKEN_BODY, answer(200, '{"rea'), *MAYBE),
    End(E.BROKEN_BODY, answer(200, "[" * 30_000, apns_id=str(ATTEMPT)), *MAYBE, detail="nested too deeply"),
    End(E.UNEXPECTED_BODY, answer(200, ""), *MAYBE, detail="no apns-id"),
    End(E.UNEXPECTED_BODY, answer(200, "", apns_id="7"), *MAYBE, detail="an id that is none"),
    End(E.UNEXPECTED_BODY, answer(200, "{}", apns_id=str(ATTEMPT)), *MAYBE, detail="a body"),
    End(E.UNEXPECTED_BODY, answer(204, ""), *MAYBE, detail="no content"),
    End(E.STATUS_408, refused(408, "Timeout"), *MAYBE),
    End(E.STATUS_409, refused(409, "Conflict"), *MAYBE),
    End(E.STATUS_429, refused(429, "TooManyRequests"), *TOO_MANY),
    End(
        E.STATUS_429, refused(429, "TooManyProviderTokenUpdates"), *TOO_MANY, 1_200.0, detail="token renewed too often"
    ),
    End(E.STATUS_429_SECONDS, refused(429, "TooManyRequests", Retry_After="7"), *TOO_MANY, 7.0),
    End(E.STATUS_429_DATE, until_a_date(60, 429, said("TooManyRequests")), *TOO_MANY, 60.0),
    End(E.STATUS_500, refused(500, "InternalServerError"), *MAYBE),
    End(E.STATUS_502, answer(502, "<html>"), *MAYBE),
    End(E.STATUS_503_OWN, refused(503, "ServiceUnavailable"), *MAYBE),
    End(E.STATUS_503_OWN, refused(503, "ServiceUnavailable", Retry_After="5"), *MAYBE, detail="with Retry-After"),
    End(E.STATUS_504, answer(504, ""), *MAYBE),
)

_EXPIRATION = "headers/apns-expiration"
_TEXT = {"aps/alert/body": PRIVATE_TEXT, "aps/mutable-content": 1, "media_url": None, _EXPIRATION: None}

HANDED = tuple(
    Handed(Channel.PUSH, what, {**_TEXT, **more}, LookupKind.CANNOT_KNOW)
    for what, more in (
        (What.TEXT, {}),
        (What.FILE, {"media_url": PICTURE.url}),
        (What.SOON_OVER, {_EXPIRATION: Moment(90)}),
        # 0 means now or never: the device may be asleep.
        (What.OVER_AT_ONCE, {_EXPIRATION: Moment(1)}),
        (What.LONG_OF_USE, {_EXPIRATION: Moment(60 * 86_400)}),
    )
)
