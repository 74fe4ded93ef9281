"""Apple Push Notification service: requests, tokens, and what each of its reasons means; against the simulator, too."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from h2.errors import ErrorCodes

from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Account, CallbackRequest, CannotList, LookupKind, LookupRequest, SendKind
from bellhop.domain.devices import DeviceEnvironment, DeviceKind, DeviceVerdict, Target
from bellhop.domain.failures import FailureCode
from bellhop.domain.media import Media
from bellhop.providers.apns import PACKAGE, adapter
from bellhop.providers.apns.adapter import TOKEN_LIFE, Apns
from bellhop.providers.apns.codes import REASONS
from bellhop.providers.apns.settings import DEVELOPMENT, PRODUCTION, pem
from bellhop.sandbox import authority
from bellhop.sandbox.magic import hexadecimal
from bellhop.sandbox.providers import default_accounts
from bellhop.sandbox.providers.apns import accounts, scenarios
from bellhop.sandbox.testing import running
from tests.contract import h2_peer
from tests.contract.conformance import ATTEMPT, MESSAGE, REFUSED, RETRY, UNKNOWN, Act, Server, answer
from tests.contract.providers.apns import CASE, refused, said
from tests.sandbox_accounts import SANDBOX_SECRET


@pytest.mark.parametrize(("status", "reason"), REASONS)
def test_each_reason(status: int, reason: str) -> None:
    verdict = REASONS[status, reason]
    with Server(refused(status, reason)) as server:
        result = CASE.send(server.url)
    assert (result.kind, result.code, result.provider_code) == (verdict.kind, verdict.failure, reason)
    assert (result.device, result.retry_after) == (verdict.device, verdict.pause)


def test_only_these_take_a_device_away() -> None:
    taken = {reason: verdict.device for (_, reason), verdict in REASONS.items() if verdict.device}
    gone, misfit = DeviceVerdict.GONE, DeviceVerdict.MISFIT
    assert taken == {
        "Unregistered": gone, "ExpiredToken": gone, "BadDeviceToken": misfit, "DeviceTokenNotForTopic": misfit,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, REFUSED),
        (403, SendKind.ACCOUNT),
        (410, REFUSED),
        (429, RETRY),
        (500, UNKNOWN),
        (503, UNKNOWN),
        (599, UNKNOWN),
    ],
)
@pytest.mark.parametrize("body", [said("SomethingNew"), said(""), "[]", '{"reason": 7}', ""])
def test_an_unknown_reason_is_read_by_its_status(status: int, kind: SendKind, body: str) -> None:
    with Server(answer(status, body)) as server:
        result = CASE.send(server.url)
    assert (result.kind, result.device) == (kind, None)


@pytest.mark.parametrize(
    ("stamp", "since"),
    [
        (1_763_640_000_123, datetime(2025, 11, 20, 12, 0, 0, 123_000, UTC)),
        (None, None), ("soon", None), (True, None), (10**30, None),
    ],
)  # fmt: skip
def test_since_when_a_token_is_gone_is_in_milliseconds(stamp: Any, since: datetime | None) -> None:
    with Server(answer(410, said("Unregistered", timestamp=stamp))) as server:
        result = CASE.send(server.url)
    assert (result.device, result.device_since) == (DeviceVerdict.GONE, since)


def asked(**other: Any) -> tuple[dict[str, str], dict[str, Any], str]:
    """Headers, body and first line of a request."""
    with Server(CASE.accepted) as server:
        CASE.send(server.url, **other)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return dict(line.split(": ", 1) for line in lines), json.loads(body), first


def test_what_a_request_says() -> None:
    headers, body, first = asked(valid_for=90.0, receipt_token="t0ken", sender_name="Grand Sunset")
    assert first == f"POST /3/device/{CASE.to} HTTP/2"
    assert (headers["apns-id"], headers["apns-collapse-id"]) == (str(ATTEMPT), str(MESSAGE))
    assert (headers["apns-topic"], headers["apns-push-type"], headers["apns-priority"]) == (CASE.sender, "alert", "10")
    assert 80 < int(headers["apns-expiration"]) - time.time() < 95
    assert body == {
        "message_id": str(MESSAGE),
        "receipt_token": "t0ken",
        "aps": {"alert": {"title": "Your stay", "body": CASE.text}, "sound": "default", "mutable-content": 1},
    }


def test_a_picture_is_fetched_by_the_apps_own_extension() -> None:
    picture = Media(url="https://x.example/m/t/p.jpg", content_type="image/jpeg", filename="p.jpg", size=7)
    _, body, _ = asked(content=Content(text="The pool is open.", media=(picture,)))
    assert body["media_url"] == picture.url and body["aps"]["mutable-content"] == 1


def test_a_devices_own_app_is_its_topic_and_its_environment_its_place() -> None:
    device = Target(token=CASE.to, kind=DeviceKind.APNS, environment=DeviceEnvironment.SANDBOX, bundle_id="com.other")
    headers, _, _ = asked(device=device)
    assert headers["apns-topic"] == "com.other" and "apns-expiration" not in headers
    outgoing = CASE.outgoing(device=device)
    live = replace(outgoing, device=replace(device, environment=DeviceEnvironment.PRODUCTION))
    account = CASE.account(PRODUCTION)
    trusting = replace(account, credentials={"ca": "an authority"})
    for one in (account, trusting):
        # Apple's own addresses are never checked by an authority of somebody's own.
        assert adapter._place(one, outgoing) == (DEVELOPMENT, None)
        assert adapter._place(one, live) == (PRODUCTION, None)
    assert adapter._place(CASE.account("http://proxy"), outgoing) == ("http://proxy", None)
    assert adapter._place(replace(trusting, base_url="http://proxy/"), outgoing) == ("https://proxy", "an authority")


def test_a_token_is_of_its_span_and_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    key = load_pem_private_key(CASE.credentials["private_key"].encode(), None)
    apns = Apns()
    first = apns._bearer(CASE.identity, CASE.credentials)
    claims = jwt.decode(first, key.public_key(), algorithms=["ES256"])  # type: ignore[arg-type]
    assert claims == {"iss": CASE.credentials["team_id"], "iat": int(time.time()) // TOKEN_LIFE * TOKEN_LIFE}
    assert jwt.get_unverified_header(first) == {"alg": "ES256", "kid": CASE.identity, "typ": "JWT"}
    assert apns._bearer(CASE.identity, CASE.credentials) == first
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + TOKEN_LIFE)
    assert apns._bearer(CASE.identity, CASE.credentials) != first


@pytest.mark.parametrize("token", ["", "abc", "00/../11", "dGhl:APA91b", "00 11"])
def test_what_is_no_token_is_never_a_path(token: str) -> None:
    with Server(CASE.accepted) as server:
        result = CASE.send(server.url, to=token)
        assert (result.kind, result.code, server.requests) == (REFUSED, FailureCode.ADDRESS_INVALID, [])


@pytest.mark.parametrize("key", ["", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_the_accounts_fault(key: str) -> None:
    account = replace(CASE.account("http://127.0.0.1:1"), credentials={"team_id": "x", "private_key": key})
    assert Apns().send(account, CASE.outgoing()).kind is SendKind.ACCOUNT


def test_a_key_is_read_however_it_was_pasted() -> None:
    text = accounts.p8(accounts.private_key("a secret", "a case"))
    assert pem(text) == pem(pem(text)) == pem(pem(text).replace("\n", "\\n"))
    with pytest.raises(ValueError, match="APNS_KEY is not"):
        pem("no key")


# --- what a connection says -------------------------------------------------------------------------------------------


def framed(do: Callable[[Any, int], None]) -> Act:
    """What the server's side of HTTP/2 does instead of answering."""

    def act(sock: socket.socket) -> None:
        peer = h2_peer.peer_of(sock)
        assert peer is not None
        do(peer.framing, peer.stream)
        peer.flush()

    return act


