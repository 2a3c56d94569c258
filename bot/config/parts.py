"""One frozen class for each table of ``config.toml``."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr


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
