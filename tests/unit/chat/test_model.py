"""`TwoSupervisorChatModel`: what is decided and what it costs, in every call style; tools, options, errors, traces."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler, get_usage_metadata_callback
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, message_chunk_to_message
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel

from twosup_chain import Supervisor, TwoSupervisorChatModel
from twosup_chain.answerers.named_chat_model import NamedChatModel
from twosup_chain.errors import ConfigurationError, NoTrustedAnswerError, RefusalError, UnknownOptionError

SURE = [("Paris", 0.9), (" is", 0.8), (" it.", 0.9)]
UNSURE = [("Lyon", 0.9), (" is", 0.2), (" it", 0.9), (",", 0.9), (" I", 0.9), (" think", 0.9)]
OTHER = [("It", 0.9), (" is", 0.9), (" Rome", 0.9)]
NOTHING = "No answer was found that can be trusted."


class RemoteDownError(Exception):
    pass


CASES = {
    "trusted local": (SURE, OTHER, {}, "Paris is it.", "local", 8),
    "escalated": (UNSURE, OTHER, {}, "It is Rome", "remote", 7 + 8),
    "nobody trusted": (UNSURE, UNSURE, {}, NOTHING, "none", 7 + 11),
    "other words for it": (UNSURE, UNSURE, {"no_answer": "Ask a colleague."}, "Ask a colleague.", "none", 7 + 11),
    "no remote": (UNSURE, None, {}, NOTHING, "none", 7),
    "remote down": (
        UNSURE,
        {"error": RemoteDownError("down")},
        {"on_remote_error": "no_answer"},
        NOTHING,
        "none",
        7,
    ),
    "local as it stands": (
        UNSURE,
        {"error": RemoteDownError("down")},
        {"on_remote_error": "local"},
        "Lyon is it, I think",
        "local",
        11,
    ),
    "fallback function": (
        UNSURE,
        UNSURE,
        {"fallback": lambda given: f"F{len(given['messages'])}"},
        "F1",
        "fallback",
        18,
    ),
    "not stopped": (UNSURE, OTHER, {"early_rejection": False}, "It is Rome", "remote", 11 + 8),
}


def _plain(message: Any) -> AIMessage:
    """Returns a message without what is another's at each call: its id, and how long it took."""
    message = message_chunk_to_message(message)
    about = {**message.response_metadata, "twosup": {**message.response_metadata["twosup"], "seconds": 0}}
    return message.model_copy(update={"id": None, "response_metadata": about})


@pytest.fixture(params=sorted(CASES))
def case(request, chat):
    """Each case: a chat model, and what its message must be."""
    local, remote, options, *expected = CASES[request.param]
    return chat(local, remote, **options), *expected


def test_the_message_is_that_of_the_model_that_is_trusted_and_tells_what_both_cost(case) -> None:
    model, text, source, tokens = case
    message = model.invoke("Where?")
    decision = message.response_metadata["twosup"]
    assert (message.content, decision["source"]) == (text, source)
    assert message.usage_metadata["total_tokens"] == tokens
    assert json.loads(json.dumps(decision)) == decision


async def test_all_call_styles_give_the_same_message(case) -> None:
    model, *_ = case
    expected = _plain(model.invoke("Where?"))
    streamed = None
    for chunk in model.stream("Where?"):
        streamed = chunk if streamed is None else streamed + chunk
    astreamed = None
    async for chunk in model.astream("Where?"):
        astreamed = chunk if astreamed is None else astreamed + chunk
    others = [streamed, astreamed, await model.ainvoke("Where?"), *model.batch(["Where?"] * 2)]
    others += await model.abatch(["Where?"] * 2)
    assert [_plain(message) for message in others] == [expected] * len(others)


def test_the_decision_tells_verdicts_and_usage_of_both(chat) -> None:
    decision = chat(UNSURE, OTHER).invoke("Where?").response_metadata["twosup"]
    assert decision["verdicts"]["local"] == {
        "score": pytest.approx(0.2),
        "threshold": 0.5,
        "trusted": False,
        "scorer": "min_token_probability",
    }
    assert decision["verdicts"]["remote"]["trusted"]
    assert decision["usage"]["local"]["output_tokens"] == 2
    assert decision["usage"]["remote"]["output_tokens"] == 3
    assert decision["status"] == "answered"
    assert decision["model"] == "large"
    assert decision["stopped_early"]
    assert "local answer not trusted (min_token_probability 0.200 < 0.500)" in decision["reason"]


