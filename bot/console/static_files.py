"""The page's own files, read once; a name is looked up, never opened."""

from __future__ import annotations

import hashlib
from pathlib import Path

from aiohttp import web

_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
}
_TEXT = (".css", ".js", ".svg")
_FOR_EVER = "public, max-age=31536000, immutable"


class StaticFiles:
    """The files of folders by their names, under a path that changes with what is in them."""

    def __init__(self, *folders: Path) -> None:
        every = (path for folder in folders for path in folder.glob("*"))
        found = sorted(path for path in every if path.suffix in _TYPES)
        self._files = {path.name: path.read_bytes() for path in found}
        digest = hashlib.sha256()
        for name, data in self._files.items():
            digest.update(f"{name}:{len(data)}:".encode() + data)
        self.edition = digest.hexdigest()[:12]

    def answer(self, request: web.Request, headers: dict[str, str]) -> web.Response:
        """Answer with a file; 404 for a name that is not among them.

        One of another edition, which an open page may still ask for, is not kept for ever.
        """
        name = request.match_info["file"]
        data = self._files.get(name)
        if data is None:
            raise web.HTTPNotFound(headers=headers)
        kind = Path(name).suffix
        current = request.match_info["edition"] == self.edition
        charset = "utf-8" if kind in _TEXT else None
        return web.Response(
            body=data,
            content_type=_TYPES[kind],
            charset=charset,
            headers=headers | {"Cache-Control": _FOR_EVER if current else "no-cache"},
        )
