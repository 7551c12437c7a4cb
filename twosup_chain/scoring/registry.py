"""The scorers that have a name, and what `Supervisor` and the command line take for one.

A packaged scorer is a record in the file of its kind; a user's own is registered with `register`, or passed as it is.
"""

from functools import partial
from itertools import chain

from twosup_chain._options import shorten
from twosup_chain._own import load_own
from twosup_chain.errors import ConfigurationError, UnknownOptionError
from twosup_chain.scoring import comparison, distribution, grounded, own_scores, packaged, token_probability
from twosup_chain.scoring.scorer import ScoreFunction, Scorer

_FILES = (comparison, distribution, grounded, own_scores, packaged, token_probability)

#: Every scorer that has a name.
SCORERS: dict[str, Scorer] = {
    scorer.name: scorer for scorer in sorted(chain(*(file.SCORERS for file in _FILES)), key=lambda scorer: scorer.name)
}


def register(scorer: Scorer) -> Scorer:
    """Gives a scorer its name in this process, by which supervisors, `collect` and calibrations find it; returns it."""
    if SCORERS.setdefault(scorer.name, scorer) is not scorer:
        raise ConfigurationError(f"a scorer named {scorer.name!r} is registered already: give yours another name")
    return scorer


def resolve(scorer: object) -> Scorer:
    """Returns a scorer, ready to score.

    It takes the name of a registered scorer, of a packaged learned one with its digest (`CalibrationMismatchError`
    where it is another version's), or of the user's own (``"module:name"``, ``"file.py:name"``; a class is called
    without arguments); a callable; or a `Scorer`.
    """
    if isinstance(scorer, Scorer):
        return scorer.ready()
    if isinstance(scorer, str):
        return _named(scorer)
    if callable(scorer):
        inner = scorer.func if isinstance(scorer, partial) else scorer
        known = next((known for known in SCORERS.values() if known.function is inner), None)
        if known is None:
            return Scorer.of(scorer)
        return known.with_options(scorer) if isinstance(scorer, partial) else known
    message = f"scorer={shorten(scorer)} is neither a scorer's name ({', '.join(SCORERS)}) nor a callable"
    raise ConfigurationError(message)


def recorded_name(scorer: str | ScoreFunction | Scorer) -> str:
    """Returns the name under which a scorer's trust is recorded; a name stands for itself, known here or not."""
    return scorer if isinstance(scorer, str) and ":" not in scorer else resolve(scorer).name


def _named(name: str) -> Scorer:
    if name in SCORERS:
        return SCORERS[name].ready()
    if (fitted := packaged.packaged(name)) is not None:
        return Scorer.of(fitted)
    if ":" in name:
        own = load_own(name, "the scorer")
        return resolve(own() if isinstance(own, type) else own)
    raise UnknownOptionError("scorer", name, SCORERS)
