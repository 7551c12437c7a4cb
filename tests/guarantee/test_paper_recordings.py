"""The guarantee on the paper's own recordings (SQuADv2), where its way of choosing a threshold misses its target.

The recordings are no part of this project: ``TWOSUP_PAPER_DATA`` names the folder that holds them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest
from efficiency import recordings as load_recordings

from twosup_chain.calibration.search import find
from twosup_chain.calibration.tally import count
from twosup_chain.calibration.targets import make_targets

if TYPE_CHECKING:
    from twosup_chain.outcomes.outcomes import Outcomes

FOLDER = os.environ.get("TWOSUP_PAPER_DATA")
#: Fewer than 100 tell nothing.
SPLITS = max(100, int(os.environ.get("TWOSUP_SPLITS", "500")))
CONFIDENCE, LIMIT = 0.9, 0.05
BOUND = 1.0 - CONFIDENCE + 3.0 * np.sqrt(CONFIDENCE * (1.0 - CONFIDENCE) / SPLITS)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER, reason="TWOSUP_PAPER_DATA names no folder with the paper's recordings"),
]


@pytest.fixture(scope="module")
def everything() -> Outcomes:
    """The recordings of all questions; their possible ones have ``answerable``."""
    return load_recordings(FOLDER)


@pytest.fixture(params=["all", "possible only"])
def recordings(request, everything) -> Outcomes:
    return everything if request.param == "all" else everything.take(everything.answerable)


def _value(outcomes, target, thresholds) -> tuple[float, float, float]:
    """Returns the target's value, the coverage and the remote rate."""
    tally = count(outcomes, *(np.array([threshold]) for threshold in thresholds)).flat()
    return target.value(tally).item(), tally.answered.item() / tally.n, tally.escalated.item() / tally.n


def _papers_choice(outcomes, cutoff) -> tuple[float, float]:
    """Returns the thresholds that BiSupervised would take: a cutoff, and the first whose rate reaches the target."""
    scores = np.sort(outcomes.local_score)
    local = scores[min(int(len(scores) * cutoff), len(scores) - 1)]
    candidates = np.unique(outcomes.remote_score[outcomes.local_score < local])
    tally = count(outcomes, np.array([local]), candidates).flat()
    (target,) = make_targets(false_positive_rate=LIMIT)
    return local, candidates[np.argmax(target.value(tally) >= LIMIT)]


def test_on_held_out_halves_the_paper_exceeds_its_target_every_other_time_and_the_guarantee_does_not(
    recordings,
) -> None:
    (target,) = make_targets(false_positive_rate=LIMIT)
    found = {"paper": [], "guarantee": [], "plug-in": []}
    rng = np.random.default_rng(0)
    for split in range(SPLITS):
        order = rng.permutation(len(recordings))
        first, second = recordings.take(order[: len(order) // 2]), recordings.take(order[len(order) // 2 :])
        found["paper"].append(_value(second, target, _papers_choice(first, 0.5)))
        for name, confidence in (("guarantee", CONFIDENCE), ("plug-in", None)):
            chosen = find(first, [target], confidence=confidence, prefer="safest", seed=split).chosen
            found[name].append(_value(second, target, (chosen.local.item(), chosen.remote.item())))
    values = {name: np.array(column) for name, column in found.items()}
    exceeded = {name: float(np.mean(column[:, 0] > LIMIT)) for name, column in values.items()}
    coverage = {name: round(float(column[:, 1].mean()), 3) for name, column in values.items()}
    print(f"\n{len(recordings)} questions, {SPLITS} halves: exceeded {exceeded}, coverage {coverage}")
    assert exceeded["guarantee"] <= BOUND
    assert exceeded["paper"] > 0.35
    assert exceeded["plug-in"] > 0.35
    assert coverage["plug-in"] - coverage["guarantee"] < 0.1


@pytest.mark.parametrize(
    ("options", "prefer"),
    [
        ({"false_positive_rate": LIMIT}, "safest"),
        ({"remote_rate": 0.3}, "accuracy"),
        ({"risk": None}, "cheapest"),
        ({"match_remote": 0.02}, "cheapest"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_of_a_thousand_questions_drawn_from_the_recordings_every_target_is_kept(recordings, options, prefer) -> None:
    share_right = recordings.remote_correct.mean()
    options = {name: 0.85 * (1.0 - share_right) if limit is None else limit for name, limit in options.items()}
    (target,) = make_targets(**options)
    rng = np.random.default_rng(1)
    values = {CONFIDENCE: [], None: []}
    for draw in range(SPLITS):
        drawn = recordings.take(rng.integers(len(recordings), size=1000))
        for confidence, column in values.items():
            found = find(drawn, [target], confidence=confidence, prefer=prefer, seed=draw)
            if found.best is None:
                column.append((-np.inf, np.nan, np.nan))
            else:
                thresholds = found.chosen.local.item(), found.chosen.remote.item()
                column.append(_value(recordings, target, thresholds))
    exceeded = {name: float(np.mean(np.array(column)[:, 0] > target.limit)) for name, column in values.items()}
    means = {name: np.nanmean(np.array(column)[:, 1:], axis=0).round(3).tolist() for name, column in values.items()}
    infeasible = {name: float(np.isnan(np.array(column)[:, 1]).mean()) for name, column in values.items()}
    print(
        f"\n{len(recordings)} questions, {target}: exceeded {exceeded}, [coverage, remote rate] {means}, {infeasible=}"
    )
    assert exceeded[CONFIDENCE] <= BOUND
    assert exceeded[None] > max(exceeded[CONFIDENCE], 1.0 - CONFIDENCE)
