"""What every API group of the local WeCom is made of: a call, its typed readers, its errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from aiohttp import web

from bot.emulator.errcodes import text_of

if TYPE_CHECKING:
    from bot.emulator.world import World

BAD_PARAMETER = 40058


class ApiError(Exception):
    """An API call is refused with WeCom's own error code; the note says more than its text."""

    def __init__(self, errcode: int, note: str = "") -> None:
        self.errcode = errcode
        self.note = note
        super().__init__(f"{errcode}: {note or text_of(errcode)}")

    def body(self, hint: str) -> dict[str, object]:
        """Return the answer in WeCom's shape; ``hint`` is the trace id of the call."""
        text = text_of(self.errcode) + (f", {self.note}" if self.note else "")
        link = f"https://open.work.weixin.qq.com/devtool/query?e={self.errcode}"
        errmsg = f"{text}, hint: [{hint}], from ip: 127.0.0.1, more info at {link}"
        return {"errcode": self.errcode, "errmsg": errmsg}


@dataclass(frozen=True)
class Call:
    """One API call as it came in, with the app its token belongs to (0 without a token)."""

    body: dict[str, object]
    query: Mapping[str, str]
    corp_id: str
    agent_id: int
    request: web.Request | None = None
    """The request itself, for uploads and downloads; nothing where no HTTP call is behind it."""

    def text(
        self,
        key: str,
        *,
        required: bool = True,
        max_bytes: int | None = None,
        code: int = BAD_PARAMETER,
    ) -> str:
        """Return a string of the body, "" if it may be absent; refuse with ``code``."""
        value = self.body.get(key)
        if value is None or value == "":
            if required:
                raise ApiError(code, f"missing {key}")
            return ""
        if not isinstance(value, str):
            raise ApiError(BAD_PARAMETER, f"{key} must be a string")
        if max_bytes is not None and len(value.encode()) > max_bytes:
            raise ApiError(code, f"{key} is longer than {max_bytes} bytes")
        return value

    def integer(
        self,
        key: str,
        default: int | None = None,
        *,
        low: int | None = None,
        high: int | None = None,
        code: int = BAD_PARAMETER,
    ) -> int:
        """Return a whole number of the body; without a default it is required."""
        value = self.body.get(key, default)
        if value is None:
            raise ApiError(code, f"missing {key}")
        if isinstance(value, bool) or not isinstance(value, int):
            raise ApiError(BAD_PARAMETER, f"{key} must be an integer")
        if (low is not None and value < low) or (high is not None and value > high):
            raise ApiError(code, f"{key} is out of range")
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """Return a yes or no of the body, written as 0/1 or false/true."""
        value = self.body.get(key, default)
        if value not in (0, 1, False, True):
            raise ApiError(BAD_PARAMETER, f"{key} must be 0 or 1")
        return bool(value)

    def strings(
        self,
        key: str,
        max_items: int | None = None,
        *,
        required: bool = False,
        code: int = BAD_PARAMETER,
    ) -> list[str]:
        """Return a list of strings of the body, empty if it may be absent."""
        items = self._list(key, max_items, required, code)
        if not all(isinstance(item, str) for item in items):
            raise ApiError(BAD_PARAMETER, f"{key} must be a list of strings")
        return cast("list[str]", items)

    def objects(
        self,
        key: str,
        max_items: int | None = None,
        *,
        required: bool = False,
        code: int = BAD_PARAMETER,
    ) -> list[dict[str, object]]:
        """Return a list of JSON objects of the body, empty if it may be absent."""
        items = self._list(key, max_items, required, code)
        if not all(isinstance(item, dict) for item in items):
            raise ApiError(BAD_PARAMETER, f"{key} must be a list of objects")
        return cast("list[dict[str, object]]", items)

    def obj(
        self, key: str, *, required: bool = True, code: int = BAD_PARAMETER
    ) -> dict[str, object]:
        """Return a JSON object of the body, empty if it may be absent."""
        value = self.body.get(key)
        if value is None:
            if required:
                raise ApiError(code, f"missing {key}")
            return {}
        if not isinstance(value, dict):
            raise ApiError(BAD_PARAMETER, f"{key} must be an object")
        return value

    def inside(self, key: str, *, required: bool = True, code: int = BAD_PARAMETER) -> Call:
        """Return the same call with the object at ``key`` as its body."""
        return self.of(self.obj(key, required=required, code=code))

    def of(self, body: dict[str, object]) -> Call:
        """Return the same call with another body, to read a nested object."""
        return replace(self, body=body)

    def short(
        self, key: str, longest: int, *, required: bool = False, code: int = BAD_PARAMETER
    ) -> str:
        """Return a string of at most ``longest`` characters, "" if it may be absent."""
        text = self.text(key, required=required, code=code)
        if len(text) > longest:
            raise ApiError(code, f"{key} is longer than {longest} characters")
        return text

    def numbers(
        self, key: str, max_items: int | None = None, *, code: int = BAD_PARAMETER
    ) -> list[int]:
        """Return a list of whole numbers of the body, empty if it is absent."""
        items = self._list(key, max_items, False, code)
        if any(isinstance(item, bool) or not isinstance(item, int) for item in items):
            raise ApiError(BAD_PARAMETER, f"{key} must be a list of integers")
        return cast("list[int]", items)

    @property
    def http(self) -> web.Request:
        """The HTTP request behind this call."""
        if self.request is None:
            raise ApiError(BAD_PARAMETER, "this call has no request")
        return self.request

    def param(self, key: str, *, required: bool = True, code: int = BAD_PARAMETER) -> str:
        """Return a value of the query string, "" if it may be absent."""
        value = self.query.get(key, "")
        if required and not value:
            raise ApiError(code, f"missing {key}")
        return value

    def _list(self, key: str, max_items: int | None, required: bool, code: int) -> list[object]:
        value = self.body.get(key)
        if value is None or value == []:
            if required:
                raise ApiError(code, f"missing {key}")
            return []
        if not isinstance(value, list):
            raise ApiError(BAD_PARAMETER, f"{key} must be a list")
        if max_items is not None and len(value) > max_items:
            raise ApiError(code, f"{key} has more than {max_items} items")
        return value


def inner_call(body: dict[str, object]) -> Call:
    """Return a call that only holds a body, to read what came some other way than by HTTP."""
    return Call(body, {}, "", 0)


Answer = dict[str, object] | web.StreamResponse
"""What a handler returns: the fields besides errcode and errmsg, or a finished response (files)."""

Handler = Callable[["World", Call], Awaitable[Answer]]


@dataclass(frozen=True)
class Api:
    """One route: below ``/cgi-bin/`` in ``APIS``, below ``/emulator/`` in ``CONTROLS``."""

    method: str
    path: str
    handler: Handler
    token: bool = True
