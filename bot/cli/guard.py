"""Commands for the wording rules: how well they judge."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli
from bot.terminal import padded, the_workspace

if TYPE_CHECKING:
    from bot.answering.trial import Judged, Trial
    from bot.domain.compliance import Rules

guard = typer.Typer(help="话术把关：看词表判得准不准。", no_args_is_help=True)
cli.add_typer(guard, name="guard")


@guard.command("eval")
def evaluate(
    file: Annotated[Path, typer.Argument(help="一行一句的 JSONL：text、approved、violation。")],
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """拿判好的句子试词表：漏了多少、错拦多少，是哪几句、碰了哪一条。

    没有工作目录时，用自带的词表。

    例：zhilin guard eval 句子.jsonl
    """
    from bot.answering.trial import judge, read_sentences
    from bot.errors import ConfigError

    try:
        # Only a line feed ends a line: a sentence may hold what else Python takes for one.
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"读不了 {file}：请看看路径对不对，要用 UTF-8 存。") from error
    trial = judge(read_sentences(lines, str(file)), _rules(folder))
    if as_json:
        typer.echo(json.dumps(_figures(trial), ensure_ascii=False))
    else:
        _print(trial)


def _rules(folder: Path | None) -> Rules:
    from bot.domain.compliance import Rules
    from bot.errors import ContentError
    from bot.hanzi import simplified
    from bot.yamlfile import load

    path = the_workspace(folder, or_starter=True).sop / "rules.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError:
        from bot.errors import ConfigError

        raise ConfigError(f"没有 {path}：词表要放在这里。") from None
    rules, problems = load(text, str(path), Rules)
    if rules is None:
        raise ContentError(problems)
    return rules.reading(simplified)


def _figures(trial: Trial) -> dict[str, Any]:
    return {
        "miss_rate": round(trial.miss_rate, 4),
        "false_block_rate": round(trial.false_block_rate, 4),
        "violations": trial.violations,
        "missed": sum(item.missed for item in trial.items),
        "harmless": trial.harmless,
        "blocked_falsely": sum(item.blocked_falsely for item in trial.items),
        "items": [_item(item) for item in trial.items],
    }


def _item(item: Judged) -> dict[str, Any]:
    return {
        "line": item.line,
        "text": item.sentence.text,
        "approved": item.sentence.approved,
        "violation": item.sentence.violation,
        "blocked": bool(item.hits),
        "right": not (item.missed or item.blocked_falsely),
        "rules": [
            {"rule": hit.rule, "name": hit.name, "matched": hit.matched} for hit in item.hits
        ],
    }


def _print(trial: Trial) -> None:
    missed = [item for item in trial.items if item.missed]
    held = [item for item in trial.items if item.blocked_falsely]
    for name, wrong, total, share in (
        ("漏拦", missed, trial.violations, trial.miss_rate),
        ("错拦", held, trial.harmless, trial.false_block_rate),
    ):
        typer.echo(f"{name}  {padded(f'{len(wrong)} / {total} 句', 14)}  {share:.1%}")
    for title, items in (("漏掉的违规句子：", missed), ("错拦的合规句子：", held)):
        if items:
            typer.echo("")
            typer.echo(title)
        for item in items:
            why = "；".join(f"{hit.rule} {hit.name}「{hit.matched}」" for hit in item.hits)
            shown = item.sentence.text.replace("\n", " ")
            typer.echo(f"  第 {item.line} 行  {shown}" + (f"  ← {why}" if why else ""))
