"""The reader's model: ONNX Runtime session, tokenizer and calibration, loaded on first use and shared between threads.

It turns texts into tokens and token windows into start and end logits. What the logits mean is decided in `spans`.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from twosup_chain.errors import ConfigurationError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import onnxruntime
    import tokenizers
    from numpy.typing import NDArray

    IntArray = NDArray[np.int64]
    FloatArray = NDArray[np.float64]

PACKAGED_MODEL = Path(__file__).parent.parent / "reader_model"
MODEL_FILE, TOKENIZER_FILE, CONFIG_FILE = "reader.onnx", "tokenizer.json", "config.json"
FORMAT_VERSION = 1
#: Characters that are tokenized at a time: a book-length passage must not become one gigantic list of strings.
_TOKENIZED_AT_ONCE = 100_000


class Tokens(NamedTuple):
    """A text's tokens.

    Attributes:
        ids: Vocabulary ids, shape ``(n,)``.
        starts: Where each token starts in the text, in characters, shape ``(n,)``.
        ends: Where each ends (exclusive), shape ``(n,)``.
        first: Whether each is the first of its word, shape ``(n,)``.
        last: Whether each is the last of its word, shape ``(n,)``.
    """

    ids: IntArray
    starts: IntArray
    ends: IntArray
    first: NDArray[np.bool_]
    last: NDArray[np.bool_]


class ModelInput(NamedTuple):
    """One window as the model takes it: ``[CLS] question [SEP] passage [SEP]``.

    Attributes:
        ids: Vocabulary ids, shape ``(n,)``.
        types: 0 up to the first separator, 1 from there on, shape ``(n,)``.
    """

    ids: IntArray
    types: IntArray


class Logits(NamedTuple):
    """What the model says of one window: a start and an end logit a token, shape ``(n,)`` each."""

    start: FloatArray
    end: FloatArray


@dataclass(frozen=True)
class ReaderConfig:
    """What ``config.json`` beside the model says.

    Attributes:
        name: The model's name.
        digest: SHA-256 of the model file, in hexadecimal.
        max_positions: The most tokens that the encoder takes.
        stackable: Whether windows may share a run. Dynamic quantisation takes its scale from everything in a run, so
            that a window's logits would depend on its neighbours: such a model gets one window at a time.
        calibration: The weights of the answerability model by the names of its features, and its ``"intercept"``.
    """

    name: str
    digest: str
    max_positions: int
    stackable: bool
    calibration: dict[str, float]

    @property
    def label(self) -> str:
        """The name with a digest of model and calibration: what differs in either has another label."""
        whole = json.dumps([self.digest, sorted(self.calibration.items())])
        return f"{self.name}@{hashlib.sha256(whole.encode()).hexdigest()[:12]}"

    @classmethod
    def read(cls, path: Path) -> ReaderConfig:
        """Reads the file.

        Raises:
            ModelFileError: It is missing, no JSON, of another version, or lacks an entry.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            version = values["format"]
            if version == FORMAT_VERSION:
                return cls(
                    name=str(values["name"]),
                    digest=str(values["digest"]),
                    max_positions=int(values["max_positions"]),
                    stackable=bool(values["stackable"]),
                    calibration={str(name): float(weight) for name, weight in values["calibration"].items()},
                )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise _unreadable(path, error) from error
        message = f"{path} has format {version!r}, this version reads {FORMAT_VERSION}: export the model again"
        raise ModelFileError(message)


