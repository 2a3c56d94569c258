"""Who may be shown a document: by place, by region, and by the branch that serves them."""

from __future__ import annotations

from datetime import date

import pytest

from bot.domain.ids import RmId
from bot.domain.knowledge import (
    Approval,
    Audience,
    Citation,
    Document,
    DocumentKind,
    Plane,
    Section,
    Viewer,
)
from bot.domain.variables import variables_for
from tests.domain.builders import starter_bank

TODAY = date(2026, 10, 12)


def document(audience: Audience, *regions: str) -> Document:
    return Document(
        id="one",
        title="须知",
        kind=DocumentKind.NOTICE,
        file="knowledge/a.md",
        line=1,
        audience=audience,
        valid_from=TODAY,
        valid_to=TODAY,
        approval=Approval(content_id="X", approver="乙", approved_on=TODAY),
        regions=regions,
        sections=(Section(title="", text="甲"),),
    )


@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("plane", ["kf", "group", "private", "staff"])
@pytest.mark.parametrize("region", ["", "城东区", "城西区"])
def test_place_and_region_must_both_allow_it(audience: Audience, plane: Plane, region: str) -> None:
    everywhere, east = document(audience), document(audience, "城东区", "老城区")
    viewer = Viewer(plane, region)
    assert everywhere.shown_to(viewer) is audience.shown_on(plane)
    here = region == "城东区" or plane == "staff"
    assert east.shown_to(viewer) is (audience.shown_on(plane) and here)


def test_the_region_is_that_of_the_branch_whose_people_serve() -> None:
    town = starter_bank()
    by_manager = variables_for(town, today=TODAY, manager=RmId("li.min"))
    assert by_manager["网点.地区"] == "城东区"
    assert variables_for(town, today=TODAY, branch="b02")["网点.地区"] == "城西区"
    assert "网点.地区" not in variables_for(town, today=TODAY, manager=RmId("he.jing"))
    assert town.regions == {"城东区", "城西区", "老城区", "新城区"}


def test_a_citation_names_the_line_the_sheet_or_the_page() -> None:
    def cited(**more: object) -> str:
        values = {"document_id": "a", "title": "须知", "section": "", "file": "k/a.x", "line": 0}
        return Citation.model_validate(values | more).where

    assert cited(line=7) == "k/a.x:7"
    assert cited(page=3) == "k/a.x 第 3 页"
    assert cited(line=2, place="表「存款」") == "k/a.x:2 表「存款」"