def test_a_trusted_no_answer_keeps_its_words(chat) -> None:
    message = chat([("Un", 0.9), ("answerable", 0.9), (".", 0.9)], None).invoke("Where?")
    assert message.content == "Unanswerable."
    assert message.response_metadata["twosup"]["status"] == "unanswerable"


def test_the_conversation_and_the_options_of_a_call_reach_both_models(chat) -> None:
    model = chat(UNSURE, OTHER, temperature=0.3, stop=["END"])
    messages = [SystemMessage("Be brief."), HumanMessage("Hi."), AIMessage("Hello."), HumanMessage("Where?")]
    model.invoke(messages, stop=["\n"], max_tokens=9, model="other")
    for part, own in ((model.local, {}), (model.remote, {"model": "other"})):
        ((asked, options),) = part.asked
        assert list(asked) == messages
        assert options == {"stop": ["END", "\n"], "temperature": 0.3, "max_tokens": 9, **own}


def test_supervisors_are_told_the_last_human_message_and_the_context(chat) -> None:
    seen = []

    def scorer(question, answer) -> float:
        seen.append((question.question, question.context, answer.text))
        return 1.0

    model = chat(local_supervisor=Supervisor(scorer, threshold=0.5), context=lambda messages: messages[0].text)
    model.invoke([SystemMessage("Paris."), HumanMessage("Hi."), AIMessage("Hello."), HumanMessage("Where?")])
    assert seen == [("Where?", "Paris.", "Paris is it")]


def test_a_chat_model_as_fallback_is_given_the_conversation(chat) -> None:
    fallback = chat(SURE, None).local
    message = chat(UNSURE, UNSURE, fallback=fallback).invoke([SystemMessage("Be brief."), HumanMessage("Where?")])
    assert message.content == "Paris is it."
    assert message.response_metadata["twosup"]["model"] == "small"
    assert [len(messages) for messages, _ in fallback.asked] == [2]
    assert message.usage_metadata["total_tokens"] == 7 + 11 + 8


# -- errors ------------------------------------------------------------------------------------------------------------


def test_a_failing_remote_raises_unless_told_otherwise(chat) -> None:
    model = chat(UNSURE, {"error": RemoteDownError("down")})
    with pytest.raises(RemoteDownError):
        model.invoke("Where?")
    with pytest.raises(RemoteDownError):
        list(model.stream("Where?"))


def test_nobody_trusted_may_be_an_error(chat) -> None:
    with pytest.raises(NoTrustedAnswerError):
        chat(UNSURE, UNSURE, fallback="raise").invoke("Where?")


def test_a_refusal_of_the_remote_is_a_failure(chat) -> None:
    class Refusing(type(chat().remote)):
        def _generate(self, *_: Any, **__: Any) -> Any:
            result = super()._generate(*_, **__)
            result.generations[0].message.response_metadata["finish_reason"] = "content_filter"
            return result

    with pytest.raises(RefusalError):
        chat(UNSURE, Refusing(tokens=OTHER)).invoke("Where?")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"local": 3}, "local=3 is no chat model"),
        ({"remote": object()}, "remote=.* is no chat model"),
        ({"remote_supervisor": None}, "remote is given without remote_supervisor"),
        ({"no_answer": " "}, "no_answer=' ' is blank"),
        ({"on_remote_error": "fallback"}, "needs a fallback"),
        ({"local_supervisor": 0.5}, "local_supervisor"),
        ({"remote_tokens": "soon"}, "remote_tokens"),
    ],
)
def test_a_wrong_option_is_named(chat, options, words) -> None:
    with pytest.raises(ConfigurationError, match=words):
        chat(**options)


def test_a_misspelt_option_lists_the_good_ones(chat) -> None:
    with pytest.raises(UnknownOptionError, match="early_rejection"):
        chat(early_rejecton=True)


# -- tools -------------------------------------------------------------------------------------------------------------

CALL = {"name": "Weather", "args": '{"city": "Paris"}', "id": "1", "index": 0}


class Weather(BaseModel):
    """Says what the weather is."""

    city: str


