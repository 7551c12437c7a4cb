"""No byte of an answer that is not trusted is shown, whoever listens, however LangChain and LangGraph stream."""

from __future__ import annotations

from typing import Any, TypedDict

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import Field
from screens import AsyncScreen, Screen

from twosup_chain import Supervisor, TwoSupervisorChain, TwoSupervisorChatModel
from twosup_chain._held import NOT_STREAMED

graphs = pytest.importorskip("langgraph.graph", reason="needs langchain: pip install 'twosup-chain[agents]'")
agents = pytest.importorskip("langchain.agents")

MODES = ["values", "updates", "messages", "custom", "debug", "tasks", "checkpoints"]
NEVER = Supervisor(lambda question, answer: 0.0, threshold=0.5)
ALWAYS = Supervisor(lambda question, answer: 1.0, threshold=0.5)
SECRETS = ("Gustav", "Otto")
FINE = "Ferris"


class Writes(BaseChatModel):
    """Writes its text letter by letter, or whole."""

    text: str = Field(repr=False)
    whole: bool = False
    streaming: bool = True

    @property
    def _llm_type(self) -> str:
        return "writes"

    def model_post_init(self, context: Any) -> None:
        self.model_fields_set.add("streaming")  # then `invoke` streams, too

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _generate(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(self.text))])

    def _stream(self, messages: Any, stop: Any = None, run_manager: Any = None, **_: Any) -> Any:
        for piece in [self.text] if self.whole else [self.text[:3], self.text[3:]]:
            chunk = ChatGenerationChunk(message=AIMessageChunk(piece))
            if run_manager is not None:
                run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk


class State(TypedDict, total=False):
    messages: list[Any]
    said: str


def parts(remote: Any = None, local: Any = None, remote_supervisor: Any = NEVER) -> dict[str, Any]:
    remote = Writes(text="Otto did.") if remote is None else remote
    local = Writes(text="Gustav did.") if local is None else local
    return {
        "local": local,
        "local_supervisor": NEVER,
        "remote": remote,
        "remote_supervisor": remote_supervisor,
    }


def chain_node(**options: Any) -> Any:
    chain = TwoSupervisorChain(**parts(**options))
    return lambda state: {"said": chain.invoke("Who?").as_text("nothing")}


def async_chain_node(**options: Any) -> Any:
    chain = TwoSupervisorChain(**parts(**options))

    async def node(state: Any) -> Any:
        (result,) = await chain.abatch(["Who?"])
        return {"said": result.as_text("nothing")}

    return RunnableLambda(lambda state: node, afunc=node)


def chat_node(**options: Any) -> Any:
    chat = TwoSupervisorChatModel(**parts(**options))
    return lambda state: {"said": chat.invoke("Who?").text + "".join(chunk.text for chunk in chat.stream("Who?"))}


def agent_node(**options: Any) -> Any:
    made = parts(**options)
    middleware = pytest.importorskip("twosup_chain.chat.middleware").TwoSupervisorMiddleware(
        **{name: part for name, part in made.items() if name != "remote"}
    )
    return agents.create_agent(made["remote"], tools=[], middleware=[middleware])


NODES = {"chain": chain_node, "chain, many at once": async_chain_node, "chat model": chat_node, "agent": agent_node}


def graph(node: Any) -> Any:
    built = graphs.StateGraph(State)
    built.add_node("node", node)
    built.add_edge(graphs.START, "node")
    return built.compile()


GIVEN = {"messages": [HumanMessage("Who?")]}


async def streamed(built: Any, config: Any = None) -> str:
    """What a graph streams in all modes together."""
    pieces = [p async for p in built.astream(GIVEN, config, stream_mode=MODES, subgraphs=True)]
    return repr(pieces)


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
@pytest.mark.parametrize("whole", [False, True], ids=["in pieces", "whole"])
async def test_no_mode_of_langgraph_shows_what_is_rejected(node, whole) -> None:
    text = await streamed(graph(node(remote=Writes(text="Otto did.", whole=whole))))
    assert not any(secret[:3] in text for secret in SECRETS)


