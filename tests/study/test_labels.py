"""Classification by two supervisors: the table is made of records alone."""

from __future__ import annotations

import gzip
import random

import pytest
from langchain_core.runnables import RunnableLambda
from study.labels import HALVES, label_tables, record, shortened
from study.labels_page import labels_markdown

from twosup_chain import Answer, QAInput

LABELS = ("bug", "feature", "question")


def decide(skill):
    """A classifier that is right as often as it says, and unsure of a text that no label fits."""

    def chosen(question):
        text = question.context
        dice = random.Random(f"{skill}{text}")  # noqa: S311
        right, sure = text.split()[0], dice.uniform(0.34, 1.0) ** (1 - skill)
        label = right if dice.random() < sure and right in LABELS else dice.choice(LABELS)
        sure = sure if right in LABELS else dice.uniform(0.34, 0.6)
        shares = dict.fromkeys(LABELS, (1 - sure) / 2) | {label: sure}
        return Answer(label, probabilities=shares, model=f"model-{skill}")

    return chosen


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    out = tmp_path_factory.mktemp("labels")
    dice = random.Random(0)  # noqa: S311
    words = [dice.choice([*LABELS, "weather"]) for _ in range(400)]
    lines = [{"text": f"{word} {at}", "label": word if word in LABELS else None} for at, word in enumerate(words)]
    count = record(lines, decide(0.4), RunnableLambda(decide(0.9)), out / "issues.jsonl", instructions="Which kind?")
    assert count == 400
    raw = (out / "issues.jsonl").read_bytes()
    assert b"weather" not in raw
    (out / "issues.jsonl.gz").write_bytes(gzip.compress(raw))
    return label_tables(out, draws=50)


def test_the_pair_matches_the_hosted_model_with_fewer_calls(found):
    (study,) = found.values()
    assert study["texts"] == 400
    assert study["remote"].value > study["local"].value
    assert study["ours"]["calls"].value < 1.0
    assert study["ours"]["over_remote"].low < 0.05


def test_the_promised_risk_is_kept_and_what_is_out_of_scope_refused(found):
    risk = found["issues"]["risk"]
    assert risk["feasible"] > 0.9
    assert risk["risk"] < risk["promised"]
    assert risk["outside_refused"] > 0.8


def test_the_page_has_a_column_for_each_study(found):
    page = labels_markdown(found, HALVES)
    assert "|  | issues |" in page
    assert "nan" not in page


def test_the_hosted_model_reads_the_ends_of_a_long_text():
    reader = shortened(RunnableLambda(lambda asked: Answer(asked.context)))
    seen = reader.invoke(QAInput(question="Which?", context="a " * 100 + "b " * 100)).text
    assert seen.split() == ["a"] * 60 + ["[…]"] + ["b"] * 60
