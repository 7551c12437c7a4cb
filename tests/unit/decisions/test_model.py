"""The contract of LangChain's decision models (answers, usage, callbacks, call styles), and who is asked what."""

from __future__ import annotations

import asyncio
import pickle
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import HumanMessage
from langchain_core.runnables import ConfigurableField

from twosup_chain import Answer, Supervisor
from twosup_chain.errors import ConfigurationError, InputError, NoTrustedAnswerError, UnknownOptionError

decisions = pytest.importorskip("langchain_core.decisions", reason="needs langchain-core 1.8 or later")

from twosup_chain.decisions.model import TwoSupervisorDecisionModel  # noqa: E402
from twosup_chain.decisions.response import UndecidedAnswer, UndecidedError  # noqa: E402

TEAM = decisions.Choice(instructions="Which team?", criteria={"billing": "Payments.", "bug": "Defects.", "sales": None})
URGENT = decisions.Noul(instructions="Is it urgent?")
ANGER = decisions.Score(instructions="How angry?", criteria=["calm", "concerned", "angry"])
PLACE = decisions.Box(instructions="Where is the receipt?")
STYLES = ["invoke", "ainvoke", "batch", "abatch", "stream", "astream"]
USAGE = {"input_tokens": 10, "output_tokens": 3, "total_tokens": 13}


class Scripted(decisions.BaseDecisionModel):
    """Answers by the state: what each question of it is answered with, or an error."""

    model: str = "scripted"
    script: dict[str, Any]
    asked: list[Any] = []  # noqa: RUF012

    @property
    def _provider(self) -> str:
        return "test"

    def _classify(self, state, questions):
        self.asked.append((state, list(questions)))
        said = self.script[state] if isinstance(state, str) else self.script["…"]
        if isinstance(said, Exception):
            raise said
        answers = {name: said[name] for name in questions if name in said}
        return decisions.ClassifierResponse(model=self.model, answers=answers, usage=USAGE, request_id="r1")


def chose(label: str, p: float) -> Any:
    others = [name for name in TEAM.criteria if name != label]
    shares = {label: p, **dict.fromkeys(others, (1 - p) / 2)}
    return decisions.ChoiceAnswer(type="choice", choice=label, probabilities=shares, confidence=0.5)


def urgent(p: float) -> Any:
    return decisions.NoulAnswer(type="noul", noul=p)


def anger(*shares: float) -> Any:
    score = sum(level * p for level, p in enumerate(shares))
    legend = dict(enumerate(ANGER.criteria))
    return decisions.ScoreAnswer(
        type="score", score=score, legend=legend, probabilities=dict(enumerate(shares)), confidence=max(shares)
    )


def build(local: dict[str, Any], remote: dict[str, Any] | None = None, **options: Any) -> Any:
    parts: dict[str, Any] = {"local": Scripted(script=local, asked=[])}
    parts["local_supervisor"] = Supervisor("max_softmax", threshold=0.8)
    if remote is not None:
        parts["remote"] = Scripted(script=remote, asked=[], model="hosted")
        parts["remote_supervisor"] = Supervisor("max_softmax", threshold=0.7)
    return TwoSupervisorDecisionModel(**parts, **options)


def call(model: Any, style: str, value: Any, config: Any = None) -> Any:
    match style:
        case "invoke":
            return model.invoke(value, config)
        case "ainvoke":
            return asyncio.run(model.ainvoke(value, config))
        case "batch":
            return model.batch([value], config)[0]
        case "abatch":
            return asyncio.run(model.abatch([value], config))[0]
        case "stream":
            (output,) = model.stream(value, config)
            return output
        case "astream":

            async def drain() -> list[Any]:
                return [output async for output in model.astream(value, config)]

            (output,) = asyncio.run(drain())
            return output


def ask(state: Any = "s", **questions: Any) -> dict[str, Any]:
    return {"state": state, "questions": questions or {"team": TEAM}}


def asked(model: Any, role: str) -> list[Any]:
    return getattr(model.chain, role).model.asked


class Trace(BaseCallbackHandler):
    def __init__(self) -> None:
        self.runs: dict[Any, dict[str, Any]] = {}

    def on_chain_start(self, serialized, inputs, *, run_id, parent_run_id=None, tags=None, **kwargs):
        self.runs[run_id] = {"parent": parent_run_id, "tags": tags, "name": kwargs.get("name"), "end": None}

    def on_chain_end(self, outputs, *, run_id, **kwargs):
        self.runs[run_id]["end"] = "ok"

    def on_chain_error(self, error, *, run_id, **kwargs):
        self.runs[run_id]["end"] = type(error).__name__


