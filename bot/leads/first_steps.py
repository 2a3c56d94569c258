"""What is done first where a customer is in danger, or complains: before anything is written."""

from __future__ import annotations

import re
from typing import Literal

from bot.domain.bank import Bank
from bot.domain.lead import Lead, Need

_SUICIDE = re.compile(
    r"自杀|轻生|不想活|活不(下去|了)|没意思活|活着没|寻死|想死|跳楼|遗书|了结自己"
)
_ILLNESS = re.compile(r"晕|昏|胸口|胸闷|喘不|中风|抽搐|心脏|摔(倒|了)|急救|救护|不省人事|叫不醒")


Danger = Literal["被骗", "轻生", "突发疾病"]


def danger_of(lead: Lead) -> Danger:
    """Return which danger somebody is in, a life before the money.

    What heard the words says so; else the words do, where a script or a colleague called.
    """
    heard = {one.danger for one in lead.evidence}
    said = "\n".join(one.quote for one in lead.evidence if not one.danger)
    if "轻生" in heard or _SUICIDE.search(said):
        return "轻生"
    if "突发疾病" in heard or _ILLNESS.search(said):
        return "突发疾病"
    return "被骗"


def first_steps(lead: Lead, bank: Bank) -> tuple[str, ...]:
    """Return what is done first where it is grave (S19, S20): call, and which numbers help."""
    if lead.need is Need.COMPLAINT:
        return (
            "打电话，别打字；先道歉，听完再说",
            "说清谁来办、什么时候给答复，当天记下来",
            "客户想找监管，告诉他 12378",
        )
    if lead.need is not Need.RED_FLAG:
        return ()
    danger = danger_of(lead)
    if danger == "轻生":
        return (
            "打电话，别打字；电话别挂，听客户说",
            "请客户身边的人马上过去；打 110、120",
            "心理援助热线 12356",
        )
    if danger == "突发疾病":
        return (
            "请客户或家人马上打 120",
            "打电话问清在哪里、身边有没有人",
            "打不通就打 110 请求上门",
        )
    return (
        "打电话，别打字；请客户停手，关掉屏幕共享，断网",
        "请客户打 110；拿不准是不是骗子，打反诈专线 96110",
        f"打 {bank.institution.hotline} 协助挂失、止付",
    )
