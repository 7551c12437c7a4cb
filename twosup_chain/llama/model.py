"""A GGUF model in this process, through llama-cpp-python: loaded at its first use, and remembering what it has read.

It reads tokens and gives the logits after them; it leaves out what they are good for (`decoding`) and what is asked
(`answerer`, `chat`).
"""

import ctypes
import os
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass, field
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from twosup_chain._health import ModelHealth
from twosup_chain._in_process import processors
from twosup_chain._process import Loaded
from twosup_chain._worker import Worker, check_wanted
from twosup_chain.errors import MissingExtraError, ModelFileError
from twosup_chain.llama.decoding import Logits

#: How a model without a chat template is asked; one that was trained on bare text understands it.
PLAIN_TEMPLATE = (
    "{% for m in messages %}"
    "{% if m.role == 'system' %}{{ m.content }}\n\n"
    "{% elif m.role == 'user' %}{{ m.content }}\nAnswer:"
    "{% else %} {{ m.content }}\n\n{% endif %}"
    "{% endfor %}"
)


_LONGEST_TOKEN = 512  # bytes
_YES = True  # C functions take their arguments by position


class LlamaModel:
    """A GGUF model and its memory of the prompt before; `LlamaCppAnswerer` says what the options mean.

    A prompt comes in segments (instructions, passage, question), each evaluated as a batch of its own. Leading segments
    that are those of the prompt before are not evaluated again. Since llama.cpp's arithmetic depends on how tokens are
    batched (by some tenths of a nat in a quantised model), and the segments are batched alike whether or not others
    were remembered, a remembered prompt gives the same logits as a fresh one, bit for bit.

    A model is not thread-safe, and llama.cpp's own threads belong to the thread that calls it: everything from a `read`
    to the last `append` that belongs to it is one job of `worker`. A process that is forked off loads the model again.
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str],
        *,
        n_ctx: int = 2048,
        n_batch: int = 512,
        n_threads: int | None = None,
        n_gpu_layers: int = 0,
        verbose: bool = False,
    ) -> None:
        need_llama_cpp("LlamaModel")
        self.path = Path(model_path).expanduser()
        check_gguf(self.path)
        threads = n_threads or max(processors() // 2, 1)
        self.options = {
            "n_ctx": n_ctx,
            "n_batch": n_batch,
            "n_threads": threads,
            "n_threads_batch": threads,
            "n_gpu_layers": n_gpu_layers,
            "verbose": verbose,
        }
        #: The one thread that evaluates.
        self.worker = Worker()
        #: How many tokens were evaluated since the model was loaded.
        self.evaluated = 0
        path, chosen = self.path, self.options
        self._open = Loaded(lambda: _Open(_load(path, chosen)), _Open.close)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles as a model that is yet to be loaded."""
        return _rebuild, (self.path, {k: v for k, v in self.options.items() if k != "n_threads_batch"})

    @property
    def name(self) -> str:
        """The model's own name, or else its file's."""
        return str(self._loaded().metadata.get("general.name") or "").strip() or self.path.stem

    @property
    def n_ctx(self) -> int:
        """How many tokens the context holds; llama.cpp may make room for more, but the bindings do not use it."""
        return int(min(self._loaded().n_ctx(), self.options["n_ctx"]))

    def tokenize(self, text: str, *, special: bool = False, start: bool = False, spaced: bool = False) -> list[int]:
        """Returns the tokens of a text."""
        llama = self._loaded()
        if spaced and not self._adds_space:
            text = f" {text}"
        bos = self._special(llama.token_bos())
        add_bos = start and not (bos and text.startswith(bos))
        return [int(token) for token in llama.tokenize(text.encode(), add_bos=add_bos, special=special)]

    def piece(self, token: int) -> bytes:
        """Returns the bytes that a token stands for, which may be a part of a character."""
        import llama_cpp

        buffer = ctypes.create_string_buffer(_LONGEST_TOKEN)
        length = llama_cpp.llama_token_to_piece(self._vocabulary(), token, buffer, _LONGEST_TOKEN, 0, _YES)
        return buffer.raw[: max(length, 0)]

    def ends(self, token: int) -> bool:
        """Whether a token ends the model's turn."""
        import llama_cpp

        return bool(llama_cpp.llama_vocab_is_eog(self._vocabulary(), token))

    def render(self, messages: Sequence[dict[str, str]]) -> str:
        """Returns a conversation as the model's chat template (or else `PLAIN_TEMPLATE`) writes it.

        A template that knows no system role gets the instructions at the head of the first message instead.
        """
        try:
            if self._open.get().formatter is None:
                self._open.get().formatter = self._make_formatter()
            return _render(self._open.get().formatter, list(messages))
        except Exception as error:
            message = f"model_path={str(self.path)!r}: the chat template cannot write the prompt: {error}"
            raise ModelFileError(message) from error

    def read(self, segments: Sequence[Sequence[int]]) -> Logits:
        """Reads a prompt, batched by segment, and returns the logits after it (a copy)."""
        remembered = self._open.get()
        wanted = [tuple(segment) for segment in segments if segment]
        known = 0
        while known < len(wanted) - 1 and remembered.segments[known : known + 1] == wanted[known : known + 1]:
            known += 1
        self._forget(known)
        for segment in wanted[known:]:
            self._evaluate(segment)
            remembered.segments.append(segment)
        return self._logits().copy()

    def append(self, token: int) -> Logits:
        """Reads one more token and returns the logits after it, which the next evaluation overwrites."""
        self._evaluate((token,))
        return self._logits()

    def rewind(self) -> None:
        """Forgets the tokens appended to the prompt."""
        self._forget(len(self._open.get().segments))

    def warm_up(self) -> None:
        """Loads the model."""
        self.worker.run(self._loaded)

    def health(self) -> ModelHealth:
        """Returns how it fares."""
        return ModelHealth(
            model=str(self.path),
            loaded=self._open.there,
            watches_forks=self._open.hooked,
            waiting=self.worker.waiting,
        )

    def close(self) -> None:
        """Frees the model; the next use loads it again."""
        self.worker.run(self._open.drop)

    def _forget(self, keep: int) -> None:
        """Forgets all but the first `keep` segments."""
        import llama_cpp

        llama, remembered = self._loaded(), self._open.get()
        kept, remembered.segments = remembered.segments[:keep], []
        tokens = sum(map(len, kept))
        memory = llama_cpp.llama_get_memory(llama.ctx)
        if llama_cpp.llama_memory_seq_rm(memory, 0, tokens, -1):
            llama.n_tokens = tokens
            remembered.segments = kept
            return
        # a recurrent model cannot go back: it starts again
        llama_cpp.llama_memory_clear(memory, _YES)
        llama.n_tokens = 0
        for segment in kept:
            self._evaluate(segment)
            remembered.segments.append(segment)

    def _evaluate(self, tokens: Sequence[int]) -> None:
        check_wanted()
        self._loaded().eval(tokens)
        self.evaluated += len(tokens)

    def _logits(self) -> Logits:
        import llama_cpp

        llama = self._loaded()
        return np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llama.ctx, -1), shape=(llama.n_vocab(),))

    @property
    def _adds_space(self) -> bool:
        """Whether the tokenizer puts a space before every text by itself, as SentencePiece does."""
        metadata = self._loaded().metadata
        sentencepiece = metadata.get("tokenizer.ggml.model") == "llama"
        return bool(sentencepiece and metadata.get("tokenizer.ggml.add_space_prefix", "true") == "true")

    def _make_formatter(self) -> Any:
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        llama = self._loaded()
        return Jinja2ChatFormatter(
            template=llama.metadata.get("tokenizer.chat_template") or PLAIN_TEMPLATE,
            eos_token=self._special(llama.token_eos()),
            bos_token=self._special(llama.token_bos()),
        )

    def _vocabulary(self) -> Any:
        import llama_cpp

        return llama_cpp.llama_model_get_vocab(self._loaded().model)

    def _special(self, token: int) -> str:
        """Returns the text of a special token; empty where the model has no such token."""
        import llama_cpp

        text: bytes = llama_cpp.llama_vocab_get_text(self._vocabulary(), token) if token >= 0 else b""
        return text.decode(errors="replace")

    def _loaded(self) -> Any:
        return self._open.get().llama


