"""A calibration as a file and as text: nothing is lost, nothing half-written, and nothing foreign is read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from twosup_chain import Calibration, calibrate
from twosup_chain.calibration.table import as_text
from twosup_chain.errors import CalibrationFileError
from twosup_chain.outcomes.outcomes import Outcomes


@pytest.fixture(scope="module")
def made() -> Calibration:
    rng = np.random.default_rng(0)
    scores = rng.random((2, 900))
    outcomes = Outcomes(
        local_score=scores[0],
        remote_score=scores[1],
        local_correct=rng.random(900) < 0.4 + 0.6 * scores[0],
        remote_correct=rng.random(900) < 0.6 + 0.4 * scores[1],
        remote_cost=rng.random(900) / 100,
    )
    return calibrate(
        outcomes, risk=0.2, confidence=0.9, local_scorer="answerability", remote_scorer="grounded", remote_model="gpt"
    )


def test_what_is_saved_is_what_is_loaded(made, tmp_path) -> None:
    path = tmp_path / "calibration.json"
    made.save(path)
    assert Calibration.load(path) == made
    assert Calibration.load(str(path)).local.threshold == made.local.threshold
    fields = json.loads(path.read_text())
    assert (fields["format"], fields["version"]) == ("twosup-calibration", 1)


def test_a_file_of_packaged_targets_is_one_that_the_first_version_reads(made, tmp_path) -> None:
    made.save(tmp_path / "calibration.json")
    fields = json.loads((tmp_path / "calibration.json").read_text())
    assert {tuple(estimate) for estimate in fields["estimates"]} == {("value", "low", "high", "name")}
    assert {tuple(promise) for promise in fields["promises"]} == {("target", "limit", "p_value")}
    assert not {"early_abstention", "reconcile"} & fields.keys()


def test_it_reads_in_three_lines(made) -> None:
    assert str(made).splitlines() == [
        made.heading,
        f"local: answerability ≥ {made.local.threshold:.6g}",
        f"remote: grounded ≥ {made.remote.threshold:.6g}",
    ]


def test_an_old_file_is_replaced_at_once_and_no_draft_is_left(made, tmp_path, monkeypatch) -> None:
    path = tmp_path / "calibration.json"
    path.write_text("old")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(CalibrationFileError, match="cannot write .*calibration.json: No space left on device"):
        made.save(path)
    assert [item.name for item in tmp_path.iterdir()] == ["calibration.json"]
    assert path.read_text() == "old"
    monkeypatch.undo()
    made.save(path)
    assert [item.name for item in tmp_path.iterdir()] == ["calibration.json"]


def test_a_folder_that_is_not_there_is_named(made, tmp_path) -> None:
    with pytest.raises(CalibrationFileError, match="cannot write"):
        made.save(tmp_path / "none" / "calibration.json")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not JSON, or cut off"),
        ('{"format": "twosup-calibr', "is not JSON, or cut off"),
        ("[]", "is no calibration"),
        ("{}", "is no calibration"),
        ('{"format": "twosup-calibration", "version": 2}', "version 2, and this twosup_chain reads version 1: upgrade"),
        ('{"format": "twosup-calibration", "version": 1}', "broken calibration: Calibration: 'local' is missing"),
        ("\ud83d", "is not JSON, or cut off"),
    ],
)
def test_a_file_that_is_no_calibration_is_refused_by_name(tmp_path, text, words) -> None:
    path = tmp_path / "calibration.json"
    path.write_bytes(text.encode("utf-8", errors="surrogatepass"))
    with pytest.raises(CalibrationFileError, match=words):
        Calibration.load(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"confidence": "high"}, "confidence"),
        ({"confidence": 7.0}, "confidence"),
        ({"promises": [{"target": "risk", "limit": 1.5}]}, "risk=1.5: pass a rate"),
        ({"promises": [{"target": "mine", "limit": float("inf")}]}, "Infinity is no number"),
        ({"estimates": [{"name": "mine", "value": 0.1}]}, "NamedEstimate: 'label' is missing"),
        ({"estimates": [["risk", 0.1]]}, "estimates"),
        ({"estimates": [{"name": ["risk"], "value": 0.1}]}, "NamedEstimate: name="),
        ({"local": {"threshold": 1.5}}, "threshold"),
        ({"thresholds": 1}, "thresholds"),
        ({"method": "guess"}, "method"),
    ],
)
def test_a_changed_field_is_named(made, tmp_path, change, words) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({**made.model_dump(mode="json"), **change}))
    with pytest.raises(CalibrationFileError, match=words):
        Calibration.load(path)


def test_a_file_that_is_missing_is_named(tmp_path) -> None:
    with pytest.raises(CalibrationFileError, match="cannot read .*none.json: No such file"):
        Calibration.load(tmp_path / "none.json")


def test_every_cut_of_a_file_is_refused(made, tmp_path) -> None:
    path = tmp_path / "calibration.json"
    made.save(path)
    whole = path.read_bytes().rstrip()
    for end in range(0, len(whole), 97):
        path.write_bytes(whole[:end])
        with pytest.raises(CalibrationFileError):
            Calibration.load(path)


def test_it_prints_as_a_small_table(made) -> None:
    lines = as_text(made).splitlines()
    assert (
        lines[0]
        == made.heading
        == "Guaranteed with 90% confidence, from 900 labelled questions (300 ordered the search)"
    )
    assert any(line.startswith("local") and "answerability ≥" in line for line in lines)
    (risk,) = (line for line in lines if line.startswith("selective risk"))
    assert risk.endswith("≤ 20.0 %")
    assert max(map(len, lines)) <= 100


def test_it_cannot_be_changed(made) -> None:
    with pytest.raises(ValueError, match="frozen"):
        made.confidence = 0.99


def test_an_estimate_that_is_not_there_is_a_key_error(made) -> None:
    with pytest.raises(KeyError):
        made.estimate("f2")


def test_it_draws_the_pairs_that_were_tried(made, tmp_path) -> None:
    pytest.importorskip("matplotlib")
    from twosup_chain.evaluation.calibration_plot import calibration_figure
    from twosup_chain.evaluation.drawing import save, svg

    figure = calibration_figure(made)
    text = svg(figure)
    for words in ("keeps every limit", "not accepted", "chosen", "limit of the risk", "90% confidence"):
        assert words in text
    save(figure, tmp_path / "calibration.png")
    assert (tmp_path / "calibration.png").stat().st_size > 10_000


def test_a_calibration_has_one_threshold_for_all_predictions(made, tmp_path) -> None:
    made.save(tmp_path / "calibration.json")
    fields = json.loads((tmp_path / "calibration.json").read_text())
    fields["local"]["no_answer_threshold"] = 0.9
    (tmp_path / "other.json").write_text(json.dumps(fields))
    with pytest.raises(CalibrationFileError, match="no_answer_threshold"):
        Calibration.load(tmp_path / "other.json")
