"""Talk tracks: what is wrong with them is said on its line, and what may be shown is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from bot.domain.talk_track import TalkTrack, TalkTracks, tracks_for
from bot.sop.library import load_workspace_files
from tests.domain.builders import ROOT
from tests.rooms.sop.desk import Desk, product

TALK = "talk/manager.talk.yaml"
TODAY = date(2026, 10, 12)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("编号: wealth-open", "编号: wealth-yield", "编号「wealth-yield」在 sop/talk/manager"),
        ("需求: [贷款咨询]", "需求: [借钱]", "话术"),
        ("产品: demo-r2-001", "产品: demo-r2-009", "没有产品「demo-r2-009」"),
        ("是真人。", "是真人，{经理.工号}。", "不认识变量「{经理.工号}」"),
        ("活动上不卖产品", "{产品.名称}", "没有「{产品.名称}」可填"),
        ("在群里也跟大家说一声", "{客户.称呼}", "群里没有「{客户.称呼}」"),
        ('马上停\n    正文: "好的', '马上停\n    正文: "好的{', "花括号不成变量"),
        ("您慢慢回我", "这款保本保息，您慢慢回我", "碰了词表"),
        ("急用就打", "急用就打 13812345678 或", "写了手机号"),
        (
            "等级够的，才能往下谈。您的测评要是过了一年，先重做一份，几分钟。理财非存款、",
            "",
            "却没有风险提示",
        ),
        ("有效期至: 2027-08-31", "有效期至: 2026-09-30", "审批已过期(2026-09-30)"),
        ("审批日: 2026-09-01", "审批日: 2026-12-01", "还没到"),
        ("场合: [群里]\n    需求: [理财咨询]", "场合: [朋友圈]", "场合"),
        ("格式: talk/1", "格式: talk/2", "格式"),
    ],
)
def test_a_fault_is_said_on_its_line(desk: Desk, old: str, new: str, words: str) -> None:
    line = desk.edit(TALK, old, new)
    found = desk.told()
    assert any(words in said for _, said in found), found
    if words.startswith(("没有产品", "不认识", "审批")):
        assert line in [at for at, said in found if words in said]


def test_what_is_too_risky_for_a_group_and_what_is_not_sold_are_said(desk: Desk) -> None:
    desk.edit(TALK, "    产品: demo-r2-001", "    场合: [群里]\n    产品: demo-r2-001")
    told = " ".join(said for _, said in desk.told(products=(product(risk="R3"),)))
    assert "风险等级是 R3，这里写的是 R2" in told
    assert "是 R3，群里不能讲" in told
    over = product().model_copy(update={"valid_to": date(2026, 10, 1)})
    told = " ".join(said for _, said in desk.told(products=(over,)))
    assert "现在不卖" in told


def test_tracks_that_help_come_first_and_expired_files_are_left_out(desk: Desk) -> None:
    library = load_workspace_files(desk.root)
    assert not library.problems
    files = [file.talk for file in library.talk]
    alone = tracks_for(files, "一对一", {"投诉"}, TODAY)
    assert alone[0][0].id == "complaint-first"
    fitting = [track.fits({"投诉"}) for track, _ in alone]
    assert fitting == sorted(fitting, reverse=True)
    assert {track.id for track, _ in tracks_for(files, "群里", (), TODAY)} == {
        "group-product",
        "group-complaint",
        "group-scam",
        "group-private",
        "group-quiet",
    }
    assert tracks_for(files, "一对一", (), date(2027, 9, 1)) == []
    assert tracks_for(files, "一对一", (), date(2026, 8, 31)) == []


def test_an_expired_file_is_said_and_stops_nothing_else(desk: Desk) -> None:
    desk.edit(TALK, "有效期至: 2027-08-31", "有效期至: 2026-09-30")
    checked = desk.check()
    assert len(checked.problems) == 1
    assert "senior-21d" in checked.scripts


def test_the_manuals_example_is_sound(desk: Desk) -> None:
    page = (ROOT / "docs" / "sidebar-manual.md").read_text("utf-8")
    (desk.root / "sop" / TALK).unlink()
    before, example, after = re.split("```(?:yaml\n)?", page)
    desk.write(example, "talk/mine.talk.yaml")
    assert desk.told() == []
    (file,) = load_workspace_files(desk.root).talk
    keys = {str(field.alias) for field in (*_fields(TalkTracks), *_fields(TalkTrack))}
    told = set(re.findall(r"`([^`]+)`", before + after))
    assert keys - told <= {"格式", "审批", "话术"}, "these are in the example"
    assert file.talk.tracks[0].id == "wealth-open"


def _fields(model: type[BaseModel]) -> Iterable[FieldInfo]:
    return model.model_fields.values()
