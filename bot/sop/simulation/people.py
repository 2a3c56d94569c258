"""The made-up people of a simulation: customers and groups, with data as a bank would have it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from bot.domain.institution import Member
from bot.domain.registry import CONSENT, FieldKind
from bot.domain.script_parts import Subject
from bot.domain.subject import Raw, Registry, SubjectFacts
from bot.errors import ConfigError
from bot.sop.simulation.case import Case
from bot.sop.simulation.chance import Chance
from bot.sop.simulation.own_data import made_to_agree

_SURNAMES = "王李张刘陈杨赵黄周吴徐孙"
_CONSENT, _YES, _TAG, _FRIEND, _REFUSES, _OPEN = 0.85, 0.5, 0.3, 0.97, 0.02, 0.005
_SINCE_DAYS, _SEEN_DAYS = 900, 400  # how long ago people became friends, and were last heard of
_LUNAR_MONTHS = ("正", "二", "三", "四", "五", "六", "七", "八", "九", "十", "冬", "腊")
_LUNAR_DAYS = ("初一", "初五", "初九", "十二", "十五", "十八", "廿一", "廿六")
_NUMBERS = {"年龄": (22, 88), "发薪日": (1, 28)}
# Days from the start within which dates lie: past assessments, coming maturities.
_DATES = {"测评日": (-700, -1), "到期日": (0, 60), "生日": (-30_000, -8_000)}
_OTHER_NUMBER, _OTHER_DATE = (0, 100), (-180, 180)


def people_of(case: Case, chance: Chance) -> Iterator[SubjectFacts]:
    """Make the audience, spread over the managers in turn; ``ConfigError`` where there is none."""
    managers = case.managers()
    if not managers:
        mend = "在 sop/_workspace.yaml 的「员工」里加上，或改剧本的「群主角色」"
        raise ConfigError(f"没有能服务这个剧本的在岗同事：{mend}。")
    registry = Registry.of(case.bank)
    make = _group if case.script.subject is Subject.GROUP else _customer
    numbers = range(case.subjects) if case.only is None else (case.only - 1,)
    for number in numbers:
        yield make(case, chance, registry, number, managers[number % len(managers)])


def name_of(facts: SubjectFacts, case: Case) -> str:
    """Return what a made-up subject is called."""
    number = int(facts.id.rpartition("-")[2])
    if facts.kind == "customer":
        title = "女士" if number % 2 else "先生"
        return f"{_SURNAMES[number % len(_SURNAMES)]}{title}"
    member, branch = case.bank.member(facts.owner), case.bank.branch(facts.branch)
    of = f"({member.address_as})" if member else ""
    return f"{branch.name if branch else ''}预演群{number}{of}"


def _group(
    case: Case, chance: Chance, registry: Registry, number: int, owner: Member
) -> SubjectFacts:
    tags = case.script.audience.tags_any[:1]
    return SubjectFacts(
        id=f"sim-g-{number + 1:05}",
        kind="group",
        registry=registry,
        tags=frozenset(tags),
        owner=owner.userid,
        owner_role=owner.role,
        owner_on_duty=owner.on_duty,
        branch=owner.branch or "",
        size=case.members,
        as_of=case.begins_at,
    )


def _customer(
    case: Case, chance: Chance, registry: Registry, number: int, owner: Member
) -> SubjectFacts:
    id = f"sim-c-{number + 1:05}"
    friend = chance.happens(_FRIEND, id, "friend")
    return SubjectFacts(
        id=id,
        kind="customer",
        registry=registry,
        tags=frozenset(_tags(case, chance, id)),
        facts=made_to_agree(dict(_facts(case, chance, registry, id)), case.known, case.start),
        as_of=case.begins_at,
        friend=friend,
        owner=owner.userid if friend else "",
        owner_role=owner.role,
        owner_on_duty=owner.on_duty,
        branch=owner.branch or "",
        since=_ago(case, chance.between(1, _SINCE_DAYS, id, "since")),
        refuses=chance.happens(_REFUSES, id, "refuses"),
        complaint_open=chance.happens(_OPEN, id, "complaint"),
        last_seen=_ago(case, chance.between(0, _SEEN_DAYS, id, "seen")),
    )


def _tags(case: Case, chance: Chance, id: str) -> Iterator[str]:
    audience = case.script.audience
    wanted = audience.customer_tags_any
    if wanted:  # whom the script is not for at all is nobody's audience
        yield wanted[chance.between(0, len(wanted) - 1, id, "tag")]
    for tag in case.bank.tags:
        strange = tag.name not in wanted and tag.name not in audience.customer_tags_none
        if tag.on == "客户" and strange and chance.happens(_TAG, id, "tag", tag.name):
            yield tag.name


def _facts(case: Case, chance: Chance, registry: Registry, id: str) -> Iterator[tuple[str, Raw]]:
    unknown = case.manners.unknown
    for name in sorted(registry.fields):
        if not chance.happens(unknown, id, "unknown", name):
            yield name, _datum(case.start, chance, registry.fields[name], id, name)


def _datum(start: date, chance: Chance, kind: FieldKind, id: str, name: str) -> Raw:
    if kind is FieldKind.YES_NO:
        return chance.happens(_CONSENT if name == CONSENT else _YES, id, name)
    if kind is FieldKind.NUMBER:
        return chance.between(*_NUMBERS.get(name, _OTHER_NUMBER), id, name)
    if kind is FieldKind.DATE:
        days = chance.between(*_DATES.get(name, _OTHER_DATE), id, name)
        return str(start + timedelta(days=days))
    if kind is FieldKind.GRADE:
        return f"C{chance.between(1, 5, id, name)}"
    month = _LUNAR_MONTHS[chance.between(0, len(_LUNAR_MONTHS) - 1, id, name, "month")]
    day = _LUNAR_DAYS[chance.between(0, len(_LUNAR_DAYS) - 1, id, name, "day")]
    return f"{month}月{day}"


def _ago(case: Case, days: int) -> datetime:
    return case.begins_at - timedelta(days=days)
