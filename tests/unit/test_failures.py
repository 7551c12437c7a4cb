"""No failure of a part ends a question: the decision goes on, says why, and keeps what was paid for."""

from __future__ import annotations

import asyncio
import re

import pytest

from twosup_chain import Answer, ExtractiveReader, Supervisor, TwoSupervisorChain
from twosup_chain.errors import (
    CalibrationMismatchError,
    ConfigurationError,
    EmptyAnswerError,
    InputError,
    MissingEvidenceError,
    MissingExtraError,
    NoTrustedAnswerError,
)

ALWAYS = Supervisor(lambda question, answer: 1.0, threshold=0.5)
NEVER = Supervisor(lambda question, answer: 0.0, threshold=0.5)
COST = {"input_tokens": 30, "output_tokens": 12, "total_tokens": 42}
ERRORS = [RuntimeError("500"), TimeoutError(), MemoryError("no memory"), KeyError("x"), InputError("too long")]


def hosted(question):
    return Answer("b", usage=COST)


def failing(error):
    def fails(*_, **__):
        raise error

    return fails


def chain(**parts):
    given = {
        "local": lambda question: "a",
        "local_supervisor": NEVER,
        "remote": hosted,
        "remote_supervisor": ALWAYS,
        **parts,
    }
    return TwoSupervisorChain(**given)


def outcomes(built, question="q"):
    """What the call styles come to; they must agree."""

    async def asynchronous():
        streamed = [result async for result in built.astream(question)]
        return [await built.ainvoke(question), *await built.abatch([question]), *streamed]

    results = [
        built.invoke(question),
        *built.batch([question, question]),
        *built.stream(question),
        *asyncio.run(asynchronous()),
    ]
    told = [result.model_dump(exclude={"seconds": True, "local": {"seconds"}}) for result in results]
    assert all(one == told[0] for one in told)
    return results[0]


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_local_error_escalates_and_is_noted(error) -> None:
    result = outcomes(chain(local=failing(error)))
    assert (result.answer, result.source, result.local, result.error) == ("b", "remote", None, None)
    assert result.reason.startswith("the local model could not answer (")
    assert type(error).__name__ in result.reason
    with pytest.raises(type(error)):
        chain(local=failing(error), on_local_error="raise").invoke("q")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("role", ["local", "remote"])
def test_a_supervisor_that_fails_trusts_nothing(role, error) -> None:
    broken = {f"{role}_supervisor": Supervisor(failing(error), threshold=0.5)}
    result = outcomes(chain(**broken))
    expected = ("b", "answered") if role == "local" else (None, "untrusted")
    assert (result.answer, result.status, result.usage) == (*expected, COST)
    assert f"the {role} supervisor could not judge, so that the {role} answer is not trusted (" in result.reason
    assert bool(result.error) == (role == "remote")
    with pytest.raises(type(error)):
        chain(**broken, on_supervisor_error="raise").invoke("q")


@pytest.mark.parametrize("error", ERRORS, ids=repr)
def test_a_fallback_that_fails_has_no_answer_and_the_hosted_call_stays_paid(error) -> None:
    result = outcomes(chain(remote_supervisor=NEVER, fallback=failing(error)))
    assert (result.answer, result.status, result.remote.text, result.usage) == (None, "untrusted", "b", COST)
    assert "the fallback failed (" in result.reason


def test_everything_may_fail_and_every_reason_is_told() -> None:
    down = failing(ConnectionError("down"))
    result = outcomes(chain(local=down, remote=down, fallback=down, on_remote_error="fallback"))
    assert (result.status, result.error) == ("untrusted", "ConnectionError: down")
    assert re.findall(r"(local|remote|fallback)[^(]*\('ConnectionError: down'\)", result.reason) == [
        "local",
        "remote",
        "fallback",
    ]


def test_the_local_answer_that_a_broken_supervisor_cannot_judge_may_still_be_used_as_it_stands() -> None:
    broken = Supervisor(failing(ValueError("no")), threshold=0.5)
    built = chain(local_supervisor=broken, remote=failing(ConnectionError("down")), on_remote_error="local")
    assert built.invoke("q").answer == "a"


@pytest.mark.parametrize("error", [InputError("too long"), TimeoutError()])
def test_where_there_is_nobody_else_to_ask_the_user_sees_the_error(error) -> None:
    with pytest.raises(type(error)):
        TwoSupervisorChain(local=failing(error), local_supervisor=ALWAYS).invoke("q")
    with pytest.raises(type(error)):
        TwoSupervisorChain(local=failing(error), local_supervisor=ALWAYS, fallback="raise").invoke("q")
    helped = TwoSupervisorChain(local=failing(error), local_supervisor=ALWAYS, fallback=lambda given: "c")
    assert outcomes(helped).answer == "c"


