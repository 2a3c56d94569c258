"""Who may act on a lead: its holder, the customer's manager, who is over them, and head office."""

from __future__ import annotations

import pytest

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.lead import Lead, Need
from bot.domain.lead_rights import BY_OPS, heads, may_act
from tests.domain.builders import starter_bank
from tests.make import NOON, OWNER

HEAD, OTHER_HEAD = "shen.mingyuan", "gu.qinghe"
COLLEAGUE, STRANGER, HEAD_OFFICE = "wang.haoran", "chen.xiaowen", "he.jing"
BANK = starter_bank()


def lead(need: Need = Need.WEALTH, rm: str = OWNER, branch: str = "b01") -> Lead:
    return Lead.model_validate(
        {
            "id": 1,
            "customer": "wmLi",
            "need": need,
            "stage": "new",
            "rm": rm,
            "branch": branch,
            "opened_at": NOON,
            "respond_by": NOON,
        }
    )


def led_by(userid: str, superior: str) -> Bank:
    staff = tuple(
        one.model_copy(update={"superior": RmId(superior)}) if one.userid == userid else one
        for one in BANK.staff
    )
    return BANK.model_copy(update={"staff": staff})


@pytest.mark.parametrize(
    ("by", "need", "may"),
    [
        (OWNER, Need.WEALTH, True),
        (HEAD, Need.WEALTH, True),
        (COLLEAGUE, Need.WEALTH, False),
        (STRANGER, Need.WEALTH, False),
        (OTHER_HEAD, Need.WEALTH, False),
        (HEAD_OFFICE, Need.WEALTH, False),
        (HEAD_OFFICE, Need.COMPLAINT, True),
        (HEAD_OFFICE, Need.RED_FLAG, True),
        ("nobody", Need.WEALTH, False),
        (BY_OPS, Need.WEALTH, True),
    ],
)
def test_the_holder_the_head_and_for_what_is_grave_head_office(
    by: str, need: Need, may: bool
) -> None:
    assert may_act(BANK, by, lead(need)) is may


def test_the_customers_own_manager_may_act_whoever_has_the_lead() -> None:
    assert not may_act(BANK, STRANGER, lead())
    assert may_act(BANK, STRANGER, lead(), managers=[STRANGER])


def test_what_lies_in_a_branchs_pool_is_everybodys_there() -> None:
    pool = lead(rm="")
    assert may_act(BANK, COLLEAGUE, pool)
    assert may_act(BANK, HEAD, pool)
    assert not may_act(BANK, STRANGER, pool)
    assert may_act(BANK, STRANGER, lead(rm="", branch=""))


def test_a_superior_is_over_all_below_and_a_circle_ends() -> None:
    bank = led_by(OWNER, COLLEAGUE)
    assert heads(bank, COLLEAGUE, OWNER)
    assert not heads(bank, OWNER, COLLEAGUE)
    assert may_act(bank, COLLEAGUE, lead())
    assert not heads(BANK, COLLEAGUE, OWNER)
    assert not heads(led_by(OWNER, OWNER), COLLEAGUE, OWNER)
