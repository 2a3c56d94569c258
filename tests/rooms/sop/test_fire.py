"""What a due step becomes: a task, a card, a welcome, or a reason for none."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bot.domain.messages import Broadcast, GroupWelcome, Image, StaffCard, Text
from bot.domain.runs import GroupFace, Run, RunStep
from bot.domain.script import SopScript
from bot.domain.step_terms import Guard
from bot.sop.fire import Fired, GuardFacts, Wording, Wordings, fire, guard_holds, word
from bot.sop.stencil import Stencil
from bot.storage.letters import seal
from tests.domain.builders import starter_bank, starter_script
from tests.make import CHAT, OWNER, ZONE, local

SCRIPT, BANK = starter_script("senior-21d.sop.yaml"), starter_bank()
SPAN = (local("09:30"), local("11:45"))
VALUES = {
    "群主.称呼": "李经理",
    "小安链接": "https://example.com/kf",
    "网点.电话": "0000-5550101",
    "网点.名称": "梧桐街支行",
    "活动.日期": "10月28日",
    "产品.名称": "云杉稳健",
    "产品.风险等级": "R2",
    "产品.期限": "90天",
}
RUN = Run(
    id=7,
    script=SCRIPT.id,
    version="v1",
    subject=CHAT,
    owner=OWNER,
    branch="b01",
    anchor=date(2026, 10, 12),
    state="running",
)


GROUP = GroupFace(CHAT, "梧桐街银龄安心群1", OWNER)


def row_of(step: str, iteration: int = 0) -> RunStep:
    return RunStep(
        id=3,
        run=7,
        step=step,
        kind="step",
        planned_on=date(2026, 10, 13),
        opens_at=SPAN[0],
        closes_at=local("18:00"),
        iteration=iteration,
    )


def fired(step: str, *, script: SopScript = SCRIPT, iteration: int = 0, **values: str) -> Any:
    part = script.part(step)
    assert part is not None
    row = row_of(step, iteration)
    wording = word(script, part, VALUES | values)
    return fire(script, part, RUN, row, SPAN, GROUP, wording, ZONE)


def test_a_mass_message_is_a_task_for_this_group_and_its_owner_only() -> None:
    made = fired("d02-rules", iteration=1)
    assert isinstance(made, Fired)
    assert isinstance(made.message, Broadcast)
    assert (made.message.owner, made.message.chats) == (OWNER, (CHAT,))
    (said,) = made.message.contents
    assert isinstance(said, Text)
    assert "0000-5550101" in said.text
    assert "{" not in said.text
    terms = made.terms
    assert (terms.opens_at, terms.closes_at, terms.quota) == (*SPAN, True)
    assert (terms.enrolment, terms.run_step, terms.iteration) == (7, 3, 2)


@pytest.mark.parametrize(
    "step", ["d01-welcome", "d02-rules", "d04-bigfont", "d15-event-remind", "d18-product-r2"]
)
def test_a_letter_from_a_stencil_is_the_letter_itself(step: str) -> None:
    part = SCRIPT.part(step)
    assert part is not None
    row = row_of(step)
    wording = word(SCRIPT, part, VALUES)
    stencil = Stencil.of(SCRIPT, part, row, SPAN, GROUP, wording, ZONE, version=RUN.version)
    groups = ((40, CHAT, "安心群"), (41, 'wr"\\群', '"群" 100%(run)s\\'), (42, "wr%s", ""))
    for number, chat, name in groups:
        run = RUN.model_copy(update={"id": number, "subject": chat})
        named, its_row = GROUP._replace(name=name), row.model_copy(update={"id": number * 3})
        itself = fire(SCRIPT, part, run, its_row, SPAN, named, wording, ZONE)
        assert isinstance(itself, Fired)
        sealed = seal(f"k{number}", itself.message, itself.terms)
        assert stencil.letter(f"k{number}", run, its_row.id, name) == sealed


def test_pictures_go_along() -> None:
    made = fired("d04-bigfont")
    kinds = [type(content) for content in made.message.contents]
    assert kinds == [Text, Image]


def test_a_nudge_is_a_card_that_takes_no_quota() -> None:
    made = fired("d15-event-remind")
    assert isinstance(made.message, StaffCard)
    assert not made.terms.quota
    assert {button.key for button in made.message.card.buttons} == {"step:3:sent", "step:3:skip"}


def test_a_welcome_lists_what_late_comers_missed_and_not_itself() -> None:
    made = fired("d01-welcome")
    assert isinstance(made.message, GroupWelcome)
    assert "1. " in made.message.text
    assert "小规矩" in made.message.text
    assert "3. " not in made.message.text


def test_what_sells_is_marked_with_its_product() -> None:
    assert fired("d18-product-r2").terms.product == "demo-r2-001"
    assert fired("d18-product-r2").terms.marketing
    assert not fired("d03-fraud-child").terms.marketing


def test_a_value_that_is_missing_is_a_reason() -> None:
    part = SCRIPT.part("d02-rules")
    assert part is not None
    script = SCRIPT.model_copy(
        update={"steps": (part.model_copy(update={"body": "请打 {没有.这个}"}),)}
    )
    assert fired("d02-rules", script=script) == "no_value:没有.这个"


def test_a_text_is_filled_in_once_for_an_owner_a_branch_and_a_day() -> None:
    wordings = Wordings(BANK, lambda product: None, "https://example.com/kf")
    part = SCRIPT.part("d02-rules")
    assert part is not None

    def made(owner: str = OWNER, branch: str = "b01", on: date = date(2026, 10, 13)) -> Wording:
        return wordings.word(SCRIPT, "v1", part, owner, branch, on)

    first = made()
    assert BANK.branches[0].phone in first.text
    assert made() is first
    elsewhere = made(branch=BANK.branches[1].id)
    assert BANK.branches[1].phone in elsewhere.text
    later = made(on=date(2026, 10, 14))
    assert later == first
    assert later is not first  # an event of yesterday is not invited to today


FACTS = GuardFacts(today=date(2026, 11, 3))


@pytest.mark.parametrize(
    ("guard", "facts", "holds"),
    [
        ({}, FACTS, True),
        ({"群内有线索": "活动"}, FACTS, False),
        (
            {"群内有线索": "活动"},
            FACTS._replace(needs_in_group={"活动"}),
            True,
        ),
        ({"日历事件": "储蓄国债发行前5天内"}, FACTS, True),
        (
            {"日历事件": "储蓄国债发行前5天内"},
            GuardFacts(today=date(2026, 10, 20)),
            False,
        ),
        ({"群内本周无投诉": "true"}, FACTS, True),
        (
            {"群内本周无投诉": "true"},
            FACTS._replace(**{"complaints_this_week": 1}),
            False,
        ),
        ({"本周产品内容次数": "小于1"}, FACTS, True),
        ({"本周产品内容次数": "小于1"}, FACTS._replace(**{"products_this_week": 1}), False),
    ],
)
def test_a_precondition_holds_or_the_step_is_skipped(
    guard: dict[str, Any], facts: GuardFacts, holds: bool
) -> None:
    assert guard_holds(Guard.model_validate(guard), facts, BANK) is holds
