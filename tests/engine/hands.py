"""What people do with what they have in hand, and what they are told."""

from __future__ import annotations

from bot.domain.events import CardPressed
from bot.domain.happening import EventKind, Happened
from bot.domain.staff_messages import StaffCard, StaffText
from bot.domain.targets import Target
from bot.workers.happenings import Happenings
from bot.workers.lead_desk import desk_of
from bot.workers.orders import Orders
from bot.workers.staff import StaffDesk
from tests.engine.world import World


def cards(world: World) -> list[StaffCard]:
    """Return the cards that staff were given, in their order."""
    return [card for _, card in world.wire.cards]


def told(world: World) -> list[str]:
    """Return the plain words that staff were told."""
    return [message.text for _, message in world.wire.sent if isinstance(message, StaffText)]


def staff_desk(world: World) -> StaffDesk:
    """Return who carries out presses of cards."""
    return StaffDesk(world.database, world.content, desk_of(world.content), world.clock)


async def press(world: World, card: StaffCard, verb: str = "sent") -> None:
    """Press a button of a card."""
    key = next(each.key for each in card.card.buttons if each.key.endswith(f":{verb}"))
    event = CardPressed(by=card.to, key=key, task=card.task, at=world.clock.now())
    async with world.database.begin() as tx:
        await staff_desk(world).carry_out(tx, event, world.clock.now())


async def tell(world: World, subject: str, kind: EventKind) -> None:
    """Let something happen to a customer that may stop runs."""
    now = world.clock.now()
    happened = Happened(key=f"{kind}:{subject}", kind=kind, subject=subject, at=now)
    async with world.database.begin() as tx:
        await Happenings(world.content.script).tell(tx, [happened], now)


async def stop_selling(world: World, subject: str) -> None:
    """Let a customer refuse what sells, one to one."""
    now = world.clock.now()
    happened = Happened(key=f"refused:{subject}", kind="客户拒收", subject=subject, at=now)
    async with world.database.begin() as tx:
        await Happenings(world.content.script).narrow_person(tx, happened, now)


async def meant(world: World, words: str) -> tuple[Orders, Target]:
    """Return who carries out an order, and what the words mean."""
    orders = Orders(world.database, world.content.bank, world.clock, "王芳", "演练")
    (target,) = await orders.meant([words])
    return orders, target


async def terminate(world: World, words: str) -> int:
    """Terminate what the words mean."""
    orders, target = await meant(world, words)
    return await orders.terminate(target, lambda ended: None)


async def used(world: World) -> list[tuple[str, str]]:
    """Return the subjects and classes of all places that are taken."""
    rows = await world.rows("SELECT subject, class FROM quota WHERE state = 'used' ORDER BY 1, 2")
    return [(row[0], row[1]) for row in rows]
