import pytest
from aiohttp import web

from bot.errors import Retryable, WeComError
from bot.wecom.archive import ArchiveClient


async def test_messages_after_a_number_come_in_order(wire):
    seen = []

    async def chatdata(request):
        seen.append((dict(request.query), request.headers.get("X-Archive-Secret")))
        items = [{"seq": n, "msgid": str(n), "message": {"msgtype": "text"}} for n in (8, 7)]
        return web.json_response({"errcode": 0, "errmsg": "ok", "chatdata": items})

    wire.put("/archive/chatdata", chatdata)
    archive = ArchiveClient(wire.base, "s")
    assert [item["seq"] for item in await archive.pull(6, 5000)] == [7, 8]
    assert seen == [({"seq": "6", "limit": "1000"}, "s")]
    await archive.close()


async def test_a_refusal_and_a_failure_are_told_apart(wire):
    async def broken(request):
        return web.Response(status=500)

    refusals = [{"errcode": 301053, "errmsg": "not enabled"}, {"errcode": 40001, "errmsg": "bad"}]
    wire.put("/archive/chatdata", *refusals, broken)
    archive = ArchiveClient(wire.base, "s")
    with pytest.raises(WeComError) as refused:
        await archive.pull(0, 10)
    assert refused.value.errcode == 301053
    with pytest.raises(WeComError, match="BOT_ARCHIVE__SECRET"):
        await archive.pull(0, 10)
    with pytest.raises(Retryable):
        await archive.pull(0, 10)
    await archive.close()
