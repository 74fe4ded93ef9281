"""Files, approved templates and how long a message is of use: what requests say of them, how such calls end, and that
the simulators take what is sent and know it again."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import UUID, uuid4

import pytest

from bellhop.domain.channels import Channel
from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Account, LookupKind, LookupRequest, Outgoing, Receipt, Reported, SendKind
from bellhop.domain.failures import FailureCode
from bellhop.domain.statuses import Stage
from bellhop.providers import PACKAGES
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.settings import Settings
from bellhop.sandbox.testing import running
from tests.contract.conformance import PRIVATE_TEXT, Case, Server
from tests.contract.endings import E, play
from tests.contract.handing_over import BYTES, PICTURE, TEMPLATE, Handed, What, at, carried_by, said
from tests.contract.providers import CASES, HANDED, TABLES
from tests.sandbox_accounts import SANDBOX_SECRET

ROWS = [pytest.param(name, row, id=f"{name}-{row}") for name, rows in HANDED.items() for row in rows]
LIMITS = {What.SOON_OVER, What.OVER_AT_ONCE, What.LONG_OF_USE}
UNLIKE = [
    pytest.param(name, row, id=f"{name}-{row}")
    for name, rows in HANDED.items()
    for row in rows
    if row.what not in LIMITS and (row.what, row.channel) != (What.TEXT, min(CASES[name].provider().channels))
]
"""Those that `test_call_endings.py` does not play."""
TELLING = {
    E.REFUSED, E.RESET_AFTER_BODY, E.BODY_CUT, E.BROKEN_BODY, E.STATUS_409, E.STATUS_429_SECONDS, E.STATUS_500,
    E.STATUS_503_OWN, E.STATUS_503_GATEWAY,
}  # fmt: skip
"""Of every way a call can end those that differ in what is known, and take no time."""


@pytest.mark.parametrize("name", HANDED)
def test_everything_that_a_channel_carries_has_a_row(name: str) -> None:
    """Let the channel table carry more, or take a row away, and this names what nobody looks at."""
    rows = {(row.channel, row.what) for row in HANDED[name]}
    assert rows == {(one, what) for one in CASES[name].provider().channels for what in carried_by(one)}
    assert len({str(row) for row in HANDED[name]}) == len(HANDED[name]), "two rows of one name"


@pytest.mark.parametrize(("name", "row"), ROWS)
def test_what_is_handed_over(name: str, row: Handed) -> None:
    case = CASES[name]
    with Server(case.accepted) as server:
        result = case.send(server.url, **row.given)
        (request,) = server.requests
    assert (result.kind, result.provider_id) == (SendKind.ACCEPTED, case.accepted_id)
    fields = said(request)
    assert {place: at(fields, place) for place in row.says} == row.says


@pytest.mark.parametrize(("name", "row"), UNLIKE)
def test_how_such_a_call_ends(name: str, row: Handed) -> None:
    """What is known after it does not depend on what was handed over."""
    ends = [end for end in TABLES[name] if end.ending in TELLING and end.patience > 1]
    assert {end.ending for end in ends} == TELLING
    for end in ends:
        play(CASES[name], end, **row.given)


# --- against the simulators -------------------------------------------------------------------------------------------

QUICK = Settings(
    twilio_sent_after=0.0, twilio_delivered_after=0.0, twilio_read_after=0.0, sendgrid_processed_after=0.0,
    sendgrid_email_activity=True, sendblue_sent_after=0.0, sendblue_delivered_after=0.0,
)  # fmt: skip
KNOWN_FILES = {"twilio": "detail/media_sha256", "sendblue": "detail/media_sha256", "sendgrid": "detail/attachments"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running(settings=QUICK) as url:
        yield url


@pytest.fixture(scope="module")
def lobby(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the picture, as a provider would fetch it."""
    room = tmp_path_factory.mktemp("website")
    (room / "lobby.jpg").write_bytes(BYTES)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(room)))
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/lobby.jpg"
    server.shutdown()
    server.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def default_account(name: str, url: str) -> tuple[Account, str]:
    """The account that every sandbox has, and its sender."""
    (package,) = [one for one in PACKAGES if one.name == name]
    seed = package.seeds(package.settings.of(default_accounts(SANDBOX_SECRET)[name].env))[0]
    return Account(UUID(int=7), name, seed.identity, url, dict(seed.credentials)), seed.address


def outgoing(case: Case, row: Handed, sender: str, lobby: str, **other: Any) -> Outgoing:
    """The row's call, with a picture that is really there and a text of its own."""
    given = {**row.given, **other}
    content: Content = given["content"]
    media = tuple(replace(one, url=lobby) for one in content.media)
    text = f"{content.text} {uuid4()}" if content.text and not content.approved else content.text
    attempt = uuid4()
    return case.outgoing(
        **given | {"attempt_id": attempt, "sender": sender, "content": replace(content, media=media, text=text)},
        callback_url=f"http://127.0.0.1:9/status?attempt={attempt}",
    )


