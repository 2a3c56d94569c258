"""Tells those in charge what is wrong with their files, once for each distinct set of problems."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from bot.domain.delivery import Terms
from bot.domain.ids import RmId
from bot.domain.staff_messages import StaffText
from bot.errors import Problem
from bot.storage.db import Tx
from bot.workers.files import Snapshot, of_knowledge
from bot.workers.people_in_charge import consumer_protection, in_charge

_SHOWN = 5  # an app text holds 2,048 bytes
_LINE_CHARS = 110
_UNTIL = "改好之前，走的还是上一版，什么也没有变："
_UNTIL_THEN = "改好之前，有问题的这几条不用来回答，其余照常："


async def tell_owners(
    tx: Tx, problems: Iterable[Problem], last_good: Snapshot, now: datetime
) -> int:
    """Put a text for each person into the outbox; return how many are new."""
    told = 0
    for person, theirs in _by_person(problems, last_good).items():
        key = f"files:{_digest(theirs)}:{person}"
        message = StaffText(to=(person,), text=words(theirs))
        told += await tx.outbox.put(key, message, Terms(purpose="staff"), now)
    return told


def words(problems: Sequence[Problem]) -> str:
    """Say what is to be mended, and that nothing has changed until it is."""
    lines = [f"刚保存的文件有 {len(problems)} 处要改。{_UNTIL}"]
    if all(map(of_knowledge, problems)):
        lines = [f"知识文件有 {len(problems)} 处要改。{_UNTIL_THEN}"]
    for problem in problems[:_SHOWN]:
        line = f"· {problem}"
        lines.append(line if len(line) <= _LINE_CHARS else line[: _LINE_CHARS - 1] + "…")
    if len(problems) > _SHOWN:
        lines.append(f"还有 {len(problems) - _SHOWN} 处，请运行 zhilin check 看全。")
    return "\n".join(lines)


def _by_person(problems: Iterable[Problem], last_good: Snapshot) -> dict[RmId, list[Problem]]:
    owners = {
        last_good.places[script.id]: script.owner
        for script in last_good.scripts.values()
        if script.id in last_good.places
    }
    owners |= {one.file: one.owner for one in last_good.knowledge.documents if one.owner}
    found: dict[RmId, list[Problem]] = {}
    bank = last_good.bank
    for problem in problems:
        owner = owners.get(problem.file)
        people = in_charge(bank, owner) if owner else consumer_protection(bank)
        for person in people:
            found.setdefault(person, []).append(problem)
    return found


def _digest(problems: Sequence[Problem]) -> str:
    """Return what stays the same when only lines move."""
    said = "\n".join(sorted(f"{one.file} {one.key} {one.what}" for one in problems))
    return hashlib.sha256(said.encode()).hexdigest()[:16]
