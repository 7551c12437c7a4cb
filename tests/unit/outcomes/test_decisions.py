"""The decision on columns is the chain's, question by question."""

from __future__ import annotations

import random
from itertools import product

import numpy as np
import pytest

from twosup_chain import Answer, Calibration, TwoSupervisorChain, collect, fit_scorer
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.errors import InputError
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.outcomes.outcomes import Choice, Outcomes
from twosup_chain.outcomes.predictions import PredictionColumns, weigh
from twosup_chain.records.lines import read_records
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion

QUESTIONS = 150
#: What stands in every passage; the first is right where there is an answer.
SPANS = ("Ada Lovelace", "in London", "1843")
PASSAGE = f"{SPANS[0]} wrote note number {{}} {SPANS[1]}, and it came out in {SPANS[2]}."


def _example(number):
    golds = (SPANS[0],) if number % 3 else ()
    question = f"Who wrote note number {number}?"
    return LabelledQuestion(str(number), question, PASSAGE.format(number), golds, not golds)


EXAMPLES = [_example(number) for number in range(QUESTIONS)]
GOLDS = {example.question: example.answers for example in EXAMPLES}


def _local(question):
    """A reader that is surer where there is an answer, and finds the right span or another one."""
    rng = random.Random(f"local {question.question}")  # noqa: S311 (a drawing, not a secret)
    sure = min(max(rng.gauss(0.7 if GOLDS[question.question] else 0.3, 0.2), 0.01), 0.99)
    text = rng.choice(SPANS)
    start = question.context.find(text)
    span = {"text": text, "start": start, "end": start + len(text), "document": 0, "probability": sure * rng.random()}
    scores = {"answerability": sure, "null_probability": 1 - sure, "span_probability": span["probability"]}
    found = {"text": text, "start": start, "end": span["end"], "document": 0} if rng.random() < 0.7 else {"text": None}
    return Answer(**found, scores=scores, candidates=(span,), model="small")


def _remote(question):
    rng = random.Random(f"remote {question.question}")  # noqa: S311
    if rng.random() < 0.05:
        message = "the server is down"
        raise TimeoutError(message)
    text = rng.choice([SPANS[0], *SPANS, None])
    return Answer(text, token_logprobs=[(text or "none", -3 * rng.random())], model="large")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    collect(EXAMPLES, local=_local, remote=_remote, out=path)
    return path


@pytest.fixture(scope="module")
def scorers(records):
    return [fit_scorer(records, role=role) for role in ("local", "remote")]


def _chain(scorers, thresholds, **options):
    first, second = (
        CalibratedSupervisor(scorer=scorer.name, threshold=threshold)
        for scorer, threshold in zip(scorers, thresholds, strict=True)
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
    by_name = {scorer.name: scorer for scorer in scorers}
    parts = {"local": _local, "remote": _remote, "scorers": by_name, "on_remote_error": "no_answer"}
    return TwoSupervisorChain.from_calibration(made, **parts)


THRESHOLDS = [(0.5, 0.5), (0.7, 0.4), (0.9, 0.2), (1.0, 0.0), (0.0, 1.0), (0.9, 0.9)]


@pytest.mark.parametrize(("early_abstention", "reconcile"), list(product([False, True], repeat=2)))
@pytest.mark.parametrize("thresholds", THRESHOLDS)
def test_a_decision_on_columns_is_the_chains_question_by_question(
    records, scorers, thresholds, early_abstention, reconcile
):
    weighing = {"early_abstention": early_abstention, "reconcile": reconcile}
    columns = read_columns(records, local_scorer=scorers[0], remote_scorer=scorers[1], **weighing)
    decisions = decide(columns.outcomes(), *thresholds)
    measures = columns.local_judged.exact_match, columns.remote_judged.exact_match
    exact_match = decisions.pick(*measures, otherwise=np.where(columns.answerable, 0.0, 1.0))
    results = _chain(scorers, thresholds, **weighing).batch([e.as_input() for e in EXAMPLES])
    live = {example.id: result for example, result in zip(EXAMPLES, results, strict=True)}
    by_digest = sorted((record for record in read_records(records) if not record.failed), key=lambda r: r.digest)
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


def test_every_kind_of_choice_and_ending_is_among_them(records, scorers):
    """Else the test above would say less than it seems to."""
    weighing = {"early_abstention": True, "reconcile": True}
    columns = read_columns(records, local_scorer=scorers[0], remote_scorer=scorers[1], **weighing)
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
    return PredictionColumns(**{**empty, "chosen": np.zeros(n, np.int8), "no_answer": np.zeros(n, bool), **given})


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
