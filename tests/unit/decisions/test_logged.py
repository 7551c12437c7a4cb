"""What a decision model decides goes to the log, each question by itself, and labels are compared as labels."""

from __future__ import annotations

from uuid import uuid4

import pytest

decisions = pytest.importorskip("langchain_core.decisions", reason="needs langchain-core 1.8 or later")

from twosup_chain import Answer, Supervisor  # noqa: E402
from twosup_chain.decisions.model import TwoSupervisorDecisionModel  # noqa: E402
from twosup_chain.service.callback import DecisionCallback  # noqa: E402
from twosup_chain.service.feedback import Feedback  # noqa: E402
from twosup_chain.service.log import DecisionLog  # noqa: E402


def test_each_question_of_a_request_is_a_decision_of_the_log_and_its_label_may_be_told_later(tmp_path) -> None:
    judge = Supervisor("max_softmax", threshold=0.8)
    model = TwoSupervisorDecisionModel(
        local=lambda asked: Answer("C", probabilities={"C": 0.6 if asked.id == "language" else 0.9, "C++": 0.1}),
        local_supervisor=judge,
        remote=lambda asked: Answer("C++", probabilities={"C": 0.1, "C++": 0.9}),
        remote_supervisor=judge,
    )
    language = decisions.Choice(instructions="Which language?", criteria={"C": None, "C++": None})
    request = {"state": "std::vector v;", "questions": {"language": language, "other": language}}
    log, run_id = DecisionLog(tmp_path / "decisions.db"), uuid4()
    model.invoke(request, {"callbacks": [DecisionCallback(log, text=True)], "run_id": run_id})
    found = {decision.id: decision for decision in log.decisions()}
    assert set(found) == {f"{run_id}:language", f"{run_id}:other"}
    language, other = found[f"{run_id}:language"], found[f"{run_id}:other"]
    assert (language.source, other.source) == ("remote", "local")
    assert language.agree is False  # to SQuAD's rule, C++ is C
    assert language.text.context == ("std::vector v;",)
    said = Feedback(decision=language.id, answer="C++")
    assert (said.right_of(language, "remote"), said.right_of(language, "local")) == (True, False)
