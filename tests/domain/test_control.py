"""What stands still, who is meant, what was approved or withdrawn, and for which part."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.approval import Decision, approved_until, may_not_approve, substance
from bot.domain.hold import (
    DRAINED,
    NOT_APPROVED,
    PAUSED,
    TERMINATED,
    Holds,
    Scope,
    Standstill,
    Verb,
)
from bot.domain.pilot import TAG, Pilot, version_for
from bot.domain.script_parts import Approval, Status
from bot.domain.targets import Known, Target, find
from bot.domain.withdrawal import Withdrawn, body_hash, text_of, texts_of
from tests.domain.builders import script, starter_bank, starter_script, step
from tests.make import NOON

RUN = {"branch": "b01", "manager": "li.min", "subject": "wrA"}
CLAIM = Approval(
    content_id="XB-1",
    approver="消保-乙",
    approved_on=date(2026, 1, 1),
    expires_on=date(2027, 6, 30),
)


def held(scope: Scope, target: str, verb: Verb = "pause") -> Holds:
    row = Standstill(id=1, verb=verb, scope=scope, target=target, by="王芳", since=NOON)
    return Holds([row])


def decision(state: str = "approved", **values: object) -> Decision:
    given = {
        "script": "trial",
        "substance": "s",
        "author": "运营-甲",
        "approver": "消保-乙",
        "asked_at": NOON,
    }
    return Decision.model_validate({**given, "state": state, **values})


@pytest.mark.parametrize(
    ("scope", "target"),
    [
        ("script", "trial"),
        ("step", "trial/d02"),
        ("branch", "b01"),
        ("manager", "li.min"),
        ("group", "wrA"),
        ("customer", "wrA"),
    ],
)
def test_a_pause_holds_its_scope_and_nothing_else(scope: Scope, target: str) -> None:
    holds = held(scope, target)
    assert holds
    assert holds.pausing("trial", "v1", "d02", **RUN) == PAUSED
    assert holds.pausing("other", "v1", "d03", "b02", "wang", "wrB") == ""
    entry = holds.draining("trial", "v1", **RUN)
    assert entry == ("" if scope == "step" else PAUSED)  # a paused step lets people in


def test_a_drain_lets_nobody_in_and_everybody_go_on() -> None:
    holds = held("script", "trial", "drain")
    assert holds.pausing("trial", "v1", "d02", **RUN) == ""
    assert holds.draining("trial", "v1", **RUN) == DRAINED
    assert holds.draining("other", "v1", **RUN) == ""


def test_a_closed_step_is_passed_over_and_lets_everybody_in() -> None:
    for verb, why in (("drain", DRAINED), ("skip", TERMINATED), ("pause", "")):
        holds = held("step", "trial/d02", verb)  # type: ignore[arg-type]
        assert holds.passing_over("trial", "d02") == why
        assert holds.passing_over("trial", "d03") == ""
        assert holds.passing_over("other", "d02") == ""
        assert holds.draining("trial", "v1", **RUN) == ""
    assert held("script", "trial", "drain").passing_over("trial", "d02") == ""


def test_a_version_that_nobody_allows_stands_still_alone() -> None:
    holds = Holds((), [("trial", "v2")])
    assert holds
    assert holds.pausing("trial", "v2", "d02", **RUN) == NOT_APPROVED
    assert holds.pausing("trial", "v1", "d02", **RUN) == ""
    assert not Holds()


def test_what_is_meant_is_found_by_id_name_and_prefix_and_doubt_is_kept() -> None:
    senior = starter_script("senior-21d.sop.yaml")
    known = Known(
        scripts={senior.id: senior},
        bank=starter_bank(),
        groups=[("wr1", "李敏"), ("wr2", "李敏")],
        customers=["wm1"],
    )

    def meant(words: str) -> list[str]:
        return [target.written for target in find(words, known)]

    assert meant("senior-21d") == ["剧本:senior-21d"]
    assert meant("银龄安心群·21天陪伴") == ["剧本:senior-21d"]
    assert meant("senior-21d/d02-rules") == ["步骤:senior-21d/d02-rules"]
    assert meant("senior-21d/nothing") == []
    assert meant("梧桐街支行") == meant("网点：b01") == ["网点:b01"]
    assert meant("李敏") == ["经理:li.min", "群:wr1", "群:wr2"]
    assert meant("经理:李敏") == ["经理:li.min"]
    assert meant("群:wr2") == ["群:wr2"]
    assert meant("wm1") == ["客户:wm1"]
    assert Target(scope="branch", target="b01", name="梧桐街支行").words == "网点「梧桐街支行」b01"


def test_what_is_approved_is_all_but_the_state_and_the_claim() -> None:
    one = script(step("d01", 1))
    later = CLAIM.model_copy(update={"expires_on": date(2028, 1, 1)})
    same = one.model_copy(update={"status": Status.REVIEW, "approval": later})
    assert substance(one) == substance(same)
    assert substance(one) != substance(one.model_copy(update={"number": 2}))
    assert substance(one) != substance(script(step("d02", 1)))


@pytest.mark.parametrize(
    ("mode", "row", "until"),
    [
        ("file", None, date(2027, 6, 30)),
        ("file", decision("asked"), date(2027, 6, 30)),
        ("file", decision(expires_on=date(2027, 1, 1)), date(2027, 1, 1)),
        ("file", decision("rejected"), None),
        ("required", None, None),
        ("required", decision("asked"), None),
        ("required", decision("rejected"), None),
        ("required", decision(expires_on=date(2027, 1, 1)), date(2027, 1, 1)),
        ("required", decision(expires_on=date(2029, 1, 1)), date(2027, 6, 30)),
        ("required", decision(approver="消保-丙"), None),
        ("required", decision(content_id="XB-2"), None),
        ("required", decision(content_id="XB-1"), date(2027, 6, 30)),
    ],
)
def test_until_when_a_content_may_be_sent(
    mode: str, row: Decision | None, until: date | None
) -> None:
    assert approved_until(mode, CLAIM, row) == until  # type: ignore[arg-type]
    assert approved_until(mode, None, row) is None  # type: ignore[arg-type]


def test_nobody_approves_their_own() -> None:
    assert may_not_approve(["运营-周岚", ""], "周岚")
    assert may_not_approve(["王芳", "运营-周岚"], "消保-周岚")
    assert not may_not_approve(["运营-周岚", ""], "消保-何静")


def test_a_withdrawn_text_is_known_by_its_words_whatever_the_version() -> None:
    whole = script(step("d01", 1))
    part = whole.part("d01")
    assert part is not None
    gone = Withdrawn([("trial", "d01", body_hash(text_of(part)))])
    assert gone.covers("trial", part)
    assert not gone.covers("other", part)
    assert not gone.covers("trial", part.model_copy(update={"body": "您好呀"}))
    arms = part.model_copy(update={"body": None, "bodies": {"平实": "您好", "故事": "从前"}})
    assert set(texts_of(arms).values()) == {"您好", "从前"}
    assert gone.covers("trial", arms, "平实")
    assert not gone.covers("trial", arms, "故事")
    assert not Withdrawn()
    assert Withdrawn([("a", "b", "c")]) == Withdrawn([("a", "b", "c")])


def test_a_part_only_grows_and_the_next_pilot_draws_others() -> None:
    subjects = [f"wr{number}" for number in range(1000)]

    def part(percent: int, since: int = 0) -> set[str]:
        began = NOON.replace(second=since)
        pilot = Pilot(script="trial", version="v2", percent=percent, since=began, by="王芳")
        return {one for one in subjects if pilot.covers(one)}

    few, more = part(20), part(50)
    assert few < more
    assert 150 < len(few) < 250
    assert part(20, since=1) != few
    assert part(0) == set()


def test_the_version_of_whoever_enters() -> None:
    old, new = script(step("d01", 1)), script(step("d01", 1), step("d02", 2))
    pilot = Pilot(script="trial", version="v2", groups=("wr1", TAG + "银龄群"), since=NOON, by="甲")
    assert pilot.by_tag
    assert version_for(old, pilot, new, "wr1") is new
    assert version_for(old, pilot, new, "wr2", {"银龄群"}) is new
    assert version_for(old, pilot, new, "wr2") is old
    assert version_for(None, pilot, new, "wr2") is None  # a new script is for its part only
    assert version_for(old, None, None, "wr1") is old
