"""The page's own files: colours that can be read, nothing inline, words that stay words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import bot.console
import bot.emulator
from bot import page_files

ROOM = Path(bot.console.__file__).parent
STATIC = ROOM / "static"
SCRIPTS = sorted([*STATIC.glob("*.js"), *page_files.FOLDER.glob("*.js")])
TOKENS = (page_files.FOLDER / "tokens.css").read_text("utf-8")
PAIRS = [
    *((ink, ground) for ink in ("ink", "quiet", "accent") for ground in ("paper", "ground")),
    *((tone, f"{tone}-soft") for tone in ("accent", "done", "wait", "harm")),
    ("quiet", "idle-soft"),
    ("wait", "paper"),
    ("harm", "paper"),
    ("on-fill", "fill"),
    ("on-mine", "mine"),
]


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_pair_of_colours_can_be_read(theme: str) -> None:
    light, _, dark = TOKENS.partition("@media")
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    if theme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))
    for ink, ground in PAIRS:
        low, high = sorted((luminance(colours[ink]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (theme, ink, ground)


def test_pages_hold_no_script_and_no_style_of_their_own() -> None:
    for page in (ROOM / "templates").glob("*.html"):
        text = page.read_text("utf-8")
        assert not re.search(r"<style|style=|\son\w+=|<script(?![^>]*\ssrc=)", text), page.name


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_makes_no_markup_of_words_and_names_only_files_that_are_there(
    script: Path,
) -> None:
    text = script.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
    for name in re.findall(r'from "\./([\w.]+)"', text):
        assert (STATIC / name).is_file() or (page_files.FOLDER / name).is_file(), name
    assert not re.search(r"https?://", text), "what it loads it loads from its own bank"


def test_what_the_banks_pages_and_the_local_wecoms_share_has_one_home() -> None:
    shared = {path.name for path in page_files.FOLDER.glob("*.*s*")} - {"__init__.py"}
    assert {"dom.js", "tokens.css"} <= shared
    for folder in (STATIC, Path(bot.emulator.__file__).parent / "static"):
        own = {path.name for path in folder.iterdir()}
        assert not own & shared, folder


def test_words_grow_with_the_phones_own_size_of_type() -> None:
    text = (STATIC / "sidebar.css").read_text("utf-8")
    assert not re.search(r"font(-size)?:[^;]*\dpx", text)
    assert not re.search(r"line-height: \d+px", text)
