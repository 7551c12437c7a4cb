"""`fit_classifier`: a `TextClassifier` from labelled texts, in minutes on a CPU."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from twosup_chain._atomic import write_folder
from twosup_chain.classifier.encoder import Encoder
from twosup_chain.classifier.folder import ClassifierConfig, Fitness, write
from twosup_chain.classifier.grams import Grams, grams
from twosup_chain.classifier.head import Head
from twosup_chain.curves.selection import auroc
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.fitting.multinomial import Multinomial, fit_multinomial, fit_temperature, log_softmax, scipy
from twosup_chain.reader.folder import PACKAGED_MODEL
from twosup_chain.text.questions import LabelledQuestion

Array = npt.NDArray[Any]

#: The layers whose states are the embedding: the first ones, since the later ones are made for finding answers.
_LAYERS = (1, 2)
#: What the length of an embedding is beside an n-gram vector's, which is 1.
_LENGTH = 2.0
#: The inverse of the ridge, times the number of texts.
_STRENGTH = 30.0
#: The fewest texts that have an n-gram that counts; of a few thousand texts at most.
_OFTEN = 2


class _Texts(NamedTuple):
    """Texts as a fit takes them."""

    embeddings: Array  # shape (n, d)
    grams: list[npt.NDArray[np.uint32]]
    classes: Array  # the label's number, that behind the last one for none; shape (n,)
    weights: Array  # shape (n,)

    def take(self, chosen: Array) -> Self:
        """Returns those that are flagged."""
        some = [self.grams[row] for row in np.flatnonzero(chosen)]
        return type(self)(self.embeddings[chosen], some, self.classes[chosen], self.weights[chosen])


class _Fit(NamedTuple):
    """What was fitted: the n-grams, how embeddings are scaled, and the weights."""

    grams: Grams
    mean: Array
    scale: Array
    weights: Multinomial

    @classmethod
    def of(cls, texts: _Texts) -> Self:
        grams = Grams.of(texts.grams, _OFTEN)
        mean, spread = texts.embeddings.mean(axis=0), texts.embeddings.std(axis=0)
        scale = (spread + 1e-6) * np.sqrt(len(mean)) / _LENGTH
        ridge = 1.0 / (_STRENGTH * len(texts.classes))
        dense = (texts.embeddings - mean) / scale
        weights = fit_multinomial(_weighed(grams, texts.grams), dense, texts.classes, texts.weights, ridge)
        return cls(grams, mean, scale, weights)

    def logits(self, texts: _Texts) -> Array:
        return self.weights.logits(_weighed(self.grams, texts.grams), (texts.embeddings - self.mean) / self.scale)

    def head(self, texts: _Texts, labels: int) -> Head:
        dense = (texts.embeddings - self.mean) / self.scale
        return Head(
            grams=self.grams,
            mean=self.mean.astype(np.float32),
            scale=self.scale.astype(np.float32),
            words=self.weights.sparse.astype(np.float16),
            dense=np.ascontiguousarray(self.weights.dense.T, np.float32),
            bias=self.weights.bias.astype(np.float32),
            centres=np.stack([dense[texts.classes == at].mean(axis=0) for at in range(labels)]).astype(np.float32),
        )


def fit_classifier(
    examples: Sequence[LabelledQuestion],
    out: str | Path,
    *,
    name: str = "classifier",
    balanced: bool = False,
    folds: int = 3,
    seed: int = 0,
    num_threads: int | None = None,
    report: Callable[[int, int], object] = lambda _done, _of: None,
) -> ClassifierConfig:
    """Fits a classifier on labelled texts and writes its folder, which `TextClassifier` takes.

    Args:
        examples: The labelled decisions, as `load_decisions` returns them; those that no option fits teach it what is
            out of scope.
        out: The folder; made if missing, and replaced whole or not at all.
        name: What the classifier is called; its answers carry it.
        balanced: Whether each label weighs alike, however many texts it has: for the mean F1 of unbalanced labels. The
            probabilities are then those of a world where each is equally frequent.
        folds: Into how many parts the texts are divided, at least 2; temperature and figures are of texts that the fit
            has not seen.
        seed: The seed of that division.
        num_threads: The threads of one run of the encoder; ``None`` for one a physical core.
        report: Called with how many texts are read, and of how many.

    Returns:
        What was written, with its figures in `fitness`.

    Raises:
        InputError: There are fewer than two labels, a label has fewer texts than there are folds, or `out` cannot be
            written to.
        MissingExtraError: SciPy is not installed (extra ``fit``).
        ConfigurationError: `folds` is less than 2.
    """
    if folds < 2:  # noqa: PLR2004
        raise ConfigurationError(f"folds={folds!r}: at least 2 are needed, so that something is left out of each fit")
    labels, classes, counts = _classes(examples, folds)
    scipy("optimize")  # what is missing, or cannot be written, is said before the texts are read
    write_folder(out, {})
    encoder = Encoder(PACKAGED_MODEL, _LAYERS, num_threads)
    read = []
    for done, example in enumerate(examples, 1):
        read.append(encoder.embed(example.context))
        report(done, len(examples))
    frequency = np.bincount(classes)
    weights = 1.0 / frequency[classes] if balanced else np.ones(len(classes))
    texts = _Texts(np.stack(read), [grams(example.context) for example in examples], classes, weights)
    held = _held_out(texts, folds, seed)
    temperature = fit_temperature(held, classes, weights)
    figures = _figures(held / temperature, classes, len(labels))
    fitness = Fitness(
        texts=counts, outside=int(np.sum(classes == len(labels))), folds=folds, seed=seed, balanced=balanced, **figures
    )
    return write(
        Path(out),
        _Fit.of(texts).head(texts, len(labels)),
        name=name,
        labels=labels,
        temperature=temperature,
        layers=_LAYERS,
        encoder=encoder.digest,
        fitness=fitness,
    )


def _classes(examples: Sequence[LabelledQuestion], folds: int) -> tuple[tuple[str, ...], Array, dict[str, int]]:
    """Returns the labels, sorted, the class of each text, and how many texts each label has."""
    given = [None if example.is_impossible else example.answers[0] for example in examples]
    counts = Counter(label for label in given if label is not None)
    if len(counts) < 2:  # noqa: PLR2004
        found = f"the only label is {next(iter(counts))!r}" if counts else "there is no label"
        raise InputError(f"{found} among {_counted(len(given))}: at least 2 labels are needed")
    fewest, count = min(counts.items(), key=lambda item: item[1])
    outside = len(given) - counts.total()
    if min(count, outside or count) < folds:
        which = f"label={fewest!r} has {_counted(count)}" if count < folds else f"label=null has {_counted(outside)}"
        raise InputError(f"{which}: at least {folds} are needed, one a fold; add some, or leave them out")
    labels = tuple(sorted(counts))
    number = {label: at for at, label in enumerate(labels)}
    classes = np.array([len(labels) if label is None else number[label] for label in given])
    return labels, classes, {label: counts[label] for label in labels}


def _counted(count: int) -> str:
    return f"{count:,} text{'s' * (count != 1)}"


def _held_out(texts: _Texts, folds: int, seed: int) -> Array:
    """Returns each text's logits by a fit that has not seen its fold; folds have the same shares of each label."""
    order = np.random.default_rng(seed).permutation(len(texts.classes))
    order = order[np.argsort(texts.classes[order], kind="stable")]
    division = np.empty(len(order), np.intp)
    division[order] = np.arange(len(order)) % folds
    found = np.empty((len(order), int(texts.classes.max()) + 1))
    for fold in range(folds):
        here = division == fold
        found[here] = _Fit.of(texts.take(~here)).logits(texts.take(here))
    return found


def _figures(logits: Array, classes: Array, labels: int) -> dict[str, Any]:
    inside, rows = classes < labels, np.arange(len(classes))
    log_p = log_softmax(logits)
    right, found = classes[inside], logits[inside, :labels].argmax(axis=1)
    hits = np.bincount(right[found == right], minlength=labels)
    f1 = 2.0 * hits / (np.bincount(right, minlength=labels) + np.bincount(found, minlength=labels))
    figures = {"accuracy": float(np.mean(found == right)), "macro_f1": float(f1.mean())}
    outside = None if inside.all() else auroc(-log_p[:, -1], inside)
    return {**figures, "log_loss": float(-log_p[rows, classes].mean()), "outside_auroc": outside}


def _weighed(known: Grams, texts: list[npt.NDArray[np.uint32]]) -> Any:
    """Returns the weights of the n-grams in each text, shape (n, m)."""
    found = [known.weigh(text) for text in texts]
    at, weights = (np.concatenate(column) for column in zip(*found, strict=True))
    ends = np.cumsum([0, *(len(columns) for columns, _ in found)])
    return scipy("sparse").csr_matrix((weights, at, ends), shape=(len(texts), len(known.hashes)))
