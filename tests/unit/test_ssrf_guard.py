"""The wall before private networks: every way to write an address, and the two clients that keep to it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_address
from typing import Any

import aiohttp
import aiohttp.connector
import httpcore2
import httpx2
import pytest

from bellhop.webhooks import resolver as resolver_module
from bellhop.webhooks import ssrf_guard
from bellhop.webhooks.light_client import MOST_KEPT, LightClient
from bellhop.webhooks.poster import error_word
from bellhop.webhooks.ssrf_guard import ForbiddenTarget, check_url, client, is_public, networks, unwrap

LOOPBACK = ["127.0.0.0/8"]

PRIVATE = (
    "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "0.0.0.0", "0.1.2.3", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fec0::1", "fc00::1", "fd00::1", "fd00:ec2::254", "ff02::1", "ff0e::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "::7f00:1", "::a9fe:a9fe",
    "2002:7f00:1::", "2002:a00:1::1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2", "100::1",
)  # fmt: skip
PUBLIC = (
    "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450:4001::1",
    "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


def test_unwrapping() -> None:
    inner = ip_address("10.1.2.3")
    for wrapped in ("::ffff:10.1.2.3", "2002:a01:203::9", "64:ff9b::10.1.2.3", "10.1.2.3"):
        assert unwrap(ip_address(wrapped)) == inner


HOSTS = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f.1", "0x7f000001", "0177.0.0.1", "017700000001", "0", "0.0.0.0",
    "localhost", "LOCALHOST", "localhost.", "169.254.169.254", "0xa9fea9fe", "2852039166", "10.0.0.8", "192.168.0.1",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fd00::1]", "[fe80::1]",
    "[::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "%31%32%37.0.0.1", "①②⑦.⓪.⓪.①", "127。0。0。1",
)  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
async def test_every_way_to_write_a_private_host(host: str) -> None:
    for scheme in ("https", "http"):
        with pytest.raises(ForbiddenTarget):
            await check_url(f"{scheme}://{host}/hook")
        async with client() as http, LightClient() as light:
            with pytest.raises((ForbiddenTarget, httpx2.InvalidURL)):
                await http.post(f"{scheme}://{host}:9/hook")
            with pytest.raises((ForbiddenTarget, aiohttp.InvalidURL)):
                await posted(light, f"{scheme}://{host}:9/hook")


async def posted(light: LightClient, url: str) -> int:
    """The status of a POST."""
    async with light.post(url, b"{}", {}) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "hook", "//example.com", "ftp://8.8.8.8/", "file:///etc/passwd", "https://", "https:///x",
        "gopher://8.8.8.8", "https://user:pw@8.8.8.8/", "https://user@8.8.8.8/", "https://8.8.8.8:99999/", "https://8.8.8.8:0/",
        "http://8.8.8.8/", "https://a b/", "https://8.8.8.8\\@127.0.0.1/",
        "https://127.0.0.1#@8.8.8.8/", "https://\0/", "https://nowhere.invalid/",
    ],
)  # fmt: skip
async def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(ForbiddenTarget) as caught:
        await check_url(url)
    assert caught.value.reason == str(caught.value)
    assert caught.value.reason.endswith(".")
    async with LightClient() as light:
        with pytest.raises((ForbiddenTarget, aiohttp.InvalidURL)):
            await posted(light, url)


async def test_urls_that_may_be() -> None:
    await check_url("https://8.8.8.8/hook?a=b")
    await check_url("https://8.8.8.8:8443/")
    await check_url("https://[2606:4700:4700::1111]/")
    await check_url("http://127.0.0.1:8080/", LOOPBACK)
    await check_url("https://localhost/", [*LOOPBACK, "::1/128"])
    await check_url("http://[::ffff:127.0.0.1]/", LOOPBACK)
    with pytest.raises(ForbiddenTarget):
        await check_url("http://10.0.0.1/", LOOPBACK)
    with pytest.raises(ForbiddenTarget, match="https"):
        await check_url("http://8.8.8.8/", LOOPBACK)
    with pytest.raises(ValueError):
        networks(["127.0.0.0/99"])


# --- names -----------------------------------------------------------------------------------------------------------

Resolver = Callable[..., None]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Make names resolve to the given addresses, a further list at each further question."""

    def answers(*lists: list[str]) -> None:
        left = list(lists)

        async def ask(self: object, name: str) -> tuple[float, tuple[Any, ...]]:
            given = left.pop(0) if len(left) > 1 else left[0]
            return 0.0, tuple(ip_address(one.partition("%")[0]) for one in given)

        monkeypatch.setattr(resolver_module.Resolver, "_ask", ask)
        monkeypatch.setattr(resolver_module, "SHORTEST", 0.0)
        monkeypatch.setattr(resolver_module, "FAILED", 0.0)

    return answers


