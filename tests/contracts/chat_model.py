"""What every ChatModel keeps to."""

from bot.domain.knowledge import Prompt
from bot.ports import ChatModel


class ChatModelContract:
    """Subclass with a ``chat`` fixture that can answer."""

    async def test_it_has_a_name_and_writes_text(self, chat: ChatModel) -> None:
        prompt = Prompt(
            system="只根据资料回答", question="存折还能用吗", passages=("能用。存折照常办。",)
        )
        text = await chat.write(prompt)
        assert chat.name
        assert text.strip() == text
        assert text
        pieces = [piece async for piece in chat.stream(prompt)]
        assert "".join(pieces).strip() == text
