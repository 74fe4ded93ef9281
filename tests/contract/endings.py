"""Every way a provider call can end, by name, and the stages on which each is played with real sockets.

The tables of verdicts are in `providers/`, one module for each provider; `NETWORK` is the same for all of them.
"""

from __future__ import annotations

import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import Enum
from functools import cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from unittest import mock

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bellhop.domain.delivery_ports import SendKind
from bellhop.domain.failures import FailureCode
from tests.contract.conformance import SHORT, Act, Case, Server, answer, deaf, drip, reset, silence


class Ending(Enum):
    """The ways a call can end. A table without a row for one of them fails its test."""

    REFUSED = "the connection is refused"
    DNS = "the name does not resolve"
    TLS = "TLS fails"
    CONNECT_TIMEOUT = "connecting runs into its time-out"
    READ_TIMEOUT = "no answer comes in time"
    RESET_BEFORE_BODY = "the connection is reset before the body was written"
    RESET_AFTER_BODY = "the connection is reset after the body"
    HEADERS_CUT = "half an answer: its headers end early"
    BODY_CUT = "half an answer: its body ends early"
    BROKEN_BODY = "2xx with a broken body"
    UNEXPECTED_BODY = "2xx with a body that is not the provider's"
    REDIRECT = "a redirect"
    STATUS_408 = "408"
    STATUS_409 = "409"
    STATUS_429 = "429 without Retry-After"
    STATUS_429_SECONDS = "429 with Retry-After in seconds"
    STATUS_429_DATE = "429 with Retry-After as a date"
    STATUS_500 = "500"
    STATUS_502 = "502"
    STATUS_503_OWN = "503 in the provider's own words"
    STATUS_503_GATEWAY = "503 of a gateway"
    STATUS_504 = "504"


Stage = Callable[[], AbstractContextManager[str]]
"""Yields the base URL that a call is made to."""


@dataclass(frozen=True)
class End:
    """One row: how a call ends, and what has to be known afterwards. `on` is the stage, or what a server does."""

    ending: Ending
    on: Stage | Act
    kind: SendKind
    code: FailureCode
    retry_after: float | None = None
    detail: str = ""
    patience: float = 8.0
    """Seconds the call gets; `SHORT` where it never ends by itself."""
    large: bool = False
    """The text is too long for the buffers of both sides."""

    def __str__(self) -> str:
        return f"{self.ending.name.lower()}{f' ({self.detail})' if self.detail else ''}"


def play(case: Case, end: End, **given: Any) -> None:
    """Make the call once on its stage, and hold what is known against the row: at most one request, in time. `given`:
    of the call, beside what the case says."""
    staged = getattr(end.on, "staged", False)
    server = None if staged else Server(end.on)  # type: ignore[arg-type]
    with server or end.on() as place:  # type: ignore[call-arg,union-attr]
        url = server.url if server else str(place)
        text = "x" * 12_000_000 if end.large else case.text
        began = time.monotonic()
        result = case.send(url, timeout=end.patience, text=text, **given)
        took = time.monotonic() - began
        if server:
            time.sleep(0.02)
            assert len(server.requests) == 1, "not exactly one request"
    assert took < end.patience + 3, "the call outlasted its time"
    assert (result.kind, result.code) == (end.kind, end.code), result
    if end.retry_after is None:
        assert result.retry_after is None, result
    else:
        assert result.retry_after is not None and abs(result.retry_after - end.retry_after) < 2.5, result


def stage(make: Callable[[], Iterator[str]]) -> Stage:
    """Mark what yields a URL."""
    made = contextmanager(make)
    made.staged = True  # type: ignore[attr-defined]
    return made


# --- before anything left ---------------------------------------------------------------------------------------------


@stage
def closed_port() -> Iterator[str]:
    """A port at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"http://127.0.0.1:{port}"


@stage
def no_such_name() -> Iterator[str]:
    """A name that cannot be (RFC 6761)."""
    yield "http://nowhere.invalid"


@stage
def slow_resolver() -> Iterator[str]:
    """A resolver that takes longer than the call may."""
    with mock.patch("socket.getaddrinfo", side_effect=lambda *_, **__: time.sleep(4)):
        yield "http://slow.example"


@stage
def full_queue() -> Iterator[str]:
    """A port that accepts no further connection."""
    with deaf() as url:
        yield url


def tls_peer(act: Act) -> Stage:
    """A server that does something else than a TLS handshake."""

    @stage
    def of() -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                try:
                    peer, _ = listener.accept()
                    with peer:
                        peer.recv(65_536)
                        act(peer)
                except OSError:
                    return

            threading.Thread(target=serve, daemon=True).start()
            yield f"https://127.0.0.1:{listener.getsockname()[1]}"

    return of


@cache
def self_signed() -> ssl.SSLContext:
    """The context of a server with a certificate that nobody vouches for; `trusted` is its file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = Path(tempfile.mkdtemp()) / "pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    context.set_alpn_protocols(["h2", "http/1.1"])
    context.trusted = str(pem)  # type: ignore[attr-defined]
    return context


@stage
def unknown_authority() -> Iterator[str]:
    """A certificate that nobody vouches for."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            try:
                peer, _ = listener.accept()
                with peer:
                    self_signed().wrap_socket(peer, server_side=True)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


# --- after something left ---------------------------------------------------------------------------------------------


@stage
def torn_off() -> Iterator[str]:
    """Reads the headers, and resets the connection while the body is still being written."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve() -> None:
            try:
                peer, _ = listener.accept()
                with peer:
                    got = b""
                    while b"\r\n\r\n" not in got and (more := peer.recv(4096)):
                        got += more
                    reset(peer)
            except OSError:
                return

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def ends_in(data: str, last: Act | None = None) -> Act:
    """Sends `data` and closes, by FIN or as `last` does."""

    def act(peer: socket.socket) -> None:
        peer.sendall(data.encode())
        if last is not None:
            time.sleep(0.05)  # a reset overtakes what has not been read yet
            last(peer)
        peer.shutdown(socket.SHUT_RDWR) if last is None else peer.close()

    return act


