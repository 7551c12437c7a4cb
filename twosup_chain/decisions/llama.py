"""`LlamaCppDecisionModel`: a GGUF model in this process as a LangChain decision model."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from twosup_chain._core_decisions import BaseDecisionModel, ClassifierRequest, ClassifierResponse, Question, State
from twosup_chain._usage import summed
from twosup_chain.answerers.choice import CHOICE_INSTRUCTIONS
from twosup_chain.answerers.typed import Decision, typed_of
from twosup_chain.errors import InputError
from twosup_chain.llama.labels import choose
from twosup_chain.llama.options import LlamaOptions


class LlamaCppDecisionModel(BaseDecisionModel, LlamaOptions):
    """Decides with a GGUF model in this process, without writing a word: it reads the probability of every label.

    A label's probability is that of a reply that opens with it or one of its synonyms, in sum over how they are spelt
    (capital, space), each the product of its tokens' probabilities, divided by the sum over all labels. That sum itself
    is the evidence ``label_mass``: low where the model would rather say something else. The confidence is the
    probability of the label that is chosen. Instructions and options stand before the text, and are read once for many
    texts in a row.

    Args:
        model_path: The GGUF file. It is loaded at the first question.
        synonyms: By label, other words that mean it.
        instructions: The text of the system message.
        model: The name in traces and responses; by default that of the file.
        **options: `n_ctx`, `n_batch`, `n_threads`, `n_gpu_layers`, `verbose` and `engine`, as in `LlamaCppAnswerer`.

    Raises:
        MissingExtraError: llama-cpp-python is not installed; at import, langchain-core is older than 1.8.
        ModelFileError: The file is missing or is no GGUF file; at the first question: llama.cpp refuses it.
        ConfigurationError: An option has a wrong type or value.
        InputError: At a call, where the state holds no text, or does not fit into `n_ctx`. Of several questions those
            are left out that cannot be answered (a `Box` among them).
    """

    #: What its answers carry, as scorers need it.
    gives: ClassVar[frozenset[str]] = frozenset({"probabilities"})

    model: str = ""
    synonyms: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    instructions: str = CHOICE_INSTRUCTIONS

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    @model_validator(mode="after")
    def _name(self) -> Self:
        self.model = self.model or self._model.path.stem
        return self

    @property
    def _provider(self) -> str:
        return "llama_cpp"

    def _classify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        return self._model.worker.run(partial(self._decide, {"state": state, "questions": questions}))

    async def _aclassify(self, state: State, questions: dict[str, Question]) -> ClassifierResponse:
        return await self._model.worker.arun(partial(self._decide, {"state": state, "questions": questions}))

    def _decide(self, request: ClassifierRequest) -> ClassifierResponse:
        answers, usages = {}, []
        left_out: Exception = InputError("questions: there are none that a language model can answer")
        for name, asked in request["questions"].items():
            decision = Decision.of(request, name)
            if not decision.options:
                continue
            try:
                answer = choose(self._model, decision, self.synonyms, self.instructions)
            except (InputError, RuntimeError) as error:  # llama.cpp's failures are RuntimeErrors
                left_out = error
                continue
            usages.append(answer.usage)
            answers[name] = typed_of(asked, answer, min(1.0, max(answer.probabilities.values())))
        if not answers:
            raise left_out
        return ClassifierResponse(model=self.model, answers=answers, usage=summed([u for u in usages if u]))
