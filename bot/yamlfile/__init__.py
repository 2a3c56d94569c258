"""Strict reading of the YAML that people edit: text stays text, every refusal names its line."""

from bot.yamlfile.front_matter import split_front_matter
from bot.yamlfile.model import load, nearest, problems_of, to_model
from bot.yamlfile.nodes import (
    Entry,
    Items,
    Mapping,
    Node,
    Path,
    Scalar,
    dotted,
    find,
    line_of,
    plain,
)
from bot.yamlfile.reader import read_text, read_yaml

__all__ = [
    "Entry",
    "Items",
    "Mapping",
    "Node",
    "Path",
    "Scalar",
    "dotted",
    "find",
    "line_of",
    "load",
    "nearest",
    "plain",
    "problems_of",
    "read_text",
    "read_yaml",
    "split_front_matter",
    "to_model",
]
