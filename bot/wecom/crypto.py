"""Callback signatures and AES, the envelope around them, and the XML inside."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from wechatpy.crypto.base import WeChatCipher
from wechatpy.crypto.pkcs7 import PKCS7Encoder

from bot.errors import CallbackRejected, ConfigError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BODY_BYTES = 64 * 1024
REPLAY_WINDOW_S = 3600.0

_BLOCK = 16
_PREFIX = 16
_LENGTH = 4
_MAX_PADDING = 32
_MAX_DEPTH = 16

_SECONDS = re.compile(r"[0-9]{1,12}")
_AES_KEY = re.compile(r"[0-9A-Za-z]{43}")
_XML_ENVELOPE = re.compile(
    rb"<Encrypt>\s*(?:<!\[CDATA\[)?([0-9A-Za-z+/=]++)(?:\]\]>)?\s*</Encrypt>"
)
_JSON_ENVELOPE = re.compile(rb'"encrypt"\s*:\s*"([0-9A-Za-z+/=\\]++)"')
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

_REPLY = (
    "<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt>"
    "<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
    "<TimeStamp>{timestamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
)


class CallbackCrypto:
    """Signs, checks, locks and unlocks callbacks of one receiver configuration.

    ``receive_id`` is the corp id, for an AI bot the empty string. ``previous`` has the keys that
    were in use before: while they are changed, WeCom's requests come by either. ``setting`` is
    how the names of the two settings begin.
    """

    def __init__(
        self,
        token: str,
        aes_key: str,
        receive_id: str,
        previous: CallbackCrypto | None = None,
        *,
        setting: str = "BOT_WECOM__CALLBACK_",
    ) -> None:
        if not token:
            raise ConfigError(
                f"回调 Token 没有填：请把企业微信后台「接收消息」里的 Token 填到 {setting}TOKEN。"
            )
        if not _AES_KEY.fullmatch(aes_key):
            raise ConfigError(
                "回调 EncodingAESKey 应是 43 位字母或数字，"
                f"现在是 {len(aes_key)} 位或含有其他字符："
                f"请从企业微信后台「接收消息」里重新复制到 {setting}AES_KEY。"
            )
        self._token = token
        self._receive_id = receive_id.encode()
        self._cipher = WeChatCipher(base64.b64decode(aes_key + "="))
        self._live = (self,) if previous is None else (self, previous)

    def sign(self, timestamp: str, nonce: str, encrypted: str) -> str:
        """Return the lower-case hex signature WeCom puts on such a request."""
        parts = sorted((self._token, timestamp, nonce, encrypted))
        # The protocol fixes SHA-1; it is keyed by the token and never used for anything else.
        return hashlib.sha1(_bytes("".join(parts)), usedforsecurity=False).hexdigest()

    def verify(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> None:
        """Raise ``CallbackRejected`` unless the signature is right; takes constant time."""
        if not self._signed(signature, timestamp, nonce, encrypted):
            raise CallbackRejected("signature")

    def decrypt(self, encrypted: str) -> str:
        """Return the text inside; raise ``CallbackRejected`` for whatever is malformed.

        Every failure looks the same from outside, so that nobody learns from the answers.
        """
        try:
            locked = base64.b64decode(encrypted, validate=True)
        except ValueError:
            raise CallbackRejected("base64") from None
        if not locked or len(locked) % _BLOCK:
            raise CallbackRejected("cipher_length")
        content = _unpadded(self._cipher.decrypt(locked))[_PREFIX:]
        if len(content) < _LENGTH:
            raise CallbackRejected("plain_length")
        end = _LENGTH + int.from_bytes(content[:_LENGTH], "big")
        if end > len(content):
            raise CallbackRejected("plain_length")
        if not hmac.compare_digest(content[end:], self._receive_id):
            raise CallbackRejected("receive_id")
        try:
            return content[_LENGTH:end].decode()
        except UnicodeDecodeError:
            raise CallbackRejected("encoding") from None

    def signers(
        self, signature: str, timestamp: str, nonce: str, encrypted: str
    ) -> list[CallbackCrypto]:
        """Return which of the live keys made this signature, the current one first.

        Raise ``CallbackRejected`` where none did. Both did where only the AES key was changed.
        """
        made = [one for one in self._live if one._signed(signature, timestamp, nonce, encrypted)]
        if not made:
            raise CallbackRejected("signature")
        return made

    def _signed(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bool:
        expected = self.sign(timestamp, nonce, encrypted)
        return hmac.compare_digest(_bytes(expected), _bytes(signature))

    def encrypt(
        self, plain: str, nonce: str, timestamp: str, random16: bytes | None = None
    ) -> tuple[str, str]:
        """Return the locked text and its signature; ``random16`` is given only by tests."""
        # The prefix hides equal messages from a listener, so it must not be guessable.
        prefix = secrets.token_bytes(_PREFIX) if random16 is None else random16
        if len(prefix) != _PREFIX:
            raise ValueError("random16 must have 16 bytes")
        message = plain.encode()
        content = prefix + len(message).to_bytes(_LENGTH, "big") + message + self._receive_id
        locked = self._cipher.encrypt(PKCS7Encoder.encode(content))
        encrypted = base64.b64encode(locked).decode()
        return encrypted, self.sign(timestamp, nonce, encrypted)

    def reply_xml(
        self, plain: str, nonce: str, timestamp: str, random16: bytes | None = None
    ) -> str:
        """Return a passive reply: the document WeCom takes as the answer to a callback."""
        encrypted, signature = self.encrypt(plain, nonce, timestamp, random16)
        return _REPLY.format(
            encrypted=encrypted,
            signature=signature,
            timestamp=timestamp,
            nonce=nonce.replace("]]>", ""),
        )

    def reply_json(
        self, plain: str, nonce: str, timestamp: str, random16: bytes | None = None
    ) -> str:
        """Return the answer to a callback of an AI bot (wecom_protocol §2.5)."""
        encrypted, signature = self.encrypt(plain, nonce, timestamp, random16)
        return json.dumps(
            {
                "encrypt": encrypted,
                "msgsignature": signature,
                "timestamp": int(timestamp),
                "nonce": nonce,
            }
        )


def open_envelope(
    body: bytes,
    query: Mapping[str, str],
    crypto: CallbackCrypto,
    now: datetime,
    *,
    replay_window_s: float = REPLAY_WINDOW_S,
) -> str:
    """Return the decrypted text of a callback's POST body, XML or JSON."""
    return open_request(body, query, crypto, now, replay_window_s=replay_window_s)[0]


