"""What ``zhilin sop list`` says: a table, and under it what somebody has to look after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

_HEAD = ("剧本", "状态", "正式版", "审批", "在走", "留白", "走完", "退出", "名称")
_APPROVAL = {
    "approved": "到 {until}",
    "expired": "过期 {until}",
    "asked": "待审批",
    "rejected": "已退回",
    "none": "—",
}
_SCOPES = {
    "script": "剧本",
    "step": "步骤",
    "branch": "网点",
    "manager": "经理",
    "group": "群",
    "customer": "客户",
}
_VERBS = {"pause": "暂停中", "drain": "只出不进", "skip": "已终止"}
_COUNTS = ("running", "held_out", "done", "exited")


def lines(rows: Sequence[Mapping[str, Any]]) -> tuple[list[tuple[str, ...]], list[str]]:
    """Return the table and the notes under it."""
    table: list[tuple[str, ...]] = [_HEAD]
    notes: list[str] = []
    problems = [problem for row in rows for problem in row["problems"]]
    for row in rows:
        if row["script"]:
            approval = _APPROVAL[row["approval"]].format(until=row["approved_until"])
            counts = (str(row[name]) for name in _COUNTS)
            version = row["version"] or "没发布"
            table.append((row["script"], row["status"], version, approval, *counts, row["name"]))
        notes += _notes(row)
    if problems:
        notes.append(f"文件里有 {len(problems)} 处要改；改好以前，在走的照旧用正式版：")
        notes += map(_problem, problems)
    return table, notes


def _notes(row: Mapping[str, Any]) -> Iterator[str]:
    name = row["script"]
    if name and row["saved"] and row["version"] and row["saved"] != row["version"]:
        yield f"{name}：文件里是 {row['saved']} 版，还不是正式版。"
    pilot = row.get("pilot")
    if pilot is not None:
        share = [f"{pilot['percent']}%"] if pilot["percent"] else []
        part = "、".join([*share, *pilot["groups"]])
        nobody = not pilot["percent"] and not pilot["groups"]
        said = "新版先不给任何人" if nobody else f"试点 {pilot['version']} 版给 {part}"
        yield f"{name}：{said}，{pilot['by']} 定的。"
    for step in row.get("withdrawn", ()):
        yield f"{name}/{step} 的文字已下架：改了文字、批过，这一步才会再发。"
    for hold in row["holds"]:
        what = f"{_SCOPES[hold['scope']]}:{hold['target']}"
        why = f"，{hold['why']}" if hold["why"] else ""
        since = f"{datetime.fromisoformat(hold['since']).astimezone():%Y-%m-%d %H:%M}"
        yield f"{what} {_VERBS[hold['verb']]}：{hold['by']} 从 {since} 起{why}。"


def _problem(problem: Mapping[str, Any]) -> str:
    place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
    key = f" {problem['key']}:" if problem["key"] else ""
    mend = f" · {problem['mend']}" if problem["mend"] else ""
    return f"  {place}:{key} {problem['what']}{mend}"
