"""A sentence-transformers model in a folder, run by onnxruntime: no PyTorch, no download.

What the folder's own files say is kept to: pooling, normalisation, length, prompts.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bot.errors import ConfigError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

_WEIGHTS = ("onnx/model.onnx", "model.onnx")
_SMALLER = ("onnx/model_quantized.onnx", "onnx/model_int8.onnx", "onnx/model_qint8*.onnx")
_LONGEST = 512
_SAMPLE = 1 << 20
_POOLING = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "lasttoken",
}
_KNOWN_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


class Manner(NamedTuple):
    """How a folder's model wants to be used."""

    weights: Path
    tokenizer: Path
    pooling: str
    normalised: bool
    longest: int
    query_prefix: str
    passage_prefix: str
    lower_case: bool

    @property
    def quantised(self) -> bool:
        """Tell whether a text's vector may depend on the others it is run with."""
        return self.weights.name != "model.onnx"

    def imprint(self) -> str:
        """Return a short hash that changes with the weights and with how they are used."""
        found = hashlib.sha256(repr(self[2:]).encode())
        found.update(self.tokenizer.read_bytes())
        for path in sorted(self.weights.parent.glob(self.weights.name + "*")):
            with path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(0)
                found.update(str(size).encode() + file.read(_SAMPLE))
                file.seek(max(0, size - _SAMPLE))
                found.update(file.read())
        return found.hexdigest()[:10]


def read_manner(folder: Path, query_prefix: str, passage_prefix: str) -> Manner:
    """Read how the model wants to be used; raise ``ConfigError`` where it cannot be.

    The prefixes count where the folder's own files name none.
    """
    if not folder.is_dir():
        raise ConfigError(f"没有向量模型目录 {folder}，请改 config.toml 的 [embedding] folder。")
    weights = next(_weights(folder), None)
    if weights is None:
        raise ConfigError(
            f"{folder} 里没有 ONNX 权重(onnx/model.onnx)。请在装得下 PyTorch 的机器上导出再拷来："
            f"optimum-cli export onnx --task feature-extraction --model {folder.name} {folder.name}"
        )
    tokenizer = folder / "tokenizer.json"
    if not tokenizer.is_file():
        raise ConfigError(
            f"{folder} 里没有 tokenizer.json。请用 transformers 的快速分词器存一份："
            f'AutoTokenizer.from_pretrained("{folder.name}").save_pretrained("{folder.name}")'
        )
    modules = _modules(folder)
    prompts = _json(folder / "config_sentence_transformers.json").get("prompts") or {}
    length = _json(folder / "sentence_bert_config.json")
    return Manner(
        weights=weights,
        tokenizer=tokenizer,
        pooling=_pooling(folder, modules),
        normalised="Normalize" in modules,
        longest=int(length.get("max_seq_length") or _LONGEST),
        query_prefix=str(prompts.get("query") or query_prefix),
        passage_prefix=str(prompts.get("document") or prompts.get("passage") or passage_prefix),
        lower_case=bool(length.get("do_lower_case")),
    )


def _weights(folder: Path) -> Iterator[Path]:
    for pattern in (*_WEIGHTS, *_SMALLER):
        yield from (path for path in sorted(folder.glob(pattern)) if path.is_file())


def _modules(folder: Path) -> dict[str, str]:
    """Return the folder of each module by its kind; raise where one would need PyTorch."""
    path = folder / "modules.json"
    if not path.is_file():
        return {}
    found = {}
    for module in _read(path):
        kind = str(module.get("type", "")).rpartition(".")[2]
        if kind not in ("Transformer", "Pooling", "Normalize"):
            raise ConfigError(
                f"向量模型 {folder.name} 带有「{kind}」层，没有 PyTorch 跑不了。"
                "请换一个只有 Transformer、Pooling、Normalize 的模型，或改用 [embedding] base_url。"
            )
        found[kind] = str(module.get("path", ""))
    return found


def _pooling(folder: Path, modules: dict[str, str]) -> str:
    """Return how tokens become one vector; a plain model without word of it is averaged."""
    settings = _json(folder / (modules.get("Pooling") or "1_Pooling") / "config.json")
    chosen = [name for key, name in _POOLING.items() if settings.get(key)]
    other = [key for key, on in settings.items() if key.startswith("pooling_mode_") and on is True]
    named = settings.get("pooling_mode")
    if isinstance(named, str):
        chosen, other = [named], [named]
    if not other:
        return "mean"
    if len(other) > 1 or not chosen or chosen[0] not in _POOLING.values():
        raise ConfigError(
            f"向量模型 {folder.name} 的池化方式 {'、'.join(other)} 还不支持，"
            "可以用的是 cls、mean、max、lasttoken 里的一种。"
        )
    return chosen[0]


