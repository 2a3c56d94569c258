"""Instances of a model: no more than may be, none for two at once, questions before the index."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.ai.hands import Hands


class Model:
    """Notices when two threads use it at the same time."""

    def __init__(self) -> None:
        self._alone = threading.Lock()
        self.used = 0

    def use(self) -> None:
        assert self._alone.acquire(blocking=False), "two threads use one model"
        self.used += 1
        self._alone.release()


def test_many_threads_share_two_and_never_one_at_the_same_time() -> None:
    made: list[Model] = []

    def make() -> Model:
        made.append(Model())
        return made[-1]

    hands = Hands(make, 2)

    def work(_: int) -> None:
        with hands.borrowed() as model:
            model.use()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(400)))
    assert 1 <= len(made) <= 2
    assert sum(model.used for model in made) == 400


def test_who_is_hurried_goes_before_those_who_waited() -> None:
    hands = Hands(Model, 1)
    order: list[str] = []

    def ask(name: str, hurried: bool) -> None:
        with hands.borrowed(hurried=hurried):
            order.append(name)

    with hands.borrowed():
        waiting = [threading.Thread(target=ask, args=("index", False)) for _ in range(3)]
        waiting.append(threading.Thread(target=ask, args=("question", True)))
        for thread in waiting:
            thread.start()
        while hands.waiting < len(waiting):
            waiting[-1].join(0.001)
    for thread in waiting:
        thread.join()
    assert order == ["question", "index", "index", "index"]


def test_one_that_cannot_be_read_is_tried_again_and_those_let_go_are_read_anew() -> None:
    tries: list[int] = []

    def make() -> Model:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("no such file")
        return Model()

    hands = Hands(make, 1)
    with pytest.raises(OSError, match="no such file"), hands.borrowed():
        pass
    for _ in range(2):
        with hands.borrowed() as model:
            model.use()
    assert len(tries) == 2
    hands.let_go()
    with hands.borrowed() as model:
        model.use()
    assert len(tries) == 3
