"""The options of chain and chat model by name and type, as an editor and a type checker know them.

Pydantic checks them when they are given; a test holds these names to its fields.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable

from twosup_chain._gate import Gate

#: What a user gives for a model: a chat model, any other Runnable, a function, or ``"provider:model"``.
Part = Runnable[Any, Any] | Callable[..., Any] | str


class DecisionOptions(TypedDict, total=False):
    """What a chain and a chat model have in common, beside their models and supervisors."""

    name: str | None
    fallback: Part | None
    on_remote_error: Literal["raise", "local", "no_answer", "fallback"]
    on_local_error: Literal["escalate", "raise"]
    on_supervisor_error: Literal["escalate", "raise"]
    early_abstention: bool
    reconcile: bool
    never_escalate: str | Mapping[str, Any] | Callable[..., bool] | Sequence[Any] | None
    deadline: float | None
    gate: Gate | None


class ChatOptions(DecisionOptions, total=False):
    """What a chat model adds, LangChain's own options included."""

    no_answer: str
    context: Callable[[list[BaseMessage]], Any] | None
    early_rejection: bool
    remote_tokens: Literal["held", "at_once"]
    local_tools: bool
    model_name: str
    temperature: float | None
    max_tokens: int | None
    stop: list[str] | None
    streaming: bool
    callbacks: Any
    tags: list[str] | None
    metadata: dict[str, Any] | None
    verbose: bool
    rate_limiter: Any
    disable_streaming: bool | Literal["tool_calling"]
    output_version: str | None
    custom_get_token_ids: Callable[[str], list[int]] | None
    profile: Any
