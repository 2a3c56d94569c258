from __future__ import annotations

import json
import re

import pytest

from bot.domain.compliance import Rules, mask, personal_data_in, screen
from bot.yamlfile import load
from tests.domain.builders import ROOT, starter_rules, starter_script, starter_text

GUARD = ROOT.parent / "shared" / "eval" / "guard.jsonl"


def rules_hit(text: str, *, approved: bool = False) -> set[str]:
    return {hit.rule for hit in screen(text, starter_rules(), approved=approved)}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("这个保本的", "FP-01"),
        ("保·本", "FP-01"),
        ("保 本", "FP-01"),
        ("保\u200b本", "FP-01"),
        ("保\u2060本", "FP-01"),
        ("保\uff0c本", "FP-01"),
        ("保。本", "FP-01"),
        ("保_本", "FP-01"),
        ("保/本", "FP-01"),
        ("稳-赚-不-赔", "FP-01"),
        ("无\u3000风\u3000险", "FP-01"),
        ("年化\uff14\uff0e\uff15\uff05", "FP-02"),
        ("年化百分之四点五", "FP-02"),
        ("收益百分之十二", "FP-02"),
        ("跟存款差不多", "FP-03"),
        ("错过就没有了", "FP-04"),
        ("国家兜底", "FP-05"),
        ("别的银行都不行", "FP-06"),
        ("办卡送现金", "FP-07"),
        ("把密码报给小安", "FP-08"),
        ("能根治", "FP-09"),
        ("我替您转账", "FP-10"),
    ],
)
def test_each_rule_sees_its_words_through_tricks(text: str, rule: str) -> None:
    assert rule in rules_hit(text)


WARNING = "谁打包票说保本,谁就是骗子"


def test_an_approved_warning_passes_and_a_models_same_words_do_not() -> None:
    assert not rules_hit(WARNING, approved=True)
    assert rules_hit(WARNING, approved=False) == {"FP-01"}


@pytest.mark.parametrize(
    "text",
    [
        "理财不保本",
        "验证码谁要都别给",
        "请不要把密码告诉别人",
        "最好提前一天打电话",
        "第一时间告诉您",
        "理财不是存款",
        "赶紧挂断电话",
        "我不能替您转账",
    ],
)
def test_words_that_say_the_opposite_or_something_else_are_no_hit_for_anybody(text: str) -> None:
    assert not rules_hit(text, approved=True)
    assert not rules_hit(text, approved=False)


@pytest.mark.parametrize(
    "text",
    [
        "不骗您,这款保本",
        "警惕错过,这款稳赚不赔",
        "小心错过,保本的就这一款",
        "别信别家,我们这款零风险",
        "谁说不保本,这款就保本",
    ],
)
def test_the_words_of_an_allowance_turned_round_allow_nothing(text: str) -> None:
    assert "FP-01" in rules_hit(text, approved=True)
    assert "FP-01" in rules_hit(text, approved=False)


def test_what_a_swindler_says_may_be_quoted_beside_a_warning() -> None:
    quoted = "「国家兜底、稳赚不赔」。听到这话就挂断电话。"
    assert not rules_hit(quoted, approved=True)
    assert rules_hit(quoted, approved=False)
    assert rules_hit("「国家兜底、稳赚不赔」。欢迎来买。", approved=True)


@pytest.mark.parametrize(
    "text",
    ["保夲保息", "稳zhuan不赔", "bao本", "保證收益", "yzm发给我", "把密ma告诉我", "年hua4.5%"],
)
def test_spellings_that_hide_a_word_are_put_right(text: str) -> None:
    assert rules_hit(text)


def test_amounts_and_yields_are_only_refused_in_groups() -> None:
    def hit(text: str, plane: str, *, approved: bool = False) -> bool:
        return bool(screen(text, starter_rules(), approved=approved, plane=plane))

    assert hit("转账每天最多 20 万元", "group")
    assert not hit("转账每天最多 20 万元", "kf")
    assert not hit("转账每天最多 20 万元", "group", approved=True)
    assert hit("王阿姨的存款 3 万元到期了", "group", approved=True)
    assert not hit("存款保险管同一家银行 50 万元以内", "group")


def test_deposit_insurance_is_told_with_its_limit() -> None:
    assert "FP-12" in rules_hit("这款理财也受存款保险保护", approved=True)
    assert not rules_hit("理财不受存款保险保护", approved=True)


def test_the_wide_net_is_only_spread_under_what_nobody_approved() -> None:
    (hit,) = screen("老本儿肯定动不了", starter_rules(), approved=False)
    assert hit.wide
    assert not screen("老本儿肯定动不了", starter_rules(), approved=True)
    assert not screen("这款保本", starter_rules(), approved=False)[0].wide


def test_an_allowance_holds_in_its_own_sentence_only() -> None:
    assert rules_hit("警惕骗子。这款保本", approved=True) == {"FP-01"}
    assert not rules_hit("警惕说保本的", approved=True)


def test_a_model_gets_no_allowance() -> None:
    assert rules_hit("骗子多,这款可是保本") == {"FP-01"}


