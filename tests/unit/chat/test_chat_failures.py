"""No failure of a part ends a turn of a chat model, in any call style."""

from __future__ import annotations

import asyncio

import pytest

from twosup_chain import Supervisor

SURE = [("Paris", 0.9), (" is", 0.8), (" it.", 0.9)]
OTHER = [("It", 0.9), (" is", 0.9), (" Rome", 0.9)]
NOTHING = "No answer was found that can be trusted."
STYLES = ["invoke", "ainvoke", "batch", "abatch", "stream", "astream"]


def call(model, style):
    async def drain():
        return [chunk async for chunk in model.astream("Where?")]

    match style:
        case "invoke":
            return model.invoke("Where?")
        case "ainvoke":
            return asyncio.run(model.ainvoke("Where?"))
        case "batch":
            return model.batch(["Where?"])[0]
        case "abatch":
            return asyncio.run(model.abatch(["Where?"]))[0]
    first, *others = model.stream("Where?") if style == "stream" else asyncio.run(drain())
    return sum(others, first)


@pytest.mark.parametrize(
    "local",
    [
        {"error": TimeoutError()},
        {"error": RuntimeError("500")},
        {"tokens": [], "error": ConnectionError("reset")},
        {"tokens": []},
        {"tokens": [("Par", 0.9)], "error": ConnectionError("cut off")},
    ],
    ids=["timeout", "500", "reset", "empty", "cut off"],
)
@pytest.mark.parametrize("style", STYLES)
def test_a_local_model_that_fails_is_no_end_in_any_call_style(chat, local, style) -> None:
    message = call(chat(local, OTHER), style)
    decision = message.response_metadata["twosup"]
    assert (message.text, decision["source"], decision["error"]) == ("It is Rome", "remote", None)
    assert "the local model could not answer" in decision["reason"]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "context", [lambda messages: 1 / 0, lambda messages: 7, None], ids=["fails", "wrong", "scorer"]
)
def test_a_supervisor_that_fails_trusts_nothing_in_any_call_style(chat, style, context) -> None:
    def fails(question, answer):
        raise KeyError("x")

    broken = Supervisor("grounded", threshold=0.5, missing=1.0) if context else Supervisor(fails, threshold=0.5)
    model = chat(SURE, OTHER, context=context, local_supervisor=broken, remote_supervisor=broken)
    message = call(model, style)
    assert (message.text, message.usage_metadata["total_tokens"]) == (NOTHING, 16)
    assert message.response_metadata["twosup"]["reason"].count("could not judge") == 2
