"""Traditional characters mean the same as simplified ones to everything that compares words."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from bot.ai.cache import CachedEmbedder, VectorCache
from bot.answering.outside import outside
from bot.answering.red_flags import red_flag
from bot.answering.splitting import parts_of
from bot.answering.wishes import asks_identity, courtesy, wants_person
from bot.domain.compliance import mask_numbers, screen
from bot.hanzi import simplified
from bot.knowledge.lexical import plain
from bot.leads.intents import intent_of
from bot.sop.library import load_workspace_files
from bot.sop.listen import is_refusal, sounds_like_question
from bot.workspace import starter_root


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("我要轉帳到這個帳戶", "我要转账到这个账户"),
        ("香港賬戶裏面", "香港账户里面"),
        ("螢幕分享的程式", "屏幕分享的程序"),
        ("帐户和蚊帐、帐篷", "账户和蚊帐、帐篷"),
        ("乾隆皇后了解著作", "乾隆皇后了解著作"),
        ("请支援一下，计划书的文件", "请支援一下，计划书的文件"),
        ("ATM 123", "ATM 123"),
        ("", ""),
    ],
)
def test_traditional_characters_are_read_as_simplified_ones(typed: str, read: str) -> None:
    assert simplified(typed) == read


def test_a_message_costs_well_under_a_fifth_of_a_millisecond() -> None:
    simplified("預熱")
    messages = [
        f"第{number}個問題：我的定期存單到期之後怎麼辦，要帶什麼證件" for number in range(500)
    ]
    began = time.perf_counter()
    for message in messages:
        simplified(message)
    assert (time.perf_counter() - began) / len(messages) < 0.0002


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("說要幫我解除分期付款，叫我轉帳", "被骗"),
        ("我被騙了三萬塊", "被骗"),
        ("我不想活了，活著沒意思", "轻生"),
        ("我媽暈倒了叫不醒", "突发疾病"),
        ("你們態度太差，我要投訴", "投诉"),
    ],
)
def test_trouble_is_heard_in_traditional_characters(text: str, name: str) -> None:
    flag = red_flag(text)
    assert flag is not None
    assert flag.name == name


def test_wishes_and_kinds_of_questions_are_heard_in_traditional_characters() -> None:
    assert wants_person("轉人工")
    assert wants_person("我要找真人客服")
    assert asks_identity("你是機器人嗎")
    assert courtesy("謝謝") == courtesy("谢谢")
    assert outside("明年金價會不會漲") == outside("明年金价会不会涨")
    assert outside("明年金價會不會漲") is not None
    assert sounds_like_question("存摺丟了怎麼辦")
    assert is_refusal("別發了", ["别发了"])
    assert intent_of("我想買國債") == intent_of("我想买国债")


def test_parts_of_a_message_stay_as_they_were_typed() -> None:
    assert parts_of("存摺丟了怎麼辦？預約取款要幾天？") == ("存摺丟了怎麼辦", "預約取款要幾天")


def test_words_match_across_both_ways_of_writing() -> None:
    assert plain("存摺還能用嗎？") == plain("存折还能用吗?")


@pytest.mark.parametrize(
    "text", ["先轉到我個人賬戶", "這款產品保證收益", "保　證　收　益，穩賺不賠"]
)
def test_the_guard_sees_through_traditional_characters(text: str) -> None:
    rules = load_workspace_files(starter_root()).rules
    assert rules is not None
    assert [hit for hit in screen(text, rules, approved=False) if hit.blocks]
    assert [hit.rule for hit in screen(text, rules, approved=False)] == [
        hit.rule for hit in screen(simplified(text), rules, approved=False)
    ]


@pytest.mark.parametrize("text", ["驗證碼是482913", "密碼為8829104", "482913是我的動態碼"])
def test_a_code_is_hidden_whatever_it_is_called_in(text: str) -> None:
    assert "482913" not in mask_numbers(text)
    assert "8829104" not in mask_numbers(text)


class _Counting:
    name, dimensions = "counting", 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def passages(self, texts: list[str]) -> list[list[float]]:
        self.asked += texts
        return [[1.0, 0.0] for _ in texts]

    async def query(self, text: str) -> list[float]:
        self.asked.append(text)
        return [1.0, 0.0]


async def test_both_ways_of_writing_have_one_vector(tmp_path: Path) -> None:
    model = _Counting()
    embedder = CachedEmbedder(model, VectorCache(tmp_path / "vectors.db"))
    await embedder.query("存摺還能用嗎")
    await embedder.query("存折还能用吗")
    await embedder.passages(["轉帳限額", "转账限额"])
    assert model.asked == ["存折还能用吗", "转账限额"]
