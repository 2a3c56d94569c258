"""The bank's own facts (sop/_workspace.yaml): branches, staff, events, days, tags."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bot.domain.business_time import BusinessTime
from bot.domain.calendar import CalendarTables
from bot.domain.disagreement import (
    Disagreement,
    built_in,
    circles,
    doubled,
    doubles,
    two_meanings,
    unknown,
    unknown_in,
)
from bot.domain.fields import Day, DayWindow, Slug, Words, YesNo
from bot.domain.ids import BranchId, RmId
from bot.domain.institution import SERVING, Branch, Institution, LeadLimit, Member
from bot.domain.registry import (
    BUILT_IN_EVENTS,
    BUILT_IN_FIELDS,
    CustomerField,
    FieldKind,
    PlatformQuota,
)
from bot.domain.value import Value
from bot.domain.ways import MAX_USERS, ContactWay, FriendWelcome, JoinWay, WantedWay

_WEEKDAYS = "一二三四五六日"


class BankEvent(Value):
    """Something that takes place at a branch (活动)."""

    id: Slug = Field(alias="编号")
    name: Words = Field(alias="名称")
    branch: BranchId = Field(alias="网点")
    on: Day = Field(alias="日期")
    window: DayWindow = Field(alias="时间")

    def begins_at(self, zone: ZoneInfo) -> datetime:
        """Return the moment it begins, in the bank's zone."""
        return datetime.combine(self.on, self.window[0], tzinfo=zone)

    @property
    def day_in_words(self) -> str:
        """Return the day as customers read it: 10月28日(周三)."""
        return f"{self.on.month}月{self.on.day}日(周{_WEEKDAYS[self.on.weekday()]})"


class GroupTagRule(Value):
    """A tag that groups bear whose name holds certain words (群标签).

    A group with any tag that may not be marketed to gets nothing that sells (E6).
    """

    tag: Words = Field(alias="标签")
    name_contains: Words = Field(alias="群名含")
    may_market: YesNo = Field(True, alias="可营销")


class TagEntry(Value):
    """A tag that files may use, and on whom (标签)."""

    name: Words = Field(alias="名称")
    on: Literal["客户", "客户群"] = Field(alias="对象")


class Privacy(Value):
    """How privacy requests are kept to (隐私)."""

    answer_within: Words = Field(alias="答复时限")


