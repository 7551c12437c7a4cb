"""The figures of an evaluation, against counting by hand, and on data where there is little to count."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twosup_chain import Price, calibrate, evaluate
from twosup_chain.calibration.targets import Rate
from twosup_chain.errors import CalibrationMismatchError, ConfigurationError, InputError
from twosup_chain.evaluation.figures import Figures
from twosup_chain.evaluation.words import minute
from twosup_chain.outcomes.decisions import decide
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.supervisor import Supervisor

from .conftest import KINDS, entry


@pytest.fixture
def figures(write, supervisors):
    return evaluate(write(KINDS), **supervisors(), price=Price(10.0, 100.0)).figures


def test_every_question_ends_where_the_thresholds_send_it(figures):
    assert {end.ending: (end.questions, end.right) for end in figures.endings} == {
        "local_answer": (1, 1),
        "local_no_answer": (2, 1),
        "remote_answer": (1, 1),
        "remote_no_answer": (1, 0),
        "untrusted": (3, 1),
    }
    assert figures.coverage.value == 5 / 8
    assert figures.risk.value == pytest.approx(2 / 5)


def test_the_official_scores_count_an_open_question_as_no_answer(figures):
    chain, local, remote = figures.systems.chain, figures.systems.local_only, figures.systems.remote_only
    assert chain.exact_match.value == pytest.approx(4 / 8)
    assert chain.has_answer_exact_match.value == pytest.approx(2 / 6)
    assert chain.no_answer_exact_match.value == pytest.approx(2 / 2)
    assert chain.f1.value == pytest.approx((1 + 0.25 + 1 + 0.25 + 0 + 0 + 1 + 1) / 8)
    assert local.exact_match.value == pytest.approx(3 / 8)
    assert remote.no_answer_f1.value == pytest.approx(0.25)
    assert figures.against_local.exact_match.value == pytest.approx(1 / 8)
    assert figures.against_remote.exact_match.value == pytest.approx(1 / 8)
    assert figures.against_remote.exact_match.low <= 1 / 8 <= figures.against_remote.exact_match.high


def test_what_is_saved_is_held_against_every_question_sent_to_the_hosted_model(figures):
    saved = figures.savings
    assert (saved.calls.remote_only, saved.calls.chain, saved.calls.saved, saved.calls.share) == (8, 5, 3, 3 / 8)
    assert (saved.input_tokens.chain, saved.output_tokens.saved) == (500, 30)
    assert saved.cost.remote_only == pytest.approx(8 * 0.002)
    assert saved.cost.saved == pytest.approx(3 * 0.002)
    assert (saved.seconds.remote_only, saved.seconds.chain) == (16.0, 14.0)


def test_the_latency_is_the_papers(figures):
    latency = figures.latency
    assert (latency.local, latency.remote) == (0.5, 2.0)
    assert latency.chain == pytest.approx(0.5 + 2.0 * 5 / 8)
    assert latency.break_even == pytest.approx(0.75)
    assert latency.saving == pytest.approx((2.0 - 1.75) / 2.0)


def test_a_supervisor_is_judged_on_what_it_judges(figures):
    local, remote = figures.local_supervisor, figures.remote_supervisor
    assert (local.judged, local.trusted_right, local.trusted_wrong) == (8, 2, 1)
    assert (local.refused_right, local.refused_wrong) == (1, 4)
    assert (remote.judged, remote.trusted_right, remote.trusted_wrong) == (5, 1, 1)
    assert (remote.refused_right, remote.refused_wrong) == (1, 2)
    assert local.auroc == pytest.approx(12 / 15)


def test_the_setting_stands_on_the_request_accuracy_curve(figures):
    here = figures.escalation
    assert here.remote_rate.value == 5 / 8
    assert here.accuracy == pytest.approx(4 / 8)
    assert here.curve[0] == pytest.approx(3 / 8)
    assert here.curve[-1] == pytest.approx(4 / 8)  # what is tied at the top stays local
    assert len(here.cutoffs) == len(here.curve) == len(here.oracle) == 9


def test_examples_are_the_mistakes_about_which_the_score_is_most_mistaken(write, supervisors):
    kinds = {(kind.role, kind.kind): kind for kind in evaluate(write(KINDS), **supervisors()).mistakes}
    assert {key: [example.id for example in kind.examples] for key, kind in kinds.items()} == {
        ("local", "trusted_wrong"): ["q1"],
        ("local", "refused_right"): ["q3"],
        ("remote", "trusted_wrong"): ["q3"],
        ("remote", "refused_right"): ["q4"],
    }
    example = kinds["local", "refused_right"].examples[0]
    assert (example.question, example.prediction, example.answers) == ("Who 3?", "said 3", ("Ada 3",))
    few = evaluate(write([entry(i, local=(i / 10, 0)) for i in range(9)]), **supervisors(local=0.0), examples=2)
    trusted = few.mistakes[0]
    assert (trusted.total, [example.id for example in trusted.examples]) == (9, ["q8", "q7"])


def test_without_texts_the_examples_are_ids_and_scores(write, supervisors):
    report = evaluate(write([entry(0, local=(0.9, 0), text=False)]), **supervisors())
    (example,) = report.mistakes[0].examples
    assert (example.id, example.question, example.answers, example.prediction) == ("q0", None, None, None)


def test_a_floor_of_f1_changes_what_counts_as_right_but_not_the_official_measures(write, supervisors):
    report = evaluate(write(KINDS), **supervisors(), correct=("f1", 0.2))
    assert report.figures.correct == "token F1 ≥ 0.2"
    assert report.figures.risk.value == 0.0
    assert report.figures.systems.chain.exact_match.value == pytest.approx(4 / 8)


_PREDICTION = st.tuples(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.integers(0, 1))
_QUESTION = st.tuples(_PREDICTION, _PREDICTION, st.booleans())


@settings(max_examples=40)
@given(
    questions=st.lists(_QUESTION, min_size=1, max_size=12), thresholds=st.tuples(*[st.sampled_from([0, 0.5, 1])] * 2)
)
def test_the_chains_score_is_what_deciding_question_by_question_gives(tmp_path_factory, questions, thresholds):
    path = tmp_path_factory.mktemp("records") / "r.jsonl"
    entries = [entry(i, local=a, remote=b, answerable=c) for i, (a, b, c) in enumerate(questions)]
    path.write_text("".join(json.dumps(fields) + "\n" for fields in entries))
    local, remote = (Supervisor(_named_s, threshold=float(threshold)) for threshold in thresholds)
    report = evaluate(path, local_supervisor=local, remote_supervisor=remote, draws=2)
    right = asked = 0
    for first, second, answerable in questions:
        asked += first[0] < thresholds[0]
        if first[0] >= thresholds[0]:
            right += first[1]
        elif second[0] >= thresholds[1]:
            right += second[1]
        else:
            right += not answerable
    assert report.figures.systems.chain.exact_match.value == pytest.approx(right / len(questions))
    assert report.figures.savings.calls.chain == asked
    assert sum(end.questions for end in report.figures.endings) == len(questions)


def test_no_answer_is_held_against_its_own_threshold(tmp_path):
    asked = [(0.6, True), (0.6, False), (0.9, False)]  # the local score, and whether the question has an answer
    lines = [json.dumps(entry(i, local=(score, 1), answerable=some)) for i, (score, some) in enumerate(asked)]
    (tmp_path / "r.jsonl").write_text("\n".join(lines) + "\n")
    local = Supervisor(_named_s, threshold=0.5, no_answer_threshold=0.8)
    report = evaluate(tmp_path / "r.jsonl", local_supervisor=local, remote_supervisor=Supervisor(_named_s, threshold=0))
    assert report.figures.savings.calls.chain == 1  # only the "no answer" that has 0.6


def _named_s(question, answer):
    pytest.fail("evaluating records asks no scorer: their trust is recorded")


_named_s.__name__ = "s"

EDGES = {
    "one question": [entry(0)],
    "one question, wrong": [entry(0, local=(0.1, 0), remote=(0.1, 0))],
    "two questions": [entry(0), entry(1, local=(0.1, 0))],
    "all right": [entry(i, local=(i / 10, 1)) for i in range(9)],
    "all wrong": [entry(i, local=(i / 10, 0), remote=(0.5, 0)) for i in range(9)],
    "all ties": [entry(i, local=(0.5, i % 2), remote=(0.5, i % 3 > 0)) for i in range(9)],
    "none has an answer": [entry(i, answerable=False) for i in range(3)],
    "nobody is trusted": [entry(i, local=(0.1, 1), remote=(0.1, 1)) for i in range(3)],
    "no usage": [entry(i, remote__usage=..., local__usage=...) for i in range(3)],
    "no seconds": [entry(i, remote__seconds=..., local__seconds=...) for i in range(3)],
    "no time at all": [entry(i, remote__seconds=0.0) for i in range(3)],
    "no texts": [entry(i, text=False, local=(0.9, i % 2)) for i in range(9)],
    "no models": [entry(i, remote__model=..., local__model=...) for i in range(3)],
    "one failed": [entry(0), entry(1, failed=True)],
    "all but one failed": [entry(0), *(entry(i, failed=True) | {"local": {"error": "OSError"}} for i in range(1, 4))],
}


#: Those whose pictures are drawn as well, which takes most of the time.
DRAWN = {"one question", "all but one failed", "two questions", "all wrong", "all ties"}


@pytest.mark.parametrize("name", EDGES)
def test_little_data_gives_figures_a_strict_json_and_a_whole_page(
    write, supervisors, parse, tmp_path, monkeypatch, name
):
    if name not in DRAWN:
        monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))
    report = evaluate(write(EDGES[name]), **supervisors(), draws=20)
    page = parse(report.save(tmp_path / "out").read_text())
    assert page.tags.count("h1") == 1
    assert "nan" not in page.text.lower().split()
    text = (tmp_path / "out" / "figures.json").read_text()
    document = json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert document == report.as_dict()
    assert document.pop("run")["records"] == ["records.jsonl"]
    mistakes = document.pop("mistakes")
    assert len(mistakes) == 4
    assert Figures(**document) == report.figures


def test_what_the_data_cannot_tell_is_none(write, supervisors):
    figures = evaluate(
        write([*EDGES["nobody is trusted"], entry(3, remote__usage=..., local__seconds=...)]), **supervisors(1.0, 1.0)
    ).figures
    assert (figures.risk.value, figures.coverage.value) == (None, 0.0)
    assert figures.local_supervisor.auroc is None
    assert (figures.savings.input_tokens, figures.savings.seconds, figures.latency) == (None, None, None)
    assert figures.systems.chain.no_answer_f1.value is None
    assert figures.escalation.auc_rac is None


def test_no_question_is_an_error_that_says_why(write, supervisors):
    with pytest.raises(InputError, match="there is no question to evaluate on$"):
        evaluate(write([]), **supervisors())
    with pytest.raises(InputError, match="every hosted call failed"):
        evaluate(write([entry(1, failed=True)]), **supervisors())


def test_a_price_without_tokens_is_an_error(write, supervisors):
    with pytest.raises(InputError, match="do not tell their tokens"):
        evaluate(write(EDGES["no usage"]), **supervisors(), price=Price(1, 1))


MANY = [entry(i, local=((i % 10) / 10, i % 10 > 2), remote=(0.5, i % 4 > 0)) for i in range(400)]
NEW = [entry(1000 + i, local=((i % 10) / 10, i % 10 > 2), remote=(0.5, i % 4 > 0)) for i in range(300)]


@pytest.fixture
def calibration(write):
    return calibrate(write(MANY, "old.jsonl"), risk=0.3, confidence=0.9, local_scorer="s", remote_scorer="s")


def test_a_calibration_sets_the_supervisors_and_its_promises_are_checked(write, calibration, tmp_path):
    calibration.save(tmp_path / "c.json")
    figures = evaluate(write(NEW), calibration=tmp_path / "c.json").figures
    assert figures.local == calibration.local
    (promise,) = figures.promises
    assert (promise.target, promise.limit, figures.confidence) == ("risk", 0.3, 0.9)
    assert promise.calibrated == calibration.estimate("risk")
    assert promise.found.value == pytest.approx(figures.risk.value)
    assert promise.probability > 0.5
    assert not figures.in_sample


class UnansweredRate(Rate):
    """The share of questions that are left open, as a target of the user's own."""

    name = "unanswered"

    def counts(self, tally):
        return tally.n - tally.answered, np.asarray(tally.n)


