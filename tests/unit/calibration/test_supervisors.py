"""Chains from a calibration: its scorers and thresholds, and no other scorer or model."""

from __future__ import annotations

import shutil
import warnings

import pytest

from twosup_chain import Answer, Calibration, ExtractiveReader, TwoSupervisorChain
from twosup_chain._options import NEVER
from twosup_chain.answerers import settings
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.errors import (
    CalibrationFileError,
    CalibrationMismatchError,
    MissingEvidenceError,
    ProcessorWarning,
    UnknownOptionError,
)
from twosup_chain.reader.folder import CONFIG_FILE, PACKAGED_MODEL
from twosup_chain.testing import ScriptedAnswerer

LOCAL = ScriptedAnswerer(
    script={
        "sure": Answer("a", scores={"answerability": 0.9}, model="reader-1"),
        "unsure": Answer("a", scores={"answerability": 0.4}, model="reader-1"),
        "foreign": Answer("a", scores={"answerability": 0.9}, model="reader-2"),
        "nameless": Answer("a", scores={"answerability": 0.9}),
    }
)
REMOTE = ScriptedAnswerer(
    script={"unsure": Answer("b", scores={"answerability": 0.8}, model="gpt-1")},
)


def calibration(**changes) -> Calibration:
    fields = {
        "local": CalibratedSupervisor(scorer="answerability", threshold=0.6, model="reader-1"),
        "remote": CalibratedSupervisor(scorer="answerability", threshold=0.7, model="gpt-1"),
        "promises": (),
        "confidence": 0.9,
        "method": "fixed sequence",
        "prefer": "cheapest",
        "questions": 10,
        "ordering": 3,
        "testing": 7,
        "digest": "0" * 16,
        "estimates": (),
    }
    return Calibration(**{**fields, **changes})


@pytest.mark.parametrize(
    ("made_on", "runs_on", "warned"),
    [("vnni", "avx2", True), ("vnni", "vnni", False), ("unknown", "avx2", False), ("vnni", "unknown", False)],
)
def test_another_kind_of_processor_is_said_where_scores_differ_by_it(tmp_path, monkeypatch, made_on, runs_on, warned):
    folder = tmp_path / "reader"
    shutil.copytree(PACKAGED_MODEL, folder)
    config = folder / CONFIG_FILE
    config.write_text(config.read_text().replace('"saturates": false', '"saturates": true'))
    monkeypatch.setattr(settings, "processor", lambda: made_on)
    reader = ExtractiveReader(model=folder)
    asked = settings.settings_of(reader)
    assert asked == {"processor": made_on}
    made = calibration(local=CalibratedSupervisor(scorer="answerability", threshold=0.6, asked=asked))
    monkeypatch.setattr(settings, "processor", lambda: runs_on)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        TwoSupervisorChain.from_calibration(made, local=reader, remote=REMOTE)
    assert [w.category is ProcessorWarning and f"this is '{runs_on}'" in str(w.message) for w in said] == [
        True
    ] * warned


def test_the_packaged_reader_s_scores_name_no_processor():
    assert settings.settings_of(ExtractiveReader()) == {}


def test_a_chain_judges_with_the_scorers_and_thresholds_of_its_calibration(tmp_path) -> None:
    calibration().save(tmp_path / "c.json")
    for source in (calibration(), tmp_path / "c.json", str(tmp_path / "c.json")):
        chain = TwoSupervisorChain.from_calibration(source, local=LOCAL, remote=REMOTE, on_remote_error="no_answer")
        assert chain.on_remote_error == "no_answer"
        assert chain.invoke("sure").local_verdict.threshold == 0.6
        result = chain.invoke("unsure")
        assert (result.source, result.remote_verdict.threshold) == ("remote", 0.7)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("foreign", "was calibrated for the model 'reader-1', and this answer is reader-2's"),
        ("nameless", "was calibrated for the model 'reader-1', and this answer names no model"),
    ],
)
def test_another_model_is_refused_by_name(question, words) -> None:
    chain = TwoSupervisorChain.from_calibration(calibration(), local=LOCAL, remote=REMOTE)
    with pytest.raises(CalibrationMismatchError, match=words):
        chain.invoke(question)


def test_another_hosted_model_is_refused_even_where_its_failures_are_tolerated() -> None:
    other = ScriptedAnswerer(script={"unsure": Answer("b", scores={"answerability": 0.8}, model="gpt-2")})
    chain = TwoSupervisorChain.from_calibration(calibration(), local=LOCAL, remote=other, on_remote_error="no_answer")
    with pytest.raises(CalibrationMismatchError, match="calibrated for the model 'gpt-1', and this answer is gpt-2's"):
        chain.invoke("unsure")


