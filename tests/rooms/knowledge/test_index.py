"""A new edition is built beside the old one, and what was embedded is not embedded again."""

import asyncio
from collections.abc import Sequence

import pytest

from bot.ai.stores import MemoryStore
from bot.domain.knowledge import Document
from bot.errors import Retryable
from bot.knowledge.edition import Edition
from bot.knowledge.index import KnowledgeIndex, Standing
from tests.rooms.knowledge.papers import CARD, PASSBOOK, PRIVATE, BoxEmbedder, qa

MANY = [qa(f"q{number}", f"第{number}问怎么办") for number in range(150)]  # 300 passages


class Model(BoxEmbedder):
    """Boxes of another size; ``gate`` holds passages back, ``fails`` refuses them."""

    def __init__(self, name: str, dimensions: int = 64) -> None:
        super().__init__(name, dimensions)
        self.gate: asyncio.Event | None = None
        self.fails = False

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        if self.fails:
            raise Retryable("down")
        if self.gate is not None:
            await self.gate.wait()
        return await super().passages(texts)


def edition(model: Model, store: MemoryStore | None = None, **more: object) -> Edition:
    return Edition(model, store or MemoryStore(model.dimensions), **more)  # type: ignore[arg-type]


class Ground:
    """An index with an old, complete edition and a new, empty one."""

    def __init__(self, documents: Sequence[Document] = MANY) -> None:
        self.old, self.new = Model("old"), Model("new", 32)
        self.old_store, self.new_store = MemoryStore(64), MemoryStore(32)
        self.documents = documents
        self.told: list[Standing] = []
        self.tidied = 0

    async def tidy(self) -> None:
        self.tidied += 1

    async def open(self) -> KnowledgeIndex:
        await KnowledgeIndex(self.old, self.old_store).publish(self.documents)
        self.old.asked.clear()
        return KnowledgeIndex.over(
            edition(self.new, self.new_store),
            edition(self.old, self.old_store),
            self.told.append,
            self.tidy,
        )


async def test_the_old_edition_answers_until_the_new_one_is_complete() -> None:
    ground = Ground()
    index = await ground.open()
    await index.publish(ground.documents, hurried=True)
    assert (index.models, index.behind) == ("old", True)
    assert await index.edition.nearest("第7问怎么办", 1) != []
    assert ground.new.asked == []
    assert ground.told[-1] == Standing("old", "new", 150, 300, 300)
    assert ground.tidied == 0

    await index.catch_up()
    assert (index.models, index.behind) == ("new", False)
    assert len(await ground.new_store.ids()) == 300
    assert ground.told[-1] == Standing("new", "", 150, 300, 0)
    assert ground.tidied == 1
    assert ground.old.asked == []


async def test_what_is_published_while_the_new_one_is_built_is_in_both() -> None:
    ground = Ground()
    index = await ground.open()
    await index.publish(ground.documents, hurried=True)
    ground.new.gate = asyncio.Event()
    catching_up = asyncio.create_task(index.catch_up())
    await asyncio.sleep(0)
    await index.publish([*ground.documents, PASSBOOK])
    assert ground.old.asked == ["存折还能用吗", "不想用卡", "存折还能用吗 不想用卡 就这样办。"]
    assert index.behind
    ground.new.gate.set()
    await catching_up
    assert len(await ground.new_store.ids()) == 303
    assert index.document("passbook") == PASSBOOK
    assert await index.edition.nearest("存折还能用吗", 1) != []


async def test_a_failing_new_model_leaves_the_old_one_answering_and_nothing_done_twice() -> None:
    ground = Ground()
    index = await ground.open()
    await index.publish(ground.documents, hurried=True)

    def fail(done: int, total: int) -> None:
        ground.new.fails = True

    with pytest.raises(Retryable):
        await index.catch_up(fail)
    assert index.models == "old"
    first = list(ground.new.asked)
    ground.new.fails = False
    await index.catch_up()
    assert index.models == "new"
    assert len(first) > 0
    assert len(ground.new.asked) == len(set(ground.new.asked)) == 300


async def test_unhurried_or_for_little_the_new_edition_is_simply_built() -> None:
    ground = Ground()
    index = await ground.open()
    await index.publish(ground.documents)
    assert (index.models, ground.tidied) == ("new", 1)
    little = Ground([PASSBOOK, CARD])
    index = await little.open()
    await index.publish(little.documents, hurried=True)
    assert (index.models, little.tidied) == ("new", 1)


async def test_an_old_edition_that_lacks_as_much_is_not_gone_back_to() -> None:
    ground = Ground()
    index = await ground.open()
    others = [qa(f"x{number}", f"别的{number}") for number in range(150)]
    await index.publish(others, hurried=True)
    assert index.models == "new"
    assert ground.old.asked == []


async def test_a_second_model_scores_what_it_is_asked_for() -> None:
    first, second = Model("first"), Model("second", 32)
    index = KnowledgeIndex(first, MemoryStore(64), second, MemoryStore(32))
    await index.publish([PASSBOOK, CARD])
    ids = [key for key, _ in await index.edition.nearest("存折还能用吗", 6)]
    scores = await index.edition.second_scores("存折还能用吗", [*ids[:2], "never-there"])
    assert list(scores) == ids[:2]
    assert scores[ids[0]] == pytest.approx(1.0, abs=1e-5)
    assert scores[ids[1]] < 1
    assert index.models == "first+second"
    assert await KnowledgeIndex(first, MemoryStore(64)).edition.second_scores("存折", ids) == {}


async def test_a_new_second_model_alone_is_filled_while_the_first_one_answers() -> None:
    first, second, store = Model("first"), Model("second", 32), MemoryStore(64)
    await KnowledgeIndex(first, store).publish(MANY)
    newest = edition(first, store, second=second, second_store=MemoryStore(32))
    ground = Ground()
    index = KnowledgeIndex.over(newest, edition(first, store), ground.told.append, ground.tidy)
    await index.publish(MANY, hurried=True)
    assert index.models == "first"
    assert await index.edition.second_scores("第7问", list(index.shelf.ids[:3])) == {}
    await index.catch_up()
    assert index.models == "first+second"
    assert len(await index.edition.second_scores("第7问", list(index.shelf.ids[:3]))) == 3


async def test_who_shares_a_store_deletes_nothing_that_others_may_still_show() -> None:
    store, model = MemoryStore(64), Model("m")
    ground = Ground()

    def open_one() -> KnowledgeIndex:
        newest = edition(model, store, shared=True)
        return KnowledgeIndex.over(newest, None, ground.told.append, ground.tidy)

    one, other = open_one(), open_one()
    await one.publish([PASSBOOK, CARD])
    await other.publish([PASSBOOK])  # its files are older: nothing goes at a start
    assert len(await store.ids()) == 6
    await one.publish([PASSBOOK, PRIVATE])
    assert await one.edition.nearest("银行卡丢了怎么挂失", 1) != []
    assert len(await store.ids()) == 8  # the card goes one publishing later
    gone = await one.publish([PRIVATE])
    assert gone.removed == 3
    assert len(await store.ids()) == 5


async def test_two_publishings_at_once_end_with_the_later_one() -> None:
    model = Model("m")
    index = KnowledgeIndex(model, MemoryStore(64))
    model.gate = asyncio.Event()
    first = asyncio.create_task(index.publish([PASSBOOK]))
    await asyncio.sleep(0)
    second = asyncio.create_task(index.publish([CARD]))
    await asyncio.sleep(0)
    model.gate.set()
    await asyncio.gather(first, second)
    assert [document.id for document in index.shelf.documents] == ["card"]
    assert len(await index.store.ids()) == 3
