"""`fit_classifier`: from labelled texts to a folder."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from twosup_chain import fit_classifier
from twosup_chain.classifier.folder import read
from twosup_chain.errors import ConfigurationError, InputError, MissingExtraError
from twosup_chain.text.questions import LabelledQuestion


def labelled(*pairs):
    return [
        LabelledQuestion(
            id=str(at), question="?", context=text, answers=(label,) if label else (), is_impossible=not label
        )
        for at, (text, label) in enumerate(pairs)
    ]


MANY = [(f"good {word}", "yes") for word in ("day", "cat", "sea", "hat", "tea", "art", "pie", "fun", "joy")]
FEW = [(f"bad {word}", "no") for word in ("bug", "fog", "mud")]


def test_each_label_weighs_alike_where_that_is_asked_for(tmp_path):
    examples = labelled(*MANY, *FEW)
    bias = {}
    for balanced in (False, True):
        fit_classifier(examples, tmp_path / str(balanced), balanced=balanced)
        config, head = read(tmp_path / str(balanced))
        assert config.labels == ("no", "yes")
        assert config.fitness.texts == {"no": 3, "yes": 9}
        bias[balanced] = head.bias[1] - head.bias[0]
    assert bias[True] < bias[False]


def test_the_same_texts_make_the_same_classifier(tmp_path):
    one, other = (fit_classifier(labelled(*MANY, *FEW), tmp_path / name, num_threads=1) for name in ("one", "other"))
    assert one == other


def test_the_figures_are_of_texts_that_no_fit_has_seen(tmp_path):
    rng = np.random.default_rng(0)
    chance = labelled(*((f"word{rng.integers(10**9)}", "ab"[at % 2]) for at in range(60)))
    fitness = fit_classifier(chance, tmp_path).fitness
    assert 0.2 < fitness.accuracy < 0.8
    assert fitness.outside_auroc is None


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (MANY, "the only label is 'yes' among 9 texts: at least 2 labels are needed"),
        ([("what", None)], "there is no label among 1 text: at least 2"),
        ([*MANY, *FEW[:2]], r"label='no' has 2 texts: at least 3"),
        ([*MANY, *FEW, ("what", None)], r"label=null has 1 text: at least 3"),
    ],
)
def test_too_few_texts_are_refused_by_their_label(tmp_path, pairs, said):
    with pytest.raises(InputError, match=said):
        fit_classifier(labelled(*pairs), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_one_fold_leaves_nothing_out(tmp_path):
    with pytest.raises(ConfigurationError, match="folds=1"):
        fit_classifier(labelled(*MANY, *FEW), tmp_path, folds=1)


def test_what_would_be_in_vain_is_said_before_the_texts_are_read(tmp_path, monkeypatch):
    read = []
    examples = labelled(*MANY, *FEW)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        fit_classifier(examples, tmp_path / "file", report=lambda *done: read.append(done))
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    with pytest.raises(MissingExtraError, match=r"SciPy.*twosup-chain\[fit\]"):
        fit_classifier(examples, tmp_path / "out", report=lambda *done: read.append(done))
    assert not read
