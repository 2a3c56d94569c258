"""Settings: one frozen class for each table of ``config.toml``; the environment wins."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from bot.config.leads import LeadSettings
from bot.config.mistakes import problem
from bot.config.parts import (
    AibotSettings,
    ArchiveSettings,
    DatabaseSettings,
    EmbeddingSettings,
    KfSettings,
    KnowledgeSettings,
    LlmSettings,
    LogSettings,
    Part,
    RerankSettings,
    RetentionSettings,
    ServerSettings,
    SidebarSettings,
    SopSettings,
    SpeechSettings,
    StaffSettings,
    WeComSettings,
)
from bot.errors import ConfigError, ContentError, Problem


class Settings(BaseSettings):
    """Everything that can be set."""

    model_config = SettingsConfigDict(
        env_prefix="BOT_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    wecom: WeComSettings = WeComSettings()
    archive: ArchiveSettings = ArchiveSettings()
    kf: KfSettings = KfSettings()
    aibot: AibotSettings = AibotSettings()
    staff: StaffSettings = StaffSettings()
    leads: LeadSettings = LeadSettings()
    sidebar: SidebarSettings = SidebarSettings()
    database: DatabaseSettings = DatabaseSettings()
    server: ServerSettings = ServerSettings()
    llm: LlmSettings = LlmSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    rerank: RerankSettings = RerankSettings()
    speech: SpeechSettings = SpeechSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    sop: SopSettings = SopSettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over what the file says."""
        return env_settings, init_settings


def load_settings(file: Path, **overrides: dict[str, Any]) -> Settings:
    """Read ``config.toml`` and the environment; raise ``ContentError`` with every problem.

    ``overrides`` are settings by table that win over both.
    """
    try:
        text = file.read_text("utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"读不了 {file.name}：请检查文件权限，并存成 UTF-8。") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = int(match.group(1)) if (match := re.search(r"line (\d+)", str(error))) else 0
        raise ContentError(
            [Problem(file.name, line, "", "不是正确的 TOML", "检查这一行的引号、等号和方括号")]
        ) from error
    try:
        settings = Settings(**data)
    except ValidationError as error:
        raise ContentError(problem(file.name, text, item) for item in error.errors()) from error
    except SettingsError as error:  # a whole table in one variable has to be JSON
        table = match.group(1).upper() if (match := re.search(r'"(\w+)"', str(error))) else "…"
        raise ConfigError(
            f"环境变量 BOT_{table} 或 BOT_{table}__… 看不懂：一个变量只写一项，例如 "
            "BOT_SERVER__PORT=8080、BOT_ARCHIVE__KEYS__1=keys/archive-1.pem。"
        ) from None
    for table, values in overrides.items():
        part: Part = getattr(settings, table)
        try:
            forced = part.model_validate(part.model_dump() | values)
        except ValidationError as error:
            items = [{**item, "loc": (table, *item["loc"])} for item in error.errors()]
            raise ContentError(problem(file.name, text, item) for item in items) from error
        settings = settings.model_copy(update={table: forced})
    return settings


def require_aibot(settings: Settings) -> None:
    """Raise ``ConfigError`` in one sentence where the AI bot's mode lacks what it needs."""
    bot = settings.aibot
    needed = {
        "": {},
        "websocket": {"bot_id": bot.bot_id, "secret": bot.secret.get_secret_value()},
        "webhook": {
            "token": bot.token.get_secret_value(),
            "aes_key": bot.aes_key.get_secret_value(),
        },
    }[bot.mode]
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise ConfigError(
            f"智能机器人选了 {bot.mode}，还缺 [aibot] {'、'.join(missing)}。"
            "请在企业微信「智能机器人 → API 模式」里找到它们填上，或把 [aibot] mode 留空。"
        )


def require_wecom(settings: Settings) -> None:
    """Raise ``ConfigError`` in one sentence that names every WeCom setting that is missing."""
    wecom = settings.wecom
    needed = {
        "BOT_WECOM__CORP_ID": wecom.corp_id,
        "BOT_WECOM__SECRET": wecom.secret.get_secret_value(),
        "BOT_WECOM__AGENT_ID": wecom.agent_id,
        "BOT_WECOM__CALLBACK_TOKEN": wecom.callback_token.get_secret_value(),
        "BOT_WECOM__CALLBACK_AES_KEY": wecom.callback_aes_key.get_secret_value(),
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise ConfigError(
            f"还缺 {len(missing)} 项企业微信设置：{'、'.join(missing)}。"
            "请在企业微信管理后台的自建应用里找到它们，设成环境变量或写进 config.toml 的 [wecom]。"
            "只想先看看，请运行 zhilin demo。"
        )
