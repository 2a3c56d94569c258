"""The examples of the knowledge manual are sound, and it names every heading of a table."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from bot.domain.knowledge import Audience
from bot.domain.render import KNOWN_VARIABLES
from bot.knowledge.checks import Terms, read_knowledge
from bot.knowledge.tables import NAMES, key_of
from bot.sop.library import load_workspace_files
from tests.rooms.knowledge.office_files import docx

ROOT = Path(__file__).parents[3]
MANUAL = (ROOT / "docs" / "knowledge-manual.md").read_text("utf-8")
EXAMPLE = re.compile(r"^`(knowledge/[^`]+)`：\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_manual_s_examples_can_be_copied(tmp_path: Path) -> None:
    examples = dict(EXAMPLE.findall(MANUAL))
    assert len(examples) == 5
    for name, text in examples.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        if name.endswith(".docx.yaml"):
            docx(path.with_suffix(""))
    library = load_workspace_files(ROOT)
    assert library.rules is not None
    assert library.bank is not None
    terms = Terms(
        rules=library.rules,
        variables=KNOWN_VARIABLES,
        tags=frozenset(),
        regions=library.bank.regions,
    )
    knowledge, problems = read_knowledge(tmp_path / "knowledge", terms, date(2026, 10, 12))
    assert problems == ()
    by_id = {one.id: one for one in knowledge.documents}
    assert by_id.keys() == {
        *("loan-1", "loan-2", "card-1", "card-2", "svc-parking", "svc-early-repay"),
    }
    assert by_id["card-2"].questions == ("城东哪里能办社保卡", "社保卡在哪办")
    assert by_id["card-2"].regions == ("城东区",)
    assert by_id["svc-early-repay"].audience is Audience.PRIVATE


def test_every_heading_the_manual_names_is_known() -> None:
    (line,) = [one for one in MANUAL.splitlines() if one.startswith("`编号` `类` `问`")]
    named = re.findall(r"`([^`]+)`", line)
    assert {key_of(name) for name in named} == {*NAMES}
