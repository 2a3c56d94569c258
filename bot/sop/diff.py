"""What differs between two versions of a script: steps, words, and experiments that would break."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from bot.domain.flow import Split
from bot.domain.script import SopScript
from bot.domain.steps import Overlay, Step
from bot.errors import Problem

How = Literal["added", "removed", "moved", "reworded", "changed"]
Piece = tuple[str, str]
"""A stretch of text before and after; both are equal where nothing changed."""

_WHEN = ("第几天", "相隔天", "相对", "日期", "时间")
_WORDS = ("正文", "正文按分流", "必含", "附件")
_TOKEN = re.compile(r"\{[^{}\n]+\}|[A-Za-z0-9.:/_-]+|\s+|.", re.DOTALL)
_SHORTEST_SAME = 2  # shorter stretches between two changes read as part of the change
_NOT_SHOWN = frozenset({"步骤", "日历叠加", "版本"})


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A key whose value differs, each written in one line; empty where the key is not there."""

    key: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class StepDiff:
    """What an edit does to one step or overlay."""

    step: str
    how: tuple[How, ...]
    keys: tuple[KeyChange, ...] = ()
    words: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class ScriptDiff:
    """What an edit does to a script: its steps, and its keys besides."""

    steps: tuple[StepDiff, ...]
    head: tuple[KeyChange, ...]
    experiments: tuple[str, ...]  # whose results could not be compared any more, with the reason
    ids: tuple[str, str] = ("", "")

    @property
    def of_two(self) -> bool:
        """Tell whether these are two scripts, and no versions of one."""
        return self.ids[0] != self.ids[1]

    @property
    def empty(self) -> bool:
        """Tell whether nothing differs."""
        return not self.steps and not self.head

    def of(self, step: str) -> StepDiff | None:
        """Return what an edit does to that step."""
        return next((each for each in self.steps if each.step == step), None)


def diff(old: SopScript, new: SopScript) -> ScriptDiff:
    """Compare two versions, steps by their ids; layout and comments do not count."""
    before, after = _plain(old), _plain(new)
    return ScriptDiff(
        steps=tuple(_steps(old, new)),
        head=tuple(_keys(before, after, _NOT_SHOWN)),
        experiments=tuple(f"{name}：{why}" for name, why, _ in _broken(old, new)),
        ids=(old.id, new.id),
    )


def _steps(old: SopScript, new: SopScript) -> Iterator[StepDiff]:
    before = {part.id: part for part in old.parts}
    after = {part.id: part for part in new.parts}
    moved = _out_of_order(list(before), list(after))
    for id, part in after.items():
        if id not in before:
            yield StepDiff(id, ("added",), tuple(_keys({}, _plain(part), frozenset({"编号"}))))
            continue
        each = _one(before[id], part, moved=id in moved)
        if each is not None:
            yield each
    for id in before:
        if id not in after:
            yield StepDiff(id, ("removed",))


def _one(old: Step | Overlay, new: Step | Overlay, *, moved: bool) -> StepDiff | None:
    keys = list(_keys(_plain(old), _plain(new), frozenset()))
    how: list[How] = []
    top = {re.split(r"[.\[]", each.key)[0] for each in keys}
    if moved or top & set(_WHEN):
        how.append("moved")
    if top & set(_WORDS):
        how.append("reworded")
    if top - {*_WHEN, *_WORDS}:
        how.append("changed")
    if not how:
        return None
    bodies = _body(old), _body(new)
    words = tuple(pieces(*bodies)) if bodies[0] != bodies[1] else ()
    shown = tuple(each for each in keys if not each.key.startswith("正文"))
    return StepDiff(new.id, tuple(how), shown, words)


def _out_of_order(old: Sequence[str], new: Sequence[str]) -> frozenset[str]:
    """Return which of the steps in both stand in another order: as few as explain it."""
    first = [id for id in old if id in set(new)]
    second = [id for id in new if id in set(old)]
    same = SequenceMatcher(a=first, b=second, autojunk=False).get_matching_blocks()
    kept = {id for block in same for id in first[block.a : block.a + block.size]}
    return frozenset(first) - kept


def _body(part: Step | Overlay) -> str:
    bodies = part.bodies or {} if isinstance(part, Step) else {}
    arms = [f"[{arm}] {text.strip()}" for arm, text in sorted(bodies.items())]
    return "\n".join(filter(None, ((part.body or "").strip(), *arms)))


