"""The pair of learned scorers that the package ships, so that a new user is not at zero.

What they were fitted on stands in their files, which ``tests/benchmarks/business_fit.py`` writes; they warn until a
calibration sets their threshold.
"""

from functools import cache, partial
from pathlib import Path

from twosup_chain.errors import CalibrationMismatchError
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.scoring.scorer import Scorer

FOLDER = Path(__file__).parent / "packaged_pair"
#: By the name under which each is registered, its file.
FILES = {f"learned_{role}": FOLDER / f"{role}.json" for role in ("local", "remote")}


def default_scorer(name: str) -> LearnedScorer:
    """Returns ``"learned_local"`` or ``"learned_remote"``, which warns until a calibration sets its threshold."""
    loaded = _loaded(name)
    return LearnedScorer(loaded.model, loaded.others, packaged=True, questions=loaded.questions)


def packaged(name: str) -> LearnedScorer | None:
    """Returns the packaged scorer that a name stands for, with its digest or without; ``None`` for any other name."""
    short, _, digest = name.partition("@")
    if short not in FILES:
        return None
    found = default_scorer(short)
    if digest and found.name != name:
        raise CalibrationMismatchError(
            f"{name} is not the {short} of this version of twosup-chain, which is {found.name}: pass the scorer that "
            f"was fitted, scorers={{{name!r}: LearnedScorer.load(…)}}, or calibrate anew"
        )
    return found


@cache
def _loaded(name: str) -> LearnedScorer:
    return LearnedScorer.load(FILES[name])


#: Their trust needs no recording: it follows from the features, which are always recorded.
SCORERS = tuple(
    Scorer(name=n, make=partial(default_scorer, n), needs="features", reads_local="remote" in n, recorded=False)
    for n in FILES
)
