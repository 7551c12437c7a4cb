"""`collect`: asks both models every labelled question, and records what they answered.

It is written once, asynchronously; `collect` runs `acollect` in an event loop of its own.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Iterable
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any, ParamSpec, TypeVar

from twosup_chain._deadline import DEADLINE
from twosup_chain._options import Record
from twosup_chain.collection.asker import Asker
from twosup_chain.errors import ConfigurationError
from twosup_chain.outcomes.price import Price
from twosup_chain.records.file import RecordFile
from twosup_chain.records.question import QuestionRecord
from twosup_chain.scoring.scorer import ScoreFunction, Scorer
from twosup_chain.supervisor import Supervisor
from twosup_chain.text.questions import Questions, load_questions

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


#: Whether the event loop is one that `collect` has made, and ends with it.
_own_loop: ContextVar[bool] = ContextVar("twosup_own_loop", default=False)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a collection is: `new` questions by this run, after `seconds`, the others by all runs so far.

    `failed` of those done have a call that failed. The cost is that of the hosted model's tokens by all runs, in
    currency, ``None`` without a price; what a failed call does not tell is not in it.
    """

    done: int
    total: int
    failed: int
    new: int
    seconds: float
    cost: float | None

    @property
    def rate(self) -> float:
        """Questions a second, in this run; 0 before the first."""
        return self.new / self.seconds if self.seconds > 0.0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at this rate; ``None`` before the first question is done."""
        return (self.total - self.done) / self.rate if self.rate > 0.0 else None


class Collection(Record):
    """What `collect` has done: of so many `questions` that were to be recorded so many are, `new` ones by this call.

    `failed` of those recorded have a call that failed. A model is ``None`` where its answers do not tell it. Tokens are
    those that the hosted model has read and written for all records; what they cost, in currency, is ``None`` without a
    price. Seconds are those of this call.
    """

    path: str
    questions: int
    recorded: int
    new: int
    failed: int
    local_model: str | None
    remote_model: str | None
    input_tokens: int
    output_tokens: int
    cost: float | None
    seconds: float


async def acollect(  # noqa: PLR0913 - the options of one long call
    data: Questions,
    *,
    local: Any,
    remote: Any,
    out: str | Path,
    scorers: Iterable[str | ScoreFunction | Scorer | Supervisor] | None = None,
    text: bool = True,
    concurrency: int = 8,
    limit: int | None = None,
    retry_failed: bool = True,
    deadline: float | None = DEADLINE,
    price: Price | None = None,
    progress: Callable[[Progress], object] | None = None,
) -> Collection:
    """Asks both models every labelled question and appends one record a question to a file.

    Interrupted at any moment, it loses at most the questions in flight; called again, it goes on with what is not
    recorded yet. A call that fails is recorded as failed, never as wrong; retries are the models' own business.
    An error of a scorer or of the models' configuration ends the collection, and so do three refusals of the key.

    Args:
        data: Labelled questions: a SQuAD file, JSON lines with ``question``, ``context`` and ``answers``, a table with
            such columns, or a dataset's rows; or labelled decisions, with ``text`` and ``label``. See `load_questions`
            and `load_decisions`.
        local: The local answerer: anything that a `TwoSupervisorChain` takes. It is given several questions at once.
        remote: The hosted answerer, likewise. It is given one question at a time, several times at once.
        out: The file of records, which is created or continued.
        scorers: By which scorers trust is recorded, for both models: names, callables or supervisors, whose threshold
            does not matter. By default every registered one that can judge such questions and is not learned: learned
            trust follows from the features, which are always recorded.
        text: Whether questions, accepted answers, answers, tokens and messages of errors are kept; contexts never are.
            Measures, trust, log-probabilities, tokens and seconds do not need them, the mistakes of a report do.
        concurrency: How many hosted calls may run at once.
        limit: How many questions are to be recorded: the first ones of the data; all by default.
        retry_failed: Whether questions with a failed call are asked again. Their new records take the old ones' place.
        deadline: How many seconds a call may take, 60 by default; ``None`` for as long as it likes.
        price: What the hosted model's tokens cost, for the progress.
        progress: Is called after every record.

    Raises:
        InputError: The data or the file cannot be read, or the questions are not labelled.
        ResumeError: The file was collected from other data, by other models or with other scorers, or another
            collector is at work on it.
        ConfigurationError: An option is wrong.
    """
    if deadline is not None and not deadline > 0.0:
        raise ConfigurationError(f"deadline={deadline}: give the seconds that a call may take, or None for no limit")
    if concurrency < 1 or (limit is not None and limit < 1):
        raise ConfigurationError(f"concurrency={concurrency}, limit={limit}: both are counts of at least 1")
    here = _own_loop.get()
    questions = load_questions(data)
    asker = Asker(
        *(local, remote, scorers),
        text=text,
        concurrency=concurrency,
        deadline=deadline,
        own_loop=here,
        decides=any(question.options for question in questions),
    )
    with RecordFile(out) as file:
        file.check(questions, scorers=asker.scorers, text=text, settings=asker.settings)
        wanted = questions[:limit]
        kept = {q.id for q in wanted if file.holds(q.id) and not (retry_failed and file.failed(q.id))}
        run = _Run(file, len(wanted), len(kept), sum(map(file.failed, kept)), price, progress)
        await asker.ask([question for question in wanted if question.id not in kept], run.keep)
        now = run.now()
        return Collection(
            path=str(file.path),
            questions=now.total,
            recorded=sum(file.holds(question.id) for question in wanted),
            new=now.new,
            failed=now.failed,
            local_model=file.models.get("local"),
            remote_model=file.models.get("remote"),
            input_tokens=file.input_tokens,
            output_tokens=file.output_tokens,
            cost=now.cost,
            seconds=now.seconds,
        )


def _blocking(function: Callable[Parameters, Coroutine[Any, Any, Result]]) -> Callable[Parameters, Result]:
    """Returns the same function for callers without an event loop."""

    @functools.wraps(function)
    def blocking(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            context = copy_context()
            context.run(_own_loop.set, True)  # noqa: FBT003
            return context.run(asyncio.run, function(*args, **kwargs))
        message = f"{blocking.__name__} was called where an event loop runs: write 'await {function.__name__}(…)' there"
        raise ConfigurationError(message)

    blocking.__name__ = blocking.__qualname__ = function.__name__.removeprefix("a")
    return blocking


collect = _blocking(acollect)


@dataclass
class _Run:
    """One call of `collect`, and what it has recorded so far."""

    file: RecordFile
    total: int  # how many questions are to be recorded
    kept: int  # how many of them are and stay so
    failed: int  # how many with a call that failed
    price: Price | None
    progress: Callable[[Progress], object] | None
    new: int = 0
    started: float = field(default_factory=perf_counter)

    def keep(self, record: QuestionRecord) -> None:
        self.file.append(record)
        self.new += 1
        self.failed += record.failed
        if self.progress is not None:
            self.progress(self.now())

    def now(self) -> Progress:
        tokens = float(self.file.input_tokens), float(self.file.output_tokens)
        return Progress(
            done=self.kept + self.new,
            total=self.total,
            failed=self.failed,
            new=self.new,
            seconds=perf_counter() - self.started,
            cost=None if self.price is None else self.price.of(*tokens),
        )
