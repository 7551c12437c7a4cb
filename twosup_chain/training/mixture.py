"""What an epoch consists of: how many answerable and unanswerable questions, and from where.

Every draw follows from the seed and the epoch's number, so that a resumed run sees what an uninterrupted one would.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twosup_chain.errors import InputError, UnknownOptionError
from twosup_chain.training.data import read_squad, split_held_out
from twosup_chain.training.known import KNOWN, read_known
from twosup_chain.training.negatives import passage_negatives, swap_negatives

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twosup_chain.training.data import TrainingExample
    from twosup_chain.training.options import MixtureOptions

#: The share of the known questions that is trained on all the same.
REHEARSED = 0.2


@dataclass(frozen=True)
class Mixture:
    """The questions of a training run.

    Args:
        always: The examples of every epoch.
        drawn: Answerable examples of which each epoch draws `draw`.
        draw: How many of `drawn` an epoch takes.
        held_out: The examples held out.
        seed: Decides all draws.
    """

    always: tuple[TrainingExample, ...]
    drawn: tuple[TrainingExample, ...]
    draw: int
    held_out: tuple[TrainingExample, ...]
    seed: int

    @property
    def examples(self) -> tuple[TrainingExample, ...]:
        """Returns all training examples, those of every epoch first."""
        return self.always + self.drawn

    def epoch(self, number: int) -> list[int]:
        """Returns the indices into `examples` of the given epoch (counted from 0), in no meaningful order."""
        picks = epoch_rng(self.seed, number, "draw").sample(range(len(self.drawn)), self.draw)
        return [*range(len(self.always)), *(len(self.always) + pick for pick in picks)]


def build_mixture(options: MixtureOptions) -> Mixture:
    """Returns the material that `options` describe.

    Raises:
        InputError: A file holds faults.
        UnknownOptionError: A name in `sources` fits no source of the extra files.
    """
    read = [example for path in options.files for example in read_squad(path)]
    train, held_out = split_held_out(read, options.held_out)
    if options.known is not None:
        train = _unknown(train, read_known(options.known), epoch_rng(options.seed, 0, "known"))
    train = [_weighted(example, options.inferred_weight) for example in train]
    extra = _extra(options)
    answerable = [example for example in train if example.answerable]
    rng = epoch_rng(options.seed, 0, "negatives")
    unanswerable = [example for example in [*train, *extra] if not example.answerable]
    unanswerable += passage_negatives(train, round(options.passage_negatives * len(answerable)), rng)
    unanswerable += swap_negatives(train, round(options.swap_negatives * len(answerable)), rng)
    kept = [example for example in extra if example.answerable]
    draw = len(answerable)
    if options.unanswerable_share:
        wanted = round(len(unanswerable) * (1 / options.unanswerable_share - 1)) - len(kept)
        draw = max(0, min(draw, wanted))
    return Mixture((*unanswerable, *kept), tuple(answerable), draw, tuple(held_out), options.seed)


def check_both_kinds(mixture: Mixture) -> None:
    """Checks that there are answerable and unanswerable questions, both to train on and held out.

    Raises:
        InputError: There are not.
    """
    for part, examples in (("to train on", mixture.examples), ("held out", mixture.held_out)):
        answerable = sum(example.answerable for example in examples)
        if not 0 < answerable < len(examples):
            raise InputError(
                f"{part}: {answerable} answerable and {len(examples) - answerable} unanswerable question(s), but some "
                "of both kinds are needed: give more files, or another held_out share"
            )


def epoch_rng(seed: int, epoch: int, purpose: str) -> random.Random:
    """Returns the generator for one purpose in one epoch."""
    return random.Random(f"{seed}/{epoch}/{purpose}")  # noqa: S311  shuffling is no cryptography


def _weighted(example: TrainingExample, inferred: float) -> TrainingExample:
    if example.answerable or example.join != "inferred":
        return example
    return replace(example, weight=example.weight * inferred)


def _unknown(
    examples: Sequence[TrainingExample], known: Mapping[str, float], rng: random.Random
) -> list[TrainingExample]:
    """Returns what is still worth training on; a question that was not judged is."""
    kept = []
    for example in examples:
        right, rehearsed = known.get(example.id, 0.5), rng.random() < REHEARSED
        if right <= KNOWN or rehearsed:
            kept.append(example)
    return kept


def _extra(options: MixtureOptions) -> list[TrainingExample]:
    pools: dict[str, list[TrainingExample]] = {name: [] for name in options.sources}
    found: set[str] = set()
    for path in options.extra:
        for example in read_squad(path):
            found.add(example.origin)
            for name, pool in pools.items():
                if example.origin.startswith(name):
                    pool.append(example)
    rng = epoch_rng(options.seed, 0, "extra")
    chosen: list[TrainingExample] = []
    for name, pool in pools.items():
        if not pool:
            raise UnknownOptionError("source of the extra files", name, found)
        chosen += _draw(pool, options.sources[name], rng)
    return chosen


def _draw(pool: Sequence[TrainingExample], share: float, rng: random.Random) -> list[TrainingExample]:
    return rng.sample(list(pool), max(1, round(share * len(pool))))
