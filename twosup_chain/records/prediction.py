"""`RecordedPrediction`: what one model predicted, and what that is worth, as a records file keeps it."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from twosup_chain._options import Record
from twosup_chain._secrets import scrub
from twosup_chain._usage import Seconds, clean_usage
from twosup_chain.schema import Answer
from twosup_chain.text import squad

#: What version 2 of the format called features.
_FORMERLY = "signals"

#: The longest message of a failed call that is kept, in characters.
_LONGEST_ERROR = 500

_Share = Annotated[float, Field(ge=0.0, le=1.0)]


class RecordedUsage(Record):
    """Tokens that a call has read and written."""

    input_tokens: int = Field(ge=0)
    output_tokens: int = Field(ge=0)


class RecordedPrediction(Record, allow_inf_nan=False):
    """What one model predicted, what it is worth, and how far it is trusted; or how the call failed.

    A failed call is no wrong prediction: `error` is its class and, where texts are kept, its message without keys, and
    neither a measure nor a trust is there. Exact match (1.0 or 0.0) and token F1 are those of the official SQuAD v2
    rule; a decision is right if it is the label, and both say so. The trust is in [0, 1] by scorer, ``None`` where that
    finds nothing to read. `scores` are the model's own evidence, ``None`` for a number that is not finite; `features`
    (`scoring.features`), which learned scorers read, hold no text, and records of version 1 have none. The answer's
    text and the tokens are there where texts are kept, the tokens' log-probabilities always, ``None`` for minus
    infinity. Seconds are as the answerer says, else as `collect` measured them.
    """

    error: str | None = None
    no_answer: bool | None = None
    exact_match: _Share | None = None
    f1: _Share | None = None
    trust: dict[str, _Share | None] = Field(default_factory=dict)
    scores: dict[str, float | None] = Field(default_factory=dict)
    features: dict[str, float] = Field(default_factory=dict)
    text: str | None = None
    logprobs: tuple[float | None, ...] | None = None
    tokens: tuple[str | None, ...] | None = None
    usage: RecordedUsage | None = None
    seconds: Seconds = None
    model: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_their_name_now(cls, values: Any) -> Any:
        if not isinstance(values, dict) or _FORMERLY not in values:
            return values
        kept = {name: value for name, value in values.items() if name != _FORMERLY}
        return {**kept, "features": features_of(values)}

    @classmethod
    def of(
        cls,
        answer: Answer,
        *,
        answers: Sequence[str],
        trust: Mapping[str, float | None],
        text: bool,
        features: Mapping[str, float] | None = None,
        decides: bool = False,
    ) -> Self:
        """Returns the record of an answer to a question with these accepted answers; `text`: the words are kept.

        With `decides` the answer and the accepted ones are labels: equal or not.
        """
        tokens = answer.token_logprobs
        right = float(answer.text in answers if answer.text is not None else not answers)
        return cls(
            no_answer=answer.text is None,
            exact_match=right if decides else squad.exact_match(answer.text, answers),
            f1=right if decides else squad.f1(answer.text, answers),
            trust=dict(trust),
            scores={name: _finite(score) for name, score in answer.scores.items()},
            features=dict(features or {}),
            text=answer.text if text else None,
            logprobs=None if tokens is None else tuple(_finite(token.logprob) for token in tokens),
            tokens=None if tokens is None or not text else tuple(token.token for token in tokens),
            usage=_recorded(answer.usage),
            seconds=answer.seconds,
            model=answer.model,
        )

    @classmethod
    def failed(cls, error: Exception, *, text: bool, seconds: float | None = None) -> Self:
        """Returns the record of a call that failed after so many seconds; what an `AnswererError` has cost is kept.

        With `text` the error's message is kept too, which may hold what the model said.
        """
        name = type(error).__name__
        message = scrub(" ".join(f"{name}: {error}".split()))
        return cls(
            error=message[:_LONGEST_ERROR] if text else name,
            usage=_recorded(getattr(error, "usage", None)),
            seconds=seconds,
        )


def features_of(prediction: Mapping[str, Any]) -> dict[str, float]:
    """Returns the features in a prediction's fields, by whichever name its version calls them; empty for version 1."""
    if "features" in prediction:
        return prediction["features"]  # type: ignore[no-any-return]
    return {name: value for name, value in prediction.get(_FORMERLY, {}).items() if value is not None}


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _recorded(usage: Any) -> RecordedUsage | None:
    known = clean_usage(usage)
    if known is None:
        return None
    return RecordedUsage(input_tokens=known["input_tokens"], output_tokens=known["output_tokens"])
