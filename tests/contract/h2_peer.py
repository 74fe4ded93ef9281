"""The harness's server for who begins in HTTP/2: the same acts, its answers in frames."""

from __future__ import annotations

import socket
import weakref

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded

PREFACE = b"PRI * HTTP/2.0"
_PEERS: weakref.WeakKeyDictionary[socket.socket, Peer] = weakref.WeakKeyDictionary()


class Peer:
    """One connection, as the server sees it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.framing = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self.framing.initiate_connection()
        self.stream = 0

    def read(self, got: bytes = b"") -> bytes:
        """One request, as one of HTTP/1.1 would look; empty when the other side has gone."""
        head, body = "", b""
        while True:
            for event in self.framing.receive_data(got) if got else ():
                match event:
                    case RequestReceived():
                        self.stream = event.stream_id or 0
                        named = {str(name): str(value) for name, value in event.headers or ()}
                        lines = [f"{named.pop(':method')} {named.pop(':path')} HTTP/2"]
                        head = "\r\n".join([*lines, *(f"{name}: {value}" for name, value in named.items())])
                    case DataReceived():
                        body += event.data or b""
                        self.framing.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
                    case StreamEnded():
                        self.flush()
                        return head.encode() + b"\r\n\r\n" + body
                    case _:
                        pass
            self.flush()
            got = self.sock.recv(65_536)
            if not got:
                return b""

    def flush(self) -> None:
        if data := self.framing.data_to_send():
            self.sock.sendall(data)

    def frames(self, text: str) -> bytes | None:
        """An answer of HTTP/1.1 in frames; None: it is none that could be."""
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        if not first.startswith("HTTP/1.1 ") or any(name == "transfer-encoding" for name, _ in pairs) or not _:
            return None
        status = first.split()[1]
        length = int(dict(pairs).get("content-length", len(body.encode())))
        whole = len(body.encode()) >= length
        self.framing.send_headers(self.stream, [(":status", status), *pairs], end_stream=whole and not body)
        left = body.encode()
        made = self.framing.data_to_send()
        while left:
            piece, left = left[:16_000], left[16_000:]
            self.framing.send_data(self.stream, piece, end_stream=whole and not left)
            made += self.framing.data_to_send()
        return made


def peer_of(sock: socket.socket) -> Peer | None:
    """What is known of a connection that speaks HTTP/2; None: it does not."""
    return _PEERS.get(sock)


def begin(sock: socket.socket, got: bytes) -> bytes:
    """The first request of a connection that began with `got`."""
    peer = _PEERS[sock] = Peer(sock)
    return peer.read(got)


def said(sock: socket.socket, text: str) -> bytes:
    """What goes over a connection for an answer written as one of HTTP/1.1."""
    peer = peer_of(sock)
    return (peer.frames(text) if peer else None) or text.encode()