@pytest.mark.parametrize("local_tools", [False, True])
async def test_tool_calls_pass_without_a_verdict(chat, local_tools) -> None:
    never = Supervisor(lambda question, answer: 0.0, threshold=1.0)
    model = chat({"calls": [CALL]}, {"calls": [CALL]}, local_tools=local_tools, remote_supervisor=never)
    bound = model.bind_tools([Weather])
    streamed = None
    for chunk in bound.stream("Weather?"):
        streamed = chunk if streamed is None else streamed + chunk
    for message in (bound.invoke("Weather?"), await bound.ainvoke("Weather?"), streamed):
        assert [(call["name"], call["args"]) for call in message.tool_calls] == [("Weather", {"city": "Paris"})]
        decision = message.response_metadata["twosup"]
        assert decision["source"] == ("local" if local_tools else "remote")
        assert decision["verdicts"] == {"local": None, "remote": None}
    assert bool(model.local.asked) is local_tools


def test_a_text_in_a_turn_with_tools_is_judged(chat) -> None:
    model = chat(UNSURE, OTHER, local_tools=True).bind_tools([Weather])
    assert model.invoke("Where?").content == "It is Rome"


def test_a_local_model_that_was_told_to_call_a_tool_is_not_trusted_with_a_text(chat) -> None:
    model = chat(SURE, {"calls": [CALL]}, local_tools=True).bind_tools([Weather], tool_choice="any")
    message = model.invoke("Weather?")
    assert message.tool_calls
    assert "told to call a tool" in message.response_metadata["twosup"]["reason"]
    assert message.usage_metadata["total_tokens"] == 8  # of the local text; the call reports none


def test_structured_output_comes_from_the_hosted_model(chat) -> None:
    model = chat(SURE, {"calls": [CALL]})
    assert model.with_structured_output(Weather).invoke("Weather?") == Weather(city="Paris")
    assert model.local.asked == []


def test_tools_that_nobody_can_call_are_an_error(chat) -> None:
    with pytest.raises(ConfigurationError, match="local_tools=True"):
        chat(SURE, None).bind_tools([Weather])


# -- at home in LangChain ----------------------------------------------------------------------------------------------


class Runs(BaseCallbackHandler):
    """Keeps for every run what began it, with its tags and parent, and all tokens that were shown."""

    def __init__(self) -> None:
        self.names: dict[Any, str] = {}
        self.began: list[tuple[str, str | None, tuple[str, ...]]] = []
        self.tokens: list[str] = []
        self.errors: list[str] = []
        self.events: list[tuple[str, Any]] = []

    def _begin(
        self, serialized: Any, *_: Any, run_id: Any, parent_run_id: Any = None, tags: Any, name: Any = None, **__: Any
    ) -> None:
        self.names[run_id] = name or serialized["id"][-1]
        shown = tuple(sorted(tag for tag in tags if tag != "nostream"))
        self.began.append((self.names[run_id], self.names.get(parent_run_id), shown))

    on_chat_model_start = on_chain_start = _begin

    def on_llm_new_token(self, token: str, **_: Any) -> None:
        self.tokens.append(token)

    def on_llm_error(self, error: BaseException, **_: Any) -> None:
        self.errors.append(str(error))

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        self.events.append((name, data))


def _began(model: TwoSupervisorChatModel, runs: Runs, how: str) -> None:
    config = {"callbacks": [runs], "tags": ["mine"], "run_name": "chat"}
    if how == "invoke":
        model.invoke("Where?", config)
    else:
        list(model.stream("Where?", config))


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_traces_are_nested_and_tagged_as_the_architecture(chat, how) -> None:
    runs = Runs()
    _began(chat(UNSURE, OTHER), runs, how)
    assert runs.began == [
        ("chat", None, ("mine",)),
        ("local", "chat", ("local", "mine")),
        ("remote", "chat", ("mine", "remote")),
        ("remote_supervisor", "chat", ("mine", "remote_supervisor")),
    ]
    assert runs.errors == [
        "stopped after 2 tokens: min_token_probability can reach 0.200 at most, and 0.500 is asked for"
    ]


