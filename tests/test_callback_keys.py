"""The settings of callbacks: whose keys are good at which address."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Settings, load_settings
from bot.errors import CallbackRejected, ConfigError, ContentError
from bot.front import configurations
from bot.wecom.crypto import CallbackCrypto, open_envelope
from tests.channels.door import CORP, KEYS, sealed
from tests.make import NOON

NOW, BEFORE, BOT = KEYS["now"], KEYS["before"], KEYS["bot"]
FILE = f"""
[wecom]
corp_id = "{CORP}"
callback_token = "{NOW[0]}"
callback_aes_key = "{NOW[1]}"
"""


def settings(folder: Path, more: str = "") -> Settings:
    file = folder / "config.toml"
    file.write_text(FILE + more, "utf-8")
    return load_settings(file)


def opens(crypto: CallbackCrypto, token: str, aes_key: str, receive_id: str = CORP) -> bool:
    post = sealed("<xml></xml>", CallbackCrypto(token, aes_key, receive_id))
    try:
        return open_envelope(post.body, post.query, crypto, NOON) == "<xml></xml>"
    except CallbackRejected:
        return False


def test_without_more_only_the_current_keys_open(tmp_path: Path) -> None:
    found = configurations(settings(tmp_path))
    assert list(found) == [""]
    assert opens(found[""], *NOW)
    assert not opens(found[""], *BEFORE)


@pytest.mark.parametrize(
    ("token", "aes_key"), [BEFORE, (BEFORE[0], ""), ("", BEFORE[1])], ids=["both", "token", "key"]
)
def test_what_of_the_previous_keys_is_left_out_was_not_changed(
    tmp_path: Path, token: str, aes_key: str
) -> None:
    more = f'previous_callback_token = "{token}"\nprevious_callback_aes_key = "{aes_key}"\n'
    crypto = configurations(settings(tmp_path, more))[""]
    assert opens(crypto, *NOW)
    assert opens(crypto, token or NOW[0], aes_key or NOW[1])


def test_each_named_configuration_has_keys_of_its_own(tmp_path: Path) -> None:
    more = f"""
[wecom.callbacks.kf]
token = "{BEFORE[0]}"
aes_key = "{BEFORE[1]}"
previous_token = "Older"

[aibot]
mode = "webhook"
token = "{BOT[0]}"
aes_key = "{BOT[1]}"
"""
    found = configurations(settings(tmp_path, more))
    assert list(found) == ["", "kf", "aibot"]
    assert opens(found["kf"], *BEFORE)
    assert opens(found["kf"], "Older", BEFORE[1])
    assert not opens(found["kf"], *NOW)
    assert opens(found["aibot"], *BOT, receive_id="")
    assert not opens(found["aibot"], *BOT)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ('previous_callback_aes_key = "short"', "BOT_WECOM__PREVIOUS_CALLBACK_AES_KEY"),
        ("[wecom.callbacks.kf]", "BOT_WECOM__CALLBACKS__KF__TOKEN"),
        (
            '[wecom.callbacks.kf]\ntoken = "t"\nprevious_aes_key = "short"',
            "BOT_WECOM__CALLBACKS__KF__PREVIOUS_AES_KEY",
        ),
    ],
)
def test_a_key_that_is_wrong_is_named_by_its_setting(tmp_path: Path, more: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        configurations(settings(tmp_path, more))


@pytest.mark.parametrize("path", ["zhilin", "/zhilin/", "/a b", "//", "/好", "/a?b"])
def test_a_base_path_that_is_none_is_refused_with_its_mend(tmp_path: Path, path: str) -> None:
    with pytest.raises(ContentError) as wrong:
        settings(tmp_path, f'\n[server]\nbase_path = "{path}"\n')
    assert "config.toml:8" in str(wrong.value)
    assert "不是一段路径" in str(wrong.value)


@pytest.mark.parametrize("path", ["", "/zhilin", "/bank/zhilin-2"])
def test_a_base_path_is_taken(tmp_path: Path, path: str) -> None:
    assert settings(tmp_path, f'\n[server]\nbase_path = "{path}"\n').server.base_path == path


def test_the_ai_bots_name_is_not_for_other_callbacks(tmp_path: Path) -> None:
    more = f'[wecom.callbacks.aibot]\ntoken = "{BOT[0]}"\naes_key = "{BOT[1]}"\n'
    with pytest.raises(ConfigError, match="aibot"):
        configurations(settings(tmp_path, more))
