"""A simulation in words and tables that people of ops read; made of its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from bot.cli.sim_calendar import (
    Report,
    calendar_lines,
    shift_lines,
    special_days,
    table,
    unplaced_lines,
)
from bot.cli.sop_words import STATES, clock_day, in_words, short_day

_MANY_MANAGERS, _MANY_DAYS = 15, 31
_CALLS = {
    "send": "建群发任务",
    "read_back": "查群发结果",
    "reminder": "催同事点发送",
    "cancel": "到点撤回",
    "card": "给同事的卡片",
    "card_update": "点过的卡片变灰",
    "welcome": "入群欢迎语",
    "moment": "建朋友圈任务",
    "moment_look": "查朋友圈发没发",
    "kf": "微信客服消息",
    "tag": "打标签",
}
_OF_STAFF = "任务完成"
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


def lines_of(report: Report, names: Mapping[str, str]) -> Iterator[str]:
    """Give the lines of a report; ``names`` are the managers' names by their userids."""
    yield from _head(report)
    yield from cautions(report["script"]["status"], report.get("hits", ()))
    yield from _entry(report)
    yield from calendar_lines(report["calendar"], _unit(report))
    yield from unplaced_lines(report["unplaced"], _unit(report))
    yield from special_days(report["days"], report["calendar"])
    yield from shift_lines(report["shifts"], _unit(report))
    yield from _funnel(report)
    yield from _flow(report)
    yield from _load(report["load"]["managers"], names)
    yield from _busy_days(report["load"]["days"], names)
    yield from _calls(report["calls"])
    yield from _ends(report)
    yield from _hits(report.get("hits", ()), report.get("notes", ()))


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


def cautions(status: str, problems: Sequence[str]) -> Iterator[str]:
    """Give what keeps a script from running in earnest, above all that it would do."""
    if problems:
        yield f"  注意：有 {len(problems)} 处要改，改好以前真跑时不会生效；下面照现在写的预演"
        yield from (f"    {problem}" for problem in problems)
    if status != "已发布":
        yield f"  注意：状态是「{status}」，真跑时谁也不进；下面按已发布来算"


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
    if entry["unknown_data"]:
        share = entry["unknown_data"] / max(1, entry["subjects"])
        yield f"  其中因为资料不全没进的 {entry['unknown_data']}(占 {_share(round(share, 4))})"
    if entry["not_their_day"]:
        yield f"  还没到自己那一天的 {entry['not_their_day']}"


def _funnel(report: Report) -> Iterator[str]:
    funnel = report["funnel"]
    yield ""
    yield "送到多少"
    losses = "".join(f"，{_CLASSES[name]} {count}" for name, count in funnel["losses"].items())
    pending = f"，还没有结果 {funnel['pending']}" if funnel["pending"] else ""
    yield f"  计划 {funnel['planned']} = 送到 {funnel['delivered']}{losses}{pending}"
    for reason, count in report["skips"].items():
        yield f"    {in_words(reason)} {count}"
    happened = dict(report["people"])
    done = happened.pop(_OF_STAFF, 0)
    if done:
        yield f"  同事那边：{_OF_STAFF} {done}"
    people = [f"{_person(key)} {count}" for key, count in happened.items() if count]
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
    yield "要调企业微信多少次(中途退出的当作没退出，所以是上限；答客户的话、线索卡片、传图片另算)"
    kinds = [f"{_CALLS.get(kind, kind)} {count}" for kind, count in calls["by_kind"].items()]
    yield f"  一共 {calls['total']}" + (f"：{'，'.join(kinds)}" if kinds else "")
    busiest = calls["busiest_hour"]
    if busiest:
        day, hour = busiest["hour"].split(" ")
        on = short_day(date.fromisoformat(day))
        yield f"  最忙的一小时：{on} {hour} 点，{busiest['calls']} 次"
    yield f"  另外每天 {calls['lists_a_day']} 次，读同事自己发的群发；有几个剧本都是这么多"


def _busy_days(days: Sequence[Report], names: Mapping[str, str]) -> Iterator[str]:
    """Give how much there is to press by day; of many days those that are the busiest."""
    if not days:
        return
    yield ""
    listed = sorted(days, key=lambda day: (-day["presses"], day["on"]))[:_MANY_DAYS]
    most = f"(最忙的 {_MANY_DAYS} 天，其余在 --json 里)" if len(days) > _MANY_DAYS else ""
    yield f"每天要点几次{most}"
    rows = [("日子", "一共", "几位同事", "最多的一位", "他几次")]
    for day in sorted(listed, key=lambda day: str(day["on"])):
        on, who = date.fromisoformat(day["on"]), names.get(day["busiest"], day["busiest"])
        counts = str(day["presses"]), str(day["managers"])
        rows.append((short_day(on), *counts, who, str(day["most"])))
    yield from table(rows, right={1, 2, 4})


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
    else:
        yield f"  有 {len(problems)} 处要改，写在最上面"
    if notes:
        yield f"  提醒 {len(notes)} 处，不改也能发"
        yield from (f"    {note}" for note in notes)
