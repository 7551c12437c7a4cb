"""`Traces`: each decision as spans of OpenTelemetry, in the words of its GenAI conventions; no text is among them."""

from __future__ import annotations

from typing import Any

from twosup_chain._version import __version__
from twosup_chain.errors import MissingExtraError
from twosup_chain.service.decision import Decision

try:
    from opentelemetry import trace
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
    from opentelemetry.trace import SpanKind, Status, StatusCode
except ImportError:
    raise MissingExtraError("[traces]", "opentelemetry-sdk", "otel") from None


_NANO = 1e9
#: The stages that are calls of models; the others judge.
_MODELS = ("local", "remote", "fallback")


class Traces:
    """A sink that makes spans: one for a decision, and one below it for each call of a model.

    A verdict is an event ``gen_ai.evaluation.result`` of the span whose answer it judges.

    Args:
        exporter: Where spans go.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": "twosup"}))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("twosup_chain", __version__)

    @classmethod
    def to(cls, endpoint: str) -> Traces:
        """Returns traces that go to a collector, by OTLP over HTTP (``http://localhost:4318/v1/traces``).

        Raises:
            MissingExtraError: The exporter is not installed.
        """
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        except ImportError:
            raise MissingExtraError("[traces]", "opentelemetry-exporter-otlp-proto-http", "otel") from None
        return cls(OTLPSpanExporter(endpoint=endpoint))

    async def record(self, decision: Decision) -> None:
        """Makes the spans of a decision; they are sent later."""
        start = int(decision.time * _NANO)
        whole = self._tracer.start_span(
            f"chat {decision.route}", kind=SpanKind.SERVER, start_time=start, attributes=_about(decision)
        )
        context, at = trace.set_span_in_context(whole), start
        for stage, seconds in decision.stages.items():
            end = at + int(seconds * _NANO)
            if stage in _MODELS:
                name = f"chat {decision.models.get(stage, stage)}"
                told = _of_model(decision, stage)
                span = self._tracer.start_span(name, context, SpanKind.CLIENT, told, start_time=at)
                for event in _verdicts(decision, stage):
                    span.add_event("gen_ai.evaluation.result", event, end)
                span.end(end)
            at = end
        if decision.status == "failed":
            whole.set_status(Status(StatusCode.ERROR))
        whole.end(start + int(decision.seconds * _NANO))

    async def aclose(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()


def _about(decision: Decision) -> dict[str, Any]:
    known = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "twosup",
        "gen_ai.request.model": decision.route,
        "gen_ai.response.id": decision.id,
        "gen_ai.response.model": decision.models.get(decision.source),
        "twosup.source": decision.source,
        "twosup.status": decision.status,
        "twosup.caller": decision.caller,
        "twosup.cost": decision.cost,
        "twosup.currency": decision.currency,
        "twosup.calibration": decision.calibration,
        "error.type": decision.error and decision.error.partition(":")[0],
        **{name: sum(_tokens(decision, role)[name] for role in decision.usage) for name in _NAMES},
    }
    return {name: value for name, value in known.items() if value is not None}


#: What the conventions call the tokens of a call, by what LangChain calls them.
_NAMES = {"gen_ai.usage.input_tokens": "input_tokens", "gen_ai.usage.output_tokens": "output_tokens"}


def _tokens(decision: Decision, role: str) -> dict[str, int]:
    usage: Any = decision.usage.get(role) or {}
    return {name: usage.get(ours, 0) for name, ours in _NAMES.items()}


def _of_model(decision: Decision, role: str) -> dict[str, Any]:
    model = decision.models.get(role)
    told = {"gen_ai.operation.name": "chat", "twosup.role": role, **_tokens(decision, role)}
    return told if model is None else {**told, "gen_ai.request.model": model, "gen_ai.response.model": model}


def _verdicts(decision: Decision, role: str) -> list[dict[str, Any]]:
    verdict = decision.verdicts.get(role)
    if verdict is None:
        return []
    return [
        {
            "gen_ai.evaluation.name": verdict.scorer,
            "gen_ai.evaluation.score.value": verdict.score,
            "gen_ai.evaluation.score.label": "trusted" if verdict.trusted else "not trusted",
            "gen_ai.response.id": decision.id,
        }
    ]
