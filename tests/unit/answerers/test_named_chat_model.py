from __future__ import annotations

import asyncio
import pickle
import sys
import time
from itertools import repeat
from types import ModuleType

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField
from pydantic import BaseModel, model_validator

from twosup_chain import ChatAnswerer, Supervisor, TwoSupervisorChain
from twosup_chain.answerers.consistency import SelfConsistent
from twosup_chain.answerers.named_chat_model import NamedChatModel
from twosup_chain.errors import ConfigurationError, MissingExtraError


@pytest.mark.parametrize("name", ["", "gpt-4.1", "openai:", ":gpt-4.1"])
def test_a_name_without_a_provider_is_an_error_at_once(name):
    with pytest.raises(ConfigurationError, match="provider:model"):
        ChatAnswerer(name)


class Built:
    """A stand-in for a provider's module, which counts the models that were built."""

    def __init__(self):
        self.calls = []

    def __call__(self, *name, **kwargs):
        self.calls.append((*name, kwargs))
        return GenericFakeChatModel(messages=repeat(AIMessage("Ellen Marsh")))


def fake_module(monkeypatch, name, **members):
    module = ModuleType(name)
    vars(module).update(members)
    monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def langchain(monkeypatch):
    built = Built()
    fake_module(monkeypatch, "langchain")
    fake_module(monkeypatch, "langchain.chat_models", init_chat_model=built)
    return built


@pytest.fixture
def no_langchain(monkeypatch):
    monkeypatch.setitem(sys.modules, "langchain", None)
    monkeypatch.setitem(sys.modules, "langchain.chat_models", None)


async def test_a_name_is_looked_up_at_the_first_call_and_only_once(langchain):
    answerer = ChatAnswerer("anthropic:claude", model_kwargs={"temperature": 0})
    assert langchain.calls == []
    assert answerer.invoke("Who?").text == "Ellen Marsh"
    assert (await answerer.ainvoke("Who?")).text == "Ellen Marsh"
    assert langchain.calls == [("anthropic:claude", {"temperature": 0})]


def test_a_name_is_looked_up_once_although_langchain_rebuilds_a_configurable_answerer(langchain):
    answerer = ChatAnswerer("openai:gpt-x", model_kwargs={"temperature": 0}).configurable_fields(
        instructions=ConfigurableField(id="instructions")
    )
    for text in ("Be brief.", "Be exact."):
        answerer.invoke("Who?", {"configurable": {"instructions": text}})
    assert len(langchain.calls) == 1


def test_openai_needs_no_langchain(monkeypatch, no_langchain):
    built = Built()
    fake_module(monkeypatch, "langchain_openai", ChatOpenAI=built)
    answerer = ChatAnswerer("openai:gpt-x", model_kwargs={"base_url": "http://127.0.0.1:1/v1", "logprobs": True})
    assert answerer.invoke("Who?").text == "Ellen Marsh"
    assert built.calls == [({"model": "gpt-x", "base_url": "http://127.0.0.1:1/v1", "logprobs": True},)]


def test_the_missing_extra_is_named_with_its_command(monkeypatch, no_langchain):
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[openai\]'"):
        ChatAnswerer("openai:gpt-x").invoke("Who?")


def test_another_provider_needs_langchain_and_the_error_gives_the_command(no_langchain):
    with pytest.raises(
        ConfigurationError, match="pip install langchain langchain-google-genai, or pass the chat model"
    ):
        ChatAnswerer("google_genai:gemini").invoke("Who?")


