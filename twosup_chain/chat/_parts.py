"""The parts of a conversation's decision, with their checks: what a chat model and an agent's middleware are made of.

What each means is said by `TwoSupervisorChatModel` and `TwoSupervisorMiddleware`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any, Literal, Self

from langchain_core.messages import BaseMessage
from langchain_core.runnables import Runnable
from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from twosup_chain._deadline import DEADLINE
from twosup_chain._gate import Gate
from twosup_chain._options import Options, shorten
from twosup_chain.answerers.named_chat_model import NamedChatModel
from twosup_chain.answerers.part import as_answerer
from twosup_chain.answerers.refused import Refusals, evidence_of
from twosup_chain.answerers.wrapping import innermost, is_chat_model
from twosup_chain.chain import NO_ANSWER_TEXT, no_answer_text
from twosup_chain.errors import ConfigurationError
from twosup_chain.never_escalate import Rules
from twosup_chain.schema import QAInput
from twosup_chain.scoring.lacking import gives, warn_if_blind
from twosup_chain.supervisor import Supervisor


class Parts(Options):
    """What chat model and middleware have in common."""

    no_answer: Annotated[str, AfterValidator(no_answer_text)] = NO_ANSWER_TEXT
    context: Callable[[list[BaseMessage]], Any] | None = None
    on_local_error: Literal["escalate", "raise"] = "escalate"
    on_supervisor_error: Literal["escalate", "raise"] = "escalate"
    never_escalate: Rules = None
    deadline: float | None = Field(default=DEADLINE, gt=0.0, allow_inf_nan=False)

    @field_validator("context", mode="before")
    @classmethod
    def _check_context(cls, value: object) -> object:
        if value is None or callable(value):
            return value
        raise ConfigurationError(f"context is a {type(value).__name__}: pass a function of the list of messages")

    def asked(
        self, messages: Sequence[BaseMessage], make: Callable[[Any], QAInput], found: Any = None
    ) -> tuple[QAInput, Exception | None]:
        """Returns what a conversation asks, and why its context could not be had, where it could not."""
        try:
            return make(found if self.context is None else self.context(list(messages))), None
        except Exception as error:  # noqa: BLE001 (the function is the user's: its error fails the supervisors)
            return make(None), error


def _chat_model(value: object, *, role: str) -> object:
    if isinstance(value, str):
        return NamedChatModel(value)
    if writes(value):
        return value
    if isinstance(value, Runnable) or callable(value):
        return as_answerer(value, role=role)
    raise ConfigurationError(
        f"{role}={shorten(value)} is no chat model: pass a LangChain chat model, 'provider:model', or an answerer of "
        "questions on a context"
    )


def writes(model: object) -> bool:
    """Whether a part writes messages, as a chat model does; an answerer is asked a question on a context."""
    return isinstance(innermost(model), NamedChatModel) or is_chat_model(model)


def _evidence(model: object) -> frozenset[str] | None:
    return evidence_of(model) if writes(model) else gives(model)


class ChatParts(Parts):
    """The parts of a `TwoSupervisorChatModel`."""

    local: Annotated[Runnable[Any, Any], BeforeValidator(partial(_chat_model, role="local"))]
    local_supervisor: Runnable[Any, Any]
    remote: Annotated[Runnable[Any, Any], BeforeValidator(partial(_chat_model, role="remote"))] | None = None
    remote_supervisor: Runnable[Any, Any] | None = None
    fallback: Any = None
    on_remote_error: Literal["raise", "local", "no_answer", "fallback"] = "raise"
    gate: Gate | None = Field(default=None, exclude=True, repr=False)
    early_abstention: bool = False
    reconcile: bool = False
    early_rejection: bool = True
    remote_tokens: Literal["held", "at_once"] = "held"
    local_tools: bool = False
    model_name: str = "twosup"
    refusals: Refusals = Field(default_factory=Refusals, repr=False, exclude=True)

    @model_validator(mode="after")
    def _warn_if_blind(self) -> Self:
        judges = {"local": (self.local_supervisor, self.local), "remote": (self.remote_supervisor, self.remote)}
        for role, (judge, model) in judges.items():
            if isinstance(judge, Supervisor) and judge.missing is None:
                told = self.context is not None
                warn_if_blind(role, judge.scorer, _evidence(model), _evidence(self.local), context=told)
        return self

    @property
    def stops_drafts(self) -> bool:
        """Whether a local draft may be stopped before it is complete: nobody needs the whole of a rejected one."""
        weighed = self.early_abstention or self.reconcile or _compares(self.remote_supervisor)
        return self.early_rejection and not (weighed or self.on_remote_error == "local" or self.gate is not None)


def _compares(supervisor: object) -> bool:
    """Whether a supervisor of the hosted model may read the local answer."""
    if supervisor is None:
        return False
    if not isinstance(supervisor, Supervisor):
        return True
    return supervisor.scorer.reads_local
