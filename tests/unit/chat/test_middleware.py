"""What a supervised agent says, and what its state knows of the decision."""

from __future__ import annotations

import asyncio
import json
import sys

import numpy as np
import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from pydantic import BaseModel

from twosup_chain import Answer, Supervisor
from twosup_chain.errors import ConfigurationError, MissingEvidenceError, UnknownOptionError

agents = pytest.importorskip("langchain.agents", reason="needs langchain: pip install 'twosup-chain[agents]'")
middleware = pytest.importorskip("twosup_chain.chat.middleware")

HALL = Document("The hall was designed by Maud Ferris and opened in 1911.", metadata={"page": 3})
QUESTION = "Who designed the hall?"
SEARCH = AIMessage("", tool_calls=[{"name": "search", "args": {"query": "hall"}, "id": "1"}])
RIGHT, WRONG = "Maud Ferris designed it.", "Otto Wagner designed it."
USAGE = {"input_tokens": 10, "output_tokens": 2, "total_tokens": 12}
IN_TOOLS = Supervisor(lambda question, answer: float("Ferris" in (answer.text or "")), threshold=0.5)


class Scripted(BaseChatModel):
    """Says what a test wrote, in one piece or word by word; it knows which messages and tools it was given."""

    replies: list
    heard: list
    tools: list

    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, tools, **_):
        self.tools.append([getattr(t, "name", t) for t in tools])
        return self

    def _next(self, messages):
        self.heard.append(messages)
        reply = self.replies.pop(0)
        if isinstance(reply, Exception):
            raise reply
        return AIMessage(reply, usage_metadata=USAGE) if isinstance(reply, str) else reply.model_copy()

    def _generate(self, messages, stop=None, run_manager=None, **_):
        return ChatResult(generations=[ChatGeneration(message=self._next(messages))])

    def _stream(self, messages, stop=None, run_manager=None, **_):
        reply = self._next(messages)
        for word in reply.content.split(" ") if reply.content else [""]:
            yield ChatGenerationChunk(message=AIMessageChunk(f"{word} ", tool_calls=reply.tool_calls))


@tool(response_format="content_and_artifact")
def search(query: str) -> tuple[str, list[Document]]:
    """Searches the documents."""
    return HALL.page_content, [HALL]


def build(replies, *, tools=(search,), **parts):
    parts = {"remote_supervisor": IN_TOOLS, **parts}
    model = Scripted(replies=list(replies), heard=[], tools=[])
    made = middleware.TwoSupervisorMiddleware(**parts)
    return agents.create_agent(model, tools=list(tools), middleware=[made]), model


def ask(agent, style="invoke", messages=(QUESTION,), config=None):
    given = {"messages": list(messages)}
    return agent.invoke(given, config) if style == "invoke" else asyncio.run(agent.ainvoke(given, config))


def local(text, score):
    return {
        "local": lambda question: Answer(text, scores={"answerability": score}),
        "local_supervisor": Supervisor("answerability", threshold=0.6),
    }


STYLES = pytest.mark.parametrize("style", ["invoke", "ainvoke"])


@STYLES
def test_a_trusted_message_comes_out_as_the_model_wrote_it_and_the_state_tells_why(style):
    agent, _ = build([SEARCH, RIGHT])
    state = ask(agent, style)
    assert state["messages"][-1].text == RIGHT
    decision = state["twosup"]
    assert (decision["source"], decision["status"], decision["error"]) == ("remote", "answered", None)
    assert decision["verdicts"] == {"remote": {"score": 1.0, "threshold": 0.5, "trusted": True, "scorer": "<lambda>"}}
    assert "remote answer trusted" in decision["reason"]
    assert state["messages"][-1].response_metadata["twosup"] == decision
    assert json.loads(json.dumps(decision)) == decision


@STYLES
def test_a_message_that_nobody_trusts_is_replaced_and_what_it_cost_is_counted(style):
    agent, _ = build([SEARCH, WRONG], no_answer="Please ask a colleague.")
    state = ask(agent, style)
    assert state["messages"][-1].text == "Please ask a colleague."
    assert (state["twosup"]["source"], state["twosup"]["status"]) == ("none", "untrusted")
    assert state["messages"][-1].usage_metadata == USAGE
    assert all(WRONG not in message.text for message in state["messages"])


