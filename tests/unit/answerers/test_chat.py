from __future__ import annotations

import asyncio
from typing import Any

import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel, FakeListLLM
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableLambda
from pydantic import Field

from twosup_chain import Answer, ChatAnswerer, QAInput
from twosup_chain.answerers.named_chat_model import NamedChatModel
from twosup_chain.answerers.prompt import INSTRUCTIONS, PromptExample
from twosup_chain.errors import (
    ConfigurationError,
    EmptyAnswerError,
    InputError,
    NotTextError,
    RefusalError,
    UnknownOptionError,
)

USAGE = {"input_tokens": 40, "output_tokens": 2, "total_tokens": 42}
REPLY = AIMessage(
    "Ellen Marsh",
    usage_metadata=USAGE,
    response_metadata={
        "model_name": "gpt-x",
        "logprobs": {"content": [{"token": "Ellen", "logprob": -0.01}, {"token": " Marsh", "logprob": -0.2}]},
    },
)
ANSWER = Answer("Ellen Marsh", token_logprobs=[("Ellen", -0.01), (" Marsh", -0.2)], usage=USAGE, model="gpt-x")
WHO = {"question": "Who designed it?", "context": "It was designed by Ellen Marsh."}


class Scripted(BaseChatModel):
    """Gives one reply for ever (or raises it), and remembers what it was asked with."""

    reply: Any = REPLY
    asked: list = Field(default_factory=list)
    options: list = Field(default_factory=list)

    @property
    def _llm_type(self):
        return "scripted"

    def _generate(self, messages, stop=None, run_manager=None, **kwargs):
        self.asked.append(messages)
        self.options.append({"stop": stop, **kwargs})
        if isinstance(self.reply, Exception):
            raise self.reply
        return ChatResult(generations=[ChatGeneration(message=self.reply)])


def without_seconds(answer):
    return answer.model_copy(update={"seconds": None})


async def ask(style, answerer, *inputs, config=None):
    """Asks in any of the six call styles; returns the list of answers."""
    if style == "invoke":
        return [answerer.invoke(value, config) for value in inputs]
    if style == "ainvoke":
        return [await answerer.ainvoke(value, config) for value in inputs]
    if style == "batch":
        return answerer.batch(list(inputs), config)
    if style == "abatch":
        return await answerer.abatch(list(inputs), config)
    if style == "stream":
        return [chunk for value in inputs for chunk in answerer.stream(value, config)]
    return [chunk for value in inputs async for chunk in answerer.astream(value, config)]


@pytest.fixture(params=["invoke", "ainvoke", "batch", "abatch", "stream", "astream"])
def style(request):
    return request.param


async def test_a_reply_becomes_an_answer_in_every_call_style(style):
    answers = await ask(style, ChatAnswerer(Scripted()), WHO, QAInput(**WHO))
    assert [without_seconds(answer) for answer in answers] == [ANSWER, ANSWER]


async def test_the_seconds_are_those_of_the_call():
    async def slow(_):
        await asyncio.sleep(0.05)
        return REPLY

    answer = await ChatAnswerer(RunnableLambda(slow)).ainvoke(WHO)
    assert 0.05 <= answer.seconds < 5


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (AIMessage(""), EmptyAnswerError),
        (AIMessage("", additional_kwargs={"refusal": "No."}), RefusalError),
        (AIMessage([{"type": "image_url", "image_url": {"url": "data:,"}}]), NotTextError),
        (TimeoutError("no reply in 5 s"), TimeoutError),
    ],
)
async def test_what_is_no_answer_raises_in_every_call_style(style, reply, error):
    with pytest.raises(error):
        await ask(style, ChatAnswerer(Scripted(reply=reply)), WHO)


async def test_a_question_that_cannot_be_read_raises_in_every_call_style(style):
    model = Scripted()
    with pytest.raises(InputError, match="blank"):
        await ask(style, ChatAnswerer(model), {"question": " "})
    assert model.asked == []


def test_in_a_batch_an_error_takes_the_place_of_its_answer():
    def reply(messages):
        return AIMessage("" if "empty" in messages[-1].content else "Ellen")

    answers = ChatAnswerer(RunnableLambda(reply)).batch(["empty?", "full?"], return_exceptions=True)
    assert isinstance(answers[0], EmptyAnswerError)
    assert answers[1].text == "Ellen"


