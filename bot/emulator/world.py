"""The whole state of the local WeCom: people, books, clock, faults, and what was delivered."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.clock import FakeClock, SystemClock
from bot.emulator.acquisition import AcquisitionBook
from bot.emulator.aibot import AiBotBook
from bot.emulator.aibot_people import SentFile
from bot.emulator.aibot_socket import Lines
from bot.emulator.aibot_webhook import BotPoster
from bot.emulator.app import AppBook
from bot.emulator.appchat import ChatBook
from bot.emulator.archive import ARCHIVE_AGENT, ArchiveBook
from bot.emulator.assumed import Assumed
from bot.emulator.broadcast import BroadcastBook
from bot.emulator.callbacks import CallbackSender
from bot.emulator.client_sdk import ClientBook
from bot.emulator.contact import ContactBook
from bot.emulator.deliveries import Deliveries
from bot.emulator.faults import Faults
from bot.emulator.groups import GroupBook
from bot.emulator.intercept import InterceptBook
from bot.emulator.jsapi import TicketBook
from bot.emulator.kf import KfBook
from bot.emulator.later import Later
from bot.emulator.limits import Limits
from bot.emulator.media import MediaBook
from bot.emulator.media_url import FetchBook
from bot.emulator.moment_book import MomentBook
from bot.emulator.oauth import OAuthBook
from bot.emulator.tokens import TokenBook
from bot.emulator.transfers import TransferBook
from bot.emulator.webhook import WebhookBook

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
    trusted_domains: frozenset[str] | None = None
    """Where OAuth may redirect to (host and port; 50001 else); ``None`` means anywhere."""

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
    resigned_at: datetime | None = None


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
    chats: ChatBook = field(default_factory=ChatBook)
    menus: dict[int, list[dict[str, object]]] = field(default_factory=dict)
    """The menu buttons of each app that has set some."""
    fetches: FetchBook = field(default_factory=FetchBook)
    oauth: OAuthBook = field(default_factory=OAuthBook)
    jsapi: TicketBook = field(default_factory=TicketBook)
    client: ClientBook = field(default_factory=ClientBook)
    moments: MomentBook = field(default_factory=MomentBook)
    acquisition: AcquisitionBook = field(default_factory=AcquisitionBook)
    intercepts: InterceptBook = field(default_factory=InterceptBook)
    transfers: TransferBook = field(default_factory=TransferBook)
    limits: Limits = field(default_factory=Limits)
    assumed: Assumed = field(default_factory=Assumed)
    verified: bool = True
    """The corp has verified its name; one that has not may open 10 kf accounts (95027)."""
    base_url: str = "http://127.0.0.1"
    """Where this world is served, once it is: addresses in callbacks begin with it."""
    aibot_files: dict[str, SentFile] = field(default_factory=dict)
    rng: random.Random = field(init=False)
    later: Later = field(init=False)
    tokens: TokenBook = field(init=False)
    callbacks: CallbackSender = field(init=False)
    kf: KfBook = field(init=False)
    app_messages: AppBook = field(init=False)
    media: MediaBook = field(init=False)
    aibots: AiBotBook = field(init=False)
    aibot_lines: Lines = field(init=False)
    bot_poster: BotPoster = field(init=False)
    webhooks: WebhookBook = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)  # noqa: S311 - ids of an emulator, not secrets
        self.later = Later(self)
        self.tokens = TokenBook(self)
        self.callbacks = CallbackSender(self)
        self.kf = KfBook(self)
        self.app_messages = AppBook(self)
        self.media = MediaBook(self)
        self.aibots = AiBotBook(self)
        self.aibot_lines = Lines(self)
        self.bot_poster = BotPoster(self)
        self.webhooks = WebhookBook(self)

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

    def set_app(
        self,
        agent_id: int,
        *,
        enabled: bool,
        allowed_ips: Iterable[str] | None = None,
        trusted_domains: Iterable[str] | None = None,
    ) -> None:
        """Change an app as the console does; an empty list of addresses or domains lifts it."""
        app = replace(self.apps[agent_id], enabled=enabled)
        if allowed_ips is not None:
            app = replace(app, allowed_ips=frozenset(allowed_ips) or None)
        if trusted_domains is not None:
            app = replace(app, trusted_domains=frozenset(trusted_domains) or None)
        self.apps[agent_id] = app

    def settle_member(self, userid: str, name: str, *, role: str = "", branch: str = "") -> Member:
        """Put somebody into the bank's staff by userid and name."""
        return self.add_member(Member(userid, name, role or Member.role, branch))

    def settle_customer(self, external_userid: str, nickname: str, age: int | None = None) -> str:
        """Let the world know a WeChat user; return the id, a new one unless one is given."""
        external_userid = external_userid or self.new_id("wm")
        self.add_customer(Customer(external_userid, nickname, age))
        return external_userid

    def archive_app(self) -> tuple[App, ...]:
        """Return what the archive's own secret stands for, nothing without an archive."""
        secret = self.archive.secret
        return (App(ARCHIVE_AGENT, secret, "会话内容存档"),) if secret else ()

    def ring(self, config: str, fields: Mapping[str, object]) -> None:
        """Queue an encrypted callback to the configuration ``config``; lost if there is none.

        ``ToUserName`` and ``CreateTime`` are filled in. A value may be a mapping (a nested
        element) or a list (the element repeated).
        """
        self.callbacks.queue(config, fields)