def _json(path: Path) -> dict[str, Any]:
    found = _read(path) if path.is_file() else {}
    return found if isinstance(found, dict) else {}


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"读不懂向量模型的文件 {path}，请重新拷一份。") from error


class OnnxModel:
    """The model, read: blocking, some texts at a time, from any one thread at a time."""

    def __init__(self, manner: Manner) -> None:
        self._manner = manner
        self._tokenizer = _tokenizer(manner)
        self._session = _session(manner)
        self._inputs = [one.name for one in self._session.get_inputs()]
        unknown = set(self._inputs) - _KNOWN_INPUTS
        if unknown:
            raise ConfigError(
                f"向量模型 {manner.weights} 还要输入 {'、'.join(sorted(unknown))}，不会给。"
                "请用 optimum-cli export onnx --task feature-extraction 重新导出。"
            )
        # The vectors of tokens where there are any: how they are pooled is ours to keep to.
        outputs = {one.name: len(one.shape) for one in self._session.get_outputs()}
        self._output = min(outputs, key=lambda name: (outputs[name] != 3, "pool" in name))
        self._of_tokens = outputs[self._output] == 3

    def passage(self, texts: list[str]) -> np.ndarray:
        """Embed texts that will be searched."""
        return self._run([self._manner.passage_prefix + text for text in texts])

    def query(self, text: str) -> np.ndarray:
        """Embed one question."""
        vector: np.ndarray = self._run([self._manner.query_prefix + text])[0]
        return vector

    def _run(self, texts: list[str]) -> np.ndarray:
        if self._manner.lower_case:
            texts = [text.lower() for text in texts]
        cut = self._tokenizer.encode_batch(texts)
        mask = np.array([one.attention_mask for one in cut], dtype=np.int64)
        known = {
            "input_ids": np.array([one.ids for one in cut], dtype=np.int64),
            "attention_mask": mask,
            "token_type_ids": np.array([one.type_ids for one in cut], dtype=np.int64),
        }
        given = {name: known[name] for name in self._inputs}
        [found] = self._session.run([self._output], given)
        vectors = np.asarray(found, dtype=np.float32)
        if self._of_tokens:
            vectors = pooled(vectors, mask, self._manner.pooling)
        if self._manner.normalised:
            vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors


def pooled(tokens: np.ndarray, mask: np.ndarray, pooling: str) -> np.ndarray:
    """Make one vector of the vectors of a text's tokens, without those that only fill up."""
    there = mask[:, :, None].astype(tokens.dtype)
    match pooling:
        case "cls":
            return _at(tokens, mask.argmax(axis=1))
        case "lasttoken":
            return _at(tokens, mask.shape[1] - 1 - mask[:, ::-1].argmax(axis=1))
        case "max":
            highest: np.ndarray = np.where(there > 0, tokens, -np.inf).max(axis=1)
            return highest
        case _:
            mean: np.ndarray = (tokens * there).sum(axis=1) / np.maximum(there.sum(axis=1), 1e-9)
            return mean


def _at(tokens: np.ndarray, places: np.ndarray) -> np.ndarray:
    vectors: np.ndarray = tokens[np.arange(len(tokens)), places]
    return vectors


def _tokenizer(manner: Manner) -> Tokenizer:
    from tokenizers import Tokenizer

    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(manner.tokenizer))
    except Exception as error:  # the library raises plain exceptions
        raise ConfigError(f"读不懂 {manner.tokenizer}，请重新拷一份。") from error
    tokenizer.enable_truncation(manner.longest)
    padding = tokenizer.padding or {}
    tokenizer.enable_padding(
        pad_id=int(padding.get("pad_id", 0)),
        pad_token=str(padding.get("pad_token", "[PAD]")),
        direction=str(padding.get("direction", "right")),
    )
    return tokenizer


def _session(manner: Manner) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One core is left to the bot; threads that spin while they wait would take it, too.
    options.intra_op_num_threads = max(1, (os.cpu_count() or 1) - 1)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(manner.weights), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the library raises its own, one for each kind of fault
        raise ConfigError(
            f"读不懂 {manner.weights}({type(error).__name__})，请重新导出或重新拷一份。"
        ) from error
