"""The documentation page works on a machine that reaches nothing but us."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator

import httpx2
import pytest

from api.app import create_app
from bellhop.settings import Settings


@pytest.fixture
async def http(settings: Settings) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=create_app(settings), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
        yield client


async def test_the_page_and_all_it_loads_are_ours(http: httpx2.AsyncClient) -> None:
    page = await http.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "//" not in re.sub(r"<!--.*?-->", "", page.text), "no other host is named"
    loaded = re.findall(r"""(?:src|href)="([^"]+)"|\burl: '([^']+)'""", page.text)
    paths = [first or second for first, second in loaded]
    assert {path.rsplit("/", 1)[-1] for path in paths} == {
        "swagger-ui.css", "favicon.png", "swagger-ui-bundle.js", "openapi.json",
    }  # fmt: skip
    for path in paths:
        assert (await http.get(path)).status_code == 200, path
    styles = (await http.get(next(path for path in paths if path.endswith(".css")))).text
    assert {address.split(":")[0] for address in re.findall(r"""url\(\s*["']?([^"')]*)""", styles)} == {"data"}
    assert "@import" not in styles


async def test_the_page_reads_openapi_3_1(http: httpx2.AsyncClient) -> None:
    script = (await http.get("/docs/assets/swagger-ui-bundle.js")).text
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', script)
    assert version
    assert int(version[1]) >= 5


async def test_browsers_are_told_what_they_may_do_with_an_answer(http: httpx2.AsyncClient) -> None:
    """Of every kind: pages, files, redirects, refusals, unknown paths, answers to callers, providers' callbacks."""
    for path in "/", "/docs", "/docs/assets/swagger-ui.css", "/openapi.json", "/healthz", "/nowhere", "/v1/messaging":
        headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["x-frame-options"] == "DENY", path
        assert headers["referrer-policy"] == "no-referrer", path
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["content-security-policy"].count("frame-ancestors 'none'") == 1, path
        assert "strict-transport-security" not in headers, "this address is not one of https"
    for path in "/v1/messaging", "/v1/receipts/twilio/AC0/status", "/v1/nowhere":
        assert (await http.post(path)).headers["cache-control"] == "no-store", path
    page = await http.get("/docs")
    (inline,) = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    assert f"script-src 'self' 'sha256-{digest}';" in page.headers["content-security-policy"]


async def test_https_stays_https(settings: Settings) -> None:
    settings.bellhop.public_url = "https://bellhop.example.com"
    transport = httpx2.ASGITransport(app=create_app(settings), raise_app_exceptions=False)
    async with httpx2.AsyncClient(transport=transport, base_url="http://api") as client:
        assert (await client.get("/docs")).headers["strict-transport-security"] == "max-age=31536000"


async def test_it_is_found_at_the_root(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")
    described = (await http.get("/openapi.json")).json()["paths"]
    assert not {"/", "/docs"} & set(described)


async def test_what_is_not_there_is_answered_in_the_one_form(http: httpx2.AsyncClient) -> None:
    for path in "/docs/assets/missing.js", "/docs/assets/..%2f..%2fpyproject.toml", "/docs/", "/redoc":
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), path
    for path in "/docs/assets/swagger-ui.css", "/docs", "/":
        answer = await http.post(path)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed"), path
        assert "GET" in answer.headers["allow"], path
