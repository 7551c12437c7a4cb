"""What a `LlamaModel` remembers, loads and refuses, on a stand-in for llama-cpp-python."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from twosup_chain.errors import ModelFileError
from twosup_chain.llama import model as _llama_model
from twosup_chain.llama.model import LlamaModel


class FakeLlama:
    """Keeps the tokens it was given; its logits tell them apart, and also how they were batched."""

    def __init__(self, path: str, **options: Any) -> None:
        self.options = options
        self.metadata: dict[str, str] = {"general.name": "Fake"}
        self.batches: list[tuple[int, ...]] = []
        self.evaluated: list[tuple[int, ...]] = []
        self.n_tokens = 0
        self.closed = False
        self.ctx = self

    def eval(self, tokens: tuple[int, ...]) -> None:
        if 13 in tokens:
            message = "llama_decode returned 1"
            raise RuntimeError(message)
        assert self.n_tokens == sum(map(len, self.batches))
        self.batches.append(tuple(tokens))
        self.evaluated.append(tuple(tokens))
        self.n_tokens += len(tokens)

    def n_ctx(self) -> int:
        return -(-self.options["n_ctx"] // 256) * 256

    def n_vocab(self) -> int:
        return 4

    def close(self) -> None:
        self.closed = True


class FakeBindings(SimpleNamespace):
    """The few functions of llama_cpp that a model uses; `recurrent` models cannot forget a part."""

    def __init__(self, *, recurrent: bool = False) -> None:
        super().__init__(recurrent=recurrent, Llama=self._open, opened=[])

    def _open(self, path: str, **options: Any) -> FakeLlama:
        self.opened.append(FakeLlama(path, **options))
        return self.opened[-1]

    def llama_get_memory(self, ctx: FakeLlama) -> FakeLlama:
        return ctx

    def llama_memory_seq_rm(self, memory: FakeLlama, _: int, start: int, __: int) -> bool:
        kept, size = [], 0
        for batch in memory.batches:
            if size >= start:
                break
            kept.append(batch[: start - size])
            size += len(kept[-1])
        if self.recurrent and kept != memory.batches:
            return False
        memory.batches = kept
        return True

    def llama_memory_clear(self, memory: FakeLlama, _: bool) -> None:
        memory.batches = []

    def llama_get_logits_ith(self, ctx: FakeLlama, _: int) -> Any:
        values = np.array([hash(tuple(ctx.batches)) % 1000, ctx.n_tokens, 0, 0], np.float32)
        return values.ctypes.data_as(np.ctypeslib.ctypes.POINTER(np.ctypeslib.ctypes.c_float))


@pytest.fixture
def bindings(monkeypatch: pytest.MonkeyPatch) -> FakeBindings:
    fake = FakeBindings()
    monkeypatch.setitem(sys.modules, "llama_cpp", fake)
    monkeypatch.setattr(_llama_model, "find_spec", lambda _: object())
    return fake


def test_a_model_is_loaded_at_its_first_use_and_only_once(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path, n_ctx=128)
    assert bindings.opened == []
    assert model.name == model.name == "Fake"
    assert len(bindings.opened) == 1
    assert bindings.opened[0].options["n_ctx"] == 128


def test_the_context_holds_what_was_asked_for_even_if_llama_cpp_rounds_it_up(gguf_path, bindings) -> None:
    assert LlamaModel(gguf_path, n_ctx=300).n_ctx == 300


def test_a_model_without_a_name_is_called_after_its_file(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    model._loaded().metadata.clear()
    assert model.name == "scripted"


def test_leading_segments_of_the_prompt_before_are_not_evaluated_again(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    model.read([[1, 2], [3, 4, 5], [6]])
    model.read([[1, 2], [3, 4, 5], [7, 8]])
    model.read([[1, 2], [9], [7, 8]])
    assert bindings.opened[0].evaluated == [(1, 2), (3, 4, 5), (6,), (7, 8), (9,), (7, 8)]
    assert model.evaluated == 11


def test_a_prompt_read_before_gives_the_same_logits_in_the_same_batches(gguf_path, bindings) -> None:
    model, fresh = LlamaModel(gguf_path), LlamaModel(gguf_path)
    model.read([[1, 2], [3], [4]])
    model.append(9)
    again = model.read([[1, 2], [3], [5]])
    assert np.array_equal(again, fresh.read([[1, 2], [3], [5]]))


def test_the_last_segment_is_always_evaluated_since_its_logits_are_needed(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    first, second = (model.read([[1], [2]]) for _ in range(2))
    assert np.array_equal(first, second)
    assert bindings.opened[0].evaluated == [(1,), (2,), (2,)]


def test_empty_segments_are_left_out(gguf_path, bindings) -> None:
    LlamaModel(gguf_path).read([[1], [], [2]])
    assert bindings.opened[0].evaluated == [(1,), (2,)]


def test_appended_tokens_are_forgotten_on_rewind(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    prompt = model.read([[1], [2]])
    model.append(3)
    model.append(4)
    model.rewind()
    assert bindings.opened[0].batches == [(1,), (2,)]
    assert np.array_equal(model._logits()[1], prompt[1])


def test_a_model_that_cannot_forget_a_part_starts_again(gguf_path, bindings) -> None:
    bindings.recurrent = True
    model = LlamaModel(gguf_path)
    model.read([[1], [2], [3]])
    model.append(4)
    model.rewind()
    assert bindings.opened[0].batches == [(1,), (2,), (3,)]
    model.read([[1], [2], [5]])
    assert bindings.opened[0].batches == [(1,), (2,), (5,)]


def test_after_a_failure_the_next_prompt_is_read_rightly(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    with pytest.raises(RuntimeError):
        model.read([[1], [2], [13]])
    model.read([[1], [2], [3]])
    assert bindings.opened[0].batches == [(1,), (2,), (3,)]


def test_a_closed_model_is_freed_and_loads_again_when_it_is_used(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    model.read([[1], [2]])
    model.close()
    model.close()
    model.read([[1], [2]])
    assert [llama.closed for llama in bindings.opened] == [True, False]
    assert bindings.opened[1].evaluated == [(1,), (2,)]


def test_a_model_that_nobody_holds_any_more_is_freed(gguf_path, bindings) -> None:
    model = LlamaModel(gguf_path)
    model.read([[1]])
    del model
    assert bindings.opened[0].closed


def test_a_file_that_llama_cpp_refuses_is_named(gguf_path, bindings, monkeypatch) -> None:
    def refuse(path: str, **_: object) -> None:
        message = f"Failed to load model from file: {path}"
        raise ValueError(message)

    monkeypatch.setattr(bindings, "Llama", refuse)
    with pytest.raises(ModelFileError, match=r"model_path='.*scripted\.gguf': llama\.cpp cannot load it"):
        _ = LlamaModel(gguf_path).name


@pytest.mark.parametrize("verbose", [False, True])
def test_llama_cpp_writes_to_stderr_only_when_it_may(gguf_path, bindings, monkeypatch, capsys, verbose: bool) -> None:
    def warn(path: str, **options: Any) -> FakeLlama:
        print("llama_context: warning", file=sys.stderr)
        return FakeLlama(path, **options)

    monkeypatch.setattr(bindings, "Llama", warn)
    _ = LlamaModel(gguf_path, verbose=verbose).name
    assert ("warning" in capsys.readouterr().err) is verbose


class FakeFormatter:
    """A chat template that knows the roles given; another one it refuses, or leaves out."""

    def __init__(self, *roles: str, silent: bool = False) -> None:
        self.roles = roles
        self.silent = silent

    def __call__(self, messages: list[dict[str, str]], **_: object) -> SimpleNamespace:
        unknown = {m["role"] for m in messages} - set(self.roles)
        if unknown and not self.silent:
            message = f"{unknown} not supported"
            raise ValueError(message)
        return SimpleNamespace(prompt="".join(f"<{m['content']}>" for m in messages if m["role"] in self.roles))


CONVERSATION = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]


@pytest.mark.parametrize("silent", [False, True])
def test_instructions_go_into_the_first_message_where_the_template_knows_no_system_role(silent: bool) -> None:
    assert _llama_model._render(FakeFormatter("user", silent=silent), CONVERSATION) == "<S\n\nU>"
    assert _llama_model._render(FakeFormatter("system", "user", silent=silent), CONVERSATION) == "<S><U>"


@pytest.mark.parametrize(("cpus", "threads"), [(1, 1), (2, 1), (16, 8)])
def test_threads_are_half_of_the_cpus(gguf_path, bindings, monkeypatch, cpus: int, threads: int) -> None:
    monkeypatch.setattr(_llama_model, "processors", lambda: cpus)
    assert LlamaModel(gguf_path).options["n_threads"] == threads
