"""What has, or will have, more than one implementation; the errors are part of each contract."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from bot.domain.events import Notice, Received
from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.domain.knowledge import Prompt, VectorItem
from bot.domain.messages import Outbound, Receipt
from bot.domain.people import Customer, GroupChat


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """Return this moment, aware, in UTC."""

    async def wait_until(self, moment: datetime) -> None:
        """Return once ``moment`` has come."""


class Channel(Protocol):
    """A way messages reach us and leave us."""

    name: str

    def cursor_of(self, notice: Notice) -> str | None:
        """Name the cursor this notice's news is read with; None where the notice is the news."""

    async def receive(self, notice: Notice, cursor: str) -> Received:
        """Turn one stored callback into events, a page at a time; raise ``Retryable``."""

    async def send(self, key: str, message: Outbound, *, repeated: bool) -> Receipt:
        """Deliver once.

        ``repeated`` tells that this very row may have been sent before. Raise ``Retryable`` to be
        tried again, ``Undeliverable`` to be dropped.
        """


@runtime_checkable
class Preparing(Protocol):
    """A channel that has something to do ahead of a call, which nobody sees and may take long."""

    async def prepare(self, message: Outbound) -> None:
        """Make ready what ``send`` will need; nothing leaves. Raise as ``send`` does."""


class Acknowledger(Protocol):
    """Answers a callback in its own HTTP response, where WeCom waits for words there."""

    def keeps(self, body: str) -> bool:
        """Tell whether this callback is news to be stored, not a mere question how far we are."""

    async def acknowledge(self, body: str) -> str:
        """Return the plain text of the response, to be encrypted; empty for none."""


class Directory(Protocol):
    """Who the customers and groups are."""

    async def customer(self, customer: CustomerId) -> Customer:
        """Return a customer with all their managers; one nobody serves comes back without."""

    async def managers(self) -> Sequence[RmId]:
        """List the members who may have customers."""

    async def customers_of(self, manager: RmId, cursor: str) -> tuple[Sequence[Customer], str]:
        """Return one page of a manager's customers, each as this manager knows them.

        With it comes where to read on, "" at the end.
        """

    async def groups_of(
        self, owners: Sequence[RmId], cursor: str
    ) -> tuple[Sequence[GroupChatId], str]:
        """Return one page of these members' groups (at most 100 members), and where to read on."""

    async def group(self, chat: GroupChatId) -> GroupChat | None:
        """Return a group with its members; None where it is gone."""

    async def groups(self) -> Sequence[GroupChatId]:
        """List every customer group the bank's staff own."""


class Archive(Protocol):
    """The record of what people write in groups, for a bank that has one."""

    async def pull(self, seq: int, limit: int) -> Sequence[dict[str, object]]:
        """Return messages after ``seq`` in order, each with ``seq``, ``msgid``, ``message``."""


class Embedder(Protocol):
    """Turns text into vectors; ``name`` is recorded with every vector it made."""

    name: str
    dimensions: int

    async def passages(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """Embed texts that will be searched, in order."""

    async def query(self, text: str) -> Sequence[float]:
        """Embed one question."""


class VectorStore(Protocol):
    """Keeps vectors and finds the nearest."""

    async def upsert(self, items: Sequence[VectorItem]) -> None:
        """Add the items, each replacing one of the same id."""

    async def delete(self, ids: Sequence[str]) -> None:
        """Remove the items; an unknown id is no error."""

    async def search(self, vector: Sequence[float], k: int) -> Sequence[tuple[str, float]]:
        """Return the nearest ids, best first, with their cosine similarity."""

    async def ids(self) -> set[str]:
        """Return every id that is kept."""

    async def vectors(self, ids: Sequence[str]) -> Mapping[str, Sequence[float]]:
        """Return the vectors of these ids as far as they are kept; their length may be one."""


class Reranker(Protocol):
    """Reads a question and a text together, which tells more than two vectors do."""

    async def scores(self, question: str, texts: Sequence[str]) -> Sequence[float]:
        """Return for each text how well it answers, in their order; raise ``Retryable``."""


class ChatModel(Protocol):
    """Writes an answer from given passages."""

    name: str

    async def write(self, prompt: Prompt) -> str:
        """Return the text; raise ``Retryable`` on a time-out or a failure."""

    def stream(self, prompt: Prompt) -> AsyncGenerator[str, None]:
        """Give the text bit by bit as it is written; raise as ``write`` does."""


class Speech(Protocol):
    """Writes down what was spoken."""

    async def transcribe(self, audio: bytes, form: str) -> str:
        """Return the words of a recording, "" where there are none; ``form`` is such as "amr".

        Raise ``Retryable`` on a time-out or a failure.
        """
