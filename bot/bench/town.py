"""A bank's staff and customers in the local WeCom, played from outside over HTTP."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import aiohttp

from bot.domain.bank import Bank

_POLL_S = 0.02


class Town:
    """The local WeCom by its ``/emulator`` routes."""

    def __init__(self, session: aiohttp.ClientSession, wecom: Mapping[str, str]) -> None:
        self._session = session
        self._wecom = wecom
        self._base = wecom["BOT_WECOM__API_BASE"] + "/emulator/"
        self.account = ""

    async def settle(self, bank: Bank) -> None:
        """Put the bank's staff and one kf account there."""
        staff = [{"userid": m.userid, "name": m.name, "role": m.role} for m in bank.staff]
        await self._post("members", members=staff)
        servicers = [member.userid for member in bank.staff if member.branch is not None]
        made = await self._post("kf/accounts", name="小安", servicers=servicers)
        self.account = str(made["open_kfid"])

    async def listen(self, url: str) -> None:
        """Have callbacks sent to ``url``, which must answer WeCom's check now."""
        for name in ("app", "kf", "contact"):
            await self._post(
                "callbacks/config",
                name=name,
                url=url,
                token=self._wecom["BOT_WECOM__CALLBACK_TOKEN"],
                aes_key=self._wecom["BOT_WECOM__CALLBACK_AES_KEY"],
                verify=False,
            )

    async def customers(self, count: int) -> list[str]:
        """Let so many people come who never wrote before; return their ids."""
        people = [{"nickname": f"街坊{number}"} for number in range(count)]
        made = await self._post("customers", customers=people)
        return [str(customer) for customer in made["external_userids"]]

    async def ask(self, customer: str, words: str) -> float:
        """Have a customer write to 小安; return the Unix moment just before."""
        at = time.time()
        await self._post("kf/say", open_kfid=self.account, external_userid=customer, text=words)
        return at

    async def deliveries(self, since: int = 0) -> list[dict[str, Any]]:
        """Return what reached anybody after the delivery of that number."""
        async with self._session.get(f"{self._base}deliveries?since={since}") as answer:
            found: list[dict[str, Any]] = (await answer.json())["deliveries"]
            return found

    async def answers(self, customers: list[str]) -> dict[str, list[str]]:
        """Return the texts by which 小安 answered each customer."""
        found: dict[str, list[str]] = {customer: [] for customer in customers}
        for delivery in await self.deliveries():
            if _is_answer(delivery) and delivery["to"] in found:
                found[delivery["to"]].append(delivery["text"])
        return found

    async def all_answered(self, customers: list[str], within_s: float) -> bool:
        """Wait until every customer has an answer; False where one has none in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            if all((await self.answers(customers)).values()):
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _post(self, path: str, **body: object) -> dict[str, Any]:
        async with self._session.post(self._base + path, json=body) as answer:
            found: dict[str, Any] = await answer.json()
        if found["errcode"]:
            raise RuntimeError(f"{path}: {found['errmsg']}")
        return found


class Ear:
    """Notes when answers arrive, by the local WeCom's own clock, which runs with ours."""

    def __init__(self, town: Town) -> None:
        self._town = town
        self._seen = 0
        self._arrived: dict[str, float] = {}
        self._turn = asyncio.Lock()

    async def heard(self, customer: str, within_s: float) -> float | None:
        """Return the Unix moment of a customer's first answer; None where none came in time."""
        deadline = time.monotonic() + within_s
        while customer not in self._arrived:
            if time.monotonic() > deadline:
                return None
            async with self._turn:  # ten who ask at once would take the machine from who answers
                if customer not in self._arrived:
                    await self._listen()
                    await asyncio.sleep(_POLL_S)
        return self._arrived[customer]

    async def _listen(self) -> None:
        for delivery in await self._town.deliveries(self._seen):
            self._seen = max(self._seen, delivery["seq"])
            if _is_answer(delivery):
                at = datetime.fromisoformat(delivery["at"]).timestamp()
                self._arrived.setdefault(delivery["to"], at)


def _is_answer(delivery: Mapping[str, Any]) -> bool:
    return (delivery["kind"], delivery["source"]) == ("kf", "kf_send_msg")