def goaway(last: int, word: bytes = b"") -> Act:
    return framed(lambda framing, _: framing.close_connection(last_stream_id=last, additional_data=word or None))


def reset_as(code: ErrorCodes) -> Act:
    return framed(lambda framing, stream: framing.reset_stream(stream, code))


def graceful(sock: socket.socket) -> None:
    """Says that it takes no further request, and answers this one."""
    peer = h2_peer.peer_of(sock)
    assert peer is not None
    answered = peer.frames(f"HTTP/1.1 200 OK\r\napns-id: {ATTEMPT}\r\nContent-Length: 0\r\n\r\n")
    peer.framing.close_connection(last_stream_id=peer.stream)
    peer.flush()
    sock.sendall(answered or b"")


@pytest.mark.parametrize(
    ("act", "kind", "word"),
    [
        (goaway(0), RETRY, None),
        (goaway(0, b'{"reason": "BadCertificate"}'), SendKind.ACCOUNT, "BadCertificate"),
        (goaway(0, b"\xff["), RETRY, None),
        (reset_as(ErrorCodes.REFUSED_STREAM), RETRY, None),
        (reset_as(ErrorCodes.INTERNAL_ERROR), UNKNOWN, None),
        (reset_as(ErrorCodes.CANCEL), UNKNOWN, None),
        (graceful, SendKind.ACCEPTED, None),
    ],
)  # fmt: skip
def test_what_was_surely_not_processed_may_go_again(act: Act, kind: SendKind, word: str | None) -> None:
    with Server(act) as server:
        result = CASE.send(server.url)
    assert (result.kind, result.provider_code) == (kind, word)


