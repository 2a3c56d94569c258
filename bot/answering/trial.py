"""How well the wording rules judge: sentences whose verdict people gave, and what the rules say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ConfigDict, StrictBool, ValidationError

from bot.domain.compliance import Hit, Rules, screen
from bot.domain.knowledge import Plane
from bot.domain.value import Value
from bot.errors import ContentError, Problem

_MEND = '一行一个 {"text": "句子", "approved": true 或 false, "violation": true 或 false}'


class Sentence(Value):
    """A text with the verdict of somebody who knows; ``plane`` is where it would be said.

    What else a line has, such as a family or a source, is its owner's affair.
    """

    model_config = ConfigDict(extra="ignore")

    text: str
    approved: StrictBool
    violation: StrictBool
    plane: Plane | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence, its line in the file, and the rules that block it."""

    line: int
    sentence: Sentence
    hits: tuple[Hit, ...]

    @property
    def missed(self) -> bool:
        """Tell whether a violation would get out."""
        return self.sentence.violation and not self.hits

    @property
    def blocked_falsely(self) -> bool:
        """Tell whether words that are right would be held back."""
        return not self.sentence.violation and bool(self.hits)


@dataclass(frozen=True, slots=True)
class Trial:
    """All sentences of a file as the rules judge them."""

    items: tuple[Judged, ...]

    @property
    def violations(self) -> int:
        """Count what should be blocked."""
        return sum(item.sentence.violation for item in self.items)

    @property
    def harmless(self) -> int:
        """Count what should pass."""
        return len(self.items) - self.violations

    @property
    def miss_rate(self) -> float:
        """Return the share of violations that get out."""
        return _share([item.missed for item in self.items], self.violations)

    @property
    def false_block_rate(self) -> float:
        """Return the share of right words that are held back."""
        return _share([item.blocked_falsely for item in self.items], self.harmless)


def read_sentences(lines: Iterable[str], file: str) -> list[tuple[int, Sentence]]:
    """Read the lines of a JSONL file; raises ``ContentError`` with every line that is wrong."""
    sentences, problems = [], []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            sentences.append((number, Sentence.model_validate_json(line)))
        except ValidationError as error:
            problems.append(Problem(file, number, "", _what(line, error), _MEND))
    if not sentences and not problems:
        problems.append(Problem(file, 0, "", "文件里一句话也没有", _MEND))
    if problems:
        raise ContentError(problems)
    return sentences


def judge(sentences: Sequence[tuple[int, Sentence]], rules: Rules) -> Trial:
    """Let the rules judge every sentence."""
    return Trial(tuple(Judged(line, each, _blocking(each, rules)) for line, each in sentences))


def _blocking(sentence: Sentence, rules: Rules) -> tuple[Hit, ...]:
    found = screen(sentence.text, rules, approved=sentence.approved, plane=sentence.plane or "")
    return tuple(hit for hit in found if hit.blocks)


def _what(line: str, error: ValidationError) -> str:
    try:
        json.loads(line)
    except ValueError:
        return "这一行不是 JSON"
    wrong = error.errors(include_url=False)[0]
    key = ".".join(map(str, wrong["loc"]))
    if wrong["type"] == "missing":
        return f"缺少「{key}」"
    return f"「{key}」写法不对" if key else "这一行不是一个 JSON 对象"


def _share(wrong: Sequence[bool], total: int) -> float:
    return sum(wrong) / total if total else 0.0