# -- the prompt -------------------------------------------------------------------------------------------------------


def test_the_prompt_offers_unanswerable_and_ends_with_passages_and_question():
    model = Scripted()
    ChatAnswerer(model).invoke({"question": "Who?", "context": ["First text.", Document(page_content="Second text.")]})
    (messages,) = model.asked
    assert (messages[0].type, messages[0].content) == ("system", INSTRUCTIONS)
    assert "unanswerable" in messages[0].content
    assert messages[-1].type == "human"
    last = messages[-1].content
    assert last.index("First text.") < last.index("Second text.") < last.index("Who?")


def test_without_a_context_the_prompt_shows_no_passage():
    model = Scripted()
    ChatAnswerer(model).invoke("Who?")
    assert not any("Passage" in message.content for message in model.asked[0][1:])


def test_instructions_and_examples_can_be_edited():
    model = Scripted()
    example = PromptExample("Who sang?", "Nina Simone", "Nina Simone sang.")
    ChatAnswerer(model, instructions="Be brief.", examples=[example]).invoke(WHO)
    (messages,) = model.asked
    assert [message.type for message in messages] == ["system", "human", "ai", "human"]
    assert messages[0].content == "Be brief."
    assert "Nina Simone sang." in messages[1].content
    assert messages[2].content == "Nina Simone"


@pytest.mark.parametrize(
    ("context", "expected"), [(["A.", "B."], "A.\n\nB.|Who?"), ("A.", "A.|Who?"), ([], "|Who?"), (None, "|Who?")]
)
def test_a_template_of_the_users_own_takes_the_place_of_the_prompt(context, expected):
    model = Scripted()
    prompt = ChatPromptTemplate.from_messages([("system", "Répondez."), ("human", "{context}|{question}")])
    ChatAnswerer(model, prompt=prompt).invoke({"question": "Who?", "context": context})
    assert [message.content for message in model.asked[0]] == ["Répondez.", expected]


@pytest.mark.parametrize("template", ["Say hello.", "{context}", "{question} {context} {date}"])
def test_a_template_that_does_not_fit_is_an_error_at_once(template):
    with pytest.raises(ConfigurationError, match="prompt has the variables"):
        ChatAnswerer(Scripted(), prompt=ChatPromptTemplate.from_messages([("human", template)]))


def test_template_and_instructions_together_are_an_error():
    with pytest.raises(ConfigurationError, match="takes the place"):
        ChatAnswerer(Scripted(), prompt=ChatPromptTemplate.from_template("{question}"), instructions="Be brief.")


# -- the model --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda m: m.bind(stop=["."]), lambda m: m.with_config(tags=["x"]), lambda m: m])
def test_a_chat_model_may_be_bound_or_configured(wrap):
    assert without_seconds(ChatAnswerer(model=wrap(Scripted())).invoke(WHO)) == ANSWER


def test_a_model_that_replies_with_plain_text_is_read_in_the_same_way():
    answerer = ChatAnswerer(FakeListLLM(responses=['"Ellen"', "unanswerable", " "]))
    assert [answerer.invoke(WHO).text, answerer.invoke(WHO).text] == ["Ellen", None]
    with pytest.raises(EmptyAnswerError):
        answerer.invoke(WHO)


def test_a_model_that_replies_with_something_else_gave_no_answer():
    with pytest.raises(NotTextError):
        ChatAnswerer(RunnableLambda(lambda _: {"parsed": None, "raw": "x"})).invoke(WHO)


def test_keyword_arguments_of_a_call_go_to_the_model():
    model = Scripted()
    ChatAnswerer(model).bind(stop=["\n"], seed=7).invoke(WHO)
    assert model.options == [{"stop": ["\n"], "seed": 7}]


@pytest.mark.parametrize("model", [None, 7, print, Scripted])
def test_what_is_no_model_is_an_error_that_says_what_to_pass(model):
    with pytest.raises(ConfigurationError, match=r"pass a LangChain chat model, or its name as 'provider:model'"):
        ChatAnswerer(model)


def test_a_misspelt_option_is_an_error_that_lists_the_good_ones():
    with pytest.raises(UnknownOptionError, match="Did you mean 'instructions'"):
        ChatAnswerer(Scripted(), instruction="Be brief.")


