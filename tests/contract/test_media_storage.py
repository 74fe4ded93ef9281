"""Where files lie: a directory and a bucket do the same. The bucket's server checks signatures and speaks HTTP."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import uvicorn
from nanio.app import build_app
from nanio.auth.credentials import StaticCredentialResolver
from nanio.config import Settings as ServerSettings
from pydantic import SecretStr, ValidationError

from bellhop.domain.media_addresses import MediaAddresses
from bellhop.media.bucket import Bucket
from bellhop.media.directory import Directory
from bellhop.media.library import Library
from bellhop.media.settings import MediaSettings
from bellhop.media.storage import Storage, storage_of
from tests.integration.engine import free_port

BUCKET, KEY, SECRET = "guests-files", "bellhop", "a secret of the tests"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """An S3 service with one bucket, and where that lies."""
    room = tmp_path_factory.mktemp("s3")
    (room / BUCKET).mkdir()
    app = build_app(ServerSettings(data_dir=room, credentials=StaticCredentialResolver({KEY: SECRET})))
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the service did not start"
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}", room / BUCKET
    server.should_exit = True
    thread.join(10)


def bucket(url: str, **other: object) -> MediaSettings:
    given = {
        "s3_bucket": BUCKET,
        "s3_endpoint": url,
        "s3_access_key_id": KEY,
        "s3_secret_access_key": SecretStr(SECRET),
    }
    return MediaSettings.model_validate({**given, **other})


@pytest.fixture(params=["directory", "bucket"])
def storage(request: pytest.FixtureRequest, service: tuple[str, Path], tmp_path: Path) -> Storage:
    settings = bucket(service[0]) if request.param == "bucket" else MediaSettings(dir=tmp_path / "media")
    made = storage_of(settings)
    assert isinstance(made, Bucket if request.param == "bucket" else Directory)
    return made


@pytest.mark.parametrize("size", [0, 1, 300_000, 12 << 20])
def test_what_is_put_is_read(storage: Storage, size: int) -> None:
    key, content = str(uuid4()), bytes(range(251)) * (size // 251 + 1)
    given = io.BytesIO(b"read before" + content[:size])
    given.seek(len(b"read before"))
    storage.put(key, given)
    with storage.open(key) as file:
        assert file.read(3) == content[:size][:3]
        assert file.read() == content[:size][3:] and file.read() == b""
    with storage.open(key) as left:
        left.read(1)


def test_a_file_is_replaced_and_removed(storage: Storage) -> None:
    key = str(uuid4())
    for content in (b"first", b"the second"):
        storage.put(key, io.BytesIO(content))
    assert storage.open(key).read() == b"the second"
    for _ in range(2):
        storage.remove(key)
    with pytest.raises(FileNotFoundError):
        storage.open(key)


def test_what_cannot_be_read_to_its_end_is_not_there(storage: Storage) -> None:
    class Broken(io.BytesIO):
        def read(self, *size: int | None) -> bytes:
            if self.tell() > 6 << 20:
                raise OSError("the upload ended")
            return super().read(*size) if size and size[0] and size[0] > 0 else super().read(1 << 20)

    key = str(uuid4())
    with pytest.raises(OSError, match=r"the upload ended|the bucket"):
        storage.put(key, Broken(b"x" * (16 << 20)))
    with pytest.raises(FileNotFoundError):
        storage.open(key)


async def test_the_library_keeps_its_files_there(storage: Storage, service: tuple[str, Path]) -> None:
    library = Library(MediaSettings(), MediaAddresses("x" * 32, "https://hotel.example"), storage)
    key, text = str(uuid4()), b"BEGIN:VCARD\nEND:VCARD\n" * 30_000
    await library.put(key, io.BytesIO(text))
    assert library.read(key) == text
    assert b"".join([piece async for piece in library.chunks(await library.open(key))]) == text
    if isinstance(storage, Bucket):
        assert [path.name for path in service[1].rglob(key)] == [key], "under its prefix and its key, and once"
    assert await library.remove([key, str(uuid4())]) != []
    with pytest.raises(FileNotFoundError):
        await library.open(key)
    library.close()


def test_a_service_that_refuses_or_is_away_is_no_missing_file(service: tuple[str, Path]) -> None:
    wrong = storage_of(bucket(service[0], s3_secret_access_key=SecretStr("another")))
    away = storage_of(bucket(f"http://127.0.0.1:{free_port()}"))
    for one in (wrong, away):
        for act in (lambda: one.put("k", io.BytesIO(b"x")), lambda: one.open("k"), lambda: one.remove("k")):  # noqa: B023
            with pytest.raises(OSError, match=r"the bucket|denied|Permission") as raised:
                act()
            assert not isinstance(raised.value, FileNotFoundError)
            assert SECRET not in str(raised.value)


def test_a_key_without_its_secret_is_a_mistake() -> None:
    with pytest.raises(ValidationError, match="or neither of them"):
        MediaSettings(s3_bucket="b", s3_access_key_id="k")
