"""Files: uploaded in one piece after another, bounded, each property's own, and gone with their guest."""

from __future__ import annotations

import asyncio
import io
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from PIL import Image
from sqlalchemy.ext.asyncio import AsyncEngine

from bellhop.media.library import Library
from bellhop.settings import Settings
from bellhop.temporal.recovery import PostgresSweeper, Progress

from .conftest_api import Api, open_api

PLACE = b"Quetzal-Lodge"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    media = settings.media.model_copy(update={"max_bytes": 200_000, "max_scope_bytes": 400_000, "upload_timeout": 1.0})
    return settings.model_copy(update={"media": media})


@pytest.fixture
async def api(settings: Settings, engine: AsyncEngine) -> AsyncIterator[Api]:
    async with open_api(settings, engine) as opened:
        yield opened


def photo(size: int = 64) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = PLACE.decode()
    Image.effect_noise((size, size), 60).convert("RGB").save(out, "JPEG", exif=exif, quality=90)
    return out.getvalue()


async def upload(api: Api, content: bytes, name: str = "lobby.jpg", **fields: str) -> httpx2.Response:
    return await api.http.post("/v1/assets", files={"file": (name, content)}, data=fields)


def files(settings: Settings) -> list[Path]:
    return [path for path in settings.media.dir.rglob("*") if path.is_file()]