def open_request(
    body: bytes,
    query: Mapping[str, str],
    crypto: CallbackCrypto,
    now: datetime,
    *,
    replay_window_s: float = REPLAY_WINDOW_S,
) -> tuple[str, CallbackCrypto]:
    """Return the decrypted text of a POST body, and the keys that an answer is locked with.

    Nothing is parsed before the signature has been checked: WeCom's address is public, and a
    parser is the most expensive thing a stranger can make us run.
    """
    if len(body) > MAX_BODY_BYTES:
        raise CallbackRejected("too_large", 413)
    found = _XML_ENVELOPE.search(body) or _JSON_ENVELOPE.search(body)
    if found is None:
        raise CallbackRejected("envelope")
    encrypted = found[1].decode("ascii").replace("\\/", "/")
    return _opened(encrypted, query, crypto, now, replay_window_s)


def open_echo(
    query: Mapping[str, str],
    crypto: CallbackCrypto,
    now: datetime,
    *,
    replay_window_s: float = REPLAY_WINDOW_S,
) -> str:
    """Return what WeCom wants to read back when it verifies the address (GET, ``echostr``)."""
    echostr = query.get("echostr", "")
    if len(echostr) > MAX_BODY_BYTES:
        raise CallbackRejected("too_large", 413)
    if not echostr:
        raise CallbackRejected("echostr")
    return _opened(echostr, query, crypto, now, replay_window_s)[0]


def parse_xml(plain: str) -> dict[str, object]:
    """Return the children of the root: strings, dicts, and lists where a name is repeated.

    DTDs and entities are refused with ``CallbackRejected``; attributes are not kept.
    """
    try:
        # Members can type control characters, which WeCom passes on although XML forbids them.
        root = fromstring(_NOT_XML.sub("", plain), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise CallbackRejected("xml") from None
    value = _value(root, _MAX_DEPTH)
    if not isinstance(value, dict):
        raise CallbackRejected("xml")
    return value


def listed(value: object) -> list[object]:
    """Return what ``parse_xml`` gave for a repeatable element as a list; empty when absent."""
    if value is None or value == "":
        return []
    return list(value) if isinstance(value, list) else [value]


def _opened(
    encrypted: str,
    query: Mapping[str, str],
    crypto: CallbackCrypto,
    now: datetime,
    replay_window_s: float,
) -> tuple[str, CallbackCrypto]:
    timestamp = query.get("timestamp", "")
    if not _SECONDS.fullmatch(timestamp):
        raise CallbackRejected("timestamp")
    signers = crypto.signers(
        query.get("msg_signature", ""), timestamp, query.get("nonce", ""), encrypted
    )
    if abs(now.timestamp() - int(timestamp)) > replay_window_s:
        raise CallbackRejected("replay_window")
    for signer in signers[:-1]:
        with suppress(CallbackRejected):
            return signer.decrypt(encrypted), signer
    return signers[-1].decrypt(encrypted), signers[-1]


def _unpadded(padded: bytes) -> bytes:
    size = padded[-1]
    if not 1 <= size <= min(_MAX_PADDING, len(padded)):
        raise CallbackRejected("padding")
    if padded[-size:] != bytes([size]) * size:
        raise CallbackRejected("padding")
    return padded[:-size]


def _value(element: Element, depth: int) -> str | dict[str, object]:
    if not len(element):
        return element.text or ""
    if not depth:
        raise CallbackRejected("xml_depth")
    found: dict[str, list[object]] = {}
    for child in element:
        found.setdefault(child.tag, []).append(_value(child, depth - 1))
    return {tag: values if len(values) > 1 else values[0] for tag, values in found.items()}


def _bytes(text: str) -> bytes:
    # A query may hold characters UTF-8 cannot carry; they must fail the comparison, not crash it.
    return text.encode(errors="backslashreplace")
