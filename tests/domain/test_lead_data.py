"""A setting of leads that would do nothing is told, with what to do about it."""

from __future__ import annotations

from typing import Any

import pytest

from bot.domain.lead import Need
from bot.domain.lead_data import unread
from bot.domain.lead_score import LeadRules
from bot.domain.registry import BUILT_IN_FIELDS, FieldKind

KINDS = {
    **BUILT_IN_FIELDS,
    "贷款到期日": FieldKind.DATE,
    "月日均资产": FieldKind.NUMBER,
    "产品": FieldKind.TEXT,
}
BANDS = (50_000.0, 200_000.0)


def told(**rules: Any) -> list[tuple[str, str]]:
    return [(one.key, one.what) for one in unread(LeadRules(**rules), KINDS)]


def test_what_is_registered_with_its_kind_is_not_spoken_of() -> None:
    assert told() == []
    dates = {"到期日": Need.MATURITY, "贷款到期日": Need.LOAN}
    assert told(dates=dates, value_field="月日均资产", value_bands=BANDS) == []


@pytest.mark.parametrize(
    ("name", "what"),
    [("还款日", "没有登记"), ("产品", "这里要「日期」"), ("生日", "年年月月都有")],
)
def test_a_date_that_nobody_can_read_is_told(name: str, what: str) -> None:
    ((key, why),) = told(dates={name: Need.LOAN, "到期日": Need.MATURITY})
    assert key == f"[leads.dates] {name}"
    assert what in why


@pytest.mark.parametrize(
    ("rules", "key", "what"),
    [
        ({"value_field": "资产", "value_bands": BANDS}, "value_field", "没有登记"),
        ({"value_field": "产品", "value_bands": BANDS}, "value_field", "这里要「数」"),
        ({"value_field": "月日均资产"}, "value_bands", "没有分档"),
        ({"value_bands": BANDS}, "value_field", "没写看哪一项"),
    ],
)
def test_a_value_that_nobody_can_tell_is_told(rules: dict[str, Any], key: str, what: str) -> None:
    ((where, why),) = told(**rules)
    assert where == f"[leads] {key}"
    assert what in why


def test_every_word_says_how_to_mend_it() -> None:
    (one,) = unread(LeadRules(dates={"还款日": Need.LOAN}), KINDS)
    assert "「客户资料」里登记，类型写「日期」" in one.mend
