"""A decision is spans in the words of OpenTelemetry's GenAI conventions: models, tokens, verdicts; no text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from langchain_core.messages import AIMessage
from serving import ask, route, serve

exporting = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter")

from twosup_chain.service.traces import Traces  # noqa: E402


@pytest.fixture
def exporter():
    return exporting.InMemorySpanExporter()


def spans_of(exporter, made, *questions):
    """Returns the spans of questions, by their names."""
    traced = replace(made, sinks=(*made.sinks, Traces(exporter)))
    with serve(traced) as served:
        for question in questions:
            ask(served, question)
    return {span.name: span for span in exporter.get_finished_spans()}, traced.sinks[0].decisions


def test_a_decision_has_a_span_with_a_span_below_for_each_model(exporter) -> None:
    cost = {"input_tokens": 7, "output_tokens": 2, "total_tokens": 9}
    hosted = AIMessage("bad", usage_metadata=cost, response_metadata={"model_name": "large"})
    spans, (decision,) = spans_of(exporter, route(hosted), "Who")
    whole, local, remote = spans["chat docs"], spans["chat reader"], spans["chat large"]
    assert whole.attributes["gen_ai.response.id"] == decision.id
    assert whole.attributes["twosup.status"] == "untrusted"
    assert whole.attributes["gen_ai.usage.input_tokens"] == remote.attributes["gen_ai.usage.input_tokens"] == 7
    for role, span, score in (("local", local, 0.1), ("remote", remote, 0.0)):
        assert span.parent.span_id == whole.context.span_id
        assert span.attributes["twosup.role"] == role
        (event,) = span.events
        assert event.name == "gen_ai.evaluation.result"
        assert event.attributes["gen_ai.evaluation.score.value"] == pytest.approx(score)
        assert event.attributes["gen_ai.evaluation.score.label"] == "not trusted"
    assert whole.start_time <= local.start_time <= local.end_time <= remote.start_time


def test_no_text_is_in_a_span(exporter) -> None:
    spans, _ = spans_of(exporter, route(AIMessage("Grace")), "Who is it?", "Who is it")
    told = [str({**span.attributes, **{e.name: dict(e.attributes) for e in span.events}}) for span in spans.values()]
    assert not [words for words in ("Who is it", "Ada", "Grace") if any(words in text for text in told)]


def test_a_request_that_failed_is_an_error(exporter) -> None:
    def dead(asked):
        raise ConnectionError("gone")

    spans, _ = spans_of(exporter, route(remote=dead, on_remote_error="raise"), "Who")
    assert not spans["chat docs"].status.is_ok
    assert spans["chat docs"].attributes["error.type"] == "ConnectionError"