class ReaderEngine:
    """A model folder and how to run it; nothing is loaded before it is needed, and then once for all threads.

    Args:
        folder: Holds ``reader.onnx``, ``tokenizer.json`` and ``config.json``.
        num_threads: Threads of one run; ``None`` leaves it to ONNX Runtime (one a physical core).
        providers: Execution providers, the preferred one first; empty for the CPU.
        max_batch_tokens: The most tokens that share a run.
    """

    def __init__(
        self,
        folder: Path,
        num_threads: int | None = None,
        providers: Sequence[str] = (),
        max_batch_tokens: int = 16_384,
    ) -> None:
        self.options = (folder, num_threads, tuple(providers), max_batch_tokens)
        self._loaded: tuple[ReaderConfig, onnxruntime.InferenceSession, tokenizers.Tokenizer] | None = None
        self._lock = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        """A copy, in this process or another, loads the files again."""
        return {"options": self.options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state["options"])  # type: ignore[misc]

    @property
    def config(self) -> ReaderConfig:
        """What the model's ``config.json`` says."""
        return self._load()[0]

    @property
    def cls_id(self) -> int:
        """The id of the token that starts a window and stands for "no answer"."""
        return self._special("[CLS]")

    @property
    def sep_id(self) -> int:
        """The id of the token that ends the question and the passage."""
        return self._special("[SEP]")

    def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
        """Returns the tokens of each text, with the offsets of each in its text."""
        tokenizer = self._load()[2]
        return [
            # one by one: encode_batch wakes a thread pool, which costs more than it saves on short texts
            _join([(at, tokenizer.encode(piece, add_special_tokens=False)) for at, piece in _pieces(text)])
            for text in texts
        ]

    def word(self, token_id: int) -> str:
        """Returns the vocabulary's entry."""
        return self._load()[2].id_to_token(token_id) or ""

    def logits(self, inputs: Iterable[ModelInput]) -> Iterator[Logits]:
        """Yields the logits of each window, in order.

        Windows of the same length share a run where the model allows it; nothing is ever padded. Only as many windows
        as fill a few runs are held at a time.
        """
        config, session, _ = self._load()
        if not config.stackable:
            for item in inputs:
                yield _run(session, [item])[0]
            return
        block: list[ModelInput] = []
        size = 0
        for item in inputs:
            block.append(item)
            size += len(item.ids)
            if size >= 8 * self.options[3]:
                yield from self._run_block(session, block)
                block, size = [], 0
        yield from self._run_block(session, block)

    def _run_block(self, session: onnxruntime.InferenceSession, block: list[ModelInput]) -> list[Logits]:
        by_length: dict[int, list[int]] = {}
        for index, item in enumerate(block):
            by_length.setdefault(len(item.ids), []).append(index)
        found: dict[int, Logits] = {}
        for length, indices in by_length.items():
            step = max(1, self.options[3] // length)
            for at in range(0, len(indices), step):
                chosen = indices[at : at + step]
                found.update(zip(chosen, _run(session, [block[i] for i in chosen]), strict=True))
        return [found[i] for i in range(len(block))]

    def _special(self, token: str) -> int:
        token_id = self._load()[2].token_to_id(token)
        if token_id is None:
            message = f"{self.options[0] / TOKENIZER_FILE} has no token {token}: the reader needs a BERT vocabulary"
            raise ModelFileError(message)
        return int(token_id)

    def _load(self) -> tuple[ReaderConfig, onnxruntime.InferenceSession, tokenizers.Tokenizer]:
        if self._loaded is None:
            with self._lock:
                if self._loaded is None:
                    self._loaded = _load(*self.options[:3])
        return self._loaded


def file_digest(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def answerability(calibration: dict[str, float], features: dict[str, float]) -> float:
    """Returns the calibrated probability that the context holds an answer: a logistic model of the features.

    Platt scaling with several inputs (Platt 1999, "Probabilistic outputs for support vector machines").

    Raises:
        ModelFileError: The calibration asks for a feature that this version does not compute.
    """
    logit = 0.0
    for name, weight in calibration.items():
        if name != "intercept" and name not in features:
            message = (
                f"the reader's calibration needs the feature {name!r}; this version has {', '.join(sorted(features))}"
            )
            raise ModelFileError(message)
        logit += weight * features.get(name, 1.0)
    return 0.5 + 0.5 * math.tanh(0.5 * logit)


def _load(
    folder: Path, num_threads: int | None, providers: tuple[str, ...]
) -> tuple[ReaderConfig, onnxruntime.InferenceSession, tokenizers.Tokenizer]:
    import onnxruntime
    import tokenizers

    config = ReaderConfig.read(folder / CONFIG_FILE)
    unknown = sorted(set(providers) - set(onnxruntime.get_available_providers()))
    if unknown:
        there = ", ".join(onnxruntime.get_available_providers())
        message = f"providers={list(providers)!r}: {unknown[0]} is not in this onnxruntime, which has {there}"
        raise ConfigurationError(message)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    if num_threads is not None:
        options.intra_op_num_threads = num_threads
    model, vocabulary = folder / MODEL_FILE, folder / TOKENIZER_FILE
    for path in (model, vocabulary):
        if not path.is_file():
            raise _unreadable(path, "there is no such file")
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's error classes have no public root
        raise _unreadable(model, error) from error
    names = sorted(node.name for node in (*session.get_inputs(), *session.get_outputs()))
    if names != ["end_logits", "input_ids", "start_logits", "token_type_ids"]:
        raise _unreadable(model, f"its inputs and outputs are {', '.join(names)}")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(vocabulary))
    except Exception as error:  # tokenizers raises bare Exception
        raise _unreadable(vocabulary, error) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return config, session, tokenizer


def _unreadable(path: Path, cause: object) -> ModelFileError:
    return ModelFileError(
        f"cannot read {path}: {cause}; a reader's folder holds {MODEL_FILE}, {TOKENIZER_FILE} and {CONFIG_FILE} "
        "as twosup_chain.training.export writes them"
    )


def _run(session: onnxruntime.InferenceSession, items: list[ModelInput]) -> list[Logits]:
    feed = {"input_ids": np.stack([i.ids for i in items]), "token_type_ids": np.stack([i.types for i in items])}
    start, end = session.run(["start_logits", "end_logits"], feed)
    return [Logits(s, e) for s, e in zip(start.astype(np.float64), end.astype(np.float64), strict=True)]


def _pieces(text: str) -> list[tuple[int, str]]:
    """Cuts a long text at white space; returns the pieces and where each starts."""
    pieces, at = [], 0
    while len(text) - at > _TOKENIZED_AT_ONCE:
        cut = at + _TOKENIZED_AT_ONCE
        back = next((i for i in range(cut, max(at, cut - 1000), -1) if text[i].isspace()), cut)
        pieces.append((at, text[at:back]))
        at = back
    return [*pieces, (at, text[at:])]


def _join(parts: list[tuple[int, tokenizers.Encoding]]) -> Tokens:
    ids = np.concatenate([np.asarray(e.ids, np.int64) for _, e in parts])
    offsets = np.concatenate([np.asarray(e.offsets, np.int64).reshape(-1, 2) + at for at, e in parts])
    words = [np.asarray(e.word_ids, np.int64) for _, e in parts]
    changes = [np.diff(w, prepend=-1, append=-1) != 0 for w in words]
    return Tokens(
        ids,
        offsets[:, 0],
        offsets[:, 1],
        np.concatenate([c[:-1] for c in changes]),
        np.concatenate([c[1:] for c in changes]),
    )
