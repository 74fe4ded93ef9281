"""Every way a call can end, and what is known then: one literal table for each provider, one row a test.

What may have been accepted is UNKNOWN, however unlikely it is: an unknown outcome costs a question, a second copy
cannot be taken back (I2).
"""

from __future__ import annotations

import json
import time

import pytest

from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from tests.contract.conformance import CASES, SENDGRID, TWILIO, Act, answer
from tests.contract.endings import NETWORK, E, End, Ending, play, until_a_date

LIMIT, LOST = FailureCode.LIMIT_REACHED, FailureCode.OUTCOME_UNKNOWN
MAYBE = (SendKind.UNKNOWN, LOST)
LATER = (SendKind.RETRY, FailureCode.PROVIDER_ERROR)
TOO_MANY = (SendKind.RETRY, LIMIT)


def twilio(status: int, code: int | None) -> str:
    return json.dumps({"code": code, "message": "no", "more_info": "", "status": status})


def sendgrid(text: str = "no") -> str:
    return json.dumps({"errors": [{"message": text, "field": None, "help": None}]})


def resets_in(seconds: int) -> Act:
    """SendGrid's 429, with the moment from which it takes requests again."""

    def act(peer: object) -> None:
        answer(429, sendgrid(), X_RateLimit_Reset=str(int(time.time()) + seconds))(peer)  # type: ignore[arg-type]

    return act


TWILIO_ENDS: tuple[End, ...] = (
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
    End(E.STATUS_408, answer(408, twilio(408, None)), *MAYBE),
    # 90009 "message SID already exists", 20409 "conflict with the current state": perhaps with our own message.
    End(E.STATUS_409, answer(409, twilio(409, 20409)), *MAYBE),
    End(E.STATUS_409, answer(409, twilio(409, 90009)), *MAYBE, detail="already exists"),
    # "429 is never processed, always safe to retry" (twilio.com/docs/api/errors/20429).
    End(E.STATUS_429, answer(429, twilio(429, 20429)), *TOO_MANY),
    End(E.STATUS_429, answer(429, twilio(429, 20429), Retry_After="soon"), *TOO_MANY, detail="Retry-After is odd"),
    End(E.STATUS_429_SECONDS, answer(429, twilio(429, 20429), Retry_After="7"), *TOO_MANY, 7.0),
    End(E.STATUS_429_SECONDS, answer(429, twilio(429, 20429), Retry_After="86400"), *TOO_MANY, 3600.0, detail="a day"),
    End(E.STATUS_429_DATE, until_a_date(60, 429, twilio(429, 20429)), *TOO_MANY, 60.0),
    End(E.STATUS_429_DATE, until_a_date(-60, 429, twilio(429, 20429)), *TOO_MANY, 0.0, detail="past"),
    End(E.STATUS_500, answer(500, twilio(500, 20500)), *MAYBE),
    End(E.STATUS_502, answer(502, twilio(502, 20502)), *MAYBE),
    # Its own 503 comes after a time-out inside, too: the message may exist, and a look-up tells.
    End(E.STATUS_503_OWN, answer(503, twilio(503, 20503)), *MAYBE),
    End(E.STATUS_503_OWN, answer(503, twilio(503, 20503), Retry_After="5"), *MAYBE, detail="with Retry-After"),
    End(E.STATUS_504, answer(504, twilio(504, 20504)), *MAYBE),
)  # fmt: skip

