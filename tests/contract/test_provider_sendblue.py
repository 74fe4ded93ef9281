"""Sendblue: its answers, callbacks and look-up, through the official SDK."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellhop.domain import groups
from bellhop.domain.channels import Channel, Service
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import (
    CallbackRequest,
    Effect,
    Inbound,
    LookupKind,
    LookupRequest,
    ProviderUnreachable,
    Receipt,
    SendKind,
)
from bellhop.domain.failures import FailureCode
from bellhop.domain.inbound_details import Group, Media
from bellhop.domain.statuses import Stage
from bellhop.providers.sendblue import callbacks
from bellhop.providers.sendblue.adapter import Sendblue
from bellhop.providers.sendblue.codes import CODES, KEYS, STAGES
from tests.contract.conformance import ACCOUNT, ATTEMPT, REFUSED, SECRET, Scene, Server, answer, check
from tests.contract.providers.sendblue import CASE, HANDLE, error, message

LINE, NUMBER = CASE.sender, CASE.to
SIGNING = CASE.credentials["signing_secret"]

SCENES = (
    Scene("taken under a 400", answer(400, message("QUEUED")), SendKind.ACCEPTED),
    Scene("ERROR under a 2xx", answer(200, message("ERROR", error_code=10001)), REFUSED, FailureCode.UNDELIVERED, None,
          "10001"),
    Scene("ERROR without a code", answer(200, message("ERROR")), REFUSED, FailureCode.UNDELIVERED),
    Scene("DECLINED", answer(200, message("DECLINED", error_code=4002)), REFUSED, FailureCode.BLOCKED),
    Scene("bad keys", answer(401, '{"message": "Unauthorized"}'), ACCOUNT, FailureCode.CONFIGURATION, None, "401"),
    Scene("no such path", answer(404, "nginx"), ACCOUNT, FailureCode.CONFIGURATION, None, "404"),
    Scene("validation", answer(400, error(4000)), REFUSED, FailureCode.REJECTED, None, "4000"),
    Scene("no file at its address", answer(400, json.dumps(
        {"status": "ERROR", "error_code": 4000, "error_message": "media_url: answered 502"})),
          SendKind.RETRY, FailureCode.MEDIA_UNAVAILABLE, None, "4000"),
    Scene("unknown code", answer(400, error(4711)), REFUSED, FailureCode.REJECTED, None, "4711"),
)  # fmt: skip


@pytest.mark.parametrize("scene", SCENES, ids=str)
def test_an_answer_to_a_send(scene: Scene) -> None:
    check(CASE, scene)


@pytest.mark.parametrize("key", KEYS)
def test_every_key_is_read(key: str) -> None:
    row = KEYS[key]
    check(CASE, Scene(key, answer(400, error(429, key)), row.kind, row.failure, None, "429"))


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_read_at_the_send_and_in_a_callback(code: int) -> None:
    row = CODES[code]
    check(CASE, Scene(str(code), answer(400, error(code)), row.kind, row.failure, None, str(code)))
    (receipt,) = Sendblue().parse(status(status="ERROR", error_code=code))
    assert isinstance(receipt, Receipt)
    assert (receipt.stage, receipt.code, receipt.provider_code) == (Stage.UNDELIVERED, row.failure, str(code))


def test_what_is_sent() -> None:
    with Server(answer(200, message())) as server:
        result = CASE.send(server.url, content=Content(text="Grüße & 100% 🏨\n=1"))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/send-message HTTP/1.1")
    assert f"sb-api-key-id: {CASE.identity}" in head.decode() and f"sb-api-secret-key: {SECRET}" in head.decode()
    assert json.loads(body) == {
        "number": NUMBER,
        "from_number": LINE,
        "content": "Grüße & 100% 🏨\n=1",
        "status_callback": f"{CASE.outgoing().callback_url}&token={callbacks.token(SECRET, ATTEMPT)}",
    }
    assert result.provider_id == HANDLE


def test_half_a_surrogate_pair_is_refused_not_tried_for_ever() -> None:
    with Server(answer(200, message())) as server:
        result = CASE.send(server.url, content=Content(text="\ud83d"))
        assert server.requests == []
    assert (result.kind, result.code) == (SendKind.REFUSED, FailureCode.CONTENT_REFUSED)


# --- callbacks --------------------------------------------------------------------------------------------------------


def status(query: dict[str, str] | None = None, **fields: Any) -> CallbackRequest:
    reported = {"message_handle": HANDLE, "status": "SENT", "number": NUMBER, "content": "the code is 4471", **fields}
    query = {"attempt": str(ATTEMPT), "token": callbacks.token(SECRET, ATTEMPT)} if query is None else query
    return CallbackRequest("https://hotel.example/x", "status", query, {}, json.dumps(reported).encode())


def inbound(secret: str | None = SIGNING, **fields: Any) -> CallbackRequest:
    reported = {"message_handle": HANDLE, "status": "RECEIVED", "from_number": NUMBER, "to_number": LINE,
            "sendblue_number": LINE, "content": "More towels", "is_outbound": False, **fields}  # fmt: skip
    headers = {"sb-signing-secret": secret} if secret is not None else {}
    return CallbackRequest("https://hotel.example/x", "inbound", {}, headers, json.dumps(reported).encode())


def test_only_who_was_told_the_address_knows_its_token() -> None:
    account = CASE.account("http://127.0.0.1:1")
    right = {"attempt": str(ATTEMPT), "token": callbacks.token(SECRET, ATTEMPT)}
    assert Sendblue().verify(account, status(right))
    for wrong in (
        {},
        {"attempt": str(ATTEMPT)},
        {"attempt": str(ATTEMPT), "token": ""},
        {**right, "attempt": str(ATTEMPT).replace("7", "8")},
        {**right, "token": callbacks.token("another secret", ATTEMPT)},
        {**right, "token": "é" * 40},
    ):
        assert not Sendblue().verify(account, status(wrong))


def test_a_guests_message_bears_the_secret() -> None:
    account = CASE.account("http://127.0.0.1:1")
    assert Sendblue().verify(account, inbound())
    for secret in (None, "", SECRET, SIGNING + "x"):
        assert not Sendblue().verify(account, inbound(secret))


@pytest.mark.parametrize("word", STAGES)
def test_every_status_is_read(word: str) -> None:
    (receipt,) = Sendblue().parse(status(status=word))
    assert isinstance(receipt, Receipt)
    assert (receipt.stage, receipt.attempt_id, receipt.provider_id) == (STAGES[word], ATTEMPT, HANDLE)
    assert "4471" not in json.dumps(receipt.payload) and NUMBER not in json.dumps(receipt.payload)


def test_an_unknown_status_changes_nothing_and_is_kept() -> None:
    (receipt,) = Sendblue().parse(status(status="TELEPORTED"))
    assert isinstance(receipt, Receipt) and receipt.stage is None and receipt.payload["status"] == "TELEPORTED"


@pytest.mark.parametrize(("word", "fields", "service"), [
    ("SENT", {"service": "iMessage", "was_downgraded": False}, Service.IMESSAGE),
    ("SENT", {"service": "SMS", "was_downgraded": True}, Service.SMS),
    ("DELIVERED", {"service": "RCS", "was_downgraded": True}, Service.RCS),
    # Callbacks as the guide shows them name no service.
    ("DELIVERED", {"was_downgraded": False}, Service.IMESSAGE),
    ("SENT", {"was_downgraded": True}, Service.SMS),
    ("QUEUED", {"was_downgraded": False}, None),
    ("SENT", {"was_downgraded": None}, None),
    ("SENT", {"service": "iMessage", "was_downgraded": True}, Service.SMS),
    ("SENT", {"service": "pigeon", "was_downgraded": "yes"}, None),
    ("SENT", {}, None),
])  # fmt: skip
def test_by_what_it_went(word: str, fields: dict[str, Any], service: Service | None) -> None:
    """Told or asked, it is the same."""
    (receipt,) = Sendblue().parse(status(status=word, **fields))
    assert isinstance(receipt, Receipt) and receipt.service is service
    with Server(answer(200, json.dumps({"status": "OK", "data": listed(HANDLE, status=word, **fields)}))) as server:
        asked = Sendblue().report(CASE.account(server.url), HANDLE, ATTEMPT, 5.0)
    assert asked.receipt is not None and asked.receipt.service is service


def test_an_opt_out_reported_later_binds_the_address() -> None:
    (receipt,) = Sendblue().parse(status(status="DECLINED", error_key="OPTED_OUT"))
    assert isinstance(receipt, Receipt)
    assert (receipt.code, receipt.effect) == (FailureCode.OPTED_OUT, Effect.PROVIDER_REFUSAL)
    assert receipt.address == NUMBER


def test_a_guests_message() -> None:
    (found,) = Sendblue().parse(inbound(date_sent="2026-11-20T12:00:00Z", media_url="https://x.example/a.png"))
    assert isinstance(found, Inbound)
    assert (found.channel, found.sender, found.recipient, found.text) == (Channel.IMESSAGE, NUMBER, LINE, "More towels")
    assert found.occurred_at == datetime(2026, 11, 20, 12, tzinfo=UTC)
    assert found.payload["media_url"] == "https://x.example/a.png"


def test_what_comes_with_a_guests_message() -> None:
    (found,) = Sendblue().parse(
        inbound(
            message_type="group", group_id="g7", group_display_name="The Mitchells", media_url="https://x.example/a.png",
            participants=[NUMBER, LINE, "+13055550177"], service="SMS", was_downgraded=True,
        )
    )  # fmt: skip
    assert isinstance(found, Inbound)
    assert found.details.group == Group("g7", "The Mitchells", 3)
    assert (found.details.service, found.details.was_downgraded) == (Service.SMS, True)
    assert found.details.media == (Media("https://x.example/a.png"),)
    assert "+13055550177" not in json.dumps(dict(found.payload)), "who else is in a group is not kept"


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(("message_handle", "status", "from_number",
        "to_number", "error_code", "date_sent", "content", "opted_out")) | st.text(), inner),
).map(lambda value: json.dumps(value).encode()), st.sampled_from(("status", "inbound", "other")))  # fmt: skip
def test_junk_is_told_apart(body: bytes, path: str) -> None:
    request = CallbackRequest("https://x", path, {"attempt": str(ATTEMPT)}, {}, body)
    try:
        found = Sendblue().parse(request)
    except ValueError:
        return
    assert all(isinstance(one, Receipt | Inbound) for one in found)


# --- look-up and list -------------------------------------------------------------------------------------------------

STARTED = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def page(*items: dict[str, Any], more: bool = False) -> str:
    return json.dumps({"status": "OK", "data": items, "pagination": {"hasMore": more, "total": len(items)}})


def listed(handle: str, content: str | None = CASE.text, **other: Any) -> dict[str, Any]:
    return {"message_handle": handle, "content": content, "status": "SENT", "to_number": NUMBER, "from_number": LINE,
            "date_sent": "2026-11-20T12:00:01Z", **other}  # fmt: skip


def lookup_request(*claimed: str) -> LookupRequest:
    return LookupRequest(ATTEMPT, NUMBER, LINE, CASE.text, STARTED, frozenset(claimed), Channel.IMESSAGE)


def look(*answers: str, claimed: tuple[str, ...] = ()) -> tuple[Any, list[bytes]]:
    with Server(*(answer(200, body) for body in answers)) as server:
        found = Sendblue().look_up(CASE.account(server.url), lookup_request(*claimed), 5.0)
        return found, server.requests


def test_a_lost_message_is_found_by_its_text() -> None:
    found, requests = look(page(listed("B"), listed("A"), listed("C", "another text")))
    assert (found.kind, found.provider_id) == (LookupKind.FOUND, "A")  # the older of two copies
    line = requests[0].splitlines()[0].decode()
    assert "is_outbound=true" in line and "created_at_gte=2026-11-20T11%3A59%3A00%2B00%3A00" in line


PICTURE = "https://hotel.example/m/t0ken/lobby.jpg"
HOSTED = "https://storage.googleapis.com/inbound-file-store/lobby.jpg"


@pytest.mark.parametrize(("content", "media_url", "kind"), [
    ("", PICTURE, LookupKind.FOUND),
    # It may keep what it fetched, and name that: it may be ours.
    ("", HOSTED, LookupKind.CANNOT_KNOW),
    (None, HOSTED, LookupKind.CANNOT_KNOW),
    ("A text", HOSTED, LookupKind.ABSENT),
    ("A text", "", LookupKind.ABSENT),
])  # fmt: skip
def test_a_lost_file_without_a_text_is_found_by_its_address(
    content: str | None, media_url: str, kind: LookupKind
) -> None:
    asked = replace(lookup_request(), text="", media=(PICTURE,))
    with Server(answer(200, page(listed("A", content, media_url=media_url)))) as server:
        found = Sendblue().look_up(CASE.account(server.url), asked, 5.0)
    assert (found.kind, found.provider_id) == (kind, "A" if kind is LookupKind.FOUND else None)


def test_what_others_own_is_not_ours() -> None:
    found, _ = look(page(listed("A")), claimed=("A",))
    assert found.kind is LookupKind.ABSENT


def test_further_pages_are_read_before_it_is_called_absent() -> None:
    found, requests = look(page(listed("X", "another"), more=True), page(listed("A")))
    assert (found.kind, found.provider_id, len(requests)) == (LookupKind.FOUND, "A", 2)


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"data": []}', '{"data": 7, "pagination": {"hasMore": false}}'])
def test_a_list_that_is_none_says_nothing(body: str) -> None:
    found, _ = look(body)
    assert found.kind is LookupKind.UNREACHABLE


def test_a_message_is_asked_about() -> None:
    body = json.dumps({"status": "OK", "data": listed(HANDLE, status="DELIVERED")})
    with Server(answer(200, body)) as server:
        found = Sendblue().report(CASE.account(server.url), HANDLE, ATTEMPT, 5.0)
    assert found.kind is LookupKind.FOUND and found.receipt is not None
    (reported,) = Sendblue().parse(status(status="DELIVERED"))
    assert isinstance(reported, Receipt) and reported.dedupe_key == found.receipt.dedupe_key


@pytest.mark.parametrize(("code", "body", "kind"), [
    (404, '{"status": "ERROR", "message": "Message not found"}', LookupKind.ABSENT),
    (404, "nginx", LookupKind.UNREACHABLE),
    (500, error(5000), LookupKind.UNREACHABLE),
    (200, json.dumps({"data": listed("ANOTHER")}), LookupKind.UNREACHABLE),
])  # fmt: skip
def test_answers_that_bring_no_message(code: int, body: str, kind: LookupKind) -> None:
    with Server(answer(code, body)) as server:
        assert Sendblue().report(CASE.account(server.url), HANDLE, ATTEMPT, 5.0).kind is kind


def test_its_list_is_whole_or_fails() -> None:
    with Server(answer(200, page(listed("B"), more=True)), answer(200, page(listed("A")))) as server:
        span = (STARTED, STARTED + timedelta(hours=1))
        found = list(Sendblue().listing(CASE.account(server.url), *span, 5.0))
    assert [(one.provider_id, one.stage) for one in found] == [("B", Stage.SENT), ("A", Stage.SENT)]
    broken = (answer(200, page(listed("B"), more=True)), answer(503, ""))
    with Server(*broken) as server, pytest.raises(ProviderUnreachable):
        list(Sendblue().listing(CASE.account(server.url), *span, 5.0))


# --- groups -----------------------------------------------------------------------------------------------------------

TOGETHER = groups.Group((NUMBER, "+525512345678"))
OF_GROUP = {"message_type": "group", "group_id": "g-1", "participants": [NUMBER, "+5215512345678", LINE]}
"""As its list has a message to them: one of the numbers may be written in another way."""


def test_a_known_group_is_named_by_its_id_and_its_callbacks_come_to_us() -> None:
    with Server(answer(200, message(group_id="g-1"))) as server:
        result = CASE.send(server.url, group=replace(TOGETHER, id="g-1"))
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/send-group-message HTTP/1.1")
    said = json.loads(body)
    assert (said["group_id"], said.get("numbers"), result.group_id) == ("g-1", None, "g-1")
    assert callbacks.token(SECRET, ATTEMPT) in said["status_callback"]


def test_a_callback_names_the_group_and_binds_no_address() -> None:
    (receipt,) = Sendblue().parse(status(status="ERROR", error_key="OPTED_OUT", to_number=NUMBER, **OF_GROUP))
    assert isinstance(receipt, Receipt)
    assert (receipt.group_id, receipt.code, receipt.effect, receipt.address) == (
        "g-1", FailureCode.OPTED_OUT, None, None,
    )  # fmt: skip
    assert NUMBER not in json.dumps(receipt.payload)


@pytest.mark.parametrize(("item", "kind"), [
    (listed("A", **OF_GROUP), LookupKind.FOUND),
    (listed("A", **OF_GROUP | {"participants": [NUMBER]}), LookupKind.CANNOT_KNOW),
    (listed("A", **OF_GROUP | {"participants": None}), LookupKind.CANNOT_KNOW),
    (listed("A", "another", **OF_GROUP), LookupKind.CANNOT_KNOW),
    (listed("A"), LookupKind.CANNOT_KNOW),
])  # fmt: skip
def test_a_lost_message_to_a_group_is_found_or_nobody_knows(item: dict[str, Any], kind: LookupKind) -> None:
    with Server(answer(200, page(item))) as server:
        asked = replace(lookup_request(), to="group:0", group=TOGETHER)
        found = Sendblue().look_up(CASE.account(server.url), asked, 5.0)
    assert found.kind is kind
    line = server.requests[0].splitlines()[0].decode()
    assert "message_type=group" in line and "&number=" not in line


def test_a_message_to_a_group_is_none_to_its_member() -> None:
    found, _ = look(page(listed("A", **OF_GROUP)))
    assert found.kind is LookupKind.ABSENT
