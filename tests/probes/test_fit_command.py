"""What ``zhilin guard fit`` does: it learns from files of messages and writes numbers only."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bot.answering.probe import NOTHING, PIECES, places_in
from bot.answering.probe_fit import fit, read_said, written


def test_kinds_are_read_from_the_lines_above(tmp_path: Path) -> None:
    said = tmp_path / "said.txt"
    said.write_text("几点开门\n# 被骗\n钱没了\n# 聊天\n你好\n", "utf-8")
    assert read_said([said]) == {"几点开门": NOTHING, "钱没了": "被骗", "你好": NOTHING}


def test_what_is_learnt_tells_the_kinds_apart_and_holds_no_text() -> None:
    told = {f"钱被转走了{one}万": "被骗" for one in "一二三四五六七八九十"}
    told |= {f"{one}点开门吗": NOTHING for one in "一二三四五六七八九十"}
    random = np.random.default_rng(7)
    vectors = {
        text: random.normal(size=8) + (3 if kind == "被骗" else -3) for text, kind in told.items()
    }
    probe, rates = fit(told, vectors)
    assert rates.heard["被骗"] > 0.9
    assert rates.mistaken == 0
    assert all((probe.says(one, vectors[one]) or NOTHING) == kind for one, kind in told.items())
    assert "转走" not in written({"m": probe})
    assert places_in("钱没了").max() < PIECES
