"""Who is at the browser (wecom_protocol §9.3): where a member is sent, and what comes back."""

from __future__ import annotations

from urllib.parse import urlencode

from bot.wecom.client import WeComClient
from bot.wecom.fields import text

# The code is used up, too old, not ours, or was never one: the member only has to come again.
SPENT_CODES = frozenset({40029, 42003, 42022})


class LoginApi:
    """OAuth in WeCom's client; raises as ``WeComClient`` does."""

    def __init__(self, client: WeComClient, oauth_url: str, corp_id: str, agent_id: int) -> None:
        self._client = client
        self._page = oauth_url
        self._corp_id = corp_id
        self._agent_id = agent_id

    def page(self, back_to: str, state: str) -> str:
        """Return where a member is sent; ``state`` is at most 128 of a-z A-Z 0-9."""
        query = {
            "appid": self._corp_id,
            "redirect_uri": back_to,
            "response_type": "code",
            "scope": "snsapi_base",
            "state": state,
            "agentid": self._agent_id,
        }
        return f"{self._page}?{urlencode(query)}#wechat_redirect"

    async def member(self, code: str) -> str:
        """Return the userid behind a code; "" where it is a customer's, not a member's."""
        return text(await self._client.get("auth/getuserinfo", code=code), "userid")
