"""The isotonic fit is that of SciPy, whatever the order, the ties and the shares."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import isotonic_regression

from twosup_chain.fitting.isotonic import _blocks


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=40))
def test_neighbours_are_pooled_as_scipy_pools_them(columns):
    hits, rows = (np.array(column, np.float64) for column in zip(*columns, strict=True))
    starts = _blocks(hits, rows)
    ends = [*starts[1:], len(rows)]
    pooled = np.concatenate(
        [
            np.full(end - start, hits[start:end].sum() / rows[start:end].sum())
            for start, end in zip(starts, ends, strict=True)
        ]
    )
    np.testing.assert_allclose(pooled, isotonic_regression(hits / rows, weights=rows).x, atol=1e-12)
