"""What the gate makes of what is known: of groups, of customers, and of what people decided."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.bank import Bank
from bot.domain.delivery import Facts, Terms
from bot.domain.hold import Holds, Standstill
from bot.domain.knowledge import ProductSheet
from bot.domain.passing import Asking, Passing, facts_of
from bot.domain.quota import Slot, TenantCaps
from bot.domain.runs import Run
from bot.domain.subject import Event, Registry, SubjectFacts
from bot.domain.withdrawal import Withdrawn, body_hash
from tests.domain.builders import script, starter_bank, step
from tests.make import CHAT, CUSTOMER, NOON, OWNER

TEN = NOON.replace(hour=10)
SCRIPT = script(
    step("s1", 1),
    step("s2", 1, kind="祝福"),
    step("s3", 1, more="前提: {条件: 客户回复}"),
    step("s4", 1, kind="活动"),
    step("s5", 1, kind="产品", more="产品: dep-1"),
)
SHEET = ProductSheet(
    id="dep-1",
    name="存款",
    risk_rating="R2",
    valid_from=date(2026, 1, 1),
    valid_to=date(2027, 1, 1),
)


def run(kind: Any = "group", **values: Any) -> Run:
    whole = {
        "id": 1,
        "script": SCRIPT.id,
        "version": "v1",
        "subject": CHAT if kind == "group" else CUSTOMER,
        "subject_kind": kind,
        "owner": OWNER,
        "branch": "b01",
        "anchor": TEN.date(),
        "state": "running",
    }
    return Run.model_validate(whole | values)


def person(**values: Any) -> SubjectFacts:
    known = {
        "friend": True,
        "facts": {"营销同意": True, "年龄": 40, "风险等级": "C3", "测评日": "2026-06-01"},
    }
    return SubjectFacts(CUSTOMER, "customer", Registry.of(starter_bank()), **(known | values))


def group(**values: Any) -> SubjectFacts:
    return SubjectFacts(CHAT, "group", Registry.of(starter_bank()), **values)


def passing(bank: Bank | None = None, **values: Any) -> Passing:
    given = {"holds": Holds(), "withdrawn": Withdrawn(), "tenant": TenantCaps()} | values
    return Passing(bank=bank or starter_bank(), now=TEN, **given)


def asking(step: str, of: Run, subject: SubjectFacts | None, **values: Any) -> Asking:
    part = SCRIPT.part(step)
    terms = Terms(
        purpose="step",
        subject=of.subject,
        subject_kind=of.subject_kind,
        step=step,
        way="企业群发",
        quota=True,
        marketing=getattr(part, "marketing", False),
        product=getattr(part, "product", None) or "",
    )
    key = f"sop:1:{step}:1"
    return Asking(key, terms, of, SCRIPT, SCRIPT, subject, **values)


def facts(
    step: str, of: Run, subject: SubjectFacts | None, using: Passing | None = None, **values: Any
) -> Facts:
    return facts_of(asking(step, of, subject, **values), using or passing())


def test_a_group_that_runs_and_lives_gets_its_step() -> None:
    assert facts("s1", run(), group()) == Facts(product_sold=False)


@pytest.mark.parametrize(
    ("of", "subject", "field", "value"),
    [
        (run(state="exited"), group(), "run_alive", False),
        (run(), group(alive=False), "group_alive", False),
        (run(), None, "group_alive", False),
        (run(marketing_stopped=True), group(), "refuses_marketing", True),
        (run(product_stopped=True), group(), "product_stopped", True),
        (run("customer"), None, "friend", False),
        (run("customer"), person(friend=False), "friend", False),
        (run("customer"), person(refuses=True), "refuses_marketing", True),
        (run("customer"), person(refuses=True), "consents", False),
        (run("customer"), person(facts={}), "consents", False),  # unknown is no consent
        (run("customer"), person(), "consents", True),
        (run("customer"), person(tags=frozenset({"只收节日问候"})), "wants_other", True),
    ],
)
def test_what_is_known_of_the_subject_counts(
    of: Run, subject: SubjectFacts | None, field: str, value: bool
) -> None:
    assert getattr(facts("s1", of, subject), field) is value


def test_who_takes_greetings_only_gets_greetings() -> None:
    shy = person(tags=frozenset({"只收节日问候"}))
    assert not facts("s2", run("customer"), shy).wants_other


def test_a_condition_is_judged_again_when_it_goes_out() -> None:
    of = run("customer")
    assert not facts("s3", of, person()).condition
    replied = person(happened=(Event("客户回复", TEN.replace(hour=9)),))
    assert facts("s3", of, replied).condition


def test_a_group_whose_tag_forbids_it_is_not_marketed_to() -> None:
    rule = starter_bank().group_tag_rules[0]
    closed = rule.model_copy(update={"may_market": False})
    bank = starter_bank().model_copy(update={"group_tag_rules": (closed,)})
    tagged = group(tags=frozenset({rule.tag}))
    assert not facts("s4", run(), tagged, passing(bank)).may_market
    assert facts("s4", run(), group(), passing(bank)).may_market


def test_what_people_hold_or_withdraw_counts_at_once() -> None:
    held = Standstill(
        id=1, verb="pause", scope="step", target=f"{SCRIPT.id}/s1", by="王芳", since=TEN
    )
    using = passing(holds=Holds([held]))
    assert facts("s1", run(), group(), using).paused
    assert not facts("s2", run(), group(), using).paused
    gone = Withdrawn([(SCRIPT.id, "s1", body_hash("您好"))])
    assert facts("s1", run(), group(), passing(withdrawn=gone)).withdrawn


def test_a_product_has_to_be_sold_and_to_suit_the_customer() -> None:
    of = run("customer")
    assert facts("s5", of, person(), product=SHEET).unfit == ""
    assert facts("s5", of, person(), product=SHEET).product_sold
    old = person(facts={"营销同意": True, "年龄": 70})
    assert facts("s5", of, old, product=SHEET).unfit == "over_65"
    assert facts("s5", run(), group(), product=SHEET).unfit == ""  # a group has no one age
    over = SHEET.model_copy(update={"valid_to": date(2026, 10, 11)})
    assert not facts("s5", of, person(), product=over).product_sold


def test_places_that_are_taken_count_but_not_its_own() -> None:
    other = Slot("broadcast", TEN, "sop:9:x")
    assert facts("s1", run(), group(), slots=[other]).full == "daily_cap"
    assert facts("s1", run(), group(), slots=[replace_key(other)]).full == ""
    fewer = group()._replace(weekly_cap=1)
    earlier = Slot("broadcast", TEN.replace(day=9), "sop:9:x")
    assert facts("s1", run(), fewer, slots=[earlier]).full == "weekly_cap"


def replace_key(slot: Slot) -> Slot:
    return slot._replace(key="sop:1:s1")
