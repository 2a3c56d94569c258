"""The scripts that ship: published, approved, explained, and sound when they are played."""

from __future__ import annotations

import re
from datetime import date

import pytest

from bot.calendars import calendar_tables
from bot.domain.script import SopScript, content_hash
from bot.domain.script_parts import Status, Subject
from bot.domain.steps import SendBy, StepKind
from bot.knowledge.reader import read_files
from bot.sop.library import load_workspace_files
from bot.sop.simulation import Case, Manners, report_of, simulate
from bot.sop.wording import texts
from bot.workers.checking import check_scripts
from bot.workspace import Workspace, starter_root
from tests.domain.builders import ROOT, starter_bank
from tests.rooms.sop.test_simulate import product

FILES = load_workspace_files(ROOT)
SCRIPTS = {id: file.script for id, file in FILES.scripts.items()}
ONE_TO_ONE = [one for one in SCRIPTS.values() if one.subject is Subject.CUSTOMER]
START = date(2026, 10, 12)  # the starter's file has events for two months from here
# What a step is only lost by where the script itself, or the bank's file, is at fault.
FAULTS = {
    *("no_value", "no_words", "no_event", "no_date", "no_day_left", "way_not_supported"),
    *("quiet_hours", "daily_cap", "weekly_cap", "monthly_cap", "weekly_product_cap", "overlay"),
}
_YIELD = re.compile(r"\d+(?:\.\d+)?\s*[%％]|年化|收益率")
_THE_BOT_SPEAKS = re.compile(r"找小安|问小安")


@pytest.fixture(params=sorted(SCRIPTS))
def script(request: pytest.FixtureRequest) -> SopScript:
    return SCRIPTS[request.param]


def test_each_is_published_approved_and_explained(script: SopScript) -> None:
    assert script.status is Status.PUBLISHED
    assert script.approval is not None
    assert script.approval.approver != script.owner
    page = (ROOT / "docs" / "scripts" / f"{script.id}.md").read_text(encoding="utf-8")
    for asked in ("为谁", "什么时候进", "节奏", "额度", "决不做", "怎么知道有用", "本行要改"):
        assert asked in page, asked
    assert f"({script.id}.md)" in (ROOT / "docs" / "scripts" / "README.md").read_text("utf-8")


def test_no_two_were_approved_under_one_number() -> None:
    numbers = [one.approval.content_id for one in SCRIPTS.values() if one.approval]
    assert len(numbers) == len(set(numbers)) == len(SCRIPTS)


def test_what_is_said_promises_nothing_and_says_who_speaks(script: SopScript) -> None:
    for said in texts(script):
        assert not _YIELD.search(said.text), said.text
        if _THE_BOT_SPEAKS.search(said.text) and said.part is script.steps[0]:
            assert "智能助手，不是真人" in said.text.replace("本行的", ""), said.text


def test_no_words_name_a_day_that_rest_days_make_wrong() -> None:
    found = check_scripts(Workspace(starter_root()), calendar_tables(range(2026, 2029)), START)
    assert found.problems == ()
    assert [note for note in found.notes if "顺延以后就不对了" in note.what] == []


def test_only_one_step_of_all_sells_a_product() -> None:
    selling = [
        (one.id, part.id)
        for one in SCRIPTS.values()
        for part in one.parts
        if part.kind is StepKind.PRODUCT
    ]
    assert selling == [("senior-21d", "d18-product-r2")]


@pytest.mark.parametrize("script", ONE_TO_ONE, ids=lambda one: one.id)
def test_a_customer_comes_in_by_consent_and_a_complaint_ends_it(script: SopScript) -> None:
    if script.id == "complaint-cooling":
        assert script.rails.private_marketing_a_week == 0
        assert not any(step.marketing for step in script.steps)
        return
    assert "营销同意" in (script.audience.where or "")
    ends = {each.event for each in script.exits if each.stops == "全部"}
    assert {"投诉", "客户拒收", "删好友"} <= ends


def test_broadcasts_that_ask_for_quota_have_a_way_without(script: SopScript) -> None:
    """A step that may find no room falls back; the scripts of the examples wait for room."""
    if script.id.startswith("senior-") or script.id in ("dormant-3waves", "class-trust-group"):
        return
    for step in script.steps:
        if SendBy.BROADCAST in step.send_by:
            assert step.send_by[-1] in (SendBy.NUDGE_MANAGER, SendBy.NUDGE_OWNER), step.id


def test_each_plays_through_with_words_for_everything(script: SopScript) -> None:
    """Nobody is lost, and nothing fails for want of a value, a way or a quota."""
    case = Case(
        script=script,
        version=content_hash(script),
        bank=starter_bank(),
        tables=calendar_tables(range(2026, 2029)),
        product=product,
        start=START,
        subjects=24,
        kf_link="https://example.com/kf",
        manners=Manners(confirm=1.0, unknown=0.0, quiet=True),
    )
    losses, delivered = lost_and_delivered(report_of(simulate(case)))
    assert delivered > 0
    reasons = {why.partition(":")[0] for why in losses}
    assert not reasons & FAULTS


def lost_and_delivered(told: object) -> tuple[set[str], int]:
    """Gather the reasons for which steps were lost, and how many messages arrived."""
    if isinstance(told, dict):
        own = set(told["losses"]) if isinstance(told.get("losses"), dict) else set()
        parts = [lost_and_delivered(each) for key, each in told.items() if key != "losses"]
        number = told.get("delivered")
        arrived = number if isinstance(number, int) else 0
    else:
        own, arrived = set(), 0
        parts = [lost_and_delivered(each) for each in told] if isinstance(told, list) else []
    for reasons, count in parts:
        own |= reasons
        arrived += count
    return own, arrived


def test_each_new_script_has_answers_to_what_customers_ask_after_it() -> None:
    knowledge, problems = read_files(ROOT / "knowledge")
    assert problems == ()
    for script in set(SCRIPTS) - {"senior-21d", "senior-weekly"}:
        beside = [
            path
            for path in (ROOT / "knowledge" / "faq").glob("*.qa.yaml")
            if re.search(rf"配 [^\n]*{script}(?![\w-])", path.read_text(encoding="utf-8"))
        ]
        assert len(beside) == 1, script
        assert beside[0].read_text(encoding="utf-8").count("  - 编号: qa-") >= 6
    assert len({one.id for one in knowledge.documents}) == len(knowledge.documents)
