"""The file gets what was allowed and nothing else; the trial lets through only what is better."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.domain.knowledge import Audience
from bot.domain.teaching import NewEntry, Reason, Signature, lacking, may_not_sign, volume_of
from bot.errors import ConfigError
from bot.knowledge.entries import read_qa
from bot.teaching.packs import packs_of
from bot.teaching.qa_text import Mark, diff_of, new_book, with_draft, wordings_apart
from bot.teaching.trial import Trial, Tried
from bot.workspace import starter_root
from tests.make import NOON
from tests.teaching.make import asked

TODAY = date(2026, 10, 12)
MARK = Mark("JX-7-abc", "业务-李敏、消保-何静", TODAY)
DRAFT = NewEntry(
    entry="teach-7",
    file="knowledge/faq/x.qa.yaml",
    topic="服务",
    questions=("停车，要钱吗?", "123", "开车去有地方停没"),
    answer='门口有 "车位"。\n两小时内不收钱。',
    basis="本行《停车说明》",
    audience=Audience.GROUP,
    author="运营-周岚",
)
FILES = sorted((starter_root() / "knowledge" / "faq").glob("*.qa.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_an_entry_is_added_and_every_other_line_stays(path: Path) -> None:
    text = path.read_text("utf-8")
    after = with_draft(text, DRAFT, MARK, adds=False)
    diff = diff_of(text, after, path.name).splitlines()[2:]
    assert not [line for line in diff if line.startswith("-")]
    had, has = yaml.safe_load(text)["条目"], yaml.safe_load(after)["条目"]
    assert has[:-1] == had
    read = read_qa(after, path.name)
    assert not read.problems
    new = read.documents[-1]
    assert (new.id, new.questions) == (DRAFT.entry, DRAFT.questions)
    assert new.sections[0].text == DRAFT.answer
    assert new.approval.approver == MARK.approver


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_wording_is_added_to_its_entry_alone(path: Path) -> None:
    text = path.read_text("utf-8")
    had = yaml.safe_load(text)["条目"]
    draft = DRAFT.model_copy(update={"entry": had[1]["编号"]})
    has = yaml.safe_load(with_draft(text, draft, MARK, adds=True))["条目"]
    assert has[1]["问"][-3:] == ["停车，要钱吗?", "123", "开车去有地方停没"]
    had[1]["问"] = has[1]["问"]
    assert has == had


def test_comments_and_other_keys_behind_the_entries_stay_behind_them() -> None:
    text = "条目:\n- 编号: a\n  问:\n    - 一  # 注\n    - 二\n  答: |\n    行一\n\n"
    text += "# 后面的\n别的: 甲\n"
    after = with_draft(text, DRAFT, MARK, adds=False)
    assert yaml.safe_load(after)["别的"] == "甲"
    assert after.index("teach-7") < after.index("# 后面的")
    worded = with_draft(text, DRAFT.model_copy(update={"entry": "a"}), MARK, adds=True)
    assert '    - 二\n    - "停车，要钱吗?"\n' in worded
    assert "# 注" in worded


def test_a_file_without_entries_is_begun_and_one_that_lacks_the_entry_refused() -> None:
    read = read_qa(with_draft(new_book("运营-周岚", TODAY), DRAFT, MARK, adds=False), "x")
    assert [one.id for one in read.documents] == ["teach-7"]
    assert not read.problems
    with pytest.raises(ConfigError, match="没有「teach-7」"):
        with_draft(FILES[0].read_text("utf-8"), DRAFT, MARK, adds=True)
    once = with_draft(FILES[0].read_text("utf-8"), DRAFT, MARK, adds=False)
    with pytest.raises(ConfigError, match="已经有"):
        with_draft(once, DRAFT, MARK, adds=False)


def test_every_third_wording_is_held_out_and_eight_are_the_most() -> None:
    assert wordings_apart(["a", "b"]) == (("a", "b"), ())
    assert wordings_apart(["a", "b", "c", "a"]) == (("a", "b"), ("c",))
    written, held = wordings_apart([str(number) for number in range(20)])
    assert len(written) == 8
    assert len(held) == 12


def test_two_people_of_two_sides_and_never_the_author() -> None:
    first = Signature("业务", "业务-李敏", DRAFT.content, NOON)
    assert "不能自己批" in may_not_sign(DRAFT, [], "业务", "周岚")
    assert "换一位" in may_not_sign(DRAFT, [first], "合规", "李敏")
    assert may_not_sign(DRAFT, [first], "合规", "消保-何静") == ""
    assert lacking(DRAFT, [first]) == ("合规",)
    changed = DRAFT.model_copy(update={"answer": "门口没有车位。"})
    assert lacking(changed, [first]) == ("业务", "合规")  # allowed was another text
    assert changed.content != DRAFT.content


def trial(**changes: object) -> Trial:
    values = {
        "golden": Tried(50),
        "lost": (),
        "own": Tried(10),
        "held_out": Tried(3),
        "negatives": Tried(20),
    }
    return Trial(**(values | changes))  # type: ignore[arg-type]


def test_a_trial_lets_nothing_get_worse() -> None:
    assert trial().passed
    assert trial(golden=Tried(50, ("老问题",))).passed  # it was not found before either
    assert not trial(lost=("老问题",)).passed
    assert trial(own=Tried(10, ("一",))).passed
    assert not trial(own=Tried(10, ("一", "二"))).passed
    assert not trial(held_out=Tried(3, ("一",))).passed
    (why,) = trial(negatives=Tried(20, ("今天天气",))).objections()
    assert "今天天气" in why


def test_what_ranks_first_is_asked_by_many_unanswered_and_grave() -> None:
    one_person = volume_of([asked(str(number), "停车在哪", "wmA") for number in range(9)])
    three = volume_of([asked(str(number), "停车在哪", f"wm{number}") for number in range(3)])
    grave = volume_of([asked(str(number), "卡被盗刷怎么办", f"wm{number}") for number in range(3)])
    answered = volume_of(
        [asked(str(n), "停车在哪", f"wm{n}", Reason.ASKED_AGAIN) for n in range(9)]
    )
    assert grave.rank > three.rank > one_person.rank > answered.rank
    assert (one_person.people, one_person.questions) == (1, 9)


def test_a_steps_confusion_is_shown_with_both_numbers_and_not_judged_of_few() -> None:
    after = [
        asked(str(number), "怎么报名", f"wm{number}", step="d05", proposal=3) for number in range(4)
    ]
    after.append(asked("x", "在哪上课", "wmX", step="d02"))
    after.append(asked("y", "今天天气", "wmY", Reason.OUTSIDE, step="d05"))
    packs = packs_of(after, {("s", "d05"): 30, ("s", "d02"): 5, ("s", "d01"): 40}, {3: "teach-3"})
    by_step = {pack.step: pack for pack in packs}
    assert [pack.step for pack in packs] == ["d05", "d01", "d02"]
    assert (by_step["d05"].asked, by_step["d05"].delivered) == (4, 30)
    assert by_step["d05"].confusing()
    assert not by_step["d05"].confusing(0.2)
    assert by_step["d05"].top[0].answer == "teach-3"
    assert by_step["d02"].rate is None
    assert not by_step["d02"].confusing()
    assert by_step["d01"].rate == 0.0