@pytest.mark.parametrize(
    "addresses",
    [["169.254.169.254"], ["8.8.8.8", "127.0.0.1"], ["::1", "8.8.8.8"], ["8.8.8.8", "fd00::254"], [], ["fe80::1%eth0"]],
    ids=str,
)
async def test_a_name_with_any_private_address(resolver: Resolver, addresses: list[str]) -> None:
    resolver(addresses)
    with pytest.raises(ForbiddenTarget) as caught:
        await check_url("https://metadata.example/")
    assert not any(address in caught.value.reason for address in addresses)
    async with client() as http, LightClient() as light:
        with pytest.raises(ForbiddenTarget):
            await http.get("https://metadata.example/")
        with pytest.raises(ForbiddenTarget):
            await posted(light, "https://metadata.example/")


async def test_a_name_that_changes_its_answer(resolver: Resolver) -> None:
    """Public when asked at creation, private when connecting: the connection is the one that counts."""
    resolver(["8.8.8.8"], ["127.0.0.1"])
    await check_url("https://rebind.example/")
    async with client() as http:
        with pytest.raises(ForbiddenTarget):
            await http.get("https://rebind.example/")
    resolver(["8.8.8.8"], ["127.0.0.1"])
    await check_url("https://rebind.example/")
    async with LightClient() as light:
        with pytest.raises(ForbiddenTarget):
            await posted(light, "https://rebind.example/")


# --- the clients -----------------------------------------------------------------------------------------------------


class Endpoint:
    """A little HTTP server; remembers the heads of requests."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(self.answer.encode())
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            writer.close()


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    found = Endpoint()
    server = await asyncio.start_server(found.serve, "127.0.0.1", 0)
    found.port = server.sockets[0].getsockname()[1]
    yield found
    server.close()


async def test_the_checked_address_is_the_one_connected_to(
    endpoint: Endpoint, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    real = httpcore2.AnyIOBackend.connect_tcp

    async def spy(self: Any, host: str, *args: Any, **options: Any) -> Any:
        connected.append(host)
        return await real(self, host, *args, **options)

    monkeypatch.setattr(httpcore2.AnyIOBackend, "connect_tcp", spy)
    resolver(["127.0.0.1"])
    async with client(LOOPBACK) as http:
        for _ in range(2):
            assert (await http.get(f"http://hook.example:{endpoint.port}/x")).text == "ok"
    assert connected == ["127.0.0.1"], "the name went to the connection, or the connection was not kept"
    assert f"Host: hook.example:{endpoint.port}" in endpoint.heads[0]


async def test_the_next_address_is_tried(endpoint: Endpoint, resolver: Resolver) -> None:
    resolver(["127.0.0.9", "127.0.0.1"])
    async with client(LOOPBACK) as http:
        assert (await http.get(f"http://hook.example:{endpoint.port}/")).status_code == 200


async def test_nobody_listens(resolver: Resolver) -> None:
    resolver(["127.0.0.9", "127.0.0.8"])
    async with client(LOOPBACK) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get("http://hook.example:9/")


async def test_redirects_are_answers(endpoint: Endpoint) -> None:
    endpoint.answer = "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    async with client(LOOPBACK) as http:
        assert (await http.get(f"http://127.0.0.1:{endpoint.port}/")).status_code == 302
    assert len(endpoint.heads) == 1


async def test_the_environments_proxies_are_not_used(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with client(LOOPBACK) as http:
        assert (await http.get(f"http://127.0.0.1:{endpoint.port}/")).text == "ok"


async def test_without_the_allow_list_the_same_endpoint_is_out_of_reach(endpoint: Endpoint) -> None:
    async with client() as http:
        for url in (f"http://127.0.0.1:{endpoint.port}/", f"https://localhost:{endpoint.port}/"):
            with pytest.raises(ForbiddenTarget):
                await http.get(url)
    assert endpoint.heads == []


async def test_tls_keeps_the_name_of_the_url(resolver: Resolver) -> None:
    """The certificate is asked for and checked by name, although the connection goes to an address."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: asked.append(name)
    resolver(["127.0.0.1"])
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with client(LOOPBACK) as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(f"https://hook.example:{port}/")
    server.close()
    assert asked == ["hook.example"]


