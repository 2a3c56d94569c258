"""Knowledge files to documents, with every problem of every file in one list."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from bot.domain.knowledge import Document, ProductSheet, risky
from bot.domain.value import Value
from bot.errors import ContentError, Problem
from bot.knowledge.entries import Read, read_qa
from bot.knowledge.grids import csv_grids, xlsx_grids
from bot.knowledge.limits import WRONG_KINDS, read_bytes, refused
from bot.knowledge.pdf import read_pdf
from bot.knowledge.sheets import read_markdown
from bot.knowledge.tables import read_table
from bot.knowledge.word import read_docx
from bot.yamlfile import read_text

_PASSING = ("~", ".tmp", ".swp", ".swx", ".part", ".crdownload")
_OF_THE_SYSTEM = ("Thumbs.db", "desktop.ini")


class Knowledge(Value):
    """All documents of a workspace and its product catalogue."""

    documents: tuple[Document, ...] = ()
    products: tuple[ProductSheet, ...] = ()

    def document(self, document_id: str) -> Document | None:
        """Return a document by its 编号."""
        return next((one for one in self.documents if one.id == document_id), None)

    def product(self, product_id: str) -> ProductSheet | None:
        """Return a product by its 编号, whether it is on sale or not."""
        return next((one for one in self.products if one.id == product_id), None)

    def with_unreadable(self, before: Knowledge, broken: Collection[str]) -> Knowledge:
        """Add what files said before of which nothing can be read now."""
        files = {one.file for one in self.documents}
        ids = {one.id for one in self.documents}
        kept = [
            one
            for one in before.documents
            if (one.file in broken or f"{one.file}.yaml" in broken)
            and one.file not in files
            and one.id not in ids
        ]
        if not kept:
            return self
        known = {product.id for product in self.products}
        products = [one.product for one in kept if one.product and one.product.id not in known]
        return Knowledge(documents=(*self.documents, *kept), products=(*self.products, *products))


def read_files(folder: Path) -> tuple[Knowledge, tuple[Problem, ...]]:
    """Read every file under ``knowledge/``; what cannot be read is left out.

    File names in problems are relative to the folder's parent, the workspace. What the files say
    is checked by ``checks.check``.
    """
    documents: list[Document] = []
    products: list[ProductSheet] = []
    problems: list[Problem] = []
    for path in _files(folder):
        file = path.relative_to(folder.parent).as_posix()
        try:
            read = _reader_of(path, file)(path, file)
        except ContentError as error:
            problems += error.problems
            continue
        documents += read.documents
        products += read.products
        problems += read.problems
    return (
        Knowledge(documents=tuple(rated(documents, products)), products=tuple(products)),
        tuple(sorted(set(problems))),
    )


def rated(documents: Sequence[Document], products: Sequence[ProductSheet]) -> Iterator[Document]:
    """Give what speaks of a product that product's rating, where it has none of its own."""
    ratings = {product.id: product.risk_rating for product in products}
    for document in documents:
        rating = ratings.get(document.about)
        if document.risk_rating is None and rating is not None:
            warn = document.must_warn or risky(rating)
            yield document.model_copy(update={"risk_rating": rating, "must_warn": warn})
        else:
            yield document


def of_a_program(name: str) -> bool:
    """Tell whether a file is one that editors and systems leave there for themselves."""
    return name.startswith((".", "~$", "~WR")) or name.endswith(_PASSING) or name in _OF_THE_SYSTEM


def _files(folder: Path) -> Iterator[Path]:
    """Give what is to be read, in order; what programs leave there for a moment is not."""
    for path in sorted(folder.rglob("*")):
        # A README explains the folder to the people who fill it.
        if path.name.startswith("README") or of_a_program(path.name):
            continue
        if path.is_file() and not _belongs_to_another(path):
            yield path


def _belongs_to_another(path: Path) -> bool:
    """Tell whether a file holds the facts of the file beside it: NAME.docx.yaml."""
    whose = path.with_suffix("")
    return path.suffix == ".yaml" and whose.suffix.lower() in _WITH_FACTS and whose.is_file()


def _reader_of(path: Path, file: str) -> Callable[[Path, str], Read]:
    if path.name.endswith(".qa.yaml"):
        return lambda path, file: read_qa(_text(path, file), file)
    suffix = path.suffix.lower()
    reader = _READERS.get(suffix)
    if reader is not None:
        return reader
    whose = path.with_suffix("")
    if suffix == ".yaml" and whose.suffix.lower() in _WITH_FACTS:
        mend = f"把 {whose.name} 放回来，或删掉这个文件"
        raise refused(file, f"旁边没有「{whose.name}」", mend)
    mend = WRONG_KINDS.get(suffix, "问答写成 .qa.yaml、.xlsx 或 .csv，资料写成 .md、.docx 或 .pdf")
    raise refused(file, "不认识这种知识文件", mend)


def _text(path: Path, file: str) -> str:
    read_bytes(path, file)  # for its limits
    return read_text(path, file)


def _read_csv(path: Path, file: str) -> Read:
    return read_table(csv_grids(read_bytes(path, file), file), path, file)


def _read_xlsx(path: Path, file: str) -> Read:
    return read_table(xlsx_grids(read_bytes(path, file), file), path, file)


_READERS: dict[str, Callable[[Path, str], Read]] = {
    ".md": lambda path, file: read_markdown(_text(path, file), file),
    ".csv": _read_csv,
    ".xlsx": _read_xlsx,
    ".docx": read_docx,
    ".pdf": read_pdf,
}
_WITH_FACTS = frozenset({".csv", ".xlsx", ".docx", ".pdf"})
