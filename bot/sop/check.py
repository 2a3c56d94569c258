"""All problems of ``sop/`` in one list, and the scripts that are sound."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from bot.domain.calendar import CalendarTables
from bot.domain.compliance import Rules, screen
from bot.domain.knowledge import ProductSheet
from bot.domain.persona import WHEN, Declines, HandingOver, Persona, SessionWords
from bot.domain.render import KNOWN_VARIABLES, variables_in
from bot.errors import Problem
from bot.sop.check_bank import check_bank
from bot.sop.check_talk import check_talk
from bot.sop.context import LintContext
from bot.sop.library import Library, ScriptFile, SourceFile
from bot.sop.lint import lint
from bot.sop.lint_braces import strays
from bot.sop.lint_facts import lint_facts
from bot.sop.wording import lint_wording

_NOT_FOR_PERSONA = frozenset({"产品.名称", "产品.风险等级", "产品.期限"})


@dataclass(frozen=True, slots=True)
class Checked:
    """The scripts without a problem, whatever their 状态, every problem, and what to look at."""

    scripts: Mapping[str, ScriptFile]
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...] = ()


def check(
    library: Library,
    *,
    products: Mapping[str, ProductSheet],
    qa_ids: Collection[str],
    tables: CalendarTables,
    today: date,
    qa_texts: Mapping[str, str] | None = None,
) -> Checked:
    """Check everything that was read; without the bank's facts or the rules nothing is sound."""
    if library.bank is None or library.rules is None:
        return Checked({}, library.problems)
    context = LintContext(
        bank=library.bank,
        rules=library.rules,
        personas=library.personas,
        scripts=library.scripts,
        products=products,
        qa_ids=qa_ids,
        pictures=library.pictures,
        tables=tables,
        today=today,
        unread=frozenset(problem.file for problem in library.problems),
        qa_texts=qa_texts or {},
        sizes=library.sizes,
    )
    found = [*library.problems, *check_bank(library), *lint_facts(library.scripts, context)]
    for file in library.scripts.values():
        found += [*lint(file, context), *lint_wording(file, context)]
    found += [*_said_by_people(library, context)]
    problems = {one for one in found if not one.note}
    broken = {problem.file for problem in problems}
    sound = {id: file for id, file in library.scripts.items() if file.source.file not in broken}
    notes = {one for one in found if one.note}
    return Checked(sound, tuple(sorted(problems)), tuple(sorted(notes)))


def _said_by_people(library: Library, context: LintContext) -> Iterator[Problem]:
    """Give the problems of what personas and managers say."""
    known = KNOWN_VARIABLES - _NOT_FOR_PERSONA | set(context.bank.variables)
    for talk in library.talk:
        yield from check_talk(talk, context)
    for persona_id, persona in library.personas.items():
        yield from _persona(persona, library.persona_sources[persona_id], context.rules, known)


def _persona(
    persona: Persona, source: SourceFile, rules: Rules, known: Collection[str]
) -> Iterator[Problem]:
    spoken: tuple[tuple[tuple[str, ...], str], ...] = (
        (("身份告知", "首次出现必说"), persona.identity.first_words),
        (("身份告知", "被问是不是真人"), persona.identity.when_asked),
        (("没把握时",), persona.when_unsure),
        (("资料没备好时",), persona.when_not_ready),
        (("非工作时间说明",), persona.off_hours),
        *((("会话用语", key), text) for key, text in _words_of(persona.session)),
        *((("谢绝", key), text) for key, text in _words_of(persona.declines)),
        *((("转人工", key), text) for key, text in _words_of(persona.handing_over)),
    )
    for path, text in spoken:
        for name in variables_in(text):
            if name not in known:
                mend = "看看是不是写错了字"
                yield source.problem(path, f"不认识变量「{{{name}}}」", mend)
        yield from strays(path, text, source)
        for hit in screen(text, rules, approved=True):
            what = f"「{hit.matched}」碰了词表 {hit.rule}({hit.name})"
            say = source.problem if hit.blocks else source.note
            yield say(path, what, "换个说法")
        for words in persona.speech.never:
            if len(words) > 1 and words in text:
                yield source.problem(path, f"用了人设里「不用」的词「{words}」", "换个说法")


def _words_of(words: SessionWords | Declines | HandingOver) -> Iterator[tuple[str, str]]:
    """Give the words of a part by their keys, without what is filled in at the moment itself."""
    for name, field in type(words).model_fields.items():
        said = getattr(words, name)
        texts = said if isinstance(said, tuple) else (said,)
        for text in (one for one in texts if isinstance(one, str)):
            yield str(field.alias), text.replace(WHEN, "")
