"""Sets of questions to measure by: a corpus, and questions with the documents that answer them.

A set is ``NAME.corpus.jsonl`` with lines ``{"id","text"}`` and ``NAME.queries.jsonl`` with lines
``{"id","text","relevant":[id, …]}``; an empty list means that the right act is to decline.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

from bot.domain.knowledge import Approval, Audience, Document, DocumentKind, Section
from bot.errors import ContentError, Problem

# The documents of a set hold always; some moment must be named.
AT = datetime(2026, 1, 1, tzinfo=UTC)
_UNREAD: Mapping[type[OSError], str] = {
    FileNotFoundError: "没有这个文件",
    IsADirectoryError: "这是一个目录，不是文件",
    PermissionError: "没有读它的权限",
}
_ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))
_ASKED = re.compile(r"^(.{4,60}?[?？])\s*(.+)$")
_CORPUS, _QUERIES = ".corpus.jsonl", ".queries.jsonl"


class Asked(NamedTuple):
    """A question, and the documents that answer it: none where the right act is to decline."""

    text: str
    relevant: frozenset[str]


class QuestionSet(NamedTuple):
    """A corpus and what is asked of it."""

    documents: tuple[Document, ...]
    asked: tuple[Asked, ...]

    @property
    def unknown(self) -> tuple[str, ...]:
        """Return the ids that questions name and the corpus does not have."""
        ids = {document.id for document in self.documents}
        return tuple(sorted({one for asked in self.asked for one in asked.relevant} - ids))


def read_set(corpus: Path, queries: Path) -> QuestionSet:
    """Read both files; raise ``ContentError`` with every line that is not as it should be."""
    problems: list[Problem] = []
    documents = with_questions(tuple(_documents(corpus, problems)))
    made = QuestionSet(documents, tuple(_asked(queries, problems)))
    if problems:
        raise ContentError(tuple(problems))
    return made


def read_sets(folder: Path) -> dict[str, QuestionSet]:
    """Read every set of a folder.

    Questions without a corpus of their own belong to the one that has the documents they name.
    Raise ``ContentError`` where there is no set, or a file is broken.
    """
    corpora = {path.name.removesuffix(_CORPUS): path for path in folder.glob(f"*{_CORPUS}")}
    sets: dict[str, QuestionSet] = {}
    for queries in sorted(folder.glob(f"*{_QUERIES}")):
        name = queries.name.removesuffix(_QUERIES)
        named = [corpora[name]] if name in corpora else sorted(corpora.values())
        fitting = [one for one in (read_set(path, queries) for path in named) if not one.unknown]
        if fitting:
            sets[name] = fitting[0]
    if not sets:
        what = f"没有成对的 *{_CORPUS} 和 *{_QUERIES}"
        raise ContentError((Problem(str(folder), 0, "", what, "换成放着问题集的目录"),))
    return sets


def with_questions(documents: Sequence[Document]) -> tuple[Document, ...]:
    """Return a corpus that is written as Q&As, each line a question and its answer, as such.

    One where fewer than half of the texts are written so is no list of Q&As, and stays.
    """
    questions = [_questions(document.sections[0].text) for document in documents]
    if 2 * sum(map(bool, questions)) < len(documents):
        return tuple(documents)
    return tuple(
        document.model_copy(update={"kind": DocumentKind.QA, "questions": found})
        if found
        else document
        for document, found in zip(documents, questions, strict=True)
    )


def _questions(text: str) -> tuple[str, ...]:
    found = (match[1] for line in text.splitlines() if (match := _ASKED.match(line)))
    return tuple(dict.fromkeys(found))


def _documents(path: Path, problems: list[Problem]) -> Iterator[Document]:
    seen: set[str] = set()
    for line, row in _rows(path, problems):
        key, text = _named(row), row.get("text")
        if key is None or not isinstance(text, str) or not text.strip():
            what, mend = '要有 "id" 和不空的 "text"', '写成 {"id": "1", "text": "……"}'
            problems.append(Problem(path.name, line, "", what, mend))
        elif key in seen:
            what = f"编号「{key}」前面已经用过"
            problems.append(Problem(path.name, line, "id", what, "换一个没用过的编号"))
        else:
            seen.add(key)
            yield _document(key, text, path.name, line)


def _document(key: str, text: str, file: str, line: int) -> Document:
    return Document(
        id=key,
        title="",
        kind=DocumentKind.NOTICE,
        file=file,
        line=line,
        audience=Audience.GROUP,
        valid_from=_ALWAYS[0],
        valid_to=_ALWAYS[1],
        approval=Approval(content_id="-", approver="-", approved_on=_ALWAYS[0]),
        sections=(Section(title="", text=text),),
    )


def _asked(path: Path, problems: list[Problem]) -> Iterator[Asked]:
    for line, row in _rows(path, problems):
        text, relevant = row.get("text"), row.get("relevant")
        if not isinstance(text, str) or not isinstance(relevant, Sequence | type(None)):
            what = '要有 "text" 和 "relevant"'
            mend = '写成 {"id": "1", "text": "……", "relevant": ["资料编号"]}，该拒答的写 []'
            problems.append(Problem(path.name, line, "", what, mend))
        elif relevant is None or isinstance(relevant, str):
            mend = '写成 ["资料编号"]，该拒答的写 []'
            what = '"relevant" 要是一个列表'
            problems.append(Problem(path.name, line, "relevant", what, mend))
        else:
            yield Asked(text, frozenset(str(one) for one in relevant))


def _named(row: dict[str, object]) -> str | None:
    key = row.get("id")
    return str(key) if isinstance(key, str | int) and str(key).strip() else None


def _rows(path: Path, problems: list[Problem]) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield each line's object with the line's number; blank lines are passed over."""
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        what = next((said for kind, said in _UNREAD.items() if isinstance(error, kind)), "读不了")
        problems.append(Problem(str(path), 0, "", what, "看看路径写对没有"))
        return
    except UnicodeDecodeError:
        problems.append(Problem(str(path), 0, "", "不是 UTF-8 编码", "另存为 UTF-8"))
        return
    any_line = False
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        any_line = True
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if isinstance(row, dict):
            yield number, row
        else:
            what = "这一行不是一个 JSON 对象"
            problems.append(Problem(path.name, number, "", what, "一行写一个 {…}"))
    if not any_line:
        problems.append(Problem(path.name, 1, "", "文件是空的", "至少写一行"))
