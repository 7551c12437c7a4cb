"""The reader's model: ONNX Runtime session, tokenizer and calibration, loaded on first use and shared between threads.

It turns texts into tokens and token windows into start and end logits.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twosup_chain._health import ModelHealth
from twosup_chain._in_process import processors
from twosup_chain._process import Loaded
from twosup_chain._worker import Worker
from twosup_chain.errors import ConfigurationError, ModelFileError
from twosup_chain.reader.folder import CONFIG_FILE, MODEL_FILE, TOKENIZER_FILE, ReaderConfig, unreadable, verify

if TYPE_CHECKING:
    import onnxruntime
    import tokenizers

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

#: From so many windows on they are read side by side, a thread each, which is faster than all threads on one window.
_MANY_WINDOWS = 16
#: Characters that are tokenized at a time: a book-length passage must not become one gigantic list of strings.
_TOKENIZED_AT_ONCE = 100_000


class Tokens(NamedTuple):
    """A text's tokens, in columns of shape ``(n,)``."""

    ids: IntArray
    starts: IntArray  # where each token starts in the text, in characters
    ends: IntArray  # where it ends (exclusive)
    first: NDArray[np.bool_]  # of its word
    last: NDArray[np.bool_]  # of its word


class ModelInput(NamedTuple):
    """One window as the model takes it: ``[CLS] question [SEP] passage [SEP]``."""

    ids: IntArray
    types: IntArray  # 0 up to the first separator, 1 from there on


class Logits(NamedTuple):
    """What the model says of one window: a start and an end logit a token, shape ``(n,)`` each."""

    start: FloatArray
    end: FloatArray


class ReaderEngine:
    """A model folder and how to run it; nothing is loaded before it is needed, and then once for all threads.

    `num_threads` are those of one run; ``None`` leaves them to ONNX Runtime (one a physical core). `providers` are
    execution providers, the preferred one first, none for the CPU; at most `max_batch_tokens` share a run.
    """

    def __init__(
        self,
        folder: Path,
        num_threads: int | None = None,
        providers: Sequence[str] = (),
        max_batch_tokens: int = 16_384,
    ) -> None:
        chosen = tuple(providers)
        self.options = (folder, num_threads, chosen, max_batch_tokens)
        #: The threads that read for callers in an event loop.
        self.worker = Worker(num_threads or processors())
        self._loaded = Loaded(lambda: _load(folder, num_threads, chosen))
        self._single = Loaded(lambda: _session(folder, 1, ()))

    def __getstate__(self) -> dict[str, Any]:
        """A copy, in this process or another, loads the files again."""
        return {"options": self.options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(*state["options"])  # type: ignore[misc]

    def warm_up(self) -> None:
        """Loads the model, and checks its files by their digests."""
        self._loaded.get()

    def health(self) -> ModelHealth:
        """Returns how it fares."""
        return ModelHealth(
            model=str(self.options[0]),
            loaded=self._loaded.there,
            watches_forks=self._loaded.hooked,
            waiting=self.worker.waiting,
        )

    @property
    def config(self) -> ReaderConfig:
        """What the model's ``config.json`` says."""
        return self._loaded.get()[0]

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
        tokenizer = self._loaded.get()[2]
        return [
            # one by one: encode_batch wakes a thread pool, which costs more than it saves on short texts
            _join([(at, tokenizer.encode(piece, add_special_tokens=False)) for at, piece in pieces(text)])
            for text in texts
        ]

    def logits(self, inputs: Iterable[ModelInput]) -> Iterator[Logits]:
        """Yields the logits of each window, in order.

        Windows of the same length share a run where the model allows it; nothing is ever padded. Many windows of a
        model that does not allow it are read side by side. Only so many are held at a time as that needs.
        """
        config, session, _ = self._loaded.get()
        waiting = iter(inputs)
        if config.stackable:
            yield from self._run_stacked(session, waiting)
            return
        first = list(islice(waiting, _MANY_WINDOWS))
        threads = self._threads
        if threads > 1 and len(first) == _MANY_WINDOWS:
            yield from _run_side_by_side(self._single.get(), chain(first, waiting), threads)
            return
        for item in chain(first, waiting):
            yield _run(session, [item])[0]

    def _run_stacked(self, session: onnxruntime.InferenceSession, inputs: Iterable[ModelInput]) -> Iterator[Logits]:
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

    @property
    def _threads(self) -> int:
        """How many windows may be read side by side; 1 where a provider other than the CPU may take them."""
        _, num_threads, providers, _ = self.options
        if providers:
            return 1
        return num_threads or processors()

    def _special(self, token: str) -> int:
        token_id = self._loaded.get()[2].token_to_id(token)
        if token_id is None:
            message = f"{self.options[0] / TOKENIZER_FILE} has no token {token}: the reader needs a BERT vocabulary"
            raise ModelFileError(message)
        return int(token_id)


def _load(
    folder: Path, num_threads: int | None, providers: tuple[str, ...]
) -> tuple[ReaderConfig, onnxruntime.InferenceSession, tokenizers.Tokenizer]:
    config = verified_config(folder)
    session = _session(folder, num_threads, providers)
    return config, session, load_tokenizer(folder)


def verified_config(folder: Path) -> ReaderConfig:
    """Returns what a folder's ``config.json`` says, once its files are there and are those that it speaks of."""
    config = ReaderConfig.read(folder / CONFIG_FILE)
    for path in (folder / MODEL_FILE, folder / TOKENIZER_FILE):
        if not path.is_file():
            raise unreadable(path, "there is no such file")
    verify(folder, config)
    return config


def load_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """Returns a folder's tokenizer, which cuts nothing off."""
    import tokenizers

    vocabulary = folder / TOKENIZER_FILE
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(vocabulary))
    except Exception as error:  # tokenizers raises bare Exception
        raise unreadable(vocabulary, error) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True  # "[SEP]" in a user's text is text
    return tokenizer


