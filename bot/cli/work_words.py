"""What rows that stand still are called for the people who decide about them."""

from __future__ import annotations

import re

KINDS = {
    "kf_reply": "客服答复",
    "kf_event_reply": "客服欢迎、排队、结束语",
    "kf_handover": "把会话转给人",
    "kf_release": "把会话还给小安",
    "kf_invite": "请客户加好友或进群",
    "staff_card": "给同事的卡片",
    "staff_card_update": "更新卡片",
    "staff_text": "给同事的文字",
    "staff_notice": "给同事的提醒",
    "staff_poll": "给同事的选择卡片",
    "staff_stream": "智能机器人的回答",
    "staff_markdown": "智能机器人主动发的话",
    "bot_card": "智能机器人的卡片",
    "bot_card_update": "更新智能机器人的卡片",
    "staff_welcome": "智能机器人的欢迎语",
    "group_webhook": "内部群消息",
    "broadcast": "群发任务",
    "broadcast_reminder": "提醒群主确认群发",
    "broadcast_cancel": "取消群发",
    "group_welcome": "入群欢迎语",
    "tag_change": "改客户标签",
    "customer_welcome": "好友欢迎语",
    "customer_broadcast": "给客户的群发任务",
    "moment": "朋友圈任务",
    "moment_cancel": "取消朋友圈任务",
    "kf_touch": "剧本里的客服消息",
}
_OF_ENTRIES = {
    "asked": "问该不该进剧本",
    "retry": "等资料，再问一次",
    "waiting": "排着进剧本",
    "errand_gate": "放排着的人进来",
    "errand_sweep": "每晚把人都问一遍",
    "errand_list": "按名单请人进来",
    "errand_dates": "按日子请人进来",
    "errand_backfill": "补进以前的人",
}
_REASONS = {
    "in_doubt": "断在半路，不知道发没发出去",
    "stopped": "已停发",
    "rate": "在等发送的名额",
    "quiet_hours": "在免打扰时段",
    "gave_up": "出错太多次，不再自己试；日志里搜 entry_put_off",
}
_CODE = re.compile(r"wecom_(\d+)")


def kind_in_words(kind: str) -> str:
    """Return what a kind of row is called; one without a name of its own stays as it is."""
    return KINDS.get(kind) or _OF_ENTRIES.get(kind, kind)


def reason_in_words(reason: str) -> str:
    """Return why a row stands still, so far as a word of ours says it."""
    if code := _CODE.fullmatch(reason):
        return f"企业微信错误码 {code[1]}"
    return _REASONS.get(reason, reason)