def test_a_calibration_without_models_judges_all() -> None:
    free = CalibratedSupervisor(scorer="answerability", threshold=0.6)
    chain = TwoSupervisorChain.from_calibration(calibration(local=free), local=LOCAL, remote=REMOTE)
    assert chain.invoke("foreign").source == "local"


def test_a_scorer_of_ones_own_is_given_by_name() -> None:
    def mine(_question, _answer) -> float:
        return 1.0

    own = calibration(local=CalibratedSupervisor(scorer="mine", threshold=0.6))
    chain = TwoSupervisorChain.from_calibration(own, local=LOCAL, remote=REMOTE, scorers={"mine": mine})
    assert chain.invoke("unsure").source == "local"
    with pytest.raises(CalibrationMismatchError, match=r"local scorer 'mine', which is none of .*scorers={'mine': …}"):
        TwoSupervisorChain.from_calibration(own, local=LOCAL, remote=REMOTE)


def test_another_scorer_is_refused_by_name() -> None:
    with pytest.raises(CalibrationMismatchError, match="scorers has 'mine', and the calibration was made for 'answera"):
        TwoSupervisorChain.from_calibration(
            calibration(), local=LOCAL, remote=REMOTE, scorers={"mine": lambda _q, _a: 1.0}
        )
    with pytest.raises(CalibrationMismatchError, match="does not name its remote scorer"):
        TwoSupervisorChain.from_calibration(
            calibration(remote=CalibratedSupervisor(threshold=0.5)), local=LOCAL, remote=REMOTE
        )


def test_missing_evidence_is_scored_as_it_was_calibrated() -> None:
    bare = ScriptedAnswerer(script={"sure": Answer("a", model="reader-1")})
    strict = TwoSupervisorChain.from_calibration(calibration(), local=bare, remote=REMOTE, on_supervisor_error="raise")
    with pytest.raises(MissingEvidenceError):
        strict.invoke("sure")
    lenient = CalibratedSupervisor(scorer="answerability", threshold=0.6, model="reader-1", missing=1.0)
    chain = TwoSupervisorChain.from_calibration(calibration(local=lenient), local=bare, remote=REMOTE)
    assert chain.invoke("sure").source == "local"


def test_a_misspelt_option_and_a_missing_file_are_named(tmp_path) -> None:
    with pytest.raises(UnknownOptionError, match="falback"):
        TwoSupervisorChain.from_calibration(calibration(), local=LOCAL, remote=REMOTE, falback=None)
    with pytest.raises(CalibrationFileError, match="none.json"):
        TwoSupervisorChain.from_calibration(tmp_path / "none.json", local=LOCAL, remote=REMOTE)


@pytest.mark.parametrize(
    ("changes", "options", "words"),
    [
        ({}, {"on_remote_error": "local"}, "made for on_remote_error='no_answer', and 'local' gives other answers"),
        ({"on_remote_error": "local"}, {"on_remote_error": "no_answer"}, "made for on_remote_error='local'"),
        ({}, {"fallback": lambda question: "a guess"}, "calibrate with fallback=True"),
        ({}, {"on_local_error": "raise"}, "leave on_local_error='raise' out"),
    ],
)
def test_answers_that_the_promise_does_not_count_are_refused(changes, options, words) -> None:
    with pytest.raises(CalibrationMismatchError, match=words):
        TwoSupervisorChain.from_calibration(calibration(**changes), local=LOCAL, remote=REMOTE, **options)


def test_what_the_promise_counts_or_names_is_taken() -> None:
    parts = {"local": LOCAL, "remote": REMOTE}
    assert TwoSupervisorChain.from_calibration(calibration(on_remote_error="local"), **parts).on_remote_error == "local"
    assert TwoSupervisorChain.from_calibration(calibration(), **parts, fallback="raise").fallback == "raise"
    guess = {"fallback": lambda question: "a guess", "on_remote_error": "fallback"}
    assert TwoSupervisorChain.from_calibration(calibration(fallback=True), **parts, **guess).fallback is not None


def test_a_model_that_is_never_trusted_is_not_whatever_its_score(tmp_path) -> None:
    never = CalibratedSupervisor(scorer="answerability", threshold=NEVER, model="reader-1")
    calibration(local=never).save(tmp_path / "c.json")
    loaded = Calibration.load(tmp_path / "c.json")
    assert str(loaded).splitlines()[1] == "local: answerability never trusted"
    chain = TwoSupervisorChain.from_calibration(loaded, local=LOCAL, remote=REMOTE, on_remote_error="no_answer")
    assert not chain.invoke("sure").local_verdict.trusted
