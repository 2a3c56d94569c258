"""Writing a line into an account's log, and ringing the doorbell for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.emulator.kf_state import KfAccount
    from bot.emulator.world import World

CONFIG = "kf"


def write(world: World, account: KfAccount, item: dict[str, object]) -> None:
    """Append a line; ring with a new token unless a ring for this account still waits."""
    now = world.now()
    account.log.append(now, item)
    key = f"kf:{account.open_kfid}"
    if world.callbacks.is_waiting(key):
        return
    token = world.new_id("ENC") + world.new_id("")
    account.log.give_token(token, now)
    fields = {
        "MsgType": "event",
        "Event": "kf_msg_or_event",
        "Token": token,
        "OpenKfId": account.open_kfid,
    }
    world.callbacks.queue(CONFIG, fields, key=key)
