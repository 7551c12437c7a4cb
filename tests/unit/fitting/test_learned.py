"""Learned supervisors on drawn data: that they find what is there, say honest probabilities, and survive a file."""

from __future__ import annotations

import json
import sys
import warnings

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from twosup_chain import Answer, LearnedScorer, QAInput, Supervisor
from twosup_chain.curves import auroc
from twosup_chain.errors import (
    CalibrationMismatchError,
    ConfigurationError,
    InputError,
    MissingEvidenceError,
    MissingExtraError,
    SupervisorFileError,
    UnknownOptionError,
)
from twosup_chain.fitting import boosted
from twosup_chain.fitting.boosted import binned, fit_boosted
from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.fitting.folds import divide
from twosup_chain.fitting.isotonic import fit_isotonic
from twosup_chain.fitting.logistic import fit_logistic
from twosup_chain.scoring.learned import UncalibratedWarning
from twosup_chain.scoring.learned_model import LearnedModel
from twosup_chain.scoring.packaged import FILES, default_scorer, packaged

N = 1200


@pytest.fixture(scope="module")
def drawn():
    """Two features that tell, one that does not, one that is missing at times; groups of six rows."""
    rng = np.random.default_rng(3)
    a, b, noise = rng.normal(size=(3, N))
    p = 1 / (1 + np.exp(-(1.5 * a - b)))
    holes = np.where(rng.random(N) < 0.3, np.nan, b)
    return {"a": a, "b": holes, "noise": noise}, rng.random(N) < p, np.arange(N) // 6


def cross_fit_columns(columns, right, *, groups=None, folds=5, seed=0, **options):
    """Returns the probability of each row by a model that has seen nothing of its group, not even for the ridge."""
    division, _ = divide(right.astype(float), groups, folds, seed)
    labels = np.arange(len(right)) if groups is None else np.asarray(groups)
    found = np.empty(len(right))
    for fold in range(int(division.max()) + 1):
        here = division == fold
        rest = {name: column[~here] for name, column in columns.items()}
        fitted = fit_columns(rest, right[~here], groups=labels[~here], folds=folds, seed=seed, **options)
        found[here] = fitted.predict({name: column[here] for name, column in columns.items()})
    return found


@pytest.mark.parametrize("family", ["logistic", "boosted"])
def test_a_fit_tells_right_from_wrong_on_rows_that_it_has_not_seen(drawn, family):
    columns, right, groups = drawn
    honest = cross_fit_columns(columns, right, groups=groups, model=family, folds=3, trees=50)
    single = auroc(columns["a"], right)
    assert auroc(honest, right) > single + 0.01
    low, high = honest < 0.3, honest > 0.7  # calibrated: what it promises comes true
    assert abs(honest[low].mean() - right[low].mean()) < 0.07
    assert abs(honest[high].mean() - right[high].mean()) < 0.07
    fitted = fit_columns(columns, right, groups=groups, model=family, folds=3, trees=50)
    assert fitted.fitness.auroc == pytest.approx(auroc(honest, right), abs=0.03)
    assert next(iter(fitted.importances())) == "a"
    assert sum(fitted.importances().values()) == pytest.approx(1.0)
    assert fitted.importances()["noise"] < 0.2


def test_labels_that_no_feature_explains_give_the_base_rate():
    rng = np.random.default_rng(0)
    columns, right = {"a": rng.normal(size=600)}, rng.random(600) < 0.7
    fitted = fit_columns(columns, right)
    assert np.ptp(fitted.predict(columns)) < 0.2
    assert fitted.predict(columns).mean() == pytest.approx(right.mean(), abs=0.03)


def test_isotonic_rises_or_falls_with_its_one_feature(drawn):
    columns, right, groups = drawn
    for sign in (1.0, -1.0):
        fitted = fit_columns({"a": sign * columns["a"]}, right, groups=groups, model="isotonic")
        at = fitted.predict({"a": sign * np.linspace(-2, 2, 9)})
        assert (np.diff(at) >= -0.02).all()
        assert at[0] < 0.3
        assert at[-1] > 0.7
    with pytest.raises(ConfigurationError, match="reads one feature"):
        fit_columns(columns, right, model="isotonic")


