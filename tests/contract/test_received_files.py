"""Guests' files at their providers: fetched with credentials that go nowhere else, within bounds, and deleted."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.delivery_ports import Account
from bellhop.domain.inbound_files import MOST_TRIES, SENTENCES, FileAddress, FileProblem, FileState, NotKept, gives_up
from bellhop.domain.media_addresses import MediaAddresses
from bellhop.domain.rows.inbound_files import DueFile
from bellhop.media.library import Library
from bellhop.media.receiving import ReceivedFiles, make_own_client
from bellhop.media.settings import MIB, MediaSettings
from bellhop.providers import providers
from bellhop.sandbox.testing import running
from bellhop.store.connections import make_engine
from bellhop.store.settings import PostgresSettings
from bellhop.webhooks import ssrf_guard
from tests.contract.test_provider_received import OURS, say, twilio_account

MESSAGE, FILE = "MM" + "1" * 32, "ME" + "2" * 32
GOOD = f"https://api.twilio.com/2010-04-01/Accounts/AC{'0' * 32}/Messages/{MESSAGE}/Media/{FILE}"


@contextmanager
def server(answers: dict[str, tuple[int, dict[str, str], bytes]]) -> Iterator[tuple[str, list[tuple[str, str | None]]]]:
    """A web server; yields its URL, and what was asked with which credentials."""
    asked: list[tuple[str, str | None]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["authorization"]))
            status, headers, body = answers[self.path]
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    served = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=served.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{served.server_address[1]}", asked
    finally:
        served.shutdown()
        served.server_close()


async def fetched(base_url: str, path: str, tmp_path: Any, allow: tuple[str, ...] = ()) -> Any:
    """What comes of a fetch that ends before anything is written."""
    due = DueFile(
        UUID(int=1), UUID(int=2), UUID(int=3), "test", UUID(int=4), 0, UUID(int=5), None, None, FileState.PENDING, 1,
        "image/png", None,
    )  # fmt: skip
    settings = MediaSettings(_env_file=None, dir=tmp_path, max_bytes=MIB, fetch_timeout=5)
    library = Library(settings, MediaAddresses("x", "http://x"))
    engine: AsyncEngine = make_engine(PostgresSettings(_env_file=None), "nobody")
    async with make_own_client() as own, ssrf_guard.client(allow) as public:
        files = ReceivedFiles(engine, library, public, own)
        return await files.fetch(due, FileAddress(f"{base_url}{path}", {"authorization": "Basic c2VjcmV0"}), base_url)


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (404, {}, b"", NotKept(FileProblem.GONE)),
        (401, {}, b"", NotKept(FileProblem.REFUSED)),
        (503, {}, b"", NotKept(FileProblem.UNAVAILABLE)),
        (200, {}, b"<html><script>", NotKept(FileProblem.TYPE, final=True)),
        (200, {}, b"", NotKept(FileProblem.TYPE, final=True)),
        (200, {}, b"\0" * (MIB + 1), NotKept(FileProblem.SIZE, final=True)),
        (302, {"location": "/file"}, b"", NotKept(FileProblem.UNAVAILABLE)),
        (302, {"location": "ftp://x.example/"}, b"", NotKept(FileProblem.UNAVAILABLE)),
        (302, {"location": "http://169.254.169.254/latest"}, b"", NotKept(FileProblem.UNAVAILABLE)),
    ],
)
async def test_what_is_not_kept(
    status: int, headers: dict[str, str], body: bytes, outcome: NotKept, tmp_path: Any
) -> None:
    with server({"/file": (status, headers, body)}) as (url, asked):
        assert await fetched(url, "/file", tmp_path) == outcome
    assert len(asked) <= 4 and [credentials for _, credentials in asked[1:]] == [None] * (len(asked) - 1)


async def test_credentials_go_nowhere_else_and_nobody_is_led_inwards(tmp_path: Any) -> None:
    with (
        server({"/inner": (200, {}, b"secret")}) as (inner, inside),
        server({"/file": (307, {"location": f"{inner}/inner"}, b"")}) as (url, asked),
    ):
        assert await fetched(url, "/file", tmp_path) == NotKept(FileProblem.UNAVAILABLE)
        assert inside == [], "a private address that a redirect names is not called"
        assert await fetched(url, "/file", tmp_path, ("127.0.0.0/8",)) == NotKept(FileProblem.TYPE, final=True)
        assert inside == [("/inner", None)], "a public one is, without the credentials"
        assert asked == [("/file", "Basic c2VjcmV0")] * 2


def test_a_file_is_asked_for_where_the_account_is() -> None:
    twilio = providers()["twilio"]
    account = Account(UUID(int=1), "twilio", "AC" + "9" * 32, "https://twilio.example", {"auth_token": "t"})
    at = twilio.file_at(account, GOOD, f"{MESSAGE}/{FILE}")
    assert at is not None
    assert at.url == f"https://twilio.example/2010-04-01/Accounts/{account.identity}/Messages/{MESSAGE}/Media/{FILE}"
    assert at.headers["authorization"] == "Basic " + base64.b64encode(f"{account.identity}:t".encode()).decode()
    assert "Basic" not in repr(at)
    assert twilio.file_at(account, "https://evil.example/x", None) is None
    assert twilio.delete_file(account, "../../x", 1.0), "what is no id is asked of nobody"


def test_a_file_is_deleted_at_twilio() -> None:
    with running() as sandbox:
        twilio, account = providers()["twilio"], twilio_account(sandbox)
        sid = say(sandbox, "", media=["image/jpeg"])
        yesterday = datetime.now(UTC) - timedelta(days=1)
        (inbound,) = (one for one in twilio.received(account, [OURS], yesterday, 5.0) if one.provider_id == sid)
        (media,) = twilio.complete(account, inbound, 5.0).details.media
        assert media.provider_id is not None
        broken = Account(account.id, "twilio", account.identity, account.base_url, {"auth_token": "wrong"})
        assert not twilio.delete_file(broken, media.provider_id, 5.0)
        assert not twilio.delete_file(Account(account.id, "twilio", "AC", account.base_url, {}), media.provider_id, 5.0)
        assert twilio.delete_file(account, media.provider_id, 5.0)
        assert twilio.complete(account, inbound, 5.0).details.media == ()
        assert twilio.delete_file(account, media.provider_id, 5.0), "it is gone already"


def test_every_problem_has_a_sentence_and_an_end() -> None:
    assert set(SENTENCES) == set(FileProblem)
    for problem in FileProblem:
        assert gives_up(NotKept(problem, final=True), 1) and gives_up(NotKept(problem), MOST_TRIES)
        assert not gives_up(NotKept(problem), 1)
