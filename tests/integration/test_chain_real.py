"""The whole chain with real parts: SmolLM2 in this process, a real OpenAI-compatible server, the packaged reader."""

from __future__ import annotations

import asyncio
import math

import pytest

from twosup_chain import ExtractiveReader, LlamaCppAnswerer, Supervisor, TwoSupervisorChain

pytestmark = pytest.mark.integration

PASSAGE = "The Alder Street library opened in 1911 and was designed by Maud Ferris. Members may borrow eight books."
WHO = {"question": "Who designed the library?", "context": PASSAGE}
BOOKS = {"question": "How many books may members borrow?", "context": PASSAGE}
FIRE = {"question": "Which insurer paid after the fire of 1932?", "context": PASSAGE}
BY_TOKENS = "min_token_probability"


@pytest.fixture(scope="module")
def smollm2(smollm2_path) -> LlamaCppAnswerer:
    pytest.importorskip("llama_cpp")
    return LlamaCppAnswerer(model_path=smollm2_path, n_ctx=1024, max_tokens=16)


@pytest.fixture(scope="module")
def hosted(llama_server):
    openai = pytest.importorskip("langchain_openai")
    options = {
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": 1,
        "extra_body": {"max_tokens": 16},
        "max_retries": 0,
    }
    return openai.ChatOpenAI(model="remote", base_url=llama_server, api_key="none", **options)


def chain(local, remote, local_threshold, remote_threshold, scorer=BY_TOKENS):
    return TwoSupervisorChain(
        local=local,
        local_supervisor=Supervisor(BY_TOKENS, threshold=local_threshold),
        remote=remote,
        remote_supervisor=Supervisor(scorer, threshold=remote_threshold),
    )


@pytest.mark.parametrize(
    ("local_threshold", "remote_threshold", "source"), [(0.0, 0.0, "local"), (1.0, 0.0, "remote"), (1.0, 1.0, "none")]
)
def test_both_models_are_judged_by_their_own_log_probabilities(
    smollm2, hosted, local_threshold, remote_threshold, source
) -> None:
    result = chain(smollm2, hosted, local_threshold, remote_threshold).invoke(WHO)
    assert result.source == source
    answers = [answer for answer in (result.local, result.remote) if answer is not None]
    assert len(answers) == (1 if source == "local" else 2)
    for answer in answers:
        assert answer.token_logprobs
        assert all(token.logprob <= 0 for token in answer.token_logprobs)
        assert answer.usage["total_tokens"] == answer.usage["input_tokens"] + answer.usage["output_tokens"]
    assert result.usage["total_tokens"] == sum(answer.usage["total_tokens"] for answer in answers)
    assert result.seconds >= sum(answer.seconds for answer in answers)
    least = min(t.logprob for t in result.local.token_logprobs)
    assert result.local_verdict.score >= math.exp(least) * (1 - 1e-9)


def test_a_batch_of_real_calls_equals_single_calls(smollm2, hosted) -> None:
    built = chain(smollm2, hosted, 1.0, 0.0)
    questions = [WHO, BOOKS, FIRE]
    batch = built.batch(questions)
    asynchronous = asyncio.run(built.abatch(questions))
    for question, *results in zip(questions, batch, asynchronous, strict=True):
        alone = built.invoke(question)
        assert [result.local.text for result in results] == [alone.local.text] * 2
        assert [result.remote.text for result in results] == [alone.remote.text] * 2
        # the hosted server reuses what it has read, which moves its arithmetic a little
        assert all(r.local_verdict == alone.local_verdict for r in results)


def test_the_reader_answers_what_stands_in_the_passage_and_keeps_its_place() -> None:
    local_only = TwoSupervisorChain(
        local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.6)
    )
    result = local_only.invoke(WHO)
    assert (result.answer, result.status, result.source) == ("Maud Ferris", "answered", "local")
    assert PASSAGE[result.local.start : result.local.end] == "Maud Ferris"
    refused = local_only.invoke(FIRE)
    assert refused.answer is None
    assert refused.local.candidates


def test_a_grounded_supervisor_lets_a_true_answer_pass_and_stops_an_invention() -> None:
    def judged(text):
        built = TwoSupervisorChain(
            local=lambda question: None,
            local_supervisor=Supervisor(lambda question, answer: 0.0, threshold=0.5),
            remote=lambda question: text,
            remote_supervisor=Supervisor("grounded", threshold=0.3),
        )
        return built.invoke(WHO)

    assert judged("Maud Ferris").source == "remote"
    assert judged("It was Maud Ferris.").remote_verdict.score > judged("Ellen Marsh").remote_verdict.score
    assert judged("Ellen Marsh").status == "untrusted"
    assert judged(None).status == "untrusted"


async def test_grounded_does_not_block_the_event_loop() -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    reader = ExtractiveReader()
    long_context = {"question": WHO["question"], "context": [PASSAGE] * 400}
    built = TwoSupervisorChain(local=reader, local_supervisor=Supervisor("answerability", threshold=0.5))
    ticker = asyncio.create_task(tick())
    await built.ainvoke(long_context)
    ticker.cancel()
    assert ticks > 10
