"""The whole state of the local WeCom: people, books, clock, faults, and what was delivered."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.clock import FakeClock, SystemClock
from bot.emulator.app import AppBook
from bot.emulator.archive import ArchiveBook
from bot.emulator.broadcast import BroadcastBook
from bot.emulator.callbacks import CallbackSender
from bot.emulator.contact import ContactBook
from bot.emulator.deliveries import Deliveries
from bot.emulator.faults import Faults
from bot.emulator.groups import GroupBook
from bot.emulator.kf import KfBook
from bot.emulator.limits import Limits
from bot.emulator.media import MediaBook
from bot.emulator.tokens import TokenBook

_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ID_LENGTH = 32


@dataclass(frozen=True)
class App:
    """A self-built app: its secret, the callback configuration its events go to, who sees it."""

    agent_id: int
    secret: str
    name: str = "小安"
    callback: str = "app"
    visible_to: frozenset[str] | None = None
    """The userids in the app's range; ``None`` means everybody."""
    enabled: bool = True
    allowed_ips: frozenset[str] | None = None
    """The addresses that may call business APIs (60020 else); ``None`` means all."""

    def sees(self, userid: str) -> bool:
        """Tell whether this member is in the app's range."""
        return self.visible_to is None or userid in self.visible_to


@dataclass
class Member:
    """Somebody of the bank."""

    userid: str
    name: str
    role: str = "客户经理"
    branch: str = ""
    alias: str = ""
    on_duty: bool = True
    active: bool = True


@dataclass
class Customer:
    """A WeChat user; ``external_userid`` begins with wm."""

    external_userid: str
    nickname: str
    age: int | None = None
    unionid: str = ""
    gender: int = 0
    avatar: str = ""


@dataclass
class World:
    """One enterprise and its customers; every book is reached from here."""

    clock: FakeClock | SystemClock
    corp_id: str = "ww0000zhilin000000"
    seed: int = 1
    apps: dict[int, App] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    customers: dict[str, Customer] = field(default_factory=dict)
    contacts: ContactBook = field(default_factory=ContactBook)
    groups: GroupBook = field(default_factory=GroupBook)
    broadcasts: BroadcastBook = field(default_factory=BroadcastBook)
    archive: ArchiveBook = field(default_factory=ArchiveBook)
    deliveries: Deliveries = field(default_factory=Deliveries)
    faults: Faults = field(default_factory=Faults)
    limits: Limits = field(default_factory=Limits)
    rng: random.Random = field(init=False)
    tokens: TokenBook = field(init=False)
    callbacks: CallbackSender = field(init=False)
    kf: KfBook = field(init=False)
    app_messages: AppBook = field(init=False)
    media: MediaBook = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - ids of an emulator, not secrets
        self.tokens = TokenBook(self)
        self.callbacks = CallbackSender(self)
        self.kf = KfBook(self)
        self.app_messages = AppBook(self)
        self.media = MediaBook(self)

    def now(self) -> datetime:
        """Return this world's moment, aware, in UTC."""
        return self.clock.now()

    def timestamp(self) -> int:
        """Return this world's moment in whole Unix seconds."""
        return int(self.now().timestamp())

    def new_id(self, prefix: str) -> str:
        """Return a new id of 32 characters that begins with ``prefix``; same seed, same ids."""
        tail = self.rng.choices(_ID_ALPHABET, k=_ID_LENGTH - len(prefix))
        return prefix + "".join(tail)

    def add_app(self, app: App) -> App:
        """Put an app into this enterprise."""
        self.apps[app.agent_id] = app
        return app

    def add_member(self, member: Member) -> Member:
        """Put somebody into the bank's staff."""
        self.members[member.userid] = member
        return member

    def add_customer(self, customer: Customer) -> Customer:
        """Let the world know a WeChat user."""
        self.customers[customer.external_userid] = customer
        return customer

    def settle_app(self, agent_id: int, secret: str, name: str = "") -> App:
        """Put an app into this enterprise by its id and secret."""
        return self.add_app(App(agent_id, secret, name or App.name))

    def settle_member(self, userid: str, name: str, *, role: str = "", branch: str = "") -> Member:
        """Put somebody into the bank's staff by userid and name."""
        return self.add_member(Member(userid, name, role or Member.role, branch))

    def settle_customer(self, external_userid: str, nickname: str, age: int | None = None) -> str:
        """Let the world know a WeChat user; return the id, a new one unless one is given."""
        external_userid = external_userid or self.new_id("wm")
        self.add_customer(Customer(external_userid, nickname, age))
        return external_userid

    def ring(self, config: str, fields: Mapping[str, object]) -> None:
        """Queue an encrypted callback to the configuration ``config``; lost if there is none.

        ``ToUserName`` and ``CreateTime`` are filled in. A value may be a mapping (a nested
        element) or a list (the element repeated).
        """
        self.callbacks.queue(config, fields)