def test_an_empty_local_answer_without_a_remote_is_no_answer_or_raised() -> None:
    alone = TwoSupervisorChain(local=lambda question: " ", local_supervisor=ALWAYS)
    assert alone.invoke("q").status == "untrusted"
    with pytest.raises(EmptyAnswerError):
        alone.model_copy(update={"on_local_error": "raise"}).invoke("q")


@pytest.mark.parametrize("place", ["local", "local_supervisor", "remote", "remote_supervisor", "fallback"])
@pytest.mark.parametrize(
    "error",
    [
        ConfigurationError("no such model"),
        CalibrationMismatchError("another model"),
        MissingExtraError("X", "x", "x"),
        ImportError("no such package"),
    ],
    ids=repr,
)
def test_a_chain_that_is_set_up_wrongly_is_an_error_that_no_policy_hides(place, error) -> None:
    broken = failing(error)
    if place.endswith("supervisor"):
        broken = Supervisor(broken, threshold=0.5)
    options = {"remote_supervisor": NEVER} if place == "fallback" else {}
    with pytest.raises(type(error)):
        chain(**{**options, place: broken}, on_remote_error="no_answer").invoke("q")


@pytest.mark.parametrize("place", ["local", "remote", "fallback"])
def test_langgraphs_interrupt_is_no_failure(place) -> None:
    errors = pytest.importorskip("langgraph.errors")
    options = {"remote_supervisor": NEVER} if place == "fallback" else {"on_remote_error": "no_answer"}
    with pytest.raises(errors.GraphInterrupt):
        chain(**{place: failing(errors.GraphInterrupt())}, **options).invoke("q")


def test_what_an_inner_chain_that_raises_has_cost_is_counted() -> None:
    inner = chain(remote_supervisor=NEVER, fallback="raise")
    with pytest.raises(NoTrustedAnswerError) as caught:
        inner.invoke("q")
    assert caught.value.usage == COST
    assert chain(local=inner).invoke("q").usage["total_tokens"] == 2 * COST["total_tokens"]


def test_one_failure_in_a_batch_leaves_the_others_alone() -> None:
    def sometimes(question):
        return failing(TimeoutError())() if question.question == "bad" else "a"

    results = chain(local=sometimes, local_supervisor=ALWAYS).batch(["good", "bad", "good"])
    assert [result.source for result in results] == ["local", "remote", "local"]


def test_a_part_whose_batch_fails_as_a_whole_fails_for_every_question() -> None:
    class Whole(ExtractiveReader):
        def batch(self, inputs, config=None, **_):
            message = "the whole batch"
            raise OSError(message)

        async def abatch(self, inputs, config=None, **_):
            return self.batch(inputs)

    built = chain(local=Whole())
    for results in (built.batch(["q", "r"]), asyncio.run(built.abatch(["q", "r"]))):
        assert [(result.answer, "the whole batch" in result.reason) for result in results] == [("b", True)] * 2


# -- what the packaged reader cannot take


LONG = " ".join(["who"] * 405)


@pytest.mark.parametrize(
    "question",
    [
        {"question": LONG, "context": "Ada wrote it."},
        {"question": "Who?", "context": None},
        "Who wrote it?",
        {"question": f"{LONG}?", "context": ["Ada wrote it.", ""]},
    ],
    ids=["405 tokens", "no context", "a bare question", "405 tokens, two passages"],
)
def test_what_the_reader_cannot_take_is_for_the_remote(question) -> None:
    built = chain(local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.6))
    result = outcomes(built, question)
    assert (result.answer, result.source) == ("b", "remote")
    assert re.match("the local model could not answer .*InputError", result.reason)
    with pytest.raises(InputError):
        TwoSupervisorChain(local=built.local, local_supervisor=ALWAYS).invoke(question)


@pytest.mark.parametrize(
    "question", [{"question": LONG, "context": "Ada wrote it."}, "Who wrote it?"], ids=["405 tokens", "no context"]
)
def test_what_grounded_cannot_read_is_missing_evidence(question) -> None:
    supervisor = Supervisor("grounded", threshold=0.5)
    result = outcomes(chain(remote_supervisor=supervisor), question)
    assert (result.status, result.remote.text, result.usage) == ("untrusted", "b", COST)
    assert result.error.startswith("MissingEvidenceError: grounded")
    with pytest.raises(MissingEvidenceError):
        chain(remote_supervisor=supervisor, on_supervisor_error="raise").invoke(question)
    passed = chain(remote_supervisor=Supervisor("grounded", threshold=0.5, missing=1.0))
    assert passed.invoke(question).answer == "b"
