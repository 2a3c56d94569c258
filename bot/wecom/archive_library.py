"""WeCom's native library for 会话内容存档, by ctypes: only ever loaded in a process of its own.

wecom_protocol §8.1. The library is WeCom's and comes from its site; nothing of it is here. It
decrypts what it pulled with a key that only the bank's RSA private key can unlock.
"""

from __future__ import annotations

import base64
import ctypes
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

MAX_LIMIT = 1000
_NOT_READ = 10003  # the library's own code for an answer that it could not read
_TEXT = ctypes.c_char_p
_HANDLE = ctypes.c_void_p
_SIGNATURES: Mapping[str, tuple[object, tuple[object, ...]]] = {
    "NewSdk": (_HANDLE, ()),
    "DestroySdk": (None, (_HANDLE,)),
    "Init": (ctypes.c_int, (_HANDLE, _TEXT, _TEXT)),
    "GetChatData": (
        ctypes.c_int,
        (_HANDLE, ctypes.c_ulonglong, ctypes.c_uint, _TEXT, _TEXT, ctypes.c_int, _HANDLE),
    ),
    "DecryptData": (ctypes.c_int, (_TEXT, _TEXT, _HANDLE)),
    "NewSlice": (_HANDLE, ()),
    "FreeSlice": (None, (_HANDLE,)),
    "GetContentFromSlice": (_HANDLE, (_HANDLE,)),
    "GetSliceLen": (ctypes.c_int, (_HANDLE,)),
}


class LibraryUnusable(Exception):
    """The library or a key cannot be used; the text says which file and why, in Chinese."""


class LibraryRefused(Exception):
    """A call of the library returned a code other than 0."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(str(code))


@dataclass(frozen=True)
class LibraryOrder:
    """How the library is opened; ``keys`` are PEM files by the version of their public key."""

    library: str
    corp_id: str
    secret: str
    keys: Mapping[str, str]
    proxy: str = ""
    proxy_password: str = ""
    timeout_s: int = 10


class ArchiveLibrary:
    """The library, opened for one corp; not safe to be used by two threads at once."""

    def __init__(self, order: LibraryOrder) -> None:
        self._order = order
        self._keys = {version: _key(file) for version, file in order.keys.items()}
        self._library = _loaded(order.library)
        self._sdk = self._library.NewSdk()
        code = self._library.Init(self._sdk, order.corp_id.encode(), order.secret.encode())
        if code:
            raise LibraryRefused(code)

    def pull(self, seq: int, limit: int) -> list[dict[str, object]]:
        """Return messages after ``seq``: seq, msgid, and message, or error where it is unreadable.

        Raise ``LibraryRefused`` where the pull itself fails.
        """
        order = self._order
        raw = self._in_slice(
            "GetChatData",
            self._sdk,
            seq,
            min(limit, MAX_LIMIT),
            order.proxy.encode(),
            order.proxy_password.encode(),
            order.timeout_s,
        )
        try:
            answer = json.loads(raw)
            items = list(answer.get("chatdata") or ())
        except (ValueError, AttributeError, TypeError):
            raise LibraryRefused(_NOT_READ) from None
        if answer.get("errcode"):
            raise LibraryRefused(int(answer["errcode"]))
        return [self._opened(item) for item in items]

    def close(self) -> None:
        """Give the library's memory back."""
        self._library.DestroySdk(self._sdk)

    def _opened(self, item: Mapping[str, object]) -> dict[str, object]:
        """Open one message; one that cannot be read must not hold up those behind it."""
        found: dict[str, object] = {"seq": item.get("seq"), "msgid": item.get("msgid", "")}
        version = str(item.get("publickey_ver", ""))
        key = self._keys.get(version)
        if key is None:
            return found | {"error": f"key_{version}_missing"}
        try:
            random_key = key.decrypt(
                base64.b64decode(str(item.get("encrypt_random_key", ""))), PKCS1v15()
            )
            words = self._in_slice(
                "DecryptData", random_key, str(item.get("encrypt_chat_msg", "")).encode()
            )
            message = json.loads(words)
        except (ValueError, LibraryRefused) as error:
            return found | {"error": f"not_decrypted_{type(error).__name__}"}
        return found | {"message": message}

    def _in_slice(self, name: str, *arguments: object) -> bytes:
        """Call a function that fills a slice, and return what it filled in."""
        library, piece = self._library, self._library.NewSlice()
        try:
            code = getattr(library, name)(*arguments, piece)
            if code:
                raise LibraryRefused(code)
            content = library.GetContentFromSlice(piece)
            return ctypes.string_at(content, library.GetSliceLen(piece)) if content else b"{}"
        finally:
            library.FreeSlice(piece)


def _loaded(path: str) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _SIGNATURES.items():
            function = getattr(library, name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise LibraryUnusable(
            f"会话存档的库 {path} 打不开：{error}。"
            "请核对 [archive] library 的路径，并用和这台机器同一架构的版本。"
        ) from None
    return library


def _key(file: str) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(Path(file).read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise LibraryUnusable(
            f"会话存档的私钥 {file} 读不了({type(error).__name__})。"
            "请核对 [archive.keys] 里的路径；要不带口令的 PEM。"
        ) from None
    if not isinstance(key, RSAPrivateKey):
        raise LibraryUnusable(f"会话存档的私钥 {file} 不是 RSA 的。请换成和公钥配对的那一个。")
    return key