@pytest.mark.parametrize("style", STYLES)
def test_each_question_is_decided_on_its_own_and_the_remote_is_asked_the_untrusted_ones_together(style) -> None:
    local = {"s": {"team": chose("bug", 0.9), "urgent": urgent(0.4), "anger": anger(0.4, 0.3, 0.3)}}
    remote = {"s": {"urgent": urgent(0.1), "anger": anger(0.0, 0.2, 0.8)}}
    model = build(local, remote)
    response = call(model, style, ask(team=TEAM, urgent=URGENT, anger=ANGER))
    assert asked(model, "local") == [("s", ["team", "urgent", "anger"])]
    assert asked(model, "remote") == [("s", ["urgent", "anger"])]
    assert {name: result.source for name, result in response.results.items()} == {
        "team": "local",
        "urgent": "remote",
        "anger": "remote",
    }
    team, angry = response.choices["team"], response.scores["anger"]
    assert (team.choice, team.confidence, team.probabilities["bug"]) == ("bug", 0.9, 0.9)
    assert response.nouls["urgent"].noul == 0.1
    assert (angry.score, angry.legend[2], angry.confidence) == (pytest.approx(1.8), "angry", 0.8)
    assert response.usage == {"input_tokens": 20, "output_tokens": 6, "total_tokens": 26}
    assert sum(result.usage["input_tokens"] for result in response.results.values()) == 20
    assert (response.model, response.undecided) == ("twosup", {})
    assert isinstance(response, decisions.ClassifierResponse)


@pytest.mark.parametrize("style", STYLES)
def test_the_parts_runs_stand_below_the_models_own_named_and_tagged(style) -> None:
    model, trace = build({"s": {"team": chose("bug", 0.5)}}, {"s": {"team": chose("bug", 0.9)}}), Trace()
    call(model, style, ask(), {"callbacks": [trace], "tags": ["mine"], "run_name": "triage"})
    (root,) = (run_id for run_id, run in trace.runs.items() if run["parent"] is None)
    below = [run for run in trace.runs.values() if run["parent"] == root]
    assert (trace.runs[root]["name"], trace.runs[root]["end"]) == ("triage", "ok")
    assert [run["name"] for run in below] == ["local", "local_supervisor", "remote", "remote_supervisor"]
    assert all({run["name"], "mine"} <= {*run["tags"]} and run["end"] == "ok" for run in below)
    assert len(trace.runs) == 5


@pytest.mark.parametrize("style", STYLES)
def test_a_failure_of_the_remote_is_raised_and_seen_in_the_trace(style) -> None:
    model, trace = build({"s": {"team": chose("bug", 0.5)}}, {"s": TimeoutError("slow")}), Trace()
    with pytest.raises(TimeoutError, match="slow"):
        call(model, style, ask(), {"callbacks": [trace]})
    assert [run["end"] for run in trace.runs.values()] == ["TimeoutError", "ok", "ok", "TimeoutError"]


@pytest.mark.parametrize("style", ["batch", "abatch"])
def test_a_batch_keeps_requests_apart_and_an_error_in_its_own_place(style) -> None:
    local = {"a": {"team": chose("bug", 0.9)}, "b": {"team": chose("bug", 0.5)}, "c": {"team": chose("bug", 0.5)}}
    model = build(local, {"b": {"team": chose("sales", 0.9)}, "c": TimeoutError("slow")})
    requests = [ask("a"), ask("b"), ask("c"), {"state": "d", "questions": {}}, "what?"]
    run = model.batch if style == "batch" else lambda *a, **k: asyncio.run(model.abatch(*a, **k))
    first, second, *errors = run(requests, return_exceptions=True)
    assert [first.choices["team"].choice, second.choices["team"].choice] == ["bug", "sales"]
    assert [type(error) for error in errors] == [TimeoutError, InputError, InputError]
    assert "asks nothing" in str(errors[1])
    assert sorted(state for state, _ in asked(model, "remote")) == ["b", "c"]


def test_undecided_is_an_option_of_the_users_a_typed_answer_or_an_error_that_holds_everything() -> None:
    local = {"s": {"team": chose("bug", 0.5), "urgent": urgent(0.5), "anger": anger(0.0, 0.1, 0.9)}}
    remote = {"s": {"team": chose("sales", 0.6), "urgent": urgent(0.5)}}
    request = ask(team=TEAM, urgent=URGENT, anger=ANGER)
    response = build(local, remote, undecided="a person").invoke(request)
    team = response.choices["team"]
    assert (team.choice, team.confidence, team.probabilities["sales"]) == ("a person", 0.0, 0.6)
    assert isinstance(response.answers["urgent"], UndecidedAnswer)
    assert "remote answer not trusted (max_softmax 0.500 < 0.700)" in response.answers["urgent"].reason
    assert set(response.undecided) == {"team", "urgent"}
    assert response.nouls == {}
    assert isinstance(build(local, remote).invoke(request).answers["team"], UndecidedAnswer)
    with pytest.raises(UndecidedError) as raised:
        build(local, remote, fallback="raise").invoke(request)
    assert isinstance(raised.value, NoTrustedAnswerError)
    assert raised.value.response.scores["anger"].score == pytest.approx(1.9)
    assert raised.value.usage == {"input_tokens": 20, "output_tokens": 6, "total_tokens": 26}


