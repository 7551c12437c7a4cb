"""`SelfConsistent`: one model asked several times; how far its answers agree is evidence for the one it gives.

Wang et al., *Self-Consistency Improves Chain of Thought Reasoning in Language Models* (ICLR 2023, arXiv 2203.11171),
without the reasoning. It costs as many calls as samples; the tokens of all of them are in the answer's usage.
"""

import math
from collections.abc import Sequence
from time import perf_counter
from typing import Annotated, Any, Literal, TypedDict, Unpack

from langchain_core.runnables import Runnable
from pydantic import BeforeValidator, Field

from twosup_chain._drive import FlowRunnable
from twosup_chain._keywords import Part
from twosup_chain._step import Flow, Step
from twosup_chain.answerers.part import as_answerer, input_for
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import AnswererError, is_failure
from twosup_chain.schema import Answer, QAInput, QAInputLike, total_usage
from twosup_chain.text.agreement import agreements

#: The score's name in `Answer.scores`, as a scorer and as a feature.
SELF_CONSISTENCY = "self_consistency"


def _answerer(value: object) -> object:
    return as_answerer(value, role="answerer")


class SelfConsistentOptions(TypedDict, total=False):
    """The options of a `SelfConsistent` by name and type, as an editor and a type checker know them."""

    samples: int
    choose: Literal["majority", "first"]
    name: str | None


class SelfConsistent(FlowRunnable[QAInputLike, Answer]):
    """Asks an answerer several times, gives one of its answers, and says how far the others agree with it.

    ``Answer.scores["self_consistency"]`` is the mean agreement of the answer with each other sample, in [0, 1]; two "no
    answers" agree fully, and a sample that failed or is no answer (a refusal, an empty reply) agrees with nothing. The
    usage is that of all samples, the seconds are those of the whole.

    The answerer must sample: at temperature 0, or behind a cache, every sample is the same and the calls are wasted.

    Args:
        answerer: Anything that a chain takes as its remote model: a chat model, an answerer, a Runnable, a function. It
            may be given by position.
        samples: How often it is asked, at least 2.
        choose: ``"majority"``, the answer that most samples give in the same words, of equals the first; or
            ``"first"``, the first sample.

    Raises:
        ConfigurationError: An option of the wrong type or value, at construction.
        AnswererError: At a call, where no sample is an answer: the first one's error, with the tokens of all. Where
            every call failed, it is the first one's error as it stands.
    """

    answerer: Annotated[Runnable[Any, Any], BeforeValidator(_answerer)]
    samples: int = Field(default=5, ge=2)
    choose: Literal["majority", "first"] = "majority"

    def __init__(self, answerer: Part | None = None, **options: Unpack[SelfConsistentOptions]) -> None:
        super().__init__(answerer=answerer, **options)

    @property
    def asks(self) -> Any:
        """The answerer that is sampled."""
        return self.answerer

    @property
    def gives(self) -> frozenset[str] | None:
        """What its answers carry, as scorers need it; ``None`` where nobody says."""
        found = getattr(self.answerer, "gives", None)
        return found | {SELF_CONSISTENCY} if isinstance(found, frozenset) else None

    def flow(self, value: QAInputLike, **options: Any) -> Flow[Answer]:
        """Returns what becomes of one question."""
        started = perf_counter()
        asked = QAInput.coerce(value)
        inputs = [input_for(self.answerer, asked)] * self.samples
        outputs = yield Step(self.answerer, inputs, options, each=True)
        return self._settled([_attempt(output, asked) for output in outputs], asked, started)

    def _settled(self, found: Sequence[Answer | Exception], asked: QAInput, started: float) -> Answer:
        answers = [item for item in found if isinstance(item, Answer)]
        failed = [item for item in found if isinstance(item, Exception)]
        usage = total_usage(*(item for item in found if isinstance(item, (Answer, AnswererError))))
        if not answers or (self.choose == "first" and isinstance(found[0], Exception)):
            told = next((error for error in failed if isinstance(error, AnswererError)), None)
            if told is None:
                raise failed[0]
            told.usage = usage
            raise told
        texts = [answer.text for answer in answers]
        alike = [_same(text, texts) if asked.options else agreements(text, texts) for text in texts]
        place = 0 if self.choose == "first" else max(range(len(answers)), key=lambda i: alike[i].count(1.0))
        agreeing = math.fsum(share for i, share in enumerate(alike[place]) if i != place)
        return answers[place].model_copy(
            update={
                "scores": {**answers[place].scores, SELF_CONSISTENCY: min(1.0, agreeing / (self.samples - 1))},
                "usage": usage,
                "seconds": perf_counter() - started,
            }
        )


def _same(label: str | None, labels: Sequence[str | None]) -> list[float]:
    """Returns whether each of the labels is this one: of options, similar words say nothing."""
    return [float(label == other) for other in labels]


def _attempt(output: object, asked: QAInput) -> Answer | Exception:
    """Returns a sample as an answer, or why it is none."""
    if isinstance(output, BaseException) and not is_failure(output):
        raise output
    try:
        return output if isinstance(output, Exception) else as_answer(output, asked.passages, asked.options)
    except AnswererError as error:
        return error
