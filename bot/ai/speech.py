"""Speech into text, over any endpoint that speaks OpenAI's transcription API.

LangChain has no call for it, and OpenAI's own client would be a second way to the same servers:
it is one multipart POST.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from bot.errors import ConfigError, Retryable
from bot.ports import Speech

_LARGEST_ANSWER = 64 * 1024  # a voice message lasts a minute at most
_LANGUAGE = "zh"


class OpenAiSpeech:
    """A model behind POST {base_url}/audio/transcriptions: Whisper, SenseVoice, FunASR, Qwen."""

    def __init__(self, model: str, base_url: str, api_key: str, wait_for: float) -> None:
        self._model = model
        self._url = base_url.rstrip("/") + "/audio/transcriptions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._wait_for = wait_for
        self._session: aiohttp.ClientSession | None = None

    async def transcribe(self, audio: bytes, form: str) -> str:
        """Return the words of a recording; raise ``Retryable`` on a time-out or a failure."""
        try:
            async with asyncio.timeout(self._wait_for):
                return await self._asked(audio, form)
        except TimeoutError as error:
            raise Retryable("speech model: too slow") from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Retryable(f"speech model: {type(error).__name__}") from error

    async def _asked(self, audio: bytes, form: str) -> str:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        body = aiohttp.FormData()
        name, kind = f"voice.{form}", f"audio/{form}"
        body.add_field("file", audio, filename=name, content_type=kind)
        for field, value in (
            ("model", self._model),
            ("language", _LANGUAGE),
            ("response_format", "json"),
        ):
            body.add_field(field, value)
        async with self._session.post(self._url, data=body, headers=self._headers) as answer:
            if answer.status != 200:
                raise Retryable(f"speech model: http {answer.status}")
            if (answer.content_length or 0) > _LARGEST_ANSWER:
                raise Retryable("speech model: answer too long")
            found = await answer.json(content_type=None)
        text = found.get("text") if isinstance(found, dict) else None
        if not isinstance(text, str):
            raise Retryable("speech model: no text in the answer")
        return text.strip()

    async def close(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()


@asynccontextmanager
async def open_speech(
    model: str = "", *, base_url: str = "", api_key: str = "", wait_for: float = 20.0
) -> AsyncIterator[Speech | None]:
    """Open a speech model; None where the settings name none: voices are then for people."""
    if not model and not base_url:
        yield None
        return
    if not model or not base_url:
        raise ConfigError("要听语音，config.toml 的 [speech] 里 model 和 base_url 两项都要写。")
    speech = OpenAiSpeech(model, base_url, api_key, wait_for)
    try:
        yield speech
    finally:
        await speech.close()
