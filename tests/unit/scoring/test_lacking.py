"""A scorer that will never have its evidence says so when the chain is built, where that can be known."""

from __future__ import annotations

import warnings

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage
from langchain_core.runnables import ConfigurableField

from twosup_chain import (
    Answer,
    ChatAnswerer,
    ExtractiveReader,
    SelfConsistent,
    Supervisor,
    TwoSupervisorChain,
    TwoSupervisorChatModel,
)
from twosup_chain.answerers.named_chat_model import NamedChatModel
from twosup_chain.errors import MissingEvidenceWarning

openai = pytest.importorskip("langchain_openai")


def mine(question):
    return Answer("a")


def hosted(**options):
    return openai.ChatOpenAI(model="m", api_key="none", **options)


def built(local=mine, local_scorer="answerability", remote=mine, remote_scorer="in_context", **missing):
    return TwoSupervisorChain(
        local=local,
        local_supervisor=Supervisor(local_scorer, threshold=0.5, **missing),
        remote=remote,
        remote_supervisor=Supervisor(remote_scorer, threshold=0.5, **missing),
    )


STATES = ChatAnswerer(hosted(logprobs=True), stated_confidence=True)
BLIND = [
    ({"local": ExtractiveReader(), "local_scorer": "min_token_probability"}, "local_supervisor: min_token_probability"),
    ({"local": ExtractiveReader(), "local_scorer": "stated_confidence"}, "stated_confidence=True"),
    ({"local_scorer": "agreement"}, "a scorer for remote_supervisor"),
    ({"remote": hosted(), "remote_scorer": "min_token_probability"}, "remote_supervisor: .*logprobs=True"),
    ({"remote": hosted().bind(stop=["!"]), "remote_scorer": "mean_token_margin"}, "top_logprobs=5"),
    ({"remote": "openai:m", "remote_scorer": "mean_token_probability"}, "logprobs=True"),
    ({"remote": hosted(logprobs=True), "remote_scorer": "stated_confidence"}, "stated_confidence=True"),
    (
        {
            "remote": ChatAnswerer(hosted(logprobs=True), stated_confidence=True),
            "remote_scorer": "min_token_probability",
        },
        "l",
    ),
    ({"remote": hosted(logprobs=True), "remote_scorer": "self_consistency"}, "samples=5"),
    (
        {"remote": hosted(), "local": ChatAnswerer(hosted()), "remote_scorer": "backed"},
        "ExtractiveReader, or take grounded",
    ),
]
SEEING = [
    {"local": ExtractiveReader()},
    {"local": ExtractiveReader(), "local_scorer": "backed", "remote": hosted(), "remote_scorer": "backed"},
    {"local_scorer": "min_token_probability", "remote_scorer": "stated_confidence"},
    {"remote": hosted(logprobs=True), "remote_scorer": "min_token_probability"},
    {"remote": hosted().bind(logprobs=True), "remote_scorer": "min_token_probability"},
    {"remote": hosted(model_kwargs={"x": 1}, logprobs=True).with_retry(), "remote_scorer": "min_token_probability"},
    {
        "remote": hosted().configurable_fields(logprobs=ConfigurableField(id="logprobs")),
        "remote_scorer": "min_token_probability",
    },
    {"remote": ChatAnswerer("openai:m", model_kwargs={"logprobs": True}), "remote_scorer": "min_token_probability"},
    {"remote": NamedChatModel("openai:m").bind(logprobs=True), "remote_scorer": "min_token_probability"},
    {"remote": "groq:m", "remote_scorer": "min_token_probability"},
    {"remote": GenericFakeChatModel(messages=iter([AIMessage("a")])), "remote_scorer": "min_token_probability"},
    {"remote": ChatAnswerer(hosted(), stated_confidence=True), "remote_scorer": "stated_confidence"},
    {"remote": SelfConsistent(hosted()), "remote_scorer": "self_consistency"},
    {"remote": SelfConsistent(hosted(logprobs=True)), "remote_scorer": "min_token_probability"},
    {"remote": hosted(), "remote_scorer": "agreement"},
    {"remote": hosted(), "remote_scorer": "grounded"},
    {"remote": hosted(), "remote_scorer": lambda question, answer: 1.0},
    {"local": ExtractiveReader(), "local_scorer": "min_token_probability", "missing": 0.0},
]


@pytest.mark.parametrize(("parts", "said"), BLIND)
def test_a_scorer_that_will_never_see_says_so(parts, said) -> None:
    with pytest.warns(MissingEvidenceWarning, match=said):
        built(**parts)


@pytest.mark.parametrize("parts", SEEING)
def test_one_that_may_see_is_silent(parts) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", MissingEvidenceWarning)
        built(**parts)


def test_so_does_a_chat_model() -> None:
    judge = Supervisor("mean_token_probability", threshold=0.5)
    with pytest.warns(MissingEvidenceWarning, match="local_supervisor: mean_token_probability"):
        TwoSupervisorChatModel(local=hosted(), local_supervisor=judge)
    with pytest.warns(MissingEvidenceWarning, match="pass context="):
        TwoSupervisorChatModel(local=hosted(), local_supervisor=Supervisor("grounded", threshold=0.5))
    with pytest.warns(MissingEvidenceWarning, match="answerability"):
        TwoSupervisorChatModel(local=hosted(), local_supervisor=Supervisor("answerability", threshold=0.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error", MissingEvidenceWarning)
        TwoSupervisorChatModel(local=hosted(logprobs=True), local_supervisor=judge)
        about = {"context": lambda messages: "c", "local_supervisor": Supervisor("in_context", threshold=0.5)}
        TwoSupervisorChatModel(local=hosted(), **about)
