"""Every move of a lead asks who moves it, happens once, and is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.domain.ids import CustomerId, RmId
from bot.domain.lead import Lead, Moved, Need, Refused
from bot.domain.lead_rights import BY_OPS
from bot.leads.cards import colleagues
from bot.leads.desk import LeadDesk
from bot.leads.moves import LONGEST_SLEEP
from bot.storage.db import Tx
from bot.workers.happenings import Happenings, StoredScripts
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, MINUTE, NOON, OWNER, signal
from tests.rooms.leads.rooms import Room, entries, opened, the_lead, told

COLLEAGUE, STRANGER, HEAD = RmId("wang.haoran"), RmId("chen.xiaowen"), RmId("shen.mingyuan")
HOUR = timedelta(hours=1)
ROOM = Room()
DESK = LeadDesk(
    lambda: ROOM.bank,
    tables=lambda: ROOM.tables,
    tells=Happenings(StoredScripts().script),
)


async def new(tx: Tx, need: Need = Need.WEALTH) -> Lead:
    return await opened(tx, ROOM, need)


async def test_a_lead_is_taken_once_and_the_second_press_says_so(tx: Tx) -> None:
    lead = await new(tx)
    first = await DESK.take(tx, lead.id, OWNER, NOON + MINUTE)
    again = await DESK.take(tx, lead.id, OWNER, NOON + 2 * MINUTE)
    head = await DESK.take(tx, lead.id, HEAD, NOON + 3 * MINUTE)
    assert isinstance(first, Moved)
    assert isinstance(again, Moved)
    assert isinstance(head, Moved)
    assert (first.words, first.changed) == ("已接手", True)
    assert (again.words, again.changed) == ("已接手", False)
    assert (head.words, head.changed) == ("已由同事接手", False)
    assert (await the_lead(tx, lead.id)).taken_at == NOON + MINUTE
    assert [one["in_time"] for one in await entries(tx, "lead_taken")] == [True]


async def test_whose_it_is_not_changes_nothing_and_hears_why(tx: Tx) -> None:
    lead = await new(tx)
    for done in (
        await DESK.take(tx, lead.id, STRANGER, NOON),
        await DESK.pass_on(tx, lead.id, STRANGER, STRANGER, NOON),
        await DESK.later(tx, lead.id, STRANGER, NOON + HOUR, NOON),
        await DESK.finish(tx, lead.id, "won", "", STRANGER, NOON),
        await DESK.explain(tx, lead.id, "done", STRANGER, NOON),
        await DESK.contacted(tx, lead.id, STRANGER, NOON),
    ):
        assert isinstance(done, Refused)
        assert "不归您管" in done.words
    assert (await the_lead(tx, lead.id)).stage == "new"
    assert isinstance(await DESK.take(tx, 99, OWNER, NOON), Refused)


async def test_the_bank_terminal_may_do_all_and_leaves_the_holder(tx: Tx) -> None:
    lead = await new(tx)
    await DESK.take(tx, lead.id, BY_OPS, NOON)
    known = await the_lead(tx, lead.id)
    assert (known.stage, known.rm) == ("taken", OWNER)


async def test_nobody_takes_a_lead_whose_customer_has_not_said_yes(tx: Tx) -> None:
    said = signal(Need.WEALTH, ask_first=True)
    lead = await DESK.open(tx, said, owner=OWNER, group="", now=NOON)
    for done in (
        await DESK.take(tx, lead.id, OWNER, NOON),
        await DESK.later(tx, lead.id, OWNER, NOON + HOUR, NOON),
        await DESK.contacted(tx, lead.id, OWNER, NOON),
    ):
        assert isinstance(done, Refused)
        assert "还没有答应" in done.words


async def test_passed_on_it_is_new_again_and_the_colleague_has_its_card(tx: Tx) -> None:
    lead = await new(tx)
    await DESK.take(tx, lead.id, OWNER, NOON)
    done = await DESK.pass_on(tx, lead.id, COLLEAGUE, OWNER, NOON + MINUTE)
    assert isinstance(done, Moved)
    known = await the_lead(tx, lead.id)
    assert (known.stage, known.rm, known.taken_at) == ("new", COLLEAGUE, None)
    assert await told(tx, ["staff_card"]) == [OWNER, COLLEAGUE]
    away = await DESK.pass_on(tx, lead.id, RmId("nobody"), COLLEAGUE, NOON)
    assert isinstance(away, Refused)


async def test_put_off_it_sleeps_and_comes_back_to_who_took_it(tx: Tx) -> None:
    lead = await new(tx)
    done = await DESK.later(tx, lead.id, OWNER, NOON + HOUR, NOON)
    assert isinstance(done, Moved)
    assert "13:00" in done.words
    asleep = await the_lead(tx, lead.id)
    assert (asleep.stage, asleep.sleeps_until, asleep.taken_at) == ("later", NOON + HOUR, NOON)
    assert await tx.next_due(["leads"]) == NOON + HOUR
    (due,) = await tx.leads.claim(NOON + HOUR)
    await DESK.wake(tx, due, NOON + HOUR)
    assert (await the_lead(tx, lead.id)).stage == "taken"
    assert OWNER in await told(tx)
    assert await tx.next_due(["leads"]) is None


@pytest.mark.parametrize("need", [Need.RED_FLAG, Need.COMPLAINT])
async def test_what_is_grave_is_not_put_off(tx: Tx, need: Need) -> None:
    lead = await new(tx, need)
    done = await DESK.later(tx, lead.id, OWNER, NOON + HOUR, NOON)
    assert isinstance(done, Refused)
    assert "马上联系" in done.words


@pytest.mark.parametrize("until", [NOON, NOON - MINUTE, NOON + LONGEST_SLEEP + MINUTE])
async def test_it_sleeps_into_the_near_future_only(tx: Tx, until) -> None:  # type: ignore[no-untyped-def]
    lead = await new(tx)
    assert isinstance(await DESK.later(tx, lead.id, OWNER, until, NOON), Refused)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("won", "已记下：成交"),
        ("lost", "已记下：没成"),
        ("invalid", "已标记无效"),
        ("closed", "已办结"),
    ],
)
async def test_an_end_is_written_once_with_its_reason(tx: Tx, outcome, words: str) -> None:  # type: ignore[no-untyped-def]
    lead = await new(tx)
    done = await DESK.finish(tx, lead.id, outcome, "price", OWNER, NOON + HOUR)
    again = await DESK.finish(tx, lead.id, "lost", "", OWNER, NOON + 2 * HOUR)
    assert isinstance(done, Moved)
    assert isinstance(again, Moved)
    assert done.words == words
    assert not again.changed
    known = await the_lead(tx, lead.id)
    assert (known.stage, known.outcome_reason, known.closed_at) == (
        outcome,
        "price",
        NOON + HOUR,
    )
    assert [one["reason"] for one in await entries(tx, f"lead_{outcome}")] == ["price"]
    happened = await tx.occurrences.of_subjects([CUSTOMER], ["线索成交"])
    assert len(happened.get(CUSTOMER, [])) == (outcome == "won")


async def test_a_reason_may_be_told_afterwards(tx: Tx) -> None:
    lead = await new(tx)
    await DESK.finish(tx, lead.id, "invalid", "", OWNER, NOON)
    assert isinstance(await DESK.explain(tx, lead.id, "repeated", OWNER, NOON), Moved)
    assert (await the_lead(tx, lead.id)).outcome_reason == "repeated"
    assert [one["reason"] for one in await entries(tx, "lead_invalid_reason")] == ["repeated"]


async def test_a_desk_that_cannot_tell_scripts_takes_no_deal(tx: Tx) -> None:
    lead = await new(tx)
    with pytest.raises(RuntimeError, match="let scripts know"):
        await ROOM.desk.finish(tx, lead.id, "won", "", OWNER, NOON)


async def test_a_persons_words_answer_the_customers_leads_and_take_ones_own(tx: Tx) -> None:
    mine, theirs = await new(tx), await new(tx, Need.SERVICE)
    await DESK.pass_on(tx, theirs.id, COLLEAGUE, OWNER, NOON)
    other = await opened(tx, ROOM, Need.WEALTH, customer="wmOther")
    said_at = NOON + 5 * MINUTE
    answered = await DESK.spoke(tx, CustomerId(CUSTOMER), OWNER, said_at)
    assert answered == [mine.id, theirs.id]
    known = [await the_lead(tx, one.id) for one in (mine, theirs, other)]
    assert [one.stage for one in known] == ["taken", "new", "new"]
    assert [one.first_response_at for one in known] == [said_at, said_at, None]
    await DESK.spoke(tx, CustomerId(CUSTOMER), OWNER, said_at + HOUR)
    assert (await the_lead(tx, mine.id)).first_response_at == said_at


async def test_a_call_nobody_saw_is_written_down_by_a_press(tx: Tx) -> None:
    lead = await new(tx)
    assert isinstance(await DESK.contacted(tx, lead.id, OWNER, NOON + MINUTE), Moved)
    known = await the_lead(tx, lead.id)
    assert (known.stage, known.first_response_at) == ("taken", NOON + MINUTE)


async def test_what_sells_nothing_ends_in_no_deal(tx: Tx) -> None:
    lead = await new(tx, Need.RED_FLAG)
    refused = await DESK.finish(tx, lead.id, "won", "", BY_OPS, NOON + MINUTE)
    assert isinstance(refused, Refused)
    assert "办结" in refused.words
    assert isinstance(await DESK.finish(tx, lead.id, "closed", "", BY_OPS, NOON + MINUTE), Moved)


async def test_whoever_has_it_already_is_said_so(tx: Tx) -> None:
    lead = await new(tx)
    done = await DESK.pass_on(tx, lead.id, OWNER, BY_OPS, NOON)
    assert isinstance(done, Moved)
    assert (done.words, done.changed) == ("本来就在李敏那里", False)


class TestLicences:
    """Who has no licence for a matter is not given it by hand, either; a head may arrange it."""

    @staticmethod
    def room() -> Room:
        staff = tuple(
            one.model_copy(update={"licences": ("基金",)}) if one.userid == OWNER else one
            for one in starter_bank().staff
        )
        return Room(starter_bank().model_copy(update={"staff": staff}))

    async def test_nobody_passes_it_on_to_who_has_none(self, tx: Tx) -> None:
        room = self.room()
        said = signal(Need.WEALTH, product="基金")
        lead = await room.desk.open(tx, said, owner=OWNER, group="", now=NOON)
        refused = await room.desk.pass_on(tx, lead.id, COLLEAGUE, OWNER, NOON)
        assert isinstance(refused, Refused)
        assert refused.words == "王浩然没有「基金」资格，请换一位同事。"
        assert (await the_lead(tx, lead.id)).rm == OWNER
        offered = {userid for userid, _ in colleagues(room.bank, OWNER, lead=lead)}
        assert offered == {HEAD}  # the card does not offer what would be refused
        assert isinstance(await room.desk.pass_on(tx, lead.id, HEAD, OWNER, NOON), Moved)

    async def test_nobody_takes_it_from_the_pool_without_one(self, tx: Tx) -> None:
        room = self.room()
        said = signal(Need.WEALTH, product="基金")
        lead = await room.desk.open(tx, said, owner=OWNER, group="", now=NOON)
        await room.desk.pool(tx, lead, NOON)
        refused = await room.desk.take(tx, lead.id, COLLEAGUE, NOON)
        assert isinstance(refused, Refused)
        assert "基金" in refused.words
        assert isinstance(await room.desk.take(tx, lead.id, OWNER, NOON), Moved)

    async def test_a_file_that_states_no_licences_asks_for_none(self, tx: Tx) -> None:
        said = signal(Need.WEALTH, product="基金")
        lead = await ROOM.desk.open(tx, said, owner=OWNER, group="", now=NOON)
        assert isinstance(await DESK.pass_on(tx, lead.id, COLLEAGUE, OWNER, NOON), Moved)
