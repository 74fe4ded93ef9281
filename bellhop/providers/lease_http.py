"""The HTTP under every provider SDK: no write after the lease, no call past its time, and knowledge of what left.

Retries, redirects and proxies of the environment are left out on purpose: each of them can make two copies of one
message, or carry it to somebody else. A request runs inside a `Call`, which the SDKs need not know of:

    with Call(deadline=..., timeout=...) as call:
        try: sdk.send(...)
        except Exception as error: return failure(call, error)
"""

from __future__ import annotations

import io
import ipaddress
import logging
import math
import socket
import ssl
import threading
from collections.abc import Iterable, Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from functools import cache, cached_property
from http.client import HTTPResponse
from typing import Any, Self, cast

import certifi
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from bellhop.domain.delivery_ports import SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.providers import call_marks, lease
from bellhop.providers.lease import LeaseExpired

CHUNK = 16_384
"""Most bytes between two looks at the lease; one TLS record."""
LONGEST_ANSWER = 4 * 1024 * 1024
_USER_TIMEOUT: int | None = getattr(socket, "TCP_USER_TIMEOUT", None)

CHATTY = ("urllib3.connection", "urllib3.connectionpool", "urllib3.response", "urllib3.util.retry")
"""They log URLs with numbers in them, at DEBUG. What the SDKs add is in each provider's package."""


class CallTimedOut(TimeoutError):
    """The call took longer than it may, all in all."""


@dataclass(slots=True)
class Call:
    """One provider call of this thread: its limits and what became of it. A context manager; not nested."""

    timeout: float
    """Seconds for everything: resolving, connecting, writing, and reading the last byte of the answer."""
    deadline: float = math.inf
    """CLOCK_BOOTTIME seconds after which nothing may be written; for a question that changes nothing, infinite."""
    wrote: bool = False
    """True once a byte of the request was, or may have been, handed to the kernel."""
    answer: Answer | None = None
    """The last complete answer."""
    _ends: float = 0.0
    _token: Token[Call | None] | None = None

    def __enter__(self) -> Self:
        self._ends = lease.boottime() + self.timeout
        self._token = _CURRENT.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            _CURRENT.reset(self._token)

    def time_left(self) -> float:
        """Seconds until the call has to be over. Raises CallTimedOut when it should be by now."""
        remaining = self._ends - lease.boottime()
        if remaining <= 0:
            raise CallTimedOut
        return remaining

    def lease_left(self) -> float:
        """Seconds in which a write may still begin. Raises LeaseExpired when there are none."""
        remaining = lease.left(self.deadline)
        if remaining <= 0:
            raise LeaseExpired
        return remaining


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @cached_property
    def text(self) -> str:
        """The body as text; what is not UTF-8 becomes a replacement character."""
        return self.body.decode("utf-8", "replace")


_CURRENT: ContextVar[Call | None] = ContextVar("bellhop_call", default=None)


def current() -> Call:
    """The call that this thread makes. Raises RuntimeError outside of one."""
    call = _CURRENT.get()
    if call is None:
        raise RuntimeError("a provider request outside of a Call: nothing would guard its lease")
    return call


def _quiet_during_a_call(_: logging.LogRecord) -> bool:
    return _CURRENT.get() is None


def quiet_during_calls(loggers: Iterable[str]) -> None:
    """These say nothing while a call is made. A filter, not a level: no later logging configuration lets them speak."""
    for name in loggers:
        logging.getLogger(name).addFilter(_quiet_during_a_call)


quiet_during_calls(CHATTY)


def classify(call: Call, error: Exception) -> SendKind:
    """What is known about a call that ended in `error` and not in an answer. The one place that decides it."""
    if call.wrote:
        # Time-out, reset, or the lease's end between headers and body: the provider may have it.
        return SendKind.UNKNOWN
    # Refused, unresolved, TLS, connect time-out, lease: it surely did not leave, and another time it may. A text that
    # cannot be put in UTF-8 (half a surrogate pair) never will.
    return SendKind.REFUSED if isinstance(error, UnicodeEncodeError) else SendKind.RETRY


_CODES = {
    SendKind.UNKNOWN: FailureCode.OUTCOME_UNKNOWN,
    SendKind.REFUSED: FailureCode.CONTENT_REFUSED,
    SendKind.RETRY: FailureCode.PROVIDER_ERROR,
}


def failure(call: Call, error: Exception) -> SendResult:
    """The result of a call that ended in `error`. Its text is the kind of error, never its words."""
    kind = classify(call, error)
    return SendResult(kind, code=_CODES[kind], text=type(_root(error)).__name__)


def _root(error: BaseException) -> BaseException:
    """The error at the bottom of what urllib3 wrapped around it."""
    for _ in range(8):
        inner = getattr(error, "reason", None), *error.args, error.__cause__
        below = next((one for one in inner if isinstance(one, BaseException)), None)
        if below is None:
            break
        error = below
    return error


# --- connections ------------------------------------------------------------------------------------------------------