async def test_a_file_is_kept_as_what_it_is(api: Api, settings: Settings) -> None:
    answer = await upload(api, photo(), "Lobby at night.png")
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["content_type"], made["filename"], made["guest_id"]) == ("image/jpeg", "Lobby-at-night.jpg", None)
    (file,) = files(settings)
    assert PLACE not in file.read_bytes() and len(file.read_bytes()) == made["size"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and stat.S_IMODE(settings.media.dir.stat().st_mode) == 0o700
    assert (await api.http.get(f"/v1/assets/{made['id']}")).json() == made
    neighbour = await api.neighbour()
    for verb in ("GET", "DELETE"):
        assert (await api.http.request(verb, f"/v1/assets/{made['id']}", headers=neighbour)).status_code == 404
    assert (await api.http.delete(f"/v1/assets/{made['id']}")).status_code == 204
    assert files(settings) == [] and await api.rows("assets") == 0
    assert (await api.http.get(f"/v1/assets/{made['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("content", "fields", "status", "loc"),
    [
        (b"<!doctype html>", {}, 422, ["body", "file"]),
        (b"", {}, 422, ["body", "file"]),
        (photo(), {"color": "red"}, 422, ["body", "color"]),
        (photo(), {"guest_id": "gst_01kaj3p0m5e6s7t8v9w0x1y2z3"}, 422, ["body", "guest_id"]),
        (photo(), {"guest_id": "x"}, 422, ["body", "guest_id"]),
        (b"%PDF-1.7" + b"x" * 200_000, {}, 413, None),
        (b"%PDF-1.7" + b"x" * 2_000_000, {}, 413, None),
    ],
)  # fmt: skip
async def test_what_cannot_be_kept_is_refused_and_leaves_nothing(
    api: Api, settings: Settings, content: bytes, fields: dict[str, str], status: int, loc: list[str] | None
) -> None:
    answer = await upload(api, content, **fields)
    assert answer.status_code == status, answer.text
    if loc:
        assert answer.json()["detail"][0]["loc"] == loc
    assert files(settings) == [] and await api.rows("assets") == 0


async def test_only_multipart_with_one_file(api: Api) -> None:
    post = api.http.post
    assert (await post("/v1/assets", json={"file": "x"})).status_code == 422
    assert (await post("/v1/assets", data={"file": "x"})).status_code == 422
    for body in (b"", b"--x--", b"--x\r\nnonsense"):
        broken = await post("/v1/assets", content=body, headers={"content-type": "multipart/form-data; boundary=x"})
        assert broken.status_code in (400, 422), broken.text
    assert (await post("/v1/assets", content=b"", headers={"content-type": "multipart/form-data"})).status_code == 400
    two = [("file", ("a.jpg", photo())), ("file", ("b.jpg", photo()))]
    assert (await post("/v1/assets", files=two)).status_code == 400
    many = await post("/v1/assets", files={"file": photo()}, data={f"f{n}": "x" for n in range(9)})
    assert many.status_code == 400
    for charset in ("unicode_escape", "undefined", "idna"):
        kind = {"Content-Type": f"multipart/form-data; boundary=x; charset={charset}"}
        raw = b'--x\r\nContent-Disposition: form-data; name="\\\\ud800"\r\n\r\n\\ud800\r\n--x--\r\n'
        assert (await post("/v1/assets", content=raw, headers=kind)).status_code in (400, 422), charset
    # Nothing of a stranger's is read.
    assert (await post("/v1/assets", files={"file": photo()}, headers={"Authorization": "Bearer x"})).status_code == 401


async def test_a_property_keeps_so_much_and_no_more(api: Api, settings: Settings) -> None:
    content = b"%PDF-1.7" + b"x" * 150_000
    answers = [await upload(api, content, "a.pdf") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "asset_quota" and len(files(settings)) == 2
    other = await api.http.post("/v1/assets", files={"file": ("a.pdf", content)}, headers=await api.neighbour())
    assert other.status_code == 201, "a neighbour's files take nobody else's room"
    await api.http.delete(f"/v1/assets/{answers[0].json()['id']}")
    assert (await upload(api, content, "a.pdf")).status_code == 201


async def test_uploads_are_bounded_in_time_and_number(api: Api, settings: Settings) -> None:
    begun = asyncio.Event()
    more = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7'
        begun.set()
        await more.wait()
        yield b"\r\n--x--\r\n"

    headers = {"content-type": "multipart/form-data; boundary=x"}
    slow = [asyncio.create_task(api.http.post("/v1/assets", content=slowly(), headers=headers)) for _ in range(2)]
    await begun.wait()
    uploads = api.app.state.services.uploads
    while uploads._under_way < 2:
        await asyncio.sleep(0.01)
    assert (await upload(api, photo())).status_code == 503, "one key has a quarter of the places"
    assert (await api.http.get("/v1/messaging")).status_code == 200
    answers = await asyncio.gather(*slow)
    assert {answer.status_code for answer in answers} <= {201, 408}
    more.set()
    assert (await upload(api, photo())).status_code == 201


async def test_an_erased_guests_files_are_gone_at_once(api: Api, settings: Settings) -> None:
    guest = (await api.guest())["id"]
    theirs = await upload(api, photo(), "passport.jpg", guest_id=guest)
    assert theirs.status_code == 201 and theirs.json()["guest_id"] == guest
    await upload(api, photo(), "lobby.jpg")
    assert (await api.http.delete(f"/v1/guests/{guest}")).status_code == 204
    assert len(files(settings)) == 1 and await api.rows("assets") == 1


async def test_recovery_removes_what_is_over_and_what_was_never_whole(api: Api, settings: Settings) -> None:
    library = Library(settings.media, settings.media_addresses())
    made = [(await upload(api, photo(), "a.jpg")).json()["id"] for _ in range(3)]
    old = "update assets set expires_at = now() - interval '1 s' where id = (select min(id::text)::uuid from assets)"
    await api.sql(old)
    cut_off = "update assets set state = 'storing', created_at = now() - interval '2 h' where id = "
    await api.sql(cut_off + "(select max(id::text)::uuid from assets)")
    engine = api.app.state.services.engine
    sweeper = PostgresSweeper(api.database, engine.dispatcher._client, engine.dispatcher, remove_files=library.remove)
    await sweeper._forget(Progress(None))
    await sweeper._files(Progress(None))
    assert [path.name for path in files(settings)] == [str(row.id) for row in await api.sql("select id from assets")]
    assert len(files(settings)) == 1
    assert (await api.http.get(f"/v1/assets/{made[1]}")).status_code == 200
