"""Evaluators for LangSmith and openevals: what counts as an answer, and what is said of a reference that lacks one."""

from math import isnan
from uuid import UUID

import pytest
from langsmith import Client
from langsmith.evaluation import evaluate
from langsmith.schemas import Example

from twosup_chain.errors import InputError
from twosup_chain.evaluation.evaluators import AbstentionTable, abstention, abstention_table, exact_match, f1
from twosup_chain.schema import TwoSupervisorResult

RESULT = TwoSupervisorResult(answer="the Ada Lovelace", status="answered", source="local")
NONE = TwoSupervisorResult(answer=None, status="untrusted", source="none")


@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: {"output": x}, lambda x: {"answer": x, "seconds": 1.0}])
@pytest.mark.parametrize(
    ("answer", "references", "exact", "shared", "cell"),
    [
        (RESULT, {"answers": ["Ada", "Ada Lovelace"]}, 1.0, 1.0, "answered"),
        ("Ada", {"answer": "Ada Lovelace"}, 0.0, 2 / 3, "answered"),
        (NONE, {"answers": []}, 1.0, 1.0, "abstained"),
        (None, {"answer": None}, 1.0, 1.0, "abstained"),
        ("", {"answer": ""}, 1.0, 1.0, "abstained"),
        (NONE, {"answer": "Ada"}, 0.0, 0.0, "missed"),
        ("Ada", {"answers": [], "why": "not there"}, 0.0, 0.0, "invented"),
    ],
)
def test_an_answer_is_judged_however_it_is_wrapped(wrap, answer, references, exact, shared, cell):
    told = {"outputs": wrap(answer), "reference_outputs": references, "inputs": {"question": "Who?"}}
    assert exact_match(**told) == {"key": "exact_match", "score": exact}
    assert f1(**told)["score"] == pytest.approx(shared)
    assert abstention(**told) == {"key": "abstention", "score": float(cell in {"answered", "abstained"}), "value": cell}


@pytest.mark.parametrize("outputs", [{"text": "Ada"}, 3, ["Ada"], {"answer": 3}])
def test_outputs_without_an_answer_are_refused(outputs):
    with pytest.raises(InputError, match=r"outputs=.*: return the chain's result"):
        exact_match(outputs=outputs, reference_outputs={"answers": []})


@pytest.mark.parametrize("references", [{}, None, {"label": "Ada"}, {"answers": [3]}, {"answer": 3}])
def test_references_without_accepted_answers_are_refused(references):
    with pytest.raises(InputError, match=r"reference_outputs=.*: give the accepted 'answers'"):
        f1(outputs="Ada", reference_outputs=references)


def test_the_table_counts_what_should_have_been_answered_and_was():
    none, some = {"answers": []}, {"answers": ["Ada"]}
    table = abstention_table(outputs=["Ben", None, "Ada", NONE, NONE], reference_outputs=[some, some, none, none, none])
    assert table == AbstentionTable(answered=1, missed=1, invented=1, abstained=2)
    assert (table.precision, table.recall) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    empty = abstention_table(outputs=[], reference_outputs=[])
    assert isnan(empty.precision)
    assert isnan(empty.recall)
    with pytest.raises(InputError, match="1 outputs and 0 references"):
        abstention_table(outputs=["Ada"], reference_outputs=[])


def test_langsmith_runs_them_on_a_dataset():
    examples = [
        Example(
            id=UUID(int=n),
            inputs={"question": q},
            outputs={"answers": a},
            dataset_id=UUID(int=9),
        )
        for n, (q, a) in enumerate([("Who?", ["Ada Lovelace"]), ("When?", [])], 1)
    ]
    runs = evaluate(
        lambda inputs: RESULT if inputs["question"] == "Who?" else {"answer": "1815"},
        data=examples,
        evaluators=[exact_match, abstention],
        client=Client(api_url="http://127.0.0.1:9", api_key="none", info={"version": "0"}, auto_batch_tracing=False),
        upload_results=False,
    )
    scores = {
        run["example"].inputs["question"]: {r.key: (r.score, r.value) for r in run["evaluation_results"]["results"]}
        for run in runs
    }
    assert scores == {
        "Who?": {"exact_match": (1.0, None), "abstention": (1.0, "answered")},
        "When?": {"exact_match": (0.0, None), "abstention": (0.0, "invented")},
    }
