"""Questions that mean the same are put together, and single ones are left alone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from itertools import combinations

import numpy as np
import pytest

from bot.ai.embed import open_embedder
from bot.teaching.grouping import Measure, best_group, groups_of, middle_first
from tests.rooms.knowledge.starter_questions import ANSWERABLE
from tests.teaching.sayings import KEPT_ASIDE, MEANT, ODD, ODD_ASIDE

KNOWN = [text for text, _ in ANSWERABLE]
BAR = 0.80


def f1(found: Sequence[Sequence[int]], true: Sequence[int]) -> float:
    """Return the F1 of pairs: put together, and meaning the same."""
    label = {place: number for number, group in enumerate(found) for place in group}
    right = wrong = missed = 0
    for one, other in combinations(range(len(true)), 2):
        same = true[one] == true[other]
        together = one in label and label.get(one) == label.get(other)
        right += same and together
        wrong += together and not same
        missed += same and not together
    return 2 * right / (2 * right + wrong + missed)


def flat(meant: Mapping[str, Sequence[str]], odd: Sequence[str]) -> tuple[list[str], list[int]]:
    texts = [text for wordings in meant.values() for text in wordings]
    true = [number for number, wordings in enumerate(meant.values()) for _ in wordings]
    return [*texts, *odd], [*true, *range(1000, 1000 + len(odd))]


@pytest.fixture(scope="module")
def vectors() -> Mapping[str, list[np.ndarray]]:
    """Give every wording's vectors by each model that this machine has."""
    return asyncio.run(embedded())


async def embedded() -> Mapping[str, list[np.ndarray]]:
    sets = {
        "known": KNOWN,
        "dev": flat(MEANT, ODD)[0],
        "aside": flat(KEPT_ASIDE, ODD_ASIDE)[0],
    }
    found: dict[str, list[np.ndarray]] = {name: [] for name in sets}
    async with AsyncExitStack() as stack:
        names: set[str] = set()
        for model in ("", "use-m3"):  # the first for this machine, and the one beside it
            embedder = await stack.enter_async_context(open_embedder(model))
            if embedder.name in names:
                continue
            names.add(embedder.name)
            for name, texts in sets.items():
                found[name].append(np.array(await embedder.passages(texts), dtype=np.float32))
    return found


@pytest.mark.parametrize("name", ["dev", "aside"])
def test_pairs_of_the_same_meaning_are_found(
    name: str, vectors: Mapping[str, list[np.ndarray]]
) -> None:
    texts, true = flat(MEANT, ODD) if name == "dev" else flat(KEPT_ASIDE, ODD_ASIDE)
    measure = Measure(vectors["known"])
    groups = groups_of(measure.between(vectors[name], vectors[name]))
    assert f1(groups, true) >= BAR, [[texts[at] for at in group] for group in groups]


def test_three_wordings_among_a_handful_are_one_group(
    vectors: Mapping[str, list[np.ndarray]],
) -> None:
    texts, _ = flat(MEANT, ODD)
    boxes = [texts.index(text) for text in MEANT["保管箱"][:3]]
    few = [*boxes, texts.index(ODD[0]), texts.index(ODD[5])]
    some = [matrix[few] for matrix in vectors["dev"]]
    measure = Measure(vectors["known"])
    assert groups_of(measure.between(some, some)) == [[0, 1, 2]]


def test_a_new_wording_joins_its_group_and_an_odd_one_none(
    vectors: Mapping[str, list[np.ndarray]],
) -> None:
    texts, _ = flat(MEANT, ODD)
    measure = Measure(vectors["known"])
    alike = measure.between(vectors["dev"], vectors["dev"])
    groups = [[texts.index(text) for text in MEANT[name][1:]] for name in ("保管箱", "ETC", "停车")]
    assert best_group(alike[texts.index(MEANT["ETC"][0])], groups) == 1
    assert best_group(alike[texts.index(ODD[5])], groups) is None


def test_one_question_alone_and_none_at_all_are_no_group() -> None:
    assert groups_of(np.zeros((0, 0))) == []
    assert groups_of(np.ones((1, 1))) == []


def test_the_most_typical_comes_first_and_then_what_is_least_like_it() -> None:
    alike = np.array([[9.0, 8.0, 1.0], [8.0, 9.0, 3.0], [1.0, 3.0, 9.0]])
    assert middle_first(alike) == [1, 2, 0]
