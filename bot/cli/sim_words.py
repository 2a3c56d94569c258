"""A simulation in words and tables that people of ops read; made of its report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from bot.cli.sop_words import MOVED, STATES, clock_day, in_words, short_day
from bot.terminal import columns_of, padded

_MANY_MANAGERS = 15
_CALLS = {
    "send": "建群发任务",
    "read_back": "查结果",
    "reminder": "提醒确认",
    "cancel": "到点撤回",
    "card": "给同事的卡片",
    "welcome": "入群欢迎语",
    "moment": "发朋友圈任务",
    "kf": "微信客服消息",
}
_CLASSES = {
    "cap": "频次已满",
    "window": "错过时间",
    "not_friend": "已不是好友",
    "unconfirmed": "同事没点、没办",
    "failed": "发送失败",
    "withheld": "按剧本不发",
}
_FLOW = {"arms": "分流(实验、组)", "waits": "等待怎么结束", "branches": "分支走向"}
_ASSUMED = {"客户回复": "回话", "说关键词": "说出要听的词", "客户拒收": "拒收", "投诉": "投诉"}
Report = Mapping[str, Any]


def lines_of(report: Report, names: Mapping[str, str]) -> Iterator[str]:
    """Give the lines of a report; ``names`` are the managers' names by their userids."""
    yield from _head(report)
    yield from _entry(report)
    yield from _calendar(report["calendar"], _unit(report))
    yield from _special_days(report["days"], report["calendar"])
    yield from _shifts(report["shifts"], _unit(report))
    yield from _funnel(report)
    yield from _flow(report)
    yield from _load(report["load"]["managers"], names)
    yield from _calls(report["calls"])
    yield from _ends(report)
    yield from _hits(report.get("hits", ()), report.get("notes", ()))


