"""What ``zhilin sop simulate`` says first, and of whom it tells."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.sop.simulation import disagreement
from bot.sop.simulation.own_data import made_to_agree
from bot.workspace import Workspace, copy_workspace, starter_root

ON = date(2026, 10, 12)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return copy_workspace(Workspace(starter_root()), tmp_path / "bank")


def simulate(workspace: Workspace, *words: str, script: str = "new-friend-7d") -> Result:
    fixed = ["sop", "simulate", script, "-C", str(workspace.root), "--start", str(ON)]
    return CliRunner().invoke(cli, [*fixed, *words])


def edit(workspace: Workspace, old: str, new: str) -> None:
    path = workspace.sop / "new-friend-7d.sop.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize("how", [("--customers", "5"), ("--who", "1")])
def test_a_draft_with_words_that_are_not_allowed_says_so_before_anything_else(
    workspace: Workspace, how: tuple[str, str]
) -> None:
    edit(workspace, "状态: 已发布", "状态: 草稿")
    edit(workspace, "不爱用手机也没关系", "把数改小，钱就绝对安全了")
    ran = simulate(workspace, *how)
    assert ran.exit_code == 0, ran.output
    head, _, rest = ran.output.partition("谁进来" if "--customers" in how else "资料：")
    assert "版本 1，草稿)" in head.splitlines()[0]
    assert "注意：状态是「草稿」" in head
    assert "注意：有 1 处要改" in head
    assert "「绝对安全」碰了词表" in head
    assert "绝对安全" in rest
    told = json.loads(simulate(workspace, *how, "--json").output)
    assert len(told["hits"]) == 1


def test_a_published_script_has_nothing_to_be_warned_of(workspace: Workspace) -> None:
    assert "注意" not in simulate(workspace, "--who", "1").output


def test_a_reply_before_the_wait_counts_in_the_days_that_the_branch_names(
    workspace: Workspace,
) -> None:
    replied = simulate(workspace, "--who", "1", "--event", "4:客户回复").output
    assert "n8-wait 走向 n9-hand：次数(客户回复, 14) >= 1 = 是" in replied
    assert "n8-wait 走向 结束" in simulate(workspace, "--who", "1").output


def test_a_task_that_is_made_anew_after_the_noon_says_why(workspace: Workspace) -> None:
    told = simulate(workspace, "--who", "1").output  # this manager presses late on the first day
    assert "11:45  n2-who 李敏 到这时还没点，收回这次的任务" in told
    assert "14:30 再请一次" in told
    assert "14:30  n2-who 上一次没点，再请 李敏 点发送" in told
    assert told.count("n2-who 到点，请") == 1


def test_one_person_is_of_one_age(workspace: Workspace) -> None:
    both = simulate(workspace, "--who", "1", "--fact", "年龄=73", "--fact", "生日=2000-05-30")
    assert both.exit_code == 2
    assert "年龄 73 和 生日 2000-05-30 对不上" in both.output
    assert "年龄 26" in simulate(workspace, "--who", "1", "--fact", "生日=2000-05-30").output
    groups = simulate(workspace, "--who", "1", "--fact", "年龄=73", script="senior-21d")
    assert groups.exit_code == 2
    assert "没有一个人的资料" in groups.output


@pytest.mark.parametrize(
    ("made", "known", "agreed"),
    [
        ({"年龄": 73, "生日": "2000-05-30"}, {}, {"年龄": 73, "生日": "1953-05-30"}),
        ({"年龄": 73, "生日": "2000-10-13"}, {}, {"年龄": 73, "生日": "1952-10-13"}),
        ({"年龄": 70, "生日": "2000-02-29"}, {}, {"年龄": 70, "生日": "1956-02-28"}),
        ({"年龄": 40, "生日": "2000-05-30"}, {"年龄": 73}, {"年龄": 73, "生日": "1953-05-30"}),
        ({"年龄": 40}, {"生日": "2000-05-30"}, {"年龄": 26, "生日": "2000-05-30"}),
        ({"生日": "2000-05-30"}, {}, {"生日": "2000-05-30"}),
        ({"年龄": 40}, {}, {"年龄": 40}),
    ],
)
def test_what_is_made_up_gives_way_to_what_is_known(
    made: dict[str, object], known: dict[str, object], agreed: dict[str, object]
) -> None:
    found = made_to_agree(made, known, ON)  # type: ignore[arg-type]
    assert found == agreed
    assert disagreement(found, ON) is None


def test_nobody_is_born_after_the_day_it_begins() -> None:
    assert "之后" in str(disagreement({"生日": "2027-01-01"}, ON))
