"""What is said of proposals: in lines for people, in JSON for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from bot.terminal import print_columns

if TYPE_CHECKING:
    from bot.domain.teaching import Asked, Proposal
    from bot.teaching.trial import Trial
    from bot.workers.teaching_book import Page

_KINDS = {"new": "没有答案", "wording": "缺问法", "review": "请看一眼"}
_STATES = {"open": "没写", "drafted": "写好待批", "rejected": "退回了", "published": "已发布"}
_PLANES = {"kf": "一对一", "group": "群里", "private": "单独聊天", "staff": "同事"}
_TITLE = 24
_SHOWN = 12


def print_pages(pages: Sequence[Page]) -> None:
    """Print proposals in a table, with the numbers their order comes from."""
    if not pages:
        typer.echo("没有要教的。")
        return
    rows = [("编号", "值", "人数", "没答上", "轻重", "是什么", "到哪了", "问的是")]
    for page in pages:
        volume, proposal = page.volume, page.proposal
        rows.append(
            (
                str(proposal.id),
                f"{volume.rank:.1f}",
                str(volume.people),
                f"{volume.unanswered}/{volume.questions}",
                str(volume.worth),
                _KINDS[proposal.kind],
                _state(page),
                _clip(proposal.title) + (f" → {proposal.target}" if proposal.target else ""),
            )
        )
    print_columns(rows)
    typer.echo("值 = 30 天里问的人数 × 没答上的比例 × 轻重(丢钱被骗 3，买卖 2，别的 1)。")


def print_page(page: Page) -> None:
    """Print all there is of a proposal."""
    proposal = page.proposal
    typer.echo(f"第 {proposal.id} 号  {_KINDS[proposal.kind]}  {_state(page)}  {proposal.title}")
    if proposal.target:
        typer.echo(f"跟哪条问答有关：{proposal.target}")
    typer.echo(f"\n怎么问的({len(page.asked)} 句，{_people(page.asked)} 人)：")
    for text, count in Counter(one.text for one in page.asked).most_common(_SHOWN):
        typer.echo(f"  {count} 次  {text}")
    for title, counts in (("为什么收", _reasons(page.asked)), ("在哪问", _places(page.asked))):
        typer.echo(f"{title}：{'、'.join(f'{name} {count}' for name, count in counts)}")
    steps = Counter(f"{one.script}/{one.step}" for one in page.asked if one.step)
    if steps:
        said = "、".join(f"{name} {count}" for name, count in steps.most_common(_SHOWN))
        typer.echo(f"哪一步之后一天内问的：{said}")
    replies = list(dict.fromkeys(one.reply for one in page.asked if one.reply))
    if replies:
        typer.echo("\n同事是这样答的(没有批过，只作参考)：")
    for reply in replies[:_SHOWN]:
        typer.echo(f"  {reply}")
    _print_draft(page)


def _print_draft(page: Page) -> None:
    draft = page.proposal.draft
    if draft is None:
        return
    typer.echo(f"\n写好的一稿({draft.author}，写进 {draft.file} 的 {draft.entry})：")
    typer.echo(f"  问：{'；'.join(draft.questions)}")
    if draft.held_out:
        typer.echo(f"  留着试的说法：{'；'.join(draft.held_out)}")
    if draft.answer:
        typer.echo(f"  答：{draft.answer}")
    if draft.sources:
        typer.echo(f"  出处：{'、'.join(draft.sources)}")
    for one in page.signatures:
        void = "" if one.content == draft.content else "(那一稿改过了，作废)"
        typer.echo(f"  {one.role}：{one.by} {one.at.astimezone():%m-%d %H:%M}{void}")


def print_trial(trial: Trial) -> None:
    """Print what was tried and whether it was passed."""
    for name, one in trial.figures().items():
        typer.echo(f"{name}：{one.right}/{one.total}" + ("" if one.total else "(没有可试的)"))
    for line in trial.objections():
        typer.echo(f"不过：{line}")


def trial_as_json(trial: Trial) -> dict[str, Any]:
    """Return what was tried."""
    return {
        "passed": trial.passed,
        "objections": trial.objections(),
        "golden": _tried(trial, "golden") | {"lost": list(trial.lost)},
        "own": _tried(trial, "own"),
        "held_out": _tried(trial, "held_out"),
        "negatives": _tried(trial, "negatives"),
    }


def _tried(trial: Trial, name: str) -> dict[str, Any]:
    one = getattr(trial, name)
    return {"right": one.right, "total": one.total, "wrong": list(one.wrong)}


def page_as_json(page: Page) -> dict[str, Any]:
    """Return a proposal in short."""
    proposal: Proposal = page.proposal
    return {
        "id": proposal.id,
        "kind": proposal.kind,
        "state": proposal.state,
        "title": proposal.title,
        "target": proposal.target,
        "rank": round(page.volume.rank, 3),
        "people": page.volume.people,
        "questions": page.volume.questions,
        "unanswered": page.volume.unanswered,
        "worth": page.volume.worth,
        "lacking": list(page.lacking),
    }


def page_in_full(page: Page) -> dict[str, Any]:
    """Return all there is of a proposal."""
    asked = [
        one.model_dump(
            mode="json",
            include={"text", "plane", "script", "step", "reason", "asked_at", "reply"},
        )
        for one in page.asked
    ]
    draft = page.proposal.draft
    signed = [
        {"role": one.role, "by": one.by, "at": one.at.isoformat(), "content": one.content}
        for one in page.signatures
    ]
    return page_as_json(page) | {
        "asked": asked,
        "draft": draft.model_dump(mode="json") | {"content": draft.content} if draft else None,
        "signatures": signed,
    }


def _state(page: Page) -> str:
    if page.proposal.state == "drafted":
        return f"待{'、'.join(page.lacking)}批" if page.lacking else "批好了，可发布"
    return _STATES[page.proposal.state]


def _people(asked: Sequence[Asked]) -> int:
    return len({one.person for one in asked})


def _reasons(asked: Sequence[Asked]) -> list[tuple[str, int]]:
    return Counter(one.reason.value for one in asked).most_common()


def _places(asked: Sequence[Asked]) -> list[tuple[str, int]]:
    return Counter(_PLANES[one.plane] for one in asked).most_common()


def _clip(text: str) -> str:
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…"
