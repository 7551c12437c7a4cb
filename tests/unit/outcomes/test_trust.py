"""Trust is computed once: what was recorded, and what follows from it, is what is computed live, to the last bit."""

from __future__ import annotations

import math
import random

import pytest

from twosup_chain import (
    Answer,
    ExtractiveReader,
    SelfConsistent,
    Supervisor,
    TwoSupervisorChain,
    calibrate,
    collect,
    fit_scorer,
)
from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.errors import MissingEvidenceError
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.outcomes.outcomes import Choice
from twosup_chain.records.lines import read_records
from twosup_chain.schema import Evidence
from twosup_chain.scoring.features import features
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.scoring.registry import SCORERS
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion

CONTEXTS, PER_CONTEXT = 36, 4
FAMILIES = ("logistic", "boosted", "isotonic")
ROLES = ("local", "remote")


def _questions():
    rng = random.Random(1)  # noqa: S311  a drawing, not a secret
    names = ("Maud Ferris", "Boris Holt", "Ellen Marsh", "Tom Byrne", "Ada Wells", "Ivo Lund")
    for i in range(CONTEXTS):
        builder, buyer = rng.sample(names, 2)
        year = rng.randrange(1700, 1950)
        context = (
            f"{builder} built the mill of Saint-Aubin No. {i} in {year} for $1.{i} million. {buyer} bought it later."
        )
        asked = [
            (f"Who built the mill No. {i}?", builder),
            (f"When was the mill No. {i} built?", str(year)),
            (f"Who painted the mill No. {i}?", None),
            (f"Who bought the mill No. {i}?", buyer),
        ]
        for j, (question, found) in enumerate(asked):
            gold = "somebody else" if found and rng.random() < 0.25 else found  # so that the reader is wrong at times
            yield LabelledQuestion(
                id=f"{i}-{j}",
                question=question,
                context=context,
                answers=(gold,) if gold else (),
                is_impossible=gold is None,
            )


QUESTIONS = {q.id: q for q in _questions()}


class Hosted(InProcessAnswerer):
    """Samples answers with all the evidence that a hosted model can give; the same again for the same question."""

    def answer_many(self, inputs):
        return [self._answer(item, place) for place, item in enumerate(inputs)]

    def _answer(self, item, place):
        rng = random.Random(f"{item.question}{place}")  # noqa: S311
        words = item.context.split()
        text = rng.choice(
            [" ".join(words[:2]), words[rng.randrange(len(words))], (QUESTIONS[item.id].answers or (None,))[0]]
        )
        written = text or "unanswerable"
        tokens = []
        for token in written.split():
            likely, other = -rng.random(), -3.0 * rng.random() - 1.0
            tokens.append((token, likely, ((token, likely), ("un", other))))
        scores = {"stated_confidence": rng.random()}
        return Answer(text, token_logprobs=tokens, scores=scores, model="sampled-1")


@pytest.fixture(scope="module")
def models():
    return {"local": ExtractiveReader(), "remote": SelfConsistent(Hosted(), samples=3)}


@pytest.fixture(scope="module")
def records(models, tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    assert collect(list(QUESTIONS.values()), **models, out=path, text=False).failed == 0
    return path


@pytest.fixture(scope="module")
def live(models):
    """The answers to every question, asked alone and anew."""
    inputs = {name: question.as_input() for name, question in QUESTIONS.items()}
    return {name: {role: model.invoke(item) for role, model in models.items()} for name, item in inputs.items()}


@pytest.fixture(scope="module")
def fitted(records):
    return {
        (role, family): fit_scorer(
            records,
            role=role,
            model=family,
            features=("answerability" if role == "local" else "self_consistency") if family == "isotonic" else None,
            folds=3,
        )
        for role in ROLES
        for family in FAMILIES
    }


def _judged(live, name, role, **options):
    answers = live[name]
    local = answers["local"] if role == "remote" else None
    return Evidence(input=QUESTIONS[name].as_input(), answer=answers[role], local=local, **options)


@pytest.mark.parametrize("role", ROLES)
def test_every_feature_is_recorded_as_it_is_computed_live(records, live, role):
    seen = set()
    for record in read_records(records):
        evidence = _judged(live, record.id, role)
        found = features(evidence.input, evidence.answer, local=evidence.local)
        assert getattr(record, role).features == found
        seen |= found.keys()
    own = (
        {"answerability", "backed", "in_context"} if role == "local" else {"token_min", "self_consistency", "agreement"}
    )
    assert own <= seen


@pytest.mark.parametrize(
    "name",
    [name for name, scorer in SCORERS.items() if scorer.recorded and scorer.needs not in ("probabilities", "energy")],
)
def test_every_registered_scorer_is_recorded_as_it_scores_live(records, live, name):
    supervisor = Supervisor(name, threshold=0.5)
    scored = 0
    for record in read_records(records):
        for role in ROLES:
            try:
                score = supervisor.invoke(_judged(live, record.id, role)).score
            except MissingEvidenceError:
                score = None
            assert getattr(record, role).trust[name] == score
            scored += score is not None
    assert scored >= len(QUESTIONS)


@pytest.mark.parametrize(
    ("family", "weigh"),
    [("logistic", False), ("boosted", False), ("isotonic", False), ("logistic", True), ("boosted", True)],
)
def test_a_learned_scorer_says_of_records_what_it_says_live(records, live, fitted, family, weigh):
    local, remote = (fitted[role, family] for role in ROLES)
    columns = read_columns(records, local_scorer=local, remote_scorer=remote, early_abstention=weigh, reconcile=weigh)
    judged = {"local": columns.local_judged, "remote": columns.remote_judged}
    chosen = set()
    for role, scorer in (("local", local), ("remote", remote)):
        supervisor = Supervisor(scorer, threshold=0.5)
        for row in range(len(columns)):
            evidence = _judged(live, columns.record(row).id, role, weigh=role if weigh else None)
            verdict = supervisor.invoke(evidence)
            assert judged[role].trust[row] == verdict.score
            assert Choice(judged[role].chosen[row]).name.lower() == (verdict.chosen or "answer")
            chosen.add((role, verdict.chosen))
    assert len(chosen) >= (4 if weigh else 2)


@pytest.mark.parametrize("weigh", [False, True])
def test_a_chain_gives_exactly_what_its_calibration_says(records, models, fitted, weigh):
    boosted = {role: fitted[role, "boosted"] for role in ROLES}
    scorers = {role: LearnedScorer(scorer.model, scorer.others) for role, scorer in boosted.items()}
    made = calibrate(
        records,
        risk=0.15,
        local_scorer=scorers["local"],
        remote_scorer=scorers["remote"],
        early_abstention=weigh,
        reconcile=weigh,
    )
    chain = TwoSupervisorChain.from_calibration(made, **models, scorers={s.name: s for s in scorers.values()})
    results = [(chain.invoke(question.as_input()), question) for question in QUESTIONS.values()]
    answered = [(r, q) for r, q in results if r.status != "untrusted"]
    wrong = sum(not squad.exact_match(r.answer, q.answers) for r, q in answered)
    asked = sum(r.remote is not None for r, _ in results)
    assert 0 < asked < len(results)
    assert made.estimate("risk").value == wrong / len(answered)
    assert made.estimate("coverage").value == len(answered) / len(results)
    assert made.estimate("remote_rate").value == asked / len(results)
    assert math.isclose(made.estimate("accuracy").value, (len(answered) - wrong) / len(results))
