"""One frozen class for each table of ``config.toml``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bot.config.addresses import starts_with

WebAddress = Annotated[str, starts_with("http://", "https://")]
SecretWebAddress = Annotated[SecretStr, starts_with("http://", "https://")]
SocketAddress = Annotated[str, starts_with("wss://", "ws://")]
ProxyAddress = Annotated[str, starts_with("http://", "https://", "socks5://")]


class Part(BaseModel):
    """A table of ``config.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class CallbackSettings(Part):
    """One more callback configuration, answered at ``/wecom/callback/NAME``.

    The previous keys are good beside the new ones until they are taken out.
    """

    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")
    previous_token: SecretStr = SecretStr("")
    previous_aes_key: SecretStr = SecretStr("")


class WeComSettings(Part):
    """How WeCom is reached and how it reaches us.

    ``proxy`` is the way out of the bank's network, http://user:password@host:port; ``ca_file``
    are certificates in PEM that are trusted beside the system's own.
    """

    api_base: WebAddress = "https://qyapi.weixin.qq.com"
    corp_id: str = ""
    secret: SecretStr = SecretStr("")
    agent_id: int = 0
    callback_token: SecretStr = SecretStr("")
    callback_aes_key: SecretStr = SecretStr("")
    previous_callback_token: SecretStr = SecretStr("")
    previous_callback_aes_key: SecretStr = SecretStr("")
    callbacks: dict[str, CallbackSettings] = Field(default_factory=dict)
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    replay_window_seconds: int = Field(default=3600, ge=60)
    proxy: SecretWebAddress = SecretStr("")
    ca_file: str = ""


class ArchiveSettings(Part):
    """Whether group messages can be read (会话内容存档), and how: a bridge's URL or the library.

    ``keys`` are PEM files of RSA private keys by the version of their public key.
    """

    url: WebAddress = ""
    library: str = ""
    secret: SecretStr = SecretStr("")
    keys: dict[str, str] = Field(default_factory=dict)
    proxy: ProxyAddress = ""
    proxy_password: SecretStr = SecretStr("")
    timeout_seconds: int = Field(default=10, ge=1, le=60)


class KfSettings(Part):
    """The 微信客服 account that customers are sent to, and how long a person may keep a talk.

    A talk is the bot's again where a person has not said a first word for ``wait_minutes``, or
    nobody has said one for ``idle_minutes``. A customer who talked with a person is invited to add
    him once in ``invite_days``; 0 invites nobody unasked.
    """

    link: WebAddress = ""
    wait_minutes: int = Field(default=15, ge=1, le=240)
    idle_minutes: int = Field(default=30, ge=5, le=1440)
    invite_days: int = Field(default=90, ge=0, le=400)  # who was asked is kept so long
    repeated_msgid_code: int = 40058  # WeCom publishes no code of its own for it


class AibotSettings(Part):
    """The AI bot (智能机器人) that the bank's own staff ask; an empty ``mode`` means there is none.

    ``bot_id`` and ``secret`` are for the WebSocket; ``token`` and ``aes_key`` are for the webhook,
    whose address is ``/wecom/callback/aibot``.
    """

    mode: Literal["", "websocket", "webhook"] = ""
    bot_id: str = ""
    secret: SecretStr = SecretStr("")
    ws_url: SocketAddress = "wss://openws.work.weixin.qq.com"
    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")


class StaffSettings(Part):
    """How the bank's own staff are told: an internal group's message push, and the daily brief.

    ``card_link`` is the page that a lead's card and a warning's open where the sidebar has no
    address; without either a warning is a plain text. ``member_briefs`` gives each member a brief
    of their own on working days. What a member would get beyond ``a_minute`` messages is put
    together into one; what is grave never.
    """

    group_webhook: SecretWebAddress = SecretStr("")
    brief_hour: int = Field(default=9, ge=0, le=23)
    member_briefs: bool = True
    a_minute: int = Field(default=6, ge=1, le=12)
    card_link: WebAddress = ""


class SidebarSettings(Part):
    """The page inside WeCom's chat sidebar, at ``/sidebar``.

    ``url`` is its public address, such as https://bot.bank.example/sidebar; empty: as the request
    has it. ``sdk_url`` is WeCom's JS-SDK, whose origin alone may run scripts in the page beside
    our own; ``oauth_url`` is where a member says who he is. ``secret`` signs the sessions; empty:
    one is made of the application's secret.
    """

    enabled: bool = True
    url: WebAddress = ""
    sdk_url: WebAddress = "https://wwcdn.weixin.qq.com/node/open/js/wecom-jssdk-2.3.4.js"
    oauth_url: WebAddress = "https://open.weixin.qq.com/connect/oauth2/authorize"
    session_hours: int = Field(default=8, ge=1, le=24)
    secret: SecretStr = SecretStr("")


