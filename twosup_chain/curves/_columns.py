"""What every function here asks of its columns: one dimension, one length, at least one row, finite numbers."""

import numpy as np
import numpy.typing as npt

from twosup_chain.errors import InputError

Floats = npt.NDArray[np.float64]


def checked(**columns: npt.ArrayLike) -> list[Floats]:
    """Returns the columns as float64, in the order given; a flag becomes 0 or 1. Errors use the keywords as names."""
    arrays: list[Floats] = []
    for name, column in columns.items():
        try:
            array = np.asarray(column, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{name} is no column of numbers ({error}): pass one number or flag a question") from error
        if array.ndim != 1 or (arrays and len(array) != len(arrays[0])):
            first = next(iter(columns))
            expected = f"({len(arrays[0])},) as {first} has" if arrays else "(n,)"
            raise InputError(f"{name} has the shape {array.shape}: pass one value a question, shape {expected}")
        if not array.size:
            raise InputError(f"{name} is empty: pass at least one labelled question")
        wrong = np.flatnonzero(~np.isfinite(array))
        if wrong.size:
            raise InputError(
                f"{name}[{wrong[0]}]={float(array[wrong[0]])!r}: a finite number is needed ({wrong.size} are not)"
            )
        arrays.append(array)
    return arrays
