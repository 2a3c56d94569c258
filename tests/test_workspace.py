"""Finding a workspace, and making one that overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import ConfigError
from bot.workspace import Workspace, copy_workspace, create_workspace, find_workspace, starter_root


def test_a_new_one_is_the_whole_starter(tmp_path: Path) -> None:
    written, kept = create_workspace(tmp_path / "bank")
    assert kept == []
    names = {str(path.relative_to(tmp_path / "bank")) for path in written}
    assert {"config.toml", "sop/_workspace.yaml", "sop/senior-21d.sop.yaml"} <= names
    source = starter_root()
    for path in written:
        origin = source / path.relative_to(tmp_path / "bank")
        assert path.read_bytes() == origin.read_bytes()


def test_making_it_again_overwrites_nothing(tmp_path: Path) -> None:
    first, _ = create_workspace(tmp_path)
    mine = tmp_path / "sop" / "_workspace.yaml"
    mine.write_text("我改过的", "utf-8")
    (tmp_path / "config.toml").unlink()
    written, kept = create_workspace(tmp_path)
    assert written == [tmp_path / "config.toml"]
    assert set(kept) == set(first) - set(written)
    assert mine.read_text("utf-8") == "我改过的"


def test_it_is_not_made_on_top_of_the_starter() -> None:
    with pytest.raises(ConfigError, match="示例"):
        create_workspace(starter_root())


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(ConfigError, match="写不了") as caught:
        create_workspace(in_the_way / "bank")
    assert "\n" not in str(caught.value)


def test_the_nearest_folder_with_settings_is_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_workspace(tmp_path / "bank")
    monkeypatch.chdir(tmp_path / "bank" / "sop")
    assert find_workspace().root == tmp_path / "bank"
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="zhilin init"):
        find_workspace()
    monkeypatch.setenv("BOT_WORKSPACE", str(tmp_path / "bank"))
    assert find_workspace().root == tmp_path / "bank"
    with pytest.raises(ConfigError, match=r"没有 config\.toml"):
        find_workspace(tmp_path)


def test_a_copy_stands_alone(tmp_path: Path) -> None:
    source, _ = Workspace(tmp_path / "a"), create_workspace(tmp_path / "a")
    copied = copy_workspace(source, tmp_path / "b")
    copied.config.write_text("", "utf-8")
    assert source.config.read_text("utf-8") != ""
    assert copied.resolve("data/x.db") == tmp_path / "b" / "data" / "x.db"
    assert copied.resolve("/elsewhere") == Path("/elsewhere")