def pieces(old: str, new: str) -> Iterator[Piece]:
    """Cut two texts into stretches that are the same and stretches that differ, by words."""
    a, b = _TOKEN.findall(old), _TOKEN.findall(new)
    held = ["", ""]
    for tag, a1, a2, b1, b2 in SequenceMatcher(a=a, b=b, autojunk=False).get_opcodes():
        before, after = "".join(a[a1:a2]), "".join(b[b1:b2])
        between = held != ["", ""] and a2 < len(a) and b2 < len(b)
        if tag != "equal" or (between and len(before) < _SHORTEST_SAME):
            held[0] += before
            held[1] += after
            continue
        if held != ["", ""]:
            yield held[0], held[1]
            held = ["", ""]
        yield before, after
    if held != ["", ""]:
        yield held[0], held[1]


def _keys(
    old: Mapping[str, Any], new: Mapping[str, Any], without: frozenset[str]
) -> Iterator[KeyChange]:
    for key in dict.fromkeys((*old, *new)):
        if key not in without:
            yield from _values(key, old.get(key), new.get(key))


def _values(key: str, old: object, new: object) -> Iterator[KeyChange]:
    """Compare a value with its parts; of parts that are there on one side only all is told."""
    if isinstance(old, dict) and isinstance(new, dict):
        for part in dict.fromkeys((*old, *new)):
            yield from _values(f"{key}.{part}", old.get(part), new.get(part))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (before, after) in enumerate(zip(old, new, strict=True), 1):
            yield from _values(f"{key}[{number}]", before, after)
    elif _line(old) != _line(new):
        yield KeyChange(key, _line(old), _line(new))


def _line(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _plain(of: SopScript | Step | Overlay) -> dict[str, Any]:
    return of.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def blocks(old: SopScript, new: SopScript, running: bool) -> list[Problem]:
    """Return why a version must not be published while an experiment of the old one runs (V3).

    Other shares open a new epoch and are allowed (S3); other arms, units, goals or seeds are
    another experiment, which needs a name of its own; leaving it out ends it (S6).
    """
    if not running:
        return []
    file = f"sop/{new.id}.sop.yaml"
    mend = "等实验跑完再改；或给新的实验换一个名字(对照换一个随机种子前，先让在跑的走完)"
    return [
        Problem(file, 0, key, f"实验「{name}」正在跑，{why}", mend)
        for name, why, key in _broken(old, new)
        if key
    ]


def _broken(old: SopScript, new: SopScript) -> Iterator[tuple[str, str, str]]:
    """Give (experiment, what breaks it, the key that must not change; empty: only a warning)."""
    before, after = _splits(old), _splits(new)
    for name, split in before.items():
        now = after.get(name)
        if now is None:
            yield name, "新版里没有了，到此结束", ""
            continue
        if set(split.shares) != set(now.shares):
            yield name, f"组从 {_list(split)} 改成 {_list(now)}", "步骤.分流.比例"
        if split.unit != now.unit:
            yield name, f"单位从 {split.unit} 改成 {now.unit}", "步骤.分流.单位"
        if split.shares != now.shares and set(split.shares) == set(now.shares):
            yield name, "比例变了，从新版起另算一段", ""
        yield from (
            (name, f"步骤 {id} 的正文变了", "") for id in _reworded(old, new, set(split.shares))
        )
    goals = _goals(old), _goals(new)
    if before and set(before) & set(after) and goals[0] != goals[1]:
        for name in sorted(set(before) & set(after)):
            yield name, f"主指标从 {goals[0] or '没有'} 改成 {goals[1] or '没有'}", "看效果.主指标"
    seeds = _seed(old), _seed(new)
    if seeds[0] and seeds[0] != seeds[1]:
        yield "对照", "留白的随机种子变了，留白的人会换一批", "看效果.对照.随机种子"


def _splits(script: SopScript) -> dict[str, Split]:
    return {step.split.experiment: step.split for step in script.steps if step.split is not None}


def _list(split: Split) -> str:
    return "、".join(split.shares)


def _reworded(old: SopScript, new: SopScript, arms: set[str]) -> Iterator[str]:
    texts = {step.id: step.bodies for step in old.steps if step.bodies}
    for step in new.steps:
        before = texts.get(step.id)
        if before and step.bodies and set(before) & arms and before != step.bodies:
            yield step.id


def _goals(script: SopScript) -> str:
    return script.measures.main if script.measures else ""


def _seed(script: SopScript) -> str:
    holdout = script.measures.holdout if script.measures else None
    return holdout.seed if holdout else ""
