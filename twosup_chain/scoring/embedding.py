"""`EmbeddingSimilarity`: how near question and answer together are to the sentence that the answer stands in.

It takes an embedding model, which runs in this process or wherever LangChain's `Embeddings` object runs it; among
`features`, which come without a model, it is not.
"""

from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from twosup_chain._options import shorten
from twosup_chain._process import Loaded
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, MissingExtraError, ModelFileError
from twosup_chain.schema import Answer, QAInput
from twosup_chain.scoring.wording import sentence_around, sentences


class EmbeddingSimilarity:
    """Scores an answer by the cosine of question and answer with the sentence around the answer, at least 0.

    Where the answer stands nowhere word for word, it is the likest sentence of the context instead; for "no answer" it
    is one minus the cosine of the question with the likest sentence. What a cosine is worth depends on the model:
    calibrate the threshold.

    Args:
        model: The path or name of a sentence-transformers model, loaded on first use, or any LangChain `Embeddings`.

    Attributes:
        name: ``embedding_similarity@…`` with the model's name.

    Raises:
        ConfigurationError: `model` is neither.
    """

    needs = "context"
    blocking = True

    def __init__(self, model: str | Path | Embeddings) -> None:
        if not isinstance(model, (str, Path, Embeddings)) or not str(model):
            raise ConfigurationError(
                f"model={shorten(model)} is a {type(model).__name__}: pass the path or name of a sentence-transformers "
                "model, or a LangChain Embeddings object"
            )
        self._model = model
        self._loaded = Loaded(lambda: model if isinstance(model, Embeddings) else _SentenceTransformers(str(model)))
        self.name = f"embedding_similarity@{_label(model)}"

    def __reduce__(self) -> tuple[type, tuple[str | Path | Embeddings]]:
        """A copy, in this process or another, loads the model again."""
        return type(self), (self._model,)

    def __repr__(self) -> str:
        return f"<EmbeddingSimilarity {self.name}>"

    def __call__(self, question: QAInput, answer: Answer, *, local: Answer | None = None) -> float:
        """Returns the trust in `answer`, in [0, 1]."""
        if question.context is None:
            message = "embedding_similarity reads the context, and none was given: pass 'context' with the question"
            raise MissingEvidenceError(message)
        if answer.text is None:
            return 1.0 - self._nearest(question.question, sentences(question.passages))
        own = sentence_around(question.passages, answer.text)
        others = sentences(question.passages) if own is None else [own]
        return self._nearest(f"{question.question} {answer.text}", others)

    def _nearest(self, text: str, others: list[str]) -> float:
        """Returns the greatest cosine of a text with one of the others, in [0, 1]; 0 where there is none."""
        if not others:
            return 0.0
        vectors = np.asarray(self._loaded.get().embed_documents([text, *others]), dtype=np.float64)
        lengths = np.maximum(np.linalg.norm(vectors, axis=1), 1e-12)
        cosines = vectors[1:] @ vectors[0] / (lengths[1:] * lengths[0])
        return float(np.clip(cosines.max(), 0.0, 1.0))


class _SentenceTransformers(Embeddings):
    def __init__(self, model: str) -> None:
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise MissingExtraError("EmbeddingSimilarity", "sentence-transformers", "embeddings") from None
        try:
            self._model = SentenceTransformer(model)
        except (OSError, ValueError) as error:
            message = f"model={model!r} is no sentence-transformers model that can be loaded: {error}"
            raise ModelFileError(message) from error

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Returns a vector a text."""
        return self._model.encode(texts, show_progress_bar=False).tolist()  # type: ignore[no-any-return]

    def embed_query(self, text: str) -> list[float]:
        """Returns a text's vector."""
        return self.embed_documents([text])[0]


def _label(model: str | Path | Embeddings) -> str:
    if not isinstance(model, Embeddings):
        return Path(model).name
    given: Any = getattr(model, "model", None) or getattr(model, "model_name", None)
    return given if isinstance(given, str) else type(model).__name__
