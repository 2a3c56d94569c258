"""The published sentences: what the wording rules must stop and what they must let through.

The rules learn from examples (例句), and most of these sentences are among them. So the sentences
are judged in five parts, each by rules that learned from the other four only.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

from bot.answering.trial import Judged, Trial, judge, read_sentences
from bot.domain.compliance import Rules
from tests.domain.builders import starter_rules

SENTENCES = Path(__file__).with_name("sentences.jsonl")
PARTS = 5


def without(rules: Rules, texts: str) -> Rules:
    """Return the rules as if they had never seen these texts."""
    assert rules.examples is not None
    seen = rules.examples
    fewer = {
        "wrong": [one for one in seen.wrong if one not in texts],
        "right": [one for one in seen.right if one not in texts],
    }
    return Rules.model_validate(rules.model_dump() | {"examples": seen.model_dump() | fewer})


@cache
def trial() -> Trial:
    sentences = read_sentences(SENTENCES.read_text("utf-8").splitlines(), SENTENCES.name)
    rules, items = starter_rules(), list[Judged]()
    for part in range(PARTS):
        these = sentences[part::PARTS]
        texts = "\n".join(each.text for _, each in these)
        items += judge(these, without(rules, texts)).items
    return Trial(tuple(items))


def test_few_violations_get_out_and_few_right_words_are_held_back() -> None:
    judged = trial()
    assert judged.violations > 1000
    assert judged.harmless > 1500
    missed = [item.sentence.text for item in judged.items if item.missed]
    held = [item.sentence.text for item in judged.items if item.blocked_falsely]
    assert judged.miss_rate <= 0.04, missed
    assert judged.false_block_rate <= 0.02, held


def test_no_approved_sentence_of_them_is_held_back() -> None:
    approved = [item for item in trial().items if item.sentence.approved]
    assert len(approved) > 400
    assert [item.sentence.text for item in approved if item.blocked_falsely] == []


def test_every_rule_is_needed_by_some_sentence() -> None:
    caught = Counter(hit.rule for item in trial().items for hit in item.hits)
    everywhere = {rule.id for rule in starter_rules().rules if not rule.places}
    assert everywhere <= set(caught)


def test_no_sentence_stands_twice() -> None:
    texts = Counter(item.sentence.text for item in trial().items)
    assert [text for text, times in texts.items() if times > 1] == []
