"""Expressions of script files: read, printed, judged with unknown data, refused in words."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.domain.expression import MOST_DEPTH, Expression, ExpressionError, parse
from bot.domain.expression_check import ValueKind, Vocabulary
from bot.domain.expression_nodes import (
    Among,
    And,
    Between,
    Call,
    Compare,
    Constant,
    IsKnown,
    Name,
    Node,
    Not,
    Or,
)
from bot.domain.expression_values import Grade, Known

NOW = datetime(2026, 10, 1, 4, 0, tzinfo=UTC)
FEW = settings(max_examples=150, deadline=None)


class Told:
    """A lookup of plain values; what is not in it is unknown."""

    def __init__(self, **values: Known | None) -> None:
        self._values = values

    def value(self, name: str) -> Known | None:
        return self._values.get(name)

    def days_from(self, moment: date | datetime) -> int:
        day = moment.date() if isinstance(moment, datetime) else moment
        return (NOW.date() - day).days

    def times(self, event: str, days: float) -> int | None:
        value = self._values.get(event)
        return value if isinstance(value, int) else None

    def last(self, event: str) -> datetime | None:
        value = self._values.get(event)
        return value if isinstance(value, datetime) else None

    def has(self, what: str, name: str) -> bool | None:
        value = self._values.get(name)
        return value if isinstance(value, bool) else None


def judge(text: str, **values: Known | None) -> bool | None:
    return parse(text).evaluate(Told(**values))


names = st.sampled_from(
    ["年龄", "好友", "营销同意", "到期日", "风险等级", "到网点", "本波增量上界"]
)
constants = st.one_of(
    st.integers(-999, 10**9),
    st.decimals(0, 1000, places=2).map(float),
    st.text("甲乙ab 」。'0且或", max_size=6),
    st.dates(date(2000, 1, 1), date(2099, 1, 1)),
    st.builds(Grade, st.sampled_from("CR"), st.integers(1, 5)),
).map(Constant)
labels = st.one_of(
    st.sampled_from(
        ["国债提醒", "senior-21d", "21d-x", "银龄-陪伴完成", "C1", "或", "到 网点", "7"]
    ),
    st.text("甲乙a-(", min_size=1, max_size=5).filter(str.strip),
)
leaves: st.SearchStrategy[Node] = st.one_of(
    constants,
    names.map(Name),
    st.builds(Call, st.sampled_from(["最近", "有标签", "在剧本", "走完剧本"]), labels),
    st.builds(lambda n, d: Call("次数", n, days=d), labels, st.integers(1, 400)),
)


def grown(parts: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    signs = st.sampled_from([">=", "<=", ">", "<", "=", "!="])
    several = st.lists(parts, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Compare, signs, parts, parts),
        st.builds(Among, parts, st.lists(constants, min_size=1, max_size=3).map(tuple)),
        st.builds(Between, parts, parts, parts),
        st.builds(IsKnown, parts, st.booleans()),
        st.builds(Not, parts),
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(lambda f, p: Call(f, of=p), st.sampled_from(["天数自", "天数到"]), parts),
    )


trees = st.recursive(leaves, grown, max_leaves=8)
truths = st.sampled_from([True, False, None])


@FEW
@given(trees)
def test_what_is_printed_is_read_back_the_same(tree: Node) -> None:
    printed = str(Expression(tree))
    if len(printed) <= 500:
        assert parse(printed).root == tree


@FEW
@given(
    st.one_of(
        st.text(max_size=60),
        st.text(
            '年龄 好友且或非()（）>=<！、,，.-0129"“”「」在介于到未知次数天数自C1', max_size=40
        ),
    )
)
def test_no_text_raises_anything_but_its_own_error(text: str) -> None:
    read = expression_or_error(text)
    if isinstance(read, ExpressionError):
        assert 1 <= read.column <= len(text) + 1
        assert read.what
        assert read.mend
    else:
        assert read.evaluate(Told()) in (True, False, None)
        assert parse(str(read)) == read


def expression_or_error(text: str) -> Expression | ExpressionError:
    try:
        return parse(text)
    except ExpressionError as error:
        return error


@FEW
@given(trees, trees, st.fixed_dictionaries({"好友": truths, "营销同意": truths, "年龄": st.none()}))
def test_de_morgan_holds_with_unknown_data_too(
    one: Node, other: Node, told: dict[str, bool | None]
) -> None:
    lookup = Told(**told)
    both = Expression(Not(And((one, other)))).evaluate(lookup)
    assert both == Expression(Or((Not(one), Not(other)))).evaluate(lookup)
    either = Expression(Not(Or((one, other)))).evaluate(lookup)
    assert either == Expression(And((Not(one), Not(other)))).evaluate(lookup)


@FEW
@given(trees)
def test_learning_more_never_turns_an_answer_that_was_certain(tree: Node) -> None:
    if _asks_whether_known(tree):
        return
    before = Expression(tree).evaluate(Told())
    after = Expression(tree).evaluate(Told(**{"好友": True, "年龄": 70, "风险等级": Grade("C", 2)}))
    assert before is None or before == after


def _asks_whether_known(node: Node) -> bool:
    return isinstance(node, IsKnown) or any(_asks_whether_known(part) for part in node.parts())


@pytest.mark.parametrize(
    ("text", "told", "answer"),
    [
        ("年龄 >= 60", {"年龄": 60}, True),
        ("年龄 >= 60", {}, None),
        ("年龄 ＞＝ 60", {"年龄": 59}, False),
        ("年龄 未知 或 年龄 >= 65", {}, True),
        ("年龄 已知 且 年龄 >= 65", {}, False),
        ("非 年龄 >= 65", {"年龄": 70}, False),
        ("非(年龄 >= 65)", {}, None),
        ("好友 且 非（投诉处理中）", {"好友": True, "投诉处理中": False}, True),
        ("好友 或 营销同意 且 拒收", {"好友": True, "拒收": False}, True),
        ("(好友 或 营销同意) 且 拒收", {"好友": True, "拒收": False}, False),
        ("好友 且 营销同意", {"好友": False}, False),
        ("好友 或 营销同意", {"好友": True}, True),
        ("风险等级 >= C2", {"风险等级": Grade("C", 3)}, True),
        ("风险等级 在 (C1、C2)", {"风险等级": Grade("C", 3)}, False),
        ("网点 在 (b01，b02)", {"网点": "b02"}, True),
        ("网点 = “b01”", {"网点": "b01"}, True),
        ("网点 > 「b01」", {"网点": "b02"}, None),
        ("年龄 介于 60 到 70", {"年龄": 70}, True),
        ("年龄 介于 60 到 70", {"年龄": 71}, False),
        ("到期日 <= 2026-12-31", {"到期日": date(2026, 12, 31)}, True),
        ("年龄 = 「60」", {"年龄": 60}, None),
        ("好友 >= 1", {"好友": True}, None),
        ("天数到(到期日) <= 30", {"到期日": date(2026, 10, 31)}, True),
        ("天数自(最近互动) >= 90", {"最近互动": NOW - timedelta(days=90)}, True),
        ("次数(到网点, 30) >= 2", {"到网点": 2}, True),
        ("天数自(最近(到网点)) < 7", {"到网点": NOW}, True),
        ("有标签(国债提醒)", {"国债提醒": True}, True),
        ("在剧本(senior-21d)", {}, None),
        ("本波增量上界 < 成本", {"本波增量上界": 1.5, "成本": 2}, True),
        ("本波增量上界 < 成本", {"成本": 2}, None),
        ("年龄", {"年龄": 3}, None),
    ],
)
def test_expressions_are_judged(text: str, told: dict[str, Known], answer: bool | None) -> None:
    assert judge(text, **told) is answer


@pytest.mark.parametrize(
    ("text", "column", "word"),
    [
        ("", 1, "空"),
        ("年龄 >=", 6, "没有写完"),
        ("年龄 65", 4, "不该"),
        ("60 < 年龄 < 70", 9, "介于"),
        ("65岁", 1, "不是数"),
        ("(年龄 >= 60", 10, "少一个「)」"),
        ("年龄 >= 60)", 9, "多了一个"),
        ("天数(到期日) > 3", 1, "天数自"),
        ("次数(到网点) > 3", 7, "少一个「,」"),
        ("次数(到网点, 好友) > 3", 9, "天数"),
        ("年龄 在 60", 6, "少一个「(」"),
        ("年龄 介于 60", 9, "到"),
        ('网点 = "b01', 6, "引号"),
        ("到期日 < 2026-02-30", 7, "日历"),
        ("年龄 + 1", 4, "看不懂"),
        ("年龄 >= 1234567890123", 7, "太长"),
        ("非 " * 60 + "好友", 0, "层"),
        ("年龄 > 1 且 " * 80 + "好友", 501, "500"),
        ("客户回复 and 到网点", 6, "且"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_column(text: str, column: int, word: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert word in str(caught.value)
    assert caught.value.column == column or not column


def test_brackets_go_down_so_far_and_no_further() -> None:
    assert judge("(" * (MOST_DEPTH - 1) + "好友" + ")" * (MOST_DEPTH - 1), 好友=True) is True
    with pytest.raises(ExpressionError):
        parse("(" * 200 + "好友" + ")" * 200)


KNOWN = Vocabulary(
    data={"年龄": ValueKind.NUMBER, "好友": ValueKind.TRUTH, "网点": ValueKind.TEXT}
    | {"最近互动": ValueKind.DAY, "风险等级": ValueKind.GRADE},
    events=frozenset({"到网点", "客户回复"}),
    tags=frozenset({"国债提醒"}),
    scripts=frozenset({"senior-21d"}),
    elsewhere={"群人数": "它只用于客户群的剧本"},
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("年令 >= 60", ["不认识「年令」", "是不是「年龄」"]),
        ("年龄未知", ["「未知」前后各空一格"]),
        ("客户回复或到网点", ["「或」前后各空一格"]),
        ("年龄", ["不是「是」或「否」"]),
        ("年龄 = 「六十」", ["不能比"]),
        ("网点 > 「b01」", ["不能比大小"]),
        ("网点 = b01", ["不认识「b01」"]),
        ("群人数 > 3", ["这里不能用「群人数」"]),
        ("有标签(国债)", ["没有「国债」这个标签", "国债提醒"]),
        ("在剧本(senior)", ["没有「senior」这个剧本"]),
        ("次数(到网店, 3) > 1", ["到网点"]),
        ("天数自(年龄) > 1", ["要是日期"]),
        ("好友 且 (年令 > 1 或 年龄 > C2)", ["年令", "不能比"]),
    ],
)
def test_names_and_kinds_are_checked_against_what_the_bank_registered(
    text: str, words: list[str]
) -> None:
    said = "\n".join(str(problem) for problem in parse(text).check(KNOWN))
    for word in words:
        assert word in said


def test_what_is_right_has_no_problems_and_problems_have_columns() -> None:
    fine = (
        "年龄 介于 60 到 70 且 好友 且 天数自(最近互动) > 9 "
        "且 次数(到网点, 30) >= 1 且 有标签(国债提醒)"
    )
    assert parse(fine).check(KNOWN) == ()
    assert [problem.column for problem in parse("好友 且 年令 > 1").check(KNOWN)] == [6]


def test_it_explains_itself_without_personal_data() -> None:
    expression = parse("年龄 >= 60 且 生日 已知 且 网点 = 「b01」 且 好友")
    told = dict(expression.explain(Told(年龄=71, 生日=date(1955, 3, 8), 网点="b01", 好友=True)))
    assert told["年龄"] == "71"
    assert told["年龄 >= 60"] == "是"
    assert told["生日"] == "已知"
    assert told["网点"] == "已知"
    assert "1955" not in str(told)


def test_it_says_which_names_it_asks_for() -> None:
    expression = parse(
        "年龄 > 60 且 次数(到网点, 30) > 1 且 非(有标签(国债提醒) 或 天数自(生日) > 1)"
    )
    assert expression.names() == {"年龄", "生日"}
    assert expression.calls() == {("次数", "到网点"), ("有标签", "国债提醒")}
