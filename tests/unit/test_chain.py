"""What a `TwoSupervisorChain` does beyond the contract test: inputs, policies, foreign parts, and construction."""

from __future__ import annotations

import asyncio
import math
import pickle

import pytest
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import RunnableLambda, RunnablePassthrough

from twosup_chain import Answer, QAInput, Supervisor, TwoSupervisorChain, Verdict
from twosup_chain.errors import (
    ConfigurationError,
    EmptyAnswerError,
    InputError,
    MissingEvidenceError,
    NoTrustedAnswerError,
    NotTextError,
    ScoreRangeError,
    TwosupError,
    UnknownOptionError,
)

ANSWERABLE = Supervisor("answerability", threshold=0.6)
ANYTHING = Supervisor(lambda question, answer: 1.0, threshold=0.5)
NOTHING = Supervisor(lambda question, answer: 0.0, threshold=0.5)


def chain(local="a", local_supervisor=NOTHING, remote="b", remote_supervisor=ANYTHING, **options):
    def part(reply):
        return reply if callable(reply) or isinstance(reply, RunnableLambda) else lambda question: reply

    return TwoSupervisorChain(
        local=part(local),
        local_supervisor=local_supervisor,
        remote=part(remote),
        remote_supervisor=remote_supervisor,
        **options,
    )


# -- inputs


@pytest.mark.parametrize(
    "value",
    [
        {"question": "Who?", "context": "Ada wrote it."},
        {"question": "Who?", "context": ["Ada wrote it."]},
        {"question": "Who?", "context": ("Ada wrote it.",)},
        {"question": "Who?", "context": [Document(page_content="Ada wrote it.")]},
        {"question": "Who?", "context": Document(page_content="Ada wrote it.")},
        QAInput(question="Who?", context="Ada wrote it."),
    ],
)
def test_every_form_of_context_reaches_a_function_as_the_same_passages(value) -> None:
    seen = []
    chain(local=seen.append).invoke(value)
    assert seen[0].passages == ("Ada wrote it.",)
    assert seen[0]["question"] == seen[0].question == "Who?"


def test_a_bare_question_has_no_context() -> None:
    seen = []
    chain(local=seen.append).invoke("Who?")
    assert seen == [QAInput(question="Who?")]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "question='' is blank"),
        ("  \n", "is blank"),
        (7, "the input 7 is a int"),
        (None, "the input None"),
        ({"question": "q", "contxt": "c"}, "Did you mean 'context'"),
        ({"context": "c"}, "'question' is missing"),
        ({"question": ["q"]}, "question=['q'] is a list"),
        ({"question": "q", "context": 7}, "context=7 is a int"),
        ({"question": "q", "context": ["c", None]}, "context[1]=None"),
    ],
)
def test_a_bad_input_is_named_with_its_value_and_the_cure(value, said) -> None:
    with pytest.raises(InputError) as caught:
        chain().invoke(value)
    assert said in str(caught.value)


def test_lone_surrogates_are_replaced_one_for_one() -> None:
    seen = []
    chain(local=seen.append).invoke({"question": "a\ud800b", "context": ["\udfffx"]})
    assert (seen[0].question, seen[0].passages) == ("a\ufffdb", ("\ufffdx",))


# -- foreign parts


def test_a_prompt_and_a_model_piped_together_can_answer() -> None:
    model = GenericFakeChatModel(
        messages=iter([AIMessage("Ada", usage_metadata=dict(zip(USAGE, (3, 1, 4), strict=True)))])
    )
    remote = ChatPromptTemplate.from_template("{question} {context}") | model
    result = TwoSupervisorChain(
        local=lambda question: None, local_supervisor=NOTHING, remote=remote, remote_supervisor=ANYTHING
    ).invoke({"question": "Who?", "context": "Ada"})
    assert (result.answer, result.usage["total_tokens"]) == ("Ada", 4)


USAGE = ("input_tokens", "output_tokens", "total_tokens")


@pytest.mark.parametrize(
    ("reply", "text"),
    [
        (Answer("x"), "x"),
        ("x", "x"),
        (None, None),
        (AIMessage("x"), "x"),
        ({"text": "x", "model": "m"}, "x"),
        ({"text": None}, None),
    ],
)
def test_an_answerer_may_return_any_of_the_documented_kinds(reply, text) -> None:
    assert chain(local=lambda question: reply, local_supervisor=ANYTHING).invoke("q").answer == text


@pytest.mark.parametrize("reply", [7, ["x"], {"answer": "x"}, {"text": 7}, object()])
def test_a_reply_that_is_no_answer_is_a_failure_of_the_remote(reply) -> None:
    with pytest.raises(NotTextError):
        chain(remote=lambda question: reply).invoke("q")
    result = chain(remote=lambda question: reply, on_remote_error="no_answer").invoke("q")
    assert (result.status, result.source) == ("untrusted", "none")
    assert "NotTextError" in result.error


