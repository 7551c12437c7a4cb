"""`TwoSupervisorMiddleware`: the same decision inside of a LangChain agent, for the messages that end its turns.

It needs ``langchain`` (extra ``agents``). The decision itself is `twosup_chain.chain`'s; which tools an agent calls is
its own business, and no turn that calls one is judged.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal, NotRequired, Required, Self, TypedDict, Unpack

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableLambda
from pydantic import BeforeValidator, model_validator

from twosup_chain._case import Case
from twosup_chain._drive import FlowRunnable, Inline
from twosup_chain._keywords import Part
from twosup_chain._step import Flow, Step
from twosup_chain.answerers.part import as_answerer
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.chat._draft import Draft, Turn, accepted, read_draft, told
from twosup_chain.chat._parts import Parts
from twosup_chain.chat._writer import Judge
from twosup_chain.errors import AnswererError, ConfigurationError, DeadlineError, MissingExtraError
from twosup_chain.schema import TwoSupervisorResult
from twosup_chain.supervisor import Supervisor

try:
    from langchain.agents.middleware import (
        AgentMiddleware,
        AgentState,
        ExtendedModelResponse,
        ModelRequest,
        ModelResponse,
    )
    from langgraph.types import Command
except ImportError:
    raise MissingExtraError("TwoSupervisorMiddleware", "langchain", "agents") from None


#: Stands in for the text of structured output, which passes as it is.
_UNJUDGED = "(structured output)"


class TwoSupervisorState(AgentState[Any]):
    """What the middleware adds to an agent's state.

    Attributes:
        twosup: The decision on the latest message that ended a turn: ``source``, ``status``, ``reason``, ``error``,
            ``verdicts``, ``usage`` (both by role), ``citations`` and ``seconds``, as plain JSON values.
    """

    twosup: NotRequired[dict[str, Any]]


def _local(value: object) -> object:
    return value if value is None or isinstance(value, BaseChatModel) else as_answerer(value, role="local")


class MiddlewareParts(Parts):
    """The parts of a `TwoSupervisorMiddleware`, which says what each means."""

    remote_supervisor: Supervisor
    local: Annotated[Any, BeforeValidator(_local)] = None
    local_supervisor: Supervisor | None = None
    local_tools: bool = False

    @model_validator(mode="after")
    def _check_parts(self) -> Self:
        if (self.local is None) != (self.local_supervisor is None):
            raise ConfigurationError("local and local_supervisor go together: pass both, or leave both out")
        return self


class MiddlewareOptions(TypedDict, total=False):
    """The options of a `TwoSupervisorMiddleware` by name and type, as an editor and a type checker know them."""

    remote_supervisor: Required[Supervisor]
    local: Part | None
    local_supervisor: Supervisor | None
    local_tools: bool
    no_answer: str
    context: Callable[[list[BaseMessage]], Any] | None
    never_escalate: str | Mapping[str, Any] | Callable[..., bool] | Sequence[Any] | None
    on_local_error: Literal["escalate", "raise"]
    on_supervisor_error: Literal["escalate", "raise"]
    deadline: float | None


class TwoSupervisorMiddleware(AgentMiddleware):
    """Lets an agent's final message out only where it can be trusted; a local model may write it first.

    The agent's own model is the "remote" here. Where a `local` is given, it is asked first as soon as a tool has
    answered (or if the agent has no tools): a chat model is given the agent's conversation, any other answerer (an
    `ExtractiveReader`, say) the question and what the tools found. If its answer is trusted, the agent's model is
    spared that call; if not, it is asked as ever, and its message judged in turn. Where nobody is trusted, the message
    says `no_answer`.

    A message that calls tools, and structured output, pass unjudged. Scorers that read the context (``grounded``,
    ``in_context``) are given what the tools have returned since the user's last message: the documents of an artifact,
    or else the text. Where they have returned nothing ("Hello" calls no tool), these scorers lack their evidence and
    the message is not trusted; ``Supervisor("grounded", threshold=…, missing=1.0)`` passes it as it is. An error of the
    agent's model is left to the agent (``ModelRetryMiddleware``, ``ModelFallbackMiddleware``); a refusal and an empty
    reply are never trusted, nor is one that does not come in time.

    The decision is in the state as ``twosup``, and in the message's ``response_metadata["twosup"]``. Since no draft may
    be seen before it is judged, ``stream_mode="messages"`` gives a judged message in one piece.

    Args:
        remote_supervisor: Judges the message of the agent's own model.
        local: The model that is asked first: a chat model, an answerer, a Runnable or a function; ``None``: none is.
        local_supervisor: Judges the local answer; needed with `local`.
        local_tools: Whether a local chat model is given the tools, and so asked at every turn.
        no_answer: What the agent says where nobody is trusted, and where a local answerer is trusted that there is no
            answer.
        context: What scorers and answerers read, as a function of the conversation; by default what the tools found.
        never_escalate: Which turns the agent's model is not asked for, as in `TwoSupervisorChain`; a pattern is
            searched in all messages.
        on_local_error: Where the local model fails or cannot take the question, as in `TwoSupervisorChain`.
        on_supervisor_error: Where a supervisor fails, evidence is missing or `context` fails, likewise.
        deadline: How many seconds a turn may take, 60 by default, as in `TwoSupervisorChain`; what wraps the agent's
            model (retries, say) is part of its turn.

    Raises:
        MissingExtraError: ``langchain`` is not installed.
        ConfigurationError: A part is missing, of the wrong type, or contradicts another.

    Example:
        >>> agent = create_agent(
        ...     "openai:gpt-4.1-mini",
        ...     tools=[search],
        ...     middleware=[TwoSupervisorMiddleware(remote_supervisor=Supervisor("grounded", threshold=0.3))],
        ... )
        >>> agent.invoke({"messages": ["Who designed the library?"]})["twosup"]["status"]
        'answered'
    """

    state_schema = TwoSupervisorState

    def __init__(self, **parts: Unpack[MiddlewareOptions]) -> None:
        super().__init__()
        self.parts = MiddlewareParts(**parts)

    def wrap_model_call(self, request: ModelRequest, handler: Callable[..., Any]) -> Any:
        """Judges the message of one call of the agent's model."""

        def ask(asked: ModelRequest) -> Any:
            return handler(asked)

        return _Turn(parts=self.parts, ask=RunnableLambda(ask)).invoke(request)

    async def awrap_model_call(self, request: ModelRequest, handler: Callable[..., Any]) -> Any:
        """Judges the message of one call of the agent's model, asynchronously."""

        async def ask(asked: ModelRequest) -> Any:
            return await handler(asked)

        return await _Turn(parts=self.parts, ask=RunnableLambda(ask)).ainvoke(request)


