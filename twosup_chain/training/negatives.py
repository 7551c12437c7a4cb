"""Harder unanswerable questions, made from answerable ones: by another passage, less of it, or a swapped word.

They imitate how the unanswerable questions of SQuAD v2 look (Rajpurkar et al. 2018, table 1, doi:10.18653/v1/P18-2124:
entity swap, antonym, mutual exclusion, no information). A made negative may by chance have an answer: it gets a weight
below 1. Deterministic for a given `random.Random`.
"""

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice

from twosup_chain.scoring.wording import sentences
from twosup_chain.text.finder import stands_in
from twosup_chain.training.data import TrainingExample

#: Weight in the loss of a question set against another passage or the rest of its own, and of one with a swapped word.
PASSAGE_WEIGHT, SWAP_WEIGHT = 0.8, 0.6
#: Passages that share more of their words than this (Jaccard) are taken for copies of each other.
COPY_OVERLAP = 0.5

_WORD = re.compile(r"\w+")
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b")
_NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:[.,]\d+)*(?![\w]|[.,]\d)")
_NAME = re.compile(r"(?<=[a-z,;] )[A-Z][a-z]+(?:(?: of| the| de|) [A-Z][a-z]+)*")
_PAIRS = (
    "first last|largest smallest|biggest smallest|highest lowest|most least|more fewer|before after|older younger|"
    "oldest youngest|earliest latest|north south|northern southern|east west|eastern western|increase decrease|"
    "increased decreased|male female|men women|won lost|win lose|began ended|begin end|start end|started ended|"
    "above below|public private|positive negative|majority minority|maximum minimum|longest shortest|rise fall|"
    "best worst|external internal|import export|imports exports|modern ancient|rural urban|accepted rejected|"
    "allowed forbidden|support oppose|supported opposed|upper lower|common rare|strong weak|include exclude|"
    "always never"
)
_OPPOSITES = {a: b for pair in _PAIRS.split("|") for a, b in (pair.split(), pair.split()[::-1])}


def passage_negatives(examples: Sequence[TrainingExample], count: int, rng: random.Random) -> list[TrainingExample]:
    """Returns answerable questions, each set against the most similar passage that does not hold its answer.

    Similarity is TF-IDF (cosine without the passage's norm beyond its length's root) between the question and all
    passages of `examples`; passages that hold the answer text or copy the question's own passage are left out.
    """
    passages = list(dict.fromkeys(example.context for example in examples))
    index = _Index(passages)

    def make(example: TrainingExample) -> TrainingExample | None:
        return _elsewhere(example, "passage", index.similar(example.question))

    return _made(examples, count, rng, make)


def neighbour_negatives(examples: Sequence[TrainingExample], count: int, rng: random.Random) -> list[TrainingExample]:
    """Returns answerable questions, each set against the passage before or after its own, in the order of `examples`.

    A passage that holds the answer text or copies the own one is not taken.
    """
    passages = list(dict.fromkeys(example.context for example in examples))
    places = {passage: place for place, passage in enumerate(passages)}

    def make(example: TrainingExample) -> TrainingExample | None:
        place = places[example.context]
        near = [*passages[max(0, place - 1) : place], *passages[place + 1 : place + 2]]
        return _elsewhere(example, "neighbour", rng.sample(near, len(near)))

    return _made(examples, count, rng, make)


def removed_negatives(examples: Sequence[TrainingExample], count: int, rng: random.Random) -> list[TrainingExample]:
    """Returns answerable questions on what their passage says beside the answer's sentence; never the answer again."""

    def make(example: TrainingExample) -> TrainingExample | None:
        texts = [text for text, _ in example.answers]
        rest = " ".join(s for s in sentences([example.context]) if not any(stands_in([s], text) for text in texts))
        if not rest or any(stands_in([rest], text) for text in texts):
            return None
        return _negative(example, "removed", PASSAGE_WEIGHT, context=rest)

    return _made(examples, count, rng, make)


def swap_negatives(examples: Sequence[TrainingExample], count: int, rng: random.Random) -> list[TrainingExample]:
    """Returns answerable questions with a name, a number or a word swapped, so that the passage answers them no more.

    A year, number or name that stands in both question and passage is replaced by another one of the passage that is
    not (part of) the answer; failing that, a word by its opposite, if the passage does not use the opposite.
    """

    def make(example: TrainingExample) -> TrainingExample | None:
        options = [*_entity_swaps(example)] or [*_opposite_swaps(example)]
        return _negative(example, "swap", SWAP_WEIGHT, question=rng.choice(options)) if options else None

    return _made(examples, count, rng, make)


def _made(
    examples: Sequence[TrainingExample],
    count: int,
    rng: random.Random,
    make: Callable[[TrainingExample], TrainingExample | None],
) -> list[TrainingExample]:
    """Returns what is made of answerable examples in random order, `count` at most."""
    answerable = [example for example in examples if example.answerable]
    found = map(make, rng.sample(answerable, len(answerable)))
    return list(islice((made for made in found if made is not None), count))


def _elsewhere(example: TrainingExample, kind: str, passages: Sequence[str]) -> TrainingExample | None:
    """Returns the question on the first of the passages that neither holds its answer nor copies its own passage."""
    own = _words(example.context)
    for passage in passages:
        held = any(stands_in([passage], text) for text, _ in example.answers)
        if not held and _jaccard(own, _words(passage)) < COPY_OVERLAP:
            return _negative(example, kind, PASSAGE_WEIGHT, context=passage)
    return None


def _entity_swaps(example: TrainingExample) -> Iterator[str]:
    answers = " ".join(text for text, _ in example.answers).casefold()
    for kind in (_YEAR, _NUMBER, _NAME):
        there = {match.group() for match in kind.finditer(example.context)}
        for match in kind.finditer(example.question):
            old = match.group()
            if old not in example.context:
                continue
            for new in sorted(there):
                if not _words(new) & (_words(example.question) | _words(answers)):
                    yield example.question[: match.start()] + new + example.question[match.end() :]


def _opposite_swaps(example: TrainingExample) -> Iterator[str]:
    present = _words(example.context)
    for match in _WORD.finditer(example.question):
        new = _OPPOSITES.get(match.group())
        if new is not None and new not in present and match.group() in present:
            yield example.question[: match.start()] + new + example.question[match.end() :]


def _negative(example: TrainingExample, kind: str, weight: float, **changed: str) -> TrainingExample:
    weight *= example.weight
    return replace(example, id=f"{example.id}-{kind}", answers=(), origin=kind, weight=weight, **changed)


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.casefold()))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a | b else 1.0


class _Index:
    """Passages by their words, for the ten best matches of a question."""

    def __init__(self, passages: Sequence[str]) -> None:
        self.passages = passages
        self.postings: dict[str, list[int]] = defaultdict(list)
        self.norms = []
        for number, passage in enumerate(passages):
            words = _words(passage)
            self.norms.append(math.sqrt(len(words)) or 1.0)
            for word in words:
                self.postings[word].append(number)

    def similar(self, question: str) -> list[str]:
        """Returns the best passages, best first; words that stand in a tenth of all passages do not count."""
        scores: Counter[int] = Counter()
        for word in sorted(_words(question)):
            numbers = self.postings.get(word, ())
            if 0 < len(numbers) <= max(1.0, 0.1 * len(self.passages)):
                idf = math.log(len(self.passages) / len(numbers))
                for number in numbers:
                    scores[number] += idf * idf / self.norms[number]  # type: ignore[assignment]
        return [self.passages[number] for number, _ in scores.most_common(10)]
