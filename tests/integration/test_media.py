"""Files that go with messages: fetched once and safely, checked against the channel, taken by the providers as the
vendors would, and gone with their guest."""

from __future__ import annotations

import io
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.domain.ids import Prefix, parse
from bellhop.settings import Settings

from .conftest_api import EMAIL as MAIL
from .conftest_api import Api, open_api
from .engine import Engine, key

PLACE = b"Quetzal-Lodge"
MMS = {"channel": "sms", "recipient": "+13055550771"}
IMESSAGE = {"channel": "imessage", "recipient": "+13055550772"}


def photo() -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = PLACE.decode()
    Image.effect_noise((60, 40), 60).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


@contextmanager
def website(pages: dict[str, tuple[int, bytes]]) -> Iterator[tuple[str, list[str]]]:
    """A tenant's web server; yields its URL and what was asked of it."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status, body = pages.get(self.path.partition("?")[0], (404, b"no"))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()


async def uploaded(http: Any, content: bytes, name: str, **fields: str) -> str:
    answer = await http.post("/v1/assets", files={"file": (name, content)}, data=fields)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def test_files_go_out_on_every_channel_that_carries_them(stack: Engine) -> None:
    pdf = await uploaded(stack.http, b"%PDF-1.7 the bill", "Bill 12.pdf")
    with website({"/lobby": (200, photo()), "/moved": (302, b"/lobby")}) as (url, asked):
        mail = await stack.send({**MAIL, "media": [{"asset_id": pdf}, {"url": f"{url}/moved?size=2"}]})
        assert mail["media"][0]["filename"] == "Bill-12.pdf" and mail["media"][1]["url"] is None
        mms = await stack.send({**MMS, "media": [{"url": f"{url}/lobby", "filename": "The lobby.jpeg"}]})
        assert mms["content"] == ""
        blue = await stack.send({**IMESSAGE, "content": "Look", "media": [{"url": f"{url}/lobby"}]})
        done = [await stack.until(one["id"], "delivered", "read") for one in (mail, mms, blue)]
        assert sorted(asked) == ["/lobby"] * 3 + ["/moved?size=2"], "each is fetched once"
    (shown,) = done[1]["media"]
    assert shown["url"].endswith("/The-lobby.jpg") and shown["content_type"] == "image/jpeg"
    assert PLACE in photo() and len(photo()) > shown["size"]
    head, got = await stack.http.head(shown["url"]), await stack.http.get(shown["url"])
    for answer in (head, got):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
        assert answer.headers["content-length"] == str(shown["size"])
        assert answer.headers["content-disposition"] == 'inline; filename="The-lobby.jpg"'
    assert head.content == b"" and PLACE not in got.content and len(got.content) == shown["size"]
    for wrong in (shown["url"].replace("/m/", "/m/A"), shown["url"].replace("jpg", "png"), shown["url"][:-40]):
        assert (await stack.http.get(wrong)).status_code == 404
    accepted = {one["provider"]: one for one in await stack.accepted()}
    assert accepted["sendgrid"]["detail"]["attachments"] == ["Bill-12.pdf", "moved.jpg"]
    assert accepted["twilio"]["id"].startswith("MM") and accepted["twilio"]["detail"]["media"] == [shown["url"]]
    assert accepted["twilio"]["detail"]["media_types"] == ["image/jpeg"]
    assert accepted["sendblue"]["detail"]["media_url"] == done[2]["media"][0]["url"]


async def test_a_file_that_is_not_to_be_had_fails_its_message(stack: Engine) -> None:
    lost = await uploaded(stack.http, b"%PDF-1.7 the bill", "a.pdf")
    with website({"/page": (200, b"<!doctype html>"), "/large": (200, b"%PDF-1.7" + b"x" * 5_000_001)}) as (url, asked):
        sent = {
            what: await stack.send({**MMS, "content": what, "media": [item]})
            for what, item in {
                "media_unavailable": {"url": f"{url}/nothing"},
                "media_refused": {"url": f"{url}/page"},
                "media_refused ": {"url": f"{url}/large"},
                "media_unavailable ": {"url": "http://10.1.2.3/x.jpg"},
                "media_unavailable  ": {"url": "https://nobody.invalid/x.jpg"},
            }.items()
        }
        later = {"scheduled_at": "2030-01-01T09:00:00Z", "media": [{"asset_id": lost}]}
        deleted = await stack.send({**MMS, "content": "media_unavailable   ", **later})
        assert (await stack.http.delete(f"/v1/assets/{lost}")).status_code == 204
        moved = await stack.http.patch(f"/v1/messaging/{deleted['id']}", json={"scheduled_at": None})
        assert moved.status_code == 200
        for why, message in (*sent.items(), ("media_unavailable", deleted)):
            failed = await stack.until(message["id"], "failed")
            assert failed["metadata"]["error"]["code"] == why.strip(), message["content"]
            assert await stack.attempts(message["id"]) == []
        assert asked.count("/nothing") > 1, "it is asked for again"


async def test_an_erased_guests_files_are_gone(stack: Engine, settings: Settings) -> None:
    guest = (await stack.http.post("/v1/guests", json={"first_name": "J", "last_name": "M"})).json()["id"]
    common = await uploaded(stack.http, photo(), "lobby.jpg")
    own = await uploaded(stack.http, b"%PDF-1.7 the bill", "bill.pdf")
    with website({"/id": (200, photo())}) as (url, _):
        other = await stack.send({**MMS, "content": "Hi", "media": [{"asset_id": common}]})
        items = [{"url": f"{url}/id"}, {"asset_id": common}, {"asset_id": own}]
        theirs = await stack.send({**MMS, "recipient": "+13055550773", "guest_id": guest, "media": items})
        done = await stack.until(theirs["id"], "delivered")
        await stack.until(other["id"], "delivered")
    assert (await stack.http.delete(f"/v1/guests/{guest}")).status_code == 204
    assert [(await stack.http.get(one["url"])).status_code for one in done["media"]] == [404, 404, 404]
    assert [row["id"] for row in await stack.rows("select id from assets")] == [parse(Prefix.ASSET, common)]
    assert len([path for path in settings.media.dir.rglob("*") if path.is_file()]) == 1
    links = await stack.rows("select message_id from media_links")
    assert [row["message_id"] for row in links] == [key(other["id"])]


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


async def test_what_a_channel_does_not_carry_is_refused_by_name(api: Api) -> None:
    pdf = await uploaded(api.http, b"%PDF-1.7 the bill", "a.pdf")
    note = await uploaded(api.http, b"hello", "a.txt")
    foreign = await api.http.post("/v1/assets", files={"file": ("a.pdf", b"%PDF-1.7")}, headers=await api.neighbour())
    for fields, loc in (
        ({"media": [{"asset_id": note}]}, ["body", "media", 0, "asset_id"]),
        ({"media": [{"asset_id": foreign.json()["id"]}]}, ["body", "media", 0, "asset_id"]),
        ({"media": [{"asset_id": pdf, "url": "https://x.example/"}]}, ["body", "media", 0]),
        ({"media": [{}]}, ["body", "media", 0]),
        ({"media": [{"url": "ftp://x.example/a.png"}]}, ["body", "media", 0]),
        ({"media": []}, ["body", "media"]),
        ({"media": [{"asset_id": pdf}] * 11}, ["body", "media"]),
        ({"media": [{"asset_id": pdf}] * 2, "channel": "imessage"}, ["body", "media"]),
        ({"media": [{"asset_id": pdf}], **MAIL, "content": None}, ["body", "content"]),
    ):
        answer = await api.send(**fields)
        assert answer.status_code == 422, answer.text
        assert loc in [one["loc"] for one in answer.json()["detail"]], answer.text
    assert await api.rows("messages") == 0 and await api.rows("media_links") == 0


async def test_a_message_sent_again_carries_its_files(api: Api) -> None:
    pdf = await uploaded(api.http, b"%PDF-1.7 the bill", "a.pdf")
    sent = await api.later(media=[{"asset_id": pdf}, {"url": "https://x.example/a.png"}])
    await api.sql("update messages set stage = 'gave_up', decision = 'gave_up', failure_code = 'expired'")
    again = await api.http.post(f"/v1/messaging/{sent['id']}/resend", json={"reason": "Guest asked"})
    assert again.status_code == 201, again.text
    assert [one["filename"] for one in again.json()["media"]] == ["a.pdf", None]
    assert again.json()["media"][0]["url"] != sent["media"][0]["url"]
    assert await api.rows("media_links") == 4