def test_a_goaway_that_names_our_request_leaves_it_unknown() -> None:
    def act(sock: socket.socket) -> None:
        goaway(1)(sock)
        sock.shutdown(socket.SHUT_RDWR)

    with Server(act) as server:
        assert CASE.send(server.url).kind is UNKNOWN


def test_a_connection_is_kept_for_its_key_alone() -> None:
    ports: list[int] = []

    def act(sock: socket.socket) -> None:
        ports.append(sock.getpeername()[1])
        CASE.accepted(sock)

    apns = Apns()
    with Server(act) as server:
        account = CASE.account(server.url)
        for one in (account, account, replace(account, identity="ANOTHERKEY")):
            assert apns.send(one, CASE.outgoing()).kind is SendKind.ACCEPTED
    assert ports[0] == ports[1] != ports[2]


def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    def act(sock: socket.socket) -> None:
        CASE.accepted(sock)
        goaway(1)(sock)

    apns = Apns()
    with Server(act) as server:
        for _ in range(3):
            assert apns.send(CASE.account(server.url), CASE.outgoing()).kind is SendKind.ACCEPTED
            time.sleep(0.05)


# --- nobody can be asked, nobody calls --------------------------------------------------------------------------------


def test_apple_cannot_be_asked_and_calls_nobody() -> None:
    apns, account, at = PACKAGE.provider(), CASE.account("http://127.0.0.1:1"), datetime.now(UTC)
    request = LookupRequest(ATTEMPT, CASE.to, CASE.sender, "", at, frozenset(), min(apns.channels))
    assert apns.look_up(account, request, 1.0).kind is LookupKind.CANNOT_KNOW
    assert apns.report(account, None, ATTEMPT, 1.0).kind is LookupKind.CANNOT_KNOW
    with pytest.raises(CannotList):
        next(iter(apns.listing(account, at, at, 1.0)))
    with pytest.raises(CannotList):
        next(iter(apns.received(account, [], at, 1.0)))
    callback = CallbackRequest("", "status", {}, {}, b"{}")
    assert not apns.verify(account, callback)
    with pytest.raises(ValueError, match="calls no address"):
        apns.parse(callback)


# --- against the simulator --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running() as url:
        yield url


def sandbox_account(url: str, **credentials: str) -> Account:
    env = default_accounts(SANDBOX_SECRET)["apns"].env
    (seed,) = PACKAGE.seeds(PACKAGE.settings.of(env))
    own = dict(seed.credentials)
    return Account(UUID(int=7), "apns", env["APNS_KEY_ID"], url, {**own, **credentials})


