"""Decision models as supervisors of answers: as a scorer, and as evidence that an answer carries."""

from __future__ import annotations

from typing import Annotated, Any

from langchain_core.runnables import Runnable
from pydantic import BeforeValidator

from twosup_chain._drive import FlowRunnable
from twosup_chain._options import shorten
from twosup_chain._step import Flow, Step
from twosup_chain._usage import clean_usage, summed
from twosup_chain.answerers.decision import as_decision_model
from twosup_chain.answerers.part import as_answerer, input_for
from twosup_chain.answerers.reply import as_answer
from twosup_chain.answerers.wrapping import is_decision_model
from twosup_chain.decisions.support import UNSURE, support_in, support_request
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, is_failure
from twosup_chain.schema import Answer, QAInput, QAInputLike, total_usage

#: Under this name an answer carries it, and learned scorers read it.
SUPPORTED_SCORE = "supported"


def _decision_model(value: object) -> object:
    if is_decision_model(value):
        return as_decision_model(value)
    raise ConfigurationError(f"model={shorten(value)} is no decision model: pass one of LangChain's BaseDecisionModel")


class DecisionScorer:
    """Scores an answer by what a decision model says to "does the passage support this answer?".

    The score is the probability of "supported", in [0, 1]. For "no answer" the model is asked whether the passage holds
    none. What the model costs is not in the result's usage; `SupportChecked` counts it.

    Args:
        model: Any ``BaseDecisionModel``: hosted, a `LlamaCppDecisionModel`, or a local `SupportModel`.
        unsure: What the third option, neither supported nor contradicted, is called.

    Raises:
        ConfigurationError: `model` is no decision model.

    Example:
        >>> from twosup_chain import Supervisor
        >>> from twosup_chain.decisions.support import SupportModel
        >>> judge = Supervisor(DecisionScorer(SupportModel.of_reader()), threshold=0.5)  # doctest: +SKIP
    """

    name = "decision_support"
    needs = "context"
    reads_local = False
    blocking = True

    def __init__(self, model: Any, *, unsure: str = UNSURE) -> None:
        self.model: Any = _decision_model(model)
        self.unsure = unsure

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the trust in `answer`, in [0, 1]."""
        del local
        if question.context is None:
            raise MissingEvidenceError(f"{self.name} reads the context, and none was given: pass 'context'")
        return support_in(self.model.invoke(support_request(question, answer, self.unsure)))


class SupportChecked(FlowRunnable[QAInputLike, Answer]):
    """Asks an answerer, and a decision model whether the passage supports its answer.

    ``Answer.scores["supported"]`` is the probability that it does, which is recorded, and a feature of learned scorers.
    The usage is that of both. Where the decision model fails, or there is no context, the score is not there.

    Args:
        answerer: Anything that a chain takes as its local or remote model.
        model: The decision model, as in `DecisionScorer`.
        unsure: Likewise.

    Raises:
        ConfigurationError: An option of the wrong type or value.
    """

    answerer: Annotated[Runnable[Any, Any], BeforeValidator(lambda value: as_answerer(value, role="answerer"))]
    model: Annotated[Runnable[Any, Any], BeforeValidator(_decision_model)]
    unsure: str = UNSURE

    def __init__(self, answerer: Any = None, model: Any = None, **options: Any) -> None:
        super().__init__(answerer=answerer, model=model, **options)

    @property
    def gives(self) -> frozenset[str] | None:
        """What its answers carry, as scorers need it; ``None`` where nobody says."""
        return getattr(self.answerer, "gives", None)

    def flow(self, value: QAInputLike, **options: Any) -> Flow[Answer]:
        """Returns what becomes of one question; `options` go to the answerer."""
        asked = QAInput.coerce(value)
        said = yield Step(self.answerer, input_for(self.answerer, asked), options)
        answer = as_answer(said, asked.passages, asked.options)
        if asked.context is None:
            return answer
        try:
            response = yield Step(self.model, support_request(asked, answer, self.unsure), name="support")
            score = support_in(response)
        except Exception as error:
            if not is_failure(error):
                raise
            return answer
        usages = [usage for usage in (total_usage(answer), clean_usage(response.usage)) if usage is not None]
        scores = {**answer.scores, SUPPORTED_SCORE: score}
        return answer.model_copy(update={"scores": scores, "usage": summed(usages)})
