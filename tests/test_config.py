"""Settings: the file, the environment over it, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.config import Settings, load_settings, require_wecom
from bot.errors import ConfigError, ContentError, Problem
from bot.workspace import starter_root

SECRETS = {
    "BOT_WECOM__CORP_ID": "ww1",
    "BOT_WECOM__SECRET": "hush",
    "BOT_WECOM__AGENT_ID": "1000002",
    "BOT_WECOM__CALLBACK_TOKEN": "token",
    "BOT_WECOM__CALLBACK_AES_KEY": "k" * 43,
}


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(text, "utf-8")
    return file


def problems(tmp_path: Path, text: str) -> tuple[Problem, ...]:
    with pytest.raises(ContentError) as caught:
        load_settings(written(tmp_path, text))
    return caught.value.problems


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    settings = load_settings(tmp_path / "none.toml")
    assert settings.server.port == 8080
    assert settings.llm.model == ""
    assert settings.database.url.startswith("sqlite")


def test_the_starters_own_file_is_good() -> None:
    assert load_settings(starter_root() / "config.toml").wecom.api_base.startswith("https://")


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("BOT_WECOM__API_BASE", "http://127.0.0.1:1", lambda s: s.wecom.api_base),
        ("BOT_WECOM__CORP_ID", "ww9", lambda s: s.wecom.corp_id),
        ("BOT_WECOM__SECRET", "hush", lambda s: s.wecom.secret.get_secret_value()),
        ("BOT_WECOM__AGENT_ID", "1000009", lambda s: str(s.wecom.agent_id)),
        ("BOT_WECOM__CALLBACK_TOKEN", "t", lambda s: s.wecom.callback_token.get_secret_value()),
        ("BOT_WECOM__CALLBACK_AES_KEY", "k", lambda s: s.wecom.callback_aes_key.get_secret_value()),
        ("BOT_DATABASE__URL", "sqlite:///a.db", lambda s: s.database.url),
        ("BOT_SERVER__HOST", "0.0.0.0", lambda s: s.server.host),
        ("BOT_SERVER__PORT", "9090", lambda s: str(s.server.port)),
        ("BOT_LLM__MODEL", "qwen", lambda s: s.llm.model),
        ("BOT_LLM__BASE_URL", "http://127.0.0.1:2", lambda s: s.llm.base_url),
        ("BOT_LLM__API_KEY", "hush", lambda s: s.llm.api_key.get_secret_value()),
    ],
)
def test_the_fixed_names_of_the_environment_win_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, read
) -> None:
    monkeypatch.setenv(name, value)
    file = written(tmp_path, '[server]\nport = 1\nhost = "a"\n[llm]\nmodel = "file"\n')
    assert read(load_settings(file)) == value


def test_the_environment_changes_one_key_and_leaves_its_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_SERVER__PORT", "9090")
    settings = load_settings(written(tmp_path, '[server]\nhost = "0.0.0.0"\nport = 1\n'))
    assert (settings.server.host, settings.server.port) == ("0.0.0.0", 9090)


def test_overrides_win_over_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_SERVER__PORT", "9090")
    file = written(tmp_path, '[server]\nhost = "a"\n')
    settings = load_settings(file, server={"port": 7})
    assert (settings.server.host, settings.server.port) == ("a", 7)


@pytest.mark.parametrize(
    ("text", "line", "key", "says"),
    [
        ("[server]\nprot = 1\n", 2, "server.prot", "没有这一项"),
        ("# hi\n\n[sever]\nport = 1\n", 3, "sever", "没有这一项"),
        ('[server]\n\nport = "many"\n', 3, "server.port", "数"),
        ("[server]\nport = 99999\n", 2, "server.port", "超出范围"),
        ('[database]\ndurable = "maybe"\n', 2, "database.durable", "true"),
        ('[log]\nlevel = "LOUD"\n', 2, "log.level", "不是允许的值"),
        ('[knowledge]\nstore = "drawer"\n', 2, "knowledge.store", "不是允许的值"),
        ("[wecom.callbacks.hr]\ntokn = 1\n", 2, "wecom.callbacks.hr.tokn", "没有这一项"),
        ("[llm]\ntimeout_seconds = 0\n", 2, "llm.timeout_seconds", "超出范围"),
        ('[wecom]\napi_base = "qyapi.example"\n', 2, "wecom.api_base", "不是一个完整的地址"),
        ('[wecom]\nproxy = "10.0.0.1:3128"\n', 2, "wecom.proxy", "不是一个完整的地址"),
        ('[archive]\nproxy = "http://"\n', 2, "archive.proxy", "不是一个完整的地址"),
        ('[aibot]\nws_url = "https://a"\n', 2, "aibot.ws_url", "不是一个完整的地址"),
        ('[staff]\ngroup_webhook = "k e y"\n', 2, "staff.group_webhook", "不是一个完整的地址"),
    ],
)
def test_a_mistake_is_told_with_line_key_what_and_mend(
    tmp_path: Path, text: str, line: int, key: str, says: str
) -> None:
    (problem,) = problems(tmp_path, text)
    assert (problem.file, problem.line, problem.key) == ("config.toml", line, key)
    assert says in problem.what
    assert problem.mend
    assert str(problem).startswith(f"config.toml:{line}: {key}")


def test_a_choice_and_a_bound_are_told_as_a_person_says_them(tmp_path: Path) -> None:
    found = problems(tmp_path, '[aibot]\nmode = "ws"\n[llm]\ntimeout_seconds = 0\n')
    assert [problem.mend for problem in found] == ["只能写：空、websocket、webhook", "应当大于 0"]


def test_an_address_that_holds_a_secret_is_not_repeated(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '[wecom]\nproxy = "user:hush@10.0.0.1"\n')
    assert "hush" not in str(problem)
    assert "http://" in problem.mend


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = problems(tmp_path, '[server]\nprot = 1\nport = "x"\n[lm]\nmodel = "m"\n')
    assert [problem.line for problem in found] == [2, 3, 4]


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '[server]\nport = 1\nhost = "open\n')
    assert (problem.line, problem.what) == (3, "不是正确的 TOML")


def test_a_file_in_another_encoding_is_one_sentence(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_bytes("# 设置".encode("gb18030"))
    with pytest.raises(ConfigError, match="UTF-8"):
        load_settings(file)


def test_a_mistake_in_the_environment_names_the_variable_and_not_its_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOT_SERVER__PORT", "hush-hush")
    (problem,) = problems(tmp_path, "")
    assert "BOT_SERVER__PORT" in problem.file
    assert "hush-hush" not in str(problem)


def test_secrets_are_not_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOT_WECOM__SECRET", "hush-hush")
    monkeypatch.setenv("BOT_LLM__API_KEY", "hush-hush")
    settings = load_settings(tmp_path / "none.toml")
    assert "hush-hush" not in repr(settings)
    assert "hush-hush" not in settings.model_dump_json()


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_a_missing_setting_is_one_sentence_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    for name, value in SECRETS.items():
        if name != missing:
            monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=missing) as caught:
        require_wecom(load_settings(tmp_path / "none.toml"))
    assert "\n" not in str(caught.value)
    assert "zhilin demo" in str(caught.value)


def test_with_every_setting_nothing_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    require_wecom(load_settings(tmp_path / "none.toml"))


@pytest.mark.parametrize("name", ["BOT_ARCHIVE__KEYS", "BOT_ARCHIVE"])
def test_a_variable_that_is_a_whole_table_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "keys/one.pem")
    with pytest.raises(ConfigError, match="BOT_ARCHIVE__KEYS__1"):
        load_settings(written(tmp_path, ""))


def test_every_setting_is_in_the_readme() -> None:
    told = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    missing = [
        f"{table}.{name}"
        for table, field in Settings.model_fields.items()
        for name in type(field.default).model_fields
        if name.upper() not in told or table.upper() not in told
    ]
    assert missing == []
