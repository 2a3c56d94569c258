"""Speech over an OpenAI-compatible endpoint, and its failures."""

from collections.abc import AsyncIterator

import pytest

from bot.ai.speech import open_speech
from bot.errors import ConfigError, Retryable
from bot.ports import Speech
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.contracts.speech import SpeechContract

AUDIO = b"#!AMR\n" + bytes(range(64))


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        running.says = " 存单到期了怎么办 "
        yield running


class TestOpenAiSpeech(SpeechContract):
    @pytest.fixture
    async def speech(self, server: OpenAiServer) -> AsyncIterator[Speech]:
        async with open_speech(
            "sense-voice", base_url=server.url, api_key="k", wait_for=5
        ) as opened:
            assert opened is not None
            yield opened

    async def test_the_recording_arrives_whole_with_its_form(
        self, speech: Speech, server: OpenAiServer
    ) -> None:
        assert await speech.transcribe(AUDIO, "amr") == "存单到期了怎么办"
        (asked,) = server.asked
        assert asked["audio"] == AUDIO
        assert (asked["name"], asked["type"]) == ("voice.amr", "audio/amr")
        assert (asked["model"], asked["language"]) == ("sense-voice", "zh")

    async def test_silence_is_no_words_and_no_error(
        self, speech: Speech, server: OpenAiServer
    ) -> None:
        server.fault = "empty"
        assert await speech.transcribe(AUDIO, "amr") == ""

    @pytest.mark.parametrize("fault", [500, 429, 401, 400, "html", "no_text"])
    async def test_every_failure_is_retryable_and_tells_nothing_of_the_server(
        self, speech: Speech, server: OpenAiServer, fault: int | str
    ) -> None:
        server.fault = fault
        with pytest.raises(Retryable) as caught:
            await speech.transcribe(AUDIO, "amr")
        assert "db01" not in str(caught.value)


async def test_who_does_not_answer_in_time_has_failed(server: OpenAiServer) -> None:
    server.fault = "slow"
    async with open_speech("m", base_url=server.url, wait_for=0.2) as speech:
        assert speech is not None
        with pytest.raises(Retryable, match="too slow"):
            await speech.transcribe(AUDIO, "amr")


async def test_nobody_there_is_retryable() -> None:
    async with open_speech("m", base_url="http://127.0.0.1:9", wait_for=2) as speech:
        assert speech is not None
        with pytest.raises(Retryable):
            await speech.transcribe(AUDIO, "amr")


async def test_without_settings_there_is_none_and_half_of_them_are_a_mistake() -> None:
    async with open_speech() as speech:
        assert speech is None
    for half in ({"model": "m"}, {"base_url": "http://127.0.0.1:9"}):
        with pytest.raises(ConfigError, match="speech"):
            async with open_speech(**half):
                pass
