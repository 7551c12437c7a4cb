"""What used to break a promise no longer does: ``python tests/guarantee/mended.py`` prints the table."""

from __future__ import annotations

import numpy as np
import pytest
from mended import FAULTS, broken, flattered, never_asked_for_all
from simulation import CONFIDENCE

DRAWS = 100
LEVEL = 1.0 - CONFIDENCE
ERROR = 3.0 * float(np.sqrt(LEVEL * CONFIDENCE / DRAWS))


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_mended(fault) -> None:
    before, after = broken(fault, draws=DRAWS)
    print(f"\n{fault.name}: broken {before:.0%} before, {after:.0%} after")
    assert after <= LEVEL + ERROR
    assert before > after


@pytest.mark.slow
def test_a_scorer_calibrated_on_its_own_questions_would_break_its_promise() -> None:
    assert flattered(10) > 3 * LEVEL


@pytest.mark.slow
def test_always_asking_is_often_all_that_keeps_the_accuracy_of_the_hosted_model() -> None:
    assert never_asked_for_all(50) > 0.5