@STYLES
def test_a_trusted_local_answerer_reads_what_the_tools_found_and_spares_the_second_call(style):
    read = []

    def reader(question):
        read.append(question)
        return Answer("Maud Ferris", scores={"answerability": 0.9}, start=25, end=36, document=0)

    agent, model = build([SEARCH], **{**local("", 0), "local": reader})
    state = ask(agent, style)
    assert state["messages"][-1].text == "Maud Ferris"
    assert [len(model.heard), [q.context for q in read]] == [1, [(HALL,)]]
    (cited,) = state["twosup"]["citations"]
    assert (cited["text"], cited["metadata"]) == ("Maud Ferris", {"page": 3})
    assert state["twosup"]["source"] == "local"


def test_a_rejected_local_answer_hands_the_turn_to_the_agents_model_and_both_verdicts_are_kept():
    agent, _ = build([SEARCH, RIGHT], **local("Otto", 0.2))
    state = ask(agent)
    assert state["messages"][-1].text == RIGHT
    assert {role: v["trusted"] for role, v in state["twosup"]["verdicts"].items()} == {"local": False, "remote": True}


def test_a_local_answerer_that_is_trusted_that_there_is_no_answer_ends_the_turn():
    agent, model = build([SEARCH], **local(None, 0.1))
    state = ask(agent)
    assert (state["twosup"]["status"], state["twosup"]["source"]) == ("unanswerable", "local")
    assert state["messages"][-1].text == "No answer was found that can be trusted."
    assert len(model.heard) == 1


def test_a_local_chat_model_is_asked_without_tools_once_a_tool_has_answered():
    small = Scripted(replies=["Maud Ferris, says the small one."], heard=[], tools=[])
    agent, model = build([SEARCH], local=small, local_supervisor=IN_TOOLS)
    state = ask(agent)
    assert state["messages"][-1].text == "Maud Ferris, says the small one."
    assert (len(model.heard), len(small.heard), small.tools) == (1, 1, [])
    assert [m.type for m in small.heard[0]] == ["human", "ai", "tool"]


def test_a_local_chat_model_with_tools_is_asked_at_every_turn_and_its_tool_calls_are_not_judged():
    small = Scripted(replies=[SEARCH, "No idea."], heard=[], tools=[])
    agent, model = build([RIGHT], local=small, local_supervisor=IN_TOOLS, local_tools=True)
    state = ask(agent)
    assert [m.type for m in state["messages"]] == ["human", "ai", "tool", "ai"]
    assert (len(small.heard), len(model.heard), small.tools[0]) == (2, 1, ["search"])
    assert state["twosup"]["source"] == "remote"
    assert state["messages"][-1].usage_metadata["total_tokens"] == 2 * USAGE["total_tokens"]


def test_in_an_agent_without_tools_the_local_model_is_asked_at_once():
    small = Scripted(replies=["Ferris"], heard=[], tools=[])
    agent, model = build([], tools=(), local=small, local_supervisor=IN_TOOLS)
    assert ask(agent)["messages"][-1].text == "Ferris"
    assert model.heard == []


def test_a_turn_that_calls_a_tool_is_never_judged():
    judged = []
    supervisor = Supervisor(lambda question, answer: float(bool(judged.append(answer.text) or 1)), threshold=0.5)
    again = AIMessage("", tool_calls=[{"name": "search", "args": {"query": "again"}, "id": "2"}])
    agent, _ = build([SEARCH, again, RIGHT], remote_supervisor=supervisor)
    ask(agent)
    assert judged == [RIGHT.removesuffix(".")]


def test_structured_output_is_not_judged():
    class Person(BaseModel):
        name: str

    call = AIMessage("", tool_calls=[{"name": "Person", "args": {"name": "Maud"}, "id": "2"}])
    model = Scripted(replies=[call], heard=[], tools=[])
    made = middleware.TwoSupervisorMiddleware(remote_supervisor=IN_TOOLS, **local("Otto", 0.9))
    agent = agents.create_agent(model, middleware=[made], response_format=agents.structured_output.ToolStrategy(Person))
    state = ask(agent)
    assert state["structured_response"] == Person(name="Maud")
    assert "twosup" not in state


@pytest.mark.parametrize(
    "reply", [AIMessage(" "), AIMessage("x", response_metadata={"finish_reason": "content_filter"})]
)
def test_an_empty_reply_and_a_refusal_are_never_trusted(reply):
    agent, _ = build([SEARCH, reply])
    state = ask(agent)
    assert state["twosup"]["status"] == "untrusted"
    assert state["twosup"]["error"].split(":")[0] in {"EmptyAnswerError", "RefusalError"}


def test_an_error_of_the_agents_model_stays_the_agents_business():
    agent, _ = build([SEARCH, ConnectionError("down")])
    with pytest.raises(ConnectionError, match="down"):
        ask(agent)


