"""`Scorer`: how trust is scored, and everything that a chain, a collection or a command line must know of it.

A score is how far a prediction can be trusted, in [0, 1], higher is more trustworthy; a prediction of "no answer"
(``Answer.text is None``) is scored like any other.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, Protocol, Self, runtime_checkable

from twosup_chain._options import shorten
from twosup_chain.errors import ConfigurationError, ScoreRangeError
from twosup_chain.schema import Answer, Evidence, QAInput

#: What a scorer reads: the tokens' log-probabilities, the likeliest alternatives of each token as well, what an
#: extractive reader finds, whose model says whether there is an answer, the context, the local answer, what the model
#: says of itself, several samples of it, the features of `features`, or of a decision the options' probabilities or the
#: energy of the classifier's logits.
Needs = Literal[
    "logprobs",
    "top_logprobs",
    "reading",
    "answerability",
    "context",
    "local",
    "stated_confidence",
    "self_consistency",
    "features",
    "probabilities",
    "energy",
]

#: ``(log-probabilities of the content tokens so far, the most tokens that may follow) -> highest score`` that the
#: whole answer can still get. The second is ``math.inf`` where nobody knows.
Bound = Callable[[Sequence[float], float], float]


@runtime_checkable
class ScoreFunction(Protocol):
    """What scores: any callable of this form; `local` may be left out by one that does not read it."""

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the trust in `answer`, in [0, 1]."""


@runtime_checkable
class Alternatives(Protocol):
    """What scores all predictions that could be made in place of one: ``"unanswerable"``, ``"local"``."""

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> dict[str, float]:
        """Returns the trust in each, in [0, 1], by its name."""


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """One way to score trust.

    Args:
        name: Its name, in records, calibrations and on the command line.
        function: What scores; left out where `make` is given.
        make: What makes the function anew for every supervisor, since it holds a model.
        needs: What it reads; ``None`` where nobody says.
        reads_local: Whether the score of a hosted answer depends on the local one.
        blocking: Whether it takes long enough to be moved off the event loop.
        recorded: Whether `collect` records it where no scorers are named.
        bound: How high the score of an answer can still become while it is being written; ``None`` where only a whole
            answer can be scored.
        alternatives: What scores the predictions that could be made instead; by default each is scored as if it had
            been made.
        caution: What is called where the scorer judges by a threshold that was not calibrated.

    Raises:
        ConfigurationError: Neither `function` nor `make` is given, or both are.
    """

    name: str
    function: ScoreFunction | None = field(default=None, repr=False)
    make: Callable[[], ScoreFunction] | None = field(default=None, repr=False)
    needs: Needs | None = None
    reads_local: bool = False
    blocking: bool = False
    recorded: bool = True
    bound: Bound | None = field(default=None, repr=False)
    alternatives: Alternatives | None = field(default=None, repr=False)
    caution: Callable[[], None] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.function is None) == (self.make is None):
            raise ConfigurationError(f"scorer {self.name!r}: pass either function=… or make=…")

    @classmethod
    def of(cls, function: Any) -> Self:
        """Returns the record of a callable, as it describes itself by attributes of these names.

        Its name is its ``name``, its ``__name__`` or its class's; ``highest_score`` is its bound. By default it reads
        `local` if it takes it, and blocks, since nobody knows how long it takes.
        """
        inner = function.func if isinstance(function, partial) else function
        named = getattr(inner, "name", None) or getattr(inner, "__name__", None) or type(inner).__name__
        return cls(
            name=str(named),
            function=function,
            needs=getattr(inner, "needs", None),
            reads_local=getattr(inner, "reads_local", _takes_local(function)),
            blocking=getattr(inner, "blocking", True),
            bound=getattr(inner, "highest_score", None),
            alternatives=getattr(inner, "alternatives", None),
            caution=getattr(inner, "caution", None),
        )

    def ready(self) -> Scorer:
        """Returns the scorer with its function made; one that makes it knows itself what it weighs and is called."""
        if self.make is None:
            return self
        made = Scorer.of(self.make())
        kept = {name: getattr(self, name) for name in ("needs", "reads_local", "blocking", "recorded")}
        return replace(made, **kept)

    def with_options(self, function: partial[float]) -> Scorer:
        """Returns the scorer with options of its function bound, which bind those of its bound."""
        bound = None if self.bound is None else partial(self.bound, *function.args, **function.keywords)
        return replace(self, function=function, bound=bound)

    def score(self, evidence: Evidence) -> float:
        """Returns the trust in a prediction; raises what the function does, `ScoreRangeError` for none in [0, 1]."""
        assert self.function is not None, "a scorer that makes its function is made ready first"  # noqa: S101
        extra = {"local": evidence.local} if self._takes_local else {}
        value: Any = self.function(evidence.input, evidence.answer, **extra)
        try:
            score = float(value)
        except (TypeError, ValueError):
            score = math.nan
        if not 0.0 <= score <= 1.0:
            message = f"the scorer {self.name!r} returned {shorten(value)}: a trust score is a number in [0, 1]"
            raise ScoreRangeError(message)
        return score

    @cached_property
    def _takes_local(self) -> bool:
        return _takes_local(self.function)


def _takes_local(function: Any) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.name == "local" or p.kind is p.VAR_KEYWORD for p in parameters)
