"""The figures of an evaluation are what counting the live chain's results on the same questions gives."""

from __future__ import annotations

import random
from collections import Counter
from itertools import product

import pytest

from twosup_chain import Answer, TwoSupervisorChain, calibrate, collect, evaluate, fit_supervisor
from twosup_chain.errors import ConfigurationError
from twosup_chain.supervisor import Supervisor
from twosup_chain.text import squad
from twosup_chain.text.questions import LabelledQuestion

SPANS = ("Ada Lovelace", "in London", "1843")
PASSAGE = f"{SPANS[0]} wrote note number {{}} {SPANS[1]}, and it came out in {SPANS[2]}."
EXAMPLES = [
    LabelledQuestion(str(i), f"Who wrote note {i}?", PASSAGE.format(i), (SPANS[0],) if i % 3 else (), not i % 3)
    for i in range(120)
]
GOLDS = {example.question: example.answers for example in EXAMPLES}


def _local(question):
    """A reader that is surer where there is an answer, and says in a third of all cases that there is none."""
    rng = random.Random(f"local {question.question}")  # noqa: S311 (a drawing, not a secret)
    sure = min(max(rng.gauss(0.7 if GOLDS[question.question] else 0.3, 0.2), 0.01), 0.99)
    text = rng.choice([SPANS[0], "Ada", *SPANS])
    start = question.context.find(text)
    place = {"text": text, "start": start, "end": start + len(text), "document": 0}
    scores = {"answerability": sure, "null_probability": 1 - sure, "span_probability": sure * rng.random()}
    candidate = {**place, "probability": scores["span_probability"]}
    found = place if rng.random() < 0.7 else {"text": None}
    return Answer(**found, scores=scores, candidates=(candidate,), model="small")


def _remote(question):
    rng = random.Random(f"remote {question.question}")  # noqa: S311
    text = rng.choice([SPANS[0], "Ada", *SPANS, None])
    usage = {"input_tokens": rng.randrange(50, 90), "output_tokens": rng.randrange(1, 9), "total_tokens": 0}
    usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
    return Answer(text, token_logprobs=[(text or "none", -3 * rng.random())], usage=usage, model="large")


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("records") / "records.jsonl"
    collect(EXAMPLES, local=_local, remote=_remote, out=path)
    return path


@pytest.fixture(scope="module")
def scorers(records):
    return {role: fit_supervisor(records, place=role) for role in ("local", "remote")}


WEIGHING = list(product([False, True], repeat=2))
ENDINGS = {
    ("local", "answered"): "local_answer",
    ("local", "unanswerable"): "local_no_answer",
    ("remote", "answered"): "remote_answer",
    ("remote", "unanswerable"): "remote_no_answer",
    ("none", "unanswerable"): "weighed_no_answer",
    ("none", "untrusted"): "untrusted",
}


def _lowered(calibration):
    """Recorded features have seven digits: a live score may be just below a threshold that is the recorded one."""
    roles = {role: getattr(calibration, role) for role in ("local", "remote")}
    lower = {role: of.model_copy(update={"threshold": of.threshold - 2e-6}) for role, of in roles.items()}
    return calibration.model_copy(update=lower)


@pytest.mark.parametrize(("early_abstention", "reconcile"), WEIGHING)
def test_figures_are_what_the_live_chain_gives(records, scorers, early_abstention, reconcile):
    weighing = {"early_abstention": early_abstention, "reconcile": reconcile}
    named = {f"{role}_scorer": scorer for role, scorer in scorers.items()}
    calibration = _lowered(calibrate(records, risk=0.35, **named, **weighing))
    by_name = {scorer.name: scorer for scorer in scorers.values()}
    figures = evaluate(records, calibration=calibration, scorers=by_name, draws=2).figures
    assert (figures.early_abstention, figures.reconcile) == (early_abstention, reconcile)

    chain = TwoSupervisorChain.from_calibration(calibration, local=_local, remote=_remote, scorers=by_name)
    live = list(zip(EXAMPLES, chain.batch([example.as_input() for example in EXAMPLES]), strict=True))
    n, asked = len(live), [result.remote.usage for _, result in live if result.remote is not None]
    scores = figures.systems.chain
    for measure, function in (("exact_match", squad.exact_match), ("f1", squad.f1)):
        found = [(example.answers, function(result.answer, example.answers)) for example, result in live]
        answered = [value for golds, value in found if golds]
        assert getattr(scores, measure).value == pytest.approx(sum(value for _, value in found) / n)
        assert getattr(scores, f"has_answer_{measure}").value == pytest.approx(sum(answered) / len(answered))
    endings = Counter(ENDINGS[result.source, result.status] for _, result in live)
    assert {end.ending: end.questions for end in figures.endings if end.questions} == endings
    rights = Counter(
        ENDINGS[result.source, result.status]
        for example, result in live
        if squad.exact_match(result.answer, example.answers)
    )
    assert {end.ending: end.right for end in figures.endings if end.right} == rights
    assert figures.coverage.value == pytest.approx(1 - endings["untrusted"] / n)
    trusted_right = sum(rights.values()) - rights["untrusted"]
    assert figures.risk.value == pytest.approx(1 - trusted_right / (n - endings["untrusted"]))
    assert figures.risk.value == pytest.approx(calibration.estimate("risk").value)
    assert figures.savings.calls.chain == len(asked) > 0
    for kind in ("input_tokens", "output_tokens"):
        assert getattr(figures.savings, kind).chain == sum(usage[kind] for usage in asked)


def test_what_is_weighed_has_an_ending_of_its_own_and_words_on_the_page(records, scorers, parse, monkeypatch):
    monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))
    supervisors = {f"{role}_supervisor": Supervisor(scorer, threshold=0.5) for role, scorer in scorers.items()}
    weighed = evaluate(records, **supervisors, early_abstention=True, reconcile=True, draws=2)
    plain = evaluate(records, **supervisors, draws=2)
    assert [end.ending for end in plain.figures.endings if end.ending == "weighed_no_answer"] == []
    assert [end.questions > 0 for end in weighed.figures.endings if end.ending == "weighed_no_answer"] == [True]
    text = parse(weighed.as_html()).text
    for words in ("no answer by weighing", "takes the place of a local answer", "the likeliest of its prediction"):
        assert words in text
        assert words not in parse(plain.as_html()).text


def test_a_mistake_shows_what_was_chosen_not_what_was_made(records, scorers):
    supervisors = {f"{role}_supervisor": Supervisor(scorer, threshold=0.0) for role, scorer in scorers.items()}
    report = evaluate(records, **supervisors, early_abstention=True, examples=len(EXAMPLES), draws=2)
    (trusted,) = [kind for kind in report.mistakes if (kind.role, kind.kind) == ("local", "trusted_wrong")]
    made = {example.id: _local(example.as_input()) for example in EXAMPLES}
    shown = {mistake.id: mistake for mistake in trusted.examples}
    replaced = {key for key, mistake in shown.items() if mistake.no_answer and made[key].text is not None}
    assert replaced
    assert all(shown[key].prediction is None for key in replaced)
    assert all(shown[key].prediction == made[key].text for key in shown.keys() - replaced)


def test_a_calibration_says_itself_whether_predictions_are_weighed(records, scorers):
    named = {f"{role}_scorer": scorer for role, scorer in scorers.items()}
    calibration = calibrate(records, risk=0.35, **named)
    with pytest.raises(ConfigurationError, match="leave early_abstention and reconcile out"):
        evaluate(records, calibration=calibration, reconcile=True)
