"""`Supervisor`: a scorer and a threshold, which together judge one prediction; the same class serves both places.

How trust is scored is in `scoring`; what follows from a verdict is in `chain`.
"""

from __future__ import annotations

import inspect
import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from twosup_chain._in_process import InProcessRunnable
from twosup_chain._options import shorten
from twosup_chain.errors import (
    CalibrationMismatchError,
    ConfigurationError,
    MissingEvidenceError,
    ScoreRangeError,
    UnknownOptionError,
)
from twosup_chain.schema import Answer, Evidence, QAInput, Verdict
from twosup_chain.scoring.alternatives import alternatives
from twosup_chain.scoring.registry import SCORERS, Scorer


class _NamedScorer:
    """A scorer and its name; it hands `local` on only to a scorer that takes it, and lets only [0, 1] out."""

    def __init__(self, name: str, scorer: Scorer, *, blocking: bool) -> None:
        self.name = name
        self.scorer = scorer
        self.blocking = blocking
        self.takes_local = _takes_local(scorer)

    def __call__(self, evidence: Evidence) -> float:
        extra = {"local": evidence.local} if self.takes_local else {}
        value = self.scorer(evidence.input, evidence.answer, **extra)
        try:
            score = float(value)
        except (TypeError, ValueError):
            score = math.nan
        if not 0.0 <= score <= 1.0:
            message = f"the scorer {self.name!r} returned {shorten(value)}: a trust score is a number in [0, 1]"
            raise ScoreRangeError(message)
        return score

    def __repr__(self) -> str:
        return repr(self.name)


def _named(scorer: object) -> _NamedScorer:
    if isinstance(scorer, _NamedScorer):
        return scorer
    if isinstance(scorer, str):
        if scorer not in SCORERS:
            raise UnknownOptionError("scorer", scorer, SCORERS)
        registered = SCORERS[scorer]()
        name = getattr(registered, "name", scorer)  # a learned one has a digest in its name
        return _NamedScorer(name, registered, blocking=getattr(registered, "blocking", False))
    if callable(scorer):
        inner = getattr(scorer, "func", scorer)  # functools.partial
        name = getattr(inner, "__name__", type(inner).__name__)
        return _NamedScorer(name, scorer, blocking=getattr(inner, "blocking", True))
    message = f"scorer={shorten(scorer)} is neither a scorer's name ({', '.join(sorted(SCORERS))}) nor a callable"
    raise ConfigurationError(message)


def _takes_local(scorer: Scorer) -> bool:
    try:
        parameters = inspect.signature(scorer).parameters.values()
    except (TypeError, ValueError):
        return True
    return any(p.name == "local" or p.kind is p.VAR_KEYWORD for p in parameters)


def _probability(value: object) -> object:
    if isinstance(value, bool) or (isinstance(value, (int, float)) and not 0 <= value <= 1):
        message = f"threshold={value!r}: a threshold is a number in [0, 1], the least trust score that is accepted"
        raise ConfigurationError(message)
    return value


class Supervisor(InProcessRunnable[Evidence, Verdict]):
    """Judges a prediction: trusted if and only if its trust score reaches the threshold.

    Args:
        scorer: The name of a registered scorer, or a callable ``(QAInput, Answer, local=Answer | None) -> float``.
        threshold: The least score that is trusted, in [0, 1]. There is no default: it is chosen, or calibrated.
        missing: The score, in [0, 1], of an answer that lacks what the scorer reads; by default such an answer is an
            error that says which evidence is missing and how to get it.
        model: The model that the threshold was calibrated for, by `Answer.model`; an answer of another one is an
            error. By default every model is judged.

    Raises:
        ConfigurationError: The threshold is missing, NaN or out of range.
        UnknownOptionError: No scorer has this name.

    Example:
        >>> Supervisor("answerability", threshold=0.6).judge(
        ...     QAInput("Who?", "Ada wrote it."), Answer("Ada", scores={"answerability": 0.9})
        ... )
        Verdict(score=0.9, threshold=0.6, trusted=True, scorer='answerability')
    """

    scorer: Annotated[Any, BeforeValidator(_named)]
    threshold: Annotated[float, BeforeValidator(_probability)] = Field(allow_inf_nan=False)
    missing: Annotated[float, BeforeValidator(_probability)] | None = None
    model: str | None = None

    def __init__(self, scorer: str | Scorer, **options: Any) -> None:
        super().__init__(**{"scorer": scorer, **options})

    @model_validator(mode="after")
    def _caution(self) -> Supervisor:
        """Lets a scorer that was fitted on other data say so, where its threshold was not calibrated."""
        caution = getattr(self.scorer.scorer, "caution", None)
        if callable(caution) and self.threshold > 0.0:  # at 0 everything is trusted, whatever the score
            caution()
        return self

    @property
    def scorer_name(self) -> str:
        """The scorer's registered name (with a digest for a learned one), or the name of the callable."""
        return str(self.scorer.name)

    @property
    def trace_metadata(self) -> dict[str, Any]:
        """What a trace shows of a verdict before it falls: how it is scored, and how much is enough."""
        return {"twosup_scorer": self.scorer_name, "twosup_threshold": self.threshold}

    @property
    def blocking(self) -> bool:
        """Whether scoring is moved off the event loop: for a callable of the user's own unless it says otherwise."""
        return bool(self.scorer.blocking)

    def judge(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> Verdict:
        """Returns the verdict on one prediction, without a trace.

        Args:
            question: The question and its context.
            answer: The prediction to judge.
            local: The local model's prediction, where the one to judge is the hosted model's.

        Raises:
            MissingEvidenceError: The answer lacks what the scorer reads, and `missing` was not given.
            ScoreRangeError: The scorer returned something that is not a number in [0, 1].
            CalibrationMismatchError: The answer is not of the model that the threshold was calibrated for.
        """
        return self._judge(Evidence(input=question, answer=answer, local=local))

    def process(self, values: list[Evidence]) -> list[Verdict | Exception]:
        """Judges many predictions; one that cannot be judged fails alone."""
        return [self._attempt(evidence) for evidence in values]

    def _attempt(self, evidence: Evidence) -> Verdict | Exception:
        try:
            return self._judge(evidence)
        except Exception as error:  # noqa: BLE001 (a scorer may be the user's own: its error belongs to this item)
            return error

    def _judge(self, evidence: Evidence) -> Verdict:
        if self.model is not None and evidence.answer.model != self.model:
            found = (
                "names no model (Answer.model)" if evidence.answer.model is None else f"is {evidence.answer.model}'s"
            )
            message = (
                f"the threshold of {self.scorer_name} was calibrated for the model {self.model!r}, and this answer "
                f"{found}: calibrate for the model that answers"
            )
            raise CalibrationMismatchError(message)
        try:
            score = self.scorer(evidence)
        except MissingEvidenceError:
            if self.missing is None:
                raise
            score = self.missing
        if evidence.weigh is None:
            return self._verdict(score)
        weighed = {"answer": score, **alternatives(self.scorer.scorer, self.scorer, evidence)}
        chosen = max(weighed, key=weighed.__getitem__)  # of equals the first: the prediction that was made
        return self._verdict(weighed[chosen], chosen=chosen, weighed=weighed)

    def _verdict(self, score: float, **weighing: Any) -> Verdict:
        trusted = score >= self.threshold
        return Verdict(score=score, threshold=self.threshold, trusted=trusted, scorer=self.scorer_name, **weighing)
