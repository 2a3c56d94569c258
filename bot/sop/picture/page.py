"""The picture of a script: one HTML file that needs nothing else, to look at and to print on A3."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from bot.domain.script import SopScript
from bot.domain.steps import SendBy, Step
from bot.sop.excel.yaml_text import Doc, document, in_line
from bot.sop.graph import Graph
from bot.sop.picture import words
from bot.sop.picture.card import card, family, heard
from bot.sop.picture.lanes import WALL, lanes
from bot.sop.picture.ribbon import ribbon

_READABLE = 0.8  # the smallest at which a screen shows it whole; beyond, it scrolls
_KINDS = (
    ("service", "欢迎、服务、回访"),
    ("fraud", "反诈、公益"),
    ("event", "活动、互动"),
    ("knowledge", "知识、关怀、祝福"),
    ("product", "产品"),
)
_BOXES = (
    ("谁进来", ("进入", "重复进入", "适用", "起点", "最长天数", "互斥组", "优先级")),
    ("护栏", ("护栏", "休息日", "错过时间窗")),
    ("看效果", ("看效果",)),
)


def picture(script: SopScript) -> str:
    """Return the picture's file."""
    doc = document(script)
    style = files("bot.sop.picture").joinpath("page.css").read_text(encoding="utf-8")
    body = "".join((_head(script), _way(script), _overlays(script), _legend(script, doc)))
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(script.name)}</title><style>{style}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _head(script: SopScript) -> str:
    numbers = "".join(
        f"<li><b>{escape(value)}</b><span>{escape(name)}</span></li>"
        for value, name in _numbers(script)
    )
    approved = f"，审批到 {script.approval.expires_on}" if script.approval else "，还没有审批"
    aside = f"{script.subject}剧本，第 {script.number} 版，{script.status}{approved}"
    return (
        f'<div class="head"><div><h1>{escape(script.name)}</h1>'
        f"<p>{escape(aside)}。负责人 {escape(script.owner)}</p></div>"
        f'<ul class="numbers">{numbers}</ul></div>'
    )


def _numbers(script: SopScript) -> Iterator[tuple[str, str]]:
    sending = [part for part in script.parts if words.ways(part)[0]]
    first = [part.send_by[0] if isinstance(part, Step) else part.send_by for part in sending]
    broadcasts = sum(way is SendBy.BROADCAST for way in first)
    selling = sum(isinstance(part, Step) and part.product is not None for part in sending)
    yield str(len(script.steps)), "步"
    if script.overlays:
        yield str(len(script.overlays)), "个节日"
    yield f"{broadcasts} / {len(sending)}", "条占群发额度"
    yield str(selling), "条讲产品"
    yield _longest(script)


def _longest(script: SopScript) -> tuple[str, str]:
    days = [step.day for step in script.steps if step.day is not None]
    if days and not script.flows:
        return str(max(days)), "天走完"
    graph = Graph.of(script)
    if not script.flows or graph.cycle():
        return str(script.max_days), "天以内走完"
    most, _ = graph.longest()
    return str(min(int(most) + 1, script.max_days)), "天以内走完"


def _way(script: SopScript) -> str:
    if not script.flows:
        cards = "".join(card(step).html for step in script.steps)
        return f'{ribbon(script)}<div class="wall">{cards}</div>'
    drawn, width, height = lanes(script)
    fit = min(1.0, WALL / width)
    screen = fit if fit >= _READABLE else 1
    return (
        f'<div class="scroll" style="--fit:{fit:.3f};--screen:{screen:.3f}">'
        f'<div class="lanes" style="width:{width}px;height:{height}px">{drawn}</div></div>'
    )


def _overlays(script: SopScript) -> str:
    if not script.overlays:
        return ""
    cards = "".join(card(overlay).html for overlay in script.overlays)
    note = "到了这一天就发，占当天的额度，当天原来的一步往后让"
    return (
        f'<section class="band"><h2>日历叠加<span>{note}</span></h2>'
        f'<div class="wall">{cards}</div></section>'
    )


def _legend(script: SopScript, doc: dict[str, Doc]) -> str:
    boxes = [_box(title, _facts(doc, keys)) for title, keys in _BOXES]
    ends = [
        (out.event, f"停{out.stops}" + (f"，对{out.scope}" if out.scope else ""))
        for out in script.exits
    ]
    if script.opt_out is not None:
        ends.append(
            (
                f"说「{'、'.join(script.opt_out.keywords)}」",
                "；".join(words.action(each) for each in script.opt_out.actions),
            )
        )
    boxes.insert(2, _box("什么时候停", ends))
    if script.listens:
        told = "".join(heard(each)[0] for each in script.listens)
        boxes.append(f'<div class="box"><h2>随时听到就办</h2>{told}</div>')
    used = {family(part) for part in script.parts}
    kinds = "".join(
        f'<span class="{name}"><i></i>{said}</span>' for name, said in _KINDS if name in used
    )
    return f'<section class="legend">{"".join(boxes)}</section><p class="kinds">{kinds}</p>'


def _box(title: str, facts: list[tuple[str, str]]) -> str:
    if not facts:
        return ""
    rows = "".join(f"<dt>{escape(key)}</dt><dd>{escape(said)}</dd>" for key, said in facts)
    return f'<div class="box"><h2>{title}</h2><dl>{rows}</dl></div>'


def _facts(doc: dict[str, Doc], keys: tuple[str, ...]) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for key in keys:
        value = doc.get(key)
        if isinstance(value, dict):
            found += [(inner, _said(one)) for inner, one in value.items()]
        elif value is not None:
            found.append((key, _said(value)))
    return found


def _said(value: Doc) -> str:
    """Write a value of the file for reading: lists with 、 between, 是 for true."""
    if isinstance(value, str):
        return {"true": "是", "false": "否"}.get(value, value)
    if isinstance(value, list):
        plain = [one if isinstance(one, str) else in_line(one) for one in value]
        return "、".join(plain) or "不发"
    return "，".join(f"{key} {_said(one)}" for key, one in value.items())
