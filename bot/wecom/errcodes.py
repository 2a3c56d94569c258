"""What WeCom's error codes mean for us: what to do next, and what to tell the bank's IT."""

from __future__ import annotations

import re
from typing import Literal

from bot.errors import ChannelError, Retryable, Undeliverable, WeComError

Action = Literal["retry", "refresh", "give_up", "misconfigured", "rate"]
"""What to do about a code; ``misconfigured`` waits until a person has changed something."""

_REFRESH = frozenset({40001, 40014, 42001})
_RETRY = frozenset({-1, 6000, 41063, 41096, 45033})
_RATE = frozenset({45009})
_MISCONFIGURED = frozenset(
    {
        *(40013, 40056, 40091, 41002, 41004, 41011, 43009, 43012),
        *(48001, 48002, 48004, 48005, 48006, 48007, 50002, 50003),
        *(60011, 60020, 60021, 81017, 84074),
        *(95003, 95011, 95012, 95017, 95023, 95032),
        *(301042, 301052, 301053, 701008),
    }
)
_AFTER_S: dict[Action, float] = {
    "retry": 5.0,
    "refresh": 60.0,
    "rate": 60.0,
    "misconfigured": 300.0,
}

_ADDRESS = re.compile(r"from ip:?\s*\[?([0-9A-Fa-f.:]+[0-9A-Fa-f])", re.IGNORECASE)
_ERRMSG_CHARS = 300

_CONTACT_APPS = "「客户联系 → 可调用接口的应用」"
_KF_APPS = "「微信客服 → 可调用接口的应用」"

_HINTS: dict[int, str] = {
    -1: "企业微信繁忙，稍后会自动再试。",
    6000: "数据刚被别人改过，稍后会自动再试。",
    40001: (
        "Secret 不对或应用已停用：请在管理后台应用详情里重新查看 Secret，填到 BOT_WECOM__SECRET。"
    ),
    40003: "成员账号不存在：请核对通讯录里的账号（userid）。",
    40007: "素材已过期（只保存 3 天）或编号不对：重新上传后再发。",
    40013: "企业 ID 不对：请从管理后台「我的企业」页底部复制，填到 BOT_WECOM__CORP_ID。",
    40014: "访问凭证无效，重新获取后仍被拒绝：请核对企业 ID 与 Secret 是否属于同一个应用。",
    40031: "接收人里有不合法的成员账号：请核对通讯录。",
    40056: "应用编号不对：请从应用详情页复制 AgentId，填到 BOT_WECOM__AGENT_ID。",
    40058: "请求参数不合规格（内容过长、缺必填项，或消息编号用过）。",
    40091: "Secret 属于另一个企业：请核对 BOT_WECOM__CORP_ID 与 BOT_WECOM__SECRET。",
    40096: "外部联系人编号不对，或他不是本企业的客户。",
    41047: "群发编号不对或不是本应用创建的。",
    41048: "没有可以发送的客户：名单里的人都不是发送成员的客户，或群不属于该群主。",
    41050: "欢迎语已超过 20 秒或凭证已用过，不能再发。",
    41051: "已经开始聊天或已发过欢迎语，不需要再发。",
    41053: "客户尚未同意会话存档，不能发送。",
    41054: "成员还没有激活企业微信：请提醒他登录一次。",
    41055: "入群欢迎语素材已满：请在后台删除不用的。",
    41063: "群发任务还在生成，稍后再查。",
    41064: "附件太多：最多 9 个。",
    41065: "附件类型不支持。",
    41093: "这条群发任务已经取消过。",
    41094: "提醒太频繁：同一任务 24 小时内最多提醒 3 次。",
    41096: "另一个应用正在发送欢迎语，稍后再试。",
    42001: "访问凭证已过期，重新获取后仍被拒绝：请检查服务器时间是否准确。",
    43009: "企业尚未认证：请在管理后台完成企业认证。",
    45002: "内容太长。",
    45009: "调用太频繁，已被限流：会等限流时段过去再试；若常出现，请减少群发和同步的频率。",
    45033: "同时调用太多，稍后会自动再试。",
    48001: "应用没有这个接口的权限：请在管理后台为应用开通。",
    48002: (
        "应用没有调用权限：请管理员把本应用加到"
        f"{_CONTACT_APPS}和{_KF_APPS}，并确认成员在应用可见范围内。"
    ),
    48007: (
        "这个客服账号没有授权给本应用：请在管理后台「微信客服 → 通过API管理微信客服账号」里勾选它。"
    ),
    50002: "成员不在应用可见范围内：请在应用详情里扩大可见范围。",
    50003: "应用已被停用：请在管理后台启用。",
    60011: "应用无权访问该成员、部门或标签：请检查应用可见范围。",
    60021: "成员不在应用可见范围内：请在应用详情里扩大可见范围。",
    60111: "成员账号不存在：请核对通讯录里的账号（userid）。",
    60140: "这张卡片的更新凭证已用过或超过 72 小时，不能再更新。",
    81013: "接收人全部无效，或都不在应用可见范围内：请检查可见范围与成员账号。",
    81017: "可见成员超过 1000 人：查询客户群时要按群主分批。",
    82001: "没有指定接收人。",
    84061: "成员与这位客户没有（或已不再有）好友关系。",
    84074: f"没有外部联系人权限：请给成员开通客户联系，并把本应用加到{_CONTACT_APPS}。",
    84084: "该成员不是这位客户的跟进人。",
    95000: "客服账号编号不对：请核对 open_kfid。",
    95001: "客户上次发言后已发满 5 条，要等客户再发消息。",
    95002: "距客户上次发言已超过 48 小时，要等客户再发消息。",
    95003: "接待人数已到上限：未认证企业请先完成认证。",
    95004: "客服账号不存在或已删除。",
    95007: "拉取消息的凭证已过期（10 分钟），会改用不带凭证的方式拉取。",
    95013: "会话已结束，要等客户再发消息。",
    95014: "该成员不是这个客服账号的接待人员，或尚未激活。",
    95016: "当前会话状态不允许这样变更。",
    95017: ("客服的 API 功能没有打开：请在管理后台「微信客服 → 通过API管理微信客服账号」打开。"),
    95018: "会话已由人工接待或已结束，程序不能再发消息。",
    95019: "接待人员已停止接待或暂时挂起：请换一位，或请他恢复接待。",
    95030: "客服组件不允许发送这种消息。",
    301042: "本机地址不在会话存档的可信 IP 里：请在管理后台「会话内容存档」里添加。",
    301052: "会话内容存档已到期：请续费。",
    301053: "企业没有开通会话内容存档。",
}


