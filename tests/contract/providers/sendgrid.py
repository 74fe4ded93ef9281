"""SendGrid under test: what a call looks like, and every way in which one can end."""

from __future__ import annotations

import base64
import json
import time

from bellhop.domain.channels import Channel
from bellhop.providers.sendgrid import PACKAGE
from tests.contract.conformance import PRIVATE_TEXT, SECRET, Act, Case, answer
from tests.contract.endings import LATER, MAYBE, NETWORK, TOO_MANY, E, End, until_a_date
from tests.contract.handing_over import BYTES, Handed, What

CASE = Case(
    PACKAGE.provider,
    credentials={"api_key": f"SG.key.{SECRET}"},
    identity="key",
    to="g.agnelli@guest.example",
    sender="stay@hotel.example",
    accepted=answer(202, X_Message_Id="LRzXl_NHStOGhQ4kofSm_A"),
    accepted_id="LRzXl_NHStOGhQ4kofSm_A",
)


def error(text: str = "no") -> str:
    return json.dumps({"errors": [{"message": text, "field": None, "help": None}]})


def resets_in(seconds: int) -> Act:
    """SendGrid's 429, with the moment from which it takes requests again."""

    def act(peer: object) -> None:
        answer(429, error(), X_RateLimit_Reset=str(int(time.time()) + seconds))(peer)  # type: ignore[arg-type]

    return act


ENDINGS: tuple[End, ...] = (
    *NETWORK,
    End(E.BROKEN_BODY, answer(200, '{"errors": ['), *MAYBE),
    # 202 with an X-Message-Id is SendGrid's, whatever stands below; without one it may be anybody's.
    End(E.BROKEN_BODY, answer(202, "<html"), *MAYBE, detail="202 without an id"),
    End(E.UNEXPECTED_BODY, answer(202, ""), *MAYBE, detail="202, no id"),
    End(E.UNEXPECTED_BODY, answer(200, ""), *MAYBE, detail="200"),
    End(E.UNEXPECTED_BODY, answer(201, "{}"), *MAYBE, detail="201"),
    End(E.UNEXPECTED_BODY, answer(204, "", X_Message_Id="x"), *MAYBE, detail="204"),
    End(E.STATUS_408, answer(408, error()), *MAYBE),
    End(E.STATUS_409, answer(409, error()), *MAYBE),
    End(E.STATUS_429, answer(429, error("too many requests")), *TOO_MANY),
    End(E.STATUS_429, resets_in(60), *TOO_MANY, 60.0, detail="with X-RateLimit-Reset"),
    End(E.STATUS_429_SECONDS, answer(429, error(), Retry_After="3"), *TOO_MANY, 3.0),
    End(E.STATUS_429_DATE, until_a_date(60, 429, error()), *TOO_MANY, 60.0),
    # Something broke while the request was being worked on, perhaps after it was taken.
    End(E.STATUS_500, answer(500, error()), *MAYBE),
    End(E.STATUS_502, answer(502, error()), *MAYBE),
    # "The SendGrid v3 Web API is not available" (api-reference/how-to-use-the-sendgrid-v3-api/errors): not taken.
    End(E.STATUS_503_OWN, answer(503, error("service unavailable")), *LATER),
    End(E.STATUS_503_OWN, answer(503, error(), Retry_After="5"), *LATER, 5.0, detail="with Retry-After"),
    End(E.STATUS_503_GATEWAY, answer(503, '{"errors":[]}'), *MAYBE, detail="errors, but none"),
    End(E.STATUS_503_GATEWAY, answer(503, '{"errors":{"a":1}}'), *MAYBE, detail="errors, but no list"),
    End(E.STATUS_504, answer(504, error()), *MAYBE),
)

NOT_TAKEN = frozenset({E.STATUS_503_OWN})

_TEXT = {
    "personalizations/0/to/0/email": CASE.to,
    "subject": "Your stay",
    "content": [{"type": "text/plain", "value": PRIVATE_TEXT}],
    "attachments": None,
    "send_at": None,
}
# The bytes themselves (v3 mail send: `content` is base64), so that SendGrid has nothing to fetch.
_ATTACHED = {
    "content": base64.b64encode(BYTES).decode(),
    "type": "image/jpeg",
    "filename": "lobby.jpg",
    "disposition": "attachment",
}

HANDED = (
    Handed(Channel.EMAIL, What.TEXT, _TEXT),
    Handed(Channel.EMAIL, What.FILE, {**_TEXT, "attachments": [_ATTACHED]}),
    # It takes no such limit.
    Handed(Channel.EMAIL, What.SOON_OVER, _TEXT),
    Handed(Channel.EMAIL, What.OVER_AT_ONCE, _TEXT),
    Handed(Channel.EMAIL, What.LONG_OF_USE, _TEXT),
)
