"""`TextClassifier`: which of the labels that it was fitted on fits a text, as a decision model of LangChain's."""

from functools import partial
from pathlib import Path

from pydantic import Field, PrivateAttr

from twosup_chain._core_decisions import (
    Answer,
    BaseDecisionModel,
    Choice,
    ClassifierResponse,
    Question,
    ScoredChoiceAnswer,
    State,
)
from twosup_chain._options import Options, shorten
from twosup_chain.answerers.typed import as_text
from twosup_chain.classifier.engine import ClassifierEngine
from twosup_chain.classifier.folder import Fitness
from twosup_chain.errors import InputError


class TextClassifier(BaseDecisionModel, Options):
    """A small classifier in this process, as ``twosup train-classifier`` fits it: it answers a `Choice`.

    The text goes through the first layers of the packaged reader's encoder, in windows if it is long, of whose states
    it takes the mean; a linear model of that and of the text's words and word pairs makes a logit of each label. No
    torch is needed. The options of a `Choice` are labels that it was fitted on, all of them or some; their descriptions
    and the instructions are not read.

    `probabilities` add up to 1, or, where it was fitted on texts that no label fits as well, to the probability that
    one does, so that a text out of scope has a low `confidence`: the largest of them. `scores` are

    - ``energy``: the log of the sum of the labels' exponentiated logits, over the temperature (Liu et al. 2020); higher
      where a label fits;
    - ``distance``: the Euclidean distance of the standardized embedding from the nearest label's centre, at least 0;
    - ``in_scope``: the probability that a label fits, where it was fitted on texts that none fits.

    Args:
        model: The folder of a classifier.
        num_threads: The threads of one run; ``None`` for one a physical core.

    Raises:
        ModelFileError: On first use: the folder is broken, or fitted on another version's encoder.
    """

    model: str
    num_threads: int | None = Field(default=None, ge=1)
    _engine: ClassifierEngine = PrivateAttr()

    @property
    def gives(self) -> frozenset[str]:
        """What its answers carry, as scorers need it."""
        return frozenset({"probabilities", "energy"})

    def model_post_init(self, _: object) -> None:
        """Nothing is loaded yet."""
        self._engine = ClassifierEngine(Path(self.model), self.num_threads)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that it knows, sorted."""
        return self._engine.config.labels

    @property
    def fitness(self) -> Fitness:
        """What it was fitted on, and how good it is on texts that the fit has not seen."""
        return self._engine.config.fitness

    def warm_up(self) -> None:
        """Loads the model, and checks its files by their digests."""
        _ = self.labels

    @property
    def _provider(self) -> str:
        return "twosup_chain"

    def _classify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        text = as_text(state)
        if text is None:
            raise InputError("the state holds something that is no text: a TextClassifier reads text alone")
        labels = set(self.labels)
        known = {
            name: list(question.criteria)
            for name, question in questions.items()
            if isinstance(question, Choice) and question.criteria.keys() <= labels
        }
        if not known:
            raise InputError(
                f"none of the questions {shorten(sorted(questions))} is a Choice among labels that {self.model} was "
                f"fitted on: {shorten(list(self.labels), 400)}"
            )
        answers: dict[str, Answer] = {}
        for name, options in known.items():
            found = self._engine.classify(text, options)
            likeliest = max(found.probabilities, key=found.probabilities.__getitem__)
            answers[name] = ScoredChoiceAnswer(
                type="choice",
                choice=likeliest,
                probabilities=found.probabilities,
                confidence=min(1.0, found.probabilities[likeliest]),
                scores=found.scores,
            )
        return ClassifierResponse(model=self._engine.config.label, answers=answers)

    async def _aclassify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        return await self._engine.worker.arun(partial(self._classify, state, questions))
