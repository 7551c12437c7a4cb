"""One table of cases through all six call styles: the same results, the same traces, the same errors."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import ConfigurableField

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorResult
from twosup_chain.testing import ScriptedAnswerer


class RemoteDownError(Exception):
    pass


class FallbackBrokenError(Exception):
    pass


@dataclass(frozen=True)
class Case:
    question: str
    local: Any
    remote: Any = None
    fallback: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    answer: str | None = None
    status: str = "answered"
    source: str = "local"
    raises: type[Exception] | None = None
    children: tuple[str, ...] = ("local", "local_supervisor")


def says(text: str | None, trust: float) -> Answer:
    usage = {"input_tokens": 5, "output_tokens": 1, "total_tokens": 6}
    return Answer(text, scores={"answerability": trust}, usage=usage, seconds=0.25, model="scripted")


ASKED = ("local", "local_supervisor", "remote")
JUDGED = (*ASKED, "remote_supervisor")
CASES = [
    Case("trusted local", says("a", 0.9), answer="a"),
    Case("trusted no-answer", says(None, 0.1), status="unanswerable"),
    Case("escalated", says("a", 0.2), remote=says("b", 0.9), answer="b", source="remote", children=JUDGED),
    Case("remote no-answer", says("a", 0.2), says(None, 0.1), status="unanswerable", source="remote", children=JUDGED),
    Case("rejected", says("a", 0.2), remote=says("b", 0.3), status="untrusted", source="none", children=JUDGED),
    Case("remote down", says("a", 0.2), remote=RemoteDownError("down"), raises=RemoteDownError, children=ASKED),
    Case("remote empty", says("a", 0.2), remote=says(" ", 0.9), raises=Exception, children=ASKED),
    Case(
        "remote down, no answer",
        says("a", 0.2),
        remote=RemoteDownError("down"),
        options={"on_remote_error": "no_answer"},
        status="untrusted",
        source="none",
        children=ASKED,
    ),
    Case(
        "remote down, local",
        says("a", 0.2),
        remote=RemoteDownError("down"),
        options={"on_remote_error": "local"},
        answer="a",
        children=ASKED,
    ),
    Case(
        "remote down, fallback",
        says("a", 0.2),
        remote=RemoteDownError("down"),
        fallback="c",
        options={"on_remote_error": "fallback"},
        answer="c",
        source="fallback",
        children=(*ASKED, "fallback"),
    ),
    Case(
        "fallback", says("a", 0.2), says("b", 0.3), "c", answer="c", source="fallback", children=(*JUDGED, "fallback")
    ),
    Case(
        "fallback without answer",
        says("a", 0.2),
        remote=says("b", 0.3),
        fallback=Answer(None),
        status="untrusted",
        source="none",
        children=(*JUDGED, "fallback"),
    ),
    Case(
        "fallback failing",
        says("a", 0.2),
        remote=says("b", 0.3),
        fallback=FallbackBrokenError("broken"),
        status="untrusted",
        source="none",
        children=(*JUDGED, "fallback"),
    ),
]
STYLES = ["invoke", "ainvoke", "batch", "abatch", "stream", "astream"]
SUPERVISOR = Supervisor("answerability", threshold=0.6)


def build(cases: list[Case], **options: Any) -> tuple[TwoSupervisorChain, dict[str, list[list[str]]]]:
    """A chain whose parts answer as the cases say, and what each part was asked, call by call."""
    calls: dict[str, list[list[str]]] = {"local": [], "remote": [], "fallback": []}
    parts = {
        role: ScriptedAnswerer(script={case.question: getattr(case, role) for case in cases}, calls=calls[role])
        for role in calls
    }
    if all(case.fallback is None for case in cases):
        del parts["fallback"]
    return TwoSupervisorChain(**parts, local_supervisor=SUPERVISOR, remote_supervisor=SUPERVISOR, **options), calls


def call(runnable: Any, style: str, value: Any, config: Any = None) -> Any:
    """Calls a Runnable in one of the six styles and returns its one output."""
    match style:
        case "invoke":
            return runnable.invoke(value, config)
        case "ainvoke":
            return asyncio.run(runnable.ainvoke(value, config))
        case "batch":
            return runnable.batch([value], config)[0]
        case "abatch":
            return asyncio.run(runnable.abatch([value], config))[0]
        case "stream":
            (output,) = runnable.stream(value, config)
            return output
        case "astream":

            async def drain() -> list[Any]:
                return [output async for output in runnable.astream(value, config)]

            (output,) = asyncio.run(drain())
            return output


class Trace(BaseCallbackHandler):
    """Which runs were started, under whom, with which tags, and how they ended."""

    def __init__(self) -> None:
        self.runs: dict[Any, dict[str, Any]] = {}

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, **kwargs):
        told = {key: value for key, value in (kwargs.get("metadata") or {}).items() if key.startswith("twosup_")}
        self.runs[run_id] = {
            "parent": parent_run_id,
            "tags": tags,
            "name": kwargs.get("name"),
            "told": told,
            "end": None,
        }

    def on_chain_end(self, outputs, *, run_id, **kwargs):
        self.runs[run_id]["end"] = "ok"

    def on_chain_error(self, error, *, run_id, **kwargs):
        self.runs[run_id]["end"] = type(error).__name__

    @property
    def roots(self) -> list[Any]:
        return [run_id for run_id, run in self.runs.items() if run["parent"] is None]

    def children(self, root: Any) -> list[dict[str, Any]]:
        return [run for run in self.runs.values() if run["parent"] == root]


def without_time(result: TwoSupervisorResult) -> TwoSupervisorResult:
    return result.model_copy(update={"seconds": 0.0})


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.question)
def test_each_case_ends_the_same_way_in_every_call_style(case: Case, style: str) -> None:
    chain, _ = build([case], **case.options)
    value = {"question": case.question, "context": "c"}
    if case.raises:
        with pytest.raises(case.raises):
            call(chain, style, value)
        return
    result = call(chain, style, value)
    assert (result.answer, result.status, result.source) == (case.answer, case.status, case.source)
    assert without_time(result) == without_time(chain.invoke(value))
    assert result.seconds > 0
    assert result.local == case.local
    if isinstance(case.remote, Answer):
        assert result.remote == case.remote
        assert result.usage == {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.question)
def test_traces_are_nested_under_one_root_and_named_and_tagged_with_the_part(case: Case, style: str) -> None:
    chain, _ = build([case], **case.options)
    trace = Trace()
    config = {"callbacks": [trace], "tags": ["mine"], "run_name": "the chain"}
    try:
        call(chain, style, case.question, config)
    except Exception as error:  # noqa: BLE001
        ended = type(error).__name__
    else:
        ended = "ok"
    (root,) = trace.roots
    assert trace.runs[root]["name"] == "the chain"
    assert trace.runs[root]["tags"] == ["mine"]
    assert trace.runs[root]["end"] == ended
    children = trace.children(root)
    assert tuple(next(tag for tag in run["tags"] if tag != "mine") for run in children) == case.children
    assert tuple(run["name"] for run in children) == case.children
    assert all("mine" in run["tags"] and run["end"] is not None for run in children)
    for run in children:
        judges = {"twosup_scorer": "answerability", "twosup_threshold": SUPERVISOR.threshold}
        assert run["told"] == {"twosup_part": run["name"], **(judges if "supervisor" in run["name"] else {})}
    assert trace.runs[root]["told"] == {}
    assert len(trace.runs) == 1 + len(children)


@pytest.mark.parametrize("style", ["batch", "abatch"])
def test_a_batch_equals_its_single_calls_and_asks_each_part_once(style: str) -> None:
    cases = [case for case in CASES if not case.options]
    chain, calls = build(cases)
    questions = [case.question for case in cases]
    run = chain.batch if style == "batch" else lambda *a, **k: asyncio.run(chain.abatch(*a, **k))
    results = run(questions, return_exceptions=True)
    asked = [case.question for case in cases if "remote" in case.children]
    fallbacks = [case.question for case in cases if case.fallback is not None or case.question == "rejected"]
    assert calls == {"local": [questions], "remote": [asked], "fallback": [fallbacks]}
    for case, result in zip(cases, results, strict=True):
        if case.raises:
            assert isinstance(result, case.raises)
        else:
            assert without_time(result) == without_time(chain.invoke(case.question))


@pytest.mark.parametrize("style", ["batch", "abatch"])
def test_without_return_exceptions_a_batch_raises_the_first_error(style: str) -> None:
    cases = [case for case in CASES if case.question in {"trusted local", "remote down", "fallback failing"}]
    chain, _ = build(cases)
    run = chain.batch if style == "batch" else lambda q: asyncio.run(chain.abatch(q))
    with pytest.raises(RemoteDownError):
        run([case.question for case in cases])


def test_a_batch_keeps_a_bad_input_in_its_own_slot() -> None:
    chain, _ = build(CASES[:1])
    good, bad = chain.batch(["trusted local", ""], return_exceptions=True)
    assert good.answer == "a"
    assert "blank" in str(bad)


def test_an_empty_batch_is_empty() -> None:
    chain, calls = build(CASES[:1])
    assert chain.batch([]) == []
    assert calls["local"] == []


def test_each_item_of_a_batch_may_have_its_own_config() -> None:
    chain, _ = build(CASES[:3])
    traces = [Trace(), Trace()]
    chain.batch(["trusted local", "escalated"], [{"callbacks": [trace]} for trace in traces])
    assert [len(trace.runs) for trace in traces] == [3, 5]


@pytest.mark.parametrize("style", STYLES)
def test_thresholds_are_configurable_fields_and_appear_in_config_specs(style: str) -> None:
    local = SUPERVISOR.configurable_fields(threshold=ConfigurableField(id="local_threshold"))
    remote = SUPERVISOR.configurable_fields(threshold=ConfigurableField(id="remote_threshold"))
    script = {"q": says("a", 0.2)}, {"q": says("b", 0.3)}
    chain = TwoSupervisorChain(
        local=ScriptedAnswerer(script=script[0]),
        local_supervisor=local,
        remote=ScriptedAnswerer(script=script[1]),
        remote_supervisor=remote,
    )
    assert {spec.id for spec in chain.config_specs} == {"local_threshold", "remote_threshold"}
    assert call(chain, style, "q").status == "untrusted"
    assert call(chain, style, "q", {"configurable": {"remote_threshold": 0.3}}).source == "remote"
    assert call(chain, style, "q", {"configurable": {"local_threshold": 0.1}}).source == "local"


def test_the_chains_own_options_are_configurable_too() -> None:
    chain, _ = build([CASES[5]])
    policy = chain.configurable_fields(on_remote_error=ConfigurableField(id="policy"))
    result = policy.invoke("remote down", {"configurable": {"policy": "local"}})
    assert (result.answer, result.source) == ("a", "local")
    assert "RemoteDownError" in result.error


async def test_a_cancelled_call_stops_where_it_is_and_asks_nobody_else() -> None:
    reached = asyncio.Event()
    asked: list[str] = []

    async def slow_local(question):
        reached.set()
        await asyncio.sleep(60)

    chain = TwoSupervisorChain(
        local=slow_local,
        local_supervisor=SUPERVISOR,
        remote=lambda question: asked.append("remote"),
        remote_supervisor=SUPERVISOR,
        on_remote_error="no_answer",
    )
    trace = Trace()
    task = asyncio.create_task(chain.ainvoke("q", {"callbacks": [trace]}))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asked == []
    assert [run["end"] for run in trace.runs.values()] == ["CancelledError", "CancelledError"]


async def test_a_cancellation_while_the_remote_is_asked_is_not_taken_for_its_failure() -> None:
    reached = asyncio.Event()

    async def slow_remote(question):
        reached.set()
        await asyncio.sleep(60)

    chain = TwoSupervisorChain(
        local=lambda question: says("a", 0.1),
        local_supervisor=SUPERVISOR,
        remote=slow_remote,
        remote_supervisor=SUPERVISOR,
        on_remote_error="local",
    )
    task = asyncio.create_task(chain.ainvoke("q"))
    await reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_200_concurrent_calls_with_mixed_outcomes_do_not_disturb_each_other() -> None:
    cases = [case for case in CASES if not case.options]
    chain, _ = build(cases)
    expected = [cases[i % len(cases)] for i in range(200)]
    results = await asyncio.gather(*(chain.ainvoke(case.question) for case in expected), return_exceptions=True)
    for case, result in zip(expected, results, strict=True):
        if case.raises:
            assert isinstance(result, case.raises)
        else:
            assert (result.answer, result.status, result.source) == (case.answer, case.status, case.source)
    assert Counter(type(result).__name__ for result in results)["TwoSupervisorResult"] > 100
