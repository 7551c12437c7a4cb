"""Traces of the chain in OpenTelemetry: three switches, and every run is a span of your own tracer provider.

    pip install opentelemetry-sdk
    LANGSMITH_TRACING=true LANGSMITH_OTEL_ENABLED=true LANGSMITH_OTEL_ONLY=true python examples/09_opentelemetry.py

LangChain brings the exporter along; nothing is sent to LangSmith. In place of the exporter in memory, give the provider
the one of your collector (``OTLPSpanExporter()``).
"""

import json

from langchain_core.tracers.langchain import wait_for_all_tracers
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from twosup_chain import ExtractiveReader, Supervisor, TwoSupervisorChain

exporter = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)

chain = TwoSupervisorChain(local=ExtractiveReader(), local_supervisor=Supervisor("answerability", threshold=0.7))
chain.invoke({"question": "When did it open?", "context": "The library opened in 1911."}, {"run_name": "library"})
wait_for_all_tracers()
provider.force_flush()

spans = exporter.get_finished_spans()
root = next(span for span in spans if span.parent is None)
outcome = json.loads(root.attributes["gen_ai.completion"])["output"]
print(f"{root.name}: {outcome['status']}, {outcome['source']}")
for span in sorted(spans, key=lambda span: span.start_time):
    if span.parent is not None and span.parent.span_id == root.context.span_id:
        told = {key.rpartition(".")[2]: value for key, value in span.attributes.items() if "metadata.twosup_" in key}
        print(f"  {span.name}: {told}")
