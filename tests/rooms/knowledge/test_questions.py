"""Sets of questions are read whole or refused by line, and an index is measured on them."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.ai.stores import MemoryStore
from bot.cli import cli
from bot.domain.knowledge import DocumentKind
from bot.errors import ContentError
from bot.knowledge.calibrate import fit_all, gather_material, written
from bot.knowledge.evaluate import Outcome, ask_all, figures
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.questions import Asked, read_set, read_sets
from bot.knowledge.trial import rates
from tests.rooms.knowledge.test_search import BoxEmbedder

CORPUS = [
    {"id": "1", "text": "存折丢了怎么办？ 带身份证到网点挂失。\n存折还能补吗？ 能，当天就好。"},
    {"id": 2, "text": "大额存单二十万元起存，到期自动转入活期。"},
    {"id": "3", "text": "网点几点开门？周一到周五九点，周末十点开门。"},
    {"id": "4", "text": "医保卡请到社保局办理，网点可以改密码。"},
]
QUERIES = [
    {"id": "a", "text": "存折找不到了", "relevant": ["1"]},
    {"id": "b", "text": "大额存单多少起存", "relevant": [2]},
    {"id": "c", "text": "周末几点开门", "relevant": ["3"]},
    {"id": "d", "text": "今晚吃什么好", "relevant": []},
]
KEYS = [
    *("r@1", "r@5", "mrr@10", "answered_unanswerable", "declined_answerable"),
    *("abstention_auroc", "leak_at_decline_20", "ms_p50", "ms_p95", "docs_per_s"),
]


def write(path: Path, rows: Iterable[object]) -> Path:
    lines = (row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "bank.corpus.jsonl", CORPUS)
    write(tmp_path / "bank.queries.jsonl", QUERIES)
    return tmp_path


def test_a_set_is_read_and_a_line_of_questions_becomes_a_qa(folder: Path) -> None:
    one = read_set(folder / "bank.corpus.jsonl", folder / "bank.queries.jsonl")
    first, second, *_ = one.documents
    assert (first.kind, first.questions) == (
        DocumentKind.QA,
        ("存折丢了怎么办？", "存折还能补吗？"),
    )
    assert (second.id, second.kind) == ("2", DocumentKind.NOTICE)
    few = write(folder / "few.jsonl", [CORPUS[0], CORPUS[1], CORPUS[3]])
    notices = read_set(few, folder / "bank.queries.jsonl").documents
    assert {document.kind for document in notices} == {DocumentKind.NOTICE}
    assert one.asked[1] == Asked("大额存单多少起存", frozenset({"2"}))
    assert one.unknown == ()


def test_every_broken_line_is_named(tmp_path: Path) -> None:
    corpus = write(
        tmp_path / "c.jsonl",
        ['{"id": "1", "text": "好"}', "", "{", '{"id": "1", "text": "又"}', '{"text": "无"}'],
    )
    queries = write(
        tmp_path / "q.jsonl",
        ['{"text": "问"}', '{"text": "问", "relevant": "1"}', "[]", '{"relevant": []}'],
    )
    with pytest.raises(ContentError) as caught:
        read_set(corpus, queries)
    places = [(problem.file, problem.line) for problem in caught.value.problems]
    assert places == [
        *(("c.jsonl", line) for line in (3, 4, 5)),
        *(("q.jsonl", line) for line in (1, 2, 3, 4)),
    ]
    assert all(problem.what and problem.mend for problem in caught.value.problems)


def test_files_that_are_missing_or_empty_are_said_so(tmp_path: Path) -> None:
    empty = write(tmp_path / "q.jsonl", [])
    with pytest.raises(ContentError) as caught:
        read_set(tmp_path / "none.jsonl", empty)
    assert [problem.what for problem in caught.value.problems] == [
        "没有这个文件",
        "文件是空的",
    ]
    with pytest.raises(ContentError, match="没有成对的"):
        read_sets(tmp_path)


def test_questions_without_a_corpus_belong_to_the_one_they_name(folder: Path) -> None:
    write(folder / "abstain.queries.jsonl", QUERIES[2:])
    write(folder / "other.corpus.jsonl", CORPUS[:2])
    sets = read_sets(folder)
    assert set(sets) == {"abstain", "bank"}
    assert len(sets["abstain"].documents) == 4


def outcome(relevant: str, found: str, probability: float) -> Outcome:
    asked = Asked("问", frozenset(relevant.split()))
    return Outcome(asked, tuple(found.split()), probability, probability >= 0.5, 0.01)


def test_the_figures_are_counted_by_hand() -> None:
    right = [
        outcome("a", "a b", 0.9),
        outcome("b", "a b", 0.6),
        outcome("x", "a b", 0.4),
        outcome("a", "c d e f g a", 0.8),
    ]
    wrong = [outcome("", "a", 0.7), outcome("", "b", 0.1)]
    found = figures([*right, *wrong])
    assert (found["r@1"], found["r@5"]) == (0.25, 0.5)
    assert found["mrr@10"] == pytest.approx((1 + 1 / 2 + 1 / 6) / 4, abs=1e-4)
    assert (found["answered_unanswerable"], found["declined_answerable"]) == (0.5, 0.25)
    assert found["abstention_auroc"] == 6 / 8
    assert found["leak_at_decline_20"] == 0.5
    assert found["curve"][0] == {
        "declined_answerable": 0.0,
        "answered_unanswerable": 0.5,
        "threshold": 0.4,
    }


def test_what_a_set_has_no_questions_for_is_null() -> None:
    found = figures([outcome("a", "a", 0.9)])
    empty = {key for key, value in found.items() if value is None}
    assert empty == {
        *("answered_unanswerable", "abstention_auroc", "abstention_auroc_95"),
        *("leak_at_decline_20", "curve"),
    }


async def test_an_index_is_asked_every_question(folder: Path) -> None:
    one = read_sets(folder)["bank"]
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    await index.publish(one.documents)
    outcomes = await ask_all(index, one)
    assert [len(outcome.found) for outcome in outcomes] == [4, 4, 4, 4]
    assert figures(outcomes)["r@1"] == 1.0


async def test_weights_are_fitted_from_a_folder_and_have_no_words_in_them(folder: Path) -> None:
    write(folder / "all.corpus.jsonl", CORPUS)
    write(folder / "all.queries.jsonl", QUERIES[:3] * 4)
    write(folder / "abstain.queries.jsonl", QUERIES * 2)
    seen: list[str] = []

    def new_index() -> KnowledgeIndex:
        return KnowledgeIndex(BoxEmbedder(), MemoryStore(256))

    material = await gather_material(read_sets(folder), new_index, seen.append)
    assert seen == ["abstain", "all", "bank"]
    assert list(material.order) == ["all", "all -"]
    assert {"abstain", "abstain -", "all ½1"} <= set(material.yes)
    first, second = (written(fit_all({"boxes": material})) for _ in range(2))
    assert first == second
    models = json.loads(first)["models"]
    assert set(models) == {"boxes", "*"}
    assert first.isascii()
    found = rates(material)
    assert found["order"]["all"]["questions_left_out"]["r@1"] == 1.0
    assert "abstain -" in found["decline"]


def test_the_command_gives_every_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch, one_model: None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.delenv("BOT_WORKSPACE", raising=False)
    monkeypatch.chdir(folder)
    files = ["--corpus", "bank.corpus.jsonl", "--queries", "bank.queries.jsonl"]
    command = ["knowledge", "eval", *files, "--model", "use-m3"]
    first = CliRunner().invoke(cli, [*command, "--json"])
    assert first.exit_code == 0, first.output
    found = json.loads(first.stdout)
    assert set(KEYS) <= set(found)
    assert (found["r@1"], found["answered_unanswerable"], found["models"]) == (1.0, 0.0, "use-m3")
    assert found["docs_per_s"] > 0
    again = CliRunner().invoke(cli, command)
    assert "向量都是存着的" in again.stdout
    assert "拒答曲线" in again.stdout
    fresh = json.loads(CliRunner().invoke(cli, [*command, "--fresh", "--json"]).stdout)
    assert fresh["docs_embedded"] == 4
