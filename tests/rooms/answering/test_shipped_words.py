"""The shipped answers are true wherever they may be said."""

from __future__ import annotations

import re
from pathlib import Path

from bot.domain.knowledge import Audience
from bot.knowledge.reader import read_files

KNOWLEDGE = Path(__file__).parents[3] / "knowledge"
# She is in no group where she answers one to one, and promises to say nothing there.
_SPEAKS_IN_A_GROUP = re.compile(r"群里我|我[^。，,]{0,8}在群里(?:说|讲|发)")


def test_what_is_said_one_to_one_does_not_speak_as_if_in_a_group() -> None:
    knowledge, problems = read_files(KNOWLEDGE)
    assert problems == ()
    said = [
        (document.id, section.text)
        for document in knowledge.documents
        if document.audience is not Audience.STAFF
        for section in document.sections
    ]
    assert len(said) > 100
    assert [one for one in said if _SPEAKS_IN_A_GROUP.search(one[1])] == []
