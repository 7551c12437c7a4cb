"""Typed decisions with real parts: a GGUF in process as the local model, a server on loopback as the hosted one."""

from __future__ import annotations

import asyncio
import math
from typing import Any

import pytest

pytestmark = pytest.mark.integration

decisions = pytest.importorskip("langchain_core.decisions", reason="needs langchain-core 1.8 or later")
pytest.importorskip("llama_cpp")

from twosup_chain import ChatAnswerer, LlamaCppAnswerer, QAInput, Supervisor  # noqa: E402
from twosup_chain.decisions.llama import LlamaCppDecisionModel  # noqa: E402
from twosup_chain.decisions.model import TwoSupervisorDecisionModel  # noqa: E402
from twosup_chain.errors import InputError  # noqa: E402
from twosup_chain.llama.decoding import log_sum_exp  # noqa: E402

CRITERIA = {"weather": "Rain, sun, wind.", "sports": "Games, teams, scores."}
TOPIC = decisions.Choice(instructions="What is the text about?", criteria=CRITERIA)
RAIN = decisions.Noul(instructions="Is it about rain?")
TEXT = "Heavy rain and storms are expected tomorrow."


@pytest.fixture(scope="module")
def local(smollm2_path) -> LlamaCppDecisionModel:
    return LlamaCppDecisionModel(model_path=smollm2_path, n_ctx=512, synonyms={"weather": ("climate",)})


def ask(state: Any = TEXT, **questions: Any) -> dict[str, Any]:
    return {"state": state, "questions": questions or {"topic": TOPIC}}


def test_a_labels_probability_is_the_sum_over_its_synonyms_sequences_of_tokens(local, smollm2_path) -> None:
    found = local.invoke(ask(topic=TOPIC, rain=RAIN))
    engine = local.engine
    plain = LlamaCppDecisionModel(model_path=smollm2_path, n_ctx=512, engine=engine)
    without = plain.invoke(ask())
    topic, other = found.choices["topic"], without.choices["topic"]
    assert (local.model, found.model) == (smollm2_path.stem, smollm2_path.stem)
    assert math.fsum(topic.probabilities.values()) == pytest.approx(1.0)
    assert topic.confidence == topic.probabilities[topic.choice] == max(topic.probabilities.values())
    assert 0.0 < found.nouls["rain"].noul < 1.0
    assert found.usage["input_tokens"] > without.usage["input_tokens"] > 20

    def mass(*words: str) -> float:  # one token each, spelt with a capital and a space before it or not
        logits = engine._logits()
        forms = {form for word in words for form in (word, word.capitalize())}
        tokens = {tuple(engine.tokenize(form, spaced=spaced)) for form in forms for spaced in (False, True)}
        total = log_sum_exp(logits)
        return math.fsum(math.exp(float(logits[first]) - total) for first, *rest in tokens if not rest)

    plain.invoke(ask())  # the prompt is the last thing that was read
    engine.worker.run(engine.rewind)
    engine.worker.run(lambda: engine.read([*engine._open.get().segments]))
    single = mass("weather"), mass("sports")
    share = {label: p * other.scores["label_mass"] for label, p in other.probabilities.items()}
    assert share["weather"] >= 0.99 * single[0]
    more = topic.scores["label_mass"] * topic.probabilities["weather"]
    assert more > share["weather"]  # "climate" counts for it


def test_every_call_style_gives_the_same_and_what_does_not_fit_is_left_out(local) -> None:
    first = local.invoke(ask())
    assert asyncio.run(local.ainvoke(ask())) == first == local.batch([ask(), ask()])[1]
    long, box = ask("rain " * 600), decisions.Box(instructions="Where?")
    with pytest.raises(InputError, match="n_ctx=512 holds"):
        local.invoke(long)
    assert set(local.invoke(ask(topic=TOPIC, place=box)).answers) == {"topic"}
    with pytest.raises(InputError, match="there are none that a language model can answer"):
        local.invoke(ask(place=box))


def test_the_answerer_of_the_same_file_decides_alike(local, smollm2_path) -> None:
    answerer = LlamaCppAnswerer(model_path=smollm2_path, n_ctx=512, engine=local.engine)
    asked = QAInput(question=TOPIC.instructions, context=TEXT, options=CRITERIA)
    answer = answerer.invoke(asked)
    plain = LlamaCppDecisionModel(model_path=smollm2_path, n_ctx=512, engine=local.engine).invoke(ask())
    assert answer.probabilities == plain.choices["topic"].probabilities
    assert Supervisor("max_softmax", threshold=0.5).judge(asked, answer).score == answer.probabilities[answer.text]


@pytest.fixture(scope="module")
def hosted(llama_server) -> Any:
    openai = pytest.importorskip("langchain_openai")
    options = {"base_url": llama_server, "api_key": "none", "temperature": 0, "max_retries": 0}
    options["extra_body"] = {"max_tokens": 6}
    return openai.ChatOpenAI(model="smollm2", logprobs=True, top_logprobs=5, **options)


def test_a_gguf_decides_first_and_a_chat_model_on_a_server_what_it_is_not_trusted_with(local, hosted) -> None:
    model = TwoSupervisorDecisionModel(
        local=local,
        local_supervisor=Supervisor("max_softmax", threshold=1.0),
        remote=ChatAnswerer(hosted, instructions="Reply with one word: weather or sports."),
        remote_supervisor=Supervisor("max_softmax", threshold=0.0, missing=0.0),
        on_remote_error="no_answer",
        undecided="a person",
    )
    response = model.invoke(ask())
    result = response.results["topic"]
    assert response.choices["topic"].choice in {*CRITERIA, "a person"}
    assert result.local.probabilities
    assert "remote" in result.reason
    assert response.usage["input_tokens"] > result.local.usage["input_tokens"]
    if result.source == "remote":
        assert set(response.choices["topic"].probabilities) in (set(CRITERIA), set())
    assert asyncio.run(model.ainvoke(ask())).choices == response.choices
