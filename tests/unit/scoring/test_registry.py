"""Scorers by name, by function and of one's own; what a record says, and what there is not."""

from __future__ import annotations

import warnings
from functools import partial

import pytest

from twosup_chain import Answer, QAInput, Supervisor
from twosup_chain.errors import ConfigurationError, UnknownOptionError
from twosup_chain.scoring import registry
from twosup_chain.scoring.comparison import agreement, in_context
from twosup_chain.scoring.learned import UncalibratedWarning
from twosup_chain.scoring.registry import SCORERS, register, resolve
from twosup_chain.scoring.scorer import Scorer
from twosup_chain.scoring.token_probability import highest_quantile, token_probability_quantile


class Own:
    name = "own"
    needs = "context"
    blocking = False

    def __call__(self, question, answer):
        return 0.2

    def highest_score(self, logprobs, remaining):
        return 0.3

    def alternatives(self, question, answer, *, local=None):
        return {"unanswerable": 0.4}


@pytest.mark.parametrize("name", SCORERS)
def test_every_registered_scorer_can_be_given_by_name(name) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UncalibratedWarning)
        assert Supervisor(name, threshold=0.5).scorer_name.partition("@")[0] == name


def test_an_unknown_scorer_lists_the_known_ones() -> None:
    with pytest.raises(UnknownOptionError, match=r"Did you mean 'answerability'.*min_token_probability"):
        Supervisor("answerabillity", threshold=0.5)
    with pytest.raises(ConfigurationError, match="neither a scorer's name"):
        Supervisor(7, threshold=0.5)


def test_a_record_says_what_must_be_known_of_a_scorer():
    assert {name for name, scorer in SCORERS.items() if scorer.reads_local} == {
        "agreement",
        "backed",
        "label_agreement",
        "learned_remote",
    }
    assert {name for name, scorer in SCORERS.items() if scorer.blocking} == {"grounded"}
    assert {name for name, scorer in SCORERS.items() if scorer.bound is not None} == {
        "mean_token_probability",
        "min_token_probability",
        "token_probability_quantile",
    }
    assert {name for name, scorer in SCORERS.items() if not scorer.recorded} == {"learned_local", "learned_remote"}


def test_a_registered_function_is_known_by_itself_and_with_options_bound():
    assert resolve(agreement) is SCORERS["agreement"]
    median = resolve(partial(token_probability_quantile, q=0.5))
    assert (median.name, median.needs, median.blocking) == ("token_probability_quantile", "logprobs", False)
    assert median.bound([-1.0, -2.0, -3.0], 2) == highest_quantile([-1.0, -2.0, -3.0], 2, q=0.5)


def test_a_callable_of_ones_own_describes_itself():
    own = resolve(Own())
    assert (own.name, own.needs, own.blocking, own.reads_local) == ("own", "context", False, False)
    assert own.bound([-1.0], 3) == 0.3
    assert own.alternatives(None, None) == {"unanswerable": 0.4}
    plain = resolve(lambda question, answer, local=None: 0.5)
    assert (plain.name, plain.blocking, plain.reads_local, plain.bound) == ("<lambda>", True, True, None)


def test_a_model_that_a_scorer_holds_is_made_for_each_supervisor():
    first, second = (Supervisor("grounded", threshold=0.5).scorer for _ in range(2))
    assert first.function is not second.function
    assert (first.name, first.blocking, first.make) == ("grounded", True, None)


def test_a_registered_scorer_of_ones_own_is_found_by_name_and_its_name_is_taken(monkeypatch):
    monkeypatch.setattr(registry, "SCORERS", dict(SCORERS))
    own = register(Scorer(name="own", function=lambda question, answer: 0.7))
    assert register(own) is own
    assert Supervisor("own", threshold=0.5).judge(QAInput("Who?"), Answer("Ada")).score == 0.7
    for name in ("own", "agreement"):
        with pytest.raises(ConfigurationError, match=f"'{name}' is registered already"):
            register(Scorer(name=name, function=in_context))


def test_a_scorer_has_one_function_or_makes_one():
    for given in ({}, {"function": in_context, "make": Own}):
        with pytest.raises(ConfigurationError, match="either function=… or make=…"):
            Scorer(name="own", **given)


def test_a_scorer_in_a_file_is_named_by_path_and_name(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "def half(question, answer):\n    return 0.5\n\nclass Third:\n"
        "    def __call__(self, question, answer):\n        return 1 / 3\n"
    )
    for name, score in (("half", 0.5), ("Third", 1 / 3)):
        supervisor = Supervisor(f"{path}:{name}", threshold=0.5)
        assert supervisor.scorer_name == name
        assert supervisor.judge(QAInput("Who?"), Answer("Ada")).score == score
