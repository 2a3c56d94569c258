"""Where a bank's files live: the folder with ``config.toml``, ``sop/`` and ``knowledge/``."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ConfigError

STARTER = ("config.toml", "sop", "knowledge")


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder with everything that ops and IT edit."""

    root: Path

    @property
    def config(self) -> Path:
        """Return the settings file."""
        return self.root / "config.toml"

    @property
    def sop(self) -> Path:
        """Return the folder of scripts."""
        return self.root / "sop"

    @property
    def knowledge(self) -> Path:
        """Return the folder of knowledge."""
        return self.root / "knowledge"

    def resolve(self, path: str) -> Path:
        """Return a path of the settings, relative ones from the workspace's root."""
        return self.root / path


def find_workspace(given: Path | None = None) -> Workspace:
    """Find the workspace: what was given, ``BOT_WORKSPACE``, or the nearest ``config.toml``."""
    if given is None and (named := os.environ.get("BOT_WORKSPACE")):
        given = Path(named)
    if given is not None:
        if not (given / "config.toml").is_file():
            raise ConfigError(f"{given} 里没有 config.toml。先运行 zhilin init {given} 建一个。")
        return Workspace(given.resolve())
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "config.toml").is_file():
            return Workspace(folder)
    raise ConfigError("这里没有 config.toml。请先运行 zhilin init 目录，或用 -C 指明工作目录。")


def starter_root() -> Path:
    """Return the folder of the example workspace: the checkout's, or the one in the wheel."""
    package = Path(__file__).resolve().parent
    for folder in (package.parent, package / "starter"):
        if (folder / "config.toml").is_file() and (folder / "sop").is_dir():
            return folder
    raise ConfigError("找不到示例工作目录。请重新安装 zhilin。")


def copy_workspace(source: Workspace, folder: Path) -> Workspace:
    """Copy what people edit into an empty folder, to be changed there without harm."""
    for name in STARTER:
        origin = source.root / name
        if origin.is_dir():
            shutil.copytree(origin, folder / name)
        elif origin.is_file():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin, folder / name)
    return Workspace(folder)


def create_workspace(folder: Path) -> tuple[list[Path], list[Path]]:
    """Copy the starter into ``folder``; return (written, left alone). Nothing is overwritten."""
    source = starter_root()
    if folder.resolve() == source.resolve():
        raise ConfigError("这里就是示例工作目录，换一个目录吧。")
    written, kept = [], []
    for name in STARTER:
        origin = source / name
        files = [origin] if origin.is_file() else sorted(origin.rglob("*"))
        for file in files:
            if not file.is_file():
                continue
            target = folder / file.relative_to(source)
            if target.exists():
                kept.append(target)
                continue
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
            except OSError as error:
                raise ConfigError(f"写不了 {target}。请换一个目录，或改好它的权限。") from error
            written.append(target)
    return written, kept
