"""A Q&A file with an entry or a wording more: every other character stays as people wrote it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import yaml

from bot.domain.teaching import NewEntry
from bot.errors import ConfigError

_ENTRIES, _ID, _ASKS = "条目", "编号", "问"
_PLAIN = re.compile(r"[\u4e00-\u9fffA-Za-z][\u4e00-\u9fffA-Za-z0-9？！。、（）「」《》·-]*")
_WORDS_OF_YAML = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_YEAR = timedelta(days=365)


class Mark(NamedTuple):
    """审批 of a new entry: its number, who allowed it, and the day."""

    number: str
    approver: str
    on: date


def with_draft(text: str, draft: NewEntry, mark: Mark, *, adds: bool) -> str:
    """Return a file's text with the draft in it; ``adds`` where the entry exists already.

    Raise ``ConfigError`` where the file does not have the entry, or has no 条目.
    """
    return _with_wordings(text, draft) if adds else _with_entry(text, draft, mark)


def new_book(owner: str, today: date) -> str:
    """Return the head of a file that has no entry yet."""
    until = today + _YEAR
    return (
        "格式: qa/1\n"
        "库: 客户问过的\n"
        f"更新: {today}\n"
        f"缺省: {{受众: 仅一对一, 生效: {today}, 失效: {until}, 负责人: {_scalar(owner)}}}\n"
        "条目:\n"
    )


def diff_of(before: str, after: str, file: str) -> str:
    """Return the unified diff of a file."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        f"a/{file}",
        f"b/{file}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _with_entry(text: str, draft: NewEntry, mark: Mark) -> str:
    text = text if text.endswith("\n") else f"{text}\n"
    root = _root(text, draft.file)
    entries = _value(root, _ENTRIES)
    if isinstance(entries, yaml.SequenceNode) and entries.value and not entries.flow_style:
        indent, end = entries.start_mark.column, _end_of(text, entries.value[-1])
        if any(_value(one, _ID, scalar=True) == draft.entry for one in entries.value):
            raise ConfigError(f"{draft.file} 里已经有「{draft.entry}」。")
    elif text.rstrip().endswith(f"{_ENTRIES}:"):
        indent, end = 2, len(text)
    else:
        raise ConfigError(f"{draft.file} 没有「{_ENTRIES}:」，或不是一条一行地写的：请手工加进去。")
    return text[:end] + _entry_text(draft, mark, indent) + text[end:]


def _entry_text(draft: NewEntry, mark: Mark, indent: int) -> str:
    pairs = [
        (_ID, draft.entry),
        ("类", _scalar(draft.topic)),
        (_ASKS, f"[{', '.join(map(_scalar, draft.questions))}]"),
        ("答", json.dumps(draft.answer, ensure_ascii=False)),
    ]
    if draft.basis:
        pairs.append(("依据", _scalar(draft.basis)))
    if draft.audience is not None:
        pairs.append(("受众", draft.audience.value))
    approval = f"内容编号: {mark.number}, 审批人: {_scalar(mark.approver)}, 审批日: {mark.on}"
    pairs.append(("审批", f"{{{approval}}}"))
    lines = [f"{key}: {value}" for key, value in pairs]
    blank = " " * indent
    return f"{blank}- {lines[0]}\n" + "".join(f"{blank}  {line}\n" for line in lines[1:])


def _with_wordings(text: str, draft: NewEntry) -> str:
    entries = _value(_root(text, draft.file), _ENTRIES)
    listed = entries.value if isinstance(entries, yaml.SequenceNode) else []
    entry = next((one for one in listed if _value(one, _ID, scalar=True) == draft.entry), None)
    asks = _value(entry, _ASKS) if entry is not None else None
    if not isinstance(asks, yaml.SequenceNode) or not asks.value:
        raise ConfigError(f"{draft.file} 里没有「{draft.entry}」，或它的「问」不是一列。")
    if asks.flow_style:
        end = asks.value[-1].end_mark.index
        return text[:end] + "".join(f", {_scalar(one)}" for one in draft.questions) + text[end:]
    end, blank = _end_of(text, asks.value[-1]), " " * asks.start_mark.column
    added = "".join(f"{blank}- {_scalar(one)}\n" for one in draft.questions)
    head = text[:end] if text[:end].endswith("\n") else f"{text[:end]}\n"
    return head + added + text[end:]


def _root(text: str, file: str) -> yaml.Node | None:
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} 读不了：请先运行 zhilin check，改好再来。") from error
    return root


def _value(node: yaml.Node | None, key: str, *, scalar: bool = False) -> object:
    """Return what stands under a key: a node, or the text itself."""
    if not isinstance(node, yaml.MappingNode):
        return None
    for name, value in node.value:
        if name.value == key:
            return value.value if scalar else value
    return None


def _end_of(text: str, node: yaml.Node) -> int:
    """Return where the line ends on which a node's last words stand, past any comment on it."""
    end: int = node.end_mark.index
    while end > 0 and text[end - 1] in " \n\r\t":
        end -= 1  # a block ends where the next begins, after blank lines
    begun = _last_leaf(node)
    line = text.find("\n", max(end - 1, begun))
    if line < 0:
        return len(text)
    kept = text[: line + 1]
    # The end of a block may lie behind comments that belong to what follows.
    while kept.rstrip("\n").rpartition("\n")[2].lstrip().startswith("#") and len(kept) > begun:
        kept = kept.rstrip("\n").rpartition("\n")[0] + "\n"
    return len(kept)


def _last_leaf(node: yaml.Node) -> int:
    while isinstance(node, yaml.MappingNode | yaml.SequenceNode) and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return int(node.start_mark.index)


def _scalar(text: str) -> str:
    """Write a text as YAML reads it back: bare where that is safe, else in quotes."""
    bare = _PLAIN.fullmatch(text) and text.strip() == text and text.lower() not in _WORDS_OF_YAML
    return text if bare else json.dumps(text, ensure_ascii=False)


def wordings_apart(
    ordered: Sequence[str], taken: Sequence[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split wordings, the most telling first, into those to be written and those to try them by.

    Of three and more each third is held out; no entry gets more than eight.
    """
    fresh = [one for one in dict.fromkeys(ordered) if one not in taken]
    if len(fresh) < _FEWEST_TO_SPLIT:
        return tuple(fresh), ()
    held = set(fresh[2::3])
    written = [one for one in fresh if one not in held]
    held |= set(written[_MOST:])
    return tuple(written[:_MOST]), tuple(one for one in fresh if one in held)


_MOST, _FEWEST_TO_SPLIT = 8, 3