@pytest.mark.parametrize("name", ["chain", "chain, many at once", "chat model"])
@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: model.bind(stop=["!"]),
        lambda model: model.bind(tools=[{"name": "search"}]),
        lambda model: model.with_config(tags=["mine"]),
        lambda model: model.with_retry(),
        lambda model: model.with_fallbacks([model]),
        lambda model: model.configurable_fields(text=ConfigurableField(id="text")),
        lambda model: model.bind(stop=["!"]).with_retry().with_config(tags=["mine"]),
    ],
    ids=["bound", "with tools", "configured", "retried", "with fallbacks", "configurable", "all"],
)
async def test_nor_where_something_is_put_around_the_models(name, wrap) -> None:
    made = {"remote": wrap(Writes(text="Otto did.")), "local": wrap(Writes(text="Gustav did."))}
    screen = Screen()
    text = await streamed(graph(NODES[name](**made)), {"callbacks": [screen]})
    assert not any(secret[:3] in text + "".join(screen.shown) for secret in SECRETS)
    pieces = list(graph(NODES[name](**made)).stream(GIVEN, stream_mode=MODES)) if "many" not in name else []
    assert not any(secret[:3] in repr(pieces) for secret in SECRETS)


async def test_nor_where_something_is_put_around_a_pipeline_that_answers_many_questions() -> None:
    model = Writes(text="Otto did.") | (lambda message: message.text)
    remote = RunnableLambda(lambda asked: asked["question"]) | model
    chain = TwoSupervisorChain(**parts(remote=remote.with_config(tags=["mine"])))

    async def node(state: Any) -> Any:
        results = [*chain.batch(["Who?"] * 2), *await chain.abatch(["Who?"] * 2)]
        return {"said": repr([result.answer for result in results])}

    assert "Ott" not in await streamed(graph(node))


@pytest.mark.parametrize("name", ["chain", "chat model", "agent"])
def test_nor_do_synchronous_streams(name) -> None:
    pieces = list(graph(NODES[name]()).stream(GIVEN, stream_mode=MODES, subgraphs=True))
    assert not any(secret[:3] in repr(pieces) for secret in SECRETS)


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
async def test_nor_do_the_events_of_the_runs_below_a_decision(node) -> None:
    events = [event async for event in graph(node()).astream_events(GIVEN, version="v2")]
    own = {"TwoSupervisorChain"}  # whose result is the evidence itself, rejected answers included
    told = repr([event for event in events if event["name"] not in own])
    assert not any(secret[:3] in told for secret in SECRETS)


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
@pytest.mark.parametrize("screen", [Screen, AsyncScreen])
async def test_nor_do_handlers_that_show_tokens(node, screen) -> None:
    shows = screen()
    await graph(node()).ainvoke(GIVEN, {"callbacks": [shows]})
    assert not any(secret[:3] in "".join(shows.shown) for secret in SECRETS)


async def test_nor_does_a_graph_that_is_the_hosted_model() -> None:
    inner = graph(lambda state: {"said": Writes(text="Otto did.").invoke("Who?").text}) | (lambda state: state["said"])
    assert "Ott" not in await streamed(graph(chain_node(remote=inner)))
    assert "Ott" not in await streamed(graph(async_chain_node(remote=inner)))


@pytest.mark.parametrize("node", NODES.values(), ids=NODES)
async def test_what_is_trusted_comes_through(node) -> None:
    text = await streamed(graph(node(remote=Writes(text=FINE), remote_supervisor=ALWAYS)))
    assert FINE in text
    assert not any(secret[:3] in text for secret in SECRETS)


async def test_the_chat_models_own_tokens_are_streamed_as_messages() -> None:
    node = chat_node(remote=Writes(text=FINE), remote_supervisor=ALWAYS)
    pieces = [p async for p in graph(node).astream(GIVEN, stream_mode="messages")]
    assert "".join(message.text for message, _ in pieces) == 2 * FINE


async def test_a_decision_announces_what_happens_without_words() -> None:
    events = [event async for event in graph(chat_node()).astream_events(GIVEN, version="v2")]
    custom = [(event["name"], event["data"]["role"]) for event in events if event["event"] == "on_custom_event"]
    assert custom == 2 * [(name, role) for role in ("local", "remote") for name in ("twosup_asked", "twosup_verdict")]


def test_a_trace_is_complete() -> None:
    class Trace(BaseCallbackHandler):
        def __init__(self) -> None:
            self.texts: list[str] = []
            self.tags: list[list[str]] = []

        def on_chat_model_start(self, *_: Any, tags: Any = None, **__: Any) -> None:
            self.tags.append(tags)

        def on_llm_end(self, response: Any, **_: Any) -> None:
            self.texts.append(response.generations[0][0].text)

    trace = Trace()
    TwoSupervisorChain(**parts()).invoke("Who?", {"callbacks": [trace]})
    assert trace.texts == ["Gustav did.", "Otto did."]
    assert all(NOT_STREAMED in tags for tags in trace.tags)