def table(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> Iterator[str]:
    """Give rows as aligned lines; the columns in ``right`` are set to the right."""
    widths = [max(map(columns_of, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = []
        for place, (cell, width) in enumerate(zip(row, widths, strict=True)):
            filled = padded(cell, width)
            cells.append(filled[len(cell) :] + cell if place in right else filled)
        yield ("  " + "  ".join(cells)).rstrip()


def _unit(report: Report) -> str:
    return "个群" if report["case"]["subject"] == "客户群" else "位客户"


def _head(report: Report) -> Iterator[str]:
    script, case = report["script"], report["case"]
    yield f"预演 {script['name']}({script['id']}，版本 {script['number']}，{script['status']})"
    group = case["subject"] == "客户群"
    size = f"，每群 {case['members']} 位客户" if group else ""
    yield (
        f"  {clock_day(date.fromisoformat(case['start']))} 开始，"
        f"{report['entry']['subjects']} {_unit(report)}{size}，"
        f"{case['branches']} 个网点，{case['managers']} 位同事，种子 {case['seed']}"
    )
    rates = case["rates"]
    told = [f"{_share(rates[key])} {words}" for key, words in _ASSUMED.items()]
    yield f"  假设：同事 {_share(case['confirm'])} 会点发送；看到的人里 {'，'.join(told)}"
    if not group:
        yield f"  假设：客户资料每一项有 {_share(case['unknown'])} 缺失；名单是假想的，不是真客户"
    if script["status"] != "已发布":
        yield f"  注意：状态是「{script['status']}」，真跑时谁也不进；这里按已发布来算"


def _share(value: float) -> str:
    return f"{value * 100:g}%"


def _entry(report: Report) -> Iterator[str]:
    entry = report["entry"]
    yield ""
    yield "谁进来"
    yield (
        f"  进入 {entry['entered']}，留白 {entry['held_out']}(不发，用来比效果)，"
        f"没进 {sum(entry['refused'].values())}"
    )
    for reason, count in entry["refused"].items():
        yield f"    {in_words(reason)} {count}"
    if entry["not_their_day"]:
        yield f"  还没到自己那一天的 {entry['not_their_day']}"
    if entry["unknown_data"]:
        share = entry["unknown_data"] / max(1, entry["subjects"])
        yield f"  其中因为资料不全没进的 {entry['unknown_data']}(占 {_share(round(share, 4))})"


def _calendar(rows: Sequence[Report], unit: str) -> Iterator[str]:
    """Give the calendar, each row followed by its words and by what was lost."""
    yield ""
    yield f"日历(一行一步，数的是{unit[1:]}；下面是其中一份原话)"
    heads = ("日子", "第几天", "时间", "方式", "类型", "步骤", "计划", "送到", "七天里还能发")
    cells = [heads, *(_cells(row) for row in rows)]
    lines = list(table(cells, right={1, 6, 7}))
    yield lines[0]
    for line, row in zip(lines[1:], rows, strict=True):
        yield line
        yield from _beneath(row)


def _cells(row: Report) -> tuple[str, ...]:
    left = row["quota_left"]
    return (
        short_day(date.fromisoformat(row["on"])) + ("*" if row["provisional"] else ""),
        "-".join(str(day) for day in dict.fromkeys(row["day"])),
        row["window"],
        row["way"],
        row["kind"],
        row["step"] + (f"({row['variant']})" if row.get("variant") else ""),
        str(row["planned"]),
        str(row["delivered"]),
        "" if left is None else f"{left} 条",
    )


def _beneath(row: Report) -> Iterator[str]:
    if row["moved"]:
        whence = date.fromisoformat(row["moved_from"])
        why = "、".join(MOVED.get(reason, reason) for reason in row["moved"])
        yield f"      ← 原定 {short_day(whence)}，{why}"
    if row["losses"]:
        yield "      少了：" + "，".join(f"{in_words(r)} {n}" for r, n in row["losses"].items())
    if row["pending"]:
        yield f"      还没有结果 {row['pending']}"
    if row["texts"]:
        for line in row["texts"][0]["text"].splitlines():
            yield f"      │ {line}"
        if len(row["texts"]) > 1:
            yield f"      (同事、网点不同，一共 {len(row['texts'])} 种写法，都在 --json 里)"


def _special_days(days: Sequence[Report], rows: Sequence[Report]) -> Iterator[str]:
    yield ""
    yield "放假和调休"
    if not days:
        yield "  这段时间没有法定节假日和调休"
    for first, last, kind, source in _spans(days):
        until = "" if first == last else f" 到 {short_day(last)}"
        word = "放假" if kind == "holiday" else "调休，要上班"
        yield f"  {short_day(first)}{until} {word}({_source(source)})"
    late = [row for row in rows if not row["approved"]]
    if late:
        yield f"  有 {len(late)} 步不在审批的有效期内：真跑时会停下等新的审批，这里照常往下算"
    guessed = [row for row in rows if row["provisional"]]
    if guessed:
        yield (
            f"  带 * 的 {len(guessed)} 步落在放假安排还没公布的年份，"
            "先按周末推算；国务院公布以后请再预演一次"
        )


def _source(source: str) -> str:
    return "国务院公布" if source == "official" else "推算，未公布"


def _spans(days: Sequence[Report]) -> Iterator[tuple[date, date, str, str]]:
    """Join days that follow one another and are of one kind."""
    numbered = [(date.fromisoformat(day["on"]), day["kind"], day["source"]) for day in days]
    places = enumerate(numbered)
    for _, run in groupby(places, lambda it: (it[1][0].toordinal() - it[0], *it[1][1:])):
        held = [each for _, each in run]
        yield held[0][0], held[-1][0], held[0][1], held[0][2]


def _shifts(shifts: Sequence[Report], unit: str) -> Iterator[str]:
    if not shifts:
        return
    yield ""
    yield "挪了日子的步骤"
    rows = [("步骤", "原定", "改到", unit[1:] + "数", "为什么")]
    for shift in shifts:
        days = [short_day(date.fromisoformat(shift[key])) for key in ("from", "to")]
        why = MOVED.get(shift["reason"], shift["reason"])
        rows.append((shift["step"], *days, str(shift["subjects"]), why))
    yield from table(rows, right={3})


def _funnel(report: Report) -> Iterator[str]:
    funnel = report["funnel"]
    yield ""
    yield "送到多少"
    losses = "".join(f"，{_CLASSES[name]} {count}" for name, count in funnel["losses"].items())
    pending = f"，还没有结果 {funnel['pending']}" if funnel["pending"] else ""
    yield f"  计划 {funnel['planned']} = 送到 {funnel['delivered']}{losses}{pending}"
    for reason, count in report["skips"].items():
        yield f"    {in_words(reason)} {count}"
    people = [f"{_person(key)} {count}" for key, count in report["people"].items() if count]
    if people:
        yield "  客户那边：" + "，".join(people)


def _person(key: str) -> str:
    kind, _, what = key.partition(":")
    if kind == "lead":
        return f"{what}线索"
    if kind == "slowed_down":
        return "要求少发"
    return f"打标签「{what}」" if kind == "tag" else key


def _flow(report: Report) -> Iterator[str]:
    """Give the arms of experiments and the ways that runs took at branches."""
    for title, key in (
        ("分流(实验、组)", "arms"),
        ("等待怎么结束", "waits"),
        ("分支走向", "branches"),
    ):
        rows = report[key]
        if rows:
            yield ""
            yield title
            told = [(row["at"], in_words(row["to"]), str(row["count"])) for row in rows]
            yield from table(told, right={2})


def _load(managers: Sequence[Report], names: Mapping[str, str]) -> Iterator[str]:
    if not managers:
        return
    yield ""
    yield "同事要点几次(一个群发任务点一次，一张卡片点一次)"
    rows = [("同事", "一共", "忙的天数", "最忙一天", "那天几次")]
    for each in managers[:_MANY_MANAGERS]:
        who = names.get(each["manager"], each["manager"])
        busiest = short_day(date.fromisoformat(each["busiest_day"]))
        rows.append((who, str(each["presses"]), str(each["days"]), busiest, str(each["most"])))
    yield from table(rows, right={1, 2, 4})
    if len(managers) > _MANY_MANAGERS:
        yield f"  还有 {len(managers) - _MANY_MANAGERS} 位，都在 --json 里"


def _calls(calls: Report) -> Iterator[str]:
    yield ""
    yield "要调企业微信多少次"
    kinds = [f"{_CALLS.get(kind, kind)} {count}" for kind, count in calls["by_kind"].items()]
    yield f"  一共 {calls['total']}" + (f"：{'，'.join(kinds)}" if kinds else "")
    busiest = calls["busiest_hour"]
    if busiest:
        day, hour = busiest["hour"].split(" ")
        on = short_day(date.fromisoformat(day))
        yield f"  最忙的一小时：{on} {hour} 点，{busiest['calls']} 次"


def _ends(report: Report) -> Iterator[str]:
    yield ""
    yield "最后都在哪里"
    for end, count in report["ends"].items():
        state, _, reason = end.partition(":")
        yield f"  {STATES.get(state, state)}{f'({in_words(reason)})' if reason else ''} {count}"


def _hits(problems: Sequence[str], notes: Sequence[str]) -> Iterator[str]:
    yield ""
    yield "检查(和 zhilin sop check 一样)"
    if not problems:
        yield "  没有要改的"
    yield from (f"  {problem}" for problem in problems)
    if notes:
        yield f"  提醒 {len(notes)} 处，不改也能发"
        yield from (f"    {note}" for note in notes)