@dataclass
class _Open:
    """A model that is in memory, and the segments that it remembers."""

    llama: Any
    segments: list[tuple[int, ...]] = field(default_factory=list)
    formatter: Any = None

    def close(self) -> None:
        """Frees it before the interpreter takes the library away, which would be noisy."""
        self.llama.close()


def need_llama_cpp(needed_by: str) -> None:
    """Checks that the bindings are there."""
    if find_spec("llama_cpp") is None:
        raise MissingExtraError(needed_by, "llama-cpp-python", "llama")


def check_gguf(path: Path) -> None:
    """Checks that a file is there and starts as a GGUF file does."""
    if not path.is_file():
        what = "is a directory" if path.is_dir() else "does not exist"
        raise ModelFileError(f"model_path={str(path)!r} {what}: give the path of a GGUF file")
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelFileError(f"model_path={str(path)!r} cannot be read: {error}") from error
    if magic != b"GGUF":
        message = f"model_path={str(path)!r} is no GGUF file (it starts with {magic!r}): give the path of a GGUF file"
        raise ModelFileError(message)


def _load(path: Path, options: dict[str, Any]) -> Any:
    import llama_cpp

    # told to be quiet, the bindings still print llama.cpp's warnings about a new context to sys.stderr
    quiet = nullcontext() if options["verbose"] else redirect_stderr(StringIO())
    try:
        with quiet:
            return llama_cpp.Llama(str(path), **options)
    except (ValueError, AssertionError, RuntimeError, UnicodeDecodeError) as error:
        message = f"model_path={str(path)!r}: llama.cpp cannot load it ({error}); verbose=True shows why"
        raise ModelFileError(message) from error


def _rebuild(path: Path, options: dict[str, Any]) -> LlamaModel:
    return LlamaModel(path, **options)


def _render(formatter: Any, messages: list[dict[str, str]]) -> str:
    def write(messages: list[dict[str, str]]) -> str:
        return str(formatter(messages=messages, enable_thinking=False).prompt)

    if messages[0]["role"] != "system":
        return write(messages)
    system, first, *rest = messages
    try:
        text = write(messages)
    except Exception:  # noqa: BLE001 - templates raise what they like
        text = ""
    if system["content"] in text:
        return text
    return write([{**first, "content": f"{system['content']}\n\n{first['content']}"}, *rest])
