"""A script goes into a workbook and comes back the same, whatever stands in it."""

from __future__ import annotations

import copy
import functools
import random
from io import BytesIO

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from pydantic import ValidationError

from bot.domain.script import SopScript, content_hash
from bot.domain.steps import SendBy, StepKind
from bot.sop.excel.columns import TABLES, script_columns, table_columns
from bot.sop.excel.export import export_scripts
from bot.sop.excel.files import file_text
from bot.sop.excel.importing import import_scripts
from bot.sop.excel.yaml_text import Doc, document, write_script
from bot.yamlfile import load
from tests.domain.builders import ROOT, script_of
from tests.rooms.sop.everything import (
    EVERYTHING,
    everything_by_date,
    keys_of_the_format,
    keys_said,
)

SCRIPTS = sorted((ROOT / "sop").glob("*.sop.yaml"))
NASTY = [
    "甲: 乙",
    "- 甲",
    "=1+1",
    "@我",
    "#5",
    '"甲"',
    "'甲'",
    '"',
    "a, b",
    "甲，乙、丙；丁",
    "［甲］",
    "[甲]",
    "{甲}",
    "{}",
    "{客户.称呼}好",
    " 两头空 ",
    "一行\n",
    "一\n二",
    "一\n二\n",
    "一\n\n二\n\n",
    "\n一\n二\n",
    "  一\n二\n",
    "一\n  二 \n",
    "制\t表",
    "回\r车",
    "\u2028",
    "\x07",
    "_x000D_",
    "true",
    "null",
    "1",
    "007",
    "1.50",
    "09:30",
    "2026-10-12",
    "：",
    "“引”",
    "｜甲",
    "...",
    "---",
    "~",
    "😀",
    "C:\\甲",
    "甲 # 乙",
    "是",
    "#N/A",
    "一\\n二",
]

WORDS = st.text(st.characters(codec="utf-8"), max_size=12)


def came_back(script: SopScript) -> SopScript:
    (back,) = import_scripts(export_scripts([script]), "剧本.xlsx")
    return back


@functools.cache
def everything() -> SopScript:
    return script_of(EVERYTHING)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_that_ships_comes_back_the_same(path) -> None:
    script = script_of(path.read_text("utf-8"))
    back = came_back(script)
    assert back == script
    assert content_hash(back) == content_hash(script)
    assert [part.id for part in back.parts] == [part.id for part in script.parts]
    assert content_hash(script_of(file_text(back))) == content_hash(script)


def test_several_scripts_share_a_workbook() -> None:
    scripts = [script_of(path.read_text("utf-8")) for path in SCRIPTS]
    assert import_scripts(export_scripts(scripts), "剧本.xlsx") == scripts


def test_every_key_of_the_format_comes_back() -> None:
    by_date = script_of(everything_by_date())
    said = {*keys_said(document(everything())), *keys_said(document(by_date))}
    assert {key for _, key in keys_of_the_format()} <= said
    for script in (everything(), by_date):
        assert content_hash(came_back(script)) == content_hash(script)
        assert content_hash(script_of(file_text(script))) == content_hash(script)


def test_no_key_of_the_format_is_without_a_column() -> None:
    columns = [*script_columns(), *(each for table in TABLES for each in table_columns(table))]
    heads = {part for column in columns for part in column.path} | set(TABLES)
    items = {"HandOver", "OpenLead", "PutTag", "AnswerWith", "SlowDown", "PauseMarketing"}
    items |= {"Picture", "LinkCard", "MiniProgram", "FileAttachment", "Video", "Branch", "Variable"}
    missing = {(model, key) for model, key in keys_of_the_format() if key not in heads}
    assert {model for model, _ in missing} <= items