def test_a_target_of_the_users_own_is_checked_and_has_its_row_on_the_page(write, parse, monkeypatch):
    monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))
    options = {"local_scorer": "s", "remote_scorer": "s", "confidence": 0.9}
    calibration = calibrate(write(MANY, "old.jsonl"), targets=[UnansweredRate(0.4)], **options)
    records = write(NEW)
    report = evaluate(records, calibration=calibration, targets=[UnansweredRate])
    (promise,) = report.figures.promises
    assert promise.found.value == pytest.approx(1 - report.figures.coverage.value)
    assert "unanswered≤ 40.0 %" in parse(report.as_html()).text
    with pytest.raises(ConfigurationError, match="a target of your own: pass its class"):
        evaluate(records, calibration=calibration)


def test_evaluating_on_the_calibrations_own_questions_is_said_aloud(write, calibration):
    figures = evaluate(write(MANY), calibration=calibration).figures
    assert figures.in_sample
    assert figures.remarks[0].startswith("These are the very questions that the thresholds were chosen on")


def test_evaluating_on_some_of_the_calibrations_questions_is_said_aloud(write, calibration):
    figures = evaluate(write([*NEW, *MANY[:7]]), calibration=calibration).figures
    assert figures.remarks[0].startswith("The thresholds were chosen on 7 or more of these questions")


