"""The moment API (§5.8): a call makes a job, a job a moment, and members publish it by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from bot.emulator.attachments import ALL_EMPTY, BAD_ATTACHMENT_TYPE, WRONG_SCENE, Body
from bot.emulator.limits import MINUTE
from bot.emulator.moment_book import MOMENT_MISSING, Moment, MomentJob
from bot.emulator.paging import page
from bot.emulator.scope import check_range, visible_members
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_TEXT, MAX_PICTURES, MAX_OTHERS = 2000, 9, 1
JOB_LIFE = timedelta(hours=24)
LONGEST_QUERY_S = 30 * 24 * 3600
MOMENT_SCENE = 1
STARTED, RUNNING, FINISHED = 1, 2, 3
PERSONAL, ALL = 1, 2


async def _add(world: World, call: Call) -> Answer:
    world.limits.spend("moments", world.now(), (MINUTE, world.limits.moment_tasks_per_minute))
    body = read_moment(world, call)
    visible = call.inside("visible_range", required=False)
    senders = visible.inside("sender_list", required=False)
    members = senders.strings("user_list", 100_000)
    departments = senders.numbers("department_list")
    tags = visible.inside("external_contact_list", required=False).strings("tag_list")
    able, parties = set(visible_members(world, call)), world.app_messages.parties
    wanted = [*members, *(uid for one in departments for uid in sorted(parties.get(str(one), ())))]
    good = [userid for userid in dict.fromkeys(wanted) if userid in able]
    if not members and not departments:
        good = sorted(able)
    known = world.contacts.tags.tags
    job = MomentJob(
        world.new_id("job"),
        world.new_id("mom"),
        world.now(),
        [userid for userid in members if userid not in able],
        [number for number in departments if str(number) not in parties],
        [tag for tag in tags if tag not in known],
    )
    world.moments.jobs[job.jobid] = job
    moment = Moment(job.moment_id, body, world.now(), good, [tag for tag in tags if tag in known])
    world.later.after(
        timedelta(seconds=world.assumed.moment_job_s), lambda: _done(world, job, moment)
    )
    world.later.run_due()
    return {"jobid": job.jobid}


def _done(world: World, job: MomentJob, moment: Moment) -> None:
    job.status = FINISHED
    world.moments.moments[moment.moment_id] = moment


def read_moment(world: World, call: Call) -> Body:
    """Read what a moment says: a text, and up to nine pictures, or one video, or one link."""
    text = call.inside("text", required=False).short("content", MAX_TEXT)
    attachments = call.objects("attachments", MAX_PICTURES, code=41064)
    if not text and not attachments:
        raise ApiError(ALL_EMPTY)
    kinds = {str(item.get("msgtype", "")) for item in attachments}
    if len(kinds) > 1 or not kinds <= {"image", "video", "link"}:
        raise ApiError(BAD_ATTACHMENT_TYPE)
    if kinds != {"image"} and len(attachments) > MAX_OTHERS:
        raise ApiError(41064)
    for item in map(call.of, attachments):
        kind = item.text("msgtype")
        inner = item.inside(kind, code=BAD_ATTACHMENT_TYPE)
        if kind == "link":
            inner.short("title", 64)
            inner.text("url", code=41010)
        if kind != "link" or "media_id" in inner.body:
            _check_media(
                world, inner.text("media_id", code=41006), "image" if kind == "link" else kind
            )
    return Body(text, tuple(attachments))


def _check_media(world: World, media_id: str, kind: str) -> None:
    media = world.media.get(media_id)
    if media.kind != kind:
        raise ApiError(40007, f"{media_id} is no {kind}")
    if media.scene != MOMENT_SCENE:
        raise ApiError(WRONG_SCENE)


async def _result(world: World, call: Call) -> Answer:
    job = world.moments.jobs.get(call.param("jobid"))
    if job is None or job.created_at + JOB_LIFE < world.now():
        raise ApiError(40058, "no such jobid, or older than 24 hours")
    answer: dict[str, object] = {"status": job.status, "type": "add_moment_task"}
    if job.status == FINISHED:
        answer["result"] = {
            "errcode": 0,
            "errmsg": "ok",
            "moment_id": job.moment_id,
            "invalid_sender_list": {
                "user_list": job.bad_members,
                "department_list": job.bad_departments,
            },
            "invalid_external_contact_list": {"tag_list": job.bad_tags},
        }
    return answer


async def _cancel(world: World, call: Call) -> Answer:
    moment = _moment(world, call)
    if moment.cancelled:
        raise ApiError(40058, "the moment is cancelled already")
    moment.cancelled = True
    return {}


async def _list(world: World, call: Call) -> Answer:
    since, until = call.integer("start_time"), call.integer("end_time")
    if not 0 <= until - since <= LONGEST_QUERY_S:
        raise ApiError(40058, "the time span is at most 30 days")
    creator, kind = (
        call.text("creator", required=False),
        call.integer("filter_type", 2, low=0, high=2),
    )
    limit = call.integer("limit", 20, low=1, high=20)
    found = [
        moment.as_json()
        for moment in world.moments.moments.values()
        if since <= moment.created_at.timestamp() <= until
        and (not creator or moment.creator == creator)
        and kind in (ALL, int(moment.personal))
    ]
    return _paged(call, found, "moment_list", limit)


async def _tasks(world: World, call: Call) -> Answer:
    moment = _moment(world, call)
    found: list[dict[str, object]] = [
        {"userid": userid, "publish_status": int(userid in moment.published)}
        for userid in moment.members
    ]
    return _paged(call, found, "task_list", call.integer("limit", 500, low=1, high=1000))


async def _customers(world: World, call: Call) -> Answer:
    moment, userid = _moment(world, call), call.text("userid", code=41009)
    found: list[dict[str, object]] = [
        {"userid": userid, "external_userid": customer}
        for customer in audience(world, moment, userid)
    ]
    return _paged(call, found, "customer_list", call.integer("limit", 500, low=1, high=1000))


async def _sent(world: World, call: Call) -> Answer:
    moment, userid = _moment(world, call), call.text("userid", code=41009)
    found: list[dict[str, object]] = [
        {"external_userid": customer} for customer in moment.published.get(userid, ())
    ]
    return _paged(call, found, "customer_list", call.integer("limit", 3000, low=1, high=5000))


async def _comments(world: World, call: Call) -> Answer:
    moment, userid = _moment(world, call), call.text("userid", code=41009)
    check_range(world, call, userid)
    lists: dict[str, list[dict[str, object]]] = {"comment": [], "like": []}
    for item in moment.reactions.get(userid, ()):
        key = "userid" if item.who in world.members else "external_userid"
        lists[item.kind].append({key: item.who, "create_time": int(item.at.timestamp())})
    return {"comment_list": lists["comment"], "like_list": lists["like"]}


def audience(world: World, moment: Moment, userid: str) -> list[str]:
    """Return the friends of a member who may see a moment: all, or those with one of its tags."""
    return [
        friend.external_userid
        for friend in world.contacts.of_member(userid)
        if not friend.deleted_by_customer
        and (not moment.tags or not set(moment.tags).isdisjoint(friend.tags))
    ]


def _moment(world: World, call: Call) -> Moment:
    return world.moments.need(call.text("moment_id", code=MOMENT_MISSING))


def _paged(call: Call, found: list[dict[str, object]], key: str, limit: int) -> Answer:
    part, following = page(found, call.text("cursor", required=False), limit)
    return {key: list(part), "next_cursor": following}


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/add_moment_task", _add),
    Api("GET", "externalcontact/get_moment_task_result", _result),
    Api("POST", "externalcontact/cancel_moment_task", _cancel),
    Api("POST", "externalcontact/get_moment_list", _list),
    Api("POST", "externalcontact/get_moment_task", _tasks),
    Api("POST", "externalcontact/get_moment_customer_list", _customers),
    Api("POST", "externalcontact/get_moment_send_result", _sent),
    Api("POST", "externalcontact/get_moment_comments", _comments),
)
