"""What is found, who may see it, and when it is true."""

import os
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.ai.cache import CachedEmbedder, VectorCache
from bot.ai.embed import UseEmbedder
from bot.ai.stores import MemoryStore
from bot.domain.knowledge import (
    Approval,
    Audience,
    Plane,
    Viewer,
)
from bot.errors import IndexNotReady, Retryable
from bot.knowledge.evaluate import ask_all, figures
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.questions import read_sets
from bot.knowledge.reader import read_files
from bot.knowledge.search import KnowledgeSearch
from tests.rooms.knowledge.papers import CARD, PASSBOOK, PRIVATE, BoxEmbedder, qa
from tests.rooms.knowledge.starter_questions import ANSWERABLE, EVERYDAY, NEAR

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 10, 12, 2, tzinfo=UTC)
WORKSPACE = Path(__file__).parents[3]
EVAL = Path(os.environ.get("BOT_EVAL_DATA", WORKSPACE.parent / "shared" / "eval"))

STAFF = qa("staff", "客户被骗第一步做什么", audience=Audience.STAFF)
OVER = qa("over", "国庆节开门吗", valid_to=date(2026, 10, 11))
COMING = qa("coming", "元旦开门吗", valid_from=date(2026, 10, 13))
ALL = (PASSBOOK, CARD, PRIVATE, STAFF, OVER, COMING)


@pytest.fixture
async def index() -> KnowledgeIndex:
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    await index.publish(ALL)
    return index


async def found(
    index: KnowledgeIndex, question: str, plane: Plane, now: datetime = NOW, region: str = ""
) -> list[str]:
    viewer = Viewer(plane, region)
    result = await KnowledgeSearch(index, ZONE).find(question, viewer, now, k=10)
    return [hit.document.id for hit in result.hits]


async def test_the_best_comes_first_and_a_document_once(index: KnowledgeIndex) -> None:
    ids = await found(index, "存折还可以用吗", "staff")
    assert ids[0] == "passbook"
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("plane", "hidden"),
    [("group", {"private", "staff"}), ("kf", {"staff"}), ("staff", set())],
)
async def test_each_place_sees_what_it_may_see(
    index: KnowledgeIndex, plane: Plane, hidden: set[str]
) -> None:
    asked = [question for document in ALL for question in document.questions]
    seen = {key for question in asked for key in await found(index, question, plane)}
    assert seen == {"passbook", "card", "private", "staff"} - hidden


async def test_a_document_of_a_region_is_found_there_and_by_staff_alone() -> None:
    east = qa("east", "社保卡去哪里补", regions=("城东区", "城西区"))
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    await index.publish([east, CARD])
    question = "社保卡去哪里补"
    for plane, region, seen in (
        ("kf", "城东区", True),
        ("group", "城西区", True),
        ("kf", "老城区", False),
        ("private", "", False),
        ("staff", "", True),
        ("staff", "老城区", True),
    ):
        ids = await found(index, question, plane, region=region)  # type: ignore[arg-type]
        assert ("east" in ids) is seen, (plane, region)
        assert "card" in ids


async def test_what_is_not_yet_or_no_longer_true_is_not_found(index: KnowledgeIndex) -> None:
    # 16:00 in London is midnight in the bank's zone: there the next day has begun.
    before, after = (datetime(2026, 10, 12, hour, tzinfo=UTC) for hour in (15, 16))
    assert "over" not in await found(index, "国庆节开门吗", "kf", before)
    assert "coming" not in await found(index, "元旦开门吗", "kf", before)
    assert "coming" in await found(index, "元旦开门吗", "kf", after)
    assert "over" in await found(index, "国庆节开门吗", "kf", datetime(2026, 10, 11, tzinfo=UTC))


async def test_an_approval_that_has_run_out_hides_its_document() -> None:
    approval = Approval(
        content_id="X", approver="乙", approved_on=date(2026, 9, 1), expires_on=date(2026, 10, 11)
    )
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    await index.publish([PASSBOOK.model_copy(update={"approval": approval}), CARD])
    assert await found(index, "存折还能用吗", "kf") == ["card"]


@pytest.mark.parametrize("question", ["", "  ", "???", "😀"])
async def test_a_question_without_words_finds_nothing_to_be_sure_of(
    index: KnowledgeIndex, question: str
) -> None:
    result = await KnowledgeSearch(index, ZONE).find(question, Viewer("kf"), NOW)
    assert not result.confident


async def test_before_anything_is_published_nobody_says_that_nothing_is_known() -> None:
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    search = KnowledgeSearch(index, ZONE)
    assert index.report()["ready"] is False
    with pytest.raises(IndexNotReady):
        await search.find("存折", Viewer("kf"), NOW)
    await index.publish(ALL)
    assert index.report()["ready"] is True
    assert (await search.find("存折", Viewer("kf"), NOW)).hits


async def test_an_empty_index_finds_nothing() -> None:
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    await index.publish([])
    result = await KnowledgeSearch(index, ZONE).find("存折", Viewer("kf"), NOW)
    assert result.hits == ()
    assert not result.confident