def test_another_chain_can_be_the_fallback() -> None:
    inner = chain(local="c", local_supervisor=ANYTHING)
    result = chain(remote_supervisor=NOTHING, fallback=inner).invoke({"question": "q", "context": "c"})
    assert (result.answer, result.source, result.status) == ("c", "fallback", "answered")


@pytest.mark.parametrize("place", ["local", "remote", "fallback"])
def test_another_chain_that_trusts_nobody_is_never_taken_for_a_trusted_no_answer(place) -> None:
    inner = chain(remote_supervisor=NOTHING)
    options = {"remote_supervisor": NOTHING} if place == "fallback" else {}
    outer = chain(**{"local_supervisor": ANYTHING if place == "local" else NOTHING, place: inner} | options)
    if place == "remote":
        with pytest.raises(EmptyAnswerError, match="trusts nobody"):
            outer.invoke("q")
        outer = outer.model_copy(update={"on_remote_error": "no_answer"})
    result = outer.invoke("q")
    assert (result.source, result.status) == (("remote", "answered") if place == "local" else ("none", "untrusted"))
    assert "trusts nobody" in result.reason


def test_an_empty_fallback_is_no_answer() -> None:
    result = chain(remote_supervisor=NOTHING, fallback=lambda given: " ").invoke("q")
    assert (result.answer, result.status) == (None, "untrusted")


def test_a_fallback_is_given_question_context_and_result() -> None:
    seen = []
    documents = [Document(page_content="c", metadata={"page": 3})]
    chain(remote_supervisor=NOTHING, fallback=seen.append).invoke({"question": "q", "context": documents})
    assert set(seen[0]) == {"question", "context", "result"}
    assert seen[0]["context"] == documents
    assert (seen[0]["result"].status, seen[0]["result"].remote.text) == ("untrusted", "b")


def test_an_async_function_can_answer() -> None:
    async def local(question):
        await asyncio.sleep(0)
        return "x"

    assert asyncio.run(chain(local=local, local_supervisor=ANYTHING).ainvoke("q")).answer == "x"


# -- policies


@pytest.mark.parametrize("empty", ["", "  ", "\n\t"])
def test_an_empty_local_answer_is_never_a_success_and_escalates(empty) -> None:
    result = chain(local=empty, local_supervisor=ANYTHING).invoke("q")
    assert (result.answer, result.source, result.local, result.local_verdict) == ("b", "remote", None, None)
    assert "empty" in result.reason


@pytest.mark.parametrize("empty", ["", "  ", "\n\t"])
def test_an_empty_remote_answer_is_a_failure_whatever_its_supervisor_would_say(empty) -> None:
    with pytest.raises(EmptyAnswerError) as caught:
        chain(remote=empty).invoke("q")
    assert "on_remote_error" in caught.value.__notes__[0]
    assert chain(remote=empty, on_remote_error="local").invoke("q").answer == "a"


def test_missing_evidence_is_a_failure_of_the_supervisor() -> None:
    supervisor = Supervisor("min_token_probability", threshold=0.5)
    result = chain(remote_supervisor=supervisor).invoke("q")
    assert (result.status, result.remote) == ("untrusted", Answer("b"))
    assert "logprobs=True" in result.error
    with pytest.raises(MissingEvidenceError, match="logprobs=True"):
        chain(remote_supervisor=supervisor, on_supervisor_error="raise").invoke("q")


def test_missing_evidence_may_have_a_stated_score_instead() -> None:
    supervisor = Supervisor("min_token_probability", threshold=0.5, missing=0.0)
    assert chain(remote_supervisor=supervisor).invoke("q").remote_verdict.score == 0.0


@pytest.mark.parametrize("score", [1.7, -0.1, math.nan, math.inf, "high", None])
@pytest.mark.parametrize("place", ["local_supervisor", "remote_supervisor"])
def test_a_scorer_outside_0_to_1_is_never_trusted(score, place) -> None:
    def broken(question, answer):
        return score

    broken_chain = chain(**{place: Supervisor(broken, threshold=0.5)})
    result = broken_chain.invoke("q")
    assert result.answer == ("b" if place == "local_supervisor" else None)
    assert "'broken' returned" in result.reason
    with pytest.raises(ScoreRangeError, match="'broken' returned"):
        broken_chain.model_copy(update={"on_supervisor_error": "raise"}).invoke("q")


@pytest.mark.parametrize("error", [ConfigurationError("no such model"), ImportError("no such package")])
def test_a_remote_that_is_set_up_wrongly_is_an_error_that_no_policy_hides(error) -> None:
    def remote(question):
        raise error

    with pytest.raises(type(error)):
        chain(remote=remote, on_remote_error="local").invoke("q")


@pytest.mark.parametrize("place", ["local", "remote", "fallback"])
def test_a_part_that_raises_stop_iteration_does_not_end_the_decision(place) -> None:
    def stops(question):
        raise StopIteration

    options = {"remote_supervisor": NOTHING} if place == "fallback" else {"on_remote_error": "no_answer"}
    result = chain(**{place: stops}, **options).invoke("q")
    assert result.answer == ("b" if place == "local" else None)
    assert "StopIteration" in result.reason


