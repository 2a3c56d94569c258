"""What a manager sees of a lead, and how long there is to answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.assigning import lacks_licence
from bot.domain.bank import Bank
from bot.domain.draft import DROPPED_FOR, Draft
from bot.domain.ids import RmId, digest
from bot.domain.lead import Lead, Need
from bot.domain.messages import Button, Card, Choice, StaffCard
from bot.domain.people import Customer
from bot.leads.first_steps import first_steps

_TITLES = {
    Need.RED_FLAG: "紧急：客户可能正在被骗或遇险",
    Need.COMPLAINT: "客户投诉，请马上回",
    Need.LATENT_COMPLAINT: "客户不满意，请尽快回",
    Need.PERSON: "客户想跟真人说话",
    Need.PRIVACY: "客户要查改个人信息",
    Need.SERVICE: "客户要办业务",
    Need.EVENT: "客户想参加活动",
    Need.WEALTH: "客户想问理财",
    Need.MATURITY: "客户有钱快到期",
    Need.LOAN: "客户想问贷款",
    Need.CARD: "客户想问银行卡",
    Need.WAKE: "老客户有回应了",
    Need.UNANSWERED: "有个问题小安答不上",
}
_WEEKDAYS = "一二三四五六日"
# A drop-down holds at most ten, each in ten characters: one longer and WeCom refuses the card
# (wecom_protocol §3.5).
_COLLEAGUES, _LABEL = 10, 10
_LONG = 60
_REASONS = 3
_LINE = 30  # what the line below a card's title holds (§3.5)
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


def time_left(due_by: datetime, now: datetime) -> str:
    """Say how long there is, or how long it has been over: 还有 12 分钟, 已超 2 小时."""
    minutes = round(abs(due_by - now) / timedelta(minutes=1))
    if minutes == 0:
        return "时限到了"
    span = f"{minutes} 分钟" if minutes < 60 else f"{minutes // 60} 小时"
    if 60 <= minutes < 24 * 60 and minutes % 60:
        span = f"{minutes // 60} 小时 {minutes % 60} 分钟"
    if minutes >= 24 * 60:
        span = f"{minutes // (24 * 60)} 天"
    return f"还有 {span}" if due_by > now else f"已超 {span}"


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


def colleagues(
    bank: Bank, userid: str, branch: str = "", *, lead: Lead | None = None
) -> tuple[tuple[str, str], ...]:
    """Return whom a lead may be passed on to: those on duty at the same branch, licensed for it.

    ``branch`` is that of a lead that nobody has.
    """
    me = bank.member(userid)
    at = branch or (me.branch if me is not None else "")
    return tuple(
        (member.userid, clip(member.name, _LABEL))
        for member in bank.staff
        if member.userid != userid
        and member.on_duty
        and at in ("", member.branch)
        and not (lead and lacks_licence(bank, member.userid, lead.need, lead.product))
    )[:_COLLEAGUES]


def lead_card(
    lead: Lead,
    customer: Customer | None,
    bank: Bank,
    now: datetime,
    *,
    group: str = "",
    cautions: tuple[str, ...] = (),
    link: str = "",
    to: RmId | None = None,
) -> StaffCard:
    """Make the card with 接手, 转派, 稍后 and 无效; ``link`` is what a tap on it opens.

    What is grave says what to do at once, and cannot be put off. ``to`` gets it where nobody has
    the lead.
    """
    steps = first_steps(lead, bank)
    receiver = lead.rm or to or RmId("")
    options = colleagues(bank, receiver, "" if lead.rm else lead.branch, lead=lead)
    buttons = [Button(text="接手", key=f"lead:{lead.id}:take", style=1)]
    if options:
        buttons.append(Button(text="转派", key=f"lead:{lead.id}:reassign", style=2))
    if not steps:
        buttons.append(Button(text="稍后", key=f"lead:{lead.id}:later", style=2))
    buttons.append(Button(text="无效", key=f"lead:{lead.id}:invalid", style=3))
    card = Card(
        title=_TITLES[lead.need],
        description=_what_first(lead, now, grave=bool(steps)),
        body="\n".join(filter(None, [quoted(lead), *numbered(steps)])),
        rows=tuple(_rows(lead, customer, bank, now, group, cautions)),
        buttons=tuple(buttons),
        choice=pass_on_choice(lead, options),
        link=link,
    )
    task = lead_task(lead.model_copy(update={"rm": receiver}), now)
    return StaffCard(to=receiver, task=task, card=card)


def _what_first(lead: Lead, now: datetime, *, grave: bool) -> str:
    """Return the line under a card's title: what to do, or else why it is a lead."""
    if grave:
        nobody = "" if lead.rm else "还没有人接，"
        return f"{nobody}先打电话，{time_left(lead.respond_by, now)}"
    return why_words(lead) if lead.rm else "还没有人接手，请您转派或自己接"


def _rows(
    lead: Lead,
    customer: Customer | None,
    bank: Bank,
    now: datetime,
    group: str,
    cautions: tuple[str, ...],
) -> list[tuple[str, str]]:
    source = lead.evidence[-1].source if lead.evidence else "微信客服"
    rows = [
        ("客户", name_of(customer)),
        ("请在此前回", when(lead.respond_by, now, bank.zone)),
        ("来自", clip(group or source, 26)),
    ]
    if lead.product:
        rows.append(("哪类", clip(lead.product, 26)))
    if cautions:
        rows.append(("请注意", clip("、".join(cautions), 30)))
    return rows


def title_of(need: Need) -> str:
    """Return what the card of such a lead is called."""
    return _TITLES[need]


def name_of(customer: Customer | None) -> str:
    """Return what a customer is called on a card."""
    return clip(customer.name, 26) if customer and customer.name else "客户"


def quoted(lead: Lead) -> str:
    """Return the customer's last words, as a card shows them."""
    quote = lead.evidence[-1].quote if lead.evidence else ""
    return f"客户说：「{clip(quote)}」" if quote else ""


def why_words(lead: Lead) -> str:
    """Say in one line why it is a lead: the need, and what speaks for it."""
    reasons = sorted(lead.reasons, key=lambda one: -one.points)
    for_it = [one.words for one in reasons if one.points > 0 and one.words]
    told = "、".join([words for words in for_it if words != lead.need.value][:_REASONS])
    return clip(f"{lead.need.value}：{told}" if told else lead.need.value, _LINE)


def numbered(steps: Sequence[str]) -> list[str]:
    """Number what is to be done, one line each."""
    return [f"{number} {step}" for number, step in enumerate(steps, 1)]


def pass_on_choice(lead: Lead, options: tuple[tuple[str, str], ...]) -> Choice | None:
    """Return the drop-down of whom a lead may be passed on to; None where nobody is there."""
    return Choice(key=f"to-{lead.id}", title="转派给", options=options) if options else None


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