@STYLES
@pytest.mark.parametrize(
    "messages",
    [
        [HumanMessage("Hello")],
        [HumanMessage("Good morning!")],
        [HumanMessage(" ".join(["who"] * 405))],
        [HumanMessage("  ")],
        [HumanMessage([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}])],
        [AIMessage("How can I help?")],
        [],
    ],
    ids=["hello", "good morning", "405 tokens", "blank", "an image", "nobody asked", "nothing"],
)
@pytest.mark.parametrize("called", [False, True], ids=["no tool", "a tool"])
def test_an_ordinary_turn_is_never_an_exception(style, messages, called):
    for missing, said in ((None, "No answer was found that can be trusted."), (1.0, "Hi.")):
        supervisor = Supervisor("grounded", threshold=0.5, missing=missing)
        agent, _ = build([*([SEARCH] if called else []), "Hi."], remote_supervisor=supervisor)
        state = (
            agent.invoke({"messages": messages})
            if style == "invoke"
            else asyncio.run(agent.ainvoke({"messages": messages}))
        )
        unread = not called or (messages and len(messages[0].text) > 1000)
        if unread:
            assert state["messages"][-1].text == said
            assert (state["twosup"]["error"] or "").startswith("MissingEvidenceError") == (missing is None)
        assert state["twosup"]["status"] == ("untrusted" if missing is None or not unread else "answered")


def test_missing_evidence_is_not_trusted_and_the_state_says_how_to_get_it():
    supervisor = Supervisor("min_token_probability", threshold=0.5)
    agent, _ = build([SEARCH, RIGHT], remote_supervisor=supervisor)
    decision = ask(agent)["twosup"]
    assert decision["status"] == "untrusted"
    assert "logprobs=True" in decision["error"]
    agent, _ = build([SEARCH, RIGHT], remote_supervisor=supervisor, on_supervisor_error="raise")
    with pytest.raises(MissingEvidenceError, match="logprobs=True"):
        ask(agent)


@pytest.mark.parametrize("context", [lambda messages: 1 / 0, lambda messages: 7])
def test_a_context_that_cannot_be_had_is_not_taken_for_none(context):
    passes = Supervisor("grounded", threshold=0.5, missing=1.0)
    agent, _ = build([RIGHT], remote_supervisor=passes, context=context)
    assert ask(agent)["twosup"]["status"] == "untrusted"


@pytest.mark.parametrize("error", [ConnectionError("down"), ValueError("too long"), TimeoutError()])
def test_a_local_model_that_fails_hands_the_turn_to_the_agents_model(error):
    def fails(question):
        raise error

    small = Scripted(replies=[error], heard=[], tools=[])
    for parts in ({"local": fails}, {"local": small}):
        agent, _ = build([SEARCH, RIGHT], local_supervisor=IN_TOOLS, **parts)
        state = ask(agent)
        assert state["messages"][-1].text == RIGHT
        assert type(error).__name__ in state["twosup"]["reason"]


def test_scorers_read_the_artifact_or_the_text_of_the_tools_since_the_users_last_message():
    seen = []

    @tool
    def plain(query: str) -> str:
        """Searches."""
        return "Nothing but text."

    supervisor = Supervisor(lambda question, answer: float(bool(seen.append(question) or 1)), threshold=0.5)
    calls = [
        {"name": "search", "args": {"query": "q"}, "id": "1"},
        {"name": "plain", "args": {"query": "q"}, "id": "2"},
    ]
    agent, _ = build(
        [AIMessage("", tool_calls=calls), RIGHT, "Hello."], tools=(search, plain), remote_supervisor=supervisor
    )
    state = ask(agent)
    agent.invoke({"messages": [*state["messages"], HumanMessage("Good morning")]})
    assert (seen[0].question, seen[0].context) == (QUESTION, (HALL, "Nothing but text."))
    assert (seen[1].question, seen[1].context) == ("Good morning", None)


def test_the_context_may_be_a_function_of_the_conversation():
    seen = []
    supervisor = Supervisor(lambda question, answer: float(bool(seen.append(question.context) or 1)), threshold=0.5)
    agent, _ = build([RIGHT], tools=(), remote_supervisor=supervisor, context=lambda messages: messages[0].text.upper())
    ask(agent)
    assert seen == [QUESTION.upper()]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_no_word_of_a_rejected_draft_is_streamed(asynchronous):
    small = Scripted(replies=["Gustav did."], heard=[], tools=[])
    agent, _ = build([SEARCH, WRONG], local=small, local_supervisor=IN_TOOLS)

    async def collect():
        return [chunk async for chunk in agent.astream(given, stream_mode="messages")]

    given = {"messages": [HumanMessage(QUESTION)]}
    streamed = asyncio.run(collect()) if asynchronous else list(agent.stream(given, stream_mode="messages"))
    said = "".join(message.text for message, _ in streamed if message.type != "tool")
    assert "Otto" not in said
    assert "Gustav" not in said
    assert said.count("No answer was found that can be trusted.") == 1


