"""`LlamaCppChat`: a GGUF model in this process as a LangChain chat model, with the log-probability of every token.

Here it is asked, and its pieces become chunks. Left out: the prompt (`prompt`), the writing (`writing`), the model
itself (`model`), and whether the reply is to be trusted (`twosup_chain.chat`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import agenerate_from_stream, generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, field_validator

from twosup_chain._options import shorten
from twosup_chain.errors import ConfigurationError, InputError, UnknownOptionError
from twosup_chain.llama.decoding import Sampling, WrittenToken
from twosup_chain.llama.options import LlamaOptions
from twosup_chain.llama.prompt import prompt_segments
from twosup_chain.llama.writing import Piece, write

#: What a call may set anew.
_CALL_OPTIONS = ("max_tokens", "temperature", "seed", "top_logprobs")


class LlamaCppChat(BaseChatModel, LlamaOptions):
    """Chats with a GGUF model in this process, written by the model's own chat template.

    Whatever the messages hold, none of it counts as a special token. It reads text only and calls no tools; a tool's
    result in the conversation is told to it in words.

    A reply carries in ``response_metadata``: ``logprobs``, in the shape of OpenAI's chat completions (natural
    logarithms, at temperature 1), ``finish_reason`` (``"stop"``, or ``"length"`` where `max_tokens` or the context
    ended it) and ``model_name``; its ``usage_metadata`` counts every token that was read as the prompt and generated.
    A stream brings the same token by token.

    A model takes one call at a time, in the order in which they came; those that wait in an event loop hold no thread.
    A stream is written whether or not it is read on; closed, it ends at the next token.

    Args:
        model_path: The GGUF file. It is loaded at the first call.
        n_ctx: How many tokens the conversation and the reply may take together, at least 64.
        n_batch: How many tokens of the conversation are evaluated together.
        n_threads: Threads; ``None`` for half the CPUs that this process may use.
        n_gpu_layers: How many layers to put on a GPU; -1 for all.
        max_tokens: The longest reply, in tokens.
        temperature: 0 takes the likeliest token (greedy); higher values draw.
        seed: Seeds the drawing, afresh at every call.
        stop: Texts before which a reply ends, besides those of the call.
        top_logprobs: How many of the likeliest tokens are told at each place.
        engine: A model already in use elsewhere (``LlamaCppAnswerer.engine``), to share it; made from the options above
            if it does not fit them.

    Raises:
        MissingExtraError: llama-cpp-python is not installed.
        ModelFileError: The file is missing or is no GGUF file; at the first call: llama.cpp refuses it.
        ConfigurationError: An option has a wrong type or value.
        InputError: At a call, where the conversation does not fit into `n_ctx` or holds something that is not text.

    Example:
        >>> chat = LlamaCppChat(model_path="qwen2.5-0.5b-instruct.gguf")  # doctest: +SKIP
        >>> chat.invoke("What is the capital of France?").content  # doctest: +SKIP
        'The capital of France is Paris.'
    """

    n_ctx: int = Field(default=4096, ge=64)
    max_tokens: int = Field(default=512, ge=1)
    stop: tuple[str, ...] = ()
    top_logprobs: int = Field(default=0, ge=0)
    streaming: bool = False

    @field_validator("stop", mode="before")
    @classmethod
    def _check_stop(cls, value: object) -> object:
        texts = [value] if isinstance(value, str) else value
        if isinstance(texts, (list, tuple)) and all(isinstance(text, str) and text for text in texts):
            return tuple(texts)
        if value is None:
            return ()
        raise ConfigurationError(f"stop={shorten(value)}: pass the texts before which a reply ends, none of them empty")

    @property
    def call_options(self) -> frozenset[str]:
        """What a call may say, by name."""
        return frozenset({*_CALL_OPTIONS, "stop"})

    @property
    def model_name(self) -> str:
        """The name of the GGUF file, without its ending."""
        return Path(self.model_path).stem

    def get_token_ids(self, text: str) -> list[int]:
        """Returns the model's own tokens of a text."""
        return self._model.worker.run(lambda: self._model.tokenize(text))

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Sequence[Any] | None = None) -> int:
        """Returns how many tokens a conversation takes as a prompt; tools are none of it."""
        del tools
        return self._model.worker.run(lambda: sum(map(len, prompt_segments(self._model, messages))))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        del run_manager  # its tokens are announced by LangChain
        return self._model.worker.stream(partial(self._write, messages, self._options_of_call(stop, kwargs)))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del run_manager
        written = self._model.worker.astream(partial(self._write, messages, self._options_of_call(stop, kwargs)))
        async with aclosing(written) as chunks:
            async for chunk in chunks:
                yield chunk

    def _write(self, messages: list[BaseMessage], options: LlamaCppChat) -> Generator[ChatGenerationChunk]:
        model = self._model
        prompt = prompt_segments(model, messages)
        read = sum(map(len, prompt))
        room = model.n_ctx - read
        if room < 1:
            raise InputError(
                f"messages: the conversation takes {read} tokens, and n_ctx={model.n_ctx} leaves no room for a reply: "
                "shorten it (langchain_core.messages.trim_messages counts with this model), or raise n_ctx"
            )
        sampling = Sampling(
            max_tokens=min(options.max_tokens, room),
            temperature=options.temperature,
            seed=options.seed,
            stop=options.stop,
            top_logprobs=options.top_logprobs,
        )
        for piece in write(model, prompt, sampling):
            yield _chunk(piece, read, model.name)
            read = 0

    def _options_of_call(self, stop: list[str] | None, kwargs: dict[str, Any]) -> LlamaCppChat:
        """Returns this model with the options of a call."""
        given = {key: value for key, value in kwargs.items() if key != "stream" and value is not None}
        for key in given:
            if key not in _CALL_OPTIONS:
                raise UnknownOptionError("option of a call of LlamaCppChat", key, (*_CALL_OPTIONS, "stop"))
        if not given and not stop:
            return self
        options = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**options, **given, "stop": (*self.stop, *(stop or ()))})

    @property
    def _llm_type(self) -> str:
        return "twosup-llama-cpp"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        names = ("n_ctx", "n_batch", "max_tokens", "temperature", "seed", "stop", "top_logprobs")
        return {"model_path": str(self.model_path), **{name: getattr(self, name) for name in names}}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        params = super()._get_ls_params(stop=stop, **kwargs)
        params["ls_provider"] = "llama_cpp"
        return params


def _chunk(piece: Piece, read: int, model: str) -> ChatGenerationChunk:
    """Returns a piece as a chunk; `read` is how many tokens of the prompt it accounts for."""
    metadata: dict[str, Any] = {"logprobs": {"content": [_row(token) for token in piece.tokens]}}
    if piece.ending is not None:
        metadata |= {"finish_reason": piece.ending, "model_name": model}
    generated = piece.generated
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=piece.text,
            response_metadata=metadata,
            usage_metadata=UsageMetadata(input_tokens=read, output_tokens=generated, total_tokens=read + generated),
            chunk_position="last" if piece.ending is not None else None,
        )
    )


def _row(token: WrittenToken) -> dict[str, Any]:
    """Returns a token as OpenAI's chat completions write it."""
    top = [_entry(data, logprob) for data, logprob in token.top]
    return {**_entry(token.data, token.logprob), "top_logprobs": top}


def _entry(data: bytes, logprob: float) -> dict[str, Any]:
    return {"token": data.decode(errors="replace"), "logprob": logprob, "bytes": list(data)}