def test_a_named_model_is_built_again_after_pickling(langchain):
    model = pickle.loads(pickle.dumps(NamedChatModel("openai:gpt-x", {"temperature": 0})))  # noqa: S301 (our own)
    assert model.invoke("Who?").text == "Ellen Marsh"
    assert langchain.calls == [("openai:gpt-x", {"temperature": 0})]


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("nobody:none", {}, "'nobody:none' cannot be made"),
        ("openai:gpt-4.1-mini", {}, "OPENAI_API_KEY"),
        ("openai:gpt-4.1-mini", {"api_key": "none", "temperature": "high"}, "temperature"),
    ],
)
def test_a_model_that_cannot_be_made_was_set_up_wrongly(monkeypatch, name, options, said) -> None:
    pytest.importorskip("langchain.chat_models")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    model = NamedChatModel(name, options)
    for chain in (
        TwoSupervisorChain(local=ChatAnswerer(model), local_supervisor=Supervisor("in_context", threshold=0.5)),
        ChatAnswerer(model),
    ):
        with pytest.raises(ConfigurationError, match=said):
            chain.invoke("q")


class Client(BaseModel):
    """A client that checks what it is made with, as pydantic does."""

    key: str
    retries: int = 0

    @model_validator(mode="before")
    @classmethod
    def _check(cls, given):
        if not given.get("api_key"):
            raise ValueError("a key is\nrequired: set CLIENT_API_KEY")
        return given


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"secret": "sk-1"}, "'some:m' cannot be made: a key is required: set CLIENT_API_KEY"),
        ({"api_key": "sk-1", "retries": "x"}, "'some:m' cannot be made: key: Field required; retries: Input should be"),
    ],
)
def test_what_a_client_checks_at_its_construction_is_one_line_without_the_values(monkeypatch, options, said):
    fake_module(monkeypatch, "langchain")
    fake_module(monkeypatch, "langchain.chat_models", init_chat_model=lambda _, **given: Client(**given))
    with pytest.raises(ConfigurationError, match=said) as caught:
        ChatAnswerer("some:m", model_kwargs=options).invoke("Who?")
    assert not any(part in str(caught.value) for part in ("sk-1", "\n", "pydantic"))


def slowly_imported(monkeypatch):
    """Lets a name be looked up slowly, as where a provider's client is imported."""
    built = Built()

    def look_up(*name, **kwargs):
        time.sleep(0.6)
        return built(*name, **kwargs)

    fake_module(monkeypatch, "langchain")
    fake_module(monkeypatch, "langchain.chat_models", init_chat_model=look_up)
    return built


def of(model) -> TwoSupervisorChain:
    judge = Supervisor(lambda *_: 0.0, threshold=0.5)
    return TwoSupervisorChain(
        local=lambda _: "Ada",
        local_supervisor=judge,
        remote=model,
        remote_supervisor=judge.model_copy(update={"threshold": 0.0}),
        deadline=0.4,
    )


@pytest.mark.parametrize("style", ["invoke", "ainvoke", "batch", "abatch"])
@pytest.mark.parametrize("around", [ChatAnswerer, lambda name: SelfConsistent(ChatAnswerer(name), samples=2)])
async def test_what_the_import_of_a_client_takes_is_not_the_questions_time(monkeypatch, style, around):
    built = slowly_imported(monkeypatch)
    chain, asked, beats = of(around("anthropic:claude")), {"question": "Who?", "context": "Ada"}, 0

    async def beat():
        nonlocal beats
        while True:
            beats += 1
            await asyncio.sleep(0.01)

    heart = asyncio.create_task(beat())
    match style:
        case "invoke":
            found = [chain.invoke(asked)]
        case "ainvoke":
            found = [await chain.ainvoke(asked)]
        case "batch":
            found = chain.batch([asked, "Whose?"])
        case _:
            found = await chain.abatch([asked, "Whose?"])
    heart.cancel()
    assert {result.source for result in found} == {"remote"}
    assert max(result.seconds for result in found) < 0.5
    assert len(built.calls) == 1
    assert beats > 5 or style in ("invoke", "batch")


def test_a_chain_that_was_warmed_up_has_its_hosted_model(langchain):
    chain = of("anthropic:claude")
    assert chain.warm_up().ready
    assert len(langchain.calls) == 1
    assert chain.invoke({"question": "Who?", "context": "Ada"}).source == "remote"
    assert len(langchain.calls) == 1
