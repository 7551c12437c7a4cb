"""What an epoch consists of: how many answerable and unanswerable questions, and from where.

Every draw follows from the seed and the epoch's number, so that a resumed run sees what an uninterrupted one would.
"""

import random
from dataclasses import dataclass, replace

from twosup_chain.errors import ConfigurationError, InputError, UnknownOptionError
from twosup_chain.training.data import TrainingExample, read_squad, split_held_out
from twosup_chain.training.known import KNOWN, read_known
from twosup_chain.training.negatives import (
    neighbour_negatives,
    passage_negatives,
    removed_negatives,
    swap_negatives,
)
from twosup_chain.training.options import MixtureOptions

#: The share of the known questions that is trained on all the same.
REHEARSED = 0.2
#: What negatives are made by, in this order, by the option that says how many.
_NEGATIVES = {
    "passage": passage_negatives,
    "swap": swap_negatives,
    "neighbour": neighbour_negatives,
    "removed": removed_negatives,
}


@dataclass(frozen=True)
class Mixture:
    """The questions of a training run; `seed` decides all draws."""

    always: tuple[TrainingExample, ...]  # the examples of every epoch
    drawn: tuple[TrainingExample, ...]  # answerable examples of which each epoch draws `draw`
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


def build_mixture(options: MixtureOptions, *, taught: bool = False) -> Mixture:
    """Returns the material that `options` describe.

    `taught`: there is a teacher, whose word alone counts on what was made or has no labels (their weight is 0).
    """
    if options.unlabelled and not taught:
        raise ConfigurationError("unlabelled questions need a teacher: give teacher as well, or leave them out")
    read = [example for path in options.files for example in read_squad(path)]
    train, held_out = split_held_out(read, options.held_out)
    if options.known is not None:
        known, rng = read_known(options.known), epoch_rng(options.seed, 0, "known")
        train = [e for e in train if rng.random() < REHEARSED or known.get(e.id, 0.0) <= KNOWN]
    train = [
        replace(e, weight=e.weight * options.inferred_weight) if e.join == "inferred" and not e.answerable else e
        for e in train
    ]
    extra = _extra(options)
    answerable = [example for example in train if example.answerable]
    rng = epoch_rng(options.seed, 0, "negatives")
    unanswerable = [example for example in [*train, *extra] if not example.answerable]
    for kind, make in _NEGATIVES.items():
        made = make(train, round(getattr(options, f"{kind}_negatives") * len(answerable)), rng)
        unanswerable += [replace(example, weight=0.0) for example in made] if taught else made
    kept = [example for example in extra if example.answerable]
    draw = len(answerable)
    if options.unanswerable_share:
        wanted = round(len(unanswerable) * (1 / options.unanswerable_share - 1)) - len(kept)
        draw = max(0, min(draw, wanted))
    always = (*unanswerable, *kept, *_unlabelled(options))
    return Mixture(always, tuple(answerable), draw, tuple(held_out), options.seed)


def check_both_kinds(mixture: Mixture) -> None:
    """Raises InputError unless there are answerable and unanswerable questions, both to train on and held out."""
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


def _unlabelled(options: MixtureOptions) -> list[TrainingExample]:
    """Returns the questions that only a teacher answers, on passages that are not held out."""
    read = [example for path in options.unlabelled for example in read_squad(path)]
    kept, _ = split_held_out(read, options.held_out)
    return [replace(example, answers=(), origin="unlabelled", weight=0.0) for example in kept]


def _extra(options: MixtureOptions) -> list[TrainingExample]:
    read = [example for path in options.extra for example in read_squad(path)]
    rng = epoch_rng(options.seed, 0, "extra")
    chosen: list[TrainingExample] = []
    for name, share in options.sources.items():
        pool = [example for example in read if example.origin.startswith(name)]
        if not pool:
            raise UnknownOptionError("source of the extra files", name, {example.origin for example in read})
        chosen += rng.sample(pool, max(1, round(share * len(pool))))
    return chosen