def test_ordinary_words_of_a_model_pass() -> None:
    plain = "您好,网点 9 点开门。带身份证就行,路滑慢走!手机银行点右下「我的」。"
    assert not rules_hit(plain)


def test_a_hit_names_its_words_and_line() -> None:
    (hit,) = screen("您好。\n今天说说\n这款稳赚\n", starter_rules(), approved=True)
    assert (hit.rule, hit.matched, hit.line) == ("FP-01", "稳赚", 3)
    assert hit.blocks


def test_each_rule_hits_once() -> None:
    assert len(screen("保本。保本。稳赚", starter_rules(), approved=False)) == 1


@pytest.mark.parametrize("name", ["senior-21d.sop.yaml", "senior-weekly.sop.yaml"])
def test_no_approved_body_of_the_starter_is_blocked(name: str) -> None:
    for part in starter_script(name).parts:
        assert part.body is not None
        assert not rules_hit(part.body, approved=True), part.id


def test_development_sentences_are_judged_without_an_error() -> None:
    if not GUARD.is_file():
        pytest.skip("the shared development data is not on this machine")
    lines = [json.loads(line) for line in GUARD.read_text(encoding="utf-8").splitlines()]
    wrong = [
        each["text"]
        for each in lines
        if bool(rules_hit(each["text"], approved=each["approved"])) is not each["violation"]
    ]
    assert len(lines) > 50
    assert not wrong


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("电话13812345678", "电话*******5678"),
        ("电话138 1234 5678。", "电话*********5678。"),
        ("138-1234-5678", "*********5678"),
        ("\uff11\uff13\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18", None),
        ("身份证11010119900307451X好", "身份证**************451X好"),
        ("卡6222020200112233445", "卡***************3445"),
        ("卡6222 0202 0011 2233 445", "卡*******************" + " 445"),
        ("号码123456", "号码123456"),
        ("0000-5550101", "0000-5550101"),
        ("2026-10-12 09:30", "2026-10-12 09:30"),
        ("打 96110 或 12378", "打 96110 或 12378"),
    ],
)
def test_personal_numbers_are_masked_but_for_four(text: str, masked: str | None) -> None:
    found = mask(text, starter_rules())
    assert len(found) == len(text)
    if masked is None:
        assert found == "*" * 7 + text[-4:]
    else:
        assert re.sub(r"\d", "9", found) == re.sub(r"\d", "9", masked)
    assert bool(personal_data_in(text, starter_rules())) is (found != text)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("卡号6222.0212-3456 7890 123", "卡号******************* 123"),
        ("六二二二零二一二三四五六七八九零", "************七八九零"),
        ("+86 138 1234 5678", None),
        ("验证码是830592", "验证码是******"),
        ("收到 830592 验证码", "收到 ****** 验证码"),
        ("密码：147258", "密码：******"),
        ("发到 zhang.san@example.com", "发到 *****************.com"),
        ("港澳通行证C12345678", "港澳通行证*****5678"),
        ("我住3号楼2单元501室", None),
        ("密码忘了打 95588", "密码忘了打 95588"),
        ("2026-10-12 2026-11-12", "2026-10-12 2026-11-12"),
        ("每年 12000 元，2026 年 10 月", "每年 12000 元，2026 年 10 月"),
    ],
)
def test_numbers_are_seen_in_every_spelling(text: str, masked: str | None) -> None:
    found = mask(text, starter_rules())
    if masked is None:
        assert found != text
        assert len(found) == len(text)
    else:
        assert found == masked


def test_names_are_hidden_from_who_is_outside_only() -> None:
    text = "我叫张建国，想问养老金"
    assert mask(text, starter_rules()) == text
    assert mask(text, starter_rules(), outside=True) == "我叫***，想问养老金"


def test_a_number_is_found_right_after_a_chinese_character() -> None:
    (hit,) = personal_data_in("我的电话13812345678谢谢", starter_rules())
    assert (hit.rule, hit.matched) == ("PI-03", "13812345678")


def test_a_group_of_words_that_is_not_there_is_named() -> None:
    text = starter_text("rules.yaml").replace("<亏>", "<赢>", 1)
    _, problems = load(text, "rules.yaml", Rules)
    assert problems[0].what == "没有叫「赢」的词组"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- '保本|", "- '(保本|", "正则表达式写错了"),
        ("- '保本|", "- '|保本|", "空文字都会命中"),
        ("词组:", "词组x:", "不认识的键「词组x」"),
        ("级别: 拦截", "级别: 小心", "不能写「小心」"),
        ("放行仅限: 已审批内容", "放行仅限: 全部", "不能写「全部」"),
    ],
)
def test_a_broken_rule_is_refused_on_its_line(old: str, new: str, words: str) -> None:
    text = starter_text("rules.yaml").replace(old, new, 1)
    rules, problems = load(text, "rules.yaml", Rules)
    assert rules is None
    assert problems[0].line == text[: text.index(new)].count("\n") + 1
    assert words in problems[0].what
