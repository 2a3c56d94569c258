"""What a command that failed says to the person in front of it."""

from __future__ import annotations

from bot.errors import BotError, ConfigError, DatabaseFailed, Retryable, WeComError

_DATABASE = {
    "unreachable": "连不上数据库，或连接断了：请检查它在不在运行、[database] url 和网络。",
    "full": "数据库写不进去，多半是磁盘满了：请腾出空间。",
    "read_only": "数据库现在只能读：请检查文件的权限，或数据库有没有切换到备机。",
    "conflict": "数据库正忙，这一次没有做成：请再运行一次。",
    "timeout": "数据库太久没有回应，这一次没有做成：请看看它忙不忙，再运行一次。",
}

# What failed stands before the colon of a reason; what is not here is WeCom.
_OTHERS = {
    "embeddings endpoint": (
        "向量接口没有好好回答({why})：请检查 [embedding] 的 base_url、model 和密钥，"
        "以及那台服务器在不在运行，再运行一次。"
    ),
    "reranker": "重排接口没有好好回答({why})：请检查 [rerank] 的 base_url 和密钥，再运行一次。",
    "chat model": "大模型没有好好回答({why})：请检查 [llm] 的 base_url、model 和密钥，再运行一次。",
    "chroma": "索引读写不了({why})：请检查 [knowledge] 的 folder，或 Chroma 服务器在不在运行。",
    "vector file": "存向量的文件读写不了({why})：请看看磁盘满没满、能不能写，再运行一次。",
}


def in_words(error: BotError) -> str:
    """Return what went wrong and what to do, in Chinese."""
    if isinstance(error, ConfigError):
        return str(error)
    if isinstance(error, DatabaseFailed):
        return _DATABASE.get(error.reason, f"数据库出错({error.reason})，这一次没有做成。")
    refused = error if isinstance(error, WeComError) else error.__cause__
    if isinstance(refused, WeComError):
        mend = refused.hint or "请在企业微信的错误码查询页里查它的意思。"
        return f"企业微信没有答应，错误码 {refused.errcode}：{mend}"
    if isinstance(error, Retryable):
        whose, _, why = error.reason.partition(": ")
        if whose in _OTHERS:
            return _OTHERS[whose].format(why=why)
        return (
            f"没有连上企业微信，或它没有回答({error.reason})。请检查 [wecom] api_base 的地址、"
            "服务器能不能出网、[wecom] proxy 和 ca_file，再运行一次。"
        )
    return str(error)
