"""Wording rules: what may not be said, what hides behind tricks, and what must be masked."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.domain.personal_data import mask, mask_numbers, personal_data_in
from bot.domain.sentences import Sentence, clean, sentences
from bot.domain.value import Value
from bot.domain.wording import PLACES, Compiled, Level, Rule, Rules

__all__ = [
    "Hit",
    "Level",
    "Rule",
    "Rules",
    "mask",
    "mask_numbers",
    "personal_data_in",
    "screen",
]

_QUOTED = re.compile(r"[「『“\"‘]([^「」『』“”\"‘’]+)[」』”\"’]")
_STRUCK = "▢"
_SHOWN = 24  # characters of a sentence, where it has no words of its own to show


class Hit(Value):
    """A rule that a text breaks, with the words that break it and the line they stand in.

    ``wide`` is a hit of the wider net, which is only spread under text that nobody approved.
    """

    rule: str
    name: str
    matched: str
    level: Level
    line: int = 1
    wide: bool = False

    @property
    def blocks(self) -> bool:
        """Tell whether the text may not leave."""
        return self.level == "拦截"


def screen(text: str, rules: Rules, *, approved: bool, plane: str = "") -> list[Hit]:
    """Find what a text may not say, one hit a rule.

    The allowances of a rule hold within a sentence and only for approved text; text that a
    model wrote gets none, and is looked at with the wider net too. Separators put between
    characters are seen through. Rules for one place hold in that ``plane`` (kf, group, staff).
    """
    whole = rules.plain(clean(text))
    parts = list(sentences(whole, rules.spelt, joined=not approved))
    hits = []
    for rule in rules.compiled:
        if rule.rule.places and PLACES.get(plane) not in rule.rule.places:
            continue
        hit = _first(rule, parts, rules, approved=approved)
        if hit is None or (rule.answered_by is not None and rule.answered_by.search(whole)):
            continue
        hits.append(hit)
    if not approved and not any(hit.blocks for hit in hits):
        hits += _like_the_wrong(parts, rules)
    return hits


def _like_the_wrong(parts: Sequence[Sentence], rules: Rules) -> list[Hit]:
    """Find the first sentence that no rule has words for, and that is like the wrong examples."""
    examples = rules.examples
    if examples is None:
        return []
    for part in parts:
        if rules.likeness(part.views[-1]) > 0:
            return [
                Hit(
                    rule=examples.id,
                    name=examples.name,
                    matched=part.views[0].strip()[:_SHOWN],
                    level=examples.level,
                    line=part.line,
                    wide=True,
                )
            ]
    return []


def _first(
    rule: Compiled, parts: Sequence[Sentence], rules: Rules, *, approved: bool
) -> Hit | None:
    pattern = rule.approved if approved else rule.unapproved
    if pattern is None:
        return None
    for number, part in enumerate(parts):
        for view in part.views:
            found = _found(pattern, rule.not_meant, view)
            if found is None or (approved and _allowed(rule, parts, number, found, rules)):
                continue
            return Hit(
                rule=rule.rule.id,
                name=rule.rule.name,
                matched=found,
                level=rule.rule.level,
                line=part.line,
                wide=not _narrow(rule, part),
            )
    return None


def _narrow(rule: Compiled, part: Sentence) -> bool:
    """Tell whether approved text would be blocked for these words, too."""
    pattern = rule.approved
    return pattern is not None and any(_found(pattern, rule.not_meant, one) for one in part.views)


def _found(pattern: re.Pattern[str], not_meant: re.Pattern[str] | None, view: str) -> str | None:
    """Return the words that break a rule, after those that only look like it are struck out."""
    found = pattern.search(view)
    if found is None or not_meant is None:
        return found and found[0]
    found = pattern.search(not_meant.sub(_STRUCK, view))
    return found and found[0]


def _allowed(
    rule: Compiled, parts: Sequence[Sentence], number: int, found: str, rules: Rules
) -> bool:
    """Tell whether a sentence, or the one beside it, says the opposite of what was found."""
    views = parts[number].views
    if any(rules.void(view) for view in views):
        return False
    if rule.allowed is not None and any(rule.allowed.search(view) for view in views):
        return True
    beside = [each.views[0] for each in parts[max(0, number - 1) : number + 2]]
    quoted = any(found in words for words in _QUOTED.findall(views[0]))
    if quoted and not any(rules.sells(each) for each in beside):
        return True
    return (quoted or rules.tells(views[0])) and any(rules.warns(each) for each in beside)
