"""What a Directory keeps to, over the local WeCom."""

from __future__ import annotations

import pytest

from bot.domain.ids import CustomerId, GroupChatId, RmId
from bot.emulator import groups, tags
from bot.emulator.contact import befriend
from bot.emulator.world import Customer as WorldCustomer
from bot.emulator.world import Member
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
        assert group.version == bank.world.groups.need(bank.chat).member_version
        assert {member.id for member in group.customers} == {CUSTOMER, "wmZhao"}
        assert {member.name for member in group.customers} == {"李女士", "赵先生"}

    async def test_a_group_that_is_gone_is_nothing(self, directory: Directory, bank: Bank) -> None:
        groups.dismiss(bank.world, bank.chat)
        assert await directory.group(GroupChatId(bank.chat)) is None
        assert await directory.groups() == []

    async def test_only_the_banks_own_tags_count(self, directory: Directory, bank: Bank) -> None:
        (tag,) = tags.add_tags(bank.world, "兴趣", ["国债"])
        bank.world.contacts.need(OWNER, CUSTOMER).tags.append(tag)
        customer = await directory.customer(CUSTOMER)
        (newest, other) = customer.follows or ()
        assert (newest.manager, newest.tags) == (OWNER, {"国债"})
        assert (other.manager, other.tags) == (OTHER, frozenset())
        assert customer.tags == {"国债"}

    async def test_a_managers_customers_come_page_by_page(
        self, directory: Directory, bank: Bank
    ) -> None:
        (tag,) = tags.add_tags(bank.world, "兴趣", ["国债"])
        for number in range(130):
            bank.world.add_customer(WorldCustomer(f"wm{number:03d}", f"客户{number}"))
            befriend(bank.world, OTHER, f"wm{number:03d}", state="hall", quiet=True)
        bank.world.contacts.need(OTHER, "wm000").tags.append(tag)
        first, cursor = await directory.customers_of(RmId(OTHER), "")
        rest, end = await directory.customers_of(RmId(OTHER), cursor)
        assert (len(first), bool(cursor), len(rest), end) == (100, True, 31, "")
        found = {one.id: one for one in (*first, *rest)}
        assert found[CUSTOMER].name == "李女士"
        assert found[CUSTOMER].managers == (OTHER,)  # as this manager knows her
        (follow,) = found[CustomerId("wm000")].follows or ()
        assert (follow.state, follow.tags) == ("hall", {"国债"})

    async def test_a_manager_without_customers_has_an_empty_list(
        self, directory: Directory, bank: Bank
    ) -> None:
        bank.world.add_member(Member("new.one", "新人"))
        assert list(await directory.managers()) == [OWNER, OTHER, "new.one"]
        assert await directory.customers_of(RmId("new.one"), "") == ([], "")

    async def test_groups_are_listed_by_their_owners(
        self, directory: Directory, bank: Bank
    ) -> None:
        mine = groups.create(bank.world, OTHER, "群", [CUSTOMER]).chat_id
        assert await directory.groups_of([RmId(OTHER)], "") == ([mine], "")

    async def test_every_group_is_listed(self, directory: Directory, bank: Bank) -> None:
        more = [groups.create(bank.world, OTHER, f"群{n}", [CUSTOMER]).chat_id for n in range(3)]
        assert set(await directory.groups()) == {bank.chat, *more}

    async def test_with_very_many_staff_groups_are_listed_by_owner(
        self, directory: Directory, bank: Bank
    ) -> None:
        for number in range(1001):
            bank.world.add_member(Member(f"u{number}", "员工"))
        assert list(await directory.groups()) == [bank.chat]

    async def test_a_busy_wecom_is_told_as_such(self, directory: Directory, bank: Bank) -> None:
        for api in (
            *("get", "groupchat/get", "groupchat/list"),
            *("get_follow_user_list", "batch/get_by_user"),
        ):
            bank.world.faults.plan(f"externalcontact/{api}", "errcode", errcode=6000)
        with pytest.raises(Retryable):
            await directory.customer(CUSTOMER)
        with pytest.raises(Retryable):
            await directory.group(GroupChatId(bank.chat))
        with pytest.raises(Retryable):
            await directory.groups()
        with pytest.raises(Retryable):
            await directory.managers()
        with pytest.raises(Retryable):
            await directory.customers_of(RmId(OWNER), "")


class TestWeComDirectory(DirectoryContract):
    @pytest.fixture
    def directory(self, bank: Bank) -> Directory:
        return bank.directory
