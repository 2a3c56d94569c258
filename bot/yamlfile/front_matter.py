"""The YAML head of a Markdown file."""

from __future__ import annotations


def split_front_matter(text: str) -> tuple[str, str, int]:
    """Split Markdown into its YAML head, its body and the line on which the body begins.

    A file without a head, or whose head is never closed, has an empty head. The head's own
    first line is always 2.
    """
    lines = text.removeprefix("\ufeff").splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        return "", text, 1
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "".join(lines[1:number]), "".join(lines[number + 1 :]), number + 2
    return "", text, 1