def test_few_questions_and_many_failures_are_said_aloud(write, supervisors):
    failed = [entry(100 + i, failed=True) for i in range(3)]
    remarks = evaluate(write([*KINDS, *failed]), **supervisors()).figures.remarks
    assert any("11 questions are few" in remark for remark in remarks)
    assert any("3 of these questions have a failed call" in remark for remark in remarks)


@pytest.mark.parametrize("policy", ["no_answer", "local"])
def test_failed_calls_count_as_in_the_calibration_of_the_same_records(write, policy):
    records = [*MANY, *(entry(2000 + i, local=((i % 10) / 10, 1), failed=True) for i in range(40))]
    records += [entry(3000 + i) | {"local": {"error": "OSError"}} for i in range(20)]
    path, price = write(records), Price(1, 1)
    scorers = {"local_scorer": "s", "remote_scorer": "s"}
    limits = {"risk": 0.4, "remote_rate": 0.6}
    calibration = calibrate(path, **limits, on_remote_error=policy, price=price, **scorers)
    figures = evaluate(path, calibration=calibration, price=price).figures
    assert figures.provenance.questions == calibration.questions == 460
    for name, found in (
        ("risk", figures.risk),
        ("coverage", figures.coverage),
        ("remote_rate", figures.escalation.remote_rate),
    ):
        assert found.value == pytest.approx(calibration.estimate(name).value)
    assert 1000 * figures.savings.cost.chain / 460 == pytest.approx(calibration.estimate("cost").value)
    assert figures.local_supervisor.judged == 440
    assert sum(end.questions for end in figures.endings) == 460