async def test_unix_sockets_are_out_of_reach() -> None:
    with pytest.raises(ForbiddenTarget):
        await ssrf_guard._PublicOnly((), None).connect_unix_socket("/run/x.sock")


# --- the client of webhooks ------------------------------------------------------------------------------------------


async def test_webhooks_go_to_the_address_that_was_checked(
    endpoint: Endpoint, resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[Any] = []
    real = aiohttp.connector.aiohappyeyeballs.start_connection

    async def spy(addr_infos: Any, **options: Any) -> Any:
        connected.extend(info[4] for info in addr_infos)
        return await real(addr_infos, **options)

    monkeypatch.setattr(aiohttp.connector.aiohappyeyeballs, "start_connection", spy)
    resolver(["127.0.0.1"])
    async with LightClient(LOOPBACK) as light:
        for _ in range(2):
            assert await posted(light, f"http://hook.example:{endpoint.port}/x") == 200
        resolver(["127.0.0.9", "127.0.0.1"])
        assert await posted(light, f"http://other.example:{endpoint.port}/") == 200, "the next address is tried"
    assert connected[0] == ("127.0.0.1", endpoint.port)
    assert len(connected) == 3, "the connection was not kept"
    assert f"Host: hook.example:{endpoint.port}" in endpoint.heads[0]


async def test_webhooks_follow_no_redirects_and_keep_nothing(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    endpoint.answer = (
        "HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nSet-Cookie: a=b\r\nContent-Encoding: gzip\r\n"
        "Content-Length: 2\r\n\r\nno"
    )
    async with LightClient(LOOPBACK) as light:
        for _ in range(2):
            assert await posted(light, f"http://127.0.0.1:{endpoint.port}/") == 302
    assert len(endpoint.heads) == 2
    assert not any("cookie" in head.lower() for head in endpoint.heads)


async def test_webhooks_without_the_allow_list(endpoint: Endpoint, resolver: Resolver) -> None:
    async with LightClient() as light:
        for url in (f"http://127.0.0.1:{endpoint.port}/", f"https://localhost:{endpoint.port}/"):
            with pytest.raises(ForbiddenTarget):
                await posted(light, url)
    resolver(["8.8.8.8"])
    async with LightClient(LOOPBACK) as light:
        for url in ("http://public.example/", f"http://me:secret@127.0.0.1:{endpoint.port}/", "ws://127.0.0.1/"):
            with pytest.raises(ForbiddenTarget):
                await posted(light, url)
    assert endpoint.heads == []


async def test_webhooks_check_certificates_by_the_name_of_the_url(resolver: Resolver) -> None:
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sni_callback = lambda _, name, __: asked.append(name)
    resolver(["127.0.0.1"])
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    async with LightClient(LOOPBACK) as light:
        with pytest.raises(aiohttp.ClientConnectorError):
            await posted(light, f"https://hook.example:{port}/")
    server.close()
    assert asked == ["hook.example"]


async def test_words_of_the_light_client(resolver: Resolver) -> None:
    resolver(["127.0.0.9", "127.0.0.8"])
    async with LightClient(LOOPBACK) as light:
        for url, word in {"http://hook.example:9/": "refused", "https://[/": "bad url"}.items():
            with pytest.raises((aiohttp.ClientError, OSError)) as caught:
                await posted(light, url)
            assert error_word(caught.value) == word


async def test_few_connections_are_kept(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellhop.webhooks.light_client.MOST_KEPT", 3)
    assert MOST_KEPT > 3
    async with LightClient(LOOPBACK) as light:
        url = f"http://127.0.0.1:{endpoint.port}/"
        assert await asyncio.gather(*(posted(light, url) for _ in range(12))) == [200] * 12
        assert 1 <= light._connector.kept <= 3
