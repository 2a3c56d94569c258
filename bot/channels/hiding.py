"""Raw callbacks lose the personal numbers that people wrote before they are stored."""

from __future__ import annotations

import json
import re
from typing import Any

from bot.domain.personal_data import mask_numbers

# WeCom's elements for words, spoken or written; ids and times stand in others.
_WORDS = re.compile(r"(<(Content|Recognition)>)(.*?)(</\2>)", re.DOTALL)
_WORDS_OF_JSON = "content"


def hide_in_xml(plain: str) -> str:
    """Return an XML callback with the numbers in its words hidden."""
    return _WORDS.sub(lambda found: found[1] + mask_numbers(found[3]) + found[4], plain)


def hide_in_json(plain: str) -> str:
    """Return a JSON callback with the numbers in its words hidden; as it is if nothing is."""
    fields = json.loads(plain)
    hidden = _hidden(fields)
    return plain if hidden == fields else json.dumps(hidden, ensure_ascii=False)


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _of(key, each) for key, each in value.items()}
    if isinstance(value, list):
        return [_hidden(each) for each in value]
    return value


def _of(key: str, value: Any) -> Any:
    if key == _WORDS_OF_JSON and isinstance(value, str):
        return mask_numbers(value)
    return _hidden(value)
