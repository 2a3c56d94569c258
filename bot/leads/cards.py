"""What a manager sees of a lead, and how long there is to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.bank import Bank
from bot.domain.draft import DROPPED_FOR, Draft
from bot.domain.ids import RmId, digest
from bot.domain.lead import Lead, Need
from bot.domain.messages import Button, Card, Choice, StaffCard
from bot.domain.people import Customer
from bot.domain.staff_messages import Poll, StaffNotice, StaffPoll

_TITLES = {
    Need.RED_FLAG: "紧急：客户可能正在被骗或遇险",
    Need.COMPLAINT: "客户投诉，请马上回",
    Need.LATENT_COMPLAINT: "客户不满意，请尽快回",
    Need.PERSON: "客户想跟真人说话",
    Need.PRIVACY: "客户要查改个人信息",
    Need.SERVICE: "客户要办业务",
    Need.EVENT: "客户想参加活动",
    Need.WEALTH: "客户想问理财",
    Need.WAKE: "老客户有回应了",
    Need.UNANSWERED: "有个问题小安答不上",
}
_WEEKDAYS = "一二三四五六日"
_COLLEAGUES = 10  # wecom_protocol §3.5: a drop-down holds at most ten
_LONG = 60
_NAMED = 3


def lead_task(lead: Lead, at: datetime) -> str:
    """Name a lead's card for WeCom, anew each time: a lead may come back to the same person."""
    return f"lead-{lead.id}-{digest(lead.rm, at.isoformat(), size=4)}"


