"""A supervisor trusts if and only if the score reaches the threshold, and refuses thresholds that nobody can mean."""

from __future__ import annotations

import asyncio
import math
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.runnables import ConfigurableField

from twosup_chain import Answer, QAInput, Supervisor, TwoSupervisorChain
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, ScoreRangeError
from twosup_chain.schema import Evidence

QUESTION = QAInput(question="q", context="c")


@given(score=st.floats(0, 1), threshold=st.floats(0, 1))
def test_trusted_if_and_only_if_the_score_reaches_the_threshold(score, threshold) -> None:
    verdict = Supervisor(lambda question, answer: score, threshold=threshold).judge(QUESTION, Answer("a"))
    assert verdict.trusted == (score >= threshold)
    assert (verdict.score, verdict.threshold) == (score, threshold)


OUTSIDE = [math.nan, math.inf, -0.01, 1.01, 60, True, "high", [0.5], b"x"]
AS_TEXT = ["70", "1.5", "60", "nan", "-0.1", "2", "1e999", ""]


@pytest.mark.parametrize("value", [*OUTSIDE, *AS_TEXT, np.float32(1.5), np.nan, 10**400], ids=repr)
def test_a_threshold_outside_0_to_1_is_refused_whatever_it_is_given_as(value) -> None:
    range_named = r"threshold=.*number in \[0, 1\]"
    with pytest.raises(ConfigurationError, match=range_named):
        Supervisor("answerability", threshold=value)
    with pytest.raises(ConfigurationError, match=r"missing=.*number in \[0, 1\]"):
        Supervisor("answerability", threshold=0.5, missing=value)
    chain = TwoSupervisorChain(
        local=lambda question: Answer("a", scores={"answerability": 0.9}),
        local_supervisor=Supervisor("answerability", threshold=0.5).configurable_fields(
            threshold=ConfigurableField(id="trust")
        ),
    )
    for run in (chain.invoke, lambda *given: asyncio.run(chain.ainvoke(*given)), lambda q, c: chain.batch([q], c)):
        with pytest.raises(ConfigurationError, match=range_named):
            run("q", {"configurable": {"trust": value}})


def test_a_threshold_is_not_none() -> None:
    with pytest.raises(ConfigurationError, match="threshold=None"):
        Supervisor("answerability", threshold=None)


def test_a_percentage_is_told_what_to_write() -> None:
    with pytest.raises(ConfigurationError, match=r"threshold='70'.*for 70 % write 0\.7"):
        Supervisor("answerability", threshold="70")


@pytest.mark.parametrize("value", ["0.7", np.float32(0.7), np.float64(0.7), " .7 ", "7e-1"])
def test_a_number_in_0_to_1_may_be_text_or_numpys(value) -> None:
    supervisor = Supervisor("answerability", threshold=value, missing=value)
    assert (supervisor.threshold, supervisor.missing) == (pytest.approx(0.7), supervisor.threshold)
    assert type(supervisor.threshold) is float


def test_a_threshold_has_no_default() -> None:
    with pytest.raises(ConfigurationError, match="'threshold' is missing"):
        Supervisor("answerability")


def test_a_callable_gets_the_local_answer_only_if_it_takes_it() -> None:
    seen = []
    local = Answer("l")

    def takes_local(question, answer, local=None):
        seen.append(local)
        return 1.0

    def takes_anything(question, answer, **evidence):
        seen.append(evidence["local"])
        return 1.0

    for scorer in (takes_local, takes_anything, lambda question, answer: 1.0):
        Supervisor(scorer, threshold=0.5).judge(QUESTION, Answer("a"), local=local)
    assert seen == [local, local]


def test_the_scorers_name_is_the_registered_one_or_the_callables() -> None:
    class Mine:
        def __call__(self, question, answer):
            return 1.0

    assert Supervisor("answerability", threshold=0.5).scorer_name == "answerability"
    assert Supervisor(Mine(), threshold=0.5).scorer_name == "Mine"


def test_in_a_batch_an_answer_that_cannot_be_judged_fails_alone() -> None:
    evidence = [Evidence(QUESTION, Answer("a", scores={"answerability": 0.7})), Evidence(QUESTION, Answer("a"))]
    supervisor = Supervisor("answerability", threshold=0.5)
    for verdicts in (
        supervisor.batch(evidence, return_exceptions=True),
        asyncio.run(supervisor.abatch(evidence, return_exceptions=True)),
    ):
        assert verdicts[0].trusted
        assert isinstance(verdicts[1], MissingEvidenceError)


def test_a_stated_default_stands_in_for_missing_evidence_only() -> None:
    supervisor = Supervisor("answerability", threshold=0.5, missing=0.9)
    assert supervisor.judge(QUESTION, Answer("a")).score == 0.9
    assert supervisor.judge(QUESTION, Answer("a", scores={"answerability": 0.1})).score == 0.1
    with pytest.raises(ConfigurationError):
        Supervisor("answerability", threshold=0.5, missing=2)
    with pytest.raises(ScoreRangeError):
        Supervisor(lambda question, answer: 1.7, threshold=0.5, missing=0.9).judge(QUESTION, Answer("a"))


def test_a_blocking_scorer_does_not_stop_the_event_loop() -> None:
    import threading

    threads = []

    def scorer(question, answer):
        threads.append(threading.current_thread())
        return 1.0

    asyncio.run(Supervisor(scorer, threshold=0.5).ainvoke(Evidence(QUESTION, Answer("a"))))
    assert threads[0] is not threading.main_thread()


async def test_long_texts_are_compared_off_the_event_loop() -> None:
    threads = []

    def scorer(question, answer, local=None) -> float:
        threads.append(threading.current_thread() is threading.main_thread())
        return 1.0

    scorer.blocking = False
    supervisor = Supervisor(scorer, threshold=0.5)
    for context in ("Ada wrote it.", "Ada wrote it. " * 10_000):
        await supervisor.ainvoke(Evidence(input=QAInput("Who?", context), answer=Answer("Ada")))
    assert threads == [True, False]


@pytest.mark.parametrize(("text", "least"), [("Ada", 0.8), (None, 0.4)])
def test_no_answer_has_a_threshold_of_its_own(text, least) -> None:
    supervisor = Supervisor(lambda question, answer: 0.6, threshold=0.8, no_answer_threshold=0.4)
    verdict = supervisor.judge(QUESTION, Answer(text))
    assert (verdict.threshold, verdict.trusted) == (least, text is None)


def test_a_no_answer_that_outweighs_the_answer_is_held_against_its_own_threshold() -> None:
    evidence = Evidence(input=QUESTION, answer=Answer("Ada", scores={"answerability": 0.3}), weigh="local")
    verdict = Supervisor("answerability", threshold=0.6, no_answer_threshold=0.9).invoke(evidence)
    assert (verdict.chosen, verdict.score, verdict.threshold, verdict.trusted) == ("unanswerable", 0.7, 0.9, False)


def test_the_threshold_of_no_answer_is_a_share() -> None:
    with pytest.raises(ConfigurationError, match=r"no_answer_threshold=.*number in \[0, 1\]"):
        Supervisor("answerability", threshold=0.5, no_answer_threshold=70)