def test_a_failure_that_is_answered_locally_ends_with_a_local_answer(write):
    records = write([entry(0, local=(0.2, 1), failed=True), entry(1, local=(0.2, 0), remote=(0.9, 1))])
    outcomes = read_columns(records, local_scorer="s", remote_scorer="s", failures=True).outcomes()
    assert decide(outcomes.answering_failures_locally(), 0.5, 0.5).source.tolist() == ["local", "remote"]
    assert decide(outcomes, 0.5, 0.5).source.tolist() == ["none", "remote"]


def _changed(calibration, role, **changes):
    return calibration.model_copy(update={role: getattr(calibration, role).model_copy(update=changes)})


def test_a_calibration_for_something_else_is_refused_by_name(write, calibration):
    records = write(NEW)
    with pytest.raises(CalibrationMismatchError, match="calibrated for 'other', and the records are of 'remote-1'"):
        evaluate(records, calibration=_changed(calibration, "remote", model="other"))
    with pytest.raises(CalibrationMismatchError, match="does not name its local scorer"):
        evaluate(records, calibration=_changed(calibration, "local", scorer=None))
    with pytest.raises(CalibrationMismatchError, match="counts 'exact match' as right, and correct= says 'token F1"):
        evaluate(records, calibration=calibration, correct=("f1", 0.5))
    with pytest.raises(ConfigurationError, match="'other' is no scorer"):
        evaluate(records, calibration=_changed(calibration, "remote", scorer="other"))


def test_supervisors_come_from_a_calibration_or_from_the_user(write, calibration, supervisors):
    with pytest.raises(ConfigurationError, match="calibration sets both supervisors"):
        evaluate(write(NEW), calibration=calibration, **supervisors())
    for part in ({}, {"local_supervisor": supervisors()["local_supervisor"]}):
        with pytest.raises(ConfigurationError, match="pass calibration=…, or both"):
            evaluate(write(NEW), **part)


def test_the_same_records_give_the_same_page(write, supervisors, monkeypatch):
    monkeypatch.setattr("twosup_chain.evaluation.page.pictures", lambda _: iter(()))
    reports = [evaluate(write(KINDS), **supervisors()) for _ in range(2)]
    first, second = (report.as_html().replace(minute(report.run.date), "") for report in reports)
    assert first == second


def test_the_bootstrap_makes_fewer_draws_of_very_many_questions():
    from twosup_chain.evaluation.measure import draws_for

    assert [draws_for(n, 1000) for n in (1, 100_000, 200_000, 10**9)] == [1000, 1000, 500, 100]
    assert draws_for(10**9, 20) == 20


def test_the_columns_of_the_report_are_those_of_the_records(write, supervisors):
    path = write(KINDS)
    outcomes = read_columns(path, local_scorer="s", remote_scorer="s").outcomes()
    assert evaluate(path, **supervisors()).outcomes.local_score.tolist() == outcomes.local_score.tolist()
    assert math.isclose(outcomes.local_score.sum(), 3.6)
