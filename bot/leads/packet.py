"""What somebody is given who takes over a lead: enough to help the customer, and no more (S21)."""

from __future__ import annotations

from datetime import date, datetime

from bot.domain.bank import Bank
from bot.domain.expression_values import Grade
from bot.domain.lead import SELLING, Lead, Need
from bot.domain.registry import AGE, ASSESSED_ON, GRADE
from bot.domain.subject import SubjectFacts
from bot.domain.suitability import NOBODY, Asker, assessed_lately, is_elderly
from bot.domain.value import Value
from bot.leads.cards import clip, when
from bot.leads.first_steps import Danger, danger_of

_QUOTES = 3
_TURNS = 10  # metrics_leads_scale §4.2
_TURN_CHARS = 60
_OF_PRODUCTS = SELLING - {Need.EVENT}


class Packet(Value):
    """Everything a person needs for a lead.

    ``facts`` are what may be known for this need, ``steps`` what comes first, ``say`` words to
    begin with and ``source`` where they are written down, ``avoid`` what must not be said.
    """

    steps: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    say: str = ""
    source: str = ""
    avoid: tuple[str, ...] = ()
    turns: tuple[tuple[str, str], ...] = ()


def what_to_avoid(lead: Lead, asker: Asker = NOBODY) -> tuple[str, ...]:
    """Return what must not be said to a lead's customer."""
    return avoided(lead.need, asker, danger_of(lead))


def avoided(need: Need, asker: Asker = NOBODY, danger: Danger = "被骗") -> tuple[str, ...]:
    """Return what must not be said for a need; for products by what the customer may bear, too.

    ``danger`` is that of a red flag.
    """
    if need is Need.RED_FLAG and danger in _AVOID_IN_DANGER:
        return _AVOID_IN_DANGER[danger]
    rules = list(_AVOID.get(need, _AVOID_ALWAYS))
    if need in _OF_PRODUCTS and need not in (Need.LOAN, Need.CARD):
        if asker.grade is not None and asker.grade < 5:
            rules.append(f"不谈 R{asker.grade + 1} 和更高的产品")
        if is_elderly(asker.age):
            rules.append("不在微信里推产品：65 岁以上或年龄不明，请到网点当面谈")
    return tuple(rules)


def what_may_be_known(
    lead: Lead, facts: SubjectFacts | None, today: date, *, refuses: bool = False
) -> tuple[str, ...]:
    """Return what a lead lets a person know of the customer."""
    return known_for(lead.need, facts, today, refuses=refuses)


def known_for(
    need: Need, facts: SubjectFacts | None, today: date, *, refuses: bool = False
) -> tuple[str, ...]:
    """Return what a need lets a person know of the customer: never more than it takes (S21)."""
    known = []
    if facts is not None and facts.complaint_open and need is not Need.COMPLAINT:
        known.append("有投诉在处理：先办投诉，不谈产品")
    if (refuses or (facts is not None and facts.refuses)) and need in SELLING:
        known.append("客户拒收营销：只答客户自己问的，别的不提")
    if facts is None or need not in _OF_PRODUCTS:
        return tuple(known)
    grade, on, age = facts.datum(GRADE), facts.datum(ASSESSED_ON), facts.datum(AGE)
    known.append(_assessment(grade, on, today))
    if is_elderly(age):
        unknown = "年龄不明，按 65 岁以上办" if age is None else "65 岁以上"
        known.append(f"{unknown}：请到网点当面讲，建议家里人一起听")
    return tuple(known)


def _assessment(grade: object, on: object, today: date) -> str:
    if not isinstance(grade, Grade) or not isinstance(on, date):
        return "没有风险测评：先请客户测评，测完再谈产品"
    if not assessed_lately(on, today):
        return f"风险测评 C{grade.number} 已过期（{on:%Y-%m-%d} 测）：先请客户重测"
    return f"风险测评 C{grade.number}，{on:%Y-%m-%d} 测，有效"


def opening_words(lead: Lead, bank: Bank) -> str:
    """Return words to begin with where nothing that is written down answers the customer."""
    member = bank.member(lead.rm) if lead.rm else None
    branch = bank.branch(member.branch) if member is not None and member.branch else None
    place = branch.name if branch is not None else bank.institution.name
    me = f"{place}的{member.address_as}" if member is not None else f"{place}的客户经理"
    asked = _OPENINGS.get(lead.need, "您刚才说的事，现在方便讲两句吗？")
    if lead.need is Need.RED_FLAG:
        asked = _IN_DANGER.get(danger_of(lead), asked)
    # Without a name: what WeChat calls somebody is seldom what they want to be called.
    return f"您好，我是{me}。{asked}"


