"""The JSON Schema of script files (draft 2020-12): editors complete and explain keys by it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.resources import files

from bot.domain.script import SopScript
from bot.yamlfile import read_yaml
from bot.yamlfile.nodes import Items, Node
from bot.yamlfile.nodes import Mapping as Keys

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_WORDS_FILE = "schema_words.yaml"
_TITLE = "知邻剧本（NAME.sop.yaml）"
_WHOLE = re.compile(r"-?(?:0|[1-9]\d*)", re.ASCII)
_FRACTION = re.compile(r"-?\d+\.\d+", re.ASCII)
Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None


def schema_text() -> str:
    """Return the schema as a file's text, the same for the same models."""
    return json.dumps(script_schema(), ensure_ascii=False, indent=2)


def script_schema() -> dict[str, Json]:
    """Return the schema: every key with its Chinese title, description and examples."""
    schema: dict[str, Json] = SopScript.model_json_schema(by_alias=True)
    models = schema.pop("$defs", {})
    assert isinstance(models, dict)
    words = key_words()
    made: dict[str, Json] = {"$schema": _DRAFT, **_of_model(schema, words.get("SopScript", {}))}
    made["title"] = _TITLE
    made["$defs"] = {
        name: _of_model(model, words.get(name, {}))
        for name, model in models.items()
        if isinstance(model, dict)
    }
    return made


def key_words() -> dict[str, dict[str, tuple[str, list[Json]]]]:
    """Return each model's keys with what is said of them, and examples."""
    text = files("bot.sop").joinpath(_WORDS_FILE).read_text(encoding="utf-8")
    told: dict[str, dict[str, tuple[str, list[Json]]]] = {}
    root = read_yaml(text, _WORDS_FILE)
    for model in root.entries if isinstance(root, Keys) else ():
        keys = model.value.entries if isinstance(model.value, Keys) else ()
        told[model.key] = {key.key: _said(key.value) for key in keys}
    return told


def _said(node: Node) -> tuple[str, list[Json]]:
    assert isinstance(node, Items)
    first, *examples = (as_editors_read(item) for item in node.items)
    return str(first), examples


def as_editors_read(node: Node) -> Json:
    """Return a value as an editor reads it (YAML 1.2): plain numbers and true are no text."""
    if isinstance(node, Items):
        return [as_editors_read(item) for item in node.items]
    if isinstance(node, Keys):
        return {entry.key: as_editors_read(entry.value) for entry in node.entries}
    if node.style:
        return node.text
    if node.text in ("true", "false"):
        return node.text == "true"
    if _WHOLE.fullmatch(node.text):
        return int(node.text)
    return float(node.text) if _FRACTION.fullmatch(node.text) else node.text


def _of_model(
    model: Mapping[str, Json], words: Mapping[str, tuple[str, list[Json]]]
) -> dict[str, Json]:
    """Put the Chinese words into a model's schema and leave out what only code is meant to read."""
    made = {key: value for key, value in model.items() if key not in ("description", "title")}
    keys = made.get("properties")
    if isinstance(keys, dict):
        made["properties"] = {
            key: _of_key(key, value, words.get(key, ("", [])))
            for key, value in keys.items()
            if isinstance(value, dict)
        }
    return made


def _of_key(key: str, value: Mapping[str, Json], words: tuple[str, list[Json]]) -> Json:
    made = _without_null(value)
    made["title"] = key
    if words[0]:
        made["description"] = words[0]
    if words[1]:
        made["examples"] = words[1]
    return made


def _without_null(value: Mapping[str, Json]) -> dict[str, Json]:
    """Drop the null that no file can write, and defaults that are not a plain value."""
    made: dict[str, Json] = {}
    for name, inner in value.items():
        if name == "default" and (inner is None or isinstance(inner, list | dict)):
            continue
        if name == "anyOf" and isinstance(inner, list):
            kept = [one for one in inner if one != {"type": "null"}]
            if len(kept) == 1 and isinstance(kept[0], dict):
                made |= kept[0]
            else:
                made[name] = kept
            continue
        made[name] = inner
    return made
