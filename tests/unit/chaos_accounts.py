"""Accounts of `make chaos` that agree, for its checker to be tested on."""

from __future__ import annotations

from dataclasses import replace

from chaos.accounts import Accounts, Answer, App, Attempt, Copy, Event, Exchange, ReceivedEvent, Row, Written
from chaos.comparisons import IMPLIED_EVENTS, LISTED_AS, RECEIVED_AS, STATUS
from chaos.pictures import digest
from chaos.plan import Move, Request
from chaos.texts import Text

ENDPOINTS = ("good", "flaky")


def exchange(number: int, **request: object) -> Exchange:
    """Handed in at second 100 and accepted at once."""
    given = {"channel": "sms", "recipient": f"+1212{number}", **request}
    written = Request(number, 0.0, **given)  # type: ignore[arg-type]
    moment = 100.0 + written.ahead if written.ahead is not None else None
    return Exchange(written, [Answer("send", 100.0, 100.1, 201, f"omsg_{number}", due=moment)])


def row(number: int, stage: str = "delivered", **changed: object) -> Row:
    events = [
        Event(f"evt_{number}{place}", f"message.{word}", 101.0 + place)
        for place, word in enumerate(IMPLIED_EVENTS[STATUS[stage]])
    ]
    found = Row(f"omsg_{number}", f"q{number:05}", "sms", stage, attempts=[Attempt("accepted", 100.5)], events=events)
    for name, value in changed.items():
        setattr(found, name, value)
    return found


def copy(number: int, words: int = 1, status: str = "delivered", accepted: float = 111.0, **changed: object) -> Copy:
    texts = tuple(f"q{number:05}.{word:03}" for word in range(words))
    reported = frozenset({"sent", status})
    found = Copy("twilio", f"SM{number}", texts, accepted, status, reported)
    return replace(found, **changed)  # type: ignore[arg-type]


def received(rows: list[Row]) -> list[ReceivedEvent]:
    return [
        ReceivedEvent(endpoint, event.id, event.type, one.id, event.at)
        for endpoint in ENDPOINTS
        for one in rows
        for event in one.events
    ]


def listed(all_: Accounts) -> dict[str, list[tuple[str, str, str]]]:
    """What the other vendors' APIs list of accounts that agree: each text of a phone, as it stands."""
    return {
        api: [(one.id, f"{one.token}.000xx", words[STATUS[one.stage]][0]) for one in all_.rows if not one.erased]
        + [(f"imsg_{one.text.number}", one.text.content, RECEIVED_AS[api]) for one in all_.written
           if one.text.token in all_.texts]
        for api, words in LISTED_AS.items()
    }  # fmt: skip


def not_listed(all_: Accounts) -> None:
    all_.listed = listed(all_)
    all_.listed["bird"] = [one for one in all_.listed["bird"] if one[0] != "omsg_1"]


def listed_twice(all_: Accounts) -> None:
    all_.listed = listed(all_)
    all_.listed["sendblue"].append(all_.listed["sendblue"][0])


def listed_as_something_else(all_: Accounts) -> None:
    all_.listed = listed(all_)
    all_.listed["bird"][0] = ("omsg_1", "q00001.000xx", "sent")


def a_text_not_listed(all_: Accounts) -> None:
    all_.listed = listed(all_)
    all_.listed["sendblue"] = [one for one in all_.listed["sendblue"] if one[0] != "imsg_1"]


OTHER_LISTS = [
    (not_listed, "q00001"),
    (listed_twice, "q00001"),
    (listed_as_something_else, "q00001"),
    (a_text_not_listed, "t00001"),
]


def second_step(number: int) -> list[Event]:
    """The events of a message's second way, which has delivered it."""
    return [
        Event(f"evt_{number}1{place}", f"message.{word}", 120.0 + place, "1")
        for place, word in enumerate(("sent", "delivered"))
    ]


