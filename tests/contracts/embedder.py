"""What every Embedder keeps to."""

import pytest

from bot.ports import Embedder


def cosine(a: object, b: object) -> float:
    first, second = list(a), list(b)  # type: ignore[call-overload]
    dot = sum(x * y for x, y in zip(first, second, strict=True))
    return dot / (sum(x * x for x in first) * sum(y * y for y in second)) ** 0.5


class EmbedderContract:
    """Subclass with an ``embedder`` fixture."""

    async def test_a_vector_for_each_text_in_order(self, embedder: Embedder) -> None:
        texts = ["存折还能用吗", "银行卡丢了怎么办", "存折还能用吗"]
        vectors = await embedder.passages(texts)
        assert [len(vector) for vector in vectors] == [embedder.dimensions] * 3
        assert vectors[0] == pytest.approx(vectors[2])
        assert vectors[0] != pytest.approx(vectors[1])
        assert list(await embedder.passages([])) == []

    async def test_a_text_alone_or_in_company_is_the_same(self, embedder: Embedder) -> None:
        alone = (await embedder.passages(["挂失"]))[0]
        among = (await embedder.passages(["挂失", "网点几点开门,周末上班吗,中午休息吗"]))[0]
        assert alone == pytest.approx(among, abs=1e-5)

    async def test_a_question_is_nearest_to_what_answers_it(self, embedder: Embedder) -> None:
        question = await embedder.query("存折还能用吗")
        near, far = await embedder.passages(["存折还能用吗", "今天天气真好去公园"])
        assert len(question) == embedder.dimensions
        assert cosine(question, near) > cosine(question, far)
