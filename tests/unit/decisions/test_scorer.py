"""Decision models as supervisors of answers: what they are asked, the score, and the evidence for learned ones."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

decisions = pytest.importorskip("langchain_core.decisions", reason="needs langchain-core 1.8 or later")

from langchain_core.callbacks import BaseCallbackHandler  # noqa: E402

from twosup_chain import Answer, ExtractiveReader, QAInput, Supervisor, TwoSupervisorChain  # noqa: E402
from twosup_chain.decisions.scorer import DecisionScorer, SupportChecked  # noqa: E402
from twosup_chain.decisions.support import SupportModel, support_request  # noqa: E402
from twosup_chain.errors import ConfigurationError, InputError, MissingEvidenceError  # noqa: E402
from twosup_chain.scoring.features import features  # noqa: E402

ASKED = QAInput(question="Who designed the hall?", context="Maud Ferris designed the hall. Otto Wagner paid for it.")
USAGE = {"input_tokens": 7, "output_tokens": 1, "total_tokens": 8}


class Judge(decisions.BaseDecisionModel):
    """Says how probable each option is, in their order; or only which it chooses."""

    model: str = "judge"
    shares: Any = (0.7, 0.1, 0.2)
    seen: list[Any] = []  # noqa: RUF012

    @property
    def _provider(self) -> str:
        return "test"

    def _classify(self, state, questions):
        self.seen.append((state, questions))
        if isinstance(self.shares, Exception):
            raise self.shares
        (name,) = questions
        labels = [*questions[name].criteria]
        found = dict(zip(labels, self.shares, strict=True)) if isinstance(self.shares, tuple) else {}
        choice = max(found, key=found.get) if found else labels[self.shares]
        answer = decisions.ChoiceAnswer(type="choice", choice=choice, probabilities=found, confidence=0.5)
        return decisions.ClassifierResponse(model="judge", answers={name: answer}, usage=USAGE)


def test_the_model_is_asked_whether_the_passage_supports_the_answer_and_the_third_option_is_named() -> None:
    judge = Judge(seen=[])
    verdict = Supervisor(DecisionScorer(judge, unsure="cannot tell"), threshold=0.7).judge(ASKED, Answer("Maud Ferris"))
    assert (verdict.score, verdict.trusted, verdict.scorer) == (0.7, True, "decision_support")
    ((state, questions),) = judge.seen
    assert state == {"question": ASKED.question, "passage": ASKED.context, "answer": "Maud Ferris"}
    assert [*questions["support"].criteria] == ["supported", "contradicted", "cannot tell"]
    Supervisor(DecisionScorer(judge), threshold=0.5).judge(ASKED, Answer(None))
    assert judge.seen[-1][0]["answer"] is None


@pytest.mark.parametrize(("choice", "score"), [(0, 1.0), (1, 0.0), (2, 0.5)])
def test_a_bare_choice_counts_as_one_half_where_it_is_unsure(choice, score) -> None:
    assert DecisionScorer(Judge(shares=choice))(ASKED, Answer("x")) == score


def test_without_a_context_the_evidence_is_missing_and_no_other_runnable_is_taken() -> None:
    with pytest.raises(MissingEvidenceError, match="context"):
        DecisionScorer(Judge())(QAInput("Who?"), Answer("x"))
    with pytest.raises(ConfigurationError, match="no decision model"):
        DecisionScorer(ExtractiveReader())


def test_in_a_chain_its_run_stands_below_that_of_the_supervisor() -> None:
    class Trace(BaseCallbackHandler):
        def __init__(self) -> None:
            self.runs: dict[Any, Any] = {}

        def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, **kwargs):
            self.runs[run_id] = (kwargs.get("name"), parent_run_id)

    trace = Trace()
    chain = TwoSupervisorChain(
        local=lambda _: Answer("Maud Ferris"), local_supervisor=Supervisor(DecisionScorer(Judge()), threshold=0.5)
    )
    asyncio.run(chain.ainvoke(ASKED, {"callbacks": [trace]}))
    (parent,) = (parent for name, parent in trace.runs.values() if name == "Judge")
    assert trace.runs[parent][0] == "local_supervisor"


def test_the_score_is_a_feature_of_learned_scorers_and_its_cost_is_counted() -> None:
    spent = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
    checked = SupportChecked(lambda _: Answer("Maud Ferris", usage=spent), Judge())
    for answer in (checked.invoke(ASKED), asyncio.run(checked.ainvoke(ASKED))):
        assert answer.usage == {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13}
        assert features(ASKED, answer)["supported"] == answer.scores["supported"] == 0.7


def test_an_answer_that_is_paid_for_survives_the_failure_of_what_checks_it() -> None:
    checked = SupportChecked(lambda _: Answer("Maud Ferris"), Judge(shares=TimeoutError("slow")))
    assert checked.invoke(ASKED) == Answer("Maud Ferris")
    assert SupportChecked(lambda _: Answer("x"), Judge()).invoke("Who?") == Answer("x")


def test_a_reader_answers_again_and_compares() -> None:
    model = SupportModel.of_reader(ExtractiveReader())
    scorer = DecisionScorer(model)
    right, wrong, none = (scorer(ASKED, Answer(text)) for text in ("Maud Ferris", "Otto Wagner", None))
    assert right > 0.5 > max(wrong, none)
    found = model.invoke(support_request(ASKED, Answer("Otto Wagner"))).choices["support"]
    assert found.choice == "contradicted"
    assert sum(found.probabilities.values()) == pytest.approx(1.0)
    unsaid = QAInput(question="What did the dinner cost?", context=ASKED.context)
    assert model.invoke(support_request(unsaid, Answer("Maud Ferris"))).choices["support"].choice == "not enough"
    assert scorer(unsaid, Answer(None)) > 0.5


def test_a_cross_encoder_stands_behind_the_same_interface() -> None:
    asked: list[Any] = []

    class Encoder:
        config = SimpleNamespace(id2label={0: "contradiction", 1: "entailment", 2: "neutral"})

        def predict(self, pairs):
            asked.extend(pairs)
            return np.array([[0.0, 2.0, 1.0]])

    score = DecisionScorer(SupportModel.of_cross_encoder(Encoder()))(ASKED, Answer("Maud Ferris"))
    assert score == pytest.approx(np.exp(2) / (1 + np.exp(2) + np.exp(1)))
    assert asked == [(ASKED.context, "Who designed the hall? Maud Ferris")]
    one = SimpleNamespace(config=SimpleNamespace(id2label={0: "LABEL_0"}), predict=lambda pairs: np.array([0.8]))
    assert DecisionScorer(SupportModel.of_cross_encoder(one))(ASKED, Answer("x")) == pytest.approx(0.8)
    odd = SimpleNamespace(config=SimpleNamespace(id2label={0: "yes", 1: "no"}))
    with pytest.raises(ConfigurationError, match="entailment"):
        SupportModel.of_cross_encoder(odd)


def test_a_state_without_the_three_parts_or_another_question_is_refused_by_name() -> None:
    model = SupportModel(judge=lambda *_: (1.0, 0.0, 0.0))
    request = support_request(ASKED, Answer("x"))
    with pytest.raises(InputError, match="question, passage and answer"):
        model.invoke({**request, "state": "text"})
    with pytest.raises(InputError, match="three options"):
        model.invoke({**request, "questions": {"q": decisions.Noul(instructions="?")}})
