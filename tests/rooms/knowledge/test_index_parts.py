"""The index as the settings open it: what was there before answers first, then it is dropped."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date
from pathlib import Path

import pytest

from bot.ai.folder import own_folder
from bot.config import Settings, load_settings
from bot.errors import ConfigError
from bot.index_parts import open_index, read_record
from bot.indexing import belongs_to_another, build
from bot.workspace import Workspace, create_workspace
from tests.ai.openai_server import OpenAiServer, openai_server
from tests.rooms.knowledge.papers import qa

MANY = [qa(f"q{number}", f"第{number}问怎么办") for number in range(150)]  # 300 passages


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with openai_server() as running:
        yield running


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


def settings_for(server: OpenAiServer, workspace: Workspace, model: str, **more: str) -> Settings:
    embedding = {"model": model, "base_url": server.url, "dimensions": 64, "second": ""}
    return load_settings(workspace.config, embedding=embedding | more)


async def test_after_a_change_of_model_the_old_one_answers_until_the_new_one_is_filled(
    server: OpenAiServer, workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "index"
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "old"), workspace)
        await index.publish(MANY)
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "new"), workspace)
        await index.publish(MANY, hurried=True)
        assert (index.models, index.behind) == ("old", True)
        assert server.asked[-1]["model"] == "old"
        assert await index.edition.nearest("第7问怎么办", 1) != []
        assert read_record(folder)["filling"] == "new"
        await index.catch_up()
        assert index.models == "new"
        assert await index.edition.nearest("第7问怎么办", 1) != []
        assert server.asked[-1]["model"] == "new"
    record = read_record(folder)
    assert (record["answers_by"], record["filling"], record["passages"]) == ("new", "", 300)
    server.asked.clear()
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "old"), workspace)
        await index.publish(MANY, hurried=True)
        assert index.models == "new"  # the old one's vectors went when the new one was complete
        await index.catch_up()
    assert [body for body in server.asked if body["model"] == "old"] == []  # they were cached


async def test_who_only_looks_with_another_model_leaves_the_index_to_those_who_answer(
    server: OpenAiServer, workspace: Workspace, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "index"
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "mine"), workspace)
        await index.publish(MANY)
    stood = read_record(folder)
    async with AsyncExitStack() as stack:
        trial = settings_for(server, workspace, "tried")
        index = await open_index(stack, trial, workspace, tidies=False)
        await index.publish(MANY)
        assert await index.edition.nearest("第7问怎么办", 1) != []
    assert read_record(folder) == stood
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "mine"), workspace)
        done = await index.publish(MANY)
        assert done.embedded == 0


async def test_where_the_old_model_is_out_of_reach_the_new_one_is_waited_for(
    server: OpenAiServer, workspace: Workspace
) -> None:
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "old"), workspace)
        await index.publish(MANY)
    elsewhere = settings_for(server, workspace, "new", base_url=f"{server.url}/")
    async with AsyncExitStack() as stack:
        index = await open_index(stack, elsewhere, workspace)
        await index.publish(MANY, hurried=True)
        assert index.models == "new"


async def test_a_second_model_beside_an_endpoint_has_its_own_file(
    server: OpenAiServer, workspace: Workspace, tmp_path: Path, one_model: None
) -> None:
    settings = settings_for(server, workspace, "m", second="use-m3")
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings, workspace)
        await index.publish(MANY[:3])
        ids = list(index.shelf.ids)
        scores = await index.edition.second_scores("第1问怎么办", ids)
        assert index.models == "m+use-m3"
        assert max(scores, key=lambda key: scores[key]) == ids[2]
    assert len(list((tmp_path / "data" / "index").glob("second-*.sqlite"))) == 1
    async with AsyncExitStack() as stack:
        index = await open_index(stack, settings_for(server, workspace, "m"), workspace)
        await index.publish(MANY[:3])
    assert list((tmp_path / "data" / "index").glob("second-*.sqlite")) == []


async def test_a_bundled_model_is_not_its_own_second(workspace: Workspace) -> None:
    settings = load_settings(
        workspace.config, embedding={"model": "use-m3"}, knowledge={"store": "memory"}
    )
    async with AsyncExitStack() as stack:
        assert (await open_index(stack, settings, workspace)).models == "use-m3"


@pytest.mark.parametrize(
    ("table", "values", "said"),
    [
        ("knowledge", {"store": "chroma-server"}, "还要写 url"),
        ("embedding", {"base_url": "http://127.0.0.1:9", "folder": "m"}, "只能写一个"),
        ("embedding", {"folder": "models/none"}, "没有向量模型目录"),
    ],
)
async def test_settings_that_do_not_go_together_are_said_in_words(
    workspace: Workspace, table: str, values: dict[str, str], said: str
) -> None:
    settings = load_settings(workspace.config, **{table: values})
    async with AsyncExitStack() as stack:
        with pytest.raises(ConfigError, match=said):
            await open_index(stack, settings, workspace)


async def test_while_a_bot_has_the_index_only_vectors_are_made(
    server: OpenAiServer, tmp_path: Path
) -> None:
    create_workspace(tmp_path / "bank")
    workspace = Workspace(tmp_path / "bank")
    settings = settings_for(server, workspace, "m")
    folder = tmp_path / "bank" / "data" / "index"
    today = date(2026, 10, 12)
    with own_folder(folder):
        assert belongs_to_another(settings, workspace)
        await build(settings, workspace, today, lambda done, total: None)
    assert not belongs_to_another(settings, workspace)
    assert not folder.exists()
    server.asked.clear()
    done = await build(settings, workspace, today, lambda done, total: None)
    assert server.asked == []
    assert json.loads((folder / "index.json").read_text("utf-8"))["passages"] == done.passages