def leaves(value: Doc, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, str):
        return [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [leaf for key, inner in pairs for leaf in leaves(inner, (*path, key))]


def put(doc: Doc, path: tuple[str | int, ...], value: str | None) -> None:
    at = functools.reduce(lambda inner, key: inner[key], path[:-1], doc)  # type: ignore[index]
    if value is None:
        del at[path[-1]]  # type: ignore[arg-type]
    else:
        at[path[-1]] = value  # type: ignore[index,call-overload]


def valid(doc: Doc) -> SopScript | None:
    try:
        return SopScript.model_validate(doc, by_alias=True, by_name=False)
    except ValidationError:
        return None


@functools.cache
def free_leaves() -> tuple[tuple[str | int, ...], ...]:
    """Where any text may stand."""
    found = []
    for path in leaves(document(everything())):
        doc = copy.deepcopy(document(everything()))
        put(doc, path, "随: 便，\n写")
        if valid(doc) is not None:
            found.append(path)
    assert len(found) > 40
    return tuple(found)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    seed=st.integers(0, 2**32),
    words=st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=6),
)
def test_any_text_in_any_place_comes_back(seed: int, words: list[str]) -> None:
    dice = random.Random(seed)
    doc = copy.deepcopy(document(everything()))
    for path in dice.sample(free_leaves(), 12):
        word = dice.choice([*NASTY, *words])
        if word:
            put(doc, path, word)
    script = valid(doc)
    assume(script is not None)
    assert script is not None
    assert content_hash(came_back(script)) == content_hash(script)
    assert content_hash(script_of(file_text(script))) == content_hash(script)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_any_choice_of_keys_comes_back(seed: int) -> None:
    dice = random.Random(seed)
    doc = copy.deepcopy(document(everything()))
    for _ in range(dice.randint(1, 25)):
        path = dice.choice(leaves(doc))
        smaller = copy.deepcopy(doc)
        put(smaller, path[: dice.randint(1, len(path))], None)
        if valid(smaller) is not None:
            doc = smaller
    script = valid(doc)
    assert script is not None
    assert content_hash(came_back(script)) == content_hash(script)


def test_a_group_of_keys_with_nothing_in_it_is_not_lost() -> None:
    doc = document(everything())
    step = doc["步骤"][1]  # type: ignore[index]
    step["前提"] = {}  # type: ignore[index,call-overload]
    script = valid(doc)
    assert script is not None
    assert script.steps[1].guard is not None
    assert content_hash(came_back(script)) == content_hash(script)


def test_the_file_reads_as_people_write_it() -> None:
    text = write_script(document(script_of(SENIOR.read_text("utf-8"))))
    for line in (
        "进入: {方式: 事件, 事件: 群打标签}",
        '  静默时段: ["11:45-14:30", "19:30-08:30"]',
        '    时间: "09:30-10:30"',
        "    正文: |\n      今天说说咱们群的小规矩",
        "  - {事件: 投诉, 停: 营销类, 范围: 全群}",
        "\n\n  - 编号: d02-rules\n    第几天: 2\n",
    ):
        assert line in text
    assert load(text, "f", SopScript)[1] == []


SENIOR = ROOT / "sop" / "senior-21d.sop.yaml"


def test_closed_values_are_chosen_from_the_models_own_words() -> None:
    book = load_workbook(BytesIO(export_scripts([script_of(SENIOR.read_text("utf-8"))])))
    steps = book["步骤"]
    heads = {cell.value: cell.column_letter for cell in steps[1]}
    lists = {
        str(each.sqref).split(":")[0].rstrip("0123456789"): (each.formula1, each.showErrorMessage)
        for each in steps.data_validations.dataValidation
    }
    assert lists[heads["类型"]] == (f'"{",".join(kind.value for kind in StepKind)}"', True)
    assert lists[heads["发送方式"]] == (f'"{",".join(way.value for way in SendBy)}"', False)
    assert steps.freeze_panes == "B2"
    assert book["说明"].protection.sheet
    body = steps[f"{heads['正文']}3"]
    assert body.alignment.wrap_text
    assert body.value.startswith("今天说说咱们群的小规矩")
    assert "\n" in body.value
    assert steps[f"{heads['时间']}3"].value == "09:30-10:30"
    assert steps.column_dimensions[heads["分流.实验"]].hidden
    assert not steps.column_dimensions[heads["互动.期待回复"]].hidden
