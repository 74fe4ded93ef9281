"""Files behind addresses that a provider is given, looked at as the vendors do: HEAD, then GET, which say the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp

TIMEOUT = aiohttp.ClientTimeout(total=8)
LARGEST = 100 * 1024 * 1024


class NotFetched(Exception):
    """What is wrong with an address, in a few words."""


@dataclass(frozen=True, slots=True)
class File:
    """What was found: its type, and the SHA-256 of its bytes in hexadecimal digits."""

    kind: str
    sha256: str


def detail(files: Iterable[File]) -> dict[str, Any]:
    """What a message's `detail` says of its files."""
    found = list(files)
    return {"media_types": [one.kind for one in found], "media_sha256": [one.sha256 for one in found]}


async def files_of(urls: Sequence[str]) -> list[File]:
    """The files behind `urls`. Raises NotFetched with the first that a vendor would not take."""
    if not urls:
        return []
    async with aiohttp.ClientSession(timeout=TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()) as session:
        return [await _file(session, url) for url in urls]


async def _file(session: aiohttp.ClientSession, url: str) -> File:
    if not url.startswith(("http://", "https://")):
        raise NotFetched("not a URL")
    try:
        async with session.head(url, allow_redirects=False) as head:
            announced = head.status, head.headers.get("content-type"), head.headers.get("content-length")
        async with session.get(url, allow_redirects=False) as answer:
            size, digest = 0, hashlib.sha256()
            async for chunk in answer.content.iter_chunked(1 << 16):
                size += len(chunk)
                digest.update(chunk)
                if size > LARGEST:
                    raise NotFetched("too large")
            found = answer.status, answer.headers.get("content-type"), str(size)
    except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
        raise NotFetched(type(error).__name__) from None
    if found[0] != 200 or not found[1] or not size:
        raise NotFetched(f"answered {found[0]}")
    if announced != found:
        raise NotFetched("HEAD and GET differ")
    return File(found[1], digest.hexdigest())
