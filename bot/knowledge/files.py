"""The knowledge files as people write them: Q&A YAML, and the YAML head of a Markdown sheet."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from bot.domain.actions import Action
from bot.domain.fields import Day, Slug, WordList, Words, refuse
from bot.domain.knowledge import Approval, Audience, RiskRating
from bot.domain.value import Value

MustWarn = Literal["须带风险提示"]
Tone = Literal["平常", "关怀"]
Category = Literal["产品", "服务", "通知"]
Status = Literal["在售", "停售", "有效", "停用", "草稿"]
EntryStatus = Literal["有效", "停用", "草稿"]
ASLEEP = frozenset({"停用", "草稿"})

_BETWEEN = re.compile(r"[、，,;；/\n]")


def _one_or_many(value: object) -> object:
    """Take 城东区、城西区 for a list of two."""
    if isinstance(value, str):
        return [part.strip() for part in _BETWEEN.split(value) if part.strip()]
    return value


Regions = Annotated[
    WordList,
    BeforeValidator(_one_or_many),
    WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}}),
]


class ApprovalMark(Value):
    """审批: who allowed the wording; 有效期至 may be left out."""

    content_id: Words = Field(alias="内容编号")
    approver: Words = Field(alias="审批人")
    approved_on: Day = Field(alias="审批日")
    expires_on: Day | None = Field(None, alias="有效期至")

    @property
    def approval(self) -> Approval:
        """Return the same as the domain has it."""
        return Approval.model_validate(self.model_dump())


class _Terms(Value):
    """What an entry may say for itself, or leave to 缺省."""

    audience: Audience | None = Field(None, alias="受众")
    valid_from: Day | None = Field(None, alias="生效")
    valid_to: Day | None = Field(None, alias="失效")
    owner: Words | None = Field(None, alias="负责人")
    approval: ApprovalMark | None = Field(None, alias="审批")
    must_warn: MustWarn | None = Field(None, alias="合规")
    tone: Tone | None = Field(None, alias="语气")
    basis: Words | None = Field(None, alias="依据")
    regions: Regions | None = Field(None, alias="地区")
    product: Slug | None = Field(None, alias="产品")
    risk_rating: RiskRating | None = Field(None, alias="风险等级")


class Defaults(_Terms):
    """缺省: what holds for every entry that does not say otherwise."""

    topic: Words | None = Field(None, alias="类")


class QaEntry(_Terms):
    """One question in several wordings, with its answer and what is done besides."""

    id: Slug = Field(alias="编号")
    topic: Words = Field(alias="类")
    questions: WordList = Field(alias="问")
    answer: Words = Field(alias="答")
    actions: tuple[Action, ...] = Field((), alias="动作", min_length=1)
    status: EntryStatus = Field("有效", alias="状态")


class BookHead(Value):
    """What holds for all entries of one file; beside a table it stands in a file of its own."""

    library: Words | None = Field(None, alias="库")
    updated_on: Day | None = Field(None, alias="更新")
    defaults: Defaults = Field(Defaults(), alias="缺省")
    note: Words | None = Field(None, alias="说明")


class QaHead(BookHead):
    """A NAME.qa.yaml file without its entries."""

    format: Literal["qa/1"] = Field(alias="格式")
    library: Words = Field(alias="库")


class SheetHead(Value):
    """The head of a sheet or notice; a product's head is its catalogue entry."""

    id: Slug = Field(alias="编号")
    title: Words = Field(alias="名称")
    category: Category = Field(alias="类别")
    status: Status = Field(alias="状态")
    topic: Words | None = Field(None, alias="主题")
    product: Slug | None = Field(None, alias="产品")
    risk_rating: RiskRating | None = Field(None, alias="风险等级")
    term: Words | None = Field(None, alias="期限")
    minimum: Words | None = Field(None, alias="起点")
    audience: Audience = Field(alias="受众")
    regions: Regions | None = Field(None, alias="地区")
    valid_from: Day = Field(alias="生效")
    valid_to: Day = Field(alias="失效")
    owner: Words = Field(alias="负责人")
    approval: ApprovalMark = Field(alias="审批")
    basis: Words | None = Field(None, alias="依据")
    must_warn: MustWarn | None = Field(None, alias="合规")

    @model_validator(mode="after")
    def _agrees(self) -> SheetHead:
        sold = self.status in ("在售", "停售")
        if self.valid_to < self.valid_from:
            raise refuse("「失效」早于「生效」", "把失效日改到生效日之后")
        if self.category != "产品" and (sold or self.term or self.minimum or self.risk_rating):
            raise refuse(
                f"{self.category}不能写 在售、停售、风险等级、期限或起点",
                "是产品就把类别改成 产品；讲的是某个产品，就写 产品: 那个产品的编号",
            )
        if self.category == "产品" and self.risk_rating is None:
            raise refuse("产品没有写「风险等级」", "补上 风险等级: R1 到 R5")
        if self.category == "产品" and self.product is not None:
            raise refuse("产品自己不用写「产品」", "删掉「产品」这一行，编号就是它的产品编号")
        if self.category == "产品" and self.status == "有效":
            raise refuse("产品的状态不能写「有效」", "写 在售、停售、停用 或 草稿")
        return self