@pytest.mark.parametrize("number", scenarios.REASONS)
def test_the_simulators_reasons_are_apples(sandbox: str, number: int) -> None:
    row = next(row for row in scenarios.MAGIC.own if row.refused == number)
    result = Apns().send(sandbox_account(sandbox), CASE.outgoing(to=row.address))
    verdict = REASONS[scenarios.REASONS[number]]
    assert (result.kind, result.device) == (verdict.kind, verdict.device)
    if verdict.device is DeviceVerdict.GONE:
        assert result.device_since is not None
        assert abs(result.device_since.timestamp() - time.time()) < 60


def test_the_simulator_takes_a_notification_and_checks_who_sends_it(sandbox: str) -> None:
    apns, attempt = Apns(), uuid4()
    result = apns.send(sandbox_account(sandbox), CASE.outgoing(attempt_id=attempt))
    assert (result.kind, result.provider_id) == (SendKind.ACCEPTED, str(attempt))
    stranger = sandbox_account(sandbox, private_key=CASE.credentials["private_key"])
    assert Apns().send(stranger, CASE.outgoing()).provider_code == "InvalidProviderToken"
    other = sandbox_account(sandbox, team_id="OTHERTEAM1")
    assert Apns().send(other, CASE.outgoing()).provider_code == "InvalidProviderToken"
    large = CASE.outgoing(content=Content(text="x" * 5_000))
    assert apns.send(sandbox_account(sandbox), large).provider_code == "PayloadTooLarge"


@pytest.mark.parametrize(
    ("word", "kind"),
    [("unavailable", UNKNOWN), ("rate-limit", RETRY), ("reset", UNKNOWN), ("hang", UNKNOWN), ("accept-reset", UNKNOWN),
     ("accept-hang", UNKNOWN), ("accept-error", UNKNOWN)],
)  # fmt: skip
def test_the_simulators_faults(sandbox: str, word: str, kind: SendKind) -> None:
    outgoing = CASE.outgoing(to=hexadecimal(f"sandbox:{word}"), timeout=1.0)
    assert Apns().send(sandbox_account(sandbox), outgoing).kind is kind


# --- TLS, with the authority that an installation and its sandbox share ----------------------------------------------


def said_by_tls(url: str, ca: str, protocols: list[str], host: str = "localhost") -> str | None:
    """The protocol that the sandbox agrees to. Raises SSLError where it does not vouch for itself as expected."""
    context = ssl.create_default_context(cadata=ca)
    context.set_alpn_protocols(protocols)
    plain = socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), 5)
    with plain, context.wrap_socket(plain, server_hostname=host) as tls:
        return tls.selected_alpn_protocol()


def test_the_simulator_speaks_http2_by_alpn_and_vouches_for_its_names(sandbox: str) -> None:
    ca = authority.certificate(SANDBOX_SECRET)
    assert sandbox_account(sandbox).credentials["ca"] == ca
    assert all(said_by_tls(sandbox, ca, ["h2", "http/1.1"], host) == "h2" for host in ("localhost", "127.0.0.1"))
    assert said_by_tls(sandbox, ca, ["http/1.1"]) is None
    for other, host in ((authority.certificate("o" * 32), "localhost"), (ca, "api.push.apple.com")):
        with pytest.raises(ssl.SSLCertVerificationError):
            said_by_tls(sandbox, other, ["h2"], host)


def test_whom_its_authority_does_not_vouch_for_is_sent_nothing(sandbox: str) -> None:
    account = sandbox_account(sandbox, ca=authority.certificate("o" * 32))
    result = Apns().send(account, CASE.outgoing())
    assert (result.kind, result.code) == (RETRY, FailureCode.PROVIDER_ERROR)
    assert Apns().send(sandbox_account(sandbox.replace("127.0.0.1", "localhost")), CASE.outgoing()).kind is (
        SendKind.ACCEPTED
    )


@pytest.mark.parametrize("ca", ["no certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"])
def test_an_authority_that_is_none_is_refused_where_it_is_set(ca: str) -> None:
    with pytest.raises(ValueError, match="APNS_CA is not a certificate"):
        PACKAGE.seeds(PACKAGE.settings.of(default_accounts(SANDBOX_SECRET)["apns"].env | {"APNS_CA": ca}))
