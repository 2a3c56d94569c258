"""A script written as JSON reads back the same, whatever keys of the format it has."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from bot.domain.script import SopScript, content_hash, from_json, to_json
from bot.sop.schema import script_schema

Json = Any
# Models whose keys exclude one another: the sets of keys of which one is drawn, and taken whole.
FORMS: dict[str, tuple[tuple[str, ...], ...]] = {
    "Branch": (("当", "转到"), ("否则",)),
    "Entry": (
        ("方式=事件", "事件", "补进"),
        ("方式=日期", "日期", "提前天"),
        ("方式=名单快照",),
        ("方式=持续",),
        ("方式=手工",),
    ),
    "Listen": (("意图",), ("关键词",), ("意图", "关键词")),
    "Step": (("第几天",), ("相对",), ("相隔天",), ()),
}


@cache
def schema() -> Json:
    return script_schema()


def as_written(value: Json) -> Json:
    """Return a value as the files' reader gives it: every scalar is text."""
    if isinstance(value, dict):
        return {key: as_written(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


def values(told: Json) -> st.SearchStrategy[Json]:
    """Draw a value of a key: a part of the format is built, anything else is an example."""
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        model = schema()["$defs"][name]
        if "properties" in model:
            return models(name)
        return st.sampled_from(model.get("enum", [model.get("const")]))
    branches = told.get("oneOf")
    if branches:
        return st.deferred(lambda: st.one_of([values(one) for one in branches]))
    items = told.get("items")
    if items and ("$ref" in items or "oneOf" in items):
        return st.lists(values(items), min_size=max(1, told.get("minItems", 1)), max_size=2)
    if "enum" in told:
        return st.sampled_from(told["enum"])
    return st.sampled_from(told["examples"])


@cache
def models(name: str) -> st.SearchStrategy[Json]:
    made = schema() if name == "SopScript" else schema()["$defs"][name]
    keys, required = made["properties"], set(made.get("required", ()))
    forms = FORMS.get(name, ())
    own = {part.partition("=")[0] for form in forms for part in form}
    optional = sorted(set(keys) - required - own)

    @st.composite
    def build(draw: st.DrawFn) -> Json:
        chosen = required - own | {key for key in optional if draw(st.integers(0, 9)) < 3}
        fixed = {}
        for part in draw(st.sampled_from(forms)) if forms else ():
            key, _, value = part.partition("=")
            chosen.add(key)
            if value:
                fixed[key] = value
        drawn = {key: fixed.get(key) or draw(values(keys[key])) for key in sorted(chosen)}
        if "正确" in drawn:
            drawn["期待回复"] = [drawn["正确"], "任意"]
        return drawn

    return build()


def keys_in(value: Json, found: set[str]) -> None:
    if isinstance(value, dict):
        found.update(value)
        for inner in value.values():
            keys_in(inner, found)
    elif isinstance(value, list):
        for inner in value:
            keys_in(inner, found)


def test_whatever_keys_a_script_has_it_reads_back_the_same() -> None:
    seen: set[str] = set()

    @seed(20261012)
    @settings(
        max_examples=120,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(models("SopScript"))
    def holds(drawn: Json) -> None:
        written = as_written(drawn)
        script = SopScript.model_validate(written, by_alias=True, by_name=False)
        keys_in(written, seen)
        again = from_json(to_json(script))
        assert again == script
        assert to_json(again) == to_json(script)
        assert content_hash(again) == content_hash(script)

    holds()
    every = {key for made in schema()["$defs"].values() for key in made.get("properties", {})}
    assert every | set(schema()["properties"]) <= seen