class Trace(BaseCallbackHandler):
    def __init__(self):
        self.runs = {}

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, **kwargs):
        self.runs[run_id] = (kwargs.get("name"), parent_run_id, tags)

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, tags=None, **kwargs):
        self.runs[run_id] = ("chat model", parent_run_id, tags)


@STYLES
def test_traces_are_nested_under_the_middleware_and_tagged_with_the_part(style):
    agent, _ = build([SEARCH, RIGHT], **local("Otto", 0.2))
    trace = Trace()
    ask(agent, style, config={"callbacks": [trace]})
    turns = [run_id for run_id, run in trace.runs.items() if run[0] == "TwoSupervisorMiddleware"]
    assert len(turns) == 2
    parts = [
        next(tag for tag in tags if tag in {"local", "local_supervisor", "remote", "remote_supervisor"})
        for _, parent, tags in trace.runs.values()
        if parent == turns[1]
    ]
    assert parts == ["local", "local_supervisor", "remote", "remote_supervisor"]
    models = [run for run in trace.runs.values() if run[0] == "chat model"]
    assert all("remote" in trace.runs[parent][2] for _, parent, _ in models)


def test_parts_that_contradict_each_other_are_refused():
    with pytest.raises(ConfigurationError, match="go together"):
        middleware.TwoSupervisorMiddleware(remote_supervisor=IN_TOOLS, local=lambda question: "x")
    with pytest.raises(ConfigurationError, match="remote_supervisor"):
        middleware.TwoSupervisorMiddleware()
    with pytest.raises(UnknownOptionError, match="Did you mean 'no_answer'"):
        middleware.TwoSupervisorMiddleware(remote_supervisor=IN_TOOLS, noanswer="x")
    with pytest.raises(ConfigurationError, match="blank"):
        middleware.TwoSupervisorMiddleware(remote_supervisor=IN_TOOLS, no_answer=" ")
    with pytest.raises(ConfigurationError, match="function of the list of messages"):
        middleware.TwoSupervisorMiddleware(remote_supervisor=IN_TOOLS, context="the hall")


def test_without_langchain_the_error_names_the_command(monkeypatch):
    for name in [m for m in sys.modules if m.split(".")[0] == "langchain"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "langchain", None)
    monkeypatch.delitem(sys.modules, "twosup_chain.chat.middleware")
    import twosup_chain

    twosup_chain.__dict__.pop("TwoSupervisorMiddleware", None)
    with pytest.raises(ImportError, match=r"pip install 'twosup-chain\[agents\]'"):
        _ = twosup_chain.TwoSupervisorMiddleware


@pytest.mark.parametrize(
    "usage", [{**USAGE, "input_token_details": {"ephemeral_5m": 0}}, {"input_tokens": None}, {}, "?"]
)
def test_odd_accounts_and_metadata_of_any_type_end_no_turn(usage):
    @tool(response_format="content_and_artifact")
    def search(query: str) -> tuple[str, list[Document]]:
        """Searches the documents."""
        metadata = {"score": np.float32(0.5), "source": object(), "page": np.int64(3)}
        return HALL.page_content, [Document(HALL.page_content, metadata=metadata)]

    said = AIMessage("Maud Ferris").model_copy(update={"usage_metadata": usage})
    agent, _ = build([SEARCH, said], tools=[search])
    state = ask(agent)
    assert state["messages"][-1].text == "Maud Ferris"
    (citation,) = json.loads(json.dumps(state["twosup"]))["citations"]
    assert (citation["metadata"]["score"], citation["metadata"]["page"]) == (0.5, 3)


def test_a_quoted_reply_is_an_answer_where_a_tool_has_found_its_words():
    @tool
    def search(query: str) -> str:
        """Searches the documents."""
        return "The page said Not Found, in red."

    any_text = Supervisor(lambda question, answer: float(answer.text is not None), threshold=0.5)
    agent, _ = build([SEARCH, AIMessage("Not Found")], tools=[search], remote_supervisor=any_text)
    state = ask(agent)
    assert (state["messages"][-1].text, state["twosup"]["status"]) == ("Not Found", "answered")