def test_a_question_that_the_local_model_leaves_out_or_answers_beside_its_options_goes_to_the_remote_alone() -> None:
    other = decisions.ChoiceAnswer(type="choice", choice="spam", probabilities={"spam": 1.0}, confidence=1.0)
    local = {"s": {"team": other, "urgent": urgent(0.95)}}
    where = decisions.BoxAnswer(type="box", box={"top": 0, "bottom": 1, "left": 0, "right": 1}, confidence=0.9)
    model = build(local, {"s": {"team": chose("bug", 0.9), "place": where}}, undecided="a person")
    response = model.invoke(ask(team=TEAM, urgent=URGENT, place=PLACE))
    assert asked(model, "remote") == [("s", ["team", "place"])]
    assert response.choices["team"].choice == "bug"
    assert "'spam', which is none of the options" in response.results["team"].reason
    assert "left the question 'place' out" in response.results["place"].reason
    assert "max_softmax reads the probability" in response.results["place"].reason  # a box has none
    assert isinstance(response.answers["place"], UndecidedAnswer)


def test_a_refusal_of_the_remote_is_its_failure_and_the_local_choice_is_used_where_the_policy_says_so() -> None:
    class Refusal(decisions.ChoiceAnswer):
        type: str = "refusal"

    refused = Refusal(choice="bug", probabilities={}, confidence=0.0)
    response = decisions.ClassifierResponse.model_construct(model="hosted", answers={"team": refused}, usage=USAGE)
    model = build({"s": {"team": chose("bug", 0.5)}}, {"s": {}}, on_remote_error="local")
    object.__setattr__(model.chain.remote.model, "_classify", lambda state, questions: response)
    found = model.invoke(ask())
    assert (found.choices["team"].choice, found.choices["team"].confidence) == ("bug", 0.0)
    assert found.usage == {"input_tokens": 20, "output_tokens": 6, "total_tokens": 26}
    assert found.results["team"].error.startswith("RefusalError")


def test_messages_and_structures_are_handed_on_as_they_are_and_rules_search_their_text() -> None:
    state = {"ticket": [HumanMessage("My IBAN is DE00"), "and nothing else"]}
    remote = {"…": {"team": chose("bug", 0.9)}}
    open_, kept = (build({"…": {"team": chose("bug", 0.5)}}, remote, **o) for o in ({}, {"never_escalate": "IBAN"}))
    assert open_.invoke(ask(state)).results["team"].source == "remote"
    assert asked(open_, "remote")[0][0] is state
    assert "kept on this machine" in kept.invoke(ask(state)).answers["team"].reason
    assert asked(kept, "remote") == []


def test_a_function_decides_too_and_a_model_stands_in_a_sequence_and_survives_a_pickle() -> None:
    model = TwoSupervisorDecisionModel(
        local=said, local_supervisor=Supervisor("max_softmax", threshold=0.5), undecided="a person"
    )
    again = pickle.loads(pickle.dumps(model | read)).invoke(ask("It was charged twice."))  # noqa: S301
    assert again == "billing"
    assert model.invoke(ask("hello")).choices["team"].choice == "a person"
    assert model.invoke(ask("…")).answers["team"].choice == "a person"  # "spam" is none of the options


def test_what_the_parts_declare_is_configurable_at_run_time() -> None:
    threshold = Supervisor("max_softmax", threshold=0.9).configurable_fields(threshold=ConfigurableField(id="least"))
    model = TwoSupervisorDecisionModel(local=said, local_supervisor=threshold, undecided="a person")
    assert {spec.id for spec in model.config_specs} == {"least"}
    lenient = {"configurable": {"least": 0.1}}
    assert model.invoke(ask("hello")).choices["team"].choice == "a person"
    assert model.invoke(ask("hello"), lenient).choices["team"].choice == "bug"


def said(question: Any) -> Answer:
    (text,) = question.passages
    label = "billing" if "charged" in text else "spam" if text == "…" else "bug"
    return Answer(label, probabilities={label: 0.9 if label == "billing" else 0.2})


def read(response: Any) -> str:
    return response.choices["team"].choice


def test_options_are_checked_by_name_and_a_remote_needs_its_supervisor() -> None:
    with pytest.raises(UnknownOptionError, match="on_remote_error"):
        build({}, {}, on_remote_eror="local")
    with pytest.raises(ConfigurationError, match="remote is given without remote_supervisor"):
        TwoSupervisorDecisionModel(
            local=said, local_supervisor=Supervisor("max_softmax", threshold=0.5), remote=Scripted(script={})
        )
