"""What kind of thing a question wants to be told, and which texts tell it."""

from datetime import UTC, datetime

import pytest

from bot.ai.stores import MemoryStore
from bot.domain.knowledge import Document, DocumentKind, Section, Viewer
from bot.knowledge.index import KnowledgeIndex
from bot.knowledge.search import KnowledgeSearch
from bot.knowledge.wanted import fitting
from tests.rooms.knowledge.papers import BoxEmbedder, qa

OTHER = "本行一直重视服务质量"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("新卡什么时候能拿到", "三个工作日"),
        ("夜间静音是几点到几点", "晚上21：00到第二天9：00"),
        ("跨行转账手续费多少", "每笔15元"),
        ("哪里能办社保卡", "梧桐街支行"),
        ("怎么开通短信提醒", "登录手机银行，点击设置"),
        ("为什么收到这条短信", "由于证件过期"),
        ("什么是结构性存款", "指嵌入金融衍生产品的存款"),
        ("房贷能提前还吗", "可以，先预约"),
        ("谁能当受益人", "投保人的配偶"),
        ("补卡要带哪些东西", "身份证、原来的卡"),
        ("客服电话是多少", "拨打 95000"),
    ],
)
def test_a_text_that_tells_what_is_asked_fits_better(question: str, text: str) -> None:
    fits = fitting(question, [OTHER, text, OTHER])
    assert fits.argmax() == 1
    assert fits[0] < 0 < fits[1]


def test_what_every_text_has_says_nothing() -> None:
    assert fitting("多久到账", ["两天", "三天"]).tolist() == [0.0, 0.0]


def test_a_question_of_no_kind_leaves_all_alike() -> None:
    assert fitting("存折丢了", ["两天", OTHER]).tolist() == [0.0, 0.0]


def test_a_text_that_asks_itself_is_neither_better_nor_worse() -> None:
    fits = fitting("多久到账", ["转账多久到账？一天", "两天", OTHER])
    assert fits.tolist() == [0.0, 0.5, -0.5]
    assert fitting("多久到账", ["转账多久到账？一天"]).tolist() == [0.0]
    assert fitting("多久到账", []).tolist() == []


def test_under_a_heading_the_text_begins_anew() -> None:
    fits = fitting("能不能提前还", ["提前还款\n可以，先预约", "提前还款\n请先预约"])
    assert fits.argmax() == 0


def notice(key: str, text: str) -> Document:
    sections = (Section(title="", text=text),)
    return qa(key, "-", kind=DocumentKind.NOTICE, title="", questions=(), sections=sections)


async def test_of_passages_alike_the_one_that_tells_comes_first_and_a_qa_is_not_judged() -> None:
    index = KnowledgeIndex(BoxEmbedder(), MemoryStore(256))
    where = notice("where", "社保卡补办在梧桐街支行")
    when = notice("when", "社保卡补办三个工作日好")
    await index.publish([where, when, qa("qa", "社保卡补办")])
    search = KnowledgeSearch(index, UTC)
    now = datetime(2026, 10, 12, tzinfo=UTC)
    for question, first in (("社保卡补办多久", when), ("社保卡补办在哪", where)):
        found = await search.find(question, Viewer("staff"), now)
        fits = {hit.document.id: hit.scores["fits"] for hit in found.hits}
        assert fits.pop("qa") == 0.0
        assert fits.pop(first.id) == 0.5
        assert [*fits.values()] == [-0.5]
        order = [hit.document.id for hit in found.hits if hit.document.id != "qa"]
        assert order[0] == first.id
