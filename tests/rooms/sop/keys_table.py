"""The manual's table of every key, made from the words that editors show.

Print it anew with ``python -m tests.rooms.sop.keys_table`` and put it between the manual's marks.
"""

from __future__ import annotations

import json
import sys

from bot.sop.schema import key_words

BEGINS, ENDS = "<!-- 键表：开始 -->", "<!-- 键表：结束 -->"
_WHERE = {
    "SopScript": "最外面一层",
    "Entry": "进入",
    "Approval": "审批",
    "Audience": "适用",
    "Size": "适用 → 群人数",
    "GuardRails": "护栏",
    "Variable": "变量",
    "OptOut": "退出",
    "HandOver": "动作：转人工",
    "OpenLead": "动作：建线索",
    "PutTag": "动作：打标签",
    "AnswerWith": "动作：答复",
    "SlowDown": "动作：降频",
    "PauseMarketing": "动作：停营销",
    "LateJoiners": "迟到成员",
    "Step": "步骤",
    "Relative": "步骤 → 相对",
    "Repeat": "步骤 → 重复",
    "Guard": "步骤 → 前提",
    "Picture": "附件：图片",
    "LinkCard": "附件：链接",
    "MiniProgram": "附件：小程序",
    "FileAttachment": "附件：文件",
    "Video": "附件：视频",
    "Interaction": "步骤 → 互动",
    "Listen": "听到就办",
    "Unconfirmed": "步骤 → 群主未确认",
    "ValidUntil": "步骤 → 有效到",
    "Ending": "步骤 → 结束后",
    "Split": "步骤 → 分流",
    "Wait": "步骤 → 等待",
    "Branch": "步骤 → 分支",
    "Overlay": "日历叠加",
    "Exit": "出口",
    "Measures": "看效果",
    "Holdout": "看效果 → 对照",
}


def render() -> str:
    """Return the whole table as Markdown, one part of the file after the other."""
    parts = []
    for model, keys in key_words().items():
        rows = [
            f"| `{key}` | {words} | {_example(given)} |" for key, (words, given) in keys.items()
        ]
        head = f"### {_WHERE[model]}\n\n| 键 | 说明 | 例子 |\n| --- | --- | --- |\n"
        parts.append(head + "\n".join(rows) + "\n")
    return "\n".join(parts)


def _example(given: list[object]) -> str:
    if not given:
        return ""
    return f"`{_flow(given[0])}`".replace("|", "\\|")


def _flow(value: object) -> str:
    """Write a value as the files would have it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    if isinstance(value, str):
        plain = not set(value) & set(",:{}[]#\"'，：") and not value[:1].isdigit()
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(render())
