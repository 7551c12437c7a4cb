"""A whole chain whose hosted model fails in every way that one can: no failure ever becomes an answer."""

from __future__ import annotations

import asyncio

import pytest

from twosup_chain import Answer, Supervisor, TwoSupervisorChain

pytestmark = pytest.mark.integration

WHO = {"question": "Who designed it?", "context": "It was designed by Ellen Marsh."}
NEVER = Supervisor("answerability", threshold=1.0)
ALWAYS = Supervisor("in_context", threshold=0.0)


def chain(remote, remote_supervisor=ALWAYS, **options):
    def local(question):
        return Answer("Marsh", scores={"answerability": 0.4})

    return TwoSupervisorChain(
        local=local, local_supervisor=NEVER, remote=remote, remote_supervisor=remote_supervisor, **options
    )


def outcome(result):
    return result.answer, result.status, result.source


def test_by_default_every_failure_is_raised_with_a_word_on_the_policies(fault_chat, failure) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 (which class is tested with the answerer)
        chain(fault_chat(failure)).invoke(WHO)
    assert any("on_remote_error" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("local", ("Marsh", "answered", "local")),
        ("no_answer", (None, "untrusted", "none")),
        ("fallback", ("from the fallback", "answered", "fallback")),
    ],
)
def test_every_failure_follows_the_policy_and_is_named_in_the_result(fault_chat, failure, policy, expected) -> None:
    built = chain(fault_chat(failure), on_remote_error=policy, fallback=lambda given: "from the fallback")
    for result in (built.invoke(WHO), asyncio.run(built.ainvoke(WHO))):
        assert outcome(result) == expected
        assert result.error
        assert "the remote failed" in result.reason
        assert result.remote is None
        assert result.local.text == "Marsh"
        assert "sk-secret" not in result.model_dump_json()


def test_in_a_batch_a_failing_model_leaves_the_trusted_local_answers_alone(fault_chat, failure) -> None:
    built = TwoSupervisorChain(
        local=lambda question: Answer("Marsh", scores={"answerability": 1.0 if question.id == "easy" else 0.0}),
        local_supervisor=NEVER,
        remote=fault_chat(failure),
        remote_supervisor=ALWAYS,
    )
    easy, hard = built.batch([{**WHO, "id": "easy"}, {**WHO, "id": "hard"}], return_exceptions=True)
    assert outcome(easy) == ("Marsh", "answered", "local")
    assert isinstance(hard, Exception)


def test_without_log_probabilities_an_answer_is_judged_by_other_evidence_or_not_at_all(
    fault_chat, without_logprobs
) -> None:
    remote = fault_chat(without_logprobs)
    assert outcome(chain(remote).invoke(WHO)) == ("Ellen Marsh", "answered", "remote")
    by_tokens = Supervisor("min_token_probability", threshold=0.0)
    result = chain(remote, by_tokens, on_remote_error="no_answer").invoke(WHO)
    assert outcome(result) == (None, "untrusted", "none")
    assert result.error.startswith("MissingEvidenceError")
    assert result.remote.text == "Ellen Marsh"
    assert result.usage["total_tokens"] == 42
    stated = Supervisor("min_token_probability", threshold=0.5, missing=0.0)
    assert chain(remote, stated).invoke(WHO).remote_verdict.trusted is False


def test_what_a_refusal_cost_is_counted(fault_chat) -> None:
    result = chain(fault_chat("refusal"), on_remote_error="no_answer").invoke(WHO)
    assert result.usage["total_tokens"] == 42


def test_a_good_reply_is_trusted_with_its_tokens(fault_chat) -> None:
    by_tokens = Supervisor("min_token_probability", threshold=0.8)
    result = chain(fault_chat("good"), by_tokens).invoke(WHO)
    assert outcome(result) == ("Ellen Marsh", "answered", "remote")
    assert result.remote_verdict.score == pytest.approx(0.8187, abs=1e-3)


async def test_200_calls_at_once_with_a_failing_and_a_good_model(fault_chat) -> None:
    good, bad = chain(fault_chat("good")), chain(fault_chat("rate_limited"), on_remote_error="no_answer")
    results = await asyncio.gather(*((good if i % 2 else bad).ainvoke(WHO) for i in range(200)))
    assert [result.source for result in results] == ["none", "remote"] * 100
