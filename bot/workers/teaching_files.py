"""A proposed entry in its file: what would change, whether that is sound, and the writing of it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.errors import ConfigError, ContentError, Problem
from bot.teaching.qa_text import Mark, diff_of, new_book, with_draft
from bot.workers.files import Snapshot, inspect
from bot.workers.teaching_book import Page
from bot.workspace import Workspace

_CONTENT = ("sop", "knowledge")


def change(
    page: Page, workspace: Workspace, today: date, *, signed: bool = False
) -> tuple[str, str]:
    """Return the file's text before and after; raise ``ConfigError`` without a draft."""
    draft, number = page.proposal.draft, page.proposal.id
    if draft is None:
        raise ConfigError(f"第 {number} 号还没有写好：先 zhilin teach draft {number}。")
    before = _read(workspace.root / draft.file)
    given = {one.role: one.by for one in page.signatures if one.content == draft.content}
    who = "、".join(given.values()) if signed else "待批"
    mark = Mark(f"JX-{number}-{draft.content[:6]}", who, today)
    base = before or new_book(draft.author, today)
    return before, with_draft(base, draft, mark, adds=not draft.answer)


def difference(page: Page, workspace: Workspace, today: date) -> str:
    """Return as a unified diff what publishing would change."""
    before, after = change(page, workspace, today)
    return diff_of(before, after, page.proposal.draft.file if page.proposal.draft else "")


def checked(workspace: Workspace, file: str, after: str, today: date) -> Snapshot:
    """Check all files as they would be; raise ``ContentError`` for a problem that is new."""
    _, had = inspect(workspace, today)
    with TemporaryDirectory() as folder:
        root = Path(folder)
        for name in _CONTENT:
            shutil.copytree(workspace.root / name, root / name)
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(after, "utf-8")
        snapshot, problems = inspect(Workspace(root), today)
    before = set(map(_known_by, had))
    new = [one for one in problems if _known_by(one) not in before]
    if new or snapshot is None:
        raise ContentError(new or problems)
    return snapshot


def write(path: Path, before: str, after: str) -> None:
    """Write a file whole or not at all; raise ``ConfigError`` where somebody saved it meanwhile."""
    if _read(path) != before:
        raise ConfigError(f"{path.name} 刚刚有人改过：请再运行一次。")
    beside = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside.write_text(after, "utf-8")
    beside.replace(path)


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def _known_by(problem: Problem) -> tuple[str, str]:
    """Return what a problem is known by again, whatever its line and number are now."""
    return problem.file, problem.what
