"""The archive as WeCom's native library gives it: sealed messages, and files in pieces (§8.1).

What stands in ``chatdata`` is WeCom's: ``encrypt_random_key`` is a random key under the public
key of ``publickey_ver`` (RSA, PKCS #1 v1.5, base64), ``encrypt_chat_msg`` the message under that
random key. How the library does the second is not public, so the scheme here is our own:

* the random key is 64 lower-case hex digits, which stand for 32 bytes;
* ``encrypt_chat_msg`` is base64 of 12 bytes of nonce and ChaCha20 (RFC 8439, counter from 0) of
  the four bytes ``ZL1\\n`` and the message's JSON in UTF-8. A key that does not fit shows in the
  four bytes.

Files come in pieces of 512 KB: the body is the piece, ``X-Out-Index-Buf`` goes into the next
call as ``indexbuf``, ``X-Is-Finish`` is 1 with the last piece.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from bot.emulator import archive
from bot.emulator.wire import ApiError

if TYPE_CHECKING:
    from bot.emulator.world import World

PIECE = 512 * 1024
MARK = b"ZL1\n"
BAD_FILE_ID, EXPIRED, NO_KEY = 10006, 10011, 10008
_RANGE = re.compile(r"Range:bytes=(\d+)-")


def load_key(pem: str) -> RSAPublicKey:
    """Return an RSA public key of at least 2048 bits; refuse anything else."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ApiError(40058, "not a public key in PEM") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < 2048:
        raise ApiError(40058, "the key must be RSA with 2048 bits or more")
    return key


def seal(key: RSAPublicKey, message: Mapping[str, object]) -> tuple[str, str]:
    """Return ``encrypt_random_key`` and ``encrypt_chat_msg`` of a message."""
    random_key = secrets.token_hex(32)
    nonce = secrets.token_bytes(12)
    plain = MARK + json.dumps(message, ensure_ascii=False).encode()
    locked = nonce + _chacha(random_key, nonce, plain)
    locked_key = key.encrypt(random_key.encode(), PKCS1v15())
    return base64.b64encode(locked_key).decode(), base64.b64encode(locked).decode()


def unseal(random_key: str, encrypt_chat_msg: str) -> dict[str, object]:
    """Return the message under a random key; raise ``ValueError`` if the key does not fit."""
    locked = base64.b64decode(encrypt_chat_msg)
    plain = _chacha(random_key, locked[:12], locked[12:])
    if not plain.startswith(MARK):
        raise ValueError("the key does not fit")
    message: dict[str, object] = json.loads(plain[len(MARK) :])
    return message


def _chacha(random_key: str, nonce: bytes, data: bytes) -> bytes:
    counter = bytes(4)
    cipher = Cipher(ChaCha20(bytes.fromhex(random_key), counter + nonce), mode=None)
    return cipher.encryptor().update(data)


def routes(world: World) -> list[web.RouteDef]:
    """Return the sealed form of the archive, to be mounted beside ``/cgi-bin``."""

    async def sealed(request: web.Request) -> web.StreamResponse:
        try:
            entries = archive.asked(world, request)
            chatdata = [_sealed(world, entry) for entry in entries]
        except ApiError as error:
            return web.json_response(error.body(f"archive_{world.timestamp()}"))
        return web.json_response({"errcode": 0, "errmsg": "ok", "chatdata": chatdata})

    async def media(request: web.Request) -> web.StreamResponse:
        try:
            archive.admit(world, request)
            return _piece(world, request)
        except ApiError as error:
            return web.json_response(error.body(f"archive_{world.timestamp()}"))

    return [web.get("/archive/sealed", sealed), web.get("/archive/media", media)]


def _sealed(world: World, entry: archive.Entry) -> dict[str, object]:
    pem = world.archive.public_keys.get(entry.key_version)
    if pem is None:
        raise ApiError(NO_KEY, f"no public key of version {entry.key_version}")
    random_key, message = seal(load_key(pem), entry.message)
    return {
        "seq": entry.seq,
        "msgid": entry.msgid,
        "publickey_ver": entry.key_version,
        "encrypt_random_key": random_key,
        "encrypt_chat_msg": message,
    }


def _piece(world: World, request: web.Request) -> web.Response:
    data = _file(world, request.query.get("sdkfileid", ""))
    indexbuf = request.query.get("indexbuf", "")
    found = _RANGE.match(indexbuf)
    if indexbuf and found is None:
        raise ApiError(BAD_FILE_ID, "indexbuf")
    start = int(found[1]) if found else 0
    if start and start >= len(data):
        raise ApiError(BAD_FILE_ID, "indexbuf is behind the end")
    stop = min(start + PIECE, len(data))
    is_finish = stop == len(data)
    following = "" if is_finish else f"Range:bytes={stop}-{min(stop + PIECE, len(data)) - 1}"
    headers = {"X-Out-Index-Buf": following, "X-Is-Finish": str(int(is_finish))}
    return web.Response(body=data[start:stop], headers=headers)


def _file(world: World, sdkfileid: str) -> bytes:
    known = world.archive.files.get(sdkfileid) or world.media.ever(sdkfileid)
    if known is None:
        raise ApiError(BAD_FILE_ID)
    data, at = known
    if at + timedelta(days=archive.RETENTION.days) < world.now():
        raise ApiError(EXPIRED)
    return data
