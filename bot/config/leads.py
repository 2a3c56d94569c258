"""What is set of leads: ``[leads]`` of ``config.toml``."""

from __future__ import annotations

from pydantic import Field, field_validator

from bot.config.parts import Part
from bot.domain.assigning_rules import AssigningRules
from bot.domain.lead import Need
from bot.domain.lead_score import DEFAULT_THRESHOLD, LeadRules, forbidden
from bot.domain.registry import MATURITY


class LeadSettings(Part):
    """Which leads are opened, and how they are spread over people.

    What was noticed opens a lead from ``threshold`` points on (0 to 100); what a customer asks for
    outright needs none. ``value_field`` names the 客户资料 by which a customer's value is told,
    ``value_bands`` the lower ends of its bands. ``dates`` are the customers' dates that make a
    lead of a need, from ``date_days`` before them on.

    ``capacity`` counts weighted open leads, for who has no 接待上限 in the bank's file. Who does
    not take a lead within ``accept_minutes`` of opening hours is passed over; after ``offers``
    people it is left to the head of the branch.
    """

    threshold: float = Field(default=DEFAULT_THRESHOLD, ge=0, le=100)
    value_field: str = ""
    value_bands: tuple[float, ...] = ()
    dates: dict[str, Need] = Field(default_factory=lambda: {MATURITY: Need.MATURITY})
    date_days: int = Field(default=14, ge=1, le=90)
    capacity: int = Field(default=40, ge=1, le=10_000)
    per_hour: int = Field(default=20, ge=1, le=1_000)
    accept_minutes: int = Field(default=15, ge=1, le=480)
    offers: int = Field(default=3, ge=1, le=20)

    @field_validator("value_field")
    @classmethod
    def _is_fair(cls, name: str) -> str:
        if forbidden(name):
            raise ValueError(f"「{name}」不能拿来给线索打分，请换成资产、等级一类的资料，或留空")
        return name

    @field_validator("value_bands")
    @classmethod
    def _grow(cls, bands: tuple[float, ...]) -> tuple[float, ...]:
        if list(bands) != sorted(set(bands)):
            raise ValueError("各档要从小到大写，例如 [50000, 200000, 1000000]")
        return bands

    @property
    def scoring(self) -> LeadRules:
        """Return what is set of scores, as those who weigh leads take it."""
        return LeadRules(
            threshold=self.threshold,
            value_field=self.value_field,
            value_bands=self.value_bands,
            dates=self.dates,
            date_days=self.date_days,
        )

    @property
    def assigning(self) -> AssigningRules:
        """Return them as those who assign take them."""
        return AssigningRules(
            capacity=self.capacity,
            per_hour=self.per_hour,
            accept_minutes=self.accept_minutes,
            offers=self.offers,
        )
