"""Ours is fitted on other articles, keeps its budget, finds what can be found, and is what the product says it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pytest
from study.ours import Ours
from study.questions import Questions, article_of

from twosup_chain.errors import InfeasibleTargetError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def ours(records: Path, tmp_path_factory) -> Ours:
    return Ours(records, tmp_path_factory.mktemp("ours"))


def test_it_beats_both_models_where_the_features_tell_something(ours: Ours, made_up: Questions) -> None:
    found = ours.within(0.9)
    alone = max(made_up.reader.made.f1.mean(), made_up.remote.made.f1.mean())
    assert found.f1.mean() > alone + 0.05


def test_no_more_calls_are_made_than_are_allowed(ours: Ours) -> None:
    rates = [ours.within(rate).remote_rate for rate in (0.1, 0.3, 0.6)]
    assert rates == sorted(rates)
    assert all(found <= rate + 0.05 for found, rate in zip(rates, (0.1, 0.3, 0.6), strict=True))
    assert ours.without_calls().remote_rate == 0.0


def test_the_figures_are_those_of_evaluate(ours: Ours) -> None:
    found = ours.within(0.4)
    reports = [fold.evaluated(fold.calibration(remote_rate=0.4)).figures for fold in ours.folds]
    for fold, figures in zip(ours.folds, reports, strict=True):
        for measure in ("exact_match", "f1"):
            expected = getattr(figures.systems.chain, measure).value
            assert getattr(found, measure)[fold.held].mean() == pytest.approx(expected)
        assert found.called[fold.held].sum() == figures.savings.calls.chain


def test_no_label_of_a_held_out_article_reaches_its_scorers_and_thresholds(
    ours: Ours, records: Path, made_up: Questions, tmp_path: Path
) -> None:
    held = set(made_up.article[ours.folds[0].held])
    changed = tmp_path / "changed.jsonl"
    with changed.open("wb") as file:
        for line in records.read_bytes().splitlines():
            entry = orjson.loads(line)
            if article_of(entry["id"]) in held:
                entry["answerable"] = not entry["answerable"]
                for role in ("local", "remote"):
                    entry[role].update(exact_match=1.0 - entry[role]["exact_match"], f1=1.0 - entry[role]["f1"])
            file.write(orjson.dumps(entry) + b"\n")
    before, after = ours.folds[0], Ours(changed, tmp_path).folds[0]
    assert (before.held == after.held).all()
    assert (before.columns.remote_judged.trust == after.columns.remote_judged.trust).all()
    thresholds = [
        (c.local.threshold, c.remote.threshold) for c in (f.calibration(remote_rate=0.4) for f in (before, after))
    ]
    assert thresholds[0] == thresholds[1]


def test_thresholds_are_calibrated_on_all_other_folds(ours: Ours, made_up: Questions) -> None:
    assert all(len(fold.known) == len(made_up) - fold.held.sum() for fold in ours.folds)
    assert len(ours.known) == len(made_up)


def test_features_of_noise_promise_nothing_out_of_fold(records: Path, tmp_path: Path) -> None:
    rng, noisy = np.random.default_rng(7), tmp_path / "noise.jsonl"
    with noisy.open("wb") as file:
        for line in records.read_bytes().splitlines()[:200]:
            entry = orjson.loads(line)
            for role in ("local", "remote"):
                entry[role]["features"] = {"no_answer": 0.0, **{f"noise {k}": rng.random() for k in range(10)}}
            file.write(orjson.dumps(entry) + b"\n")
    with pytest.raises(InfeasibleTargetError):
        Ours(noisy, tmp_path).calibrated("", risk=0.2)
