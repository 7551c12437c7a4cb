"""Early abstention and reconciliation: what outweighs what, and what it is called in the result."""

from __future__ import annotations

import pytest

from twosup_chain import Answer, Candidate, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ConfigurationError

VALUE = {"question": "Who wrote it?", "context": "Ada wrote the notes, and Tom drew the plans."}


class Weighing:
    """A scorer that gives the prediction to judge and the alternatives to it the probabilities of a test."""

    __name__ = "weighing"

    def __init__(self, answer, **others):
        self.answer, self.others = answer, others

    def __call__(self, question, answer, *, local=None):
        return self.answer

    def alternatives(self, question, answer, *, local=None):
        return self.others


def reading(text, answerability):
    """What a reader says whose best span is Ada, with 80 % of what "no answer" leaves."""
    span = 0.8 * answerability
    scores = {"answerability": answerability, "null_probability": 1 - answerability, "span_probability": span}
    return Answer(text, scores=scores, candidates=(Candidate("Ada", 0, 3, 0, span),))


def chain(local, remote, *, first, second, **options):
    calls = []

    def ask(question):
        calls.append(question)
        return Answer(remote)

    made = TwoSupervisorChain(
        local=lambda question: local,
        local_supervisor=Supervisor(first, threshold=0.6),
        remote=ask,
        remote_supervisor=Supervisor(second, threshold=0.6),
        **options,
    )
    return made.invoke(VALUE), len(calls)


NEVER = Weighing(0.0)


@pytest.mark.parametrize(
    ("local", "early", "status", "source", "calls"),
    [
        (reading(None, 0.1), False, "unanswerable", "local", 0),  # the model itself says so, and is trusted
        (reading("Ada", 0.2), False, "answered", "remote", 1),  # a doubtful span alone is asked about
        (reading("Ada", 0.2), True, "unanswerable", "none", 0),  # "no answer" is right with 0.8, the span with 0.16
        (reading("Ada", 0.5), True, "answered", "remote", 1),  # neither is likely enough
        (reading("Ada", 0.9), True, "answered", "local", 0),
        (reading(None, 0.1), True, "unanswerable", "local", 0),
    ],
)
def test_a_confident_no_answer_ends_the_matter_without_a_call(local, early, status, source, calls):
    result, asked = chain(local, "Tom", first="backed", second=Weighing(1.0), early_abstention=early)
    assert (result.status, result.source, asked) == (status, source, calls)
    assert (result.answer is None) == (status == "unanswerable")


def test_early_abstention_tells_both_probabilities():
    result, _ = chain(reading("Ada", 0.2), "Tom", first="backed", second=NEVER, early_abstention=True)
    assert result.local_verdict.chosen == "unanswerable"
    assert result.local_verdict.weighed == pytest.approx({"answer": 0.16, "unanswerable": 0.8})
    assert result.local_verdict.score == pytest.approx(0.8)
    assert result.reason == (
        "'no answer' outweighs the local answer (which has 0.160); 'no answer' trusted (backed 0.800 ≥ 0.600)"
    )


@pytest.mark.parametrize(
    ("local", "remote", "second", "status", "source", "answer"),
    [
        ("Ada", "Tom", Weighing(0.7, local=0.2, unanswerable=0.1), "answered", "remote", "Tom"),
        ("Ada", "Tom", Weighing(0.2, local=0.7, unanswerable=0.1), "answered", "local", "Ada"),
        ("Ada", "Tom", Weighing(0.2, local=0.1, unanswerable=0.7), "unanswerable", "none", None),
        ("Ada", "Tom", Weighing(0.5, local=0.4, unanswerable=0.3), "untrusted", "none", None),
        (None, "Tom", Weighing(0.2, local=0.9, unanswerable=0.7), "unanswerable", "local", None),
        ("Ada", None, Weighing(0.7, local=0.3, unanswerable=0.9), "unanswerable", "remote", None),
        ("Ada", None, Weighing(0.2, local=0.7, unanswerable=0.9), "answered", "local", "Ada"),
        ("Ada", "Tom", Weighing(0.7, local=0.7, unanswerable=0.7), "answered", "remote", "Tom"),
        ("Ada", "Tom", Weighing(0.7), "answered", "remote", "Tom"),
    ],
)
def test_the_likeliest_of_both_answers_and_none_is_taken(local, remote, second, status, source, answer):
    result, asked = chain(Answer(local), remote, first=NEVER, second=second, reconcile=True)
    assert (result.status, result.source, result.answer, asked) == (status, source, answer, 1)
    assert result.remote_verdict.score == max(result.remote_verdict.weighed.values())
    assert result.remote_verdict.trusted == (status != "untrusted")


def test_without_reconcile_nothing_is_weighed():
    result, _ = chain(Answer("Ada"), "Tom", first=NEVER, second=Weighing(0.2, local=0.7))
    assert (result.status, result.remote_verdict.chosen, result.remote_verdict.weighed) == ("untrusted", None, {})


def test_a_scorer_of_single_predictions_weighs_by_scoring_each():
    """The reader's spans back Ada; the hosted Tom stands in none of them."""
    result, _ = chain(reading("Ada", 0.9), "Tom", first=NEVER, second="backed", reconcile=True)
    assert result.remote_verdict.weighed == pytest.approx({"answer": 0.0, "local": 0.72, "unanswerable": 0.1})
    assert (result.source, result.answer) == ("local", "Ada")


def test_what_cannot_be_scored_is_no_alternative():
    def only_tom(question, answer, *, local=None):
        from twosup_chain.errors import MissingEvidenceError

        if answer.text != "Tom":
            raise MissingEvidenceError("nothing to read")
        return 0.7

    result, _ = chain(Answer("Ada"), "Tom", first=NEVER, second=only_tom, reconcile=True)
    assert result.remote_verdict.weighed == {"answer": 0.7}


async def test_every_call_style_weighs_alike():
    made = TwoSupervisorChain(
        local=lambda question: Answer("Ada"),
        local_supervisor=Supervisor(NEVER, threshold=0.6),
        remote=lambda question: Answer("Tom"),
        remote_supervisor=Supervisor(Weighing(0.2, local=0.7), threshold=0.6),
        reconcile=True,
    )
    found = [made.invoke(VALUE), await made.ainvoke(VALUE), *made.batch([VALUE]), *await made.abatch([VALUE])]
    assert {(r.source, r.answer, r.reason) for r in found} == {(found[0].source, "Ada", found[0].reason)}


def test_reconcile_needs_a_remote():
    with pytest.raises(ConfigurationError, match="reconcile=True .* there is no remote"):
        TwoSupervisorChain(
            local=lambda q: "a", local_supervisor=Supervisor("in_context", threshold=0.5), reconcile=True
        )
