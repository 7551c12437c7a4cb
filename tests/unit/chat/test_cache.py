"""A decision is never taken from a cache, since no cache knows what it was judged by."""

from __future__ import annotations

import asyncio
import copy
import pickle
from functools import partial

import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.globals import set_llm_cache
from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField

from twosup_chain import Supervisor, TwoSupervisorChatModel
from twosup_chain.errors import ConfigurationError

SURE = [("Paris", 0.9), (" is", 0.8), (" it.", 0.9)]
UNSURE = [("Lyon", 0.9), (" is", 0.2)]


@pytest.fixture
def global_cache():
    set_llm_cache(InMemoryCache())
    yield
    set_llm_cache(None)


@pytest.mark.parametrize("style", ["invoke", "ainvoke", "generate", "stream"])
@pytest.mark.usefixtures("global_cache")
def test_two_models_that_differ_in_their_passage_never_answer_from_each_others(chat, style) -> None:
    in_context = Supervisor("in_context", threshold=0.5)
    said = [("Paris", 0.9)]

    def reply(passage):
        model = chat(
            said, said, context=lambda messages: passage, local_supervisor=in_context, remote_supervisor=in_context
        )
        match style:
            case "ainvoke":
                return asyncio.run(model.ainvoke("Where?")).text
            case "generate":
                return model.generate([[HumanMessage("Where?")]]).generations[0][0].text
            case "stream":
                return "".join(chunk.text for chunk in model.stream("Where?"))
        return model.invoke("Where?").text

    assert reply("It stands in Paris.") == "Paris"
    assert reply("It stands in Rome.") != "Paris"
    assert reply("It stands in Paris, too.") == "Paris"


@pytest.mark.usefixtures("global_cache")
def test_the_models_below_may_be_cached_and_are_judged_anew(chat) -> None:
    model = chat(UNSURE, SURE)
    first, second = model.invoke("Where?"), model.invoke("Where?")
    assert first.text == second.text
    assert len(model.remote.asked) == 1


@pytest.mark.parametrize("cache", [True, InMemoryCache()])
def test_a_cache_of_the_decision_is_refused(chat, cache) -> None:
    with pytest.raises(ConfigurationError, match="give local and remote one each"):
        chat(SURE, SURE, cache=cache)
    model = chat(SURE, SURE, cache=None)
    assert model.cache is chat(SURE, SURE, cache=False).cache is False
    with pytest.raises(ConfigurationError, match="give local and remote one each"):
        model.cache = cache
    model.cache = False


class OfMyOwn(TwoSupervisorChatModel):
    """A user's subclass."""


LATER = {
    "model_copy": lambda model: model.model_copy(update={"cache": True}),
    "a cache of its own": lambda model: model.model_copy(update={"cache": InMemoryCache()}),
    "__dict__": lambda model: model.__dict__.update(cache=True) or model,
    "model_construct": lambda model: TwoSupervisorChatModel.model_construct(**{**model.__dict__, "cache": True}),
    "bind": lambda model: model.bind(),
    "pickle": lambda model: pickle.loads(pickle.dumps(model)),  # noqa: S301
    "subclass": lambda model: OfMyOwn(**model.__dict__),
    "deepcopy": copy.deepcopy,
}


@pytest.mark.usefixtures("global_cache")
@pytest.mark.parametrize("later", LATER)
def test_whatever_is_set_later_no_decision_is_cached(chat, later) -> None:
    def reply(passage):
        judge = Supervisor("in_context", threshold=0.5)
        model = chat(SURE, SURE, context=partial(_say, passage), local_supervisor=judge, remote_supervisor=judge)
        return LATER[later](model).invoke("Where?").response_metadata["twosup"]["status"]

    assert reply("It says Paris is it.") == "answered"
    assert reply("It stands in Rome.") == "untrusted"


def _say(passage, messages):
    return passage


def test_a_cache_is_no_option_that_is_configured_or_bound(chat) -> None:
    model = chat(SURE, SURE)
    with pytest.raises(ValueError, match="cache"):
        model.configurable_fields(cache=ConfigurableField(id="cache"))
    assert model.bind(cache=False).invoke("Where?").text
    with pytest.raises(ConfigurationError, match="give local and remote one each"):
        model.bind(cache=True).invoke("Where?")
