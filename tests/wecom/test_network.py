"""The way out of a bank's network: a forward proxy with a password, a certificate of its own."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.errors import ConfigError, Retryable
from bot.wecom.client import MemoryTokens, Unanswered, WeComClient
from bot.wecom.transport import trust
from tests.wecom.conftest import CORP, SECRET

_ANSWER = b'{"errcode":0,"access_token":"t","expires_in":7200}'


class Proxy:
    """A forward proxy that remembers what it was asked; it answers in WeCom's place."""

    def __init__(self, head: bytes = b"HTTP/1.1 200 OK\r\n", body: bytes = _ANSWER) -> None:
        self.heads: list[str] = []
        self._answer = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(self._answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def address(self) -> str:
        return f"http://bank:p%40ss@127.0.0.1:{self.port}"


@pytest.fixture
async def proxy(request: pytest.FixtureRequest) -> AsyncIterator[Proxy]:
    proxy = Proxy(*getattr(request, "param", ()))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    yield proxy
    server.close()


async def test_every_call_goes_through_the_proxy_with_its_password(proxy, clock):
    client = WeComClient(
        "http://wecom.invalid", CORP, SECRET, MemoryTokens(), clock, proxy=proxy.address
    )
    await client.get("user/get", userid="a")
    await client.close()
    assert [head.split()[1].split("?")[0] for head in proxy.heads] == [
        "http://wecom.invalid/cgi-bin/gettoken",
        "http://wecom.invalid/cgi-bin/user/get",
    ]
    password = base64.b64encode(b"bank:p@ss").decode()
    assert all(f"Proxy-Authorization: Basic {password}" in head for head in proxy.heads)


@pytest.mark.parametrize(
    "proxy", [(b"HTTP/1.1 407 Proxy Authentication Required\r\n", b"")], indirect=True
)
async def test_a_proxy_that_refuses_the_tunnel_has_let_nothing_through(proxy, clock):
    client = WeComClient(
        "https://wecom.invalid", CORP, SECRET, MemoryTokens(), clock, proxy=proxy.address
    )
    with pytest.raises(Retryable, match="407") as refused:
        await client.get("user/get")
    await client.close()
    assert not isinstance(refused.value, Unanswered)
    assert "p@ss" not in str(refused.value)
    assert proxy.heads[0].startswith("CONNECT wecom.invalid:443")


async def test_proxies_of_the_environment_are_not_used(wire, clock, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    client = WeComClient(wire.base, CORP, SECRET, MemoryTokens(), clock)
    await client.get("a")
    await client.close()


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that only this bank trusts, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = folder / "ca.pem", folder / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return pem, secret


async def test_a_certificate_of_the_banks_own_is_trusted_only_when_it_is_named(tmp_path, clock):
    pem, key = certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pem, key)

    async def answer(request: web.Request) -> web.Response:
        return web.Response(body=_ANSWER, content_type="application/json")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    address = f"https://localhost:{runner.addresses[0][1]}"
    stranger = WeComClient(address, CORP, SECRET, MemoryTokens(), clock)
    ours = WeComClient(address, CORP, SECRET, MemoryTokens(), clock, tls=trust(str(pem)))
    try:
        with pytest.raises(Retryable, match="Certificate") as refused:
            await stranger.get("user/get")
        assert not refused.value.may_have_arrived
        await ours.get("user/get")
    finally:
        await stranger.close()
        await ours.close()
        await runner.cleanup()


@pytest.mark.parametrize("content", [None, "not a certificate"])
def test_a_bad_certificate_file_is_one_sentence(tmp_path, content):
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError) as refused:
        trust(str(file))
    assert str(file) in str(refused.value)
    assert "ca_file" in str(refused.value)
