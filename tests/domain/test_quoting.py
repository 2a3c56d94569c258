"""What others say may be told and refuted; an offer in the same words may not."""

from __future__ import annotations

import pytest

from bot.domain.compliance import screen
from bot.domain.likeness import Likeness
from tests.domain.builders import starter_rules


def rules_hit(text: str, *, approved: bool = False) -> set[str]:
    return {hit.rule for hit in screen(text, starter_rules(), approved=approved)}


@pytest.mark.parametrize(
    "text",
    [
        "有人说理财跟存款一样,这话不对。",
        "有人说理财跟存款一样。这话不对,存款才有存款保险。",
        "谁说理财「零风险」,谁就有问题。",
        "没有哪款理财是只赚不赔的,谁这么说您就走开。",
        "晒“日赚八百、零风险”的,别加好友。",
        "有位叔叔信了“保本高息”,半辈子积蓄没了。",
        "月底最后一天柜台要结账,请您早点来。",
        "社区请来防癌筛查的大夫,周五上午九点。",
        "孩子给您转账,到账后有短信提醒。",
    ],
)
def test_approved_text_may_tell_what_others_say_and_refute_it(text: str) -> None:
    assert not rules_hit(text, approved=True)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("客户都说跟存款一样,您也来一份。", "FP-03"),
        ("听说过吗?我们这款保证收益。", "FP-01"),
        ("谁说理财都有风险,这款就零风险。", "FP-01"),
        ("“稳赚不赔”的理财,我行隆重推出。", "FP-01"),
        ("别去别家了,存五万送一袋大米。", "FP-07"),
        ("今天最后一天,买了就有优惠。", "FP-04"),
    ],
)
def test_telling_and_quoting_do_not_cover_an_offer(text: str, rule: str) -> None:
    assert rule in rules_hit(text, approved=True)


@pytest.mark.parametrize(
    "text",
    [
        "您能换个说法吗?",
        "有没有违约金要看合同。",
        "老花镜用完放回去就行。",
        "填姓名、卡号和开户行,核对一遍再确认。",
        "对方要求您打开屏幕共享的话,请直接拒绝。",
        "短信显示的“尾号”就是您卡号最后四位。",
        "年纪大的客户买理财要到柜台来。",
        "叫到号再过去,别担心错过。",
        "银行不会远程操作您的手机。",
    ],
)
def test_plain_words_of_a_model_are_not_taken_for_a_promise(text: str) -> None:
    assert not rules_hit(text)


def test_words_in_foreign_letters_say_nothing_about_a_sentence() -> None:
    likeness = Likeness(["Guaranteed 稳稳地拿钱"], ["网点 9 点开门，请带身份证"])
    plain = likeness.score("网点 9 点开门")
    assert likeness.score("Guaranteed 网点 9 点开门") == pytest.approx(
        likeness.score("Anything 网点 9 点开门")
    )
    assert plain < 0 < likeness.score("稳稳地拿钱呢")