class DatabaseSettings(Part):
    """Where what happened is kept; ``pool`` is the most connections of a process to PostgreSQL."""

    url: str = "sqlite:///data/zhilin.db"
    durable: bool = True
    pool: int = Field(default=10, ge=2, le=200)


class ServerSettings(Part):
    """Where the bot listens, and how long it may take to finish what it has in hand at the end.

    ``base_path`` is the path under which a reverse proxy passes requests on, such as /zhilin.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    base_path: str = Field(default="", pattern=r"^(?:/[0-9A-Za-z._~-]+)*$")
    drain_seconds: float = Field(default=20.0, ge=0, le=600)


class LlmSettings(Part):
    """The language model; without one, the approved texts themselves are the answers."""

    model: str = ""
    base_url: WebAddress = ""
    api_key: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=8.0, gt=0, le=60)


class EmbeddingSettings(Part):
    """The model that turns text into vectors; by default one that comes with the program.

    ``base_url`` is an OpenAI-compatible endpoint, ``folder`` a sentence-transformers model with
    ONNX weights; ``second`` a bundled model that scores once more what the first one found.
    ``batch`` is how many texts an endpoint gets at once, ``timeout_seconds`` how long a question
    waits for it. The prefixes are what a folder's model wants before each text, where its own
    files do not say.
    """

    model: str = ""
    base_url: WebAddress = ""
    api_key: SecretStr = SecretStr("")
    dimensions: int = Field(default=0, ge=0, le=8192)
    batch: int = Field(default=32, ge=1, le=512)
    timeout_seconds: float = Field(default=5.0, gt=0, le=60)
    folder: str = ""
    query_prefix: str = ""
    passage_prefix: str = ""
    second: Literal["", "use-m3"] = "use-m3"


class RerankSettings(Part):
    """The model that puts what was found in a better order; without one, the order stays."""

    model: str = ""
    base_url: WebAddress = ""
    api_key: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=2.0, gt=0, le=60)


class SpeechSettings(Part):
    """The model that hears voice messages; without one, a person is called to listen."""

    model: str = ""
    base_url: WebAddress = ""
    api_key: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=20.0, gt=0, le=60)


class KnowledgeSettings(Part):
    """Where the index of knowledge lies, and the vectors that were made once.

    ``url`` and ``token`` are those of a Chroma server, which several processes may share.
    ``caution`` "careful" declines more, so that fewer near misses are answered.
    """

    folder: str = "data/index"
    cache: str = "data/vectors.sqlite"
    store: Literal["chroma", "chroma-server", "memory"] = "chroma"
    caution: Literal["normal", "careful"] = "normal"
    url: WebAddress = ""
    token: SecretStr = SecretStr("")


Share = Annotated[float, Field(ge=0, le=0.5)]


class SopSettings(Part):
    """How scripts come into force.

    ``approval``: "file" believes a file's own 审批; "required" sends nothing that was not approved
    by ``zhilin sop approve``. ``publish``: "save" lets a saved file that passes every check work
    at once; "command" keeps it until ``zhilin sop publish``. ``unknown_year``: in a year whose
    holidays are not published yet steps go by the days of law ("provisional"), or wait ("hold").

    The rest is how often one subject is reached over all scripts together, besides each script's
    own 护栏: what sells one to one in any 7 and any 30 days, mass messages to a group a day and in
    any 7 days. ``fatigue`` halves what sells to a customer after three messages in a row without
    a word back.

    ``global_holdout`` is the share of subjects that nothing but service and anti-fraud reaches,
    drawn anew every year; ``program_holdout`` keeps a share out of all scripts of a 互斥组, by
    its name. Without them nobody can tell what the messages bring about.
    """

    approval: Literal["file", "required"] = "file"
    publish: Literal["save", "command"] = "save"
    unknown_year: Literal["provisional", "hold"] = "provisional"
    marketing_a_week: int = Field(2, ge=0)
    marketing_a_month: int = Field(4, ge=0)
    group_a_day: int = Field(1, ge=1)
    group_a_week: int = Field(5, ge=1)
    fatigue: bool = True
    global_holdout: float = Field(0.05, ge=0, le=0.15)
    program_holdout: dict[str, Share] = Field(default_factory=dict)


class RetentionSettings(Part):
    """How many days what is over is kept; 0 keeps it for ever."""

    # Whatever WeCom may still send again lies within two weeks; caps are kept by themselves.
    done_days: int = Field(default=30, ge=14)
    turns_days: int = Field(default=180, ge=0)
    ledger_days: int = Field(default=0, ge=0)
    # Events of customers, why somebody did not enter, and the steps of runs that are over: a run
    # lasts a year and looks back on it.
    history_days: int = Field(default=730, ge=400)


class LogSettings(Part):
    """How much is logged, and how."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    as_json: bool = False
