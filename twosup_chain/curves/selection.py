"""What abstaining brings: how risk falls when only the most trusted questions are answered.

Risk is one minus correctness (whether, or how far in [0, 1], an answer is right). Columns have shape (n,); `InputError`
is raised where they do not fit together. Ties are broken at random, in expectation, so that no figure depends on the
order of the rows.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twosup_chain.curves._columns import Floats, checked
from twosup_chain.errors import InputError


@dataclass(frozen=True, eq=False, kw_only=True)
class RiskCoverageCurve:
    """Selective risk at ascending coverage, shape (m,) each."""

    coverage: Floats  # the share of questions that is answered, in (0, 1]
    risk: Floats  # the share of wrong answers among them
    random: Floats  # the same for answering questions at random
    oracle: Floats  # the same for answering the right ones first


def risk_coverage(score: npt.ArrayLike, correct: npt.ArrayLike, *, steps: int = 1000) -> RiskCoverageCurve:
    """Returns the risk–coverage curve (El-Yaniv & Wiener, JMLR 11, 2010), most trusted questions first.

    At most `steps` coverages are given, evenly spread up to 1.
    """
    if steps < 1:
        raise InputError(f"steps={steps}: at least 1 is needed")
    score, correct = checked(score=score, correct=correct)
    n = len(score)
    steps = min(steps, n)
    answered = -(-np.arange(1, steps + 1) * n // steps)
    wrong = _wrong_so_far(score, correct)
    least = np.cumsum(np.sort(1 - correct))
    return RiskCoverageCurve(
        coverage=answered / n,
        risk=wrong[answered - 1] / answered,
        random=np.full(steps, wrong[-1] / n),
        oracle=least[answered - 1] / answered,
    )


def aurc(score: npt.ArrayLike, correct: npt.ArrayLike) -> float:
    """Returns the area under the risk–coverage curve, in [0, 1]: the mean risk over the coverages 1/n, 2/n, …, 1.

    Geifman et al., *Bias-Reduced Uncertainty Estimation for Deep Neural Classifiers* (ICLR 2019, arXiv 1805.08206).
    """
    wrong = _wrong_so_far(*checked(score=score, correct=correct))
    return float((wrong / np.arange(1, len(wrong) + 1)).mean())


def augrc(score: npt.ArrayLike, correct: npt.ArrayLike) -> float:
    """Returns the area under the generalised risk–coverage curve: the mean risk of a failure that goes undetected.

    The generalised risk is the share of all questions that are answered and wrong; the area is that of the trapezia
    between the coverages 0, 1/n, 2/n, …, 1: (1 − AUROC)·right·wrong + wrong²/2 with the shares of right and wrong
    answers. Traub et al., *Overcoming Common Flaws in the Evaluation of Selective Classification Systems* (NeurIPS
    2024, arXiv 2407.01032).
    """
    wrong = _wrong_so_far(*checked(score=score, correct=correct))
    return float((wrong.sum() - wrong[-1] / 2) / len(wrong) ** 2)


def s_beta(objective: npt.ArrayLike, acceptance: npt.ArrayLike, beta: float) -> Floats:
    """Returns the weighted harmonic mean of the objective among accepted questions and the rate of acceptance, Δ.

    S_β = (1+β²)·obj·Δ / (β²·obj + Δ), as in the paper (DOI 10.1145/3617593) and Stocco & Tonella; β is how much more
    the acceptance weighs, 0.5, 1 and 2 in the paper. NaN where both are 0 or one is NaN.
    """
    obj, delta = np.asarray(objective, dtype=np.float64), np.asarray(acceptance, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.asarray((1 + beta**2) * obj * delta / (beta**2 * obj + delta))


def auroc(scores: npt.ArrayLike, positive: npt.ArrayLike) -> float:
    """Returns the chance that a positive scores above a negative, ties counting half (Mann–Whitney U).

    NaN where there are no positives or no negatives.
    """
    scores, flags = checked(scores=scores, positive=positive)
    yes = flags > 0
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    n, m = int(yes.sum()), int((~yes).sum())
    return float((ranks[inverse][yes].sum() - n * (n + 1) / 2) / (n * m)) if n and m else float("nan")


def _wrong_so_far(score: Floats, correct: Floats) -> Floats:
    """Returns how many answers are wrong among the 1, 2, …, n most trusted; tied ones share their errors evenly."""
    order = np.argsort(score, kind="stable")[::-1]
    descending, wrong = score[order], 1 - correct[order]
    block = np.concatenate([[0], np.cumsum(descending[1:] != descending[:-1])])
    return np.cumsum((np.bincount(block, wrong) / np.bincount(block))[block])
