"""`TwoSupervisorMiddleware`: the same decision inside of a LangChain agent, for the messages that end its turns.

It needs ``langchain`` (extra ``agents``). The decision about plain questions is in `chain`; which tools an agent calls
is its own business, and no turn that calls one is judged.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Any, NotRequired

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.config import ensure_config, merge_configs
from pydantic import BeforeValidator, model_validator

from twosup_chain import _drive
from twosup_chain._case import judged
from twosup_chain._drive import Step
from twosup_chain._options import Options
from twosup_chain.answerers.message import answer_from_message
from twosup_chain.answerers.part import as_answerer, input_for
from twosup_chain.answerers.reply import as_answer, usable
from twosup_chain.chain import NO_ANSWER_TEXT
from twosup_chain.errors import AnswererError, ConfigurationError, MissingExtraError
from twosup_chain.schema import Answer, Evidence, QAInput, Verdict, total_usage
from twosup_chain.supervisor import Supervisor
from twosup_chain.text.citation import citations

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

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twosup_chain._drive import Flow

#: LangGraph streams no tokens of a model run with this tag: a draft is shown only once it is trusted.
_NO_STREAM = "nostream"


class TwoSupervisorState(AgentState[Any]):
    """What the middleware adds to an agent's state.

    Attributes:
        twosup: The decision on the latest message that ended a turn: ``source``, ``status``, ``reason``, ``error``,
            ``verdicts``, ``usage`` (both by role), ``citations`` and ``seconds``, as plain JSON values.
    """

    twosup: NotRequired[dict[str, Any]]


def _local(value: object) -> object:
    return value if value is None or isinstance(value, BaseChatModel) else as_answerer(value, role="local")


class MiddlewareParts(Options):
    """The parts of a `TwoSupervisorMiddleware`, which says what each means."""

    remote_supervisor: Supervisor
    local: Annotated[Any, BeforeValidator(_local)] = None
    local_supervisor: Supervisor | None = None
    local_tools: bool = False
    no_answer: str = NO_ANSWER_TEXT
    context: Any = None

    @model_validator(mode="after")
    def _check_parts(self) -> MiddlewareParts:
        if (self.local is None) != (self.local_supervisor is None):
            message = "local and local_supervisor go together: pass both, or leave both out"
            raise ConfigurationError(message)
        if self.context is not None and not callable(self.context):
            message = f"context is a {type(self.context).__name__}: pass a function of the list of messages"
            raise ConfigurationError(message)
        if not self.no_answer.strip():
            message = f"no_answer={self.no_answer!r} is blank: say in words that there is no answer"
            raise ConfigurationError(message)
        return self


class TwoSupervisorMiddleware(AgentMiddleware):
    """Lets an agent's final message out only where it can be trusted; a local model may write it first.

    The agent's own model is the "remote" here. Where a `local` is given, it is asked first as soon as a tool has
    answered (or if the agent has no tools): a chat model is given the agent's conversation, any other answerer (an
    `ExtractiveReader`, say) the question and what the tools found. If its answer is trusted, the agent's model is
    spared that call; if not, it is asked as ever, and its message judged in turn. Where nobody is trusted, the message
    says `no_answer`.

    A message that calls tools, and structured output, pass unjudged. Scorers that read the context (``grounded``,
    ``in_context``) are given what the tools have returned since the user's last message: the documents of an artifact,
    or else the text. An error of the agent's model is left to the agent (``ModelRetryMiddleware``,
    ``ModelFallbackMiddleware``); a refusal and an empty reply are never trusted.

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

    def __init__(self, **parts: Any) -> None:
        super().__init__()
        self.parts = MiddlewareParts(**parts)

    def wrap_model_call(self, request: ModelRequest, handler: Callable[..., Any]) -> Any:
        """Judges the message of one call of the agent's model."""
        return _Turn(self.parts, request, lambda asked: RunnableLambda(lambda _: handler(asked))).invoke(
            request.messages
        )

    async def awrap_model_call(self, request: ModelRequest, handler: Callable[..., Any]) -> Any:
        """Judges the message of one call of the agent's model, asynchronously."""

        def runnable(asked: ModelRequest) -> Runnable[Any, Any]:
            async def call(_: object) -> Any:
                return await handler(asked)

            return RunnableLambda(call)

        return await _Turn(self.parts, request, runnable).ainvoke(request.messages)


