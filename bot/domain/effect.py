"""How the effect of a script is measured: 看效果."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from bot.domain.fields import Words, refuse
from bot.domain.value import Value

_BELOW = re.compile(r"小于(0?\.\d+|\d+(?:\.\d+)?)")


class Bound(Value):
    """A guard metric's bound: below a figure, or exactly that figure."""

    value: float
    below: bool


def _bound(value: object) -> object:
    if not isinstance(value, str):
        return value
    if match := _BELOW.fullmatch(value.strip()):
        return Bound(value=float(match[1]), below=True)
    if value.strip().isdigit():
        return Bound(value=float(value), below=False)
    raise refuse(f"「{value}」不是指标的界限", "写成 小于0.05 或 0 的样子")


class Holdout(Value):
    """The share of subjects that do not run, so that the effect can be measured (对照)."""

    share: float = Field(0.0, alias="留白比例", ge=0, le=0.5)
    group_share: float = Field(0.0, alias="留白群比例", ge=0, le=0.5)
    seed: Words = Field(alias="随机种子")


class Measures(Value):
    """How the effect is measured (看效果).

    ``value`` is what one converted subject is worth, ``cost`` what one reached subject costs,
    both in yuan: by them 本波增量上界 is compared with 成本.
    """

    main: Words = Field(alias="主指标")
    guards: dict[
        str,
        Annotated[
            Bound,
            BeforeValidator(_bound),
            PlainSerializer(
                lambda b: f"小于{b.value:g}" if b.below else f"{b.value:g}", return_type=str
            ),
            WithJsonSchema(
                {
                    "anyOf": [
                        {"type": "integer", "minimum": 0},
                        {"type": "string", "pattern": f"^(?:{_BELOW.pattern}|\\d+)$"},
                    ]
                }
            ),
        ],
    ] = Field(default_factory=dict, alias="护栏指标")
    value: float | None = Field(None, alias="价值", ge=0)
    cost: float | None = Field(None, alias="成本", ge=0)
    holdout: Holdout | None = Field(None, alias="对照")
