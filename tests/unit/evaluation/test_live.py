"""The figures of an evaluation are what counting the live chain's results on the same questions gives."""

from __future__ import annotations

from collections import Counter
from itertools import product

import pytest
from endings import ENDINGS

from twosup_chain import TwoSupervisorChain, calibrate, evaluate
from twosup_chain.errors import ConfigurationError
from twosup_chain.supervisor import Supervisor
from twosup_chain.text import squad


@pytest.fixture
def named(notes):
    return {f"{role}_scorer": scorer for role, scorer in notes.scorers.items()}


@pytest.fixture
def supervisors(notes):
    return lambda threshold: {
        f"{role}_supervisor": Supervisor(scorer, threshold=threshold) for role, scorer in notes.scorers.items()
    }


@pytest.mark.parametrize(("early_abstention", "reconcile"), list(product([False, True], repeat=2)))
def test_figures_are_what_the_live_chain_gives(notes, named, early_abstention, reconcile):
    weighing = {"early_abstention": early_abstention, "reconcile": reconcile}
    calibration = calibrate(notes.records, risk=0.5, **weighing, **named)
    scorers = {scorer.name: scorer for scorer in notes.scorers.values()}
    figures = evaluate(notes.records, calibration=calibration, scorers=scorers, draws=2).figures
    assert (figures.early_abstention, figures.reconcile) == (early_abstention, reconcile)

    chain = TwoSupervisorChain.from_calibration(
        calibration, local=notes.local, remote=notes.remote, scorers=scorers, on_remote_error="no_answer"
    )
    live = list(zip(notes.examples, chain.batch([example.as_input() for example in notes.examples]), strict=True))
    scores = figures.systems.chain
    for measure, function in (("exact_match", squad.exact_match), ("f1", squad.f1)):
        found = [(example.answers, function(result.answer, example.answers)) for example, result in live]
        answerable = [value for golds, value in found if golds]
        assert getattr(scores, measure).value == pytest.approx(sum(value for _, value in found) / len(found))
        assert getattr(scores, f"has_answer_{measure}").value == pytest.approx(sum(answerable) / len(answerable))
    assert scores.f1.value > scores.exact_match.value
    rights = Counter(
        ENDINGS[result.source, result.status]
        for example, result in live
        if squad.exact_match(result.answer, example.answers)
    )
    assert {end.ending: end.right for end in figures.endings if end.right} == rights
    assert figures.savings.calls.chain == sum(not result.local_verdict.trusted for _, result in live) > 0
    asked = [result.remote.usage for _, result in live if result.remote is not None]
    for kind in ("input_tokens", "output_tokens"):
        assert getattr(figures.savings, kind).chain == sum(usage[kind] for usage in asked)


def test_what_is_weighed_has_an_ending_of_its_own_and_words_on_the_page(notes, supervisors, parse, monkeypatch):
    monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))
    weighed = evaluate(notes.records, **supervisors(0.5), early_abstention=True, reconcile=True, draws=2)
    plain = evaluate(notes.records, **supervisors(0.5), draws=2)
    assert [end.ending for end in plain.figures.endings if end.ending == "weighed_no_answer"] == []
    assert [end.questions > 0 for end in weighed.figures.endings if end.ending == "weighed_no_answer"] == [True]
    text = parse(weighed.as_html()).text
    for words in ("no answer by weighing", "takes the place of a local answer", "the likeliest of its prediction"):
        assert words in text
        assert words not in parse(plain.as_html()).text


def test_a_mistake_shows_what_was_chosen_not_what_was_made(notes, supervisors):
    report = evaluate(notes.records, **supervisors(0.0), early_abstention=True, examples=1000, draws=2)
    (trusted,) = [kind for kind in report.mistakes if (kind.role, kind.kind) == ("local", "trusted_wrong")]
    made = {example.id: notes.local(example.as_input()) for example in notes.examples}
    shown = {mistake.id: mistake for mistake in trusted.examples}
    replaced = {key for key, mistake in shown.items() if mistake.no_answer and made[key].text is not None}
    assert replaced
    assert all(shown[key].prediction is None for key in replaced)
    assert all(shown[key].prediction == made[key].text for key in shown.keys() - replaced)


def test_a_calibration_says_itself_whether_predictions_are_weighed(notes, named):
    calibration = calibrate(notes.records, risk=0.35, **named)
    with pytest.raises(ConfigurationError, match="leave early_abstention and reconcile out"):
        evaluate(notes.records, calibration=calibration, reconcile=True)