class _Turn(Runnable[Any, Any]):
    """One call of the agent's model: asks, judges, and tells the state.

    Args:
        parts: The middleware's.
        request: The agent's request.
        ask: Makes a Runnable that hands a request to its model.
    """

    name = "TwoSupervisorMiddleware"

    def __init__(
        self, parts: MiddlewareParts, request: ModelRequest, ask: Callable[[ModelRequest], Runnable[Any, Any]]
    ) -> None:
        self.parts = parts
        self.request = request
        self.ask = ask
        self.heard = _since_the_user(request.messages)

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:
        config = _held(config)
        return self._call_with_config(
            lambda _, run_manager: _drive.run(self._flow(), config, run_manager), input, config
        )

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:
        config = _held(config)
        return await self._acall_with_config(
            lambda _, run_manager: _drive.arun(self._flow(), config, run_manager), input, config
        )

    def _flow(self) -> Flow[Any]:
        parts, decision = self.parts, _Decision(self._question())
        if parts.local is not None and self._may_be_the_locals():
            step = Step(0, "local", *self._local_call(decision.question))
            response = yield from self._draft(decision, step, parts.local_supervisor)
            if response is not None:
                return response
        step = Step(2, "remote", self.ask(self.request), self.request.messages)
        response = yield from self._draft(decision, step, parts.remote_supervisor)
        return response or decision.end("none", AIMessage(parts.no_answer), Answer(None))

    def _draft(self, decision: _Decision, step: Step, supervisor: Any) -> Flow[Any]:
        """Asks one model; returns the response that ends the agent's turn, or ``None`` where it is not trusted."""
        try:
            reply = yield step
            message = self._message(reply)
            if message is None:
                return reply
            answer = usable(answer_from_message(message) if isinstance(reply, ModelResponse) else as_answer(reply))
        except AnswererError as error:
            decision.fail(step.name, error)
            return None
        evidence = Evidence(input=decision.question, answer=answer, local=decision.answers.get("local"))
        verdict = yield Step(step.stage + 1, f"{step.name}_supervisor", supervisor, evidence)
        decision.judge(step.name, answer, verdict)
        return decision.end(step.name, message, answer) if verdict.trusted else None

    def _message(self, reply: Any) -> AIMessage | None:
        """Returns the message that would end the turn; ``None`` for tool calls and structured output."""
        if isinstance(reply, ModelResponse):
            message = reply.result[-1]
            if not isinstance(message, AIMessage) or message.tool_calls or message.invalid_tool_calls:
                return None
            return message if reply.structured_response is None else None
        text = as_answer(reply).text
        return AIMessage(self.parts.no_answer if text is None else text)

    def _may_be_the_locals(self) -> bool:
        if self.request.response_format is not None:
            return False
        everywhere = self.parts.local_tools and isinstance(self.parts.local, BaseChatModel)
        return everywhere or not self.request.tools or any(isinstance(m, ToolMessage) for m in self.heard)

    def _local_call(self, question: QAInput) -> tuple[Runnable[Any, Any], Any]:
        local = self.parts.local
        if not isinstance(local, BaseChatModel):
            return local, input_for(local, question)
        tools: dict[str, Any] = {} if self.parts.local_tools else {"tools": [], "tool_choice": None}
        return self.ask(self.request.override(model=local, **tools)), self.request.messages

    def _question(self) -> QAInput:
        messages = self.request.messages
        if self.parts.context is not None:
            context = self.parts.context(messages)
        else:
            context = [p for m in self.heard if isinstance(m, ToolMessage) for p in _passages(m)] or None
        asked = next((m.text for m in reversed(messages) if m.type == "human"), "")
        return QAInput(question=asked, context=context)


def _held(config: RunnableConfig | None) -> RunnableConfig:
    """Returns the config under which LangGraph streams no tokens: a draft is not shown before it is trusted."""
    return merge_configs(ensure_config(config), {"tags": [_NO_STREAM]})


def _since_the_user(messages: Sequence[BaseMessage]) -> Sequence[BaseMessage]:
    last = max((i for i, m in enumerate(messages) if m.type == "human"), default=-1)
    return messages[last + 1 :]


def _passages(message: ToolMessage) -> list[str | Document]:
    """Returns what a tool has found: the documents of its artifact, or else its text; nothing, where it failed."""
    if message.status == "error":
        return []
    artifact = message.artifact if isinstance(message.artifact, (list, tuple)) else ()
    documents = [item for item in artifact if isinstance(item, Document)]
    text = str(message.text)
    return [*documents] or ([text] if text.strip() else [])


class _Decision:
    """What is known of a turn while it is being decided."""

    def __init__(self, question: QAInput) -> None:
        self.question = question
        self.answers: dict[str, Answer] = {}
        self.verdicts: dict[str, Verdict] = {}
        self.usage: dict[str, Any] = {}
        self.reasons: list[str] = []
        self.error: str | None = None
        self.started = perf_counter()

    def judge(self, role: str, answer: Answer, verdict: Verdict) -> None:
        self.answers[role] = answer
        self.verdicts[role] = verdict
        self.usage[role] = answer.usage
        self.reasons.append(judged(role, answer, verdict))

    def fail(self, role: str, error: AnswererError) -> None:
        self.usage[role] = error.usage
        self.error = f"{type(error).__name__}: {error}"
        self.reasons.append(f"the {role} model gave no answer ({error})")

    def end(self, source: str, message: AIMessage, answer: Answer) -> Any:
        near = self.answers["local"].candidates if "local" in self.answers else ()
        said = {
            "source": source,
            "status": "untrusted" if source == "none" else "unanswerable" if answer.text is None else "answered",
            "reason": "; ".join(self.reasons),
            "error": self.error,
            "verdicts": {
                role: verdict.model_dump(mode="json", exclude_defaults=True) for role, verdict in self.verdicts.items()
            },
            "usage": self.usage,
            "citations": [c.model_dump(mode="json") for c in citations(self.question, answer, near)],
            "seconds": perf_counter() - self.started,
        }
        spent = total_usage(*(Answer(None, usage=usage) for usage in self.usage.values()))
        told = {"usage_metadata": spent, "response_metadata": {**message.response_metadata, "twosup": said}}
        response = ModelResponse(result=[message.model_copy(update=told)])
        return ExtendedModelResponse(model_response=response, command=Command(update={"twosup": said}))
