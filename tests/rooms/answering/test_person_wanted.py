"""The wish for a person in whatever words, and what only sounds like it."""

from __future__ import annotations

import pytest

from bot.answering.misses import asked_again, only_missed, says_missed
from bot.answering.person_wanted import (
    calls_out,
    declines_person,
    gives_up_person,
    wants_person,
)
from bot.answering.red_flags import red_flag
from bot.answering.wishes import courtesy
from tests.rooms.answering.phrases import phrases

_PLAIN = """
转人工 人工 人工！ 人工客服 人工服务 转接人工 帮我转人工 我要人工 麻烦转一下人工 能转人工吗
有没有活人 有活人吗 有大活人没有 真人客服 找个真人 真人服务 我要真的人 是真人再说 要人工坐席
转坐席 接线员 转客服 客服呢 人工在吗
"""
_IN_A_SENTENCE = """
不想跟机器说 不跟机器聊 不要跟机器人聊天 我不要机器人 别用机器人糊弄我 我要跟人说话 想和人聊
我要跟你们的人谈 叫个人来 喊个人来 换个人 换个人来说 找个人跟我说 让真人跟我说
给我找个懂的人 找个能办事的人来 来个会喘气的 让工作人员来 叫你们经理来 让小王经理联系我
请客户经理加我 理财经理在吗 打个电话给我 给我回个电话 人呢 有没有人管
"""
_BY_ANY_NAME = """
你好，人工 人工，谢谢 可以人工吗 让人工看看 在线客服 真人在线吗 工作人员在吗 王经理您在吗
没有一个真人
有没有人 请问有人在线吗 人都死哪去了 别机器人了 别AI了 我不想和AI说话 俺要跟人唠 我要和真正的人交谈
揾真人 搵个人同我讲 有冇人 叫恁们人来 叫小李来 给我个人 不会弄，来个人帮帮我 请转接 转人⼯
能不能打电话跟我说 怎么不转人工 还不转人工
"""
_NOBODY = """
不用转人工了 不要人工，你说就行 别转人工 先不用找人工 不需要真人 不用叫人来了 算了不找人了 不转了
取消转人工 暂时不用人工
"""
_OF_OTHERS = """
密码别告诉别人 轮到别人了 不等人 不用本人来吗 找人帮我办卡要什么 有人工柜台吗 打电话给我儿子
电话银行怎么转人工 有人买过这款理财吗 网点有人吗
"""
_SLIPS = """
专人工 转人功 转人公 转仁工 砖人工 转任工 人公客服 仁工 人工人工 zhuanrengong 转rengong rg
ZRG
"""
_OTHERWISE = """
人工智能是什么 人工费怎么收 客服电话是多少 人工客服几点上班 人工几点下班 经理电话多少
你是真人吗 你是机器人吗 转账给别人怎么弄 转人民币到国外 转错人了怎么办 换人民币 换个卡
换个手机号怎么改 叫孩子来行吗 要本人来吗 别人代办要什么 跟人合伙开户 有人给我打电话说是客服
有人冒充客服 自称是银行客服的人要我验证码 经理让我买的理财亏了 工作人员说要带身份证
柜员机在哪 机器人理财是什么 取款机没吐钱 有没有人脸识别 一个人能办几张卡 需要人吗
让人来取钱可以吗 找人代办行不行 收款人写错了 叫什么名字
"""

_MISSED = """
答非所问 你没听懂 听不懂人话 不是这个意思 不是问这个 我问的不是这个 说的不对 没用 白问
你还是没明白 回答的都不对 说了等于没说 又是这一套 驴唇不对马嘴
"""
_NO_WORD_OF_IT = """
我没用过手机银行 密码不对怎么办 手机银行没用了 这个页面不对 谢谢 好的 不对账行吗
没用完的外币怎么换 存折丢了
"""


@pytest.mark.parametrize(
    "text",
    [*_PLAIN.split(), *_IN_A_SENTENCE.split(), *_SLIPS.split(), *_BY_ANY_NAME.split()],
)
def test_the_wish_for_a_person_is_heard_in_any_words(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", _NOBODY.split())
def test_who_wants_no_person_is_heard(text: str) -> None:
    assert declines_person(text)
    assert gives_up_person(text)
    assert not wants_person(text)
    assert red_flag(text) is None


@pytest.mark.parametrize("text", _OF_OTHERS.split())
def test_what_is_said_of_other_people_is_neither(text: str) -> None:
    assert not wants_person(text)
    assert not declines_person(text)


def test_who_was_promised_a_person_may_give_up_in_few_words() -> None:
    assert all(gives_up_person(text) for text in ("算了", "不用了，谢谢", "算了不用了", "没事了"))
    assert not gives_up_person("算了，那国债怎么买")


def test_a_call_for_anybody_is_a_greeting_by_itself() -> None:
    for text in ("有人吗", "喂？有人吗？", "hello有人吗"):
        assert calls_out(text)
        assert not wants_person(text)
        assert courtesy(text) is not None
    assert not calls_out("有人吗，我的卡丢了")


def test_a_wish_for_somebody_alive_is_heard_and_a_saying_is_none() -> None:
    said = phrases("no_red_flags_sayings")
    assert [text for text in said["想要人"] if not wants_person(text)] == []
    others = [*said["口头话"], *said["只是问"]]
    assert [text for text in others if wants_person(text)] == []


@pytest.mark.parametrize("text", ["人 工", "转。人。工", "人-工", "转 人 工 !"])
def test_marks_and_blanks_between_the_characters_hide_nothing(text: str) -> None:
    assert wants_person(text)


@pytest.mark.parametrize("text", _OTHERWISE.split())
def test_what_only_sounds_like_it_is_a_question(text: str) -> None:
    assert not wants_person(text)


@pytest.mark.parametrize("text", _MISSED.split())
def test_a_customer_who_says_that_the_answer_missed_is_heard(text: str) -> None:
    assert only_missed(text)


@pytest.mark.parametrize("text", _NO_WORD_OF_IT.split())
def test_a_question_about_something_wrong_is_no_word_about_the_answer(text: str) -> None:
    assert not only_missed(text)


def test_what_is_asked_besides_is_still_asked() -> None:
    both = "不是问这个，我问的是社保卡怎么激活"
    assert says_missed(both)
    assert not only_missed(both)


def test_the_same_again_is_a_miss_only_after_an_answer() -> None:
    history = ("客户:存单到期怎么办", "小安:到期了来网点。")
    assert asked_again(["存单到期怎么办？"], history)
    assert not asked_again(["存单到期怎么办"], history[:1])
    assert not asked_again(["取五万要预约吗"], history)
    assert not asked_again(["好的"], ("客户:好的", "小安:有事随时找我。"))
