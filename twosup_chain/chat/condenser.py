"""`QuestionCondenser`: a question of a conversation, rewritten so that a retriever and a reader understand it alone.

"And who paid for it?" finds nothing in a vector store.
"""

import logging
import re
from typing import Annotated, Any, Literal, TypedDict, Unpack

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    convert_to_messages,
)
from langchain_core.runnables import Runnable
from pydantic import BeforeValidator, Field

from twosup_chain._drive import FlowRunnable
from twosup_chain._options import shorten
from twosup_chain._step import Flow, Step
from twosup_chain.answerers.named_chat_model import as_chat_model
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import InputError, is_failure

#: What the model is told.
INSTRUCTIONS = (
    "Rewrite the last question of the conversation so that it can be understood by itself: put in the names that "
    "pronouns stand for, and what was left out. Do not answer it. If it can be understood as it is, repeat it. Reply "
    "with the question alone."
)
_EXAMPLE = (
    "User: Who designed the lighthouse of Skerry Point?\nAssistant: Ellen Marsh.\n\nLast question: When was it lit?",
    "When was the lighthouse of Skerry Point lit?",
)
_LABEL = re.compile(r"^(?:the\s+)?(?:last|rewritten|stand-?alone)?\s*question\s*:\s*", re.IGNORECASE)
_USER, _MODEL = "User", "Assistant"

logger = logging.getLogger(__name__)


class CondenserOptions(TypedDict, total=False):
    """The options of a `QuestionCondenser` by name and type, as an editor and a type checker know them."""

    instructions: str
    max_messages: int
    on_error: Literal["as_asked", "raise"]
    name: str | None


class QuestionCondenser(FlowRunnable[Any, str]):
    """Puts what a question takes from its conversation into the question itself, in one call of a chat model.

    Where there is no conversation before it, the question passes unchanged, and nobody is asked. What the call costs
    is in its trace, not in the result of the chain that answers.

    The input is a question; or ``{"question", "history"}`` with the messages before it; or all messages, as a list or
    as ``{"messages"}``, whose last one is the question. Messages are given in any form that LangChain takes.

    Args:
        model: A chat model, or ``"provider:model"``, which is looked up at the first call. It may be given by position.
        instructions: The system message.
        max_messages: The most messages of the conversation that are shown, the latest ones.
        on_error: Where the model fails, or its reply is no question: the question goes on ``"as_asked"``, which the log
            warns of, or ``"raise"`` the error.

    Raises:
        ConfigurationError: An option of the wrong type or value.
        InputError: At a call, where the input holds no question.

    Example:
        >>> QuestionCondenser(chat).invoke("Who designed the lighthouse?")  # nobody is asked
        'Who designed the lighthouse?'
    """

    model: Annotated[Runnable[Any, Any], BeforeValidator(as_chat_model)]
    instructions: str = INSTRUCTIONS
    max_messages: int = Field(default=8, ge=1)
    on_error: Literal["as_asked", "raise"] = "as_asked"

    def __init__(self, model: Runnable[Any, Any] | str | None = None, **options: Unpack[CondenserOptions]) -> None:
        super().__init__(model=model, **options)

    def flow(self, value: Any, **_: Any) -> Flow[str]:
        """Returns the question that can be understood by itself."""
        question, history = _conversation(value)
        if not history:
            return question
        try:
            return _question((yield Step(self.model, self._messages(question, history))), question)
        except Exception as error:
            if self.on_error == "raise" or not is_failure(error):
                raise
            logger.warning("the question goes on as it was asked, it was not rewritten: %s", type(error).__name__)
            return question

    def _messages(self, question: str, history: list[BaseMessage]) -> list[BaseMessage]:
        said = "\n".join(f"{_speaker(m)}: {m.text}" for m in history[-self.max_messages :])
        shown, rewritten = _EXAMPLE
        return [
            SystemMessage(self.instructions),
            HumanMessage(shown),
            AIMessage(rewritten),
            HumanMessage(f"{said}\n\nLast question: {question}"),
        ]


def _conversation(value: object) -> tuple[str, list[BaseMessage]]:
    """Returns the question, and what users and models said before it; tool calls and system messages are left out."""
    if isinstance(value, str):
        return _asked(value), []
    if isinstance(value, dict) and "messages" in value:
        value = value["messages"]
    if isinstance(value, dict) and "question" in value:
        return _asked(value["question"]), _spoken(value.get("history") or [])
    if isinstance(value, (list, tuple)) and value:
        *history, last = _messages(value)
        if _speaker(last) == _USER:
            return _asked(last.text), _spoken(history)
        message = f"the last message is of the type {last.type!r}: the question must be the last message, from the user"
        raise InputError(message)
    raise InputError(
        f"the input {shorten(value)} holds no question: pass a question, {{'question': …, 'history': […]}}, "
        "or the messages, of which the last is the question"
    )


def _asked(question: object) -> str:
    if isinstance(question, str) and question.strip():
        return question
    raise InputError(f"question={shorten(question)}: ask something, as a string")


def _spoken(history: object) -> list[BaseMessage]:
    return [m for m in _messages(history) if _speaker(m) is not None and m.text.strip()]


def _speaker(message: BaseMessage) -> str | None:
    """Returns who speaks, whole or in chunks: user or model; ``None`` for tools and systems."""
    role = message.role if isinstance(message, ChatMessage) else None
    if isinstance(message, HumanMessage) or role in {"user", "human"}:
        return _USER
    return _MODEL if isinstance(message, AIMessage) or role in {"assistant", "ai"} else None


def _messages(value: object) -> list[BaseMessage]:
    try:
        return convert_to_messages(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, NotImplementedError) as error:
        raise InputError(f"history={shorten(value)} is no list of messages: {error}") from error


def _question(reply: object, asked: str) -> str:
    """Returns the question that the model wrote; the one that was asked, where it "answers" that it cannot."""
    text = as_answer(AIMessage(reply) if isinstance(reply, str) else reply).text
    return asked if text is None else _LABEL.sub("", text).strip() or asked