def packet_words(lead: Lead, packet: Packet, name: str, bank: Bank, now: datetime) -> str:
    """Put a packet into words for a phone: what to do, what to say, what not to say."""
    first = lead.first_response_at is None and lead.stage != "later"
    due = f"，{when(lead.respond_by, now, bank.zone)} 前回客户" if first else ""
    lines = [f"【{lead.need.value}】{name or '客户'}{due}"]
    for one in lead.evidence[-_QUOTES:]:
        if one.quote:
            lines.append(f"客户说（{when(one.at, now, bank.zone)}）：「{clip(one.quote)}」")
    if packet.steps:
        lines += ["", "先做："]
        lines += [f"{number} {step}" for number, step in enumerate(packet.steps, 1)]
    if packet.facts:
        lines += ["", "要知道："]
        lines += [f"· {fact}" for fact in packet.facts]
    if packet.say:
        source = f"（依据：{packet.source}）" if packet.source else ""
        lines += ["", f"可以这样说{source}：", packet.say]
    if packet.avoid:
        lines += ["", "不要说：", *(f"· {rule}" for rule in packet.avoid)]
    if packet.turns:
        lines += ["", "最近说的话："]
        lines += [f"{who}：{clip(text, _TURN_CHARS)}" for who, text in packet.turns[-_TURNS:]]
    return "\n".join(lines)


_AVOID_ALWAYS = ("不问、不收证件号、卡号、密码、验证码", "拿不准的不答：说「我问清楚再回您」")
_NO_PROMISES = "不报收益数字，不说保本、稳赚，不拿存款作比"
_NO_HURRY = "不催：不说「最后一天」「就剩一点」"
_NO_CODES = "不问、不收密码和验证码，不替客户操作"
_AVOID: dict[Need, tuple[str, ...]] = {
    Need.RED_FLAG: (
        "不问密码和验证码，不要客户的手机替他操作",
        "不承诺钱一定追得回来，不埋怨，不追问为什么会信",
        "不谈任何产品和活动",
    ),
    Need.COMPLAINT: (
        "不争辩，不推给别的部门，不说「系统就是这样」",
        "不承诺赔多少，不劝客户别投诉",
        "不谈任何产品和活动",
    ),
    Need.LATENT_COMPLAINT: ("不争辩，不推责", "不承诺办不到的事", "先解决问题，不谈产品"),
    Need.PRIVACY: (
        "不在微信里收证件照片，请客户到网点或打客服电话核身份",
        "不劝客户别查、别删",
    ),
    Need.EVENT: ("不说来了就送现金、红包", "不借活动推产品"),
    Need.WEALTH: (_NO_PROMISES, _NO_HURRY, "不替客户答测评题，不替客户操作"),
    Need.MATURITY: (_NO_PROMISES, _NO_HURRY, "不说理财和存款一样"),
    Need.WAKE: ("先问近况，别一上来谈产品", _NO_PROMISES),
    Need.LOAN: (
        "不承诺能批、批多少、利率多少",
        "不说交了钱就能批，不推别的机构",
        _NO_CODES,
    ),
    Need.CARD: (_NO_CODES, "不承诺额度，不说一定能减免"),
}
_AVOID_IN_DANGER: dict[Danger, tuple[str, ...]] = {
    "轻生": (
        "不劝「想开点」，不讲道理，不问为什么想不开",
        "不挂电话，不让客户一个人待着",
        "不谈钱、业务、产品和活动",
    ),
    "突发疾病": (
        "不让客户自己开车、走路去医院，不劝吃什么药",
        "不等问清楚再说：先请他打 120",
        "不谈业务、产品和活动",
    ),
}
_IN_DANGER: dict[Danger, str] = {
    "轻生": "我在，您说的我都听着。您身边现在有人吗？我这就给您打电话，您接一下。",
    "突发疾病": "先打 120，别等。您在哪里、身边有没有人？我这就给您打电话。",
}
_OPENINGS: dict[Need, str] = {
    Need.RED_FLAG: "您先别操作，手机上正开着的都关掉。我在这儿陪您，咱们一件一件办。",
    Need.COMPLAINT: "让您不痛快了，真对不起。您慢慢说，我记着，办到哪一步我都告诉您。",
    Need.LATENT_COMPLAINT: "刚才没帮到您，对不起。哪里不满意，您跟我说说，我来办。",
    Need.PERSON: "听说您在找我，我来了。您说，什么事？",
    Need.PRIVACY: "您要查改个人信息的事我收到了，要先核对身份，您看是来网点还是打电话方便？",
    Need.EVENT: "您想参加活动，我给您留位子。您几位来，要不要我到门口接您？",
    Need.WEALTH: "您刚才问起理财，现在方便说两句吗？这笔钱多久用不到，您先跟我说说。",
    Need.MATURITY: "您有一笔钱快到期了，怎么安排不着急，您看哪天方便，我给您讲讲。",
    Need.LOAN: "您问贷款的事，先跟我说说用在哪里、想用多久，我看看带哪些材料。",
    Need.CARD: "您问卡的事我看到了，卡号和密码都不用发给我，您说说是哪一步卡住了？",
    Need.WAKE: "好久没联系了，最近都好吧？您刚才回的话我看到了，有什么要我办的？",
    Need.UNANSWERED: "您刚才问的我看到了，我问清楚再回您，一会儿就给您准话。",
}
