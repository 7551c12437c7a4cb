"""`Asker`: asks both models the same questions, and scores what they answer; it knows nothing of files.

The local model, which runs here, is given several questions at once; the hosted one is asked for several at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.runnables.config import ensure_config

from twosup_chain import _drive
from twosup_chain._batch import arun_batch
from twosup_chain._deadline import DEADLINE, Clock
from twosup_chain._step import Flow, Step
from twosup_chain._unkeyed import scrub_error
from twosup_chain._worker import Worker
from twosup_chain.answerers.named_chat_model import made
from twosup_chain.answerers.part import as_answerer, input_for
from twosup_chain.answerers.reply import as_answer
from twosup_chain.answerers.settings import Settings, settings_of
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, TwosupError, http_status
from twosup_chain.records.prediction import RecordedPrediction
from twosup_chain.records.question import QuestionRecord, Role
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.features import features
from twosup_chain.scoring.registry import SCORERS
from twosup_chain.scoring.scorer import ScoreFunction, Scorer
from twosup_chain.supervisor import Supervisor
from twosup_chain.text.questions import LabelledQuestion

#: How long the local model should be busy with the questions that it is given at once, in seconds.
_PORTION_SECONDS = 0.5
_LARGEST_PORTION = 64
#: After so many refusals of the key in a row nothing more is asked, and by which HTTP codes they are known.
_MOST_REFUSED = 3
_REFUSED = (401, 403)
#: What scorers read that decisions never carry, and what free answers never do.
_OF_ANSWERS = ("reading", "answerability", "context")
_OF_DECISIONS = ("probabilities", "energy")


class Asker:
    """Asks both models, and scores what they answer by `scorers`, which are names, callables or supervisors.

    ``None`` are all registered ones that are not learned and can judge a decision, where the questions are such
    (`decides`), else a free answer. With `text`, texts are recorded; so many hosted calls run at once.
    """

    def __init__(
        self,
        local: Any,
        remote: Any,
        scorers: Iterable[str | ScoreFunction | Scorer | Supervisor] | None,
        *,
        text: bool,
        concurrency: int,
        deadline: float | None = DEADLINE,
        own_loop: bool = False,
        decides: bool = False,
    ) -> None:
        self._local, self._remote = _runnable(local, "local"), _runnable(remote, "remote")
        blind = _OF_ANSWERS if decides else _OF_DECISIONS
        able = [scorer for scorer in SCORERS.values() if scorer.recorded and scorer.needs not in blind]
        chosen = able if scorers is None else scorers
        self._judges = [s if isinstance(s, Supervisor) else Supervisor(s, threshold=0.0) for s in chosen]
        self.settings: dict[Role, Settings] = {
            "local": settings_of(self._local),
            "remote": settings_of(self._remote),
        }
        self.scorers = [judge.scorer_name for judge in self._judges]
        if len(set(self.scorers)) < max(1, len(self.scorers)):
            raise ConfigurationError(f"scorers={sorted(self.scorers)}: give at least one, and each a name of its own")
        self._text = text
        self._concurrency = concurrency
        self._slots = asyncio.Semaphore(concurrency)
        self._deadline = deadline
        self._refused = 0
        self._threads = Worker(concurrency) if own_loop else None

    async def ask(self, asked: Sequence[LabelledQuestion], keep: Callable[[QuestionRecord], None]) -> None:
        """Asks these questions and hands each record to `keep` as soon as it is complete.

        A model that is not set up, a scorer or `keep` that fails ends it: nothing more is asked then.
        """
        try:
            async with asyncio.TaskGroup() as tasks:
                async for labelled, question, local in self._read(asked):
                    await self._slots.acquire()
                    tasks.create_task(self._finish(labelled, question, local, keep))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _read(
        self, asked: Sequence[LabelledQuestion]
    ) -> AsyncIterator[tuple[LabelledQuestion, QAInput, _Attempt]]:
        """Yields each question with the local model's answer; it is given about half a second's worth at once."""
        first, portion = 0, 1
        while first < len(asked):
            chosen = asked[first : first + portion]
            questions = [labelled.as_input() for labelled in chosen]
            started = perf_counter()
            inputs = [input_for(self._local, question) for question in questions]
            flows = [_ask(self._local, item, self._deadline) for item in inputs]
            outputs = await arun_batch(flows, [ensure_config() for _ in flows], [None] * len(flows))
            seconds = (perf_counter() - started) / len(chosen)
            for labelled, question, output in zip(chosen, questions, outputs, strict=True):
                if isinstance(output, Exception):
                    output = scrub_error(output, self._local)  # noqa: PLW2901
                yield labelled, question, _attempt(output, seconds, question)
            first += len(chosen)
            portion = min(max(1, int(_PORTION_SECONDS / max(seconds, 1e-6))), 2 * portion, _LARGEST_PORTION)

    async def _finish(
        self, labelled: LabelledQuestion, question: QAInput, local: _Attempt, keep: Callable[[QuestionRecord], None]
    ) -> None:
        try:
            started = perf_counter()
            try:
                output = await self._call(input_for(self._remote, question))
            except Exception as error:  # noqa: BLE001 (what it means is decided in one place)
                output = scrub_error(error, self._remote)
            self._heed(output)
            remote = _attempt(output, perf_counter() - started, question)
            keep(await asyncio.to_thread(self._record, labelled, question, local, remote))
        finally:
            self._slots.release()

    def _heed(self, output: Any) -> None:
        """Counts refusals of the key in a row."""
        status = http_status(output) if isinstance(output, Exception) else None
        self._refused = self._refused + 1 if status in _REFUSED else 0
        if self._refused == _MOST_REFUSED:
            raise ConfigurationError(
                f"the remote model refused the key {_MOST_REFUSED} times in a row (HTTP {status}): set the right one "
                "and collect again, which asks again what failed"
            ) from output

    async def _call(self, asked: Any) -> Any:
        """Asks the hosted model, in the time that a question has.

        Where `collect` has made the loop, its synchronous side is called: an asynchronous client's connections belong
        to one loop, and the next call of `collect` has another.
        """
        if self._threads is None or _only_async(self._remote):
            return await _drive.arun(_ask(self._remote, asked, self._deadline), ensure_config())
        return await self._threads.arun(lambda: _drive.run(_ask(self._remote, asked, self._deadline), ensure_config()))

    def _record(
        self, labelled: LabelledQuestion, question: QAInput, local: _Attempt, remote: _Attempt
    ) -> QuestionRecord:
        return QuestionRecord.of(
            labelled,
            local=self._prediction(labelled, question, local, None),
            remote=self._prediction(labelled, question, remote, local.answer),
            text=self._text,
            concurrency=self._concurrency,
        )

    def _prediction(
        self, labelled: LabelledQuestion, question: QAInput, attempt: _Attempt, local: Answer | None
    ) -> RecordedPrediction:
        outcome, seconds = attempt
        if isinstance(outcome, Exception):
            return RecordedPrediction.failed(outcome, text=self._text, seconds=seconds)
        trust = {judge.scorer_name: _trust(judge, question, outcome, local) for judge in self._judges}
        return RecordedPrediction.of(
            outcome,
            answers=labelled.answers,
            trust=trust,
            text=self._text,
            features=features(question, outcome, local=local),
            decides=bool(labelled.options),
        )


def _ask(answerer: Runnable[Any, Any], asked: Any, deadline: float | None) -> Flow[Any]:
    """One call in its time."""
    yield from made(answerer)
    return (yield Step(answerer, asked, clock=Clock(deadline)))


def _only_async(answerer: Runnable[Any, Any]) -> bool:
    """Whether an answerer can be called asynchronously only."""
    return isinstance(answerer, RunnableLambda) and not hasattr(answerer, "func")


def _trust(judge: Supervisor, question: QAInput, answer: Answer, local: Answer | None) -> float | None:
    try:
        return judge.judge(question, answer, local=local).score
    except MissingEvidenceError:
        return None


def _runnable(value: Any, role: str) -> Runnable[Any, Any]:
    answerer = as_answerer(value, role=role)
    assert isinstance(answerer, Runnable)  # noqa: S101  as_answerer has seen to it
    return answerer


class _Attempt(NamedTuple):
    outcome: Answer | Exception
    seconds: float

    @property
    def answer(self) -> Answer | None:
        return None if isinstance(self.outcome, Exception) else self.outcome


def _attempt(output: object, seconds: float, question: QAInput) -> _Attempt:
    """Returns what came of a call; a model that was set up wrongly is no failed call: its error is raised."""
    outcome = output if isinstance(output, Exception) else _answer(output, question)
    if isinstance(outcome, (ConfigurationError, ImportError)):
        raise outcome
    if not isinstance(outcome, Exception) and outcome.seconds is None:
        outcome = outcome.model_copy(update={"seconds": seconds})
    return _Attempt(outcome, seconds)


def _answer(output: object, question: QAInput) -> Answer | Exception:
    try:
        return as_answer(output, question.passages, question.options)
    except TwosupError as error:
        return error
