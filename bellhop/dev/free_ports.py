"""The ports of one stack: which they are, whether they are free, and who has them if not."""

from __future__ import annotations

import errno
import importlib
import random
import socket
from collections.abc import Collection
from dataclasses import dataclass, fields, replace
from typing import Any

from bellhop.dev.problems import NoSuchAddress, PortTaken

# field: what it is for the person, how it is changed
_MEANING = {
    "api": ("the API", "BELLHOP_PORT or `bellhop dev --port`"),
    "temporal": ("the Temporal server", "`bellhop dev --temporal-port`"),
    "ui": ("the Temporal Web UI", "`bellhop dev --ui-port`"),
    "sandbox": ("the sandbox providers", "`bellhop dev --sandbox-port`"),
    "receiver": ("the webhook receiver", "`bellhop dev --receiver-port`"),
    "temporal_http": ("the Temporal server's HTTP side", "the port 0"),
}


_NOT_EPHEMERAL = range(20_000, 32_000)


@dataclass(frozen=True)
class Ports:
    """0 means: whichever is free. The defaults are what the documentation's examples use."""

    api: int = 8000
    temporal: int = 7233
    ui: int = 8233
    sandbox: int = 8900
    receiver: int = 8901
    temporal_http: int = 0

    @classmethod
    def any_free(cls) -> Ports:
        """For demos and tests, which run beside a stack on the usual ports."""
        return cls(api=0, temporal=0, ui=0, sandbox=0, receiver=0)

    def settled(self, wanted: Collection[str], host: str = "127.0.0.1") -> Ports:
        """Every wanted 0 replaced by a free port, every other one found free. Raises PortTaken, NoSuchAddress."""
        reserved: list[socket.socket] = []
        chosen: dict[str, int] = {}
        try:
            for field in fields(self):
                if field.name not in wanted:
                    continue
                address = host if field.name == "api" else "127.0.0.1"
                listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
                reserved.append(listener)  # until all are chosen, so that none is chosen twice
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    _bind(listener, address, getattr(self, field.name))
                except OSError as error:
                    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                        raise NoSuchAddress(f"--host: {address} is no address of this machine.") from None
                    raise PortTaken(_complaint(field.name, getattr(self, field.name), error)) from None
                chosen[field.name] = listener.getsockname()[1]
        finally:
            for listener in reserved:
                listener.close()
        return replace(self, **chosen)


def both_loopbacks(host: str, port: int) -> str:
    """What to listen on so that `localhost` leads there, too, which many programs look for at ::1 first: the name
    itself, where it means just this machine and its ::1 can be had; else `host`."""
    if host != "127.0.0.1":
        return host
    try:
        meant = {str(found[4][0]) for found in socket.getaddrinfo("localhost", port, type=socket.SOCK_STREAM)}
        if meant != {"127.0.0.1", "::1"}:
            return host
        with socket.socket(socket.AF_INET6) as listener:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("::1", port))
    except OSError:
        return host
    return "localhost"


def _bind(listener: socket.socket, address: str, port: int) -> None:
    """0: any free port, but none of those the kernel gives to outgoing connections (from 32768 on with Linux): one of
    them could be taken by any program of this machine until the server starts, or while it starts again."""
    for candidate in random.sample(_NOT_EPHEMERAL, 50) if port == 0 else ():
        try:
            listener.bind((address, candidate))
        except OSError:
            continue
        return
    listener.bind((address, port))


def _complaint(name: str, port: int, error: OSError) -> str:
    what, setting = _MEANING[name]
    holder = holder_of(port)
    reason = (
        f"is taken{f' by {holder}' if holder else ''}"
        if holder or error.errno == errno.EADDRINUSE
        else f"can't be used ({error.strerror})"
    )
    return f"Port {port}, wanted for {what}, {reason}. Stop that program, or choose another port with {setting}."


def holder_of(port: int) -> str:
    """ "python (pid 4711)" for the process listening on that port, or "" if the system doesn't tell."""
    try:
        psutil: Any = importlib.import_module("psutil")  # it comes with the embedded PostgreSQL
    except ImportError:
        return ""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == "LISTEN" and connection.laddr.port == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        pass  # other users' processes are hidden on some systems
    return ""
