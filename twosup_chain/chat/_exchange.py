"""One turn of a `TwoSupervisorChatModel`: the parts for it, and the message or chunks that its result becomes.

The decision itself is `TwoSupervisorChain`'s; the options are those of `_parts`.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase

from twosup_chain._case import Case
from twosup_chain._step import Flow
from twosup_chain.answerers.named_chat_model import resolved
from twosup_chain.answerers.wrapping import innermost, is_chat_model, label_of
from twosup_chain.chain import TwoSupervisorChain
from twosup_chain.chat._draft import Draft, Turn, accepted, told
from twosup_chain.chat._listener import Bound, Listener, longest_reply
from twosup_chain.chat._parts import ChatParts, writes
from twosup_chain.chat._writer import Judge, Writer
from twosup_chain.errors import ConfigurationError
from twosup_chain.schema import QAInput, TwoSupervisorResult
from twosup_chain.supervisor import Supervisor

#: What of a call is for the hosted model alone.
_HOSTED_ONLY = frozenset({"model", "response_format", "stream_options", "stream_usage", "service_tier", "user"})

#: What of a call says which tools there are, and how they are called.
_TOOLS = ("tools", "tool_choice", "strict", "parallel_tool_calls")

#: What of a message is said of this chat model instead of the one that wrote it.
_OWN = ("model_name", "twosup")

#: Between the text of a hosted answer that was shown before it was rejected, and what is said instead.
_AFTER_REJECTED = "\n\n"


class Exchange:
    """Asks for the next message of a conversation."""

    def __init__(
        self,
        chat: ChatParts,
        messages: Sequence[BaseMessage],
        options: dict[str, Any],
        *,
        streams: bool,
        hear: Callable[[QAInput, TwoSupervisorResult], object] | None = None,
    ) -> None:
        self.chat = chat
        self.hear = hear
        self.messages = messages
        self.streams = streams
        self.tools = {name: options[name] for name in _TOOLS if options.get(name) is not None}
        self.options = {key: value for key, value in options.items() if key not in _TOOLS and value is not None}
        self.fallback = self._fallback()
        self.chain = TwoSupervisorChain(
            local=self._local(),
            local_supervisor=Judge("local", chat.local_supervisor),
            remote=self._remote(),
            remote_supervisor=None if chat.remote_supervisor is None else Judge("remote", chat.remote_supervisor),
            fallback=self.fallback,
            **{
                name: getattr(chat, name)
                for name in (
                    *("deadline", "gate", "never_escalate", "early_abstention", "reconcile"),
                    *("on_remote_error", "on_local_error", "on_supervisor_error"),
                )
            },
        )

    def flow(self) -> Flow[TwoSupervisorResult]:
        """Returns the decision on this turn."""
        turn = partial(Turn.of, self.messages, **self.options, **self.tools)
        asked, failure = self.chat.asked(self.messages, turn)
        for judge in (self.chain.local_supervisor, self.chain.remote_supervisor):
            if isinstance(judge, Judge):
                judge.failure = failure
        case = Case(asked)
        if not self.asks_local:
            case.note("the local model is not asked where tools are bound, unless local_tools=True, nor for JSON")
        result = yield from self.chain.decide(case, ask_local=self.asks_local)
        if self.hear is not None:
            self.hear(asked, result)
        return result

    @property
    def asks_local(self) -> bool:
        """Whether this turn is for the local model: no tool is to be called, nor anything but text written."""
        form = self.options.get("response_format")
        plain = form is None or (isinstance(form, dict) and form.get("type") == "text")
        return plain and (not self.tools or (self.chat.local_tools and writes(self.chat.local)))

    # -- the parts ------------------------------------------------------------------------------------------------

    def _local(self) -> Runnable[Any, Any]:
        chat = self.chat
        model = resolved(chat.local)
        if not writes(model):
            return cast("Runnable[Any, Any]", model)
        if self.tools and self.asks_local:
            model = tooled(model, **self.tools)
        known = getattr(innermost(model), "call_options", None)  # where a model says so, it is told no more
        options = {
            key: value
            for key, value in self.options.items()
            if key not in _HOSTED_ONLY and (known is None or key in known)
        }
        bound = self._bound(chat.local_supervisor, longest_reply(model, options)) if chat.stops_drafts else None
        shows = self.streams and not self.tools and accepts_everything(chat.local_supervisor)
        listener = partial(Listener, bound=bound, faulty_calls=False, shows=shows) if self.streams or bound else None
        return Writer(
            "local",
            model,
            label=label_of(model),
            options=options,
            listener=listener,
            must_call=self.tools.get("tool_choice") not in (None, False, "auto", "none"),
            refusals=chat.refusals,
        )

    def _remote(self) -> Runnable[Any, Any] | None:
        chat = self.chat
        if chat.remote is None:
            return None
        model = resolved(chat.remote)
        if not writes(model):
            if not self.tools and self.asks_local:
                return cast("Runnable[Any, Any]", model)
            raise ConfigurationError("remote is no chat model: it can neither call tools nor write JSON")
        at_once = chat.remote_tokens == "at_once" or accepts_everything(chat.remote_supervisor)
        shows = self.streams and at_once and not self.tools
        bound = self._bound(chat.remote_supervisor, longest_reply(model, self.options)) if shows else None
        return Writer(
            "remote",
            tooled(model, **self.tools) if self.tools else model,
            label=label_of(model),
            options=self.options,
            listener=partial(Listener, bound=bound, faulty_calls=True, shows=True) if shows else None,
            refusals=chat.refusals,
        )

    def _fallback(self) -> Any:
        given = self.chat.fallback
        if not is_chat_model(given):
            return given
        return Writer("fallback", given, label=label_of(given), refusals=self.chat.refusals)

    @staticmethod
    def _bound(supervisor: object, longest: float) -> Bound | None:
        if not isinstance(supervisor, Supervisor):
            return None
        highest = supervisor.scorer.bound
        return None if highest is None else Bound(highest, min(supervisor.thresholds), supervisor.scorer_name, longest)

    # -- what comes of them ---------------------------------------------------------------------------------------

    def message(self, result: TwoSupervisorResult) -> AIMessage:
        """Returns the message that a result becomes, with what both models cost and the decision."""
        draft = self._accepted(result)
        message = AIMessage(self._text(result)) if draft is None else draft.message
        about = {**message.response_metadata, **self._about(result, draft)}
        return message.model_copy(
            update={"id": None, "usage_metadata": result.usage, "response_metadata": about},
        )

    def chunks(self, result: TwoSupervisorResult) -> Iterator[ChatGenerationChunk]:
        """Gives what a result adds to the chunks that were shown; the last carries the cost and the decision."""
        draft = self._accepted(result)
        if draft is None:
            yield _chunk(content=(_AFTER_REJECTED if self._shown else "") + self._text(result))
        elif not draft.shown:
            parts = draft.chunks or (draft.message,)
            if self._shown:
                yield _chunk(content=_AFTER_REJECTED)
            yield from (passed_on(part) for part in parts)
        yield _chunk(
            content="",
            usage_metadata=result.usage,
            response_metadata=self._about(result, draft),
            chunk_position="last",
        )

    def _accepted(self, result: TwoSupervisorResult) -> Draft | None:
        """Returns the draft that the result trusts; ``None`` for the no-answer, and for a fallback that is no model."""
        if result.source == "fallback":
            return self.fallback.written if isinstance(self.fallback, Writer) else None
        return accepted(result)

    def _text(self, result: TwoSupervisorResult) -> str:
        return result.as_text(self.chat.no_answer)

    @property
    def _shown(self) -> bool:
        """Whether text of a draft has been passed on before the verdict."""
        return any(isinstance(part, Writer) and part.showed for part in (self.chain.local, self.chain.remote))

    def _about(self, result: TwoSupervisorResult, draft: Draft | None) -> dict[str, Any]:
        about: dict[str, Any] = {"model_name": self.chat.model_name, "twosup": self._decision(result, draft)}
        return about if draft is not None else {"finish_reason": "stop", **about}

    def _decision(self, result: TwoSupervisorResult, draft: Draft | None) -> dict[str, Any]:
        drafts = [draft for draft in (result.local, result.remote) if isinstance(draft, Draft)]
        writer = {"local": self.chain.local, "remote": self.chain.remote, "fallback": self.fallback}.get(result.source)
        return told(
            result,
            model=(draft.model if draft is not None else None) or getattr(writer, "label", None),
            usage_estimated=any(found.usage_estimated for found in drafts),
            stopped_early=isinstance(result.local, Draft) and result.local.rejected is not None,
            shown_before_rejection=self._shown and not (draft is not None and draft.shown),
        )


def tooled(model: Runnable[Any, Any], **tools: Any) -> Runnable[Any, Any]:
    """Returns a chat model, or a binding of one, with tools bound in its provider's own form."""
    if isinstance(model, RunnableBindingBase):
        return tooled(model.bound, **tools).bind(**model.kwargs).with_config(model.config)
    bound: Runnable[Any, Any] = resolved(model).bind_tools(**tools)
    return bound


def accepts_everything(supervisor: object) -> bool:
    """Whether nothing can be rejected: the threshold is 0, and a score is given where the evidence is missing."""
    return isinstance(supervisor, Supervisor) and max(supervisor.thresholds) <= 0.0 and supervisor.missing is not None


def passed_on(part: AIMessage) -> ChatGenerationChunk:
    """Returns a draft's chunk, or the whole of it, as a chunk of the chat model's own: without id, name and cost."""
    metadata = {key: value for key, value in part.response_metadata.items() if key not in _OWN}
    calls = (
        {"tool_call_chunks": part.tool_call_chunks}
        if isinstance(part, AIMessageChunk)
        else {"tool_calls": part.tool_calls, "invalid_tool_calls": part.invalid_tool_calls}
    )
    return _chunk(content=part.content, additional_kwargs=part.additional_kwargs, response_metadata=metadata, **calls)


def _chunk(**fields: Any) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(**fields))
