"""A chat model that writes tokens with the probabilities of a script, in the place of one that runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import Field, SkipValidation

from twosup_chain import Supervisor, TwoSupervisorChatModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from langchain_core.runnables import Runnable

Tokens = list[tuple[str, float]]

SURE: Tokens = [("Paris", 0.9), (" is", 0.8), (" it", 0.9)]


class ScriptedChat(BaseChatModel):
    """Writes `tokens`; `generated` receives each token that was really generated, `asked` what every call was given.

    With `calls`, it calls these tools instead where tools are bound; with `error`, it fails after its tokens.
    """

    tokens: SkipValidation[Tokens]
    model_name: str = "scripted"
    calls: list[dict[str, Any]] = Field(default_factory=list)
    error: Exception | None = None
    reports_usage: bool = True
    generated: SkipValidation[list[str]] = Field(default_factory=list)
    asked: SkipValidation[list[tuple[list[BaseMessage], dict[str, Any]]]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools: Any, *, tool_choice: Any = None, **kwargs: Any) -> Runnable[Any, Any]:
        return self.bind(tools=tools, tool_choice=tool_choice, **kwargs)

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop, run_manager, **kwargs))

    def _stream(
        self, messages: Any, stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        self.asked.append((messages, {"stop": stop, **kwargs}))
        if self.calls and kwargs.get("tools"):
            yield ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=self.calls))
            return
        for place, (token, probability) in enumerate(self.tokens):
            self.generated.append(token)
            yield ChatGenerationChunk(message=self._chunk(token, probability, 5 if place == 0 else 0))
        if self.error is not None:
            raise self.error
        yield ChatGenerationChunk(
            message=AIMessageChunk("", response_metadata={"finish_reason": "stop", "model_name": self.model_name})
        )

    def _chunk(self, token: str, probability: float, read: int) -> AIMessageChunk:
        row = {"token": token, "logprob": math.log(probability)}
        usage = {"input_tokens": read, "output_tokens": 1, "total_tokens": read + 1}
        return AIMessageChunk(
            token,
            response_metadata={"logprobs": {"content": [row]}},
            usage_metadata=usage if self.reports_usage else None,
        )


def as_options(script: Any) -> Any:
    return {"tokens": script} if isinstance(script, list) else script


@pytest.fixture
def chat() -> Callable[..., TwoSupervisorChatModel]:
    """Returns a function that makes a supervised chat model of two scripts, both judged by their least probability.

    A script is a list of tokens, or the options of a `ScriptedChat`.
    """

    def make(local: Any = SURE, remote: Any = SURE, **options: Any) -> TwoSupervisorChatModel:
        local, remote = (
            ScriptedChat(**{"model_name": name, "tokens": SURE, **script}) if isinstance(script, dict) else script
            for name, script in (("small", as_options(local)), ("large", as_options(remote)))
        )
        supervisor = Supervisor("min_token_probability", threshold=0.5)
        parts = {"local_supervisor": supervisor, "remote_supervisor": supervisor if remote is not None else None}
        return TwoSupervisorChatModel(local=local, remote=remote, **{**parts, **options})

    return make


@pytest.fixture(scope="session")
def chat_of() -> Callable[[Tokens, Tokens], TwoSupervisorChatModel]:
    """Returns a function that makes a supervised chat model of two lists of tokens, for property tests."""

    def make(local: Tokens, remote: Tokens) -> TwoSupervisorChatModel:
        supervisor = Supervisor("min_token_probability", threshold=0.5)
        parts = {"local_supervisor": supervisor, "remote_supervisor": supervisor}
        return TwoSupervisorChatModel(local=ScriptedChat(tokens=local), remote=ScriptedChat(tokens=remote), **parts)

    return make
