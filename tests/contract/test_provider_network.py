"""The connections under every provider's SDK: TLS, the lease, what is kept and what is cut, and that nothing leaks."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator

import pytest
import urllib3

from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from bellhop.providers import PACKAGES, lease, lease_http, providers
from bellhop.providers.lease import boottime
from bellhop.providers.lease_http import Call, Http
from tests.contract.conformance import (
    PRIVATE_TEXT,
    SECRET,
    SHORT,
    UNKNOWN,
    Case,
    Server,
    answer,
    drip,
    listening,
    nothing_leaves,
    read_request,
    reset,
    silence,
)
from tests.contract.endings import self_signed
from tests.contract.providers import CASES


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture(autouse=True)
def at_home(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Neither proxies nor accounts of the environment may lead a call anywhere.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("SENDGRID_API_KEY", "SG.of-another-account")
    with nothing_leaves():
        yield


@pytest.mark.parametrize("name", [package.name for package in PACKAGES])
def test_every_provider_is_under_test(name: str) -> None:
    assert name in CASES, f"there is no tests/contract/providers/{name}.py"
    provider = providers()[name]
    assert provider.name == CASES[name].provider().name == name and provider.channels


def test_nothing_else_is_under_test() -> None:
    assert set(CASES) <= set(providers())


def test_accepted(case: Case) -> None:
    with Server(case.accepted) as server:
        result = case.send(server.url)
    assert (result.kind, result.provider_id, result.code) == (SendKind.ACCEPTED, case.accepted_id, None)


def test_an_answer_in_drips_that_ends_in_time_counts(case: Case) -> None:
    slow = drip("HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n", 0.02)
    with Server(slow) as server:
        assert case.send(server.url, timeout=8.0).kind is SendKind.RETRY


@pytest.mark.parametrize("script", ["answer", "silence", "reset"])
def test_over_tls_as_over_plain_text(case: Case, script: str) -> None:
    client = ssl.create_default_context(cafile=self_signed().trusted)  # type: ignore[attr-defined]
    provider = type(case.provider())(case.http(keep=0, tls=client))  # type: ignore[call-arg]
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            peer = self_signed().wrap_socket(listener.accept()[0], server_side=True)
            with peer:
                assert read_request(peer)
                {"answer": case.accepted, "silence": silence, "reset": reset}[script](peer)

        threading.Thread(target=serve, daemon=True).start()
        account = case.account(f"https://127.0.0.1:{listener.getsockname()[1]}")
        result = provider.send(account, case.outgoing(**({"timeout": SHORT} if script == "silence" else {})))
    assert result.kind is (SendKind.ACCEPTED if script == "answer" else UNKNOWN)


# --- the lease -------------------------------------------------------------------------------------------------------


def test_a_lease_that_is_over_sends_nothing(case: Case) -> None:
    with Server(case.accepted) as server:
        result = case.send(server.url, deadline=boottime() - 0.01)
        assert (result.kind, result.text) == (SendKind.RETRY, "LeaseExpired")
        assert server.requests == []


def test_a_lease_that_ends_while_connecting_sends_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lease_http._connect

    def slow(*args: object) -> object:
        connected = real(*args)  # type: ignore[arg-type]
        time.sleep(0.4)
        return connected

    monkeypatch.setattr(lease_http, "_connect", slow)
    with Server(case.accepted) as server:
        result = case.send(server.url, deadline=boottime() + 0.25)
        assert (result.kind, result.text) == (SendKind.RETRY, "LeaseExpired")
        assert server.requests == []


def test_a_lease_that_ends_between_headers_and_body_leaves_it_unknown(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []

    def left(_: float) -> float:
        asked.append(1)
        # Before connecting and before the headers there is time; before the body there is none.
        return 5.0 if len(asked) <= 2 else -1.0

    monkeypatch.setattr(lease, "left", left)
    with Server(case.accepted) as server:
        result = case.send(server.url)
        assert (result.kind, result.text) == (UNKNOWN, "LeaseExpired")
        assert server.requests == [], "the body has left"
    assert len(asked) == 3


def test_a_receiver_that_stops_reading_does_not_hold_the_call(case: Case) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        began = time.monotonic()
        result = case.send(
            f"http://127.0.0.1:{listener.getsockname()[1]}", content=Content(text="x" * 9_000_000), timeout=3.0
        )
    assert result.kind is UNKNOWN
    assert time.monotonic() - began < 8


def test_the_kernel_drops_what_is_not_acknowledged_by_the_deadline(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    option, seen = getattr(socket, "TCP_USER_TIMEOUT", None), []
    if option is None:
        pytest.skip("this system has no TCP_USER_TIMEOUT")
    real, made = lease_http._connect, []

    def connect(*args: object) -> socket.socket:
        made.append(real(*args))  # type: ignore[arg-type]
        return made[-1]

    def act(peer: socket.socket) -> None:
        seen.append(made[0].getsockopt(socket.IPPROTO_TCP, option))
        case.accepted(peer)

    monkeypatch.setattr(lease_http, "_connect", connect)
    with Server(act) as server:
        case.send(server.url, deadline=boottime() + 4)
    assert 1_000 < seen[0] <= 4_000


def test_a_request_outside_of_a_call_is_refused() -> None:
    with Server(answer(200)) as server:
        with pytest.raises(RuntimeError, match="outside of a Call"):
            Http(keep=0).request("GET", server.url, {}, None)
        assert server.requests == []


# --- connections -----------------------------------------------------------------------------------------------------


def test_connections_are_kept_only_while_they_are_fresh() -> None:
    ports: list[int] = []

    def act(peer: socket.socket) -> None:
        ports.append(peer.getpeername()[1])
        answer(200, "ok")(peer)

    with Server(act) as server:
        http = Http(keep=2.0)
        for pause in (0.0, 0.0, 2.2):
            time.sleep(pause)
            with Call(timeout=5):
                assert http.request("GET", server.url, {}, None).text == "ok"
        assert ports[0] == ports[1] != ports[2]
        http = Http(keep=0)
        for _ in range(2):
            with Call(timeout=5):
                http.request("GET", server.url, {}, None)
        assert len(set(ports)) == 4
        assert b"connection: close" in server.requests[-1].lower()


def test_a_kept_connection_that_was_closed_meanwhile_is_not_used() -> None:
    closed = threading.Event()

    def act(peer: socket.socket) -> None:
        answer(200, "ok")(peer)
        peer.shutdown(socket.SHUT_RDWR)
        closed.set()

    with Server(act) as server:
        http = Http(keep=10)
        for _ in range(3):
            with Call(timeout=5) as call:
                http.request("POST", server.url, {}, b"x")
            assert call.wrote
            assert closed.wait(10)
            closed.clear()
            time.sleep(0.05)


@pytest.mark.parametrize("word", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"], ids=["mute", "answered"])
def test_a_connection_closed_before_a_byte_was_written(monkeypatch: pytest.MonkeyPatch, word: bytes) -> None:
    """The kernel takes nothing, so nothing has left; an answer that is there already is none to our request."""
    ours, theirs = socket.socketpair()
    theirs.sendall(word)
    theirs.close()
    monkeypatch.setattr(lease_http, "_connect", lambda *_: ours)
    with Call(timeout=5) as call, pytest.raises((OSError, urllib3.exceptions.HTTPError)) as caught:
        Http(keep=0).request("POST", "http://provider.example/", {}, b"body")
    assert not call.wrote
    assert lease_http.classify(call, caught.value) is SendKind.RETRY


def test_an_endless_answer_is_cut_off() -> None:
    def act(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(b"x" * 100_000)

    with Server(act) as server, Call(timeout=5) as call, pytest.raises(ValueError, match="longer"):
        Http(keep=0).request("GET", server.url, {}, None)
    assert call.wrote


# --- nothing leaks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["accepted", "echo", "reset", "refused"])
def test_no_address_text_or_secret_reaches_a_log_or_a_repr(case: Case, act: str) -> None:
    echo = answer(400, f'{{"code":21211,"message":"{case.to}","errors":[{{"message":"{case.to} {PRIVATE_TEXT}"}}]}}')
    acts = {"accepted": case.accepted, "echo": echo, "reset": reset, "refused": reset}
    with Server(acts[act]) as server, listening() as ears:
        url = "http://127.0.0.1:1" if act == "refused" else server.url
        account, outgoing = case.account(url), case.outgoing()
        result = case.provider().send(account, outgoing)
        bad = case.outgoing(content=Content(text="half a pair \ud800"))
        assert case.provider().send(account, bad) is not None
    said = "\n".join([*ears.received, repr(result), repr(account), repr(outgoing)])
    for private in (case.to, PRIVATE_TEXT, SECRET, "4471", *case.credentials.values()):
        assert private not in said
    assert result.code is not FailureCode.OPTED_OUT
