"""Words of a script that are hard to read for old people: worth a look, and nothing stops."""

from __future__ import annotations

from bot.domain.script import SopScript
from bot.domain.style import Limits, slips
from bot.sop.context import Found, LintContext, Path
from bot.sop.library import SourceFile

# Length and the second topic are the script's own rails, and checked as such.
_OF_THE_RAILS = frozenset({"long_message", "two_ideas"})


def lint_style(
    path: Path, text: str, script: SopScript, source: SourceFile, context: LintContext
) -> Found:
    """Note every sentence, figure, picture and word of the trade that is hard to read."""
    persona = context.personas.get(script.persona)
    if persona is None:
        return
    limits = Limits(sentence=persona.speech.sentence_chars, emoji=persona.speech.emoji)
    for slip in slips(text, limits, context.rules.jargon):
        if slip.kind not in _OF_THE_RAILS:
            line = text[: max(0, text.find(slip.words))].count("\n") + 1
            yield source.note(path, slip.what, slip.mend, text_line=line)
