"""A key that a server echoes leaves nowhere: every artefact of a failed call is searched for it, byte by byte."""

from __future__ import annotations

import asyncio
import json
import logging
import pickle
import traceback

import httpx
import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableLambda
from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.context import collect_runs
from langchain_openai import ChatOpenAI

from twosup_chain import Answer, ChatAnswerer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel, collect
from twosup_chain.answerers.consistency import SelfConsistent
from twosup_chain.testing import ScriptedAnswerer
from twosup_chain.text.questions import LabelledQuestion

KEYS = {
    "openai": "sk-proj-A1b2C3d4E5f6G7h8I9j0",
    "anthropic": "sk-ant-api03-A1b2C3d4-E5f6G7h8I9j0AA",
    "azure": "0123456789abcdef0123456789abcdef",
    "azure, of late": "1A2b3C4d5E6f7G8h9I0j1K2l3M4n5O6pJQQJ99ALACYeBjFXJ3w3AAABACOG1x2y",
    "google": "AIzaSyA1b2C3d4E5f6G7h8I9j0K1l2M3n4O5p6Q",
    "nvidia": "nvapi-A1b2C3d4E5f6G7h8I9j0_K1l2M3n4-O5p6",
    "fireworks": "fw_3ZA1b2C3d4E5f6G7h8I9j0",
    "groq": "gsk_A1b2C3d4E5f6G7h8I9j0",
    "mistral": "Q7wErTyUiOpAsDfGhJkLzXcVbNm12345",
    "of no shape": "correct horse battery staple",
}


def _echo(request: httpx.Request) -> httpx.Response:
    key = request.headers["authorization"].removeprefix("Bearer ")
    said = {"error": {"message": f"No good: {key} ({request.headers['authorization']})", "code": key, "param": [key]}}
    return httpx.Response(401, json=said, headers={"x-echo": key})


def _model(key):
    return ChatOpenAI(
        model="m",
        api_key=key,
        max_retries=0,
        http_client=httpx.Client(transport=httpx.MockTransport(_echo)),
        http_async_client=httpx.AsyncClient(transport=httpx.MockTransport(_echo)),
    )


def _chain(remote, **options):
    return TwoSupervisorChain(
        local=RunnableLambda(lambda _: Answer("Ada", scores={"answerability": 0.1})),
        local_supervisor=Supervisor("answerability", threshold=0.9),
        remote=remote,
        remote_supervisor=Supervisor("grounded", threshold=0.5),
        **options,
    )


class _Trace(BaseTracer):
    """Keeps everything that a trace is told."""

    def __init__(self):
        super().__init__()
        self.seen: list[str] = []

    def _persist_run(self, run):
        self.seen.append(repr(run) + run.model_dump_json())

    def on_llm_error(self, error, **options):
        self.seen += [*_texts(error), repr(options.get("response"))]
        return super().on_llm_error(error, **options)

    def on_chain_error(self, error, **options):
        self.seen += _texts(error)
        return super().on_chain_error(error, **options)


def _texts(error: BaseException) -> list[str]:
    kept = {
        name: value for name, value in vars(error).items() if not isinstance(value, (httpx.Request, httpx.Response))
    }
    return [str(error), repr(error), repr(kept), *traceback.format_exception(error), repr(error.args)]


ASKED = {"question": "Who wrote it?", "context": "Ada wrote it."}

REMOTES = {
    "itself": _model,
    "answerer": lambda key: ChatAnswerer(_model(key)),
    "binding": lambda key: _model(key).bind(stop=["x"]),
    "retried": lambda key: _model(key).with_retry(stop_after_attempt=2, wait_exponential_jitter=False),
    "with fallbacks": lambda key: _model(key).with_fallbacks([_model(key)]),
    "configurable": lambda key: _model(key).configurable_fields(),
    "structured": lambda key: ChatAnswerer(_model(key), stated_confidence=True),
    "consistent": lambda key: SelfConsistent(ChatAnswerer(_model(key)), samples=2),
}


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch):
    for name in ("OPENAI_API_KEY", "LANGSMITH_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("remote", ["itself", "answerer"])
def test_no_key_of_any_provider_leaves(key, remote, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    _search(REMOTES[remote](key), key, tmp_path, caplog)


@pytest.mark.parametrize("remote", REMOTES)
def test_no_key_leaves_whatever_stands_around_the_model(remote, tmp_path, caplog):
    _search(REMOTES[remote](KEYS["of no shape"]), KEYS["of no shape"], tmp_path, caplog)


def test_no_key_leaves_in_a_trace_that_a_function_begins_itself():
    key, traced = KEYS["openai"], []

    def ask(_value):
        with collect_runs() as runs:
            try:
                return _model(key).invoke("Who?")
            finally:
                traced.extend(run.model_dump_json() for run in runs.traced_runs)

    assert _chain(RunnableLambda(ask), on_remote_error="no_answer").invoke(ASKED).error
    assert traced
    assert [text for text in traced if key in text] == []


def _search(remote, key, tmp_path, caplog):
    artefacts: list[str] = [repr(remote), str(remote)]
    traces = []

    def traced():
        traces.extend(_Trace() for _ in range(5))  # several, since their order is LangChain's
        return {"callbacks": traces[-5:]}

    chain = _chain(remote, on_remote_error="no_answer")
    artefacts += [repr(chain), str(chain)]
    results = [
        chain.invoke(ASKED, traced()),
        asyncio.run(chain.ainvoke(ASKED, traced())),
        *chain.batch([ASKED, ASKED], traced()),
        *asyncio.run(chain.abatch([ASKED, ASKED], traced())),
    ]
    for result in results:
        assert result.error
        artefacts += [repr(result), str(result), result.model_dump_json(), pickle.dumps(result).decode("latin-1")]
    raising = _chain(remote)
    for ask in (raising.invoke, lambda *given: asyncio.run(raising.ainvoke(*given))):
        with pytest.raises(Exception) as raised:  # noqa: PT011 - whatever it is
            ask(ASKED, traced())
        artefacts += _texts(raised.value)
    examples = [LabelledQuestion(id="a", question="Who?", context="Ada.", answers=("Ada",))]
    local = ScriptedAnswerer(script={"Who?": Answer("Ada")})
    collect(examples, local=local, remote=remote, out=tmp_path / "r.jsonl", scorers=["agreement"])
    artefacts += [(tmp_path / "r.jsonl").read_text(), caplog.text, *(text for trace in traces for text in trace.seen)]
    assert all(trace.seen for trace in traces)
    assert [text for text in artefacts if key in text or json.dumps(key)[1:-1] in text] == []


@pytest.mark.parametrize("streams", [False, True])
def test_no_key_is_in_the_metadata_of_a_chat_model(streams):
    key = KEYS["of no shape"]
    trace = _Trace()
    model = TwoSupervisorChatModel(
        local=_model(key),
        local_supervisor=Supervisor("answerability", threshold=0.9),
        remote=_model(key),
        remote_supervisor=Supervisor("grounded", threshold=0.5),
        on_remote_error="no_answer",
    )
    asked, config = [HumanMessage("Who?")], {"callbacks": [trace]}
    replies = list(model.stream(asked, config)) if streams else [model.invoke(asked, config)]
    assert not [text for text in (*map(repr, replies), *trace.seen, repr(model)) if key in text]
