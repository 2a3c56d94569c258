"""Trouble is heard by its words, and ordinary questions about it are not."""

import pytest

from bot.answering.red_flags import red_flag, red_flag_by_rule
from bot.answering.wishes import asks_identity, courtesy, wants_person
from bot.domain.actions import HandOver, PauseMarketing, Rescue
from bot.domain.lead import Need
from tests.rooms.answering.phrases import phrases

TROUBLE = {
    "被骗": (
        "我刚转了两万过去",
        "他让我共享屏幕",
        "对方叫我开共享屏幕退款",
        "我被骗了",
        "钱刚转出去发现被骗了怎么办",
        "我老伴好像上当了",
        "警察让我把钱转到安全账户",
        "我把验证码告诉他了",
        "骗走了我五万块",
        "我 刚 转 账 给 陌 生 人",
        "他远程控制了我手机",
        "让我下载会议软件",
    ),
    "轻生": ("活着没意思", "我不想活了", "真想一了百了"),
    "突发疾病": ("我胸口好疼", "救命", "我爸刚才摔倒动不了", "我妈晕倒了"),
    "投诉": ("我要投诉", "你们态度太差了", "我打12378去", "我要举报你们"),
}
NO_TROUBLE = (
    "怎么防止被骗",
    "别人都说要小心上当",
    "我没被骗",
    "养老金打到卡里了吗",
    "我刚打给客服没人接",
    "转账限额是多少",
    "手机上怎么转账",
    "验证码能告诉银行的人吗",
    "不要告诉别人密码",
    "存折还能用吗",
    "我不投诉,就问问",
    "想死你们了",
    "帮我转人工",
)
_BESIDE = {
    "累死了，真不想活了": "轻生",
    "我烦死了，活着没意思": "轻生",
    "叫个活人来跟我说，我让人骗了三万": "被骗",
    "急死我了，我爸晕倒了叫不醒": "突发疾病",
    "快找个人来，我妈胸口疼得厉害": "突发疾病",
    "笑死，你们这服务态度太差了，我要投诉": "投诉",
    "救命，我胸口疼": "突发疾病",
}


@pytest.mark.parametrize(
    ("name", "text"), [(name, text) for name, texts in TROUBLE.items() for text in texts]
)
def test_trouble_is_heard(name: str, text: str) -> None:
    flag = red_flag(text)
    assert flag is not None
    assert flag.name == name


@pytest.mark.parametrize("text", NO_TROUBLE)
def test_an_ordinary_question_is_no_trouble(text: str) -> None:
    assert red_flag(text) is None


@pytest.mark.parametrize("name", [*phrases("red_flags")])
def test_trouble_is_heard_as_people_tell_it(name: str) -> None:
    texts = phrases("red_flags")[name]
    missed = [text for text in texts if red_flag(text) is None]
    other = [text for text in texts if (flag := red_flag(text)) and flag.name != name]
    assert missed == []
    assert len(other) <= len(texts) // 20, other


@pytest.mark.parametrize("name", [*phrases("red_flags_ruled")])
def test_who_poses_as_another_and_what_dialects_call_it_are_known_to_rules(name: str) -> None:
    told = {text: red_flag_by_rule(text) for text in phrases("red_flags_ruled")[name]}
    assert {text: flag for text, flag in told.items() if flag is None or flag.name != name} == {}


@pytest.mark.parametrize("kind", [*phrases("no_red_flags_sayings")])
def test_what_people_only_say_so_is_no_trouble(kind: str) -> None:
    texts = phrases("no_red_flags_sayings")[kind]
    assert [text for text in texts if red_flag(text) is not None] == []


def test_trouble_beside_a_saying_or_a_wish_for_a_person_is_still_heard() -> None:
    for text, name in _BESIDE.items():
        flag = red_flag(text)
        assert flag is not None, text
        assert flag.name == name


def test_most_trouble_is_heard_in_hard_words_that_nothing_was_learnt_from() -> None:
    held_out = phrases("red_flags_held_out")
    texts = [text for kind in held_out.values() for text in kind]
    missed = [text for text in texts if red_flag(text) is None]
    assert len(missed) <= len(texts) // 2, missed


def test_what_only_sounds_like_trouble_is_none() -> None:
    declined = [text for texts in phrases("declined").values() for text in texts]
    asked = [*phrases("no_red_flags")[""], *phrases("not_declined")[""], *declined]
    alarms = [text for text in asked if red_flag(text) is not None]
    assert len(alarms) <= len(asked) // 100, alarms
    assert [text for text in asked if red_flag_by_rule(text) is not None] == []


def test_who_is_robbed_gets_a_person_within_five_minutes() -> None:
    flag = red_flag("我被骗了")
    assert flag is not None
    assert flag.actions == (Rescue(need=Need.RED_FLAG, within_minutes=5, danger="被骗"),)


def test_a_complaint_gets_a_person_within_an_hour_and_nothing_that_sells() -> None:
    flag = red_flag("我要投诉")
    assert flag is not None
    assert flag.actions == (
        HandOver(need=Need.COMPLAINT, within_minutes=60),
        PauseMarketing(days=None),
    )


@pytest.mark.parametrize(
    "text",
    ["你是真人吗", "小安是机器人吗?", "你是不是人工智能啊", "你到底是谁", "是真人还是机器人"],
)
def test_it_is_heard_that_somebody_asks_who_speaks(text: str) -> None:
    assert asks_identity(text)


@pytest.mark.parametrize(
    "text",
    [
        "转人工",
        "我要找真人",
        "人工",
        "叫你们经理来",
        "不想跟机器人说",
        "让客户经理联系我",
        "有没有人工",
        "人工！",
        "人工？",
    ],
)
def test_the_wish_for_a_person_is_heard(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize(
    "text", ["人工费多少", "存折还能用吗", "客户经理电话是多少", "你们几点开门"]
)
def test_a_question_is_no_wish_for_a_person(text: str) -> None:
    assert not wants_person(text)
    assert not asks_identity(text)
    assert courtesy(text) is None


@pytest.mark.parametrize("text", ["你好", "在吗?", "在吗？", "谢谢小安！", "好的，谢谢", "早上好!"])
def test_a_greeting_gets_a_kind_word(text: str) -> None:
    assert courtesy(text)
