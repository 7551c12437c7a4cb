"""The steps of a chat model's turn: a model writes a draft, and a supervisor judges it.

Neither leaves a run of its own in traces; the model and the supervisor do. Both announce what happens as custom events.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from twosup_chain._drive import Inline
from twosup_chain._step import Flow, Step
from twosup_chain.answerers.refused import Refusals
from twosup_chain.chat._draft import Draft, read_draft
from twosup_chain.chat._listener import Listener
from twosup_chain.errors import AnswererError
from twosup_chain.schema import Evidence, Verdict

#: Custom event when a model is asked: ``{"role": "local" | "remote" | "fallback", "model": its name or None}``.
ASKED = "twosup_asked"

#: Custom event when a draft is judged: ``{"role", "score", "threshold", "trusted", "scorer", "stopped_early"}``. No
#: event holds any text of a draft.
VERDICT = "twosup_verdict"

_NOT_JUDGED = "tool_calls_are_not_judged"


@dataclass(eq=False, repr=False)
class Writer(Inline[dict[str, Any], Draft]):
    """Lets a chat model write the next message."""

    role: str
    model: Runnable[Any, Any]
    label: str | None = None  # the model's name
    options: dict[str, Any] = field(default_factory=dict)
    listener: Callable[[list[BaseMessage]], Listener] | None = None  # makes a draft's; None to have the message whole
    must_call: bool = False  # whether only a tool call is an answer
    refusals: Refusals = field(default_factory=Refusals)
    written: Draft | None = None  # what it wrote, once it has: a writer serves one turn
    _heard: Listener | None = None

    @property
    def showed(self) -> bool:
        """Whether any of it was passed on before it was complete."""
        return self._heard is not None and self._heard.shown

    def flow(self, value: dict[str, Any], **_: Any) -> Flow[Draft]:
        """Returns the draft; one that was shown in part before it broke off is not written anew."""
        if self.showed:
            raise AnswererError("it broke off after a part of its reply was shown, and is not asked again")
        yield _announce(ASKED, {"role": self.role, "model": self.label})
        messages = value["messages"]
        self._heard = None if self.listener is None else self.listener(messages)
        reply = yield from self.refusals.ask(self.model, messages, self.options, listener=self._heard)
        context = value["context"]
        draft = self._read(reply, context) if self._heard is None else self._heard.draft(context)
        if self.must_call and not draft.calls_tools:
            raise AnswererError("it was told to call a tool and wrote text instead", draft.usage)
        self.written = draft
        return draft

    def _read(self, reply: object, context: Any) -> Draft:
        message = reply if isinstance(reply, AIMessage) else AIMessage(getattr(reply, "text", str(reply)))
        return read_draft(message, context, faulty_calls=self.role != "local")


@dataclass(eq=False, repr=False)
class Judge(Inline[Evidence, Verdict]):
    """Lets a supervisor judge a draft, unless its verdict stands fast or its wording is not to be judged."""

    role: str
    supervisor: Runnable[Evidence, Verdict]
    failure: Exception | None = None  # why it cannot judge this turn: what it reads could not be had

    def flow(self, value: Evidence, **_: Any) -> Flow[Verdict]:
        """Returns the verdict."""
        verdict = _settled(value)
        if verdict is None and self.failure is not None:
            raise self.failure
        verdict = verdict or (yield Step(self.supervisor, value))
        found = verdict.model_dump(exclude_defaults=True) if isinstance(verdict, Verdict) else {}
        stopped = isinstance(value.answer, Draft) and value.answer.rejected is not None
        yield _announce(VERDICT, {"role": self.role, **found, "stopped_early": stopped})
        return verdict


class _Announcer(Runnable[dict[str, Any], None]):
    """Dispatches a custom event."""

    def __init__(self, name: str) -> None:
        self.name = name

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> None:
        dispatch_custom_event(str(self.name), input, config=config)

    async def ainvoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> None:
        await adispatch_custom_event(str(self.name), input, config=config)


def _announce(event: str, data: dict[str, Any]) -> Step:
    return Step(_Announcer(event), data)


def _settled(evidence: Evidence) -> Verdict | None:
    draft = evidence.answer
    if not isinstance(draft, Draft):
        return None
    if draft.calls_tools:
        return Verdict(score=1.0, threshold=0.0, trusted=True, scorer=_NOT_JUDGED)
    return draft.rejected
