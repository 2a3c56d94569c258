"""What members and customers do with moments: publish, post their own, comment, like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from bot.emulator.moment_book import Moment, Reaction
from bot.emulator.moments import audience, read_moment
from bot.emulator.scope import need_customer, need_member
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World


def publish(world: World, moment_id: str, userid: str) -> list[str]:
    """Let a member publish; return the customers who see it. A cancelled one is not published."""
    moment = world.moments.need(moment_id)
    if userid not in moment.members:
        raise ApiError(40003, "not this member's moment")
    if moment.cancelled or userid in moment.published:
        return []
    seen = moment.published[userid] = audience(world, moment, userid)
    for customer in seen:
        world.deliveries.add(
            "moment",
            to=customer,
            sender=userid,
            text="\n".join(part.shown() for part in moment.body.parts()),
            at=world.now(),
            source=f"moment:{moment.moment_id}",
        )
    return seen


def react(
    world: World,
    moment_id: str,
    userid: str,
    who: str,
    kind: Literal["comment", "like"],
    text: str = "",
) -> None:
    """Let somebody who sees a member's moment like it or write under it."""
    moment = world.moments.need(moment_id)
    if who not in world.members:
        need_customer(world, who)
    if who not in world.members and who not in moment.published.get(userid, ()):
        raise ApiError(40058, "this customer does not see the moment")
    moment.reactions.setdefault(userid, []).append(Reaction(who, kind, text, world.now()))


async def _publish(world: World, call: Call) -> Answer:
    return {"customers": publish(world, call.text("moment_id"), call.text("userid"))}


async def _personal(world: World, call: Call) -> Answer:
    userid = call.text("userid")
    need_member(world, userid)
    body = read_moment(world, call)
    moment_id, now = world.new_id("mom"), world.now()
    world.moments.moments[moment_id] = Moment(
        moment_id, body, now, [userid], [], personal=True, creator=userid
    )
    publish(world, moment_id, userid)
    return {"moment_id": moment_id}


async def _react(world: World, call: Call) -> Answer:
    text = call.text("text", required=False)
    kind: Literal["comment", "like"] = "comment" if text else "like"
    react(world, call.text("moment_id"), call.text("userid"), call.text("who"), kind, text)
    return {}


CONTROLS: tuple[Api, ...] = (
    Api("POST", "moments/publish", _publish, token=False),
    Api("POST", "moments/personal", _personal, token=False),
    Api("POST", "moments/react", _react, token=False),
)
