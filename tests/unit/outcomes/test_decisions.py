"""The decision on columns is the chain's, question by question."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from twosup_chain import Calibration, TwoSupervisorChain
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.outcomes.outcomes import Choice, Outcomes
from twosup_chain.outcomes.predictions import PredictionColumns, weigh
from twosup_chain.records.lines import read_records
from twosup_chain.text import squad


def _read(notes, **weighing):
    return read_columns(
        notes.records, local_scorer=notes.scorers["local"], remote_scorer=notes.scorers["remote"], **weighing
    )


def _chain(notes, thresholds, **options):
    first, second = (
        CalibratedSupervisor(scorer=scorer.name, threshold=threshold)
        for scorer, threshold in zip(notes.scorers.values(), thresholds, strict=True)
    )
    made = Calibration(
        local=first,
        remote=second,
        promises=(),
        confidence=None,
        method="plug-in",
        prefer="cheapest",
        questions=1,
        ordering=0,
        testing=1,
        digest="0" * 16,
        estimates=(),
        **options,
    )
    by_name = {scorer.name: scorer for scorer in notes.scorers.values()}
    parts = {"local": notes.local, "remote": notes.remote, "scorers": by_name, "on_remote_error": "no_answer"}
    return TwoSupervisorChain.from_calibration(made, **parts)


THRESHOLDS = [(0.5, 0.5), (0.7, 0.4), (0.9, 0.2), (1.0, 0.0), (0.0, 1.0), (0.9, 0.9)]


@pytest.mark.parametrize(("early_abstention", "reconcile"), list(product([False, True], repeat=2)))
@pytest.mark.parametrize("thresholds", THRESHOLDS)
def test_a_decision_on_columns_is_the_chains_question_by_question(notes, thresholds, early_abstention, reconcile):
    weighing = {"early_abstention": early_abstention, "reconcile": reconcile}
    columns = _read(notes, **weighing)
    decisions = decide(columns.outcomes(), *thresholds)
    measures = columns.local_judged.exact_match, columns.remote_judged.exact_match
    exact_match = decisions.pick(*measures, otherwise=np.where(columns.answerable, 0.0, 1.0))
    results = _chain(notes, thresholds, **weighing).batch([e.as_input() for e in notes.examples])
    live = {example.id: result for example, result in zip(notes.examples, results, strict=True)}
    by_digest = sorted((record for record in read_records(notes.records) if not record.failed), key=lambda r: r.digest)
    assert len(by_digest) == len(columns)
    for row, record in enumerate(by_digest):  # the order of the columns
        result = live.pop(record.id)
        assert (decisions.status[row], decisions.source[row]) == (result.status, result.source)
        assert decisions.escalated[row] == (result.remote is not None)
        assert exact_match[row] == squad.exact_match(result.answer, record.answers)
        verdict = result.remote_verdict or result.local_verdict
        assert decisions.answered[row] == verdict.trusted
        if verdict.trusted:
            assert Choice(decisions.chosen[row]).name.lower() == (verdict.chosen or "answer")
    assert len(live) == columns.provenance.failed > 0  # a question with a failed call has no columns


def test_every_kind_of_choice_and_ending_is_among_them(notes):
    """Else the test above would say less than it seems to."""
    weighing = {"early_abstention": True, "reconcile": True}
    columns = _read(notes, **weighing)
    outcomes = columns.outcomes()
    decisions = decide(outcomes, 0.7, 0.4)
    assert set(outcomes.local_chosen) == {Choice.ANSWER, Choice.UNANSWERABLE}
    assert set(outcomes.remote_chosen) == set(Choice)
    assert set(decisions.status) == {"answered", "unanswerable", "untrusted"}
    assert set(decisions.source) == {"local", "remote", "none"}


def _predictions(**columns):
    n = len(columns["trust"])
    empty = {name: np.zeros(n) for name in ("exact_match", "f1", "input_tokens", "output_tokens", "seconds")}
    given = {name: np.array(column) for name, column in columns.items()}
    return PredictionColumns(
        **{
            **empty,
            "chosen": np.zeros(n, np.int8),
            "no_answer": np.zeros(n, bool),
            "failed": np.zeros(n, bool),
            **given,
        }
    )


def test_of_equals_the_prediction_that_was_made_is_kept():
    made = _predictions(trust=[0.5, 0.5, 0.5], exact_match=[1.0, 1.0, 1.0])
    local = _predictions(trust=[0.1, 0.1, 0.1], f1=[0.25, 0.25, 0.25])
    others = {"local": np.array([0.5, 0.6, 0.6]), "unanswerable": np.array([0.5, 0.6, 0.7])}
    found = weigh(made, others, local=local, answerable=np.array([True, True, False]))
    assert found.chosen.tolist() == [Choice.ANSWER, Choice.LOCAL, Choice.UNANSWERABLE]
    assert found.trust.tolist() == [0.5, 0.6, 0.7]
    assert found.exact_match.tolist() == [1.0, 0.0, 1.0]
    assert found.f1.tolist() == [0.0, 0.25, 1.0]
    assert found.no_answer.tolist() == [False, False, True]
    assert made.trust.tolist() == [0.5, 0.5, 0.5]


def test_what_is_predicted_already_is_no_alternative():
    made = _predictions(trust=[0.1, 0.1], no_answer=[True, False])
    local = _predictions(trust=[0.9, 0.9], no_answer=[False, True])
    others = {"local": np.array([0.0, 0.9]), "unanswerable": np.array([0.9, 0.0])}
    found = weigh(made, others, local=local, answerable=np.array([True, True]))
    assert found.chosen.tolist() == [Choice.ANSWER, Choice.ANSWER]


def test_plain_outcomes_have_a_source_and_no_status():
    outcomes = Outcomes(
        local_score=np.array([0.9, 0.1, 0.1]),
        remote_score=np.array([0.9, 0.9, 0.1]),
        local_correct=np.array([True, False, False]),
        remote_correct=np.array([False, True, True]),
    )
    decisions = decide(outcomes, 0.5, 0.5)
    assert decisions.source.tolist() == ["local", "remote", "none"]
    assert decisions.right.tolist() == [True, True, False]
    with pytest.raises(InputError, match="do not tell what is predicted"):
        _ = decisions.status
