"""What tokens cost."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.errors import InputError
from twosup_chain.outcomes.price import Price


def test_a_price_is_per_million_tokens_of_each_kind():
    price = Price(input=0.15, output=0.6)
    assert price.of(1_000_000.0, 500_000.0) == pytest.approx(0.45)
    np.testing.assert_allclose(price.of(np.array([0.0, 2e6]), np.array([1e6, 0.0])), [0.6, 0.3])


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_a_price_below_zero_or_not_finite_is_refused_by_name(value):
    with pytest.raises(InputError, match="Price: input="):
        Price(input=value, output=1.0)
