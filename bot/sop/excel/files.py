"""Script files on disk before and after a workbook: read together, never overwritten unasked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bot.domain.script import SopScript, content_hash
from bot.errors import ContentError, Problem
from bot.sop.excel.yaml_text import document, write_script
from bot.sop.library import SCRIPT_SUFFIX
from bot.yamlfile import Items, Node, Scalar, load, read_text, read_yaml

How = Literal["new", "replaced", "same", "refused"]
_REMARK = re.compile(r"(?:^|\s)(#.*)$")


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one script's file; ``comments`` of the file that was there."""

    script: str
    path: Path
    how: How
    comments: int = 0


def read_scripts(files: Iterable[Path]) -> list[SopScript]:
    """Read script files; raises ``ContentError`` with the problems of all of them."""
    scripts: list[SopScript] = []
    problems: list[Problem] = []
    for path in files:
        try:
            script, found = load(read_text(path, str(path)), str(path), SopScript)
        except ContentError as error:
            problems += error.problems
            continue
        problems += found
        if script is not None and any(script.id == other.id for other in scripts):
            mend = "每个剧本只写一次"
            problems.append(Problem(str(path), 0, "编号", f"编号「{script.id}」前面有了", mend))
        elif script is not None:
            scripts.append(script)
    if problems:
        raise ContentError(problems)
    return scripts


def write_scripts(scripts: Sequence[SopScript], out: Path, *, force: bool) -> list[Written]:
    """Write each script's file; one that is there and says something else only with ``force``.

    ``out`` is a folder, or for a single script the file itself.
    """
    return list(_written(scripts, out, force=force))


def _written(scripts: Sequence[SopScript], out: Path, *, force: bool) -> Iterator[Written]:
    for script in scripts:
        path = _path_of(script, scripts, out)
        text = file_text(script)
        there = path.is_file()
        if there and _says_the_same(path, script):
            yield Written(script.id, path, "same")
            continue
        comments = _comments(path) if there else 0
        if there and not force:
            yield Written(script.id, path, "refused", comments)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        yield Written(script.id, path, "replaced" if there else "new", comments)


def file_text(script: SopScript) -> str:
    """Return a script's file, read back to be sure that it says the same."""
    text = write_script(document(script))
    read, problems = load(text, f"{script.id}{SCRIPT_SUFFIX}", SopScript)
    if read is None or content_hash(read) != content_hash(script):
        what = "这个剧本写成文件以后，读回来不一样"
        mend = "去掉正文里看不见的特殊字符再试"
        raise ContentError(problems or [Problem(script.id, 0, "", what, mend)])
    return text


def _path_of(script: SopScript, scripts: Sequence[SopScript], out: Path) -> Path:
    if out.suffix.lower() not in (".yaml", ".yml"):
        return out / f"{script.id}{SCRIPT_SUFFIX}"
    if len(scripts) > 1:
        what = f"里面有 {len(scripts)} 个剧本，写不进一个文件"
        raise ContentError([Problem(str(out), 0, "", what, "--out 写一个文件夹")])
    return out


def _says_the_same(path: Path, script: SopScript) -> bool:
    try:
        there, _ = load(read_text(path, str(path)), str(path), SopScript)
    except ContentError:
        return False
    return there is not None and content_hash(there) == content_hash(script)


def _comments(path: Path) -> int:
    """Count the remarks of a file: what stands behind a # and is no part of any value."""
    try:
        text = read_text(path, str(path))
        said = "\n".join(_texts(read_yaml(text, str(path))))
    except ContentError:
        return 0
    found = (match[1] for line in text.splitlines() if (match := _REMARK.search(line)))
    return sum(remark not in said for remark in found)


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Items):
        for item in node.items:
            yield from _texts(item)
    else:
        for entry in node.entries:
            yield from _texts(entry.value)
