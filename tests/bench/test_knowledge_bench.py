"""What ``zhilin bench knowledge`` stands on, in small."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from bot.ai.cache import VectorCache
from bot.bench import knowledge_run
from bot.bench.knowledge_made import hide, made_documents, make_vectors
from bot.domain.knowledge import Viewer, passages_of
from bot.hanzi import simplified
from bot.workspace import create_workspace, find_workspace


def test_made_documents_are_as_many_and_as_hidden_as_was_asked(tmp_path: Path) -> None:
    documents = list(made_documents(400))
    assert sum(len(passages_of(document)) for document in documents) == 400
    assert len({document.questions for document in documents}) == 100
    today = datetime.now(UTC).date()
    for every in (1, 2, 50):
        shown = [
            one.id
            for one in hide(documents, every)
            if one.shown_to(Viewer("kf")) and one.live_on(today)
        ]
        assert len(shown) == 100 / every
    cache = VectorCache(tmp_path / "v.sqlite")
    like, made = documents[:1], documents[1:5]
    known = {one.text: np.eye(8, dtype=np.float32)[0] for one in passages_of(like[0])}
    cache.put("m", known)
    make_vectors(cache, [("m", 8)], made, like)
    texts = [simplified(passage.text) for document in made for passage in passages_of(document)]
    assert cache.missing("m", texts) == 0
    assert min(vector[0] for vector in cache.get("m", texts).values()) > 0.99  # as what they follow


async def test_a_small_index_is_built_asked_and_published_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, one_model: None
) -> None:
    create_workspace(tmp_path / "bank")
    config = tmp_path / "bank" / "config.toml"
    config.write_text(config.read_text("utf-8") + '\n[embedding]\nmodel = "use-m3"\n', "utf-8")
    monkeypatch.setattr(knowledge_run, "_REAL_DOCUMENTS", 3)
    monkeypatch.setattr(knowledge_run, "_QUESTIONS", 6)
    figures = await knowledge_run.run(find_workspace(tmp_path / "bank"), 400)
    assert figures["passages"] > 400
    assert figures["peak_mb"] > 50
    for name in ("all_shown", "half_hidden", "few_shown"):
        assert figures[name]["count"] == 6
        assert 0 < figures[name]["p50_ms"] <= figures[name]["p95_ms"]
    assert figures["while_publishing"]["published_s"] >= 0