SENDGRID_ENDS: tuple[End, ...] = (
    *NETWORK,
    End(E.BROKEN_BODY, answer(200, '{"errors": ['), *MAYBE),
    # 202 with an X-Message-Id is SendGrid's, whatever stands below; without one it may be anybody's.
    End(E.BROKEN_BODY, answer(202, "<html"), *MAYBE, detail="202 without an id"),
    End(E.UNEXPECTED_BODY, answer(202, ""), *MAYBE, detail="202, no id"),
    End(E.UNEXPECTED_BODY, answer(200, ""), *MAYBE, detail="200"),
    End(E.UNEXPECTED_BODY, answer(201, "{}"), *MAYBE, detail="201"),
    End(E.UNEXPECTED_BODY, answer(204, "", X_Message_Id="x"), *MAYBE, detail="204"),
    End(E.STATUS_408, answer(408, sendgrid()), *MAYBE),
    End(E.STATUS_409, answer(409, sendgrid()), *MAYBE),
    End(E.STATUS_429, answer(429, sendgrid("too many requests")), *TOO_MANY),
    End(E.STATUS_429, resets_in(60), *TOO_MANY, 60.0, detail="with X-RateLimit-Reset"),
    End(E.STATUS_429_SECONDS, answer(429, sendgrid(), Retry_After="3"), *TOO_MANY, 3.0),
    End(E.STATUS_429_DATE, until_a_date(60, 429, sendgrid()), *TOO_MANY, 60.0),
    # Something broke while the request was being worked on, perhaps after it was taken.
    End(E.STATUS_500, answer(500, sendgrid()), *MAYBE),
    End(E.STATUS_502, answer(502, sendgrid()), *MAYBE),
    # "The SendGrid v3 Web API is not available" (api-reference/how-to-use-the-sendgrid-v3-api/errors): not taken.
    End(E.STATUS_503_OWN, answer(503, sendgrid("service unavailable")), *LATER),
    End(E.STATUS_503_OWN, answer(503, sendgrid(), Retry_After="5"), *LATER, 5.0, detail="with Retry-After"),
    End(E.STATUS_503_GATEWAY, answer(503, '{"errors":[]}'), *MAYBE, detail="errors, but none"),
    End(E.STATUS_503_GATEWAY, answer(503, '{"errors":{"a":1}}'), *MAYBE, detail="errors, but no list"),
    End(E.STATUS_504, answer(504, sendgrid()), *MAYBE),
)

TABLES = {"twilio": TWILIO_ENDS, "sendgrid": SENDGRID_ENDS}


@pytest.mark.parametrize("name", TABLES)
def test_every_way_a_call_can_end_has_a_row(name: str) -> None:
    """Take a row of `NETWORK` or of a provider's own away, and this names the ending that nobody looks at any more."""
    assert {row.ending for row in TABLES[name]} == set(Ending)
    assert len({str(row) for row in TABLES[name]}) == len(TABLES[name]), "two rows of one name"
    assert {row.ending for row in NETWORK} == set(Ending) - {E.BROKEN_BODY, E.STATUS_429_DATE, E.STATUS_503_OWN}
    own = {row.ending for row in TABLES[name] if row not in NETWORK}
    answered = {ending for ending in Ending if ending.name.startswith(("STATUS", "BROKEN", "UNEXPECTED"))}
    assert own >= answered - {Ending.STATUS_503_GATEWAY}, "only a gateway's answers are looked at"


def test_every_provider_has_a_table() -> None:
    assert TABLES.keys() == CASES.keys()


@pytest.mark.parametrize("end", TWILIO_ENDS, ids=str)
def test_how_a_call_of_twilio_ends(end: End) -> None:
    play(TWILIO, end)


@pytest.mark.parametrize("end", SENDGRID_ENDS, ids=str)
def test_how_a_call_of_sendgrid_ends(end: End) -> None:
    play(SENDGRID, end)


def test_what_may_have_been_accepted_is_never_repeated() -> None:
    """The rule of the tables, over their rows: RETRY only where nothing left, or where the provider said so itself."""
    before = {E.REFUSED, E.DNS, E.TLS, E.CONNECT_TIMEOUT}
    said = {E.STATUS_429, E.STATUS_429_SECONDS, E.STATUS_429_DATE}
    for name, table in TABLES.items():
        may = before | said | ({E.STATUS_503_OWN} if name == "sendgrid" else set())
        assert {row.ending for row in table if row.kind is SendKind.RETRY} == may
        assert all(row.kind is SendKind.RETRY for row in table if row.ending in before)
