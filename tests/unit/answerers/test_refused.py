"""A provider that refuses log-probabilities is asked once more without them, and without them from then on."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import ConfigurableField
from pydantic import Field

from twosup_chain import ChatAnswerer, Supervisor, TwoSupervisorChain
from twosup_chain.answerers.refused import without_logprobs


class BadRequestError(Exception):
    status_code = 400


class Remote(BaseChatModel):
    """A chat model of a provider that has no log-probabilities."""

    model_name: str = "plain-1"
    logprobs: bool | None = None
    top_logprobs: int | None = None
    model_kwargs: dict[str, Any] = Field(default_factory=dict)
    temperature: float = 0.0
    says: str = "logprobs are not supported with this model"
    asked: Any = Field(default_factory=list, repr=False)
    temperatures: Any = Field(default_factory=list, repr=False)
    error: type[Exception] = BadRequestError

    @property
    def _llm_type(self) -> str:
        return "remote"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: object = None,
        **options: Any,
    ) -> ChatResult:
        asks = any(source.get("logprobs") for source in (self.model_kwargs, {"logprobs": self.logprobs}, options))
        self.asked.append(asks)
        self.temperatures.append(self.temperature)
        if asks:
            raise self.error(self.says)
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Ada"))])


ASKING = {
    "its own option": lambda model: model.model_copy(update={"logprobs": True, "top_logprobs": 5}),
    "its other options": lambda model: model.model_copy(update={"model_kwargs": {"logprobs": True, "seed": 1}}),
    "bound": lambda model: model.bind(logprobs=True),
    "bound, retried": lambda model: model.bind(logprobs=True, stop=["."]).with_retry(stop_after_attempt=1),
    "with fallbacks": lambda model: model.bind(logprobs=True).with_fallbacks([model.bind(logprobs=True)]),
    "configurable": lambda model: model.model_copy(update={"logprobs": True}).configurable_fields(
        temperature=ConfigurableField("temperature")
    ),
}


@pytest.mark.parametrize("asks", ASKING.values(), ids=ASKING)
async def test_it_is_asked_once_more_and_then_never_with_them_again(asks):
    model = Remote()
    answerer = ChatAnswerer(asks(model))
    with pytest.warns(UserWarning, match="plain-1 refuses log-probabilities"):
        assert answerer.invoke("Who?").text == "Ada"
    refused = len(model.asked)
    assert model.asked == [True] * (refused - 1) + [False]
    warnings.simplefilter("error")
    assert (await answerer.ainvoke("Who?")).text == "Ada"
    assert [answer.text for answer in answerer.batch(["Who?"] * 3)] == ["Ada"] * 3
    assert not any(model.asked[refused:])


def test_a_call_that_asks_for_them_itself_is_served_too():
    model = Remote()
    answerer = ChatAnswerer(model)
    with pytest.warns(UserWarning, match="plain-1"):
        assert answerer.invoke("Who?", logprobs=True).text == "Ada"
    assert answerer.invoke("Who?", logprobs=True).text == "Ada"
    assert model.asked == [True, False, False]


def test_what_is_configured_reaches_the_model_all_the_same():
    model = Remote(logprobs=True)
    answerer = ChatAnswerer(model.configurable_fields(temperature=ConfigurableField("temperature")))
    with pytest.warns(UserWarning, match="plain-1"):
        answerer.invoke("Who?", {"configurable": {"temperature": 0.7}})
    assert model.temperatures == [0.7, 0.7]


def test_copies_share_what_is_known_and_a_chain_holds_none_of_it():
    model = Remote(logprobs=True)
    answerer = ChatAnswerer(model)
    configurable = answerer.configurable_fields(instructions=ConfigurableField("instructions"))
    chain = TwoSupervisorChain(
        local=lambda _: None,
        local_supervisor=Supervisor(lambda question, answer: 0.0, threshold=0.5),
        remote=configurable,
        remote_supervisor=Supervisor(lambda question, answer: 1.0, threshold=0.5),
    )
    before = repr(chain)
    with pytest.warns(UserWarning, match="plain-1"):
        assert chain.invoke("Who?", {"configurable": {"instructions": "Be short."}}).answer == "Ada"
    for other in (answerer, copy.deepcopy(answerer), pickle.loads(pickle.dumps(answerer))):  # noqa: S301
        other.invoke("Who?")
    assert model.asked[:3] == [True, False, False]
    assert repr(chain) == before


@pytest.mark.parametrize(
    ("says", "error"),
    [
        ("you are not allowed to request logprobs from this model", type("Denied", (Exception,), {"status_code": 403})),
        ("Unknown field: Logprobs", ValueError),
        ("extra fields not permitted", type("Malformed", (Exception,), {"status_code": 422})),
        ("bad request", type("Other", (Exception,), {"response": type("R", (), {"status_code": 400})()})),
    ],
)
def test_refusals_come_in_several_forms(says, error):
    with pytest.warns(UserWarning, match="refuses"):
        assert ChatAnswerer(Remote(logprobs=True, says=says, error=error)).invoke("Who?").text == "Ada"


@pytest.mark.parametrize("status", [401, 404, 429, 500, None])
def test_another_error_is_no_refusal_and_is_raised_at_once(status):
    model = Remote(logprobs=True, says="no", error=type("OtherError", (Exception,), {"status_code": status}))
    with pytest.raises(model.error, match="no"):
        ChatAnswerer(model).invoke("Who?")
    assert model.asked == [True]


def test_a_request_that_is_refused_either_way_is_no_refusal_of_log_probabilities():
    class Never(Remote):
        def _generate(self, *_: Any, **__: Any) -> ChatResult:
            raise BadRequestError("context length exceeded")

    answerer = ChatAnswerer(Never(logprobs=True))
    warnings.simplefilter("error")
    with pytest.raises(BadRequestError, match="context length"):
        answerer.invoke("Who?")


def test_a_model_that_asks_for_none_is_left_alone():
    for value in (Remote(), Remote().bind(stop=["."]), Remote().with_fallbacks([Remote()]), object()):
        assert without_logprobs(value) is value
