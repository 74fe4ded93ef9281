"""The harness every provider is held to: a server with faults on a raw socket, the scenes of a call, and the rules.

A provider's module in `providers/` brings a `Case` (how its answers look) and its call endings, its test file scenes
with its own codes; every way in which a call can end stands in `endings.py`.
"""

from __future__ import annotations

import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from h2.exceptions import ProtocolError

from bellhop.domain.content import Content
from bellhop.domain.delivery_ports import Account, Outgoing, Provider, SendKind, SendResult
from bellhop.domain.failures import FailureCode
from bellhop.providers.lease import boottime
from bellhop.providers.lease_http import Http
from tests.contract import h2_peer

ATTEMPT = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
MESSAGE = UUID("01890a5d-ac96-774b-bcce-b302099a8058")
SECRET = "s3cr3t-of-the-account-7781"
PRIVATE_TEXT = "Mme Agnelli, the code of your room is 4471"

Act = Callable[[socket.socket], None]


# --- what a server can do after it has read a request ----------------------------------------------------------------


def answer(status: int, body: str = "", **headers: str) -> Act:
    """A whole answer; another Content_Length than the truth may be given."""
    headers = {"Content_Length": str(len(body.encode())), **headers}
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda peer: peer.sendall(h2_peer.said(peer, "\r\n".join([*lines, "", body])))


def reset(peer: socket.socket) -> None:
    """RST instead of an answer."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hang_up(_: socket.socket) -> None:
    """FIN instead of an answer."""


def silence(peer: socket.socket) -> None:
    """Nothing, until the other side gives up."""
    peer.settimeout(15)
    peer.recv(1)


def drip(text: str, pause: float = 0.1, *, at_once: str = "") -> Act:
    """A byte at a time, each soon enough to satisfy a time-out for reads."""

    def act(peer: socket.socket) -> None:
        peer.sendall(at_once.encode())
        for one in text.encode() if at_once else h2_peer.said(peer, text):
            peer.sendall(bytes([one]))
            time.sleep(pause)

    return act


class Server:
    """Reads each request to its end, remembers it, and acts. One act for all, or one after the other."""

    def __init__(self, *acts: Act) -> None:
        self.requests: list[bytes] = []
        self._acts = list(acts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._lock = threading.Lock()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        with peer:
            try:
                while request := read_request(peer):
                    with self._lock:
                        self.requests.append(request)
                        act = self._acts.pop(0) if len(self._acts) > 1 else self._acts[0]
                    act(peer)
                    if act in (reset, hang_up, silence):
                        return
            except (OSError, ProtocolError):
                return

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()


def read_request(peer: socket.socket) -> bytes:
    """One HTTP request, headers and body; empty when the peer has gone."""
    if (known := h2_peer.peer_of(peer)) is not None:
        return known.read()
    got = b""
    while b"\r\n\r\n" not in got:
        more = peer.recv(65_536)
        if not more:
            return b""
        got += more
    if got.startswith(h2_peer.PREFACE):
        return h2_peer.begin(peer, got)
    head, _, body = got.partition(b"\r\n\r\n")
    sizes = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while sizes and len(body) < int(sizes[0]):
        more = peer.recv(65_536)
        if not more:
            return b""
        body += more
    return head + b"\r\n\r\n" + body


@contextmanager
def deaf() -> Iterator[str]:
    """A port whose queue of connections is full: connecting to it runs into its time-out."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        time.sleep(0.05)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for one in waiting:
            one.close()


# --- the scenes ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A provider under test: what is its own in scenes that all share."""

    provider: Callable[[], Provider]
    credentials: Mapping[str, str]
    identity: str
    to: str
    sender: str
    accepted: Act
    """What it answers when it takes a message."""
    accepted_id: str
    text: str = PRIVATE_TEXT
    http: Callable[..., Any] = Http
    """The connections it makes its calls over."""

    def account(self, base_url: str) -> Account:
        return Account(UUID(int=7), self.provider().name, self.identity, base_url, self.credentials)

    def outgoing(self, text: str | None = None, **other: Any) -> Outgoing:
        given: dict[str, Any] = {
            "attempt_id": ATTEMPT, "message_id": MESSAGE, "to": self.to, "sender": self.sender, "sender_name": None,
            "channel": min(self.provider().channels), "timeout": 8.0,
            "content": Content(text=self.text if text is None else text, subject="Your stay"),
            "callback_url": f"https://hotel.example/v1/callbacks/x/status?attempt={ATTEMPT}",
            "deadline": boottime() + 10,
        }  # fmt: skip
        return Outgoing(**{**given, **other})

    def send(self, base_url: str, **other: Any) -> SendResult:
        return self.provider().send(self.account(base_url), self.outgoing(**other))


@dataclass(frozen=True)
class Scene:
    """What the server does, and what has to be known afterwards."""

    name: str
    act: Act
    kind: SendKind
    code: FailureCode | None = None
    retry_after: float | None = None
    provider_code: str | None = None

    def __str__(self) -> str:
        return self.name


SHORT = 0.8
"""Seconds for a call that never ends by itself."""
UNKNOWN, RETRY, ACCOUNT, REFUSED = SendKind.UNKNOWN, SendKind.RETRY, SendKind.ACCOUNT, SendKind.REFUSED


def check(case: Case, scene: Scene) -> SendResult:
    """Play a scene once over real sockets and hold the result against it."""
    with Server(scene.act) as server:
        began = time.monotonic()
        result = case.send(server.url)
        assert time.monotonic() - began < 4, "the call outlasted its time"
        assert len(server.requests) == 1, "not exactly one request"
    assert (result.kind, result.code) == (scene.kind, scene.code), result
    if scene.retry_after is not None:
        assert result.retry_after is not None and abs(result.retry_after - scene.retry_after) < 1.5
    else:
        assert result.retry_after is None
    if scene.provider_code is not None:
        assert result.provider_code == scene.provider_code
    return result


# --- the rules -------------------------------------------------------------------------------------------------------


class Ears(logging.Handler):
    """Receives every record of every logger at DEBUG, whatever the loggers were told."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.received: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.received.append(f"{record.name} {record.getMessage()} {record.args!r} {record.exc_info!r}")


@contextmanager
def listening() -> Iterator[Ears]:
    """Turn every logger there is to DEBUG and listen at the root."""
    ears, root = Ears(), logging.getLogger()
    loggers = [root, *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]
    before = [(one, one.level, one.disabled, one.propagate) for one in loggers]
    for one in loggers:
        one.setLevel(logging.DEBUG)
        one.disabled, one.propagate = False, True
    root.addHandler(ears)
    try:
        yield ears
    finally:
        root.removeHandler(ears)
        for one, level, disabled, propagate in before:
            one.setLevel(level)
            one.disabled, one.propagate = disabled, propagate


_watching: list[list[str]] = []


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _watching and event == "socket.connect":
        address = args[1]
        if isinstance(address, tuple) and not str(address[0]).startswith("127."):
            _watching[-1].append(str(address[0]))


sys.addaudithook(_audit)


@contextmanager
def nothing_leaves() -> Iterator[None]:
    """Fail if a connection is made to anything but this machine."""
    _watching.append([])
    try:
        yield
        assert not _watching[-1], f"connected to {_watching[-1]}"
    finally:
        _watching.pop()
