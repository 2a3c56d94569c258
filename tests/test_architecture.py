"""What the house's rules leave to count: floors, homes, sizes, names, clocks."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted((ROOT / "bot").rglob("*.py"))
OWN = [path for path in MODULES if "versions" not in path.parts]  # migrations are written once
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 40
DOMAIN_MAY_IMPORT = {"bot", "pydantic", "pydantic_core"}
ABOVE_APP = {"__main__.py", "cli", "asking", "bench", "conformance", "demo"}
MACHINE_TIME = re.compile(r"\b(?:datetime\.(?:now|utcnow|today)|date\.today|time\.time(?:_ns)?)\(")
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "manager", "service", "common", "misc"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def test_imports_point_down() -> None:
    contracts = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert contracts.returncode == 0, contracts.stdout + contracts.stderr


def test_the_page_on_the_house_shows_the_floors_as_they_are() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    floors = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    drawn = (ROOT / "CONTRIBUTING.md").read_text("utf-8").split("```")[1].strip()
    names = [re.split(r"\s{2,}", line.strip())[0] for line in drawn.splitlines()]
    shown = [floor for name in names for floor in name.split(" → ")]
    assert [set(one.split(" | ")) for one in shown] == [set(one.split(" | ")) for one in floors]


def test_the_domain_is_pure() -> None:
    allowed = DOMAIN_MAY_IMPORT | set(sys.stdlib_module_names)
    found = {
        f"{named(path)}: {name}"
        for path in (ROOT / "bot" / "domain").rglob("*.py")
        for name in imports(path)
        if name.split(".")[0] not in allowed
    }
    assert not found


def test_langchain_lives_in_ai() -> None:
    # import-linter knows a library only once somebody imports it, and LangChain is many libraries.
    found = {
        named(path)
        for path in MODULES
        if path.parent.name != "ai" and any(name.startswith("langchain") for name in imports(path))
    }
    assert not found


def test_from_the_app_down_only_the_clock_asks_the_machine_for_the_time() -> None:
    found = {
        named(path)
        for path in MODULES
        if path.relative_to(ROOT / "bot").parts[0] not in ABOVE_APP | {"clock.py"}
        and MACHINE_TIME.search(path.read_text("utf-8"))
    }
    assert not found


@pytest.mark.parametrize("path", OWN, ids=named)
def test_modules_and_functions_are_small(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n") < MAX_MODULE_LINES
    long = {
        f"{node.name}: {length} lines"
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) >= MAX_FUNCTION_LINES
    }
    assert not long


def test_names_say_what_is_inside() -> None:
    assert not {named(path) for path in MODULES if path.stem in EMPTY_NAMES}


def test_a_lock_names_versions_and_no_address() -> None:
    lines = (ROOT / "requirements.lock").read_text("utf-8").splitlines()
    assert len(lines) > 100
    pinned = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+( ; .+)?")
    assert not [line for line in lines if not pinned.fullmatch(line)]
