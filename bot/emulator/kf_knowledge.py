"""The question book of WeCom's native kf robot (§4.11): groups of questions with answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.emulator.paging import page
from bot.emulator.wire import Answer, Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_NAME, MAX_QUESTION, MAX_ANSWER = 12, 200, 500
MAX_SIMILAR, MAX_ATTACHMENTS = 100, 4
_MEDIA = {"image": "image", "video": "video"}


@dataclass
class QuestionGroup:
    """A named group of questions."""

    group_id: str
    name: str
    is_default: bool = False

    def as_json(self) -> dict[str, object]:
        """Return the group as ``list_group`` gives it."""
        return {"group_id": self.group_id, "name": self.name, "is_default": int(self.is_default)}


@dataclass
class Intent:
    """One question with its answer, the parts as they were given."""

    intent_id: str
    group_id: str
    question: dict[str, object]
    similar: dict[str, object]
    answers: list[dict[str, object]]

    def as_json(self) -> dict[str, object]:
        """Return the question as ``list_intent`` gives it."""
        return {
            "intent_id": self.intent_id,
            "group_id": self.group_id,
            "question": self.question,
            "similar_questions": self.similar,
            "answers": self.answers,
        }


@dataclass
class KnowledgeBook:
    """All groups and questions; the group 默认分组 stands from the beginning."""

    groups: dict[str, QuestionGroup] = field(
        default_factory=lambda: {"DEFAULT": QuestionGroup("DEFAULT", "默认分组", True)}
    )
    intents: dict[str, Intent] = field(default_factory=dict)


async def _add_group(world: World, call: Call) -> Answer:
    group = QuestionGroup(world.new_id("kg"), _name(world, call))
    world.kf.knowledge.groups[group.group_id] = group
    return {"group_id": group.group_id}


async def _mod_group(world: World, call: Call) -> Answer:
    group = _group(world, call)
    if group.is_default:
        raise ApiError(40058, "the default group keeps its name")
    group.name = _name(world, call, group)
    return {}


async def _del_group(world: World, call: Call) -> Answer:
    group, book = _group(world, call), world.kf.knowledge
    if group.is_default:
        raise ApiError(40058, "the default group cannot be deleted")
    del book.groups[group.group_id]
    book.intents = {
        key: item for key, item in book.intents.items() if item.group_id != group.group_id
    }
    return {}


async def _list_group(world: World, call: Call) -> Answer:
    wanted = call.text("group_id", required=False)
    found = [
        group.as_json()
        for group in world.kf.knowledge.groups.values()
        if wanted in ("", group.group_id)
    ]
    return _paged(call, found, "group_list")


async def _add_intent(world: World, call: Call) -> Answer:
    group = _group(world, call)
    intent = Intent(
        world.new_id("ki"),
        group.group_id,
        _question(call, required=True),
        _similar(call),
        _answers(world, call, required=True),
    )
    world.kf.knowledge.intents[intent.intent_id] = intent
    return {"intent_id": intent.intent_id}


async def _mod_intent(world: World, call: Call) -> Answer:
    intent = _intent(world, call)
    if "question" in call.body:
        intent.question = _question(call, required=True)
    if "similar_questions" in call.body:
        intent.similar = _similar(call)
    if "answers" in call.body:
        intent.answers = _answers(world, call, required=True)
    return {}


async def _del_intent(world: World, call: Call) -> Answer:
    del world.kf.knowledge.intents[_intent(world, call).intent_id]
    return {}


async def _list_intent(world: World, call: Call) -> Answer:
    group_id = call.text("group_id", required=False)
    intent_id = call.text("intent_id", required=False)
    found = [
        intent.as_json()
        for intent in world.kf.knowledge.intents.values()
        if group_id in ("", intent.group_id) and intent_id in ("", intent.intent_id)
    ]
    return _paged(call, found, "intent_list")


def _paged(call: Call, found: list[dict[str, object]], key: str) -> Answer:
    limit = call.integer("limit", 500, low=1, high=1000)
    part, following = page(found, call.text("cursor", required=False), limit)
    return {key: list(part), "next_cursor": following, "has_more": int(bool(following))}


def _name(world: World, call: Call, own: QuestionGroup | None = None) -> str:
    name = call.short("name", MAX_NAME, required=True)
    others = (group for group in world.kf.knowledge.groups.values() if group is not own)
    if any(group.name == name for group in others):
        raise ApiError(40058, "there is a group of this name")
    return name


def _group(world: World, call: Call) -> QuestionGroup:
    group = world.kf.knowledge.groups.get(call.text("group_id"))
    if group is None:
        raise ApiError(60136, "group_id")
    return group


def _intent(world: World, call: Call) -> Intent:
    intent = world.kf.knowledge.intents.get(call.text("intent_id"))
    if intent is None:
        raise ApiError(60136, "intent_id")
    return intent


def _question(call: Call, *, required: bool) -> dict[str, object]:
    question = call.inside("question", required=required)
    question.inside("text").short("content", MAX_QUESTION, required=True)
    return question.body


def _similar(call: Call) -> dict[str, object]:
    similar = call.inside("similar_questions", required=False)
    for item in map(call.of, similar.objects("items", MAX_SIMILAR)):
        item.inside("text").short("content", MAX_QUESTION, required=True)
    return similar.body


def _answers(world: World, call: Call, *, required: bool) -> list[dict[str, object]]:
    answers = call.objects("answers", 1, required=required)
    for answer in map(call.of, answers):
        answer.inside("text").short("content", MAX_ANSWER, required=True)
        for item in map(call.of, answer.objects("attachments", MAX_ATTACHMENTS)):
            _attachment(world, item)
    return answers


def _attachment(world: World, item: Call) -> None:
    kind = item.text("msgtype", code=41065)
    inner = item.inside(kind, code=41065)
    if kind in _MEDIA:
        if world.media.get(inner.text("media_id", code=41006)).kind != _MEDIA[kind]:
            raise ApiError(40007)
    elif kind == "link":
        inner.text("title", code=41016)
        inner.text("url", code=41010)
    elif kind == "miniprogram":
        for key in ("title", "thumb_media_id", "appid", "pagepath"):
            inner.text(key)
    else:
        raise ApiError(41065, kind)


APIS: tuple[Api, ...] = (
    Api("POST", "kf/knowledge/add_group", _add_group),
    Api("POST", "kf/knowledge/mod_group", _mod_group),
    Api("POST", "kf/knowledge/del_group", _del_group),
    Api("POST", "kf/knowledge/list_group", _list_group),
    Api("POST", "kf/knowledge/add_intent", _add_intent),
    Api("POST", "kf/knowledge/mod_intent", _mod_intent),
    Api("POST", "kf/knowledge/del_intent", _del_intent),
    Api("POST", "kf/knowledge/list_intent", _list_intent),
)
