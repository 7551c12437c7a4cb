"""`Supervisor`: a scorer and a threshold, which together judge one prediction; the same class serves both roles."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Required, Self, TypedDict, Unpack

from langchain_core.documents import Document
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSerializable
from pydantic import BeforeValidator, PlainValidator, ValidationInfo, model_validator

from twosup_chain._in_process import LONG, InProcessRunnable
from twosup_chain._options import NEVER, Options, shorten
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, MissingEvidenceError
from twosup_chain.schema import Answer, Evidence, QAInput, Verdict
from twosup_chain.scoring.alternatives import alternatives
from twosup_chain.scoring.registry import resolve
from twosup_chain.scoring.scorer import ScoreFunction, Scorer


def _share(value: object, info: ValidationInfo) -> float:
    """Returns a number in [0, 1], itself; text that is one, as options given from outside are, is read."""
    try:
        share = math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        share = math.nan
    if 0.0 <= share <= 1.0 or (share == NEVER and info.field_name == "threshold"):
        return share
    meant = _MEANT[str(info.field_name)]
    message = f"{info.field_name}={shorten(value)}: {meant} is a number in [0, 1], as trust scores are"
    if 1.0 < share <= 100.0:  # noqa: PLR2004 (a share in percent)
        message += f"; for {share:g} % write {share / 100:g}"
    raise ConfigurationError(message)


_MEANT = {
    "threshold": "a threshold, the least score that is trusted,",
    "no_answer_threshold": "the least score at which 'no answer' is trusted",
    "missing": "what stands for a score that is missing",
}

#: A number in [0, 1].
_Share = Annotated[float, BeforeValidator(_share)]


class SupervisorOptions(TypedDict, total=False):
    """The options of a `Supervisor` by name and type, as an editor and a type checker know them."""

    threshold: Required[float]
    no_answer_threshold: float | None
    missing: float | None
    model: str | None
    name: str | None


class Supervisor(InProcessRunnable[Evidence, Verdict]):
    """Judges a prediction: trusted if and only if its trust score reaches the threshold.

    Args:
        scorer: The name of a registered scorer, ``"module:name"`` or ``"file.py:name"`` of one of your own, a callable
            ``(QAInput, Answer, local=Answer | None) -> float``, or a `Scorer`. It becomes a `Scorer`.
        threshold: The least score that is trusted, in [0, 1], or ``math.nextafter(1.0, 2.0)``, which none reaches.
            There is no default: it is chosen, or calibrated.
        no_answer_threshold: The least score at which the prediction "no answer" is trusted, in [0, 1]; by default that
            of any other. A local "no answer" that is trusted ends the question, and nobody else is asked.
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

    scorer: Annotated[Scorer, PlainValidator(resolve)]
    threshold: _Share
    no_answer_threshold: _Share | None = None
    missing: _Share | None = None
    model: str | None = None

    def __init__(self, scorer: str | ScoreFunction | Scorer, **options: Unpack[SupervisorOptions]) -> None:
        super().__init__(**{"scorer": scorer, **options})

    @model_validator(mode="after")
    def _caution(self) -> Self:
        """Lets a scorer that was fitted on other data say so, where its threshold was not calibrated."""
        if (
            self.scorer.caution is not None and max(self.thresholds) > 0.0
        ):  # at 0 everything is trusted, whatever the score
            self.scorer.caution()
        return self

    @property
    def scorer_name(self) -> str:
        """The scorer's registered name (with a digest for a learned one), or the name of the callable."""
        return self.scorer.name

    @property
    def thresholds(self) -> tuple[float, float]:
        """The least trusted score of an answer, and that of "no answer"."""
        own = self.no_answer_threshold
        return self.threshold, self.threshold if own is None else own

    @property
    def trace_metadata(self) -> dict[str, Any]:
        """What a trace shows of a verdict before it falls: how it is scored, and how much is enough."""
        return {"twosup_scorer": self.scorer_name, "twosup_threshold": self.threshold}

    @property
    def blocking(self) -> bool:
        """Whether scoring is moved off the event loop: for a callable of the user's own unless it says otherwise."""
        return self.scorer.blocking

    def heavy(self, value: Evidence) -> bool:
        """Whether the texts to compare are long."""
        return sum(map(len, value.input.passages)) + len(value.answer.text or "") > LONG

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
            raise CalibrationMismatchError(
                f"the threshold of {self.scorer_name} was calibrated for the model {self.model!r}, and this answer "
                f"{found}: calibrate for the model that answers"
            )
        try:
            score = self.scorer.score(evidence)
        except MissingEvidenceError:
            if self.missing is None:
                raise
            score = self.missing
        none = evidence.answer.text is None
        if evidence.weigh is None:
            return self._verdict(score, none=none)
        weighed = {"answer": score, **alternatives(self.scorer, evidence)}
        chosen = max(weighed, key=weighed.__getitem__)  # of equals the first: the prediction that was made
        none = chosen == "unanswerable" or (chosen == "answer" and none)
        return self._verdict(weighed[chosen], none=none, chosen=chosen, weighed=weighed)

    def _verdict(self, score: float, *, none: bool, **weighing: Any) -> Verdict:
        least = self.thresholds[none]
        return Verdict(score=score, threshold=least, trusted=score >= least, scorer=self.scorer_name, **weighing)


def as_supervisor(value: object) -> object:
    """Returns what the user gave for a supervisor of a chain: any Runnable judges."""
    if value is None or isinstance(value, Runnable):
        return value
    message = (
        f"{shorten(value)} is no supervisor: pass Supervisor(scorer, threshold=…), a scorer's name or callable in it"
    )
    raise ConfigurationError(message)


class GroupSupervisor(RunnableSerializable[Evidence, Verdict], Options):
    """Judges each prediction by the supervisor of its question's group; where there is none, none is trusted.

    The group is the value of the field `by` in the call's metadata (``config={"metadata": {…}}``), or else in those of
    a document of the context.

    Args:
        by: The field.
        groups: A supervisor for each group.

    Raises:
        CalibrationMismatchError: The question is of no group.
    """

    by: str
    groups: dict[str, Supervisor]

    def invoke(self, input: Evidence, config: RunnableConfig | None = None, **_: Any) -> Verdict:
        """Returns the verdict of the group's supervisor."""
        judge = self._judge(input, config)
        return judge if isinstance(judge, Verdict) else judge.invoke(input, config)

    async def ainvoke(self, input: Evidence, config: RunnableConfig | None = None, **_: Any) -> Verdict:
        """Returns the verdict of the group's supervisor."""
        judge = self._judge(input, config)
        return judge if isinstance(judge, Verdict) else await judge.ainvoke(input, config)

    def _judge(self, evidence: Evidence, config: RunnableConfig | None) -> Supervisor | Verdict:
        group = group_of(evidence.input, (config or {}).get("metadata") or {}, self.by)
        if group is None:
            known = ", ".join(self.groups)
            message = f"the call names no {self.by}: pass config={{'metadata': {{{self.by!r}: …}}}} with one of {known}"
            raise CalibrationMismatchError(message)
        without = f"no promise for {self.by}={shorten(group)}"
        return self.groups.get(group) or Verdict(score=0.0, threshold=1.0, trusted=False, scorer=without)


def group_of(asked: QAInput, metadata: Mapping[str, Any], by: str) -> str | None:
    """Returns the value of a field in a call's metadata, or else in a document's, as text; ``None`` for none."""
    documents = asked.context if isinstance(asked.context, tuple) else ()
    found = (metadata, *(d.metadata for d in documents if isinstance(d, Document)))
    return next((str(one[by]) for one in found if by in one), None)