async def test_only_what_is_new_is_embedded_and_what_is_gone_is_removed() -> None:
    embedder, store = BoxEmbedder(), MemoryStore(256)
    index = KnowledgeIndex(embedder, store)
    steps: list[tuple[int, int]] = []
    first = await index.publish([PASSBOOK, CARD], lambda done, total: steps.append((done, total)))
    assert (first.embedded, first.removed, first.documents) == (6, 0, 2)
    assert steps[-1] == (6, 6)
    embedder.asked.clear()
    later = PASSBOOK.model_copy(update={"valid_to": date(2029, 1, 1)})
    second = await index.publish([later, PRIVATE])
    assert embedder.asked == ["老伴走了钱怎么取", "老伴走了钱怎么取 就这样办。"]
    assert (second.embedded, second.removed) == (2, 3)
    assert len(await store.ids()) == 5
    assert index.document("passbook") == later
    assert index.document("card") is None


async def test_a_new_run_over_the_same_store_embeds_nothing() -> None:
    store = MemoryStore(256)
    await KnowledgeIndex(BoxEmbedder(), store).publish(ALL)
    again = await KnowledgeIndex(BoxEmbedder(), store).publish(ALL)
    assert again.embedded == 0


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory, one_model: None) -> CachedEmbedder:
    return CachedEmbedder(
        UseEmbedder(), VectorCache(tmp_path_factory.mktemp("vectors") / "v.sqlite")
    )


async def test_the_starter_answers_its_own_questions_in_other_words(
    vectors: CachedEmbedder,
) -> None:
    knowledge, problems = read_files(WORKSPACE / "knowledge")
    assert problems == ()
    index = KnowledgeIndex(vectors, MemoryStore(vectors.dimensions))
    await index.publish(knowledge.documents)
    search = KnowledgeSearch(index, ZONE)
    answers = [(await search.find(text, Viewer("kf"), NOW), ids) for text, ids in ANSWERABLE]
    first = sum(one.hits[0].document.id in ids for one, ids in answers)
    said = sum(one.confident and one.hits[0].document.id in ids for one, ids in answers)
    wrong = sum(one.confident and one.hits[0].document.id not in ids for one, ids in answers)
    assert first >= 0.9 * len(ANSWERABLE)
    assert said >= 0.75 * len(ANSWERABLE)
    assert wrong <= 0.05 * len(ANSWERABLE)
    everyday = [text for text in EVERYDAY if (await search.find(text, Viewer("kf"), NOW)).confident]
    assert everyday == []
    near = [text for text in NEAR if (await search.find(text, Viewer("kf"), NOW)).confident]
    assert len(near) <= 0.25 * len(NEAR), near


async def test_the_starter_answers_every_wording_it_has(vectors: CachedEmbedder) -> None:
    knowledge, _ = read_files(WORKSPACE / "knowledge")
    index = KnowledgeIndex(vectors, MemoryStore(vectors.dimensions))
    await index.publish(knowledge.documents)
    search = KnowledgeSearch(index, ZONE)
    missed = []
    for document in knowledge.documents:
        for question in document.questions:
            result = await search.find(question, Viewer("staff"), NOW)
            if result.hits[0].document.id != document.id or not result.confident:
                missed.append((question, document.id, result.hits[0].document.id))
    assert missed == []


@pytest.mark.skipif(not EVAL.exists(), reason="the development data is not on this machine")
async def test_near_misses_are_told_from_what_is_answered(vectors: CachedEmbedder) -> None:
    near = read_sets(EVAL)["abstain_near"]
    index = KnowledgeIndex(vectors, MemoryStore(vectors.dimensions))
    await index.publish(near.documents)
    rates = figures(await ask_all(index, near))
    assert rates["r@1"] >= 0.85
    assert rates["abstention_auroc"] >= 0.93
    assert rates["leak_at_decline_20"] <= 0.1


class ByLength:
    """A reranker that likes long texts, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails
        self.asked: list[Sequence[str]] = []

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        self.asked.append(texts)
        if self.fails:
            raise Retryable("reranker: too slow")
        return [float(len(text)) for text in texts]


async def test_a_reranker_has_the_last_word(index: KnowledgeIndex) -> None:
    reranker = ByLength()
    search = KnowledgeSearch(index, ZONE, reranker)
    hits = (await search.find("存折还能用吗", Viewer("staff"), NOW)).hits
    [texts] = reranker.asked
    longest = max(texts, key=len)
    assert hits[0].document.questions[0] in longest
    assert hits[0].document.id != "passbook"


async def test_a_reranker_that_fails_changes_nothing(index: KnowledgeIndex) -> None:
    plain = await KnowledgeSearch(index, ZONE).find("存折还能用吗", Viewer("staff"), NOW)
    failing = KnowledgeSearch(index, ZONE, ByLength(fails=True))
    assert await failing.find("存折还能用吗", Viewer("staff"), NOW) == plain


async def test_a_second_model_scores_what_the_first_one_found() -> None:
    second = BoxEmbedder()
    second.name = "use-m3"
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256), second, MemoryStore(256))
    await index.publish(ALL)
    found = await KnowledgeSearch(index, ZONE).find("存折还能用吗", Viewer("staff"), NOW)
    assert found.hits[0].document.id == "passbook"
    assert found.hits[0].scores["second"] == pytest.approx(1.0, abs=1e-3)
    assert "存折还能用吗" in second.asked
