"""A promise for each group of questions: what has none says so, and the chain chooses by the question's metadata."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from langchain_core.documents import Document

from twosup_chain import Calibration, GroupedCalibration, TwoSupervisorChain, calibrate, check
from twosup_chain.calibration.options import CalibrateOptions
from twosup_chain.calibration.targets import Risk
from twosup_chain.errors import (
    CalibrationFileError,
    CalibrationMismatchError,
    ConfigurationError,
    InfeasibleTargetError,
    InputError,
)
from twosup_chain.outcomes.outcomes import Outcomes
from twosup_chain.schema import Answer

SCORERS = {"local_scorer": "answerability", "remote_scorer": "grounded"}
OPTIONS = {"risk": 0.25, "confidence": 0.9, **SCORERS}


def _write(path, sizes, *, first=0, seed=0) -> str:
    """Records of domains by their number; the local model is poor at law."""
    rng = np.random.default_rng(seed)
    number = first
    with path.open("w") as file:
        for domain, size in sizes.items():
            for _ in range(size):
                number += 1
                line = {"version": 3, "id": str(number), "digest": f"{number:x}", "answerable": True}
                for role, model, scorer in (("local", "reader", "answerability"), ("remote", "gpt", "grounded")):
                    trust = rng.random()
                    least = 0.2 if (role, domain) == ("local", "law") else 0.5
                    right = float(rng.random() < least + (1 - least) * trust)
                    line[role] = {"no_answer": False, "exact_match": right, "f1": right, "trust": {scorer: trust}}
                    line[role] |= {"model": model, "usage": {"input_tokens": 100, "output_tokens": 5}}
                if domain:
                    line["metadata"] = {"domain": domain}
                file.write(json.dumps(line) + "\n")
    return str(path)


@pytest.fixture(scope="module")
def records(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("groups") / "records.jsonl"
    return _write(path, {"law": 600, "news": 600, "poems": 8, "": 50})


@pytest.fixture(scope="module")
def grouped(records) -> GroupedCalibration:
    return calibrate(records, groups="domain", **OPTIONS)


def test_each_group_is_calibrated_on_its_own_questions(grouped, records) -> None:
    assert list(grouped.groups) == ["law", "news"]
    for domain, made in grouped.groups.items():
        assert (made.questions, made.where) == (600, {"domain": domain})
        assert made == calibrate(records, where={"domain": domain}, **OPTIONS)
    assert grouped.groups["law"].local.threshold > grouped.groups["news"].local.threshold


def test_the_type_of_the_options_lists_what_can_be_said() -> None:
    said = set(inspect.signature(calibrate).parameters) - {"records", "groups"}
    assert said == set(CalibrateOptions.__annotations__)


def test_groups_are_a_field_of_records() -> None:
    columns = {"local_score": np.zeros(1), "remote_score": np.zeros(1)}
    outcomes = Outcomes(**columns, local_correct=np.ones(1, bool), remote_correct=np.ones(1, bool))
    with pytest.raises(ConfigurationError, match="groups='domain' is a field of the records' metadata"):
        calibrate(outcomes, groups="domain", risk=0.1)


def test_targets_may_be_an_iterator(records, grouped) -> None:
    assert calibrate(records, groups="domain", targets=iter([Risk(0.25)]), confidence=0.9, **SCORERS) == grouped


def test_a_group_whose_labels_do_not_suffice_says_so(grouped) -> None:
    assert list(grouped.without) == ["poems"]
    assert grouped.without["poems"].startswith("not enough labels here: no thresholds are known to keep risk")
    assert "domain=poems: not enough labels here" in str(grouped)


def test_a_file_holds_them_all(grouped, tmp_path) -> None:
    path = tmp_path / "grouped.json"
    grouped.save(path)
    assert GroupedCalibration.load(path) == grouped
    with pytest.raises(CalibrationFileError, match="a calibration of groups: load it as GroupedCalibration"):
        Calibration.load(path)
    grouped.groups["law"].save(path)
    with pytest.raises(CalibrationFileError, match="the calibration of all questions, not of groups"):
        GroupedCalibration.load(path)
    path.write_text('{"format": "twosup-calibration-groups", "by": 3}')
    with pytest.raises(CalibrationFileError, match="broken calibration of groups"):
        GroupedCalibration.load(path)


def test_a_promise_to_a_group_is_checked_on_its_questions(grouped, tmp_path) -> None:
    new = _write(tmp_path / "new.jsonl", {"law": 70, "news": 30}, first=10_000, seed=1)
    assert check(grouped.groups["law"], new).questions == 70
    assert check(grouped.groups["news"], new).questions == 30


def test_each_group_has_a_monitor_and_they_share_the_false_alarms(grouped) -> None:
    monitors = grouped.monitors(false_alarm=0.1)
    assert list(monitors) == ["law", "news"]
    assert monitors["law"].report.false_alarm == pytest.approx(0.05)


def _chain(grouped, asked, **options) -> TwoSupervisorChain:
    law, news = (made.local.threshold for made in grouped.groups.values())
    between = (law + news) / 2

    def remote(question):
        asked.append(question.question)
        return Answer("hosted", scores={"grounded": 1.0}, model="gpt")

    return TwoSupervisorChain.from_calibration(
        grouped,
        local=lambda _: Answer("local", scores={"answerability": between}, model="reader"),
        remote=remote,
        scorers={"grounded": lambda *_, **__: 1.0},
        **options,
    )


@pytest.mark.parametrize("call", ["invoke", "ainvoke", "batch"])
async def test_the_chain_chooses_by_the_question_s_metadata(grouped, call) -> None:
    chain = _chain(grouped, [])
    for domain, source in (("law", "remote"), ("news", "local")):
        config = {"metadata": {"domain": domain}}
        if call == "batch":
            (result,) = chain.batch([{"question": "Who?", "context": "Ada."}], config)
        elif call == "ainvoke":
            result = await chain.ainvoke({"question": "Who?", "context": "Ada."}, config)
        else:
            result = chain.invoke({"question": "Who?", "context": "Ada."}, config)
        assert result.source == source


def test_a_document_s_metadata_say_it_too(grouped) -> None:
    chain = _chain(grouped, [])
    for domain, source in (("law", "remote"), ("news", "local")):
        passage = Document("Ada.", metadata={"domain": domain})
        assert chain.invoke({"question": "Who?", "context": [passage]}).source == source


def test_a_question_without_a_promise_is_trusted_to_nobody_and_costs_nothing(grouped) -> None:
    asked: list[str] = []
    config = {"metadata": {"domain": "poems"}}
    result = _chain(grouped, asked, never_escalate="secret").invoke({"question": "Who?", "context": "Ada."}, config)
    assert (result.status, result.source, asked) == ("untrusted", "none", [])
    assert "no promise for domain='poems'" in result.reason


def test_the_user_s_own_rules_stay(grouped) -> None:
    asked: list[str] = []
    chain = _chain(grouped, asked, never_escalate="secret")
    config = {"metadata": {"domain": "law"}}
    assert chain.invoke({"question": "What is secret?", "context": "Ada."}, config).source == "none"
    assert asked == []


def test_a_call_that_names_no_group_is_an_error(grouped) -> None:
    with pytest.raises(CalibrationMismatchError, match="the call names no domain: .* with one of law, news"):
        _chain(grouped, []).invoke({"question": "Who?", "context": "Ada."})


def test_no_group_at_all_is_an_error_that_says_how_to_write_them(records) -> None:
    with pytest.raises(InputError, match="no recorded question has 'topic' in its metadata"):
        calibrate(records, groups="topic", **OPTIONS)
    with pytest.raises(InputError, match="no labelled question with metadata {'domain': 'art'}"):
        calibrate(records, where={"domain": "art"}, **OPTIONS)
    with pytest.raises(InfeasibleTargetError) as caught:
        calibrate(records, groups="domain", risk=0.0001, confidence=0.9, **SCORERS)
    assert "there is no promise for any domain: law, news, poems" in caught.value.__notes__


def test_metadata_go_from_questions_into_records(tmp_path) -> None:
    from twosup_chain import collect
    from twosup_chain.records.lines import read_records

    questions = tmp_path / "questions.jsonl"
    line = {"question": "Who?", "context": "Ada.", "answers": ["Ada"], "metadata": {"domain": "law", "year": 1843}}
    questions.write_text(json.dumps(line) + "\n")
    out = tmp_path / "records.jsonl"
    both = {"local": lambda _: Answer("Ada"), "remote": lambda _: Answer("Ada")}
    collect(questions, **both, out=out, scorers=["in_context"])
    (record,) = read_records(out)
    assert record.metadata == {"domain": "law", "year": 1843}
