"""The records that a chat model's turn adds to those of a question: the conversation, and a message as an answer."""

import json
from collections.abc import Sequence
from typing import Any, Self

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from pydantic import Field

from twosup_chain.answerers.message import answer_from_message, model_of, usage_of
from twosup_chain.schema import Answer, QAInput, TwoSupervisorResult, Verdict

# What scorers are told was asked where the conversation holds no text (an image alone, say).
_NO_TEXT = "(no text)"


def question_of(messages: Sequence[BaseMessage]) -> str:
    """Returns what scorers are told was asked: the last human text, or else the last text."""
    human = [message.text for message in messages if isinstance(message, HumanMessage)]
    texts = [str(text) for text in (human or [message.text for message in messages]) if text.strip()]
    return texts[-1] if texts else _NO_TEXT


class Turn(QAInput):
    """A conversation that waits for its next message; its last human message is the question.

    `called_with` is what else a model is told: tools, the form of the reply, its length.
    """

    messages: tuple[BaseMessage, ...] = ()
    called_with: dict[str, Any] = Field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, messages: Sequence[BaseMessage], context: Any, **options: Any) -> Self:
        """Returns the turn that a conversation asks for; `context` is what supervisors take for its context."""
        return cls(question=question_of(messages), context=context, messages=tuple(messages), called_with=options)

    @property
    def texts(self) -> tuple[str, ...]:
        """All texts that a model is shown, those of tool calls and of what is no text among them."""
        calls = (str(call) for message in self.messages for call in getattr(message, "tool_calls", ()))
        contents = (str(part) for message in self.messages for part in (message.text, message.content))
        return (*super().texts, *contents, *calls)

    def as_dict(self) -> dict[str, Any]:
        """Returns ``{"question", "context", "messages"}``, as writers and fallbacks take it."""
        return {**super().as_dict(), "messages": list(self.messages)}


class Draft(Answer):
    """A message that a chat model wrote, read as an answer.

    Where the verdict stood fast before it was complete (`rejected`), its score is the highest that could be reached.
    """

    message: AIMessage  # verbatim
    chunks: tuple[AIMessageChunk, ...] = ()  # those it came in; empty where it came whole
    calls_tools: bool = False  # so that its wording is not judged
    rejected: Verdict | None = None
    shown: bool = False  # its text has already been passed on
    usage_estimated: bool = False  # `usage` is counted here: a model that is stopped may not report it


def read_draft(message: AIMessage, context: Any, *, faulty_calls: bool, **known: Any) -> Draft:
    """Returns a complete message as a draft."""
    faulty = message.invalid_tool_calls
    if (message.tool_calls and not faulty) or (faulty and faulty_calls):
        names = [call["name"] for call in (*message.tool_calls, *faulty)]
        return Draft(
            text=message.text.strip() or json.dumps(names),
            message=message,
            calls_tools=True,
            usage=usage_of(message),
            model=model_of(message),
            **known,
        )
    passages = QAInput(question=_NO_TEXT, context=context).passages
    answer = answer_from_message(message, passages)
    read = {name: getattr(answer, name) for name in ("text", "token_logprobs", "usage", "model")}
    return Draft(**read, message=message, **known)


def accepted(result: TwoSupervisorResult) -> Draft | None:
    """Returns the draft of one of the two models that a result lets out, if it is a draft."""
    answer = {"local": result.local, "remote": result.remote}.get(result.source)
    return answer if isinstance(answer, Draft) else None


def told(result: TwoSupervisorResult, **more: Any) -> dict[str, Any]:
    """Returns a decision as a message carries it: plain JSON values, `more` among them."""
    parts = {"local": (result.local, result.local_verdict), "remote": (result.remote, result.remote_verdict)}
    return {
        "source": result.source,
        "status": result.status,
        "reason": result.reason,
        "error": result.error,
        "verdicts": {role: _verdict(verdict, draft) for role, (draft, verdict) in parts.items()},
        "usage": {role: _usage(draft) for role, (draft, _) in parts.items()},
        **more,
        "seconds": round(result.seconds, 6),
    }


def _verdict(verdict: Verdict | None, draft: Answer | None) -> dict[str, Any] | None:
    if verdict is None or (isinstance(draft, Draft) and draft.calls_tools):
        return None
    return verdict.model_dump(mode="json", exclude_defaults=True)


def _usage(draft: Answer | None) -> dict[str, Any] | None:
    return None if draft is None or draft.usage is None else dict(draft.usage)
