"""BM25 in flat arrays gives the scores that the formula gives."""

import math
import random

import numpy as np
import pytest

from bot.knowledge.lexical import Lexical, grams, plain

TEXTS = ["存折还能用吗", "银行卡丢了怎么挂失", "挂失挂失", "", "Ａ类　卡!", "卡"]


def by_the_formula(texts: list[str], question: str) -> list[float]:
    cut = [grams(text) for text in texts]
    mean = sum(max(len(one), 1) for one in cut) / len(cut)
    scores = []
    for one in cut:
        score = 0.0
        for gram in grams(question):
            have = sum(gram in other for other in cut)
            often = one.count(gram)
            rarity = math.log(1 + (len(cut) - have + 0.5) / (have + 0.5))
            score += rarity * often / (often + 1.5 * (0.25 + 0.75 * max(len(one), 1) / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize(
    "question", ["挂失", "卡", "a类卡能挂失吗", "挂失挂失", "没有的字", "", "?"]
)
def test_scores_are_those_of_the_formula(question: str) -> None:
    found = Lexical(TEXTS).scores(question)
    assert found == pytest.approx(by_the_formula(TEXTS, question), abs=1e-5)


def test_many_texts_score_as_the_formula_says() -> None:
    chance = random.Random(5)
    letters = "一二三四五六七八九十𠀀a"
    texts = ["".join(chance.choices(letters, k=chance.randrange(12))) for _ in range(200)]
    lexical = Lexical(texts)
    for question in texts[:20]:
        expected = by_the_formula(texts, question)
        assert lexical.scores(question) == pytest.approx(expected, abs=1e-4)


def test_pairs_together_say_what_they_say_one_by_one() -> None:
    lexical = Lexical(TEXTS)
    pairs = ["挂失", "银行", "没有", "卡丢"]
    alone = sum(lexical.rarity(pair) for pair in pairs)
    assert lexical.rarity_of_pairs(pairs) == pytest.approx(alone)
    assert lexical.rarity_of_pairs([]) == 0
    assert lexical.rarity("没有") > lexical.rarity("挂失") > lexical.rarity("卡") * 0.5


def test_no_texts_have_no_scores() -> None:
    empty = Lexical([])
    assert empty.scores("挂失").shape == (0,)
    assert np.isfinite(empty.rarity("挂失"))
    assert empty.rarity_of_pairs(["挂失"]) == pytest.approx(empty.rarity("挂失"))
    assert plain("") == ""
