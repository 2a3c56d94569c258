"""What a person's words make of a draft, on examples: edited ones, and answers of one's own."""

from __future__ import annotations

import pytest

from bot.domain.adoption import EDITED, Adoption, adoption_of, alike, answers, same_question, use_of
from bot.domain.draft import Asker, Draft, DraftState
from tests.make import NOON

CASH = (
    "取五万元以上的现金，请提前一天打电话给网点预约，当天来就能取。\n"
    "带上身份证和卡，别人代取要两个人的身份证。\n依据：本行《大额取现预约》"
)
BOND = "储蓄国债每月10日到19日发售，具体看财政部公告。柜台和手机银行都能买，来网点要带身份证。"
PIN = "密码输错三次会锁住，第二天自己会解开。还是想不起来，本人带身份证到柜台重置。"
HOURS = "网点周一到周六开门，上午九点到下午四点半，周日休息。国庆头三天不开。"
ASKED = {
    CASH: "取五万块钱要提前预约吗",
    BOND: "国债这个月还有吗",
    PIN: "密码输错三次锁住了咋办",
    HOURS: "网点星期六开不开门",
}
NAMES = {"wm1": "王阿姨", "wm2": "李叔叔"}

EDITED_BY_HAND = [
    (CASH, "取五万以上请提前一天打电话预约，当天来就能取，记得带身份证和卡哦"),
    (CASH, "王阿姨您好，取五万元以上的现金，请提前一天打电话给网点预约。"),
    (CASH, "提前一天打电话给网点预约就行，当天来就能取。别人代取要两个人的身份证。"),
    (BOND, "储蓄国债每月10日到19日发售，看财政部公告，柜台手机银行都能买"),
    (BOND, "@王阿姨 国债每月10日到19日卖，柜台和手机银行都能买，来网点要带身份证，我在二楼等您"),
    (BOND, "具体看财政部公告。柜台和手机银行都能买。"),
    (PIN, "密码输错三次就锁住了，第二天自己会解开。想不起来就本人带身份证到柜台重置，我帮您。"),
    (PIN, "别急，密码输错三次会锁住，第二天自己会解开。"),
    (HOURS, "周一到周六开门，上午九点到下午四点半，周日休息"),
    (HOURS, "您好！网点周一到周六开门，周日休息。国庆头三天不开，提前来。"),
]
HIS_OWN_WORDS = [
    (CASH, "取现金您先在群里跟我说个数，我让柜台给您留着，明天上午过来。"),
    (CASH, "五万不用约，六万以上才要，您直接来。"),
    (CASH, "超过五万的取款我已经帮您登记好了，后天来取。"),
    (BOND, "这个月的国债昨天已经卖完了，下个月我通知大家。"),
    (BOND, "国债要到下个月了，想买的跟我说一声，我记个名。"),
    (PIN, "锁住了就过来找我，我带您在机器上弄一下。"),
    (PIN, "密码这事电话里说不清，您带身份证过来一趟。"),
    (HOURS, "这个星期六我们装修，不营业，下星期正常。"),
    (HOURS, "星期天有人值班的，您从侧门进来。"),
]
TALK = [
    "好的",
    "收到，谢谢大家",
    "您是哪张卡呀？",
    "早上好，今天降温，大家多穿点",
    "周五的小课堂改到三楼，请大家互相转告",
]


def draft(
    text: str = CASH,
    question: str = "取五万块钱要提前预约吗",
    *,
    id: int = 1,
    asker: str = "wm1",
    state: DraftState = "waiting",
) -> Draft:
    return Draft(
        id=id,
        key=f"draft:m{id}",
        chat="wrA",
        owner="lijing",
        asker=asker,
        askers=(Asker(id=asker, name=NAMES[asker]),),
        question=question,
        text=text,
        state=state,
        at=NOON,
    )


def test_the_bar_stands_between_edited_drafts_and_answers_of_ones_own() -> None:
    edited = sorted(alike(text, said) for text, said in EDITED_BY_HAND)
    own = sorted(alike(text, said) for text, said in HIS_OWN_WORDS)
    assert own[-1] < EDITED < edited[0], (own, edited)


@pytest.mark.parametrize(
    "said",
    [
        CASH,
        CASH.partition("\n依据")[0],
        "@王阿姨 " + CASH.replace("，", ","),
        "王阿姨您好，" + CASH.replace("\n", ""),
    ],
)
def test_marks_names_and_the_source_make_no_other_text(said: str) -> None:
    used = use_of([draft()], said, names=NAMES)
    assert used is not None
    assert used.use == "sent"


@pytest.mark.parametrize("said", TALK)
def test_other_talk_leaves_every_draft_waiting(said: str) -> None:
    drafts = [draft(text, asked, id=id) for id, (text, asked) in enumerate(ASKED.items())]
    assert use_of(drafts, said, names=NAMES) is None


def test_most_answers_of_ones_own_take_the_drafts_place() -> None:
    used = [use_of([draft(text, ASKED[text])], said, names=NAMES) for text, said in HIS_OWN_WORDS]
    missed = [said for (_, said), one in zip(HIS_OWN_WORDS, used, strict=True) if one is None]
    assert {one.use for one in used if one} == {"otherwise"}
    assert len(missed) <= 2, missed


def test_words_to_one_member_leave_the_others_draft_alone() -> None:
    mine, other = draft(id=1), draft(BOND, "国债这个月还有吗", id=2, asker="wm2")
    used = use_of([other, mine], "@王阿姨 您直接过来就行", names=NAMES)
    assert used is not None
    assert (used.draft.id, used.use) == (1, "otherwise")


def test_of_several_drafts_the_nearest_is_meant() -> None:
    drafts = [draft(BOND, "国债怎么买", id=2), draft(id=1)]
    used = use_of(drafts, EDITED_BY_HAND[0][1], names=NAMES)
    assert used is not None
    assert (used.draft.id, used.use) == (1, "edited")


def test_one_that_was_marked_as_sent_is_never_taken_for_answered_otherwise() -> None:
    marked = draft(state="sent")
    assert use_of([marked], HIS_OWN_WORDS[0][1], names=NAMES) is None
    used = use_of([marked], EDITED_BY_HAND[0][1], names=NAMES)
    assert used is not None
    assert used.use == "edited"


def test_what_shares_only_everyday_words_with_a_question_answers_nothing() -> None:
    assert not answers("我们今天可以早点下班", "请问今天可以取钱吗")
    assert answers("取现金明天来就有", "取现金要几天")


def test_two_who_ask_the_same_are_told_apart_from_two_who_do_not() -> None:
    assert same_question(draft(), "取五万块要不要提前预约", "另外的话")
    assert same_question(draft(), "大额现金怎么取", CASH)
    assert not same_question(draft(), "国债怎么买", BOND)


def test_the_rate_counts_what_is_over_and_says_of_how_many() -> None:
    figures = adoption_of({"sent": 6, "edited": 2, "dropped": 1, "otherwise": 1, "waiting": 3})
    assert figures == Adoption(13, 6, 2, 1, 1, 0, 3)
    assert (figures.rate, figures.share) == (0.8, "8/10（80%）")
    assert Adoption(2, waiting=2).share == "—"
