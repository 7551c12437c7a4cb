"""Collecting from a hosted model that fails in every way, over a real socket: failed is never wrong, no key stays."""

from __future__ import annotations

import pytest

from twosup_chain import Answer, Price, collect
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.records.lines import read_records
from twosup_chain.text.questions import LabelledQuestion

pytestmark = pytest.mark.integration

PASSAGE = "The bridge was opened by Ellen Marsh in 1874."
EXAMPLES = [
    LabelledQuestion(id="has", question="Who opened it?", context=PASSAGE, answers=("Ellen Marsh",)),
    LabelledQuestion(id="has not", question="How long is it?", context=PASSAGE, is_impossible=True),
]
SCORERS = ["in_context", "min_token_probability"]


@pytest.fixture
def run(tmp_path, fault_chat):
    """Returns a function that collects both questions from the named reply and returns the records by id."""

    def run(name, **options):
        out = tmp_path / "records.jsonl"
        local = lambda _: Answer("Ellen Marsh", model="local")  # noqa: E731
        done = collect(EXAMPLES, local=local, remote=fault_chat(name), out=out, scorers=SCORERS, **options)
        assert b"sk-secret" not in out.read_bytes()
        return done, {record.id: record for record in read_records(out)}

    return run


def test_every_failure_of_the_hosted_model_is_recorded_as_failed_and_asked_again_on_demand(run, failure, tmp_path):
    done, records = run(failure)
    assert (done.recorded, done.failed) == (2, 2)
    for record in records.values():
        assert record.remote.error
        assert (record.remote.exact_match, record.remote.f1, record.remote.trust) == (None, None, {})
        assert record.local.exact_match is not None
    again, _ = run("good", retry_failed=True)
    assert (again.new, again.failed) == (2, 0)
    columns = read_columns(tmp_path / "records.jsonl", local_scorer="in_context", remote_scorer="in_context")
    assert (len(columns), columns.provenance.failed) == (2, 0)


def test_an_answer_is_recorded_with_its_probabilities_and_its_cost(run):
    done, records = run("good", price=Price(1.0, 10.0))
    record = records["has"]
    assert (record.remote.text, record.remote.exact_match, record.remote.model) == ("Ellen Marsh", 1.0, "played")
    assert record.remote.logprobs == pytest.approx((-0.01, -0.2))
    assert record.remote.trust["min_token_probability"] == pytest.approx(2.718281828**-0.2)
    assert record.local.trust["min_token_probability"] is None
    assert records["has not"].remote.exact_match == 0.0
    assert done.cost == pytest.approx(2 * 60e-6)


def test_a_no_answer_is_a_prediction_like_any_other(run):
    _, records = run("no_answer")
    assert [records[id_].remote.no_answer for id_ in ("has", "has not")] == [True, True]
    assert [records[id_].remote.exact_match for id_ in ("has", "has not")] == [0.0, 1.0]