class _Turn(FlowRunnable[Any, Any]):
    """One call of the agent's model: drives the chain's decision on it, and tells the state."""

    name: str | None = "TwoSupervisorMiddleware"
    parts: MiddlewareParts
    ask: Runnable[Any, Any]

    def flow(self, value: ModelRequest, **_: Any) -> Flow[Any]:
        parts = self.parts
        heard = _since_the_user(value.messages)
        local, remote = self._local(value, heard), _Asked(self.ask, value)
        found = [passage for m in heard if isinstance(m, ToolMessage) for passage in _passages(m)]
        asked, failure = parts.asked(value.messages, partial(Turn.of, value.messages), found or None)
        chain = _AgentChain(
            local=local or remote,
            local_supervisor=Judge("local", parts.local_supervisor or parts.remote_supervisor, failure),
            remote=remote,
            remote_supervisor=Judge("remote", parts.remote_supervisor, failure),
            on_remote_error="no_answer",
            never_escalate=parts.never_escalate,
            deadline=parts.deadline,
            on_local_error=parts.on_local_error,
            on_supervisor_error=parts.on_supervisor_error,
        )
        result = yield from chain.decide(Case(asked), ask_local=local is not None)
        draft = accepted(result)
        if draft is not None and draft.calls_tools:
            return (remote if result.source == "remote" else local).response
        return self._response(result, AIMessage(result.as_text(parts.no_answer)) if draft is None else draft.message)

    def _local(self, request: ModelRequest, heard: Sequence[BaseMessage]) -> Any:
        """Returns what writes the local answer; ``None`` where this turn is not for it."""
        local, tools = self.parts.local, self.parts.local_tools
        chats = isinstance(local, BaseChatModel)
        may = (tools and chats) or not request.tools or any(isinstance(message, ToolMessage) for message in heard)
        if local is None or request.response_format is not None or not may:
            return None
        if not chats:
            return local
        asked = request.override(model=local)
        return _Asked(self.ask, asked if tools else asked.override(tools=[], tool_choice=None))

    def _response(self, result: TwoSupervisorResult, message: AIMessage) -> ExtendedModelResponse:
        said = told(result, citations=[citation.model_dump(mode="json") for citation in result.citations])
        for by_role in ("verdicts", "usage"):
            said[by_role] = {role: found for role, found in said[by_role].items() if found is not None}
        metadata = {**message.response_metadata, "twosup": said}
        known = message.model_copy(update={"usage_metadata": result.usage, "response_metadata": metadata})
        return ExtendedModelResponse(
            model_response=ModelResponse(result=[known]), command=Command(update={"twosup": said})
        )


class _AgentChain(TwoSupervisorChain):
    """The chain of an agent's turn: a reply that is no answer is not trusted, any other error is the agent's."""

    def _without_remote(self, case: Case, error: Exception) -> Flow[TwoSupervisorResult]:
        if not isinstance(error, (AnswererError, DeadlineError)):
            raise error
        return (yield from super()._without_remote(case, error))


@dataclass(eq=False, repr=False)
class _Asked(Inline[Any, Draft]):
    """Lets a model of the agent write the next message, as the agent would have it written."""

    ask: Runnable[Any, Any]  # hands a request to its model
    request: ModelRequest
    response: Any = None  # what the agent's handler returned, once it has: it serves one turn

    def flow(self, value: Any, **_: Any) -> Flow[Draft]:
        self.response = response = yield Step(self.ask, self.request)
        message = response.result[-1]
        if not isinstance(message, AIMessage) or response.structured_response is not None:
            return Draft(text=_UNJUDGED, message=AIMessage(_UNJUDGED), calls_tools=True)
        return read_draft(message, value["context"], faulty_calls=True)  # what is asked, the request holds


def _since_the_user(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    last = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    return messages[last + 1 :]


def _passages(message: ToolMessage) -> list[str | Document]:
    """Returns what a tool has found: the documents of its artifact, or else its text; nothing, where it failed."""
    if message.status == "error":
        return []
    artifact = message.artifact if isinstance(message.artifact, (list, tuple)) else ()
    documents = [item for item in artifact if isinstance(item, Document)]
    text = str(message.text)
    return [*documents] or ([text] if text.strip() else [])
