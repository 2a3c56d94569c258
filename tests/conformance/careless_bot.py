"""A bot as many are: it works inside the callback, forgets its cursor, and answers everybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from bot.app import listening
from bot.channels.callback import PATH
from bot.clock import SystemClock
from bot.conformance.run import Order
from bot.wecom.crypto import CallbackCrypto, open_echo, open_envelope, parse_xml


class CarelessBot:
    """Pulls from the start at each doorbell and answers whatever comes last."""

    def __init__(self, order: Order, session: aiohttp.ClientSession) -> None:
        self._order = order
        self._session = session
        self._api = f"http://127.0.0.1:{order.port}/cgi-bin/"
        self._crypto = CallbackCrypto(order.token, order.aes_key, order.corp_id)
        self._clock = SystemClock()

    async def verify(self, request: web.Request) -> web.Response:
        return web.Response(text=open_echo(request.query, self._crypto, self._clock.now()))

    async def receive(self, request: web.Request) -> web.Response:
        plain = open_envelope(await request.read(), request.query, self._crypto, self._clock.now())
        fields = parse_xml(plain)
        account = str(fields["OpenKfId"])
        query = {"corpid": self._order.corp_id, "corpsecret": self._order.secret}
        async with self._session.get(self._api + "gettoken", params=query) as answer:
            token = (await answer.json())["access_token"]
        page = await self._call(token, "kf/sync_msg", open_kfid=account, token=fields["Token"])
        last = page["msg_list"][-1]
        if last["msgtype"] == "text":
            await self._call(
                token,
                "kf/send_msg",
                touser=last["external_userid"],
                open_kfid=account,
                msgtype="text",
                text={"content": "您好，请讲。"},
            )
        return web.Response()

    async def _call(self, access: str, path: str, **body: object) -> dict[str, Any]:
        url = self._api + path
        async with self._session.post(url, params={"access_token": access}, json=body) as answer:
            return dict(await answer.json())


@asynccontextmanager
async def careless_bot(order: Order) -> AsyncIterator[str]:
    """Run the bot on loopback; give its callback address."""
    async with aiohttp.ClientSession() as session:
        bot = CarelessBot(order, session)
        application = web.Application()
        application.add_routes([web.get(PATH, bot.verify), web.post(PATH, bot.receive)])
        async with listening(application, "127.0.0.1", 0) as address:
            yield address + PATH
