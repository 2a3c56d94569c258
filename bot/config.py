"""Settings: one frozen class for each table of ``config.toml``; the environment wins."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import ConfigError, ContentError, Problem


class Part(BaseModel):
    """A table of ``config.toml``."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class CallbackSettings(Part):
    """One more callback configuration, answered at ``/wecom/callback/NAME``."""

    token: SecretStr = SecretStr("")
    aes_key: SecretStr = SecretStr("")


class WeComSettings(Part):
    """How WeCom is reached and how it reaches us."""

    api_base: str = "https://qyapi.weixin.qq.com"
    corp_id: str = ""
    secret: SecretStr = SecretStr("")
    agent_id: int = 0
    callback_token: SecretStr = SecretStr("")
    callback_aes_key: SecretStr = SecretStr("")
    callbacks: dict[str, CallbackSettings] = Field(default_factory=dict)
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    replay_window_seconds: int = Field(default=3600, ge=60)


class ArchiveSettings(Part):
    """Whether group messages can be read (会话内容存档), and from where."""

    url: str = ""
    secret: SecretStr = SecretStr("")


class KfSettings(Part):
    """The 微信客服 account that customers are sent to."""

    link: str = ""
    repeated_msgid_code: int = 40058  # WeCom publishes no code of its own for it


class DatabaseSettings(Part):
    """Where what happened is kept."""

    url: str = "sqlite:///data/zhilin.db"
    durable: bool = True


class ServerSettings(Part):
    """Where the bot listens."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)


class LlmSettings(Part):
    """The language model; without one, the approved texts themselves are the answers."""

    model: str = ""
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    timeout_seconds: float = Field(default=8.0, gt=0, le=60)


class EmbeddingSettings(Part):
    """The model that turns text into vectors; by default one that comes with the program."""

    model: str = ""
    base_url: str = ""
    api_key: SecretStr = SecretStr("")
    dimensions: int = Field(default=0, ge=0, le=8192)


class KnowledgeSettings(Part):
    """Where the index of knowledge lies, and the vectors that were made once."""

    folder: str = "data/index"
    cache: str = "data/vectors.sqlite"
    store: Literal["chroma", "memory"] = "chroma"


class LogSettings(Part):
    """How much is logged, and how."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    as_json: bool = False


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
    database: DatabaseSettings = DatabaseSettings()
    server: ServerSettings = ServerSettings()
    llm: LlmSettings = LlmSettings()
    embedding: EmbeddingSettings = EmbeddingSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
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
        raise ConfigError(f"读不了 {file.name}:请检查文件权限，并存成 UTF-8。") from error
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
        raise ContentError(_problem(file.name, text, item) for item in error.errors()) from error
    for table, values in overrides.items():
        part: Part = getattr(settings, table)
        forced = part.model_validate(part.model_dump() | values)
        settings = settings.model_copy(update={table: forced})
    return settings


def _problem(file: str, text: str, item: Any) -> Problem:
    path = [str(part) for part in item["loc"]]
    what, mend = _explain(item)
    variable = f"BOT_{'__'.join(path).upper()}"
    in_file = _line(text, path)
    if in_file and variable not in os.environ:  # the environment wins, so it is what is wrong
        return Problem(file, in_file, ".".join(path), what, mend)
    return Problem(f"环境变量 {variable}", 0, "", what, mend)


def _explain(item: Any) -> tuple[str, str]:
    """Say a setting's error and its mend in Chinese; the value itself is never repeated."""
    context = item.get("ctx", {})
    kind = item["type"]
    if kind == "extra_forbidden":
        return "没有这一项设置", "删掉它，或对照 README 的设置表改名"
    if kind == "literal_error":
        return "不是允许的值", f"只能写：{context.get('expected', '')}"
    if kind.startswith(("int_", "float_")):
        return "应当是一个数", "改成数字，不加引号"
    if kind.startswith("bool_"):
        return "应当是 true 或 false", "改成 true 或 false"
    bounds = {"greater_than": "大于", "greater_than_equal": "不小于", "less_than_equal": "不大于"}
    if kind in bounds:
        bound = next(iter(context.values()), "")
        return "数值超出范围", f"应当{bounds[kind]} {bound}"
    return "写法不对", "对照示例的 config.toml 改"


def _line(text: str, path: list[str]) -> int:
    """Find the line of a dotted key; 0 where the file does not have it."""
    table, found = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[([^\]]+)\]", line):
            table = header.group(1).strip()
            if table == ".".join(path):
                found = number
        elif key := re.match(r"\s*([\w-]+)\s*=", line):
            full = f"{table}.{key.group(1)}" if table else key.group(1)
            if full == ".".join(path):
                return number
    return found


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
