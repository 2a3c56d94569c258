"""A script's picture is one sound file that says every step once and calls nobody."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from bot.domain.script import SopScript
from bot.sop.picture.card import CARD, card, ways_on
from bot.sop.picture.lanes import lanes
from bot.sop.picture.page import picture
from tests.domain.builders import ROOT, head, script, script_of, starter_script, step
from tests.rooms.sop.everything import EVERYTHING

SCRIPTS = sorted((ROOT / "sop").glob("*.sop.yaml"))
VOID = {"meta", "br", "path", "circle", "rect"}
CARDS = re.compile(r'left:(\d+)px;top:(\d+)px"><article [^>]*style="width:(\d+)px;height:(\d+)px"')
LINES = re.compile(r'<path class="(?:next|branch)" d="([^"]+)"')
DORMANT = starter_script("dormant-3waves.sop.yaml")


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.steps: list[str] = []
        self.links: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if "data-step" in told:
            self.steps.append(str(told["data-step"]))
        self.links += [str(told[key]) for key in ("src", "href") if key in told]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_step_stands_in_it_once_and_it_needs_nothing_else(path) -> None:
    one = script_of(path.read_text("utf-8"))
    html = picture(one)
    reader = read(html)
    assert sorted(reader.steps) == sorted(part.id for part in one.parts)
    assert reader.links == []
    assert "url(http" not in html
    assert "@import" not in html
    assert "<script" not in html
    assert one.name in reader.text


def test_what_a_script_says_is_on_the_wall() -> None:
    told = read(picture(script_of(EVERYTHING))).text
    for words in (
        "按客户分流：口吻",
        "问候 50%",
        "等 客户回复、到网点 2 次（本步后算起）",
        "最长 5 天",
        "客户回复 且 年龄 < 65",
        "否则，结束",
        "一共 4 遍，每隔 7 天，到 2026-12-31 为止",
        "朋友圈，不行就提醒经理",
        "占朋友圈 1 条",
        "储蓄国债发行前 5 天内",
        "建线索 活动（4 小时内，先问同意，提到 来 时）",
        "停营销 直到解决",
        "晚3个工作日内补发",
        "农历九月初九前 1 天",
        "日历叠加",
    ):
        assert words in told, words


def test_every_word_can_be_read_on_the_wall() -> None:
    lines = [f"第{number}行要说的话" for number in range(1, 15)]
    words = [f"词{number}" for number in range(1, 9)]
    body = '"' + "\\n".join(lines) + '"'
    asked = f"互动: {{期待回复: [{', '.join(words)}], 计入指标: 开口率}}"
    text = step("a", 1, more=asked).replace("您好", body)
    html = picture(script_of(head() + "步骤:\n" + text))
    assert "\n".join(lines) in read(html).text
    assert "、".join(words) in read(html).text
    assert "line-clamp" not in html
    assert "ellipsis" not in html


def test_a_card_is_as_tall_as_its_whole_text() -> None:
    def tall(text: str) -> int:
        first = DORMANT.steps[1].model_copy(update={"body": text, "bodies": None})
        return card(first, fixed=True).height

    assert tall("一行\n" * 20) - tall("一行\n" * 10) == 10 * 20  # pixels a line


def test_words_of_a_script_are_never_markup() -> None:
    text = head() + "步骤:\n" + step("a", 1).replace("您好", '"<script>alert(1)</script>&"')
    html = picture(script_of(text.replace("名称: 试跑", "名称: <b>试</b>")))
    assert "<script" not in html
    assert "<b>试" not in html
    assert "<script>alert(1)</script>&" in read(html).text


def boxes(one: SopScript) -> list[tuple[int, int, int, int]]:
    html, _, _ = lanes(one)
    return [tuple(map(int, found)) for found in CARDS.findall(html)]  # type: ignore[misc]


FLOWS = [name for name in (path.name for path in SCRIPTS) if starter_script(name).flows]


@pytest.mark.parametrize("name", [*FLOWS, "everything"])
def test_cards_do_not_overlap_and_no_line_runs_through_one(name: str) -> None:
    one = script_of(EVERYTHING) if name == "everything" else starter_script(name)
    cards = boxes(one)
    assert len(cards) == len(one.steps)
    for at, (x, y, w, h) in enumerate(cards):
        for left, top, wide, tall in cards[at + 1 :]:
            assert x + w <= left or left + wide <= x or y + h <= top or top + tall <= y
        for a, b in segments(lanes(one)[0]):
            across = min(a[0], b[0]) < x + w and max(a[0], b[0]) > x
            down = min(a[1], b[1]) < y + h and max(a[1], b[1]) > y
            assert not (across and down), (name, a, b)


def segments(html: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found = []
    for line in LINES.findall(html):
        x = y = 0
        for letter, numbers in re.findall(r"([MHV])([\d ]+)", line):
            before = (x, y)
            values = [int(each) for each in numbers.split()]
            x = values[0] if letter != "V" else x
            y = values[-1] if letter != "H" else y
            if letter != "M":
                found.append((before, (x, y)))
    assert found
    return found


def test_each_way_on_is_a_line_and_each_end_a_sign() -> None:
    html, width, height = lanes(DORMANT)
    after = [*DORMANT.steps[1:], None]
    ways = [
        way
        for one, other in zip(DORMANT.steps, after, strict=True)
        for way in ways_on(one, other.id if other else None)
    ]
    assert len(LINES.findall(html)) == sum(way.to is not None for way in ways)
    assert html.count('class="stop"') == sum(way.to is None for way in ways)
    assert max(x + w for x, _, w, _ in boxes(DORMANT)) <= width
    assert max(y + h for _, y, _, h in boxes(DORMANT)) <= height
    assert CARD in {w for _, _, w, _ in boxes(DORMANT)}


def test_steps_by_other_days_have_no_ribbon_and_planned_ones_have() -> None:
    assert 'class="ribbon"' in picture(script(step("a", 1), step("b", 40)))
    assert 'class="ribbon"' not in picture(starter_script("festival-groups.sop.yaml"))


def test_a_circle_is_drawn_and_does_not_hang() -> None:
    turned = script_of(EVERYTHING.replace("{否则: 结束}", "{否则: split}"))
    assert sorted(read(picture(turned)).steps) == sorted(part.id for part in turned.parts)
