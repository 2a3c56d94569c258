"""What a command says when WeCom or the database fails it: Chinese, with what to do."""

from __future__ import annotations

import pytest

from bot.cli.failures import in_words
from bot.errors import BotError, ConfigError, DatabaseFailed, Retryable, WeComError


def caused(error: BotError, cause: BaseException) -> BotError:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConfigError("缺一项。"), "缺一项。"),
        (DatabaseFailed("full"), "磁盘满"),
        (DatabaseFailed("read_only"), "只能读"),
        (DatabaseFailed("conflict"), "再运行一次"),
        (WeComError(60020, "ip", "加上地址。"), "错误码 60020：加上地址。"),
        (caused(Retryable("wecom_40001"), WeComError(40001, "", "改 Secret。")), "改 Secret。"),
        (Retryable("no connection to WeCom"), "[wecom] proxy"),
        (caused(Retryable("no connection to WeCom"), OSError()), "没有连上企业微信"),
        (caused(Retryable("embeddings endpoint: APIConnectionError"), OSError()), "[embedding]"),
        (Retryable("reranker: http 500"), "[rerank]"),
        (Retryable("chat model: too slow"), "大模型没有好好回答(too slow)"),
        (Retryable("chroma: InternalError"), "[knowledge]"),
        (Retryable("vector file: disk I/O error"), "磁盘满没满"),
    ],
)
def test_a_failure_says_what_to_do(error: BotError, words: str) -> None:
    assert words in in_words(error)
