"""What an edit changes, in words that people of ops read before they publish it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.sop.diff import pieces

if TYPE_CHECKING:
    from bot.sop.diff import KeyChange, ScriptDiff, StepDiff

HOW = {
    "added": "新增",
    "removed": "删去",
    "moved": "挪了位置或时间",
    "reworded": "改了文字",
    "changed": "改了别的",
}
_LONG = 20  # characters of a value whose changes are shown within it
_AROUND = 12  # characters that are shown on either side of a change


def lines_of_diff(found: ScriptDiff) -> Iterator[str]:
    """Give the lines of what differs between two versions."""
    if found.of_two:
        old, new = found.ids
        yield f"注意：这是两份不同的剧本，编号是 {old} 和 {new}，不是一份的新旧两版。"
    if found.empty:
        yield "两版没有差别。"
        return
    yield f"步骤：{_counts(found)}"
    for each in found.steps:
        yield f"  {each.step}  {'，'.join(HOW[how] for how in each.how)}"
        yield from _step(each)
    if found.head:
        yield "步骤以外"
        for key in found.head:
            yield from _key(key, "  ")
    if found.experiments:
        yield "实验受影响"
        yield from (f"  {line}" for line in found.experiments)


def _counts(found: ScriptDiff) -> str:
    counts = [(how, sum(how in each.how for each in found.steps)) for how in HOW]
    told = [f"{HOW[how]} {count}" for how, count in counts if count]
    return "，".join(told) or "没有变化"


def _step(each: StepDiff) -> Iterator[str]:
    if each.how == ("added",):
        for key in each.keys:
            yield f"      {key.key}: {key.new}"
        return
    for key in each.keys:
        yield from _key(key, "      ")
    if each.words:
        yield "      正文: " + shown_words(each.words)


def _key(key: KeyChange, indent: str) -> Iterator[str]:
    if not key.old:
        yield f"{indent}{key.key}: 新写 {key.new}"
    elif not key.new:
        yield f"{indent}{key.key}: 删去 {key.old}"
    elif len(key.old) > _LONG and len(key.new) > _LONG:
        yield f"{indent}{key.key}: {shown_words(tuple(pieces(key.old, key.new)))}"
    else:
        yield f"{indent}{key.key}: {key.old} → {key.new}"


def shown_words(words: tuple[tuple[str, str], ...]) -> str:
    """Write two texts as one: 〔old→new〕 where they differ, with some words around."""
    shown = []
    for place, (old, new) in enumerate(words):
        if old != new:
            shown.append(f"〔{_one_line(old)}→{_one_line(new)}〕")
            continue
        shown.append(_shortened(_one_line(old), first=not place, last=place == len(words) - 1))
    return "".join(shown)


def _shortened(text: str, *, first: bool, last: bool) -> str:
    if len(text) <= 2 * _AROUND:
        return text
    before = "" if first else text[:_AROUND]
    after = "" if last else text[-_AROUND:]
    return f"{before}…{after}"


def _one_line(text: str) -> str:
    return text.replace("\n", "⏎")


def json_of_diff(found: ScriptDiff) -> dict[str, Any]:
    """Return what differs for machines."""
    return {
        "old": found.ids[0],
        "new": found.ids[1],
        "steps": [
            {
                "step": each.step,
                "how": list(each.how),
                "keys": [_json_of_key(key) for key in each.keys],
                "words": [{"old": old, "new": new} for old, new in each.words],
            }
            for each in found.steps
        ],
        "head": [_json_of_key(key) for key in found.head],
        "experiments": list(found.experiments),
    }


def _json_of_key(key: KeyChange) -> dict[str, str]:
    return {"key": key.key, "old": key.old, "new": key.new}
