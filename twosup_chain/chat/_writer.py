"""The steps of a chat model's turn: a model writes a draft, and a supervisor judges it.

Neither leaves a run of its own in traces; the model and the supervisor do. Both announce what happens as custom events.
When a draft is stopped is decided in `_listener`, what follows from a verdict in `twosup_chain.chain`.
"""

from __future__ import annotations

from contextlib import aclosing, closing, suppress
from typing import TYPE_CHECKING, Any, cast

from langchain_core.callbacks import adispatch_custom_event, dispatch_custom_event
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.runnables import Runnable, RunnableConfig

from twosup_chain._drive import Done
from twosup_chain.chat._draft import Draft, read_draft
from twosup_chain.errors import AnswererError, DraftStoppedError
from twosup_chain.schema import Evidence, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from twosup_chain.chat._listener import Listener

#: Custom event when a model is asked: ``{"role": "local" | "remote" | "fallback", "model": its name or None}``.
ASKED = "twosup_asked"

#: Custom event when a draft is judged: ``{"role", "score", "threshold", "trusted", "scorer", "stopped_early"}``. No
#: event holds any text of a draft.
VERDICT = "twosup_verdict"

_NOT_JUDGED = "tool_calls_are_not_judged"


class Writer(Runnable[dict[str, Any], Draft]):
    """Lets a chat model write the next message.

    Args:
        role: ``"local"``, ``"remote"`` or ``"fallback"``.
        model: The chat model.
        label: The model's name.
        options: What the model is called with.
        listener: Makes the listener of a draft; ``None`` to have the message whole.
        shows: Whether the draft's chunks are passed on while they come.
        must_call: Whether only a tool call is an answer.
    """

    def __init__(
        self,
        role: str,
        model: Runnable[Any, Any],
        *,
        label: str | None = None,
        options: dict[str, Any] | None = None,
        listener: Callable[[list[BaseMessage]], Listener] | None = None,
        shows: bool = False,
        must_call: bool = False,
    ) -> None:
        self.role = role
        self.model = model
        self.label = label
        self.options = options or {}
        self.listener = listener
        self.shows = shows
        self.must_call = must_call
        #: What it wrote, once it has: a writer serves one turn.
        self.written: Draft | None = None
        #: Whether any of it was passed on before it was complete.
        self.showed = False

    def invoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> Draft:
        """Returns the draft."""
        if self.listener is not None:
            *_shown, done = self.pieces(input, config or {})
            return cast("Draft", done.value)
        dispatch_custom_event(ASKED, self._asked(), config=config)
        return self._read(self.model.invoke(input["messages"], config, **self.options))

    async def ainvoke(self, input: dict[str, Any], config: RunnableConfig | None = None, **_: Any) -> Draft:
        """Returns the draft."""
        if self.listener is not None:
            *_shown, done = [piece async for piece in self.apieces(input, config or {})]
            return cast("Draft", done.value)
        await adispatch_custom_event(ASKED, self._asked(), config=config)
        return self._read(await self.model.ainvoke(input["messages"], config, **self.options))

    def pieces(self, input: dict[str, Any], config: RunnableConfig) -> Generator[Any]:
        """Gives the chunks that are shown at once, and at last `Done` with the draft."""
        if self.listener is None:
            yield Done(self.invoke(input, config))
            return
        dispatch_custom_event(ASKED, self._asked(), config=config)
        heard = self.listener(input["messages"])
        stream: Any = self.model.stream(input["messages"], config, **self.options)
        with closing(stream):
            for chunk in stream:
                heard.hear(chunk)
                if heard.rejected is not None:
                    with suppress(DraftStoppedError):
                        stream.throw(heard.reason())
                    break
                if self.shows:
                    self.showed = True
                    yield chunk
        yield Done(self._keep(heard.draft(shown=self.shows)))

    async def apieces(self, input: dict[str, Any], config: RunnableConfig) -> AsyncGenerator[Any]:
        """Gives the chunks that are shown at once, and at last `Done` with the draft."""
        if self.listener is None:
            yield Done(await self.ainvoke(input, config))
            return
        await adispatch_custom_event(ASKED, self._asked(), config=config)
        heard = self.listener(input["messages"])
        stream: Any = self.model.astream(input["messages"], config, **self.options)
        async with aclosing(stream):
            async for chunk in stream:
                heard.hear(chunk)
                if heard.rejected is not None:
                    with suppress(DraftStoppedError):
                        await stream.athrow(heard.reason())
                    break
                if self.shows:
                    self.showed = True
                    yield chunk
        yield Done(self._keep(heard.draft(shown=self.shows)))

    def _asked(self) -> dict[str, Any]:
        return {"role": self.role, "model": self.label}

    def _read(self, message: object) -> Draft:
        reply = message if isinstance(message, AIMessage) else AIMessage(getattr(message, "text", str(message)))
        return self._keep(read_draft(reply, faulty_calls=self.role != "local"))

    def _keep(self, draft: Draft) -> Draft:
        if self.must_call and not draft.calls_tools:
            raise AnswererError("it was told to call a tool and wrote text instead", draft.usage)
        self.written = draft
        return draft


class NotAsked(Runnable[Any, Any]):
    """Stands where a model is not asked in this turn, and says why.

    Args:
        reason: The reason.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> Any:
        """Raises the reason."""
        del input, config
        raise AnswererError(self.reason)


class Judge(Runnable[Evidence, Verdict]):
    """Lets a supervisor judge a draft, unless its verdict stands fast or its wording is not to be judged.

    Args:
        role: Whose draft is judged, ``"local"`` or ``"remote"``.
        supervisor: The supervisor.
    """

    def __init__(self, role: str, supervisor: Runnable[Evidence, Verdict]) -> None:
        self.role = role
        self.supervisor = supervisor

    def invoke(self, input: Evidence, config: RunnableConfig | None = None, **_: Any) -> Verdict:
        """Returns the verdict."""
        verdict = _settled(input) or self.supervisor.invoke(input, config)
        dispatch_custom_event(VERDICT, self._event(input, verdict), config=config)
        return verdict

    async def ainvoke(self, input: Evidence, config: RunnableConfig | None = None, **_: Any) -> Verdict:
        """Returns the verdict."""
        verdict = _settled(input) or await self.supervisor.ainvoke(input, config)
        await adispatch_custom_event(VERDICT, self._event(input, verdict), config=config)
        return verdict

    def _event(self, evidence: Evidence, verdict: object) -> dict[str, Any]:
        found = verdict.model_dump(exclude_defaults=True) if isinstance(verdict, Verdict) else {}
        draft = evidence.answer
        return {"role": self.role, **found, "stopped_early": isinstance(draft, Draft) and draft.rejected is not None}


def _settled(evidence: Evidence) -> Verdict | None:
    draft = evidence.answer
    if not isinstance(draft, Draft):
        return None
    if draft.calls_tools:
        return Verdict(score=1.0, threshold=0.0, trusted=True, scorer=_NOT_JUDGED)
    return draft.rejected