def test_keys_are_never_shown():
    secret = {"api_key": "sk-secret"}
    answerer = ChatAnswerer("openai:gpt-x", model_kwargs=secret)
    shown = [repr(answerer), str(answerer.to_json()), answerer.model_dump_json(exclude={"model"}), repr(answerer.model)]
    assert repr(answerer.model) == "NamedChatModel('openai:gpt-x')"
    for options in ({"model": Scripted(), "model_kwargs": secret}, {"model": "x", "model_kwargs": secret, "name": 3}):
        with pytest.raises(ConfigurationError) as caught:
            ChatAnswerer(**options)
        shown.append(str(caught.value))
    with pytest.raises(ConfigurationError, match="model_kwargs is a list") as caught:
        ChatAnswerer("openai:gpt-x", model_kwargs=["sk-secret"], instructions=7)
    shown.append(str(caught.value))
    assert not any("sk-secret" in text for text in shown)


# -- as a Runnable ----------------------------------------------------------------------------------------------------


class Runs:
    """Writes down every run as (kind, name of the run, name of its parent's run)."""

    def __init__(self):
        self.names = {}
        self.found = []

    def note(self, kind, run_id, parent_run_id, name):
        self.names[run_id] = name
        self.found.append((kind, name, self.names.get(parent_run_id)))


class Handler(BaseCallbackHandler, Runs):
    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, name=None, **kwargs):
        self.note("chain", run_id, parent_run_id, name)

    def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, name=None, **kwargs):
        self.note("chat model", run_id, parent_run_id, name)


class AsyncHandler(AsyncCallbackHandler, Runs):
    async def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, name=None, **kwargs):
        self.note("chain", run_id, parent_run_id, name)

    async def on_chat_model_start(self, serialized, messages, *, run_id, parent_run_id=None, name=None, **kwargs):
        self.note("chat model", run_id, parent_run_id, name)


def by_name(model):
    """Returns the model as if its name had been looked up."""
    named = NamedChatModel("openai:gpt-x")
    vars(named)["resolved"] = model
    return named


@pytest.mark.parametrize("model", [Scripted(), by_name(Scripted())], ids=["model", "name"])
async def test_the_model_run_is_nested_in_the_answerer_run(style, model):
    handler = AsyncHandler() if style.startswith("a") else Handler()
    await ask(style, ChatAnswerer(model), WHO, config={"callbacks": [handler]})
    assert handler.found == [("chain", "ChatAnswerer", None), ("chat model", None, "ChatAnswerer")]


async def test_tags_and_metadata_reach_the_model(style):
    seen = []

    def reply(_, config):
        seen.append((config["tags"], config["metadata"].get("user")))
        return REPLY

    await ask(style, ChatAnswerer(RunnableLambda(reply)), WHO, config={"tags": ["t"], "metadata": {"user": 1}})
    assert seen == [(["t"], 1)]


def test_the_configurable_fields_of_the_model_are_the_answerers():
    answerer = ChatAnswerer(Scripted().configurable_fields(reply=ConfigurableField(id="reply")))
    assert [spec.id for spec in answerer.config_specs] == ["reply"]
    assert answerer.invoke(WHO, {"configurable": {"reply": AIMessage("Tom")}}).text == "Tom"


def test_the_types_of_input_and_output_are_known():
    assert ChatAnswerer(Scripted()).OutputType is Answer
    assert "question" in str(ChatAnswerer(Scripted()).get_input_jsonschema())


async def test_a_cancelled_call_cancels_the_model():
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def endless(_):
        started.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    task = asyncio.create_task(ChatAnswerer(RunnableLambda(endless)).ainvoke(WHO))
    await asyncio.wait_for(started.wait(), 5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cancelled.is_set()


async def test_two_hundred_calls_wait_at_the_same_time():
    waiting, all_here = 0, asyncio.Event()

    async def reply(_):
        nonlocal waiting
        waiting += 1
        if waiting == 200:
            all_here.set()
        await asyncio.wait_for(all_here.wait(), 30)
        return REPLY

    answerer = ChatAnswerer(RunnableLambda(reply))
    answers = await asyncio.gather(*(answerer.ainvoke(WHO) for _ in range(200)))
    assert {answer.text for answer in answers} == {"Ellen Marsh"}
