"""A bank's archive on disk, locked as WeCom locks it, and a library that opens it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from bot.wecom.archive_library import LibraryOrder

CORP = "ww0000zhilin000000"
_SOURCE = Path(__file__).with_name("finance_sdk.c")


def build_library(folder: Path) -> Path:
    """Compile the stand-in for WeCom's library."""
    built = folder / "libfinance.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(built), str(_SOURCE)], check=True)
    return built


@dataclass
class NativeArchive:
    """Messages as files that the library reads, each locked under a version of the key."""

    folder: Path
    library: Path
    public: dict[str, rsa.RSAPublicKey] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    last: int = 0

    def new_key(self, version: str) -> None:
        """Make a pair; its private half lies in a PEM file."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = private.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        file = self.folder / f"key{version}.pem"
        file.write_bytes(pem)
        self.public[version], self.keys[version] = private.public_key(), str(file)

    def order(self, **changes: object) -> LibraryOrder:
        """Return how the library is opened on this archive."""
        values: dict[str, object] = {
            "library": str(self.library),
            "corp_id": CORP,
            "secret": str(self.folder),
            "keys": self.keys,
            "timeout_s": 2,
        }
        return LibraryOrder(**(values | changes))  # type: ignore[arg-type]

    def add(self, message: Mapping[str, object], version: str = "1") -> int:
        """Put a message there, locked; return its number."""
        self.last += 1
        key = f"k{self.last:031d}"
        locked = self.public[version].encrypt(key.encode(), PKCS1v15())
        item = {
            "seq": self.last,
            "msgid": f"m{self.last}",
            "publickey_ver": int(version),
            "encrypt_random_key": base64.b64encode(locked).decode(),
            "encrypt_chat_msg": f"{key}:{json.dumps(message, ensure_ascii=False)}",
        }
        self._write(item)
        return self.last

    def spoil(self, seq: int) -> None:
        """Damage a message that is there."""
        file = self.folder / f"{seq}.json"
        item = json.loads(file.read_text("utf-8"))
        file.write_text(json.dumps(item | {"encrypt_chat_msg": "???"}), "utf-8")

    def trouble(self, kind: str, *, on: bool = True) -> None:
        """Let pulls fail: crash, busy, other_ip."""
        if on:
            (self.folder / kind).touch()
        else:
            (self.folder / kind).unlink()

    def _write(self, item: Mapping[str, object]) -> None:
        text = json.dumps(item, ensure_ascii=False)
        (self.folder / f"{item['seq']}.json").write_text(text, "utf-8")


def group_words(text: str, *, msgtype: str = "text", sender: str = "wmLi") -> dict[str, object]:
    """Return a message of a group as the library gives it."""
    words: dict[str, object] = {"content": text} if msgtype == "text" else {"sdkfileid": text}
    return {
        "msgid": "m",
        "action": "send",
        "from": sender,
        "tolist": ["li.min"],
        "roomid": "wrA",
        "msgtime": 1_760_000_000_000,
        "msgtype": msgtype,
        msgtype: words,
    }
