"""Every reason that the engine may write for a skip, an exit or a refusal has words for ops."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import get_args

import pytest

from bot.cli.sop_words import MOVED, REASONS, STATES, in_words
from bot.domain.board import Moved
from bot.domain.caps import CAP_REASONS
from bot.domain.funnel import LOSSES
from bot.domain.polling import REASONS as REFUSED
from bot.domain.runs import RunState, StepState
from tests.domain.builders import ROOT

WORD = re.compile(r"[a-z]+(?:_[a-z0-9]+)*")
SAYS_WHY = frozenset(
    {
        *("Skip", "Hold", "Failed", "Refused", "Undeliverable", "leave", "skip", "_skip"),
        *("_none", "nowhere", "end_run", "end_all", "_over", "put_off", "take_back_steps"),
    }
)
"""Calls one of whose arguments is a reason."""
TELLS_WHY = {  # functions that return a reason, by module
    "bot/domain/delivery.py": None,
    "bot/domain/passing.py": None,
    "bot/domain/quota.py": None,
    "bot/domain/caps.py": None,
    "bot/domain/rest_days.py": None,
    "bot/domain/suitability.py": None,
    "bot/domain/way_terms.py": None,
    "bot/domain/admission.py": None,
    "bot/domain/enrolment.py": None,
    "bot/domain/hold.py": {"pausing", "_drained", "draining"},
    "bot/sop/batch.py": None,
    "bot/sop/fire.py": None,
    "bot/sop/opener.py": None,
    "bot/sop/turn.py": None,
    "bot/sop/enrol.py": {"_outcome"},
}
PARTS = ("bot/domain", "bot/sop", "bot/workers", "bot/channels/contact.py")
PARTS += ("bot/channels/attachments.py", "bot/channels/media.py", "bot/channels/moments.py")
OTHER = frozenset(
    {
        # states, outcomes, kinds of things that stand where reasons do
        *("exited", "done", "skipped", "failed", "confirmed", "asleep", "ended", "queued"),
        *("entered", "held_out", "refused", "missing", "waiting", "shift", "newest", "never"),
        *("script", "global", "program", "private", "broadcast", "product", "moment", "group"),
        *("customer", "part_failed"),
    }
)
NOT_OF_STEPS = frozenset(
    {"not_a_contact_message", "no_welcome_in_file", "cannot_read", "rated", "over"}
    | {"heard", "ordered", "missed", "red_flag"}
)


def test_states_moves_and_the_reasons_of_caps_have_words() -> None:
    assert set(get_args(Moved)) - {""} <= set(MOVED)
    assert {*get_args(RunState), *get_args(StepState)} <= set(STATES)
    assert {*CAP_REASONS, *LOSSES, *REFUSED.values()} <= set(REASONS)


def test_every_reason_that_the_code_can_write_has_words() -> None:
    found = dict(_reasons())
    assert {"precondition", "owner_unconfirmed", "audience_unknown", "event_passed"} <= set(found)
    assert len(found) > 50
    nameless = {word: place for word, place in found.items() if word not in REASONS}
    assert nameless == {}


@pytest.mark.parametrize("reason", ["no_value:活动.名称", "wecom_41048", "precondition"])
def test_a_reason_is_said_in_chinese(reason: str) -> None:
    assert re.search(r"[\u4e00-\u9fff]", in_words(reason))


def _reasons() -> Iterator[tuple[str, str]]:
    for part in PARTS:
        path = ROOT / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = str(file.relative_to(ROOT))
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                for value in _places(node, name):
                    for word in _words(value, _constants()):
                        if word not in OTHER | NOT_OF_STEPS:
                            yield word, f"{name}:{value.lineno}"


def _places(node: ast.AST, file: str) -> Iterator[ast.expr]:
    """Give the expressions in a node whose value is a reason."""
    if isinstance(node, ast.Call):
        called = node.func
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in SAYS_WHY:
            yield from node.args
        yield from (each.value for each in node.keywords if each.arg in ("reason", "skip"))
    if isinstance(node, ast.Assign) and _name_of(node.targets[0]) in ("why", "reason", "skip"):
        yield node.value
    if isinstance(node, ast.FunctionDef) and file in TELLS_WHY:
        told = TELLS_WHY[file]
        if told is None or node.name in told:
            returns = (each for each in ast.walk(node) if isinstance(each, ast.Return))
            yield from (each.value for each in returns if each.value is not None)


def _name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def _words(value: ast.expr, constants: dict[str, str]) -> Iterator[str]:
    """Give the words that an expression may come to."""
    match value:
        case ast.Constant(value=str(text)) if WORD.fullmatch(text):
            yield text
        case ast.Name(id=name) if name in constants and WORD.fullmatch(constants[name]):
            yield constants[name]
        case ast.IfExp(body=one, orelse=other):
            yield from _words(one, constants)
            yield from _words(other, constants)
        case ast.BoolOp(values=several) | ast.Tuple(elts=several):
            for each in several:
                yield from _words(each, constants)
        case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value="_unknown")]):
            yield from (f"{part}_unknown" for part in ("audience", "exclusion", "consent"))


@cache
def _constants() -> dict[str, str]:
    """Return the constants of the parts by name: a reason may be imported from another module."""
    return {
        target.id: node.value.value
        for part in ("bot/domain", "bot/sop", "bot/workers")
        for file in sorted((ROOT / part).rglob("*.py"))
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name) and isinstance(node.value.value, str)
    }
