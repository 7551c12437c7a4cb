"""`ClassifierEngine`: a classifier's folder and its encoder, loaded on first use and shared between threads."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from twosup_chain._in_process import processors
from twosup_chain._process import Loaded
from twosup_chain._worker import Worker
from twosup_chain.classifier.encoder import Encoder
from twosup_chain.classifier.folder import CONFIG_FILE, ClassifierConfig, read
from twosup_chain.classifier.grams import grams
from twosup_chain.classifier.head import Head
from twosup_chain.errors import ModelFileError
from twosup_chain.reader.folder import PACKAGED_MODEL


class Classified(NamedTuple):
    """What is found of a text: the probability of each label, and further numbers."""

    probabilities: dict[str, float]
    scores: dict[str, float]


class ClassifierEngine:
    """A classifier's folder and how to run it; nothing is loaded before it is needed, and then once for all threads."""

    def __init__(self, folder: Path, num_threads: int | None) -> None:
        self.options = (folder, num_threads)
        #: The threads that work for callers in an event loop.
        self.worker = Worker(num_threads or processors())
        self._loaded = Loaded(lambda: _load(folder, num_threads))

    def __reduce__(self) -> tuple[type, tuple[Path, int | None]]:
        """A copy, in this process or another, loads the files again."""
        return type(self), self.options

    @property
    def config(self) -> ClassifierConfig:
        """What ``classifier.json`` says."""
        return self._loaded.get()[0]

    def classify(self, text: str, labels: list[str]) -> Classified:
        """Returns what is found of a text, if one of these labels fits or none does; see `TextClassifier`."""
        config, head, encoder = self._loaded.get()
        scaled = head.scaled(encoder.embed(text))
        logits = head.logits(scaled, grams(text)) / config.temperature
        of = dict(zip(config.labels, logits.tolist(), strict=False))
        energy = float(np.logaddexp.reduce([of[label] for label in labels]))
        whole, scores = energy, {"energy": energy, "distance": head.distance(scaled)}
        if len(logits) > len(config.labels):
            whole = float(np.logaddexp(energy, logits[-1]))
            scores["in_scope"] = float(np.exp(energy - whole))
        return Classified({label: float(np.exp(of[label] - whole)) for label in labels}, scores)


def _load(folder: Path, num_threads: int | None) -> tuple[ClassifierConfig, Head, Encoder]:
    config, head = read(folder)
    encoder = Encoder(PACKAGED_MODEL, config.layers, num_threads)
    if encoder.digest != config.encoder:
        raise ModelFileError(
            f"{folder / CONFIG_FILE} was fitted on the encoder {config.encoder[:12]}…, and this version of "
            f"twosup-chain has {encoder.digest[:12]}…: fit it again with twosup train-classifier"
        )
    return config, head, encoder
