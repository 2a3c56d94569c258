"""What else members, customers and the console do: half friends, notes, tags, consent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.emulator import archive, tags
from bot.emulator.friends import Friendship, befriend
from bot.emulator.scope import need_customer, need_member
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World


def adds_half(world: World, userid: str, external_userid: str, state: str = "") -> str:
    """Let a customer add a member who needs no verification and has not confirmed yet.

    Returns the welcome code of the event (add_half_external_contact).
    """
    need_customer(world, external_userid)
    need_member(world, userid)
    now, book = world.now(), world.contacts
    if book.find(userid, external_userid) is not None:
        raise ApiError(40058, "these two are friends already")
    half = Friendship(userid, external_userid, now, now, add_way=1, state=state)
    book.half[userid, external_userid] = half
    code = book.welcomes.issue(world, userid, external_userid)
    extra = {"State": state, "WelcomeCode": code}
    book.tell(world, "add_half_external_contact", half, {k: v for k, v in extra.items() if v})
    return code


def confirms(world: World, userid: str, external_userid: str) -> None:
    """Let the member confirm a half friend: from now on they are friends."""
    half = world.contacts.half.pop((userid, external_userid), None)
    if half is None:
        raise ApiError(60136, "nobody waits for this member")
    befriend(world, userid, external_userid, add_way=half.add_way, state=half.state)


def agrees(world: World, userid: str, external_userid: str, *, agree: bool = True) -> None:
    """Let a customer agree to the archive, or not; his agreement is told (msg_audit_approved)."""
    need_customer(world, external_userid)
    world.archive.consent.answer(userid, external_userid, world.now(), agree=agree)
    archive.answered(world, external_userid, [userid] if userid else [], agree=agree)
    if not agree:
        return
    friendship = world.contacts.find(userid, external_userid)
    code = ""
    if friendship is not None and not friendship.chat_started:
        code = world.contacts.welcomes.issue(world, userid, external_userid)
    told = friendship or Friendship(userid, external_userid, world.now(), world.now())
    world.contacts.tell(world, "msg_audit_approved", told, {"WelcomeCode": code} if code else {})


async def _half(world: World, call: Call) -> Answer:
    state = call.text("state", required=False)
    return {"welcome_code": adds_half(world, *_pair(call), state)}


async def _confirm(world: World, call: Call) -> Answer:
    confirms(world, *_pair(call))
    return {}


async def _apply(world: World, call: Call) -> Answer:
    """Let a member apply to become a customer's friend."""
    userid, external_userid = _pair(call)
    need_member(world, userid)
    need_customer(world, external_userid)
    world.contacts.applications.append((userid, external_userid, world.now()))
    return {}


async def _agree(world: World, call: Call) -> Answer:
    agrees(world, *_pair(call), agree=call.flag("agree", True))
    return {}


async def _note(world: World, call: Call) -> Answer:
    """Let a member change in his client what he notes about a customer: remark, tags …."""
    changes: dict[str, object] = {}
    for key in ("remark", "description", "remark_company"):
        if key in call.body:
            changes[key] = call.text(key, required=False)
    if "tags" in call.body:
        known = world.contacts.tags.tags
        changes["tags"] = [tag for tag in call.strings("tags") if tag in known]
    world.contacts.note(world, *_pair(call), changes)
    return {}


async def _add_tags(world: World, call: Call) -> Answer:
    """Add tags in the console."""
    names = call.strings("names", required=True)
    return {"tag_ids": tags.add_tags(world, call.text("group_name"), names)}


async def _shuffle_tags(world: World, call: Call) -> Answer:
    """Put the tags of a group into another order in the console."""
    book, group_id = world.contacts.tags, call.text("group_id")
    if group_id not in book.groups:
        raise ApiError(40068, group_id)
    wanted = call.strings("tag_ids", required=True)
    if {tag.id for tag in book.in_group(group_id)} != set(wanted):
        raise ApiError(40068, "tag_ids are not those of the group")
    for number, tag_id in enumerate(reversed(wanted)):
        book.tags[tag_id].order = number
    tags.tell(world, "shuffle", group_id, "tag_group")
    return {}


async def _console_welcome(world: World, call: Call) -> Answer:
    """Let the console welcome for some members: their events have no WelcomeCode then."""
    world.contacts.welcomes.by_console = set(call.strings("userids"))
    return {}


def _pair(call: Call) -> tuple[str, str]:
    return call.text("userid"), call.text("external_userid")


CONTROLS: tuple[Api, ...] = (
    Api("POST", "contacts/half", _half, token=False),
    Api("POST", "contacts/confirm", _confirm, token=False),
    Api("POST", "contacts/apply", _apply, token=False),
    Api("POST", "contacts/agree", _agree, token=False),
    Api("POST", "contacts/note", _note, token=False),
    Api("POST", "contacts/console_welcome", _console_welcome, token=False),
    Api("POST", "tags/add", _add_tags, token=False),
    Api("POST", "tags/shuffle", _shuffle_tags, token=False),
)
