"""TLS on the sandbox's one port, for who begins in it: HTTP/2 by ALPN, as Apple's service has it, and nothing else."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Collection
from contextlib import suppress

from bellhop.sandbox import authority

HANDSHAKE = b"\x16\x03"
"""What a connection begins with that speaks TLS (RFC 8446, 5.1)."""
_MOST_ADDRESSES = 16


class Certificates:
    """What the sandbox presents: by its names, and by whichever of the machine's addresses a connection came to."""

    def __init__(self, secret: str, names: Collection[str]) -> None:
        self._secret = secret
        self._names = {name for name in names if name and name.isascii()} | {"localhost", "127.0.0.1", "::1"}
        self._contexts: dict[str, ssl.SSLContext] = {}

    def context(self, address: str) -> ssl.SSLContext:
        """For a connection to this address."""
        try:
            own = str(ipaddress.ip_address(address))
        except ValueError:
            own = "127.0.0.1"
        if own not in self._contexts:
            if len(self._contexts) >= _MOST_ADDRESSES:
                self._contexts.clear()
            self._contexts[own] = authority.server_context(self._secret, self._names | {own})
        return self._contexts[own]


class Tls(asyncio.Transport):
    """One connection, seen from above its encryption."""

    def __init__(self, context: ssl.SSLContext, below: asyncio.Transport) -> None:
        super().__init__()
        self._below = below
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_side=True)
        self.ready = False
        """Whether both sides have agreed, on HTTP/2."""

    def received(self, data: bytes) -> bytes:
        """What these bytes say; empty while they say nothing yet. A client that cannot be agreed with is hung up on."""
        self._in.write(data)
        said = b""
        try:
            if not self.ready:
                self._tls.do_handshake()
                if self._tls.selected_alpn_protocol() != "h2":
                    self.close()
                    return b""
                self.ready = True
            while more := self._tls.read(65_536):
                said += more
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            self._flush()  # the alert says why
            self._below.close()
        self._flush()
        return said

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._tls.write(bytes(data))
        self._flush()

    def close(self) -> None:
        with suppress(ssl.SSLError):
            self._tls.unwrap()
        self._flush()
        self._below.close()

    def _flush(self) -> None:
        if self._out.pending and not self._below.is_closing():
            self._below.write(self._out.read())