def test_without_a_remote_the_chain_abstains() -> None:
    local_only = TwoSupervisorChain(local=lambda question: "a", local_supervisor=NOTHING)
    result = local_only.invoke("q")
    assert (result.answer, result.status, result.source) == (None, "untrusted", "none")
    assert result.reason.endswith("there is no remote")
    assert result.local.text == "a"


def test_raise_ends_in_an_error_that_carries_the_result() -> None:
    with pytest.raises(NoTrustedAnswerError) as caught:
        chain(remote_supervisor=NOTHING, fallback="raise").invoke("q")
    assert caught.value.result.remote.text == "b"
    assert str(caught.value) == caught.value.result.reason


def test_raise_for_status_passes_answers_and_trusted_no_answers() -> None:
    trusted = chain(local=None, local_supervisor=ANYTHING).invoke("q")
    assert trusted.raise_for_status() is trusted
    with pytest.raises(NoTrustedAnswerError):
        chain(remote_supervisor=NOTHING).invoke("q").raise_for_status()


def test_what_a_reply_that_is_no_answer_cost_is_counted() -> None:
    def refuses(question):
        raise NotTextError("a picture", usage=dict(zip(USAGE, (7, 2, 9), strict=True)))

    assert chain(remote=refuses, on_remote_error="no_answer").invoke("q").usage["total_tokens"] == 9
    assert chain(local=refuses).invoke("q").usage["total_tokens"] == 9


def test_the_reason_says_it_in_words() -> None:
    result = chain(local=Answer("a", scores={"answerability": 0.25}), local_supervisor=ANSWERABLE).invoke("q")
    assert result.reason == (
        "local answer not trusted (answerability 0.250 < 0.600); remote answer trusted (<lambda> 1.000 ≥ 0.500)"
    )


# -- in pipelines


def test_as_text_gives_the_answer_or_says_that_there_is_none() -> None:
    pipeline = {"question": RunnablePassthrough(), "context": lambda question: ["c"]} | chain().as_text()
    assert pipeline.invoke("q") == "b"
    silent = chain(remote_supervisor=NOTHING).as_text(no_answer="I cannot tell.")
    assert silent.invoke("q") == "I cannot tell."
    assert "".join(silent.stream("q")) == "I cannot tell."
    assert silent.batch(["q", "r"]) == ["I cannot tell."] * 2
    with pytest.raises(ConfigurationError, match="blank"):
        chain().as_text(no_answer=" ")


def test_the_result_is_json_and_back() -> None:
    result = chain().invoke({"question": "q", "context": "c"})
    assert type(result).model_validate_json(result.model_dump_json()) == result
    assert pickle.loads(pickle.dumps(result)) == result  # noqa: S301


def test_schemas_name_the_fields() -> None:
    assert "question" in str(chain().get_input_jsonschema())
    assert {"answer", "status", "source"} <= set(chain().get_output_jsonschema()["properties"])


# -- construction


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"remote_supervisor": None}, "threshold=0.0 accepts every hosted answer"),
        ({"remote": None}, "remote_supervisor is given without remote"),
        ({"local": 7}, "local=7 cannot answer"),
        ({"remote": 7}, "remote=7 cannot answer"),
        ({"fallback": 7}, "fallback=7 cannot answer"),
        ({"local_supervisor": lambda question: 1.0}, "is no supervisor"),
        ({"on_remote_error": "ignore"}, "on_remote_error='ignore'"),
        ({"on_remote_error": "fallback"}, "needs a fallback"),
    ],
)
def test_a_wrong_part_is_refused_with_the_cure(options, said) -> None:
    good = {
        "local": lambda question: "a",
        "local_supervisor": NOTHING,
        "remote": lambda question: "b",
        "remote_supervisor": ANYTHING,
    }
    with pytest.raises(ConfigurationError) as caught:
        TwoSupervisorChain(**{**good, **options})
    assert said in str(caught.value)
    assert isinstance(caught.value, (TwosupError, ValueError))


def test_a_misspelt_option_lists_the_good_ones() -> None:
    with pytest.raises(UnknownOptionError, match=r"'treshold'.*Did you mean 'threshold'.*scorer"):
        Supervisor("answerability", treshold=0.4)
    with pytest.raises(UnknownOptionError, match=r"'on_error'.*on_remote_error"):
        chain(on_error="local")


def test_a_supervisor_must_return_a_verdict() -> None:
    with pytest.raises(ConfigurationError, match="must return a Verdict"):
        chain(local_supervisor=RunnableLambda(lambda evidence: True)).invoke("q")
    verdict = Verdict(score=1.0, threshold=0.5, trusted=True, scorer="mine")
    assert chain(local_supervisor=RunnableLambda(lambda evidence: verdict)).invoke("q").answer == "a"