def when(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Say a moment as people do: 今天 14:05, 周三 09:30, 11月5日 09:30."""
    local, today = moment.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    if days == 0:
        return f"今天 {local:%H:%M}"
    if days == 1:
        return f"明天 {local:%H:%M}"
    if 1 < days < 7:
        return f"周{_WEEKDAYS[local.weekday()]} {local:%H:%M}"
    return f"{local.month}月{local.day}日 {local:%H:%M}"


def clock_of(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment's hour to the second.

    It sets apart words to staff that are the same: WeCom drops a repetition within four hours
    without a sound (wecom_protocol §3.4), and the second customer must be told of, too.
    """
    return f"{moment.astimezone(zone):%H:%M:%S}"


def clip(text: str, length: int = _LONG) -> str:
    """Cut text for a card."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"


def colleagues(bank: Bank, userid: str) -> tuple[tuple[str, str], ...]:
    """Return whom a lead may be passed on to: those on duty at the same branch."""
    me = bank.member(userid)
    return tuple(
        (member.userid, member.name)
        for member in bank.staff
        if member.userid != userid and member.on_duty and (me is None or member.branch == me.branch)
    )[:_COLLEAGUES]


def lead_card(
    lead: Lead,
    customer: Customer | None,
    bank: Bank,
    now: datetime,
    *,
    group: str = "",
    cautions: tuple[str, ...] = (),
) -> StaffCard:
    """Make the card with 接手, 转派 and 无效."""
    quote = lead.evidence[-1].quote if lead.evidence else ""
    source = lead.evidence[-1].source if lead.evidence else "微信客服"
    rows = [
        ("客户", customer.name if customer and customer.name else "客户"),
        ("请在此前回", when(lead.respond_by, now, bank.zone)),
        ("来自", group or source),
    ]
    if cautions:
        rows.append(("请注意", clip("、".join(cautions), 30)))
    options = colleagues(bank, lead.rm)
    buttons = [
        Button(text="接手", key=f"lead:{lead.id}:take", style=1),
        Button(text="无效", key=f"lead:{lead.id}:invalid", style=3),
    ]
    if options:
        buttons.insert(1, Button(text="转派", key=f"lead:{lead.id}:reassign", style=2))
    card = Card(
        title=_TITLES[lead.need],
        description=lead.need.value,
        body=f"客户说：「{clip(quote)}」" if quote else "",
        rows=tuple(rows),
        buttons=tuple(buttons),
        choice=Choice(key=f"to-{lead.id}", title="转派给", options=options) if options else None,
    )
    return StaffCard(to=lead.rm, task=lead_task(lead, now), card=card)


def group_alert(lead: Lead, bank: Bank, now: datetime) -> str:
    """Word a grave lead for the staff's group: whose it is and until when, never whom it is about.

    Not everybody in the group may know the customer.
    """
    member = bank.member(lead.rm)
    name = member.name if member is not None else lead.rm
    return "\n".join(
        [
            f'<font color="warning">{_TITLES[lead.need]}</font>',
            f"> 负责：{name} <@{lead.rm}>",
            f"> 请在 {when(lead.respond_by, now, bank.zone)} 前联系客户，卡片已发到个人。",
        ]
    )


def warning_notice(lead: Lead, bank: Bank, now: datetime, url: str) -> StaffNotice:
    """Make the card that warns of a lead's time running out; it opens a page."""
    quote = lead.evidence[-1].quote if lead.evidence else ""
    rows = [("请在此前接手", when(lead.respond_by, now, bank.zone))]
    if quote:
        rows.append(("客户说", clip(quote, 30)))
    return StaffNotice(
        to=lead.rm,
        title=f"线索快到时限：{lead.need.value}",
        description="请先接手，再联系客户",
        rows=tuple(rows),
        url=url,
    )


REASONS = (
    ("done", "已经办好了"),
    ("no_need", "客户没有这个意思"),
    ("not_ours", "不是本行能办的"),
    ("repeated", "同一件事重复了"),
    ("other", "其他"),
)


def why_poll(lead: Lead, by: RmId, now: datetime) -> StaffPoll:
    """Ask whoever marked a lead invalid for the reason: so it is learnt what is heard wrongly."""
    return StaffPoll(
        to=by,
        task=f"why-{lead.id}-{digest(by, now.isoformat(), size=4)}",
        title="这条线索为什么无效？",
        description=lead.need.value,
        questions=(Poll(key=f"why-{lead.id}", title="原因", options=REASONS),),
        press=f"why:{lead.id}:send",
    )


def deal_card(lead: Lead, customer: Customer | None, by: RmId) -> StaffCard:
    """Ask who took a lead to tell what came of it."""
    quote = lead.evidence[-1].quote if lead.evidence else ""
    card = Card(
        title="这条线索有结果了，请点一下",
        description=f"{lead.need.value}。点了以后，相关的消息会按剧本停下来",
        body=f"客户说：「{clip(quote)}」" if quote else "",
        rows=(("客户", customer.name if customer and customer.name else "客户"),),
        buttons=(
            Button(text="成交了", key=f"deal:{lead.id}:won", style=1),
            Button(text="没成", key=f"deal:{lead.id}:lost", style=2),
        ),
    )
    return StaffCard(to=by, task=f"deal-{lead.id}-{digest(by, size=4)}", card=card)


def draft_task(draft: Draft) -> str:
    """Name a draft's card for WeCom, anew where one that names more askers takes its place."""
    more = len(draft.askers) - 1
    return f"draft-{draft.id}-{more}" if more > 0 else f"draft-{draft.id}"


def draft_card(draft: Draft, group: str) -> StaffCard:
    """Make the card that carries a drafted reply to whoever is to send it.

    ``group`` is empty where the customer wrote to the manager alone.
    """
    names = [asker.name for asker in draft.askers]
    asker = _listed(names) if len(names) > 1 else clip(draft.names, 26)
    rows = [("群", clip(group, 26)), ("谁在问", asker)]
    if not group:
        rows = [("客户", asker), ("在哪说的", "单独跟您的聊天")]
    if draft.citations:
        rows.append(("依据", clip("、".join(draft.citations), 30)))
    title, sent = ("群里有人问", "已发到群里") if group else ("客户找您", "已发给客户")
    card = Card(
        title=f"{title}，回话拟好了",
        description=clip(draft.question, 30),
        body=draft.text,
        rows=tuple(rows),
        buttons=(
            Button(text=sent, key=f"draft:{draft.id}:sent", style=1),
            Button(text="不用这条", key=f"draft:{draft.id}:drop", style=2),
        ),
        choice=Choice(
            key=f"why-draft-{draft.id}", title="不用的原因", options=tuple(DROPPED_FOR.items())
        ),
    )
    return StaffCard(to=RmId(draft.owner), task=draft_task(draft), card=card)


def newcomers_card(
    owner: RmId,
    run: int,
    now: datetime,
    *,
    group: str,
    names: Sequence[str],
    refusing: Sequence[str],
    texts: Sequence[str],
) -> StaffCard:
    """Give a group's owner what newcomers missed; he asks each of them before he sends it."""
    rows = [("群", clip(group, 26)), ("新成员", _listed(names)), ("先问一句", "愿意收的才单独发")]
    if refusing:
        rows.append(("请不要发", f"{_listed(refusing)}（不收活动和产品）"))
    card = Card(
        title="有新成员进群，可以帮他补课",
        description="前几天发过的，问过本人愿意再单独发",
        body="\n\n".join(texts),
        rows=tuple(rows),
        buttons=(
            Button(text="问过，已发", key=f"late:{run}:sent", style=1),
            Button(text="不用发", key=f"late:{run}:skip", style=2),
        ),
    )
    which = digest(owner, now.isoformat(), *names, size=4)
    return StaffCard(to=owner, task=f"late-{run}-{which}", card=card)


def _listed(names: Sequence[str]) -> str:
    """Name a few of several people."""
    some = "、".join(names[:_NAMED])
    return clip(f"{some} 等 {len(names)} 位" if len(names) > _NAMED else some, 30)
