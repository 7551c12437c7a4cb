"""A learned scorer's file that somebody has edited is refused by name, before it judges anything."""

from __future__ import annotations

import json

import numpy as np
import pytest

from twosup_chain.errors import SupervisorFileError
from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.scoring.learned import LearnedScorer

DEEP: list[object] = []
for _ in range(900):
    DEEP = [DEEP]


@pytest.fixture(scope="module")
def saved():
    """What is in the files of a model of each family."""
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400))
    right = rng.random(400) < 1 / (1 + np.exp(-a - b))
    columns = {"a": a, "b": np.where(a > 1, np.nan, b)}
    chosen = {"logistic": columns, "boosted": columns, "isotonic": {"a": a}}
    return {
        family: json.dumps(fit_columns(given, right, role="local", model=family, trees=25).as_dict())
        for family, given in chosen.items()
    }


@pytest.mark.parametrize(
    ("family", "change"),
    [
        ("boosted", lambda v: v["fit"]["features"][0].__setitem__(0, 999)),
        ("boosted", lambda v: v["fit"]["features"][0].__setitem__(0, -1)),
        ("boosted", lambda v: v["fit"]["features"][0].__setitem__(0, 0.5)),
        ("boosted", lambda v: v["fit"]["leaves"][0].pop()),
        ("boosted", lambda v: v["fit"]["leaves"].pop()),
        ("boosted", lambda v: v["fit"].update(features=[])),
        ("boosted", lambda v: v["fit"].update(cuts=3)),
        ("logistic", lambda v: v.update(slope=-1)),
        ("logistic", lambda v: v.update(slope="NaN")),
        ("logistic", lambda v: v.update(slope=10**400)),
        ("logistic", lambda v: v["fit"].update(intercept="inf")),
        ("logistic", lambda v: v["fit"]["slopes"].__setitem__(0, None)),
        ("logistic", lambda v: v["fit"]["slopes"].__setitem__(0, "much")),
        ("logistic", lambda v: v["fit"]["scale"].__setitem__(0, 0.0)),
        ("logistic", lambda v: v["fit"].update(no_answer=999)),
        ("logistic", lambda v: v["fit"].update(no_answer=0.5)),
        ("logistic", lambda v: v["fit"]["shares"].__setitem__(0, -1.0)),
        ("logistic", lambda v: v.update(features=["a"])),
        ("logistic", lambda v: v.update(features=DEEP)),
        ("logistic", lambda v: v.update(fit=DEEP)),
        ("logistic", lambda v: v["fit"].update(slopes=DEEP)),
        ("logistic", lambda v: v.update(family=DEEP)),
        ("logistic", lambda v: v.update(family="wizard")),
        ("logistic", lambda v: v.update(role="elsewhere")),
        ("logistic", lambda v: v.update(role=["local"])),
        ("logistic", lambda v: v["fitness"].update(auroc=7.0)),
        ("logistic", lambda v: v.update(others={"unanswerable": 3})),
        ("logistic", lambda v: v.update(others=[1])),
        ("isotonic", lambda v: v["fit"].update(at=[1.0, 0.0], logit=[0.0, 1.0])),
        ("isotonic", lambda v: v["fit"].update(at=[], logit=[])),
        ("isotonic", lambda v: v.update(features=["a", "b"])),
    ],
)
def test_an_edited_file_is_refused(saved, tmp_path, family, change):
    values = json.loads(saved[family])
    (tmp_path / "scorer.json").write_text(json.dumps(values))
    LearnedScorer.load(tmp_path / "scorer.json")
    change(values)
    (tmp_path / "scorer.json").write_text(json.dumps(values))
    with pytest.raises(SupervisorFileError, match=r"scorer\.json"):
        LearnedScorer.load(tmp_path / "scorer.json")
