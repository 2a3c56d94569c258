"""From nothing to this version's tables, on both databases."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import ConfigError
from bot.storage.db import Database
from bot.storage.migrate import differences, upgrade


@pytest.fixture
async def fresh_url(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[str]:
    """Give the address of a database that has no table."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'zhilin.db'}"
        return
    server = make_url(request.getfixturevalue("postgres_url"))
    name = f"fresh_{uuid4().hex[:8]}"
    engine = create_async_engine(
        server.set(drivername="postgresql+asyncpg"), isolation_level="AUTOCOMMIT"
    )
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    yield server.set(database=name).render_as_string(hide_password=False)
    async with engine.connect() as connection:
        await connection.execute(text(f"DROP DATABASE {name}"))
    await engine.dispose()


async def test_an_upgrade_from_nothing_gives_exactly_the_tables_and_twice_is_harmless(
    fresh_url: str,
) -> None:
    database = await Database.open(fresh_url)
    try:
        assert await differences(database) != []
        await upgrade(database)
        assert await differences(database) == []
        await upgrade(database)
        assert await differences(database) == []
        assert await database.ready()
    finally:
        await database.close()


async def test_a_database_of_a_newer_version_is_refused_in_a_sentence(fresh_url: str) -> None:
    database = await Database.open(fresh_url)
    try:
        await upgrade(database)
        async with database.begin() as tx:
            await tx.connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        with pytest.raises(ConfigError, match="9999") as refused:
            await upgrade(database)
        assert "\n" not in str(refused.value)
    finally:
        await database.close()


async def test_two_processes_that_start_at_once_both_end_with_the_tables(fresh_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from bot.storage.db import Database\n"
        "from bot.storage.migrate import upgrade\n"
        "async def main():\n"
        "    database = await Database.open(sys.argv[1])\n"
        "    await upgrade(database)\n"
        "    await database.close()\n"
        "asyncio.run(main())\n"
    )
    both = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", program, fresh_url, stderr=asyncio.subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in both:
        _, errors = await process.communicate()
        assert process.returncode == 0, errors.decode()
    database = await Database.open(fresh_url)
    try:
        assert await differences(database) == []
    finally:
        await database.close()


async def test_a_database_without_tables_is_not_ready(fresh_url: str) -> None:
    database = await Database.open(fresh_url)
    try:
        assert not await database.ready()
    finally:
        await database.close()


async def test_sqlite_is_written_ahead_and_waits_for_the_disk(tmp_path: Path) -> None:
    database = await Database.open(f"sqlite:///{tmp_path / 'a.db'}")
    try:
        async with database.begin() as tx:
            for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2)):
                value = (await tx.connection.execute(text(f"PRAGMA {pragma}"))).scalar_one()
                assert value == wanted
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mysql://root@localhost/zhilin", "不支持 mysql"),
        ("just words", "数据库地址看不懂"),
        ("postgresql://nobody@127.0.0.1:9/none", "连不上数据库"),
    ],
)
async def test_an_address_that_is_no_use_is_refused_in_one_sentence(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        await Database.open(url)
    assert "\n" not in str(caught.value)


async def test_a_postgres_without_our_database_is_refused_in_one_sentence(
    postgres_url: str,
) -> None:
    url = make_url(postgres_url).set(database="never_made", password="hush-hush")
    with pytest.raises(ConfigError, match="连不上数据库") as caught:
        await Database.open(url.render_as_string(hide_password=False))
    assert "hush-hush" not in str(caught.value)


async def test_a_folder_that_cannot_be_written_is_told_in_one_sentence(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    with pytest.raises(ConfigError, match="不能写入"):
        await Database.open(f"sqlite:///{in_the_way}/zhilin.db")
    closed = tmp_path / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.geteuid() != 0:  # root may write anywhere
        with pytest.raises(ConfigError, match="不能写入"):
            await Database.open(f"sqlite:///{closed}/zhilin.db")