def import_onnxruntime() -> Any:
    """Returns ONNX Runtime, told not to write to the home folder and to look up a host, as from 1.29 on it would."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    return onnxruntime


def session_options(num_threads: int | None) -> Any:
    """Returns the options of a session: quiet, with so many threads, or as many as ONNX Runtime likes."""
    options = import_onnxruntime().SessionOptions()
    options.log_severity_level = 3
    if num_threads is not None:
        options.intra_op_num_threads = num_threads
    return options


def _session(folder: Path, num_threads: int | None, providers: tuple[str, ...]) -> onnxruntime.InferenceSession:
    onnxruntime = import_onnxruntime()
    unknown = sorted(set(providers) - set(onnxruntime.get_available_providers()))
    if unknown:
        there = ", ".join(onnxruntime.get_available_providers())
        message = f"providers={list(providers)!r}: {unknown[0]} is not in this onnxruntime, which has {there}"
        raise ConfigurationError(message)
    options = session_options(num_threads)
    model = folder / MODEL_FILE
    try:
        session = onnxruntime.InferenceSession(model, options, providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's error classes have no public root
        raise unreadable(model, error) from error
    names = sorted(node.name for node in (*session.get_inputs(), *session.get_outputs()))
    if names != ["end_logits", "input_ids", "start_logits", "token_type_ids"]:
        raise unreadable(model, f"its inputs and outputs are {', '.join(names)}")
    return session


def _run_side_by_side(
    session: onnxruntime.InferenceSession, inputs: Iterable[ModelInput], threads: int
) -> Iterator[Logits]:
    """Yields the logits of each window, in order; no more are under way than keep the threads busy."""
    waiting = iter(inputs)
    with ThreadPoolExecutor(threads) as pool:
        under_way = deque(pool.submit(_run, session, [item]) for item in islice(waiting, 2 * threads))
        while under_way:
            (logits,) = under_way.popleft().result()
            under_way.extend(pool.submit(_run, session, [item]) for item in islice(waiting, 1))
            yield logits


def _run(session: onnxruntime.InferenceSession, items: list[ModelInput]) -> list[Logits]:
    feed = {"input_ids": np.stack([i.ids for i in items]), "token_type_ids": np.stack([i.types for i in items])}
    start, end = session.run(["start_logits", "end_logits"], feed)
    return [Logits(s, e) for s, e in zip(start.astype(np.float64), end.astype(np.float64), strict=True)]


def pieces(text: str) -> list[tuple[int, str]]:
    """Cuts a long text at white space; returns the pieces and where each starts."""
    found, at = [], 0
    while len(text) - at > _TOKENIZED_AT_ONCE:
        cut = at + _TOKENIZED_AT_ONCE
        back = next((i for i in range(cut, max(at, cut - 1000), -1) if text[i].isspace()), cut)
        found.append((at, text[at:back]))
        at = back
    return [*found, (at, text[at:])]


def _join(parts: list[tuple[int, tokenizers.Encoding]]) -> Tokens:
    ids, starts, ends, first, last = (
        columns[0] if len(columns) == 1 else np.concatenate(columns)
        for columns in zip(*(_columns(at, encoding) for at, encoding in parts), strict=True)
    )
    return Tokens(ids, starts, ends, first, last)


def _columns(at: int, encoding: tokenizers.Encoding) -> Tokens:
    offsets = np.fromiter(chain.from_iterable(encoding.offsets), np.int64, 2 * len(encoding)).reshape(-1, 2) + at
    changes = np.diff(np.array(encoding.word_ids, np.int64), prepend=-1, append=-1) != 0
    return Tokens(np.array(encoding.ids, np.int64), offsets[:, 0], offsets[:, 1], changes[:-1], changes[1:])
