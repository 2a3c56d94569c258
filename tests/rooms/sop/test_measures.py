from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sop.measures import KNOWN_METRICS, count, measure
from bot.storage.ledger import Entry
from tests.domain.builders import head, script_of, step
from tests.make import NOON

DAY = timedelta(days=1)


def entries(*told: tuple[str, str, float, dict[str, object]]) -> list[Entry]:
    return [
        Entry(id=n, at=NOON + days * DAY, kind=kind, subject=subject, facts=facts)
        for n, (kind, subject, days, facts) in enumerate(told)
    ]


OURS = {"script": "trial"}
TOLD = entries(
    ("entered", "wmA", 0, OURS),
    ("entered", "wmB", 0, OURS),
    ("entered", "wmC", 1, OURS),
    ("entered", "wmD", 1, {"script": "other"}),
    ("interaction", "wmA", 3, {}),
    ("interaction", "wmA", 5, {}),
    ("interaction", "wmB", 20, {}),
    ("interaction", "wmD", 2, {}),
    ("opted_out", "wmC", 2, {}),
)


@pytest.mark.parametrize(
    ("metric", "value"),
    [("7天有效互动率", 0.3333), ("30天有效互动率", 0.6667), ("拒收率", 0.3333), ("投诉数", 0.0)],
)
def test_one_to_one_scripts_are_measured_by_customers(metric: str, value: float) -> None:
    measures = f"看效果: {{主指标: {metric}, 护栏指标: {{拒收率: 小于0.02}}}}\n"
    script = script_of(head() + measures + "步骤:\n" + step("a", 1))
    measured = measure(script, TOLD)
    assert measured["main"] == {"name": metric, "value": value}
    assert measured["guards"]["拒收率"]["kept"] is False


def test_every_metric_that_files_may_name_is_counted() -> None:
    for metric in KNOWN_METRICS:
        script = script_of(head() + f"看效果: {{主指标: {metric}}}\n步骤:\n" + step("a", 1))
        assert measure(script, TOLD)["main"]["name"] == metric


def test_a_groups_customers_count_by_their_number() -> None:
    told = entries(
        ("entered", "wrA", 0, {**OURS, "customers": 40}),
        ("interaction", "wrA", 1, {"by": "wm1"}),
        ("interaction", "wrA", 2, {"by": "wm2"}),
        ("opted_out", "wm3", 2, {"chat": "wrA"}),
    )
    counts = count(told, "trial")
    assert (counts.customers, counts.entered, counts.speakers, counts.refusals) == (40, 1, 2, 1)