class _TimedReader(io.RawIOBase):
    """A socket's reading end that knows how long the whole call may take: a slow drip can't outlast it."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(current().time_left())
        return cast("int | None", self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        # fp is a BufferedReader over SocketIO; detaching it keeps the socket's reference count right.
        self.fp = io.BufferedReader(_TimedReader(cast(Any, self.fp).detach(), sock))


class _Guard(HTTPConnection):
    """What a plain and a TLS connection have in common here."""

    response_class = _TimedResponse
    last_used = 0.0

    def _new_conn(self) -> socket.socket:
        call = current()
        call.lease_left()
        sock = _connect(call, self._dns_host, self.port or self.default_port)
        # The TLS handshake that may follow gets what is left, as a whole.
        sock.settimeout(call.time_left())
        return sock

    def send(self, data: Any) -> None:
        """Write `data`, looking at the lease before each chunk. http.client calls it for headers and body apart."""
        call = current()
        if self.sock is None:
            self.connect()
        write(call, cast(socket.socket, self.sock), data)
        self.last_used = lease.boottime()


def write(call: Call, sock: socket.socket, data: Any) -> None:
    """Write `data`, looking at the lease before each chunk."""
    view = memoryview(data).cast("B")
    while view:
        seconds = call.lease_left()
        sock.settimeout(min(call.time_left(), seconds))
        if _USER_TIMEOUT is not None and math.isfinite(seconds):
            # What the peer has not acknowledged by the deadline is dropped by the kernel, not sent later.
            sock.setsockopt(socket.IPPROTO_TCP, _USER_TIMEOUT, max(1, int(seconds * 1000)))
        if not call.wrote:
            call_marks.writes()
        before, call.wrote = call.wrote, True
        try:
            count = sock.send(view[:CHUNK])
        except OSError:
            # send(2) either takes bytes or fails; of a TLS record a part may have left.
            if not isinstance(sock, ssl.SSLSocket):
                call.wrote = before
            raise
        view = view[count:]


class _Connection(_Guard):
    pass


class _TLSConnection(_Guard, HTTPSConnection):
    pass


def _connect(call: Call, host: str, port: int) -> socket.socket:
    """A socket connected to the first address of `host` that answers, each getting its share of the time."""
    addresses = _resolve(call, host, port)
    problem: OSError = OSError("no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(call.time_left() / (len(addresses) - position))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem


def _resolve(call: Call, host: str, port: int) -> list[Any]:
    """getaddrinfo within the time of the call; the resolver itself knows no time-out, so it runs in its own thread."""
    host = host.strip("[]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST))
    found: list[Any] = []

    def ask() -> None:
        try:
            found.append(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            found.append(error)

    thread = threading.Thread(target=ask, name="resolver", daemon=True)
    thread.start()
    thread.join(call.time_left())
    if not found:
        raise CallTimedOut
    if isinstance(found[0], OSError):
        raise found[0]
    if isinstance(found[0], UnicodeError):
        raise OSError("not a host name")
    return list(found[0])


# --- the pool ---------------------------------------------------------------------------------------------------------


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection
    keep = 0.0

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        if isinstance(connection, _Guard) and lease.boottime() - connection.last_used > self.keep:
            # Idle for long: the provider may be closing it this moment, and a reset then leaves the outcome unknown.
            connection.close()
        return connection


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection  # type: ignore[assignment]


class Http:
    """Connections to providers, shared by threads. `keep`: seconds an idle connection may be used again; 0: never."""

    def __init__(self, keep: float, tls: ssl.SSLContext | None = None) -> None:
        self._keep = keep
        self._tls = tls
        self._lock = threading.Lock()
        self._manager: urllib3.PoolManager | None = None

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        """Make one request, once, inside a Call. Any status is an answer; raises when there is none."""
        call = current()
        call.answer = None
        # The call's clock limits every read and write; this only keeps urllib3 from its own default.
        seconds = call.time_left()
        headers = dict(headers) if self._keep else {**headers, "Connection": "close"}
        response = self._pools().urlopen(
            method, url, body=body, headers=headers, retries=False, redirect=False, preload_content=False,
            timeout=urllib3.Timeout(connect=seconds, read=seconds),
        )  # fmt: skip
        content = response.read(LONGEST_ANSWER + 1)
        if len(content) > LONGEST_ANSWER:
            response.close()
            raise ValueError("an answer longer than any of a provider's")
        response.release_conn()
        if not call.wrote:
            raise ConnectionError("answered before anything was asked")
        lower = {name.lower(): value for name, value in response.headers.items()}
        call.answer = Answer(response.status, lower, content)
        return call.answer

    def _pools(self) -> urllib3.PoolManager:
        with self._lock:
            if self._manager is None:
                manager = urllib3.PoolManager(num_pools=16, maxsize=32, ssl_context=self._tls or _default_tls())
                keep = {"keep": self._keep}
                manager.pool_classes_by_scheme = {
                    "http": type("Pool", (_Pool,), keep),
                    "https": type("TLSPool", (_TLSPool,), keep),
                }
                self._manager = manager
            return self._manager


@cache
def _default_tls() -> ssl.SSLContext:
    """One for all providers: reading the authorities takes 40 ms."""
    return make_tls()


def make_tls() -> ssl.SSLContext:
    """A context that trusts the authorities of certifi and of the system."""
    context = ssl.create_default_context(cafile=certifi.where())
    # Private authorities: the system's store and SSL_CERT_FILE count as well.
    context.load_default_certs()
    return context