async def test_asynchronous_traces_are_the_same(chat) -> None:
    expected, runs = Runs(), Runs()
    _began(chat(UNSURE, OTHER), expected, "stream")
    config = {"callbacks": [runs], "tags": ["mine"], "run_name": "chat"}
    [chunk async for chunk in chat(UNSURE, OTHER).astream("Where?", config)]
    await chat(UNSURE, OTHER).ainvoke("Where?", config)
    assert [sorted(item[2]) for item in runs.began] == [sorted(item[2]) for item in expected.began] * 2
    assert runs.errors == expected.errors * 2


@pytest.mark.parametrize("how", ["invoke", "stream"])
def test_events_tell_what_goes_on_and_hold_no_text(chat, how) -> None:
    runs = Runs()
    _began(chat(UNSURE, OTHER), runs, how)
    assert [(name, data["role"]) for name, data in runs.events] == [
        ("twosup_asked", "local"),
        ("twosup_verdict", "local"),
        ("twosup_asked", "remote"),
        ("twosup_verdict", "remote"),
    ]
    assert [data["stopped_early"] for name, data in runs.events if name == "twosup_verdict"] == [True, False]
    assert "Lyon" not in str(runs.events)


def test_what_is_counted_by_model_name_counts_no_token_twice(chat) -> None:
    with get_usage_metadata_callback() as counted:
        message = chat(SURE, OTHER, early_rejection=False).invoke("Where?")
    by_model = counted.usage_metadata
    assert by_model["small"]["total_tokens"] == message.usage_metadata["total_tokens"] == 8
    assert set(by_model) == {"small", "twosup"}


def test_a_part_can_be_configured_at_run_time(chat) -> None:
    options = {"scorer": "min_token_probability", "threshold": 0.5}
    supervisor = Supervisor(**options).configurable_fields(threshold=ConfigurableField("threshold"))
    model = chat(SURE, OTHER, local_supervisor=supervisor)
    config = {"configurable": {"threshold": 0.95}}
    assert model.invoke("Where?").content == "Paris is it."
    assert model.invoke("Where?", config).content == "It is Rome"
    assert "".join(chunk.content for chunk in model.stream("Where?", config)) == "It is Rome"


def test_the_models_of_a_binding_keep_their_options(chat) -> None:
    plain = chat(UNSURE, {"calls": [CALL]})
    model = chat(plain.local, plain.remote.bind(seed=7)).bind_tools([Weather])
    assert model.invoke("Weather?").tool_calls
    ((_, options),) = plain.remote.asked
    assert options["seed"] == 7


def test_a_supervised_model_may_be_the_local_one_of_another(chat) -> None:
    inner = chat(UNSURE, OTHER)
    outer = chat(inner, SURE)
    assert outer.invoke("Where?").content == "It is Rome"
    assert "".join(chunk.content for chunk in outer.stream("Where?")) == "It is Rome"


def test_langsmith_is_told_the_name(chat) -> None:
    params = chat(model_name="support-bot", max_tokens=7)._get_ls_params(stop=["x"])
    assert (params["ls_provider"], params["ls_model_name"], params["ls_max_tokens"]) == ("twosup", "support-bot", 7)


def test_tokens_are_counted_by_a_local_model_that_is_given_by_name_or_as_a_binding(chat, monkeypatch) -> None:
    class Counting(FakeListChatModel):
        def get_token_ids(self, text):
            return [len(text)]

    bound, named = Counting(responses=[""]).bind(stop=["."]), NamedChatModel("openai:small")
    monkeypatch.setitem(vars(named), "resolved", bound)
    for local in (bound, named):
        assert chat(local, OTHER).get_token_ids("four") == [4]


@pytest.mark.parametrize("bound", [False, True])
def test_a_local_model_that_is_given_by_name_is_given_tools_where_it_is_to_call_them(chat, monkeypatch, bound) -> None:
    named, small = NamedChatModel("openai:small"), chat({"calls": [CALL]}).local
    monkeypatch.setitem(vars(named), "resolved", small)
    model = chat(named.bind(seed=7) if bound else named, OTHER, local_tools=True).bind_tools([Weather])
    message = model.invoke("Weather?")
    assert message.tool_calls
    assert message.response_metadata["twosup"]["source"] == "local"


def test_what_identifies_the_model_holds_its_thresholds(chat) -> None:
    params = chat()._identifying_params
    assert params["local"] == "small"
    assert params["local_supervisor"] == {"scorer": "min_token_probability", "thresholds": (0.5, 0.5), "missing": None}
    json.dumps(params)
