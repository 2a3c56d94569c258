"""The JSON Schema says of every file what the reader says, as far as a schema can."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest
from jsonschema import Draft202012Validator

from bot.sop.schema import as_editors_read, key_words, schema_text, script_schema
from bot.yamlfile import read_yaml
from tests.domain.builders import ROOT, head, step

SCRIPTS = sorted((ROOT / "sop").glob("*.sop.yaml"))


@cache
def validator() -> Draft202012Validator:
    schema = script_schema()
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def complaints(text: str) -> list[str]:
    read = as_editors_read(read_yaml(text, "f"))
    return ["/".join(map(str, error.absolute_path)) for error in validator().iter_errors(read)]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_every_script_that_ships_fits_the_schema(path) -> None:
    assert complaints(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("休息日: 顺延", "休息日: 往后", "休息日"),
        ("版本: 1", "版本: 一", "版本"),
        ("人设: xiaoan", "人设: 小安", "人设"),
        ("名称: 试跑", "名字: 试跑", ""),
        ("错过时间窗: 跳过", "错过时间窗: 随便", "错过时间窗"),
        ("错过时间窗: 跳过", "重复进入: 随便", "重复进入"),
        ("有效期至: 2028-12-31", "有效期至: 2028/12/31", "审批/有效期至"),
        ("第几天: 1", "第几天: 0", "步骤/0/第几天"),
        ('时间: "09:30-10:30"', "时间: 1170", "步骤/0/时间"),
        ("发送方式: 企业群发", "发送方式: 群发", "步骤/0/发送方式"),
        ("正文: 您好", "动作: [{贴标签: 甲}]", "步骤/0/动作/0"),
        ("正文: 您好", "附件: [{类型: 图, 素材: a.png}]", "步骤/0/附件/0"),
        ("正文: 您好", "等待: {任一: [客户回复]}", "步骤/0/等待"),
    ],
)
def test_a_broken_file_does_not_fit(old: str, new: str, place: str) -> None:
    text = head() + "步骤:\n" + step("a", 1)
    assert old in text
    assert complaints(text) == []
    assert place in complaints(text.replace(old, new))


@pytest.mark.parametrize(
    "more",
    [
        "错过时间窗: 晚2小时内补发",
        "错过时间窗: 当日补到18:00",
        "等待: {任一: [客户回复], 最长: 5天}",
        "重复: {次数: 3, 每隔天: 7, 到: 2026-12-31}",
        "前提: {群内本周无投诉: 是, 本周产品内容次数: 小于1}",
        "互动: {期待回复: [1, 2], 计入指标: 开口率}",
        "动作: [退出, {停营销: 直到解决}, {降频: 每周1次}]",
        "附件: [{类型: 链接, 标题: 甲, 网址: 'https://a.example'}]",
    ],
)
def test_what_the_reader_takes_the_schema_takes(more: str) -> None:
    assert complaints(head() + "步骤:\n" + step("a", 1, more=more)) == []


def test_every_key_is_explained_and_every_example_fits_its_key() -> None:
    schema = script_schema()
    models = {"SopScript": schema, **schema["$defs"]}
    bare = []
    for model, made in models.items():
        for key, told in made.get("properties", {}).items():
            if not told.get("description", "").endswith("。") or not told.get("examples"):
                bare.append(f"{model}.{key}")
            own = Draft202012Validator({**told, "$defs": schema["$defs"]})
            for example in told.get("examples", []):
                assert own.is_valid(example), (model, key, example)
    assert bare == []
    named = {model: set(keys) for model, keys in key_words().items()}
    assert named == {
        model: set(made["properties"]) for model, made in models.items() if "properties" in made
    }


def test_no_word_of_the_code_reaches_an_editor() -> None:
    schema = script_schema()
    for made in (schema, *schema["$defs"].values()):
        for told in made.get("properties", {}).values():
            assert not told["description"].isascii()
        assert "description" not in made


def test_the_schema_is_the_same_each_time() -> None:
    code = "from bot.sop.schema import schema_text; print(schema_text())"
    ran = [sys.executable, "-c", code]
    other = subprocess.run(ran, capture_output=True, text=True, check=True, cwd=ROOT)
    assert other.stdout.rstrip("\n") == schema_text()
    assert json.loads(other.stdout)["$schema"].endswith("2020-12/schema")
