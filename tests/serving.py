"""A server for tests: a route by script, and a client of it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import GenericFakeChatModel
from prometheus_client.parser import text_string_to_metric_families
from pydantic import Field
from starlette.testclient import TestClient

from twosup_chain import Answer, Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain.service.app import Service
from twosup_chain.service.build import passages
from twosup_chain.service.config import ServerTable
from twosup_chain.service.http import Keys
from twosup_chain.service.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kept:
    """A sink that keeps decisions in a list."""

    def __init__(self) -> None:
        self.decisions: list[Any] = []
        self.closed = False

    async def record(self, decision: Any) -> None:
        self.decisions.append(decision)

    async def aclose(self) -> None:
        self.closed = True


class Hosted(GenericFakeChatModel):
    """Says what it is told to; `told` are the options of the last call."""

    told: dict[str, Any] = Field(default_factory=dict)

    def __init__(self, *said: Any) -> None:
        super().__init__(messages=iter(said))

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **options: Any) -> Any:
        self.told = options if stop is None else {**options, "stop": stop}
        return super()._generate(messages, stop, run_manager, **options)

    def bind_tools(self, tools: Any, **options: Any) -> Any:
        return self.bind(tools=tools)


def reader(asked: Any) -> Answer:
    """Answers with the first word of the context; it is sure of questions that end in a question mark."""
    first = asked.passages[0].split()[0] if asked.passages else None
    return Answer(first, scores={"answerability": 0.9 if asked.question.endswith("?") else 0.1}, model="reader")


def hosted_supervisor() -> Supervisor:
    return Supervisor(lambda question, answer: 0.0 if answer.text and "bad" in answer.text else 1.0, threshold=0.5)


def route(*said: Any, remote: Any = None, chat_remote: Any = None, **options: Any) -> Route:
    """Returns a route named ``docs``; its hosted model says one text after the other."""
    own = {name: options.pop(name) for name in ("keeps_text", "concurrency", "queue", "calibration") if name in options}
    trust: dict[str, Any] = {"local_supervisor": Supervisor("answerability", threshold=0.5), "local": reader, **options}
    if said or remote or chat_remote:
        trust["remote_supervisor"] = hosted_supervisor()
        trust.setdefault("on_remote_error", "no_answer")
    remote = remote or (Hosted(*said) if said else None)
    return Route(
        name="docs",
        chain=TwoSupervisorChain(remote=remote, **trust),
        chat=TwoSupervisorChatModel(remote=chat_remote or remote, context=passages, model_name="docs", **trust),
        sinks=(Kept(),),
        **own,
    )


@contextmanager
def serve(served: Route, keys: Keys | None = None, **server: Any) -> Iterator[Any]:
    """Serves a route; gives a client whose ``decisions`` are those that were kept."""
    service = Service({"docs": served}, ServerTable(**server), keys)
    with TestClient(service.app(), raise_server_exceptions=False) as client:
        client.service, client.decisions = service, served.sinks[0].decisions
        yield client


def ask(client: Any, question: str = "Who?", context: str | None = "Ada wrote it.", **more: Any) -> Any:
    """Sends a conversation."""
    told = [] if context is None else [{"role": "system", "content": context}]
    messages = [*told, {"role": "user", "content": question}]
    return client.post("/v1/chat/completions", json={"model": "docs", "messages": messages, **more})


def samples(client: Any) -> dict[tuple[str, ...], float]:
    """Returns what ``/metrics`` says, by name and the values of its labels in alphabetical order."""
    families = text_string_to_metric_families(client.get("/metrics").text)
    return {(s.name, *sorted(s.labels.values())): s.value for family in families for s in family.samples}
