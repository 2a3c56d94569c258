"""What a customer said on the phone is written down from the terminal; settings that do nothing."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.clock import SystemClock
from bot.domain.assigning_rules import AssigningRules
from bot.domain.lead import Need
from bot.domain.lead_score import LeadRules
from bot.domain.people import Customer
from bot.storage.db import Database
from bot.workers.content import Content, read_snapshot, tables_for
from bot.workers.lead_desk import desk_beside
from bot.workspace import Workspace
from tests.domain.builders import starter_bank
from tests.make import CUSTOMER, OWNER, signal


@pytest.fixture
def folder(bank_folder: Path) -> Path:
    return bank_folder


@pytest.fixture
async def asked(folder: Path) -> Path:
    """Have one lead whose customer was asked first."""
    url = f"sqlite:///{folder / 'data' / 'zhilin.db'}"
    bank, now = starter_bank(), SystemClock().now()
    database = await Database.open(url, durable=False)
    desk = desk_beside(lambda: bank, lambda: tables_for(now.date()), AssigningRules())
    async with database.begin() as tx:
        await tx.people.put_customer(Customer(id=CUSTOMER, managers=(OWNER,)), now)
        said = signal(Need.MATURITY, at=now, ask_first=True, explicit=False)
        lead = await desk.open(tx, said, owner=OWNER, group="", now=now)
    await database.close()
    assert (lead.id, lead.stage) == (1, "asking")
    return folder


def ran(where: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "-C", str(where)])


def shown(where: Path) -> dict:  # type: ignore[type-arg]
    told: dict = json.loads(ran(where, "leads", "show", "1", "--json").output)  # type: ignore[type-arg]
    return told


async def test_a_yes_gives_the_lead_to_somebody(asked: Path) -> None:
    told = await asyncio.to_thread(ran, asked, "leads", "agreed", "1", "--by", OWNER)
    assert (told.exit_code, told.output) == (0, "1 号：已记下：客户答应了\n")
    lead = await asyncio.to_thread(shown, asked)
    assert [one["what"] for one in lead["log"]][-2:] == ["lead_consented", "lead_moved_by_ops"]
    again = await asyncio.to_thread(ran, asked, "leads", "agreed", "1", "--json")
    assert json.loads(again.output)["words"] == "客户早就答应了"


async def test_a_no_closes_it(asked: Path) -> None:
    told = await asyncio.to_thread(ran, asked, "leads", "agreed", "1", "--no", "--by", OWNER)
    assert "客户说不用，一个月内不再问" in told.output
    listed = await asyncio.to_thread(ran, asked, "leads", "list", "--stage", "客户没同意", "--json")
    assert json.loads(listed.output)["total"] == 1, listed.output


def with_settings(folder: Path, old: str, new: str) -> None:
    path = folder / "config.toml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_the_check_tells_a_date_that_is_not_registered(folder: Path) -> None:
    assert ran(folder, "check").exit_code == 0
    with (folder / "config.toml").open("a", encoding="utf-8") as file:
        file.write('\n[leads.dates]\n"还款日" = "贷款咨询"\n')
    told = ran(folder, "check")
    assert told.exit_code == 1
    assert "config.toml" in told.output
    assert "「还款日」没有登记" in told.output
    assert "「客户资料」里登记" in told.output


def test_the_check_tells_a_value_that_is_not_registered(folder: Path) -> None:
    with_settings(folder, "[leads]\n", '[leads]\nvalue_field = "身家"\nvalue_bands = [50000]\n')
    told = json.loads(ran(folder, "check", "--json").output)
    (problem,) = told["problems"]
    assert (problem["file"], problem["key"]) == ("config.toml", "[leads] value_field")


def test_a_start_says_in_the_log_what_does_nothing(folder: Path) -> None:
    workspace = Workspace(folder)
    today = SystemClock().now().date()
    snapshot = read_snapshot(workspace, today)
    with capture_logs() as logs:
        content = Content(
            workspace=workspace,
            snapshot=snapshot,
            answerer=None,  # type: ignore[arg-type]  # nothing is answered here
            tables=tables_for(today),
            make_answerer=lambda _: None,  # type: ignore[arg-type,return-value]
            scoring=LeadRules(dates={"还款日": Need.LOAN}),
        )
        content.adopt(snapshot)
    told = [one["key"] for one in logs if one["event"] == "lead_setting_does_nothing"]
    assert told == ["[leads.dates] 还款日"] * 2, "at the start, and with each new file"
