"""Entries of the bank's file that stand twice, or name what is not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from bot.domain.registry import BUILT_IN_EVENTS, BUILT_IN_FIELDS, CustomerField

Disagreement = tuple[tuple[str | int, ...], str, str]


def built_in(fields: Sequence[CustomerField]) -> Iterator[Disagreement]:
    """Give each datum registered with another kind than the one it has anyway."""
    for number, field in enumerate(fields):
        kind = BUILT_IN_FIELDS.get(field.name, field.kind)
        if kind is not field.kind:
            path = ("客户资料", number, "类型")
            yield path, f"「{field.name}」本来就有，类型是 {kind}", "删掉这一条，或换一个名称"


def two_meanings(fields: Sequence[CustomerField], events: Sequence[str]) -> Iterator[Disagreement]:
    """Give each name that means a datum and an event: nobody could tell which a 条件 asks for."""
    data = {*BUILT_IN_FIELDS, *(field.name for field in fields)}
    mend = "换一个名字；条件里写的时候才分得清"
    for number, event in enumerate(events):
        if event in data:
            yield ("客户事件", number), f"「{event}」已经是客户资料的名称", mend
        if event in events[:number]:
            yield ("客户事件", number), f"「{event}」写了两次", "删掉其中一个"
    for number, field in enumerate(fields):
        if field.name in BUILT_IN_EVENTS:
            path = ("客户资料", number, "名称")
            yield path, f"「{field.name}」已经是客户事件的名称", mend


def doubles(part: str, key: str, words: Sequence[str]) -> Iterator[Disagreement]:
    """Give each word that stands twice in a part of the file."""
    for number, word in enumerate(words):
        if word in words[:number]:
            yield (part, number, key), f"「{word}」写了两次", "换一个，或删掉其中一条"


def circles(superiors: Sequence[tuple[str, str | None]]) -> Iterator[Disagreement]:
    """Give each member who would be his own superior, in one step or several."""
    over = dict(superiors)
    for number, (userid, superior) in enumerate(superiors):
        seen = {userid}
        while superior and superior not in seen:
            seen.add(superior)
            superior = over.get(superior)
        if superior == userid:
            path = ("员工", number, "上级")
            yield path, f"「{userid}」的上级绕了一圈又是自己", "改成真正的上级，最上面的人不写"


def doubled(words: Sequence[str]) -> Iterator[tuple[str, str, int]]:
    """Give what is wrong, its mend and its number for each word that stands twice."""
    for number, word in enumerate(words):
        if word in words[:number]:
            yield f"「{word}」写了两次", "换一个，每个活码各用各的标识", number


def unknown_in(
    path: tuple[str, int, str], words: Sequence[str], known: Collection[str], where: str
) -> Iterator[Disagreement]:
    """Give each word of one entry that is not known."""
    for word in words:
        if word not in known:
            yield path, f"「{word}」没有登记", f"先在「{where}」里加上，或改成已有的"


def unknown(
    part: str, key: str, words: Sequence[str | None], known: Collection[str], where: str
) -> Iterator[Disagreement]:
    """Give each entry that names what the file does not have."""
    for number, word in enumerate(words):
        if word and word not in known:
            yield (part, number, key), f"「{word}」没有登记", f"先在「{where}」里加上，或改成已有的"
