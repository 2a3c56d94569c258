"""What every Speech keeps to."""

from bot.ports import Speech


class SpeechContract:
    """Subclass with a ``speech`` fixture that hears something in any recording."""

    async def test_it_writes_down_words_without_edges(self, speech: Speech) -> None:
        text = await speech.transcribe(b"#!AMR\n" + bytes(64), "amr")
        assert text
        assert text == text.strip()
