"""Models of `init_chat_model` that are configured at a call, with a provider that refuses log-probabilities."""

from __future__ import annotations

import json

import pytest

from twosup_chain import ChatAnswerer, Supervisor, TwoSupervisorChain

httpx = pytest.importorskip("httpx")
pytest.importorskip("langchain_openai")
chat_models = pytest.importorskip("langchain.chat_models")


class Provider:
    """An OpenAI-compatible provider without log-probabilities."""

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.client = httpx.Client(transport=httpx.MockTransport(self.answer))

    def answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.asked.append(body)
        if "logprobs" in body or "top_logprobs" in body:
            return httpx.Response(400, json={"error": {"message": "logprobs is not supported with this model"}})
        message = {"role": "assistant", "content": "Ada"}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return httpx.Response(200, json={"id": "1", "model": body["model"], "choices": [choice]})


def test_configurable_reaches_the_model_and_a_refusal_is_met_once_for_each_model():
    provider = Provider()
    model = chat_models.init_chat_model(
        "gpt-x",
        model_provider="openai",
        configurable_fields=("model", "temperature"),
        base_url="http://provider/v1",
        api_key="none",
        http_client=provider.client,
        logprobs=True,
        top_logprobs=2,
        max_retries=0,
    )
    chain = TwoSupervisorChain(
        local=lambda _: None,
        local_supervisor=Supervisor(lambda question, answer: 0.0, threshold=0.5),
        remote=model,
        remote_supervisor=Supervisor(lambda question, answer: 1.0, threshold=0.5),
    )
    assert isinstance(chain.remote, ChatAnswerer)
    for name in ("gpt-y", "gpt-z"):
        with pytest.warns(UserWarning, match=f"{name} refuses log-probabilities"):
            first = chain.invoke("Who?", {"configurable": {"model": name, "temperature": 0.25}})
        again = chain.invoke("Who?", {"configurable": {"model": name}})
        assert (first.answer, first.remote.model, again.answer) == ("Ada", name, "Ada")
    asked = [(body["model"], body.get("temperature"), "logprobs" in body) for body in provider.asked]
    assert asked == [
        (name, temperature, asks)
        for name in ("gpt-y", "gpt-z")
        for temperature, asks in ((0.25, True), (0.25, False), (None, False))
    ]