def test_pooling_adjacent_violators_gives_the_known_means():
    fitted = fit_isotonic(np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert fitted.at.tolist() == [1.0, 2.5, 4.0]


@pytest.mark.parametrize("family", ["logistic", "boosted", "isotonic"])
def test_a_file_gives_the_same_probabilities_one_by_one_and_together(drawn, family, tmp_path):
    columns, right, groups = drawn
    names = ["a"] if family == "isotonic" else None
    options = {"role": "remote", "fitted_on": "draws", "folds": 2, "trees": 25}
    fitted = fit_columns(columns, right, groups=groups, model=family, features=names, **options)
    fitted.save(tmp_path / "model.json")
    again = LearnedModel.load(tmp_path / "model.json")
    expected = fitted.predict(columns)
    assert (again.predict(columns) == expected).all()
    assert ((expected >= 0) & (expected <= 1)).all()
    for row in range(5):
        one = {name: None if np.isnan(column[row]) else column[row] for name, column in columns.items()}
        assert again.predict_one(one) == pytest.approx(expected[row], abs=1e-12)
    assert (again.digest, again.fitness, again.fitted_on) == (fitted.digest, fitted.fitness, "draws")


def test_a_feature_that_is_missing_counts_as_missing_whether_null_or_absent(drawn):
    columns, right, groups = drawn
    fitted = fit_columns(columns, right, groups=groups)
    assert fitted.predict_one({"a": 1.0, "b": None, "noise": 0.0}) == fitted.predict_one({"a": 1.0, "noise": 0.0})
    assert fitted.predict({"a": [1.0], "noise": [0.0]})[0] == pytest.approx(
        fitted.predict_one({"a": 1.0, "noise": 0.0})
    )
    with pytest.raises(InputError, match="none of the features is given"):
        fitted.predict({"c": [1.0]})


def test_slopes_may_differ_for_predictions_of_no_answer():
    rng = np.random.default_rng(1)
    answerability, none = rng.normal(size=N), (rng.random(N) < 0.4).astype(float)
    right = rng.random(N) < 1 / (1 + np.exp(np.where(none == 1, 2, -2) * answerability))
    fitted = fit_columns({"answerability": answerability, "no_answer": none}, right)
    assert fitted.fitness.auroc > 0.8
    likely = [fitted.predict_one({"answerability": 1.5, "no_answer": kind}) for kind in (0.0, 1.0)]
    assert likely[0] > 0.8
    assert likely[1] < 0.2


@pytest.mark.parametrize("family", ["logistic", "boosted", "isotonic"])
def test_how_far_predictions_are_right_can_be_learned_as_well(family):
    rng = np.random.default_rng(2)
    a = rng.normal(size=N)
    far = 1 / (1 + np.exp(-a))
    fitted = fit_columns({"a": a}, far, model=family, folds=2, trees=100)
    assert np.abs(fitted.predict({"a": a}) - far).mean() < 0.06
    assert fitted.fitness.right == round(far.sum())
    assert fitted.fitness.auroc > 0.95


def test_a_line_says_what_scikit_learns_does(drawn):
    columns, right, _ = drawn
    x = np.column_stack([columns["a"], columns["noise"]])
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    z[np.abs(z) > 4] = np.sign(z[np.abs(z) > 4]) * 4
    ridges = [1e-3, 1.0]
    for ridge, fit in zip(ridges, fit_logistic(x, right.astype(float), ridges=ridges), strict=True):
        theirs = LogisticRegression(C=1 / (N * ridge), tol=1e-10).fit(z, right)
        assert fit.logits(x) == pytest.approx(theirs.decision_function(z), abs=1e-4)


def test_trees_say_what_scikit_learns_do_and_cut_between_training_values(drawn, monkeypatch):
    made = []

    class Kept(HistGradientBoostingClassifier):
        def fit(self, *values, **options):
            made.append(super().fit(*values, **options))
            return self

    monkeypatch.setattr("sklearn.ensemble.HistGradientBoostingClassifier", Kept)
    columns, right, _ = drawn
    x = np.column_stack(list(columns.values()))
    fit = fit_boosted(x, right.astype(float), trees=40)
    edges = [boosted._edges(column[~np.isnan(column)]) for column in x.T]
    other = np.random.default_rng(1).normal(size=x.shape)
    for some in (x, other):
        assert fit.logits(some) == pytest.approx(made[0].decision_function(binned(some, edges)), abs=1e-9)
    used = [set(fit.cuts[fit.features == j].tolist()) for j in range(x.shape[1])]
    assert all(not cuts & set(column.tolist()) for cuts, column in zip(used, x.T, strict=True))
    assert sum(map(len, used)) > 20


def test_trees_part_what_is_missing_from_what_is_there():
    x = np.where(np.arange(400) % 2, np.nan, 1.0)[:, None]
    fitted = fit_boosted(x, (np.arange(400) % 2 == 0).astype(float), trees=60)
    there, gone = fitted.logits(np.array([[1.0], [np.nan]]))
    assert there > 1.0
    assert gone < -1.0


@pytest.mark.parametrize("family", ["logistic", "boosted", "isotonic"])
def test_a_row_has_the_same_probability_to_the_last_bit_in_any_company(drawn, family):
    columns, right, groups = drawn
    wide = {f"{name}{i}": column * (1 + i / 7) for name, column in columns.items() for i in range(9)}
    chosen = {"b0": wide["b0"]} if family == "isotonic" else wide
    fitted = fit_columns(chosen, right, groups=groups, model=family, folds=2, trees=25)
    whole = fitted.predict(chosen)
    for size in (1, 2, 3, 7, 8, 64, 500):
        assert (fitted.predict({name: column[:size] for name, column in chosen.items()}) == whole[:size]).all()
    alone = [fitted.predict_one({name: column[row] for name, column in chosen.items()}) for row in range(300)]
    assert alone == whole[:300].tolist()


def test_without_scikit_learn_the_extra_is_named(drawn, monkeypatch):
    columns, right, groups = drawn
    monkeypatch.setitem(sys.modules, "sklearn.model_selection", None)
    with pytest.raises(MissingExtraError, match=r"twosup-chain\[fit\]"):
        fit_columns(columns, right, groups=groups)


def test_groups_are_never_on_both_sides():
    """Rows of a group are copies with random labels: a fit that saw one copy would know the other."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 4)
    columns = {"a": rng.normal(size=60)[groups], "b": rng.normal(size=60)[groups]}
    right = (rng.random(60) < 0.5)[groups]
    options = {"model": "boosted", "folds": 4, "trees": 50}
    leaky = cross_fit_columns(columns, right, **options)
    honest = cross_fit_columns(columns, right, groups=groups, **options)
    assert auroc(leaky, right) > 0.7
    assert auroc(honest, right) < 0.65


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"model": "forest"}, UnknownOptionError, "'forest' is no model of a learned supervisor"),
        ({"features": ["a", "bb"]}, UnknownOptionError, "'bb' is no feature of these rows. Did you mean 'b'"),
        ({"folds": 1}, ConfigurationError, "folds=1"),
        ({"model": "boosted", "trees": 5}, ConfigurationError, "trees=5: a boosted model has at least 25"),
        ({"groups": np.zeros(N)}, InputError, "there is 1 group"),
        ({"groups": np.zeros(3)}, InputError, "groups has the shape"),
        ({"right": np.ones(N)}, InputError, "1200 of 1200 predictions are right: at least 10"),
        ({"right": np.full(N, 1.5)}, InputError, "one True or False, or a number in"),
        ({"right": np.ones(3)}, InputError, "right has 3 rows"),
        ({"columns": {"a": np.ones(N)}}, InputError, "no feature differs"),
    ],
)
def test_what_cannot_be_fitted_is_said(drawn, change, error, said):
    columns, right, _ = drawn
    with pytest.raises(error, match=said):
        fit_columns(**{"columns": columns, "right": right, **change})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not JSON, or cut off"),
        ("[]", "is no learned supervisor"),
        ('{"format": "twosup-supervisor", "version": 3}', "version 3, and this twosup_chain reads version 2"),
        ('{"format": "twosup-supervisor", "version": 1}', "broken learned supervisor: KeyError"),
    ],
)
def test_a_file_that_is_no_learned_supervisor_is_refused(tmp_path, text, said):
    path = tmp_path / "model.json"
    path.write_text(text)
    with pytest.raises(SupervisorFileError, match=said):
        LearnedScorer.load(path)
    with pytest.raises(SupervisorFileError, match="cannot read"):
        LearnedScorer.load(tmp_path / "none.json")


def test_numbers_that_do_not_fit_the_features_are_refused(drawn, tmp_path):
    columns, right, _ = drawn
    values = fit_columns(columns, right, role="local").as_dict()
    values["fit"]["slopes"] = values["fit"]["slopes"][:-1]
    (tmp_path / "model.json").write_text(json.dumps(values))
    with pytest.raises(SupervisorFileError, match="broken"):
        LearnedScorer.load(tmp_path / "model.json")


def test_a_file_that_calls_the_role_place_is_read(drawn, tmp_path):
    columns, right, _ = drawn
    values = fit_columns(columns, right, role="local").as_dict()
    old = {"place" if name == "role" else name: value for name, value in values.items()}
    (tmp_path / "model.json").write_text(json.dumps({**old, "version": 1}))
    assert LearnedScorer.load(tmp_path / "model.json").role == "local"


QUESTION = QAInput(question="Who wrote it?", context="Ada wrote it.")
READING = Answer("Ada", scores={"answerability": 0.9, "null_probability": 0.1, "span_probability": 0.8})


@pytest.mark.parametrize("name", FILES)
def test_the_packaged_pair_judges_weighs_and_says_what_it_was_fitted_on(name):
    scorer = default_scorer(name)
    local = READING if name == "learned_remote" else None
    assert 0.0 <= scorer(QUESTION, READING, local=local) <= 1.0
    assert set(scorer.alternatives(QUESTION, READING, local=local)) == set(scorer.others)
    assert "unanswerable" in scorer.others
    assert scorer.model.fitted_on
    assert scorer.model.fitness.rows >= 100


def test_the_packaged_pair_warns_once_per_object_and_not_where_everything_is_trusted():
    with pytest.warns(UncalibratedWarning, match="fitted on .* Calibrate the threshold"):
        supervisor = Supervisor("learned_local", threshold=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Supervisor(supervisor.scorer, threshold=0.4)


@pytest.mark.filterwarnings("error")
def test_the_packaged_pair_does_not_warn_without_a_threshold_or_with_a_calibrated_one():
    Supervisor("learned_local", threshold=0.0)
    Supervisor(default_scorer("learned_local").calibrated(), threshold=0.5)


def test_a_packaged_name_of_another_version_is_a_mismatch():
    name = default_scorer("learned_remote").name
    assert packaged(name).name == packaged("learned_remote").name == name
    assert packaged("grounded") is None
    with pytest.raises(CalibrationMismatchError, match="is not the learned_remote of this version"):
        packaged("learned_remote@00000000")


def test_a_scorer_needs_a_role_and_something_to_read(drawn):
    columns, right, _ = drawn
    with pytest.raises(ConfigurationError, match="role=None"):
        LearnedScorer(fit_columns(columns, right))
    with pytest.raises(MissingEvidenceError, match="carries none of them"):
        LearnedScorer(fit_columns(columns, right, role="local"))(QUESTION, READING)
