"""OpenAI's form of a conversation: what a client sends, and what it is sent, whole or in pieces."""

from collections.abc import Iterator
from typing import Any, Literal

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, SystemMessage, convert_to_messages
from langchain_core.messages.utils import convert_to_openai_messages
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from twosup_chain._options import shorten
from twosup_chain.errors import InputError
from twosup_chain.schema import QAInput
from twosup_chain.service.build import PASSAGE
from twosup_chain.service.decision import Ticket

#: What of a request is handed on to the models, and to the hosted one alone (`_exchange`).
_OPTIONS = (
    *("temperature", "stop", "response_format", "top_p", "seed", "frequency_penalty", "presence_penalty"),
    *("logit_bias", "reasoning_effort", "user", "service_tier"),
)
_TOOLS = ("tool_choice", "parallel_tool_calls")
#: How a reply ended, in OpenAI's words, by those of others.
_ENDS = {"length": "length", "max_tokens": "length", "MAX_TOKENS": "length", "content_filter": "content_filter"}


class _Asked(BaseModel):
    """What every request may say; what else it says is passed over."""

    model_config = ConfigDict(extra="allow", frozen=True)

    model: str
    metadata: dict[str, Any] = Field(default_factory=dict)


class StreamOptions(BaseModel):
    """``stream_options`` of a request."""

    include_usage: bool = False


class ChatRequest(_Asked):
    """The body of ``POST /v1/chat/completions``; `context` is ours: passages, as `QAInput` takes them."""

    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    tools: list[dict[str, Any]] | None = None
    context: Any = None

    @property
    def longest(self) -> int | None:
        """The most tokens of the reply."""
        return self.max_completion_tokens or self.max_tokens

    @property
    def tells_usage(self) -> bool:
        """Whether the last piece of a stream tells what the reply cost."""
        return self.stream_options is not None and self.stream_options.include_usage

    @property
    def wants_json(self) -> bool:
        """Whether the reply is to be JSON."""
        form = self.options.get("response_format")
        return isinstance(form, dict) and form.get("type") != "text"

    @property
    def conversation(self) -> list[BaseMessage]:
        """The messages, after those that hold the passages.

        Raises:
            InputError: They are none that OpenAI knows.
        """
        try:
            told = convert_to_messages(self.messages)
        except Exception as error:
            raise InputError(f"messages: {error}") from error
        found = QAInput(question="?", context=self.context).passages
        return [*(SystemMessage(passage, name=PASSAGE) for passage in found), *told]

    @property
    def options(self) -> dict[str, Any]:
        """What the models are called with."""
        more = self.model_extra or {}
        found = {name: more[name] for name in _OPTIONS if more.get(name) is not None}
        if isinstance(found.get("stop"), str):
            found["stop"] = [found["stop"]]
        return found

    @property
    def tool_options(self) -> dict[str, Any]:
        """How the tools are to be called."""
        more = self.model_extra or {}
        return {name: more[name] for name in _TOOLS if more.get(name) is not None}


class AnswerRequest(_Asked):
    """The body of ``POST /v1/answer``."""

    question: str
    context: Any = None
    id: str | None = None

    @property
    def asked(self) -> QAInput:
        """The question.

        Raises:
            InputError: It cannot be read.
        """
        return QAInput(question=self.question, context=self.context, id=self.id)


def parsed(kind: Any, body: Any) -> Any:
    """Returns the body of a request.

    Raises:
        InputError: It is none of this kind; the message names the field, the value and what it should be.
    """
    if not isinstance(body, dict):
        raise InputError(f"the body {shorten(body)} is no JSON object")
    try:
        return kind(**body)
    except ValidationError as error:
        said = ((".".join(map(str, item["loc"])), shorten(item["input"]), item["msg"]) for item in error.errors())
        raise InputError("; ".join(f"{place} = {value}: {what}" for place, value, what in said)) from None


def completion(ticket: Ticket, message: AIMessage) -> dict[str, Any]:
    """Returns a reply, whole."""
    (told,) = convert_to_openai_messages([message])
    said = {"role": "assistant", "content": message.text or None, "refusal": None}
    if "tool_calls" in told:
        said["tool_calls"] = told["tool_calls"]
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": _end(message, calls="tool_calls" in told)}
    return {
        **_head(ticket, "chat.completion"),
        "choices": [choice],
        "usage": _usage(message),
        "twosup": twosup(ticket, message),
    }


class Pieces:
    """Writes a reply in pieces.

    Args:
        ticket: The request.
        usage: Whether the last piece tells what the reply cost.
    """

    def __init__(self, ticket: Ticket, *, usage: bool) -> None:
        self._ticket = ticket
        self._tells_usage = usage
        self._calls = False
        self._begun = False
        self._ended: Any = None
        #: What ends the reply, once it is whole: how it ended with the decision, and what it cost.
        self.last: list[dict[str, Any]] = []

    def of(self, chunk: AIMessageChunk) -> Iterator[dict[str, Any]]:
        """Gives what a chunk adds, but for what ends the reply."""
        delta: dict[str, Any] = {} if self._begun else {"role": "assistant", "content": ""}
        self._begun = True
        if chunk.text:
            delta["content"] = chunk.text
        if chunk.tool_call_chunks:
            self._calls = True
            delta["tool_calls"] = [_call(place, call) for place, call in enumerate(chunk.tool_call_chunks)]
        self._ended = self._ended or chunk.response_metadata.get("finish_reason")
        if delta:
            yield self._piece(delta)
        if "twosup" in chunk.response_metadata:
            end = "tool_calls" if self._calls else _ENDS.get(self._ended, "stop")
            self.last = [{**self._piece({}, end), "twosup": twosup(self._ticket, chunk)}]
            if self._tells_usage:
                head = _head(self._ticket, "chat.completion.chunk")
                self.last.append({**head, "choices": [], "usage": _usage(chunk)})

    def _piece(self, delta: dict[str, Any], end: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": end}
        return {**_head(self._ticket, "chat.completion.chunk"), "choices": [choice]}


def twosup(ticket: Ticket, message: AIMessage) -> dict[str, Any]:
    """Returns what a reply says of its decision."""
    return {"id": ticket.id, **message.response_metadata["twosup"]}


def _head(ticket: Ticket, kind: str) -> dict[str, Any]:
    return {"id": ticket.id, "object": kind, "created": int(ticket.time), "model": ticket.route}


def _end(message: AIMessage, *, calls: bool) -> str:
    return "tool_calls" if calls else _ENDS.get(message.response_metadata.get("finish_reason", ""), "stop")


def _usage(message: AIMessage) -> dict[str, Any]:
    found = message.usage_metadata or {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}
    return {
        "prompt_tokens": found["input_tokens"],
        "completion_tokens": found["output_tokens"],
        "total_tokens": found["total_tokens"],
    }


def _call(place: int, call: Any) -> dict[str, Any]:
    index = call.get("index")
    told = {"name": call.get("name"), "arguments": call.get("args") or ""}
    named = {"id": call["id"], "type": "function"} if call.get("id") else {}
    return {
        "index": place if index is None else index,
        **named,
        "function": {key: value for key, value in told.items() if value is not None},
    }
