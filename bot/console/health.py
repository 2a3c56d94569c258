"""Whether the bot is alive, and whether it can work."""

from __future__ import annotations

from aiohttp import web

from bot.storage.db import Database


def health_routes(database: Database) -> list[web.RouteDef]:
    """Return ``/healthz`` (the process answers) and ``/readyz`` (the database does too)."""

    async def alive(request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(request: web.Request) -> web.Response:
        if not await database.ready():
            return web.json_response({"status": "database unreachable"}, status=503)
        return web.json_response({"status": "ready"})

    return [web.get("/healthz", alive), web.get("/readyz", ready)]
