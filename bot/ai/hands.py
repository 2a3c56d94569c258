"""A few instances of one model, each used by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

M = TypeVar("M")


class Hands(Generic[M]):
    """Lends at most ``most`` instances of a model, each made when all those before are in use.

    Who is ``hurried`` goes first: a question waits for one piece of an index, not for all of it.
    """

    def __init__(self, make: Callable[[], M], most: int) -> None:
        self._make = make
        self._most = most
        self._free: list[M] = []
        self._made = 0
        self._hurried = 0
        self.waiting = 0
        """How many threads wait for a model now."""
        self._turn = threading.Condition()

    @contextmanager
    def borrowed(self, *, hurried: bool = False) -> Iterator[M]:
        """Lend a model for the length of a block; wait until one is free."""
        model = self._take(hurried)
        try:
            if model is None:
                model = self._make()
            yield model
        finally:
            with self._turn:
                if model is None:
                    self._made -= 1  # it could not be read
                else:
                    self._free.append(model)
                self._turn.notify_all()

    def let_go(self) -> None:
        """Forget the models that nobody uses: each holds many megabytes."""
        with self._turn:
            self._made -= len(self._free)
            self._free.clear()

    def _take(self, hurried: bool) -> M | None:
        """Wait for a model; None where one may be made."""
        with self._turn:
            self._hurried += hurried
            self.waiting += 1
            while not self._may_go(hurried):
                self._turn.wait()
            self.waiting -= 1
            self._hurried -= hurried
            self._turn.notify_all()  # whoever let it pass
            if self._free:
                return self._free.pop()
            self._made += 1
            return None

    def _may_go(self, hurried: bool) -> bool:
        there = bool(self._free) or self._made < self._most
        return there and (hurried or not self._hurried)
