"""For tests: a sandbox in a thread of this process, and a small server that hears its callbacks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from bellhop.sandbox.app import create_server
from bellhop.sandbox.simulator import SettingsGroup


@contextmanager
def running(db: Path | None = None, settings: SettingsGroup | None = None) -> Iterator[str]:
    """A real server on a free port of the loopback, with the accounts of the environment's `SANDBOX_SECRET`; yields its
    URL."""
    server = create_server(os.environ["SANDBOX_SECRET"], "127.0.0.1", 0, db, settings)
    thread = threading.Thread(target=server.run, name="sandbox", daemon=True)
    thread.start()
    while not server.started:
        if not thread.is_alive():
            raise RuntimeError("the sandbox did not start")
        time.sleep(0.005)
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.should_exit = True
        thread.join(10)


@dataclass(frozen=True, slots=True)
class ReceivedCall:
    """One request as it came in."""

    path: str
    headers: Message
    body: bytes
    at: float


class Receiver:
    """Receives POSTs. `answers` are the next statuses to answer, then 204; `reply` is a body to answer with."""

    def __init__(self) -> None:
        self.received: list[ReceivedCall] = []
        self.answers: list[int] = []
        self.reply = b""
        self._news = threading.Condition()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver._news:
                    receiver.received.append(ReceivedCall(self.path, self.headers, body, time.time()))
                    status = receiver.answers.pop(0) if receiver.answers else 200 if receiver.reply else 204
                    receiver._news.notify_all()
                self.send_response(status)
                self.send_header("Content-Length", str(len(receiver.reply)))
                self.end_headers()
                self.wfile.write(receiver.reply)

            def log_message(self, format: str, *args: object) -> None:
                pass

        return Handler

    def wait(self, enough: Callable[[list[ReceivedCall]], bool], seconds: float = 20.0) -> list[ReceivedCall]:
        """Everything received, once `enough` holds of it. Raises AssertionError when it does not in time."""
        with self._news:
            assert self._news.wait_for(lambda: enough(self.received), seconds), f"received only {self.received}"
            return list(self.received)

    @contextmanager
    def open(self) -> Iterator[Receiver]:
        """Listen."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
