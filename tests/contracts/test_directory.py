"""What a Directory keeps to, over the local WeCom."""

from __future__ import annotations

import pytest

from bot.domain.ids import CustomerId, GroupChatId
from bot.emulator import groups
from bot.errors import Retryable
from bot.ports import Directory
from tests.channels.bank import OTHER, Bank
from tests.make import CUSTOMER, OWNER


class DirectoryContract:
    """Subclass with a ``directory`` of the bank of ``tests/channels/conftest.py``."""

    async def test_a_customers_newest_manager_comes_first(self, directory: Directory) -> None:
        customer = await directory.customer(CUSTOMER)
        assert (customer.name, customer.managers) == ("李女士", (OWNER, OTHER))

    async def test_somebody_nobody_serves_has_no_manager(self, directory: Directory) -> None:
        assert (await directory.customer(CustomerId("wmZhao"))).managers == ()

    async def test_a_group_has_its_owner_and_its_members(
        self, directory: Directory, bank: Bank
    ) -> None:
        group = await directory.group(GroupChatId(bank.chat))
        assert group is not None
        assert (group.name, group.owner) == ("梧桐街银龄安心群1", OWNER)
        assert {member.id for member in group.customers} == {CUSTOMER, "wmZhao"}
        assert {member.name for member in group.customers} == {"李女士", "赵先生"}

    async def test_a_group_that_is_gone_is_nothing(self, directory: Directory, bank: Bank) -> None:
        groups.dismiss(bank.world, bank.chat)
        assert await directory.group(GroupChatId(bank.chat)) is None
        assert await directory.groups() == []

    async def test_every_group_is_listed(self, directory: Directory, bank: Bank) -> None:
        more = [groups.create(bank.world, OTHER, f"群{n}", [CUSTOMER]).chat_id for n in range(3)]
        assert set(await directory.groups()) == {bank.chat, *more}

    async def test_a_busy_wecom_is_told_as_such(self, directory: Directory, bank: Bank) -> None:
        for api in ("get", "groupchat/get", "groupchat/list"):
            bank.world.faults.plan(f"externalcontact/{api}", "errcode", errcode=-1)
        with pytest.raises(Retryable):
            await directory.customer(CUSTOMER)
        with pytest.raises(Retryable):
            await directory.group(GroupChatId(bank.chat))
        with pytest.raises(Retryable):
            await directory.groups()


class TestWeComDirectory(DirectoryContract):
    @pytest.fixture
    def directory(self, bank: Bank) -> Directory:
        return bank.directory
