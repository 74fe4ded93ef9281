"""Firebase Cloud Messaging under test: what a call looks like, and every way in which one can end."""

from __future__ import annotations

import json
from typing import Any

from bellhop.domain.channels import Channel
from bellhop.domain.delivery_ports import LookupKind
from bellhop.providers.fcm import PACKAGE
from bellhop.sandbox.providers.fcm import keys
from tests.contract.conformance import PRIVATE_TEXT, Case, answer
from tests.contract.endings import MAYBE, NETWORK, TOO_MANY, E, End, until_a_date
from tests.contract.handing_over import PICTURE, Handed, Moment, What

NAME = "projects/grand-sunset/messages/0:1763640000000000%0a1b2c3d"
TOKEN = "cVq3dK9wT0m:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx"

CASE = Case(
    PACKAGE.provider,
    credentials={
        "client_email": "messaging@sunset-1184.iam.gserviceaccount.com",
        "private_key_id": "7f" * 20,
        "private_key": keys.pem(keys.private_key("a secret of the tests", "a case")),
    },
    identity="grand-sunset",
    to=TOKEN,
    sender="grand-sunset",
    accepted=answer(200, json.dumps({"name": NAME})),
    accepted_id=NAME,
)


def fcm(code: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}


def violated(field: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": field}]}


def error(status: int, word: str, *details: dict[str, Any], message: str = "no") -> str:
    return json.dumps({"error": {"code": status, "message": message, "status": word, "details": details}})


QUOTA = error(429, "RESOURCE_EXHAUSTED", fcm("QUOTA_EXCEEDED"))
UNAVAILABLE = error(503, "UNAVAILABLE", fcm("UNAVAILABLE"))

ENDINGS: tuple[End, ...] = (
    *NETWORK,
    End(E.BROKEN_BODY, answer(200, '{"name": "proj'), *MAYBE),
    End(E.BROKEN_BODY, answer(200, ""), *MAYBE, detail="empty"),
    End(E.BROKEN_BODY, answer(200, "[" * 100_000), *MAYBE, detail="nested too deeply"),
    End(E.UNEXPECTED_BODY, answer(200, "{}"), *MAYBE, detail="no name"),
    End(E.UNEXPECTED_BODY, answer(200, "[1]"), *MAYBE, detail="no object"),
    End(E.UNEXPECTED_BODY, answer(200, '{"name": 7}'), *MAYBE, detail="a name that is none"),
    End(E.UNEXPECTED_BODY, answer(204, ""), *MAYBE, detail="no content"),
    End(E.STATUS_408, answer(408, error(408, "CANCELLED")), *MAYBE),
    End(E.STATUS_409, answer(409, error(409, "ABORTED")), *MAYBE),
    # At least a minute where it names none (firebase.google.com/docs/cloud-messaging/scale-fcm).
    End(E.STATUS_429, answer(429, QUOTA), *TOO_MANY, 60.0),
    End(E.STATUS_429_SECONDS, answer(429, QUOTA, Retry_After="7"), *TOO_MANY, 7.0),
    End(E.STATUS_429_DATE, until_a_date(60, 429, QUOTA), *TOO_MANY, 60.0),
    End(E.STATUS_500, answer(500, error(500, "INTERNAL", fcm("INTERNAL"))), *MAYBE),
    End(E.STATUS_502, answer(502, "<html>try again in 30 seconds"), *MAYBE),
    # "May have been sent": FCM's own 503 allows for duplicates.
    End(E.STATUS_503_OWN, answer(503, UNAVAILABLE), *MAYBE),
    End(E.STATUS_503_OWN, answer(503, UNAVAILABLE, Retry_After="5"), *MAYBE, detail="with Retry-After"),
    End(E.STATUS_504, answer(504, error(504, "DEADLINE_EXCEEDED")), *MAYBE),
)

_TTL, _EXPIRATION = "message/android/ttl", "message/apns/headers/apns-expiration"
_TEXT = {
    "message/token": TOKEN,
    "message/notification/body": PRIVATE_TEXT,
    "message/notification/image": None,
    "message/apns/payload": None,
    _TTL: None,
    _EXPIRATION: None,
}
_FILE = {"message/notification/image": PICTURE.url, "message/apns/payload": {"aps": {"mutable-content": 1}}}

HANDED = tuple(
    Handed(Channel.PUSH, what, {**_TEXT, **more}, LookupKind.CANNOT_KNOW)
    for what, more in (
        (What.TEXT, {}),
        (What.FILE, _FILE),
        (What.SOON_OVER, {_TTL: "90s", _EXPIRATION: Moment(90)}),
        # A ttl of 0 means now or never: the device may be asleep.
        (What.OVER_AT_ONCE, {_TTL: "1s", _EXPIRATION: Moment(1)}),
        # Four weeks are the most, and what it does without being told.
        (What.LONG_OF_USE, {}),
    )
)
