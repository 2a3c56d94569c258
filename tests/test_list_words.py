"""What ``zhilin sop list`` says under its table, so that the worst stands together and last."""

from __future__ import annotations

from typing import Any

from bot.cli.sop_list_words import lines

FAULT = {"file": "sop/a.sop.yaml", "line": 7, "key": "步骤[1].正文", "what": "太长", "mend": "拆开"}
HOLD = {
    "scope": "branch",
    "target": "b01",
    "verb": "pause",
    "by": "运营-周岚",
    "why": "投诉",
    "since": "2026-10-12T01:00:00+00:00",
}


def row(script: str, **more: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("running", "held_out", "done", "exited"), 0)
    plain = {"script": script, "name": "剧本", "status": "已发布", "version": "11111111"}
    told = {"saved": "11111111", "approval": "none", "approved_until": None}
    return plain | told | counts | {"pilot": None, "holds": [], "problems": []} | more


def test_problems_stand_together_under_what_they_mean() -> None:
    rest = {"script": "", "holds": [HOLD], "problems": [FAULT | {"file": "sop/b.sop.yaml"}]}
    _, notes = lines([row("a", problems=[FAULT]), row("c"), rest])
    assert notes[0].startswith("网点:b01 暂停中：运营-周岚")
    assert notes[1:] == [
        "文件里有 2 处要改；改好以前，在走的照旧用正式版：",
        "  sop/a.sop.yaml:7: 步骤[1].正文: 太长 · 拆开",
        "  sop/b.sop.yaml:7: 步骤[1].正文: 太长 · 拆开",
    ]


def test_nothing_is_said_where_nothing_is_wrong() -> None:
    table, notes = lines([row("a")])
    assert len(table) == 2
    assert notes == []


def test_what_was_withdrawn_is_named_with_the_way_back() -> None:
    _, notes = lines([row("a", withdrawn=["s1"])])
    assert notes == ["a/s1 的文字已下架：改了文字、批过，这一步才会再发。"]
