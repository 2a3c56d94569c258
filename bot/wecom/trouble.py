"""Says in the log, once a minute, why WeCom does not work for us and what to do about it."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.errors import BotError, Retryable, WeComError
from bot.log import logger
from bot.ports import Clock
from bot.wecom.errcodes import classify

log = logger(__name__)
_TELL_EVERY = timedelta(minutes=1)
_NOBODY_NEED_ACT = frozenset({"retry", "rate", "give_up"})
_NO_WAY = (
    "连不上企业微信：请检查 [wecom] api_base 的地址、服务器能不能出网、"
    "[wecom] proxy 和 ca_file；连上以后会自动接着办。"
)


class Trouble:
    """What stays in the way until a person has changed something: a setting, a box, the network."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told_at: dict[str, datetime] = {}

    def note(self, api: str, error: BotError) -> None:
        """Tell of an error that a person has to mend; others are the business of the caller."""
        if isinstance(error, WeComError):
            if classify(error.errcode) in _NOBODY_NEED_ACT:
                return
            if self._is_news(str(error.errcode)):
                log.error("wecom_refused", api=api, errcode=error.errcode, hint=error.hint)
        elif isinstance(error, Retryable) and self._is_news("unreachable"):
            log.warning("wecom_unreachable", api=api, reason=error.reason, hint=_NO_WAY)

    def _is_news(self, what: str) -> bool:
        now = self._clock.now()
        told_at = self._told_at.get(what)
        if told_at is not None and now - told_at < _TELL_EVERY:
            return False
        self._told_at[what] = now
        return True
