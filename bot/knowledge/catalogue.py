"""What is said of products, held against the catalogue: risk notices, sums, what is sold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import date

from bot.domain.knowledge import (
    Audience,
    Document,
    DocumentKind,
    ProductSheet,
    Section,
    risky,
    warns,
)
from bot.errors import Problem
from bot.yamlfile import nearest

# S06: a group holds people of every grade, so no sums and no yields are named in it.
_SUM = re.compile(r"\d+(?:\.\d+)?\s*(?:亿元|万元|万|元|块钱|块)(?![A-Za-z0-9%])")
_YIELD = re.compile(
    r"(?:收益率?|年化|业绩(?:比较)?基准|净值增长率?|回报率?)[^。；;!！?？\n]{0,10}?"
    r"(?:\d+(?:\.\d+)?\s*[%％‰]|百分之[一二两三四五六七八九十零点]+|\d+(?:\.\d+)?\s*个点)"
)
# The part of a name before a dot is what people call the product by.
_SHORTEST_NAME = 4
_NAME_ENDS = re.compile(r"[·•・(（]")


class Catalogue:
    """The products, found by the names that people call them by."""

    def __init__(self, products: Sequence[ProductSheet], today: date) -> None:
        self._by_id = {product.id: product for product in products}
        self._today = today
        self._names: dict[str, ProductSheet] = {}
        for product in products:
            self._names[product.name] = product
            short = _NAME_ENDS.split(product.name)[0].strip()
            if len(short) >= _SHORTEST_NAME:
                self._names.setdefault(short, product)
        words = sorted(map(re.escape, self._names), key=len, reverse=True)
        self._any = re.compile("|".join(words)) if words else None

    def check(self, document: Document) -> Iterator[Problem]:
        """Give each problem and note of a document about products."""
        yield from self._reference(document)
        customers = document.audience is not Audience.STAFF
        for section in document.sections if customers else ():
            named = [one for one in self._named(section) if risky(one.risk_rating)]
            yield from _unwarned(document, section, named)
            if document.audience is Audience.GROUP:
                yield from _told_to_all(document, section, bool(named))

    def _named(self, section: Section) -> list[ProductSheet]:
        found = self._any.findall(f"{section.title}\n{section.text}") if self._any else []
        return [self._names[name] for name in dict.fromkeys(found)]

    def _reference(self, document: Document) -> Iterator[Problem]:
        if not document.about or document.product is not None:
            return
        product = self._by_id.get(document.about)
        if product is None:
            what = f"产品目录里没有「{document.about}」"
            mend = nearest(document.about, self._by_id) if self._by_id else "先写它的产品说明"
            yield _at(document, "产品", what, mend)
        elif not product.sold_on(self._today):
            why = (
                "已经停售"
                if not product.on_sale
                else f"{product.valid_from} 到 {product.valid_to} 才卖"
            )
            what = f"「{product.name}」{why}，这一条还在答它"
            yield _at(document, "产品", what, "确认还要不要答；不要了就写 状态: 停用", note=True)


def _unwarned(
    document: Document, section: Section, named: Sequence[ProductSheet]
) -> Iterator[Problem]:
    """C08: where a product that can lose is named, the notice stands in the same message."""
    if warns(section.text):
        return
    if document.kind is not DocumentKind.QA and risky(document.risk_rating):
        mend = "节末写上「理财非存款、产品有风险、投资须谨慎。」"
        yield _in(document, section, section.title, "这一节讲理财，却没有风险提示", mend)
    elif not document.must_warn:
        for product in named[:1]:
            what = f"提到了「{product.name}」，却没有风险提示"
            mend = "写上 合规: 须带风险提示，答的时候自动带上"
            yield _in(document, section, "合规", what, mend)


def _told_to_all(document: Document, section: Section, named: bool) -> Iterator[Problem]:
    yields = _YIELD.search(section.text)
    mend = "删掉数字，写成「请客户经理一对一讲」；或者把受众改成 仅一对一"
    if yields is not None:
        what = f"群里能看到的话里写了收益「{yields[0]}」"
        yield _in(document, section, "受众", what, mend)
    about_product = named or risky(document.risk_rating)
    amount = _SUM.search(section.text) if about_product else None
    if amount is not None:
        what = f"群里能看到的产品说明里写了金额「{amount[0]}」"
        yield _in(document, section, "受众", what, mend)


def _in(document: Document, section: Section, key: str, what: str, mend: str) -> Problem:
    page = f"第 {section.page} 页" if section.page else ""
    place = " ".join(filter(None, (f"{document.place}{page}", key)))
    return Problem(document.file, section.line or document.line, place, what, mend)


def _at(document: Document, key: str, what: str, mend: str, *, note: bool = False) -> Problem:
    place = " ".join(filter(None, (document.place, key)))
    return Problem(document.file, document.line, place, what, mend, note)
