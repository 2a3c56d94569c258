"""Structured logs: an event name in the past tense and fields, personal numbers masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

# A Han character counts as a word character, so a word boundary would miss numbers after one.
_NUMBERS = re.compile(
    r"(?<!\d)(\d{17}[\dXx]|\d{16,19}|(?:86)?1[3-9]\d{9}"
    r"|\d{4}(?:[ -]\d{4}){3}(?:[ -]?\d{1,3})?|1[3-9]\d[ -]\d{4}[ -]\d{4}"
    r"|\d{6}[ -]\d{8}[ -]\d{3}[\dXx])(?!\d)"
)
_SECRETS = frozenset({"secret", "token", "access_token", "aes_key", "api_key", "password"})


def mask_numbers(text: str) -> str:
    """Hide identity card, bank card and mobile numbers but for their last four characters."""
    return _NUMBERS.sub(lambda match: "*" * 4 + match.group()[-4:], text)


def _mask(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key in _SECRETS:
            event[key] = "***"
        else:
            event[key] = _masked(value)
    return event


def _masked(value: object) -> object:
    """Hide the numbers in a field, and in what a list or a mapping of it holds."""
    if isinstance(value, str):
        return mask_numbers(value)
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    return value


class _ErrorOutput:
    """The standard error of the moment: tests and terminals put others in its place.

    Where its disk is full, a line is lost and nothing of the work.
    """

    def write(self, text: str) -> int:
        with suppress(OSError):
            return sys.stderr.write(text)
        return 0

    def flush(self) -> None:
        with suppress(OSError):
            sys.stderr.flush()


def set_up_logs(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send logs to standard error, as lines for people or as JSON for machines."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _mask,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _ErrorOutput())),
        cache_logger_on_first_use=False,
    )


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(module=name)
    return bound
