"""``twosup train-classifier``: from labelled texts to a folder."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("langchain_core.decisions", reason="langchain-core before 1.8 has no decision models")

from twosup_chain import TextClassifier

TEXTS = [("good day", "yes"), ("good sea", "yes"), ("good tea", "yes"), ("bad bug", "no"), ("bad fog", "no")]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "data.jsonl"
    lines = [{"text": text, "label": label} for text, label in [*TEXTS, ("bad mud", "no")]]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_it_fits_writes_and_says_how_good_it_is(twosup, data, tmp_path):
    out = tmp_path / "moods"
    result = twosup("train-classifier", str(data), "--out", str(out), "--name", "moods", "--json")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    classifier = TextClassifier(model=str(out))
    assert found["texts"] == {"no": 3, "yes": 3}
    assert 0.0 <= found["accuracy"] <= 1.0
    assert found["model"].startswith("moods@")
    assert classifier.fitness.model_dump() == {name: found[name] for name in classifier.fitness.model_dump()}
    assert "loads it" in result.stderr


def test_people_read_a_summary(twosup, data, tmp_path):
    result = twosup("train-classifier", str(data), "--out", str(tmp_path / "moods"), "--folds", "2")
    assert "6 texts, 2 labels of 3 to 3 texts each" in result.stdout
    assert "out of 2 folds" in result.stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ({"text": "good day"}, "'label'"),
        ({"text": 1, "label": "yes"}, "'text'"),
        ({"text": "bad day", "label": []}, "label="),
        ({"text": "so so", "label": "maybe"}, "label='maybe' has 1 text: at least 3 are needed"),
    ],
)
def test_a_bad_line_is_named(twosup, data, tmp_path, line, said):
    with data.open("a") as file:
        file.write(json.dumps(line) + "\n")
    result = twosup("train-classifier", str(data), "--out", str(tmp_path / "moods"))
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert not (tmp_path / "moods").exists()
