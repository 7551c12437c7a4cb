"""The Beta distribution agrees with SciPy's, from fractions of a question to a million."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special

from twosup_chain.curves.beta import beta_cdf, beta_quantile

COUNTS = st.one_of(
    st.floats(0.5, 40.0),
    st.floats(0.5, 1e6),
    st.integers(1, 3_000),
    st.integers(0, 3_000).map(lambda n: n + 0.5),
)
SHARES = st.floats(0.0, 1.0)


@given(COUNTS, COUNTS, SHARES)
def test_the_distribution_function_is_scipys(a, b, x):
    assert beta_cdf(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-12)


@given(COUNTS, COUNTS, st.floats(-6.0, 6.0))
def test_the_distribution_function_is_scipys_where_it_rises(a, b, deviations):
    mean = a / (a + b)
    x = float(np.clip(mean + deviations * np.sqrt(mean * (1.0 - mean) / (a + b + 1.0)), 0.0, 1.0))
    assert beta_cdf(a, b, x) == pytest.approx(special.betainc(a, b, x), abs=1e-12)


@example(20.0, 38.0, 1.150009769871393e-71)  # the first step went to where nothing is left of the mass
@example(20.0, 0.5, 1e-71)
@given(
    COUNTS,
    COUNTS,
    st.one_of(
        SHARES.filter(lambda p: p == 0.0 or p > 1e-200),
        st.sampled_from([0.0, 1e-8, 0.005, 0.025, 0.05, 0.5, 0.95, 0.975, 1.0]),
    ),
)
def test_the_quantile_is_scipys(a, b, p):  # below 1e-200 it is SciPy's that are not exact
    assert beta_quantile(a, b, p) == pytest.approx(special.betaincinv(a, b, p), abs=1e-12)


def test_arrays_are_broadcast_and_tails_are_exact_to_their_own_digits():
    events, rates = np.arange(0.0, 300.0)[:, None], np.array([0.001, 0.05, 0.3])
    expected = special.betainc(300.0 - events, events + 1.0, 1.0 - rates)
    assert beta_cdf(300.0 - events, events + 1.0, 1.0 - rates) == pytest.approx(expected, rel=1e-11, abs=1e-300)
    assert beta_quantile(events + 1.0, 300.0 - events, rates).shape == (300, 3)


def test_a_calibration_comes_out_the_same_without_scipy():
    code = """
import sys
if sys.argv[1] == "without":
    sys.modules["scipy"] = sys.modules["scipy.special"] = None
from twosup_chain.calibration import statistics as risk
print([
    round(float(number), 11)
    for number in [
        *risk.clopper_pearson(7, 60), risk.binomial_p_value(7, 60, 0.2), risk.hoeffding_bentkus_p_value(0.1, 60, 0.2),
        *risk.bounded_mean_interval(0.1, 60), risk.difference_p_value(9, 4, 60, 0.05),
        *risk.difference_interval(9, 4, 60),
        risk.rate_posterior(7, 60, 0.2), risk.mean_posterior(6.0, 3.0, 60, 0.2),
        risk.difference_posterior(9, 4, 60, 0.05),
    ]
])
print("scipy.special" in sys.modules and sys.modules["scipy.special"] is not None)
"""
    with_it, without = (
        subprocess.run([sys.executable, "-c", code, how], capture_output=True, text=True, check=True).stdout.split("\n")
        for how in ("with", "without")
    )
    assert with_it[0] == without[0]
    assert (with_it[1], without[1]) == ("True", "False")
