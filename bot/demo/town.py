"""An invented town for the local WeCom: the bank's staff, their customers and groups."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from bot.clock import FakeClock
from bot.domain.bank import Bank
from bot.emulator.contact import befriend
from bot.emulator.groups import create
from bot.emulator.world import App, Customer, Member, World

AGENT_ID = 1000002
CORP_SECRET = "demo-corp-secret"  # noqa: S105 - of the local WeCom only
ARCHIVE_SECRET = "demo-archive-secret"  # noqa: S105 - of the local WeCom only
CALLBACK_TOKEN = "DemoCallbackToken"  # noqa: S105 - of the local WeCom only
CALLBACK_AES_KEY = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"
_OWNER_ROLES = ("客户经理", "大堂经理")
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_CALLED = ("阿姨", "叔叔", "大姐", "大哥", "老师", "奶奶", "爷爷")
_NICKNAMES = (
    "花开富贵",
    "平安是福",
    "夕阳红",
    "静待花开",
    "老有所乐",
    "春暖花开",
    "知足常乐",
    "晚霞满天",
    "桂花香",
    "清风徐来",
)


@dataclass
class Town:
    """The world with the handles that players need."""

    world: World
    kf_account: str
    kf_link: str
    groups: list[str] = field(default_factory=list)
    visitors: list[str] = field(default_factory=list)
    """Customers who write to 小安 one to one."""


def build_town(bank: Bank, clock: FakeClock, *, seed: int, groups: int, members: int) -> Town:
    """Build a town with so many groups and customers in them; same seed, same town."""
    world = World(clock, seed=seed)
    world.archive.secret = ARCHIVE_SECRET
    world.add_app(App(AGENT_ID, CORP_SECRET))
    for person in bank.staff:
        branch = bank.branch(person.branch or "")
        place = branch.name if branch else bank.institution.name
        world.add_member(Member(person.userid, person.name, person.role, place, person.address_as))
    account = world.kf.add_account("小安")
    for person in bank.staff:
        if person.role in _OWNER_ROLES:
            world.kf.add_servicer(account.open_kfid, person.userid)
    town = Town(world, account.open_kfid, _kf_link(account.open_kfid))
    chance = random.Random(seed)  # noqa: S311 - names of an invented town
    _settle_groups(town, bank, chance, groups, members)
    _settle_visitors(town, bank, chance)
    return town


def _kf_link(account: str) -> str:
    return f"https://work.weixin.qq.com/kfid/{account[:12]}"


def _settle_groups(
    town: Town, bank: Bank, chance: random.Random, groups: int, members: int
) -> None:
    owners = [person for person in bank.staff if person.role in _OWNER_ROLES]
    sizes = [members // groups + (number < members % groups) for number in range(groups)]
    for number, size in enumerate(sizes):
        owner = owners[number % len(owners)]
        branch = bank.branch(owner.branch or "")
        place = branch.name.removesuffix("支行") if branch else "总行"
        people = [_customer(town.world, chance) for _ in range(size)]
        for customer in people:
            befriend(town.world, owner.userid, customer, quiet=True)
        name = f"{place}银龄安心群{number // len(owners) * 4 + number % 4 + 1}"
        group = create(town.world, owner.userid, name, people, quiet=True)
        town.groups.append(group.chat_id)


def _settle_visitors(town: Town, bank: Bank, chance: random.Random) -> None:
    managers = [person for person in bank.staff if person.role == "客户经理"]
    for number in range(10):
        customer = _customer(town.world, chance)
        if number % 4 != 3:  # every fourth visitor is served by nobody yet
            befriend(town.world, managers[number % len(managers)].userid, customer, quiet=True)
        town.visitors.append(customer)


def _customer(world: World, chance: random.Random) -> str:
    surname = chance.choice(_SURNAMES)
    name = (
        f"{chance.choice(_NICKNAMES)}·{surname}"
        if chance.random() < 0.3
        else f"{surname}{chance.choice(_CALLED)}"
    )
    customer = Customer(world.new_id("wm"), name, age=chance.randint(60, 84))
    return world.add_customer(customer).external_userid
