"""D18: of a burst over several pages every message is handled, and each once."""

from __future__ import annotations

import pytest

from bot.emulator.world import Customer
from bot.storage.tables import events
from bot.wecom.kf import KfApi, SyncPage
from tests.journeys.town import Life

PEOPLE, EACH, PAGE = 40, 3, 50


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ask WeCom for fifty at a time, and note how many came with each page."""
    pulled: list[int] = []
    whole = KfApi.sync_msg

    async def in_fifties(self: KfApi, open_kfid: str, cursor: str, token: str) -> SyncPage:
        page = await whole(self, open_kfid, cursor, token, limit=PAGE)
        pulled.append(len(page.msg_list))
        return page

    monkeypatch.setattr(KfApi, "sync_msg", in_fifties)
    return pulled


async def test_every_message_of_a_burst_is_handled_once(life: Life, small_pages: list[int]) -> None:
    world = life.world
    people = [
        world.add_customer(Customer(world.new_id("wm"), f"街坊{number}")).external_userid
        for number in range(PEOPLE)
    ]
    for number in range(EACH):
        for person in people:
            world.kf.customer_says(life.account, person, f"存折还能用吗 {number}")
    world.faults.plan("kf/sync_msg", "empty_page", times=2)
    world.callbacks.duplicate_all = True
    await life.settle()

    assert [count for count in small_pages if count] == [50, 50, 20]
    assert await life.ledger("message_in") == PEOPLE * EACH
    answers = world.deliveries.select("kf", source="kf_send_msg")
    assert sorted(item.to for item in answers) == sorted(people)
    async with life.demo.bot.database.read() as tx:
        states = (await tx.connection.execute(events.select())).all()
    of_customers = [row.state for row in states if row.key.startswith("kf:")]
    assert of_customers == ["done"] * (PEOPLE * EACH)