def right() -> Accounts:
    """Every way a message can go, each account saying the same."""
    cancelled = exchange(2, ahead=10.0, cancel=3.0)
    cancelled.answers.append(Answer("cancel", 103.0, 103.1, 200, "omsg_2"))
    too_late = exchange(3, ahead=10.0, cancel=10.1)
    too_late.answers.append(Answer("cancel", 110.1, 110.2, 409, code="message_not_pending"))
    moved = exchange(4, ahead=30.0, move=Move(3.0, 5.0))
    moved.answers.append(Answer("move", 103.0, 103.1, 200, "omsg_4", due=105.0))
    repeated = exchange(5, together=2)
    repeated.answers += [Answer("send", 100.0, 108.0, 0), Answer("send", 108.0, 108.1, 201, "omsg_5")]
    erased = exchange(6, guest=0, ahead=20.0)
    erased.answers.append(Answer("erase", 110.0, 110.1, 204))
    rows = [
        row(1), row(2, "cancelled", attempts=[]), row(3), row(4), row(5),
        row(6, "cancelled", token=None, erased=True, attempts=[]),
        row(7, words := "undelivered"), row(8, "gave_up", failure="rejected"), row(9, "read"),
    ]  # fmt: skip
    copies = [
        copy(1, words=2),
        copy(3),
        copy(4, accepted=105.5),
        copy(5),
        copy(7, status=words),
        copy(9, status="open"),
    ]
    clients = [
        exchange(1, words=2),
        cancelled,
        too_late,
        moved,
        repeated,
        erased,
        exchange(7),
        exchange(8, refused=True),
        exchange(9),
    ]
    written = [Written(Text(1, 0.0), 200, True, 1), Written(Text(2, 0.0), 503, True, 6), Written(Text(3, 0.0))]
    others = _on_other_channels()
    rows += others[1]
    all_ = Accounts(clients + others[0], rows, copies + others[2], received(rows), ENDPOINTS, written=written)
    all_.conversations = {"t00001": "cvs_1", "t00003": "cvs_1"}
    all_.texts, all_.apps = ("t00001", "t00003"), [App(("omsg_23",), {"omsg_23": 1})]
    return all_


def _on_other_channels() -> tuple[list[Exchange], list[Row], list[Copy]]:
    """A second way, a reminder, a channel left open, a file, STOP, an app that follows its inbox, several devices, a
    lost answer."""
    stopped = exchange(22, ahead=20.0, stop=5.0)
    stopped.stopped = 106.0
    rows = [
        row(20, "delivered"),
        row(21),
        row(22, "gave_up", failure="opted_out", attempts=[], stopped=106.0),
        row(23, "read", channel="in_app"),
        row(24, "sent", channel="push"),
        row(25, "gave_up", channel="push", failure="outcome_unknown"),
    ]
    rows[0].events = rows[0].events[:1] + second_step(20)
    rows += [row(26), row(27, channel="imessage", conversation="cvs_2")]
    begun = Event("evt_26f", "message.fallback", 113.0, "1")
    rows[6].events += [begun, replace(second_step(26)[0], at=114.0)]
    clients = [
        exchange(20, fallback="email"),
        exchange(21, file="asset"),
        stopped,
        exchange(23, channel="in_app", recipient="", guest_with=0),
        exchange(24, channel="push", recipient="", guest_with=0),
        exchange(25, channel="push"),
        exchange(26, fallback="email", reminds=True),
        exchange(27, channel="imessage", fallback="sms", reached=0),
    ]
    copies = [
        copy(20, status="undelivered", failed=112.0),
        copy(20, provider="sendgrid", id="m20", status="delivered", accepted=113.0, to="second20@example.com"),
        copy(21, files=(digest(21),)),
        copy(23, provider="in_app", status="read", to="gst_1"),
        copy(24, provider="fcm", status="sent", to="one"),
        copy(24, provider="apns", status="sent", to="other", id="a24"),
        copy(25, provider="fcm", status="sent", reported=frozenset()),
        copy(26, status="delivered"),
        copy(26, provider="sendgrid", id="m26", status="bounce", accepted=114.0, to="second26@example.com"),
        copy(27, provider="sendblue", id="b27", status="DELIVERED"),
    ]
    return clients, rows, copies
