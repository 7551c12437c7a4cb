"""Folds over articles: no article, and so no passage, is on both sides of a split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from study.columns import Flags

#: How many folds there are.
FOLDS = 5


def folds(groups: npt.NDArray[np.str_], count: int = FOLDS) -> npt.NDArray[np.intp]:
    """Returns each row's fold, from 0: whole groups, the largest first into the fold that has the fewest rows."""
    names, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    of_group, filled = np.zeros(len(names), dtype=np.intp), np.zeros(count)
    for group in np.argsort(-sizes, kind="stable"):
        of_group[group] = np.argmin(filled)
        filled[of_group[group]] += sizes[group]
    return of_group[place]


def splits(groups: npt.NDArray[np.str_], count: int = FOLDS) -> Iterator[tuple[Flags, Flags]]:
    """Yields for every fold the rows to fit on and the rows to predict."""
    of_row = folds(groups, count)
    for fold in range(count):
        held = of_row == fold
        if held.any():
            yield ~held, held
