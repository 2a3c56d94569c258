"""The words of an export: what each column is called, and how its value reads."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

LABELS = {
    "id": "编号",
    "name": "名字",
    "managers": "客户经理",
    "manager": "客户经理",
    "tags": "标签",
    "opted_out_at": "不收营销，从",
    "marketing_paused_until": "营销暂停到",
    "facts": "资料",
    "facts_as_of": "资料截至",
    "weekly_cap": "每周最多几条",
    "seen_at": "最后看到",
    "since": "从",
    "lost_at": "离开",
    "speaker": "谁说的",
    "text": "内容",
    "said": "说的话",
    "words": "话",
    "question": "问题",
    "draft": "草稿",
    "reply": "答复",
    "body": "内容",
    "note": "附注",
    "citations": "依据",
    "customer": "客户",
    "chat": "会话",
    "asker": "谁问的",
    "askers": "谁问的",
    "by": "谁",
    "at": "时间",
    "need": "需求",
    "product": "产品",
    "stage": "阶段",
    "rm": "客户经理",
    "evidence": "凭据",
    "reasons": "为什么",
    "points": "分",
    "score": "分",
    "features": "算分用的数",
    "outcome_reason": "结果的原因",
    "origin": "从哪里来",
    "opened_at": "开始",
    "closed_at": "结束",
    "taken_at": "接手",
    "given_back_at": "交回",
    "rating": "评价",
    "servicer": "接待人",
    "account": "客服账号",
    "script": "剧本",
    "step": "步骤",
    "variant": "哪一种说法",
    "arms": "分流",
    "arm": "分组",
    "experiment": "试验",
    "state": "状态",
    "reason": "原因",
    "verdicts": "判断",
    "kind": "什么事",
    "entered_at": "进入",
    "ended_at": "结束",
    "opens_at": "几点起",
    "planned_on": "哪天",
    "asked_at": "问的时间",
    "received_at": "收到",
    "created_at": "写下",
    "settled_at": "办完",
    "channel": "渠道",
    "class": "哪一类",
    "giver": "原来的经理",
    "taker": "新的经理",
    "verb": "命令",
    "why": "为什么",
    "due_by": "最晚",
}


def value_in_words(value: Any, zone: ZoneInfo) -> str:
    """Return a stored value as a person reads it."""
    if isinstance(value, datetime):
        return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return "、".join(value)
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
