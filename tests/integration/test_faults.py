"""Every fault of a hosted model in every call style: the right answer, a typed no-answer, nothing lost, no hang."""

from __future__ import annotations

import asyncio
import json
import time
from functools import cache

import pytest
from faults.catalogue import ANSWER, ENDLESS, FAULTS, WITHOUT_LOGPROBS
from langchain_core.language_models import FakeListChatModel

from twosup_chain import Answer, QAInput, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel, collect
from twosup_chain.records.lines import read_records
from twosup_chain.text.questions import LabelledQuestion

pytest.importorskip("langchain_openai")
pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore")]

QUESTION, PASSAGE = "Who designed it?", "It was designed by Ellen Marsh."
WHO = {"question": QUESTION, "context": PASSAGE}
NO_ANSWER = "No answer was found that can be trusted."
#: No outcome may take longer, in seconds, on a machine that does other things besides.
LONGEST = 20
#: What was read before it turned out to be no answer has been paid for.
PAID = {"empty_content", "blank_content", "null_content", "image_content", "refusal", "content_filter", "tool_call"}
#: In seconds, beyond the client's own timeout, which a trickle defeats.
DEADLINE = {"deadline": 2.0}


def stands(question, answer, *, local=None):
    """Trusts what stands in the passage, and "no answer"."""
    return float(answer.text is None or answer.text in (question.context or ""))


def never(question, answer, *, local=None):
    return 0.0


PARTS = {
    "local_supervisor": Supervisor(never, threshold=1.0),
    "remote_supervisor": Supervisor(stands, threshold=0.5),
    "on_remote_error": "no_answer",
}


@pytest.fixture(scope="module")
def hosted(fault_server):
    """Returns a function that makes the chat model of a fault, once."""

    @cache
    def make(name, streaming=False):
        return fault_server.chat(name, streaming=streaming, max_retries=2 if name == "busy_once" else 0)

    return make


def chain(remote):
    return TwoSupervisorChain(local=lambda question: Answer("Marsh"), remote=remote, **PARTS, **DEADLINE)


def of_events(events):
    (result,) = events
    return result


async def _of_astream(built):
    return of_events([event async for event in built.astream(WHO)])


STYLES = {
    "invoke": lambda built: built.invoke(WHO),
    "ainvoke": lambda built: asyncio.run(built.ainvoke(WHO)),
    "batch": lambda built: built.batch([WHO, {**WHO, "id": "2"}])[-1],
    "abatch": lambda built: asyncio.run(built.abatch([WHO, {**WHO, "id": "2"}]))[-1],
    "stream": lambda built: of_events(list(built.stream(WHO))),
    "astream": lambda built: asyncio.run(_of_astream(built)),
}


@pytest.fixture
def in_time():
    started = time.monotonic()
    yield
    assert time.monotonic() - started < LONGEST


def right_of(name, *, streamed):
    fault = FAULTS[name]
    return (streamed and fault.streamed) or fault.right


def check(name, result, *, streamed=False):
    written = result.model_dump_json()
    assert "sk-secret" not in written + repr(result)
    assert all(isinstance(n, dict) or 0 <= n < 2**63 for n in (result.usage or {}).values())
    match right_of(name, streamed=streamed):
        case "answer":
            assert (result.status, result.source) == ("answered", "remote")
            assert result.answer == ANSWER
        case "unanswerable":
            assert (result.answer, result.status, result.source) == (None, "unanswerable", "remote")
        case "error":
            assert (result.answer, result.status, result.source) == (None, "untrusted", "none")
            assert result.error or result.remote_verdict.trusted is False
    if name in PAID | WITHOUT_LOGPROBS.keys() | {"good", "no_answer"}:
        assert result.usage["total_tokens"] % 42 == 0
        assert result.usage["total_tokens"] > 0


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_chain_ends_rightly_in_every_call_style(hosted, name, style, in_time):
    check(name, STYLES[style](chain(hosted(name))))


@pytest.mark.parametrize("name", FAULTS)
def test_a_chain_ends_rightly_where_the_hosted_model_streams(hosted, name, in_time):
    check(name, chain(hosted(name, streaming=True)).invoke(WHO), streamed=True)


@pytest.fixture
def model(hosted):
    def make(name, streaming):
        local = FakeListChatModel(responses=["Marsh"])
        return TwoSupervisorChatModel(
            local=local, remote=hosted(name, streaming), context=lambda messages: PASSAGE, **PARTS, **DEADLINE
        )

    return make


def check_message(name, message, *, streamed=False):
    decided = message.response_metadata["twosup"]
    assert "sk-secret" not in json.dumps(message.model_dump(mode="json")) + repr(message)
    match right_of(name, streamed=streamed):
        case "answer":
            assert (decided["status"], decided["source"]) == ("answered", "remote")
            assert message.text.rpartition("</think>")[2] == ANSWER
        case "unanswerable":
            assert (decided["status"], decided["source"]) == ("unanswerable", "remote")
        case "error" if name == "tool_call":  # a chat model passes on what calls tools
            assert message.tool_calls
        case "error":
            assert (message.text, decided["status"], decided["source"]) == (NO_ANSWER, "untrusted", "none")


async def _added(chunks):
    whole = None
    async for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


MESSAGES = {
    "invoke": lambda built: built.invoke(QUESTION),
    "ainvoke": lambda built: asyncio.run(built.ainvoke(QUESTION)),
    "stream": lambda built: sum_of(built.stream(QUESTION)),
    "astream": lambda built: asyncio.run(_added(built.astream(QUESTION))),
}


def sum_of(chunks):
    first, *others = chunks
    return sum(others, first)


@pytest.mark.parametrize("style", MESSAGES)
@pytest.mark.parametrize("name", FAULTS)
def test_a_chat_model_ends_rightly_in_every_call_style(model, name, style, in_time):
    streamed = "stream" in style
    check_message(name, MESSAGES[style](model(name, streamed)), streamed=streamed)


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_collected_as_an_answer_or_as_failed(hosted, name, tmp_path, in_time):
    out = tmp_path / "records.jsonl"
    asked = [LabelledQuestion(id="1", question=QUESTION, context=PASSAGE, answers=(ANSWER,))]
    options = {"remote": hosted(name), "out": out, "scorers": ["in_context"], **DEADLINE}
    done = collect(asked, local=lambda question: Answer("Marsh", model="local"), **options)
    assert b"sk-secret" not in out.read_bytes()
    (record,) = read_records(out)
    assert done.failed == int(record.remote.error is not None)
    if FAULTS[name].right == "answer":
        assert record.remote.exact_match == 1.0
    elif FAULTS[name].right == "unanswerable":
        assert (record.remote.text, record.remote.error) == (None, None)
    else:
        assert record.remote.error or record.remote.exact_match == 0.0
    again = collect(asked, local=lambda question: Answer("Marsh", model="local"), **options)
    assert (again.recorded, again.new) == (1, done.failed)


def test_the_question_reaches_the_server(fault_server):
    before = len(fault_server.calls)
    assert chain(fault_server.chat("good")).invoke(QAInput(**WHO)).answer == ANSWER
    assert fault_server.calls[before:] == ["good"]
    assert set(FAULTS) >= ENDLESS
