"""Whatever happens, in whatever order: each customer message is answered once.

Customers write in bursts, take words back and ask for a person; staff take sessions and end them;
doorbells come twice, late, out of order or never; calls fail or lose their answer; the power goes
around any transaction or call, and the bot starts again on what is left. Then everything comes to
rest, and each message was answered once, by an answer to it alone or to several together, or was
left to a person for a recorded reason; no customer ever hears an answer before an earlier one.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from bot.emulator.kf_state import State
from bot.storage.tables import ledger, outbox
from bot.workspace import Workspace
from tests.faults.conftest import Tell
from tests.faults.counts import FULL, times
from tests.faults.power import Power, wired
from tests.faults.small_town import (
    ACCOUNT,
    PEOPLE,
    Ground,
    SmallTown,
    open_town,
    prepare,
    quick_parts,
)

EXAMPLES, STEPS = times(10, 1000), 30
_NUMBER = re.compile(r"问题(\d+)号")
_LEFT = frozenset(
    {
        "answer_handover",
        "handed_over",
        "left_to_person",
        "message_recalled",
        "message_skipped",
        "message_failed",
        "reply_taken_back",
        "recalled_unanswered",
    }
)
_WITH_PERSON = (State.POOL, State.HUMAN)

people = st.sampled_from(PEOPLE)
SENDING, READING = "kf/send_msg", "kf/sync_msg"
failures = st.sampled_from(
    [
        (SENDING, "errcode", -1),
        (SENDING, "errcode", 45033),
        (SENDING, "lost_answer", 0),
        (READING, "errcode", -1),
        (READING, "lost_answer", 0),
        (READING, "empty_page", 0),
        (READING, "cursor_loss", 0),
        ("kf/service_state/trans", "lost_answer", 0),
        ("kf/service_state/get", "errcode", -1),
        ("gettoken", "errcode", -1),
        ("*", "token_expiry", 0),
    ]
)
doorbell_faults = st.sampled_from(["duplicate", "late", "reorder", "lost"])


@dataclass
class Said:
    """What a customer wrote, and what may keep it from being answered."""

    number: int
    customer: str
    msgid: str
    recalled: bool = False
    person: bool = False  # a person had the session since, or was asked for


class Totals(Counter[str]):
    """What was played in all examples together."""


class OneAnswer(RuleBasedStateMachine):
    """One story: what people do, what breaks, and the bot in the midst of it."""

    ground: Ground
    totals: Totals

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory(prefix="zhilin-model-")
        self.power = Power()
        self.said: list[Said] = []
        self.wires = wired(self.power)
        self.wires.__enter__()
        self.opened = open_town(self.ground, Path(self.folder.name) / "a.db", self.power)
        self.town: SmallTown = self.runner.run(self.opened.__aenter__())
        self.closed = False

    @initialize()
    def the_bot_knows_the_account(self) -> None:
        """What an account was told before the bot ever read it is not its business."""
        self.town.world.kf.customer_says(ACCOUNT, PEOPLE[0], "在吗")
        self.runner.run(self.town.settle())

    @rule(customer=people, count=st.integers(1, 4), wait_s=st.sampled_from([0.0, 0.7, 3.0]))
    def writes(self, customer: str, count: int, wait_s: float) -> None:
        for _ in range(count):
            self._says(customer, "")
            self.town.clock.advance(seconds=wait_s)
        self._look()

    @rule(customer=people)
    def asks_for_a_person(self, customer: str) -> None:
        self._says(customer, "转人工")
        for one in self.said:
            one.person |= one.customer == customer
        self._look()

    @rule(customer=people, back=st.integers(1, 3))
    def takes_back(self, customer: str, back: int) -> None:
        own = [one for one in self.said if one.customer == customer and not one.recalled]
        if len(own) >= back:
            own[-back].recalled = True
            self.town.world.kf.customer_recalls(ACCOUNT, customer, own[-back].msgid)

    @rule(customer=people, who=st.integers(0, 2))
    def staff_take_over(self, customer: str, who: int) -> None:
        kf, now = self.town.world.kf, self.town.world.now()
        talk = kf.conversation(ACCOUNT, customer)
        servicer = self.town.servicers[who]
        state = talk.state(now)
        if state is State.POOL:
            kf.servicer_takes(ACCOUNT, customer, servicer)
        elif state is State.HUMAN:
            kf.servicer_says(ACCOUNT, customer, talk.servicer, "我来帮您")
        elif state is State.ENDED:
            kf.servicer_says(ACCOUNT, customer, servicer, "还有事吗")
        self._look()

    @rule(customer=people)
    def staff_end(self, customer: str) -> None:
        kf, now = self.town.world.kf, self.town.world.now()
        if kf.conversation(ACCOUNT, customer).state(now) is State.HUMAN:
            kf.servicer_ends(ACCOUNT, customer)

    @rule(failure=failures, count=st.integers(1, 3))
    def calls_fail(self, failure: tuple[str, str, int], count: int) -> None:
        api, kind, errcode = failure
        self.town.world.faults.plan(api, kind, times=count, errcode=errcode)  # type: ignore[arg-type]

    @rule(kind=doorbell_faults, count=st.integers(1, 2))
    def doorbells_fail(self, kind: str, count: int) -> None:
        self.town.world.faults.plan("kf", kind, times=count, seconds=30)  # type: ignore[arg-type]

    @rule(worker=st.integers(0, 3), steps=st.integers(1, 2))
    def a_worker_steps(self, worker: int, steps: int) -> None:
        """Something happens while the rest stands still."""

        async def step() -> None:
            for _ in range(steps):
                await self.town.demo.bot.workers[worker].step()

        self.runner.run(step())
        self._look()

    @rule()
    def doorbells_ring(self) -> None:
        self.runner.run(self.town.world.callbacks.flush())

    @rule()
    def all_is_worked_off(self) -> None:
        self.runner.run(self.town.settle())
        self._look()

    @rule(moments=st.integers(0, 25))
    def the_power_goes(self, moments: int) -> None:
        self.power.cut_after(moments)
        self.runner.run(self.town.settle())
        self._look()

    @rule(seconds=st.sampled_from([0.5, 1.5, 5.0, 70.0, 700.0]))
    def time_goes_by(self, seconds: float) -> None:
        self.town.clock.advance(seconds=seconds)

    def teardown(self) -> None:
        if self.closed:
            return
        self.closed = True
        try:
            self.town.world.faults.clear()
            self._look()
            self.runner.run(self.town.come_to_rest())
            self._look()
            self._judge(*self.runner.run(self._recorded()))
        finally:
            self.power.back()
            self.runner.run(self.opened.__aexit__(None, None, None))
            self.runner.close()
            self.wires.__exit__(None, None, None)
            self.folder.cleanup()
        self.totals["examples"] += 1
        self.totals["asked"] += len(self.said)
        self.totals["cuts"] += self.power.cuts

    def _says(self, customer: str, more: str) -> None:
        number = len(self.said) + 1
        msgid = self.town.world.kf.customer_says(ACCOUNT, customer, f"问题{number}号{more}怎么办")
        self.said.append(Said(number, customer, msgid, person=bool(more)))

    def _look(self) -> None:
        """Note whom a person has: what they wrote may be left to that person."""
        now = self.town.world.now()
        for customer in PEOPLE:
            if self.town.world.kf.conversation(ACCOUNT, customer).state(now) in _WITH_PERSON:
                for one in self.said:
                    one.person |= one.customer == customer

    async def _recorded(self) -> tuple[dict[str, set[str]], set[str]]:
        """Return what the ledger holds of each customer, and the messages given to a person."""
        found: dict[str, set[str]] = {}
        for row in await self.town.rows(ledger.select()):
            found.setdefault(row.subject, set()).add(row.kind)
        given = {
            msgid
            for row in await self.town.rows(outbox.select().where(outbox.c.state == "skipped"))
            if row.reason == "five_messages_used"  # all asked at once, before any answer left
            for msgid in row.facts["answers"]
        }
        return found, given

    def _judge(self, recorded: dict[str, set[str]], given: set[str]) -> None:
        for customer in PEOPLE:
            own = [one for one in self.said if one.customer == customer]
            replies = self.town.world.deliveries.select("kf", customer, "kf_send_msg")
            texts = [one.text for one in replies if one.source == "kf_send_msg"]
            heard = [int(number) for text in texts for number in _NUMBER.findall(text)]
            twice = [number for number, count in Counter(heard).items() if count > 1]
            assert not twice, f"answered twice: {twice} in {texts}"
            assert heard == sorted(heard), f"out of order: {texts}"
            silent = [one for one in own if one.number not in heard]
            excused = [one for one in silent if one.recalled or one.person or one.msgid in given]
            assert silent == excused, f"never answered: {silent} in {texts}"
            if silent:
                assert recorded.get(customer, set()) & _LEFT, f"nobody wrote why: {silent}"
            self.totals["answered"] += len(heard)
            self.totals["left to a person"] += len(silent)
            self.totals["replies"] += len(texts)


@pytest.fixture(scope="module")
def ground(files: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return asyncio.run(prepare(files, tmp_path_factory.mktemp("model")))


@pytest.mark.timeout(7200 if FULL else 120)
def test_each_message_is_answered_once_whatever_happens(ground: Ground, tell: Tell) -> None:
    totals = Totals()

    class Stories(OneAnswer):
        pass

    Stories.ground, Stories.totals = ground, totals
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        derandomize=True,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate, *([Phase.shrink] if FULL else [])],
        suppress_health_check=list(HealthCheck),
    )
    with quick_parts(ground.snapshot):
        run_state_machine_as_test(Stories, settings=chosen)
    tell(
        f"model {totals['examples']} stories: asked {totals['asked']}, "
        f"answered {totals['answered']} in {totals['replies']} replies, "
        f"left to a person or taken back {totals['left to a person']}, "
        f"power cuts {totals['cuts']}, lost 0, twice 0, out of order 0"
    )
    assert totals["asked"] > EXAMPLES