def until_a_date(seconds: float, status: int, body: str) -> Act:
    """An answer whose Retry-After is a date so far from the moment it is given."""

    def act(peer: socket.socket) -> None:
        when = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        answer(status, body, Retry_After=when)(peer)

    return act


def elsewhere(status: int) -> Act:
    """A redirect to the same server: whoever follows it makes a second request there."""
    return answer(status, "", Location="/elsewhere")


MAYBE = (SendKind.UNKNOWN, FailureCode.OUTCOME_UNKNOWN)
"""It may have been accepted."""
LATER = (SendKind.RETRY, FailureCode.PROVIDER_ERROR)
"""It has surely not been."""
TOO_MANY = (SendKind.RETRY, FailureCode.LIMIT_REACHED)
ACCOUNT = (SendKind.ACCOUNT, FailureCode.CONFIGURATION)
E = Ending

NETWORK: tuple[End, ...] = (
    # What a network does, and what a gateway before the provider answers: for every provider the same.
    End(E.REFUSED, closed_port, *LATER),
    End(E.DNS, no_such_name, *LATER),
    End(E.DNS, slow_resolver, *LATER, detail="a resolver that hangs", patience=SHORT),
    End(E.TLS, tls_peer(silence), *LATER, detail="silence", patience=SHORT),
    End(E.TLS, tls_peer(reset), *LATER, detail="reset"),
    End(E.TLS, tls_peer(answer(200)), *LATER, detail="plain text"),
    End(E.TLS, unknown_authority, *LATER, detail="a certificate nobody vouches for"),
    End(E.CONNECT_TIMEOUT, full_queue, *LATER, patience=SHORT),
    End(E.READ_TIMEOUT, silence, *MAYBE, patience=SHORT),
    End(E.READ_TIMEOUT, drip("HTTP/1.1 202 A\r\nX: 0123456789\r\n\r\n", 0.2), *MAYBE, detail="dripping headers",
        patience=SHORT),
    End(E.READ_TIMEOUT, drip("x" * 50, 0.2, at_once="HTTP/1.1 202 A\r\nContent-Length: 50\r\n\r\n"), *MAYBE,
        detail="dripping body", patience=SHORT),
    End(E.READ_TIMEOUT, answer(503, '{"errors":', Content_Length="200"), *MAYBE, detail="body that stops",
        patience=SHORT),
    # Not RETRY, though a whole request cannot have arrived: a server may act on what it has got of one.
    End(E.RESET_BEFORE_BODY, torn_off, *MAYBE, large=True),
    End(E.RESET_AFTER_BODY, reset, *MAYBE),
    End(E.RESET_AFTER_BODY, ends_in(""), *MAYBE, detail="closed"),
    End(E.HEADERS_CUT, ends_in("HTTP/1.1 20"), *MAYBE, detail="in the status line"),
    End(E.HEADERS_CUT, ends_in("HTTP/1.1 429 X\r\nRetry-Af", reset), *MAYBE, detail="reset in a header"),
    End(E.HEADERS_CUT, ends_in("220 mail.example ESMTP\r\n"), *MAYBE, detail="another protocol"),
    End(E.BODY_CUT, ends_in('HTTP/1.1 201 C\r\nContent-Length: 90\r\n\r\n{"sid": "SM'), *MAYBE, detail="2xx"),
    End(E.BODY_CUT, ends_in('HTTP/1.1 400 B\r\nContent-Length: 90\r\n\r\n{"errors": ['), *MAYBE, detail="4xx"),
    End(E.BODY_CUT, ends_in("HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", reset), *MAYBE,
        detail="in a chunk"),
    End(E.UNEXPECTED_BODY, answer(200, "<html>Welcome to our Wi-Fi</html>"), *MAYBE, detail="page of a portal"),
    # 301, 307 and 308 say that the API is elsewhere, so nothing was done here; 302 and 303 may follow upon a deed.
    End(E.REDIRECT, elsewhere(301), *ACCOUNT, detail="301"),
    End(E.REDIRECT, elsewhere(302), *MAYBE, detail="302"),
    End(E.REDIRECT, elsewhere(303), *MAYBE, detail="303"),
    End(E.REDIRECT, elsewhere(307), *ACCOUNT, detail="307"),
    End(E.REDIRECT, elsewhere(308), *ACCOUNT, detail="308"),
    End(E.STATUS_408, answer(408, "<html>Request Timeout</html>"), *MAYBE, detail="a gateway's"),
    End(E.STATUS_409, answer(409, "<html>Conflict</html>"), *MAYBE, detail="a gateway's"),
    End(E.STATUS_429, answer(429, "slow down"), *TOO_MANY, detail="a gateway's"),
    End(E.STATUS_429_SECONDS, answer(429, "slow down", Retry_After="9"), *TOO_MANY, 9.0, detail="a gateway's"),
    End(E.STATUS_500, answer(500, "oops"), *MAYBE, detail="a gateway's"),
    End(E.STATUS_502, answer(502, "<html>Bad Gateway</html>"), *MAYBE, detail="a gateway's"),
    End(E.STATUS_503_GATEWAY, answer(503, "<html>Service Unavailable</html>"), *MAYBE),
    End(E.STATUS_503_GATEWAY, answer(503, "", Retry_After="5"), *MAYBE, detail="with Retry-After"),
    End(E.STATUS_504, answer(504, ""), *MAYBE, detail="a gateway's"),
)  # fmt: skip
