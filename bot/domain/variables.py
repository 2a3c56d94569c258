"""The values behind {variables}: from the bank's own facts, for one group or customer."""

from __future__ import annotations

from datetime import date

from bot.domain.bank import Bank
from bot.domain.ids import RmId
from bot.domain.knowledge import ProductSheet


def variables_for(
    bank: Bank,
    *,
    today: date,
    manager: RmId | None = None,
    branch: str | None = None,
    kf_link: str = "",
    product: ProductSheet | None = None,
    customer_name: str = "",
) -> dict[str, str]:
    """Return what each variable stands for; one that has no value here is left out.

    ``manager`` is the group's owner, or the customer's own manager in a one-to-one talk.
    """
    values = dict(bank.variables)
    values |= {
        "机构.名称": bank.institution.name,
        "客服电话": bank.institution.hotline,
        "隐私.答复时限": bank.privacy.answer_within,
    }
    member = bank.member(manager) if manager else None
    if member is not None:
        values |= {"群主.称呼": member.address_as, "经理.称呼": member.address_as}
        branch = branch or member.branch
    else:
        values |= {"群主.称呼": "客户经理", "经理.称呼": "客户经理"}
    values |= _of_branch(bank, branch, today)
    if kf_link:
        values["小安链接"] = kf_link
    if customer_name:
        values["客户.称呼"] = customer_name
    return values | (_of_product(product) if product is not None else {})


def _of_branch(bank: Bank, branch: str | None, today: date) -> dict[str, str]:
    place = bank.branch(branch) if branch else None
    if place is None:
        return {}
    values = {
        "网点.名称": place.name,
        "网点.地址": place.address,
        "网点.电话": place.phone,
        "网点.营业时间": place.hours,
    }
    if place.region:
        values["网点.地区"] = place.region
    event = bank.next_event(place.id, today)
    if event is not None:
        values |= {"活动.名称": event.name, "活动.日期": event.day_in_words}
    return values


def _of_product(product: ProductSheet) -> dict[str, str]:
    values = {
        "产品.名称": product.name,
        "产品.风险等级": product.risk_rating or "",
        "产品.期限": product.term,
    }
    return {name: value for name, value in values.items() if value}
