"""`DecisionAnswerer`: a LangChain decision model as a part of a chain, which answers questions with options."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter
from typing import Any, ClassVar

from langchain_core.messages.ai import UsageMetadata
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from langchain_core.runnables.config import get_config_list

from twosup_chain._options import Options, shorten
from twosup_chain._usage import clean_usage
from twosup_chain.answerers.typed import Decided, Decision, answer_of, need_text
from twosup_chain.answerers.wrapping import is_openai_decisions
from twosup_chain.errors import AnswererError, InputError, NotTextError
from twosup_chain.schema import Answer, QAInput, QAInputLike


class DecisionAnswerer(RunnableSerializable[QAInputLike, Answer], Options):
    """Asks a decision model, which gives the probability of every option.

    Questions of one request that are asked together go to the model as one request; its tokens are divided among them.
    It has no run of its own in traces; the model has.

    Args:
        model: Any Runnable that takes a ``ClassifierRequest`` and gives a ``ClassifierResponse``. It may be given by
            position.

    A question may meet an `InputError` (it has no options), or an `AnswererError` (the model left it out, or chose none
    of its options).
    """

    #: It is given the question as it is, not as a dict.
    takes_record: ClassVar[bool] = True

    model: Runnable[Any, Any]

    def __init__(self, model: Any = None, **options: Any) -> None:
        super().__init__(model=model, **options)

    @property
    def gives(self) -> frozenset[str] | None:
        """What its answers carry, as scorers need it; ``None`` where nobody says."""
        return getattr(self.model, "gives", None)

    def invoke(self, input: QAInputLike, config: RunnableConfig | None = None, **_: Any) -> Answer:
        """Answers one question."""
        return self.batch([input], config)[0]

    async def ainvoke(self, input: QAInputLike, config: RunnableConfig | None = None, **_: Any) -> Answer:
        """Answers one question, asynchronously."""
        return (await self.abatch([input], config))[0]

    def batch(
        self,
        inputs: list[QAInputLike],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[Answer]:
        """Answers many questions, those of one request together."""
        asked = _Asked(inputs, config)
        asked.heard = self.model.batch(asked.requests, asked.configs, return_exceptions=True)
        return asked.answers(return_exceptions=return_exceptions)

    async def abatch(
        self,
        inputs: list[QAInputLike],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **_: Any,
    ) -> list[Answer]:
        """Answers many questions, those of one request together, asynchronously."""
        asked = _Asked(inputs, config)
        asked.heard = await self.model.abatch(asked.requests, asked.configs, return_exceptions=True)
        return asked.answers(return_exceptions=return_exceptions)


def as_decision_model(value: Any) -> Any:
    """Returns a decision model as one that is asked in LangChain's own terms."""
    if not is_openai_decisions(value):
        return value
    from twosup_chain.answerers.openai_decisions import OpenAIDecisionModel

    return OpenAIDecisionModel(decisions=value)


class _Asked:
    """Questions, the requests that they are put into, and what is heard of each request."""

    def __init__(self, inputs: Sequence[QAInputLike], config: RunnableConfig | list[RunnableConfig] | None) -> None:
        self._questions = [_attempt(value) for value in inputs]
        self._places: dict[int, list[int]] = {}
        for place, question in enumerate(self._questions):
            if isinstance(question, Decision):
                self._places.setdefault(id(question.request), []).append(place)
        configs = get_config_list(config, len(inputs))
        self.configs = [configs[places[0]] for places in self._places.values()]
        self.requests = [self._request(places) for places in self._places.values()]
        self.heard: list[Any] = []
        self._started = perf_counter()

    def _request(self, places: Sequence[int]) -> dict[str, Any]:
        decisions = [found for place in places if isinstance(found := self._questions[place], Decision)]
        return {"state": decisions[0].request["state"], "questions": {str(one.id): one.asked for one in decisions}}

    def answers(self, *, return_exceptions: bool) -> list[Any]:
        """Returns an answer for each question, or the error that it met."""
        seconds = (perf_counter() - self._started) / max(1, len(self.requests))
        found: list[Any] = [*self._questions]
        for places, response in zip(self._places.values(), self.heard, strict=True):
            for rank, place in enumerate(places):
                found[place] = _answer(self._questions[place], response, rank, len(places), seconds)
        failed = next((item for item in found if isinstance(item, Exception)), None)
        if failed is not None and not return_exceptions:
            raise failed
        return found


def _attempt(value: QAInputLike) -> Decision | Exception:
    try:
        return _decision(value)
    except InputError as error:
        return error


def _decision(value: QAInputLike) -> Decision:
    question = QAInput.coerce(value)
    if isinstance(question, Decision):
        return question
    if not question.options:
        raise InputError(
            f"question={shorten(question.question)} has no options, and a decision model chooses among some: pass "
            "options=…"
        )
    from twosup_chain._core_decisions import Choice

    name = question.id or "decision"
    asked = Choice(instructions=question.question, criteria=question.options)
    return Decision.of({"state": need_text(question), "questions": {name: asked}}, name)


def _answer(asked: Any, response: Any, rank: int, count: int, seconds: float) -> Decided | Exception:
    if isinstance(response, Exception):
        return response
    usage = _share(clean_usage(getattr(response, "usage", None)), rank, count)
    typed = getattr(response, "answers", {}).get(asked.id)
    try:
        if typed is None:
            raise NotTextError(f"the decision model left the question {shorten(asked.id)} out", usage)
        return answer_of(asked.asked, typed, usage=usage, model=response.model, seconds=seconds)
    except (AnswererError, InputError) as error:
        return error


def _share(usage: UsageMetadata | None, rank: int, count: int) -> UsageMetadata | None:
    """Returns the part of a request's tokens that one of its questions accounts for; the parts add up to the whole."""
    if usage is None or count == 1:
        return usage
    parts = [usage[name] // count + (rank < usage[name] % count) for name in ("input_tokens", "output_tokens")]
    return UsageMetadata(input_tokens=parts[0], output_tokens=parts[1], total_tokens=sum(parts))
