"""What people say, kept by kind in files: one message a line, under a line with their kind."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parent / "said"


def phrases(name: str) -> dict[str, list[str]]:
    """Return the messages of a file by their kind; those before any kind are under ""."""
    found: dict[str, list[str]] = {}
    kind = ""
    for line in (_FOLDER / f"{name}.txt").read_text("utf-8").splitlines():
        if line.startswith("# "):
            kind = line[2:]
        elif line:
            found.setdefault(kind, []).append(line)
    return found