def classify(errcode: int) -> Action:
    """Tell what to do about a non-zero code; unknown ones are given up, never repeated."""
    if errcode in _REFRESH:
        return "refresh"
    if errcode in _RETRY:
        return "retry"
    if errcode in _RATE:
        return "rate"
    return "misconfigured" if errcode in _MISCONFIGURED else "give_up"


def hint_for(errcode: int, errmsg: str = "") -> str:
    """Return one Chinese sentence on what to do about a code, "" for a code we cannot explain."""
    if errcode == 60020:
        return _address_hint(errmsg)
    return _HINTS.get(errcode, "")


def wecom_error(errcode: int, errmsg: str) -> WeComError:
    """Return the exception for an answer of WeCom's, with its hint."""
    return WeComError(errcode, errmsg[:_ERRMSG_CHARS], hint_for(errcode, errmsg))


def as_channel_error(error: WeComError) -> ChannelError:
    """Return what a sender raises for a code: ``Undeliverable`` or ``Retryable`` with its wait.

    The reason is ``wecom_CODE``. A misconfiguration is retryable, slowly: what customers are owed
    must not be dropped because somebody has to tick a box first.
    """
    action = classify(error.errcode)
    reason = f"wecom_{error.errcode}"
    if action == "give_up":
        return Undeliverable(reason)
    return Retryable(reason, _AFTER_S[action])


def _address_hint(errmsg: str) -> str:
    found = _ADDRESS.search(errmsg)
    address = f"服务器出口地址 {found[1]} " if found else "本服务器的出口地址"
    return (
        f"{address}不在允许名单里：请管理员在企业微信管理后台"
        "「应用管理 → 本应用 → 企业可信IP」里加上它。"
    )