class Bank(Value):
    """All of ``_workspace.yaml``."""

    format: Literal["workspace/1"] = Field(alias="格式")
    institution: Institution = Field(alias="机构")
    branches: tuple[Branch, ...] = Field(alias="网点", min_length=1)
    staff: tuple[Member, ...] = Field(alias="员工", min_length=1)
    events: tuple[BankEvent, ...] = Field((), alias="活动")
    bond_days: tuple[Day, ...] = Field((), alias="储蓄国债发行日")
    group_tag_rules: tuple[GroupTagRule, ...] = Field((), alias="群标签")
    tags: tuple[TagEntry, ...] = Field((), alias="标签")
    customer_fields: tuple[CustomerField, ...] = Field((), alias="客户资料")
    customer_events: tuple[Words, ...] = Field((), alias="客户事件")
    platform: PlatformQuota = Field(PlatformQuota(), alias="额度")
    privacy: Privacy = Field(alias="隐私")
    variables: dict[str, Words] = Field(default_factory=dict, alias="变量")
    welcomes: tuple[FriendWelcome, ...] = Field((), alias="好友欢迎语")
    contact_ways: tuple[ContactWay, ...] = Field((), alias="渠道活码")
    join_ways: tuple[JoinWay, ...] = Field((), alias="入群活码")
    lead_limits: tuple[LeadLimit, ...] = Field((), alias="线索时限")

    def disagreements(self) -> list[Disagreement]:
        """Return every entry that is there twice, or names what the file does not have."""
        branches = {branch.id for branch in self.branches}
        people = {member.userid for member in self.staff}
        tags = {tag.name for tag in self.tags if tag.on == "客户群"}
        return [
            *doubles("网点", "编号", [branch.id for branch in self.branches]),
            *doubles("员工", "userid", [member.userid for member in self.staff]),
            *doubles("活动", "编号", [event.id for event in self.events]),
            *unknown("网点", "行长", [branch.head for branch in self.branches], people, "员工"),
            *unknown("员工", "网点", [member.branch for member in self.staff], branches, "网点"),
            *unknown("活动", "网点", [event.branch for event in self.events], branches, "网点"),
            *unknown("群标签", "标签", [rule.tag for rule in self.group_tag_rules], tags, "标签"),
            *doubles("客户资料", "名称", [field.name for field in self.customer_fields]),
            *built_in(self.customer_fields),
            *two_meanings(self.customer_fields, self.customer_events),
            *unknown("员工", "上级", [member.superior for member in self.staff], people, "员工"),
            *circles([(member.userid, member.superior) for member in self.staff]),
            *doubles("线索时限", "线索", [limit.need for limit in self.lead_limits]),
            *self._ways_that_disagree(branches, people),
        ]

    def _ways_that_disagree(
        self, branches: Collection[str], people: Collection[str]
    ) -> Iterator[Disagreement]:
        ways = self.contact_ways
        yield from doubles("渠道活码", "名称", [way.name for way in ways])
        yield from doubles("入群活码", "名称", [way.name for way in self.join_ways])
        # One state for one code: by it a code is found again whose making was interrupted.
        states = [way.state for way in ways] + [way.state for way in self.join_ways]
        for what, mend, number in doubled(states):
            own = number < len(ways)
            part, place = ("渠道活码", number) if own else ("入群活码", number - len(ways))
            yield (part, place, "标识"), what, mend
        yield from unknown("渠道活码", "网点", [way.branch for way in ways], branches, "网点")
        tags = {tag.name for tag in self.tags if tag.on == "客户"}
        for number, way in enumerate(ways):
            yield from unknown_in(("渠道活码", number, "员工"), way.staff, people, "员工")
            yield from unknown_in(("渠道活码", number, "打标签"), way.tags, tags, "标签")
            if not 1 <= len(self.users_of(way)) <= MAX_USERS:
                what = f"「{way.name}」没有在岗的客户经理或大堂经理，或超过 {MAX_USERS} 人"
                yield ("渠道活码", number, "名称"), what, "换一个网点，或直接写员工"
        names = {way.name for way in ways}
        for number, welcome in enumerate(self.welcomes):
            yield from unknown_in(("好友欢迎语", number, "活码"), welcome.ways, names, "渠道活码")
        spoken = [name for welcome in self.welcomes for name in (welcome.ways or ("其余的人",))]
        for name in sorted({one for one in spoken if spoken.count(one) > 1}):
            place = max(n for n, one in enumerate(self.welcomes) if name in (one.ways or (name,)))
            what = f"给「{name}」的欢迎语写了两份"
            yield ("好友欢迎语", place, "正文"), what, "留一份，或写明各自的活码"

    @property
    def field_kinds(self) -> dict[str, FieldKind]:
        """Return every datum that is known of customers, with its kind."""
        return {**BUILT_IN_FIELDS, **{field.name: field.kind for field in self.customer_fields}}

    @property
    def regions(self) -> frozenset[str]:
        """Return the regions in which it has branches."""
        return frozenset(branch.region for branch in self.branches if branch.region)

    @property
    def event_names(self) -> frozenset[str]:
        """Return every event of a customer's that scripts may name."""
        return BUILT_IN_EVENTS | set(self.customer_events)

    def may_market(self, tags: Collection[str]) -> bool:
        """Tell whether a group with these tags may get what sells."""
        return all(rule.may_market or rule.tag not in tags for rule in self.group_tag_rules)

    @property
    def zone(self) -> ZoneInfo:
        """Return the zone in which the bank reasons about days and hours."""
        return ZoneInfo(self.institution.zone_name)

    def branch(self, id: str) -> Branch | None:
        """Return a branch by its id."""
        return next((branch for branch in self.branches if branch.id == id), None)

    def member(self, userid: str) -> Member | None:
        """Return a member of staff by their userid."""
        return next((member for member in self.staff if member.userid == userid), None)

    def hours_of(self, branch: str, tables: CalendarTables) -> BusinessTime:
        """Return the time in which people are there: of a branch, or of the bank."""
        own = self.branch(branch)
        hours = own.service if own is not None and own.service else self.institution.service
        return BusinessTime(hours, tables, self.zone)

    def head_over(self, userid: str, branch: str = "") -> RmId:
        """Return who leads a member's branch, or the one named; the first branch's in doubt."""
        member = self.member(userid) if userid else None
        own = self.branch(member.branch) if member is not None and member.branch else None
        return (own or self.branch(branch) or self.branches[0]).head

    def users_of(self, way: ContactWay) -> tuple[RmId, ...]:
        """Return whom a code leads to: those who are on duty of the named, or of the branch."""
        if way.staff:
            away = {member.userid for member in self.staff if not member.on_duty}
            return tuple(userid for userid in way.staff if userid not in away)
        return tuple(
            member.userid
            for member in self.staff
            if member.on_duty and member.branch == way.branch and member.role in SERVING
        )

    def wanted_ways(self) -> list[WantedWay]:
        """Return every code that WeCom should have."""
        contact = [
            WantedWay(
                kind="contact",
                name=way.name,
                state=way.state,
                targets=self.users_of(way),
                remark=way.remark or way.name[:30],
                skip_verify=way.skip_verify,
            )
            for way in self.contact_ways
        ]
        join = [
            WantedWay(
                kind="join",
                name=way.name,
                state=way.state,
                targets=way.groups,
                remark=way.remark or way.name[:30],
                auto_create=way.auto_create,
                room_name=way.room_name,
                room_number=way.room_number,
            )
            for way in self.join_ways
        ]
        return contact + join

    def contact_way(self, state: str) -> ContactWay | None:
        """Return the code that a customer came by."""
        return next((way for way in self.contact_ways if state and way.state == state), None)

    def welcome_for(self, state: str) -> FriendWelcome | None:
        """Return what is said to a friend who came by this code, or by none that we know."""
        way = self.contact_way(state)
        own = [one for one in self.welcomes if way is not None and way.name in one.ways]
        return next(iter(own or [one for one in self.welcomes if not one.ways]), None)

    def tags_of_group(self, name: str) -> frozenset[str]:
        """Return the tags that a group bears by its name."""
        return frozenset(rule.tag for rule in self.group_tag_rules if rule.name_contains in name)

    def next_event(self, branch: str, on_or_after: date) -> BankEvent | None:
        """Return the branch's nearest event from that day on."""
        coming = [e for e in self.events if e.branch == branch and e.on >= on_or_after]
        return min(coming, key=lambda event: (event.on, event.window, event.id), default=None)

    def bond_within(self, day: date, days: int) -> date | None:
        """Return the savings bond day that comes within so many days after ``day``."""
        near = [bond for bond in self.bond_days if 0 < (bond - day).days <= days]
        return min(near, default=None)

    def knows_tag(self, name: str, on: Literal["客户", "客户群"]) -> bool:
        """Tell whether files may put this tag on customers or on groups."""
        return any(tag.name == name and tag.on == on for tag in self.tags)
