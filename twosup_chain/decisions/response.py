"""The response of a `TwoSupervisorDecisionModel`: typed answers, those that nobody can be trusted with among them."""

from __future__ import annotations

from typing import Literal

from langchain_core.messages.ai import UsageMetadata
from pydantic import BaseModel, Field

from twosup_chain._core_decisions import Answer, ChoiceAnswer, ClassifierRequest, ClassifierResponse
from twosup_chain._options import shorten
from twosup_chain._usage import clean_usage, summed
from twosup_chain.answerers.typed import typed_of
from twosup_chain.errors import InputError, NoTrustedAnswerError
from twosup_chain.schema import Answer as Prediction
from twosup_chain.schema import TwoSupervisorResult


class UndecidedAnswer(BaseModel):
    """Nobody can be trusted with a question; `reason` says why."""

    type: Literal["undecided"] = "undecided"
    reason: str


class TwoSupervisorResponse(ClassifierResponse):
    """Typed answers, and by question the result that each comes from, with all evidence.

    `answers` holds an `UndecidedAnswer` where nobody can be trusted, unless a `Choice` ends in an option for that;
    `choices`, `nouls` and `scores` do not hold it. The usage is that of both models, rejected answers included.
    """

    answers: dict[str, Answer | UndecidedAnswer]  # type: ignore[assignment]  # wider than core's
    results: dict[str, TwoSupervisorResult] = Field(default_factory=dict)

    @property
    def undecided(self) -> dict[str, TwoSupervisorResult]:
        """The results of the questions that nobody can be trusted with, whatever they are answered with."""
        return {name: result for name, result in self.results.items() if result.answer is None}


class UndecidedError(NoTrustedAnswerError):
    """Nobody can be trusted with a question (``fallback="raise"``): its `result`, and the `response` to all of them."""

    def __init__(self, result: TwoSupervisorResult, response: TwoSupervisorResponse) -> None:
        super().__init__(result)
        self.response = response

    @property
    def usage(self) -> UsageMetadata | None:
        """The tokens that all questions cost."""
        return self.response.usage


def respond(
    request: ClassifierRequest,
    ends: dict[str, TwoSupervisorResult | Exception],
    *,
    model: str,
    undecided: str | None,
) -> TwoSupervisorResponse:
    """Returns the response to a request, whose questions have come to these ends; raises the first error of one.

    `undecided` is the option that a `Choice` is answered with where nobody can be trusted.
    """
    if not ends:
        message = f"{shorten(request)} asks nothing: pass {{'state': …, 'questions': {{name: Choice(…)}}}}"
        raise InputError(message)
    results = {}
    for name, end in ends.items():
        if isinstance(end, Exception) and not isinstance(end, NoTrustedAnswerError):
            raise end
        results[name] = end.result if isinstance(end, NoTrustedAnswerError) else end
    usages = [usage for result in results.values() if (usage := clean_usage(result.usage)) is not None]
    response = TwoSupervisorResponse(
        model=model,
        answers={name: _typed(request["questions"][name], result, undecided) for name, result in results.items()},
        usage=summed(usages),
        results=results,
    )
    failed = next((end for end in ends.values() if isinstance(end, NoTrustedAnswerError)), None)
    if failed is not None:
        raise UndecidedError(failed.result, response) from failed
    return response


def _typed(asked: object, result: TwoSupervisorResult, undecided: str | None) -> Answer | UndecidedAnswer:
    """Returns the typed answer of a result; its confidence is the trust score of the supervisor that trusts it."""
    if result.answer is not None:
        said = {"local": result.local, "remote": result.remote}.get(result.source) or Prediction(result.answer)
        verdicts = (result.remote_verdict, result.local_verdict)
        trust = next((verdict.score for verdict in verdicts if verdict is not None and verdict.trusted), 0.0)
        found: Answer = typed_of(asked, said, trust)
        return found
    if undecided is None or getattr(asked, "type", None) != "choice":
        return UndecidedAnswer(reason=result.reason)
    last = result.remote or result.local or Prediction(None)
    return ChoiceAnswer(type="choice", choice=undecided, probabilities=last.probabilities, confidence=0.0)
