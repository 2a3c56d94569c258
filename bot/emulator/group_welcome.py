"""Welcome material for customer groups (入群欢迎语素材): made by API, attached by owners."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.emulator.attachments import ALL_EMPTY, Body, check_attachment
from bot.emulator.wire import Api, ApiError, Call

if TYPE_CHECKING:
    from bot.emulator.world import World

MAX_TEXT_BYTES = 3000
TOO_MANY_TEMPLATES = 41055
NOT_ITS_TEMPLATE = 41058
ATTACHMENTS = ("image", "link", "miniprogram", "file", "video")
"""In WeCom's order of priority: only the first one given counts."""


@dataclass(frozen=True)
class WelcomeTemplate:
    """One material; ``agent_id`` is the app that made it and alone may change it."""

    template_id: str
    agent_id: int
    body: Body


@dataclass
class WelcomeTemplates:
    """The material of this bank by template_id."""

    items: dict[str, WelcomeTemplate] = field(default_factory=dict)

    def need(self, template_id: str) -> WelcomeTemplate:
        """Return material or refuse an unknown id."""
        template = self.items.get(template_id)
        if template is None:
            raise ApiError(40058, f"no template {template_id}")
        return template


async def _add(world: World, call: Call) -> dict[str, object]:
    book = world.groups.templates
    if len(book.items) >= world.assumed.welcome_templates:
        raise ApiError(TOO_MANY_TEMPLATES)
    template = WelcomeTemplate(world.new_id("msg"), call.agent_id, _body(world, call))
    book.items[template.template_id] = template
    if call.flag("notify", True):
        for owner in dict.fromkeys(group.owner for group in world.groups.living()):
            world.broadcasts.notify(owner, "group_welcome", template.template_id, world.now())
    return {"template_id": template.template_id}


async def _edit(world: World, call: Call) -> dict[str, object]:
    old = _own(world, call)
    new = WelcomeTemplate(old.template_id, old.agent_id, _body(world, call))
    world.groups.templates.items[old.template_id] = new
    return {}


async def _get(world: World, call: Call) -> dict[str, object]:
    template = world.groups.templates.need(call.text("template_id"))
    fields = template.body.as_json()
    fields.pop("attachments", None)
    for attachment in template.body.attachments:
        kind = str(attachment["msgtype"])
        fields[kind] = attachment[kind]
    return fields


async def _delete(world: World, call: Call) -> dict[str, object]:
    template = _own(world, call)
    del world.groups.templates.items[template.template_id]
    for group in world.groups.groups.values():
        if group.welcome_template == template.template_id:
            group.welcome_template = ""
    return {}


def _own(world: World, call: Call) -> WelcomeTemplate:
    template = world.groups.templates.need(call.text("template_id"))
    if template.agent_id != call.agent_id:
        raise ApiError(NOT_ITS_TEMPLATE)
    return template


def _body(world: World, call: Call) -> Body:
    text = call.inside("text", required=False).text(
        "content", required=False, max_bytes=MAX_TEXT_BYTES
    )
    kind = next((kind for kind in ATTACHMENTS if call.body.get(kind)), None)
    if kind is None:
        if not text:
            raise ApiError(ALL_EMPTY)
        return Body(text)
    attachment: dict[str, object] = {"msgtype": kind, kind: call.obj(kind)}
    check_attachment(world, call.of(attachment))
    return Body(text, (attachment,))


APIS: tuple[Api, ...] = (
    Api("POST", "externalcontact/group_welcome_template/add", _add),
    Api("POST", "externalcontact/group_welcome_template/edit", _edit),
    Api("POST", "externalcontact/group_welcome_template/get", _get),
    Api("POST", "externalcontact/group_welcome_template/del", _delete),
)