def asked_about(call: Outgoing, since: datetime) -> LookupRequest:
    """As the record asks: see `outcome_resolution._lookup_request`."""
    approved = call.content.approved
    return LookupRequest(
        call.attempt_id, call.to, call.sender, call.content.text, since, frozenset(), call.channel,
        media=tuple(one.url for one in call.content.media), templated=approved is not None,
        values=tuple(approved.variables.values()) if approved else (), group=call.group,
    )  # fmt: skip


def asked_of(url: str, path: str, method: str = "GET", **body: Any) -> Any:
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.loads(answer.read() or b"null")


@pytest.mark.parametrize(("name", "row"), [row for row in ROWS if row.values[1].what not in LIMITS])  # type: ignore[attr-defined]
def test_what_was_lost_is_known_again(sandbox: str, lobby: str, name: str, row: Handed) -> None:
    """The answer is lost: the simulator has it once, with its files, and a look-up says what it can."""
    case, (account, sender) = CASES[name], default_account(name, sandbox)
    adapter, since = case.provider(), datetime.now(UTC)
    asked_of(sandbox, "/_sandbox/messages", "DELETE")
    call = outgoing(case, row, sender, lobby)
    assert adapter.look_up(account, asked_about(call, since), 5.0).kind in (
        LookupKind.ABSENT, LookupKind.CANNOT_KNOW,
    )  # fmt: skip
    asked_of(sandbox, "/_sandbox/faults", "POST", kind="accept_then_reset", provider=name)
    assert adapter.send(account, call).kind is SendKind.UNKNOWN
    (kept,) = asked_of(sandbox, "/_sandbox/messages")["data"]
    ends = time.monotonic() + 20
    found = adapter.look_up(account, asked_about(call, since), 5.0)
    while found.kind is not row.found and time.monotonic() < ends:
        time.sleep(0.05)  # SendGrid's list shows what it has begun to work on
        found = adapter.look_up(account, asked_about(call, since), 5.0)
    assert (found.kind, found.provider_id) == (row.found, kept["id"] if row.found is LookupKind.FOUND else None)
    if call.content.media and name in KNOWN_FILES:
        kept_as = {"twilio": hashlib.sha256(BYTES).hexdigest(), "sendgrid": PICTURE.filename}
        assert at(kept, KNOWN_FILES[name]) == [kept_as.get(name, kept_as["twilio"])]


def test_a_template_is_known_by_what_was_put_into_it(sandbox: str) -> None:
    """Where a value is long enough to tell; the message has no text of ours otherwise."""
    case, (account, sender) = CASES["twilio"], default_account("twilio", sandbox)
    since, long = datetime.now(UTC), f"suite over the garden {uuid4()}"
    approved = replace(TEMPLATE, variables={"1": "Jo", "2": long})
    call = case.outgoing(
        channel=Channel.WHATSAPP, sender=sender, content=Content(text="", approved=approved), attempt_id=uuid4()
    )
    assert case.provider().look_up(account, asked_about(call, since), 5.0).kind is not LookupKind.FOUND
    asked_of(sandbox, "/_sandbox/faults", "POST", kind="accept_then_reset", provider="twilio")
    assert case.provider().send(account, call).kind is SendKind.UNKNOWN
    found = case.provider().look_up(account, asked_about(call, since), 5.0)
    assert found.kind is LookupKind.FOUND
    other = replace(approved, variables={"1": "Jo", "2": f"suite over the garden {uuid4()}"})
    call = replace(call, content=replace(call.content, approved=other))
    assert case.provider().look_up(account, asked_about(call, since), 5.0).kind is LookupKind.CANNOT_KNOW


def ended(case: Case, account: Account, call: Outgoing, *words: str) -> Receipt:
    """What the provider says of a message in the end, asked for."""
    result = case.provider().send(account, call)
    assert result.kind is SendKind.ACCEPTED
    ends = time.monotonic() + 20
    while True:
        reported: Reported = case.provider().report(account, result.provider_id, call.attempt_id, 5.0)
        if reported.receipt is not None and reported.receipt.word in words:
            return reported.receipt
        assert time.monotonic() < ends, reported
        time.sleep(0.02)


@pytest.mark.parametrize("what", [What.TEXT, What.FILE, What.FILE_ALONE, What.TEMPLATE])
def test_whatsapp_refuses_late_what_is_free_outside_of_the_window(sandbox: str, lobby: str, what: What) -> None:
    """Accepted, then failed with 63016; an approved template goes through, and is read."""
    case, (account, sender) = CASES["twilio"], default_account("twilio", sandbox)
    row = next(row for row in HANDED["twilio"] if (row.channel, row.what) == (Channel.WHATSAPP, what))
    call = outgoing(case, row, sender, lobby, to="+13055557001")
    end = ended(case, account, call, "failed", "undelivered", "read")
    if what is What.TEMPLATE:
        assert (end.stage, end.code) == (Stage.READ, None)
        return
    assert (end.stage, end.code, end.provider_code) == (
        Stage.UNDELIVERED, FailureCode.WHATSAPP_TEMPLATE_REQUIRED, "63016",
    )  # fmt: skip
    assert end.effect is None, "it says nothing of the address"
    assert PRIVATE_TEXT not in repr(end) and lobby not in json.dumps(end.payload)
