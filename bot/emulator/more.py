"""The rest of the API groups in one list, and their controls and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiohttp import web

from bot.emulator import (
    acquisition_api,
    app_hands,
    appchat,
    archive_hands,
    archive_sealed,
    client,
    contact_statistics,
    directory,
    friend_hands,
    group_transfers,
    intercept,
    join_ways,
    jsapi,
    kf_hands,
    kf_knowledge,
    kf_statistics,
    media_url,
    menu,
    moment_hands,
    moments,
    msgaudit,
    oauth,
    settings,
    transfers,
)
from bot.emulator.wire import Api

if TYPE_CHECKING:
    from bot.emulator.world import World

APIS: tuple[Api, ...] = (
    *acquisition_api.APIS,
    *appchat.APIS,
    *contact_statistics.APIS,
    *directory.APIS,
    *group_transfers.APIS,
    *intercept.APIS,
    *join_ways.APIS,
    *jsapi.APIS,
    *kf_knowledge.APIS,
    *kf_statistics.APIS,
    *media_url.APIS,
    *menu.APIS,
    *moments.APIS,
    *msgaudit.APIS,
    *oauth.APIS,
    *transfers.APIS,
)
CONTROLS: tuple[Api, ...] = (
    *acquisition_api.CONTROLS,
    *app_hands.CONTROLS,
    *archive_hands.CONTROLS,
    *client.CONTROLS,
    *friend_hands.CONTROLS,
    *intercept.CONTROLS,
    *join_ways.CONTROLS,
    *jsapi.CONTROLS,
    *kf_hands.CONTROLS,
    *moment_hands.CONTROLS,
    *oauth.CONTROLS,
    *settings.CONTROLS,
    *transfers.CONTROLS,
)


def routes(world: World) -> list[web.RouteDef]:
    """Return the pages and files that stand beside ``/cgi-bin``."""
    return [*oauth.routes(world), *archive_sealed.routes(world)]
