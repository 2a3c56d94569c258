"""A sentence-transformers folder, run without PyTorch; the model is made here, six numbers wide."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

from bot.ai.embed import open_folder_embedder
from bot.ai.onnx_folder import pooled, read_manner
from bot.errors import ConfigError
from bot.ports import Embedder
from tests.contracts.embedder import EmbedderContract, cosine

LETTERS = "存折还能用吗银行卡丢了怎么办挂失网点几开门周末上班中午休息今天气真好去公园问"
WIDTH = 24


def make_model(folder: Path, *, inputs: tuple[str, ...] = ("input_ids", "attention_mask")) -> None:
    """Write weights that look each character up in a table, and a tokenizer of characters."""
    table = np.random.default_rng(3).normal(size=(len(LETTERS) + 2, WIDTH)).astype(np.float32)
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["last_hidden_state"])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(one, TensorProto.INT64, ["b", "t"]) for one in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "t", WIDTH])],
        [numpy_helper.from_array(table, "table")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    (folder / "onnx").mkdir(parents=True)
    onnx.save(model, folder / "onnx" / "model.onnx")
    vocabulary = {"[PAD]": 0, "[UNK]": 1} | {one: n + 2 for n, one in enumerate(LETTERS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.save(str(folder / "tokenizer.json"))


def write(folder: Path, name: str, content: object) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps(content), "utf-8")


def modules(*kinds: str) -> list[dict[str, object]]:
    place = {"Transformer": "", "Pooling": "1_Pooling"}
    return [
        {"idx": n, "path": place.get(kind, f"{n}_{kind}"), "type": f"sentence_transformers.{kind}"}
        for n, kind in enumerate(kinds)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bge-tiny"
    make_model(made)
    write(made, "modules.json", modules("Transformer", "Pooling", "Normalize"))
    write(made, "1_Pooling/config.json", {"pooling_mode_mean_tokens": True})
    return made


class TestFolderEmbedder(EmbedderContract):
    @pytest.fixture
    async def embedder(self, folder: Path) -> AsyncIterator[Embedder]:
        async with open_folder_embedder(folder) as opened:
            yield opened

    async def test_vectors_have_the_length_that_the_modules_say(
        self, embedder: Embedder, folder: Path
    ) -> None:
        [vector] = await embedder.passages(["挂失"])
        assert sum(number * number for number in vector) == pytest.approx(1, abs=1e-5)
        write(folder, "modules.json", modules("Transformer", "Pooling"))
        async with open_folder_embedder(folder) as plain:
            [longer] = await plain.passages(["挂失"])
        assert sum(number * number for number in longer) != pytest.approx(1, abs=1e-2)
        assert cosine(vector, longer) == pytest.approx(1, abs=1e-5)


async def test_prompts_of_the_folder_or_prefixes_of_the_settings_come_first(folder: Path) -> None:
    async with open_folder_embedder(folder) as plain:
        with_words = await plain.query("问挂失")
        without = await plain.query("挂失")
    async with open_folder_embedder(folder, query_prefix="问") as prefixed:
        assert await prefixed.query("挂失") == pytest.approx(with_words)
        assert (await prefixed.passages(["挂失"]))[0] == pytest.approx(without, abs=1e-6)
    write(folder, "config_sentence_transformers.json", {"prompts": {"query": "问", "document": ""}})
    async with open_folder_embedder(folder, query_prefix="办", passage_prefix="问") as named:
        assert await named.query("挂失") == pytest.approx(with_words)
        assert (await named.passages(["挂失"]))[0] == pytest.approx(with_words, abs=1e-6)


async def test_another_use_or_other_weights_have_another_name(folder: Path) -> None:
    names = set()
    async with open_folder_embedder(folder) as first:
        names.add(first.name)
        assert first.name.startswith("bge-tiny@")
        assert first.dimensions == WIDTH
    async with open_folder_embedder(folder, query_prefix="问") as other:
        names.add(other.name)
    write(folder, "1_Pooling/config.json", {"pooling_mode_cls_token": True})
    async with open_folder_embedder(folder) as pooled_otherwise:
        names.add(pooled_otherwise.name)
    weights = folder / "onnx" / "model.onnx"
    weights.write_bytes(weights.read_bytes() + b"\x00")
    names.add(f"x@{read_manner(folder, '', '').imprint()}")
    assert len(names) == 4


def test_each_way_of_pooling_leaves_out_what_only_fills_up() -> None:
    tokens = np.array([[[1.0, 5.0], [3.0, -1.0], [90.0, 90.0]]], dtype=np.float32)
    mask = np.array([[1, 1, 0]])
    assert pooled(tokens, mask, "mean").tolist() == [[2.0, 2.0]]
    assert pooled(tokens, mask, "max").tolist() == [[3.0, 5.0]]
    assert pooled(tokens, mask, "cls").tolist() == [[1.0, 5.0]]
    assert pooled(tokens, mask, "lasttoken").tolist() == [[3.0, -1.0]]
    assert pooled(tokens[:, ::-1], mask[:, ::-1], "cls").tolist() == [[3.0, -1.0]]


def _without_weights(folder: Path) -> None:
    (folder / "onnx" / "model.onnx").unlink()


def _without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


def _broken_weights(folder: Path) -> None:
    (folder / "onnx" / "model.onnx").write_bytes(b"no model")


def _broken_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")


def _dense_layer(folder: Path) -> None:
    write(folder, "modules.json", modules("Transformer", "Pooling", "Dense"))


def _odd_pooling(folder: Path) -> None:
    write(folder, "1_Pooling/config.json", {"pooling_mode_weightedmean_tokens": True})


def _broken_words(folder: Path) -> None:
    (folder / "modules.json").write_text("[{")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_without_weights, "optimum-cli export onnx"),
        (_without_tokenizer, "tokenizer.json"),
        (_broken_weights, "读不懂"),
        (_broken_tokenizer, "读不懂"),
        (_dense_layer, "Dense"),
        (_odd_pooling, "池化方式 pooling_mode_weightedmean_tokens"),
        (_broken_words, "读不懂向量模型的文件"),
    ],
)
async def test_what_cannot_be_run_is_said_in_words(folder: Path, spoil: object, said: str) -> None:
    spoil(folder)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=said):
        async with open_folder_embedder(folder):
            pass


async def test_inputs_nobody_gives_are_said_in_words(tmp_path: Path) -> None:
    make_model(tmp_path / "odd", inputs=("input_ids", "position_ids"))
    with pytest.raises(ConfigError, match="position_ids"):
        async with open_folder_embedder(tmp_path / "odd"):
            pass


async def test_no_folder_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="没有向量模型目录"):
        async with open_folder_embedder(tmp_path / "nowhere"):
            pass
