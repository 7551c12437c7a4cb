"""OpenAI's Decisions API is asked in its own terms, and answers in LangChain's."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

decisions = pytest.importorskip("langchain_core.decisions", reason="needs langchain-core 1.8 or later")
openai = pytest.importorskip("langchain_openai.decisions", reason="needs langchain-openai 1.7 or later")

import httpx  # noqa: E402

from twosup_chain import Supervisor  # noqa: E402
from twosup_chain.decisions.model import TwoSupervisorDecisionModel  # noqa: E402

REPLY = {
    "model": "gpt-6-luna",
    "answers": [
        {
            "type": "choice",
            "name": "team",
            "choice": "bug",
            "confidence": 0.8,
            "probabilities": [{"value": "bug", "probability": 0.9}, {"value": "billing", "probability": 0.1}],
        },
        {"type": "predicate", "name": "urgent", "probability": 0.95},
        {
            "type": "score",
            "name": "anger",
            "score": 0.9,
            "confidence": 0.9,
            "probabilities": [
                {"value": 0, "label": "0", "probability": 0.1},
                {"value": 1, "label": "1", "probability": 0.9},
            ],
        },
        {"type": "refusal", "name": "secret"},
    ],
    "usage": {"input_tokens": 40, "output_tokens": 4},
}
QUESTIONS = {
    "team": decisions.Choice(instructions="Which team?", criteria={"bug": "Defects.", "billing": None}),
    "urgent": decisions.Noul(instructions="Is it urgent?", criteria={"true": "Today.", "false": None}),
    "anger": decisions.Score(instructions="How angry?", criteria=["calm", "angry"]),
    "secret": decisions.Noul(instructions="Is it a secret?"),
}


def hosted(asked: list[Any]) -> Any:
    def reply(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content))
        return httpx.Response(200, json=REPLY)

    clients = {
        "http_client": httpx.Client(transport=httpx.MockTransport(reply)),
        "http_async_client": httpx.AsyncClient(transport=httpx.MockTransport(reply)),
    }
    return openai.OpenAIDecisions(model="gpt-6-luna", api_key="none", base_url="http://decisions.test/v1", **clients)


@pytest.mark.filterwarnings("ignore::Warning")  # the API is in beta
@pytest.mark.parametrize("asynchronous", [False, True])
def test_openais_decisions_are_a_hosted_model_as_any_other(asynchronous) -> None:
    asked: list[Any] = []
    model = TwoSupervisorDecisionModel(
        local=lambda _: None,
        local_supervisor=Supervisor("max_softmax", threshold=0.5),
        remote=hosted(asked),
        remote_supervisor=Supervisor("max_softmax", threshold=0.85),
        on_remote_error="no_answer",
    )
    request = {"state": "It crashes!", "questions": QUESTIONS}
    response = asyncio.run(model.ainvoke(request)) if asynchronous else model.invoke(request)
    team, anger = response.choices["team"], response.scores["anger"]
    assert (team.choice, team.confidence, team.probabilities) == ("bug", 0.9, {"bug": 0.9, "billing": 0.1})
    assert response.nouls["urgent"].noul == 0.95
    assert (anger.score, anger.legend) == (0.9, {0: "calm", 1: "angry"})
    assert "left the question 'secret' out" in response.answers["secret"].reason
    assert response.results["team"].remote.scores["stated_confidence"] == 0.8
    assert response.usage["total_tokens"] == 44  # the share of the one that is left out among them
    (sent,) = asked
    by_name = {question["name"]: question for question in sent["questions"]}
    assert sent["input"] == "It crashes!"
    assert by_name["urgent"] == {"type": "predicate", "name": "urgent", "instructions": "Is it urgent?\nYes: Today."}
    assert by_name["team"]["choices"] == [{"value": "bug", "description": "Defects."}, {"value": "billing"}]
    assert [level["description"] for level in by_name["anger"]["levels"]] == ["calm", "angry"]
