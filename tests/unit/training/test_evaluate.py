"""Figures of a reader on hand-made answers, against the official definition, and the files that are written."""

from __future__ import annotations

import json
import math
import string
from collections import Counter
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twosup_chain.errors import InputError
from twosup_chain.schema import Answer, Candidate
from twosup_chain.text.questions import LabelledQuestion
from twosup_chain.training.evaluate import FIGURES, NAMES, NO_ANSWER, PREDICTIONS, ReaderEvaluation, evaluate_reader


def answer(text, answerability, best):
    candidate = Candidate(text=best, start=0, end=len(best), document=0, probability=0.5)
    return Answer(text, scores={"answerability": answerability}, candidates=(candidate,), model="toy@1")


def example(*answers, name=None):
    return LabelledQuestion(
        id=name or str(answers), question="q", context="c", answers=answers, is_impossible=not answers
    )


EXAMPLES = [example("Rome"), example("the old city of Oslo"), example(), example(name="last")]
ANSWERS = [
    answer("Rome", 0.9, "Rome"),
    answer(None, 0.4, "Oslo"),
    answer(None, 0.3, "Lima"),
    answer("Quito", 0.6, "Quito"),
]


class ScriptedReader:
    """Gives the same answers whatever it is asked."""

    def __init__(self, answers):
        self.answers = iter(answers)

    def answer_many(self, inputs):
        return [next(self.answers) for _ in inputs]


def test_forced_and_official_figures_on_hand_made_answers():
    found = ReaderEvaluation.of(EXAMPLES, ANSWERS)
    assert {name: interval.value for name, interval in found.figures.items()} == pytest.approx(
        {
            "exact": 0.5,
            "f1": 0.5,
            "HasAns_exact": 0.5,
            "HasAns_f1": 0.5,
            "NoAns_exact": 0.5,
            "NoAns_f1": 0.5,
            "forced_exact": 0.5,
            "forced_f1": (1.0 + 2 * 1 * 0.25 / 1.25) / 2,
            "auroc": 0.75,
            "ece": (0.1 + 0.6 + 0.3 + 0.6) / 4,
            "aurc": (0 + 1 / 2 + 2 / 3 + 3 / 4) / 4,
        }
    )
    assert found.model == "toy@1"


def reference(prediction, golds):
    """Exact match and F1 as section 4 of the SQuAD v2 paper and its script define them, written out step by step."""

    def tokens(text):
        kept = "".join(char for char in text.lower() if char not in string.punctuation)
        runs = ["".join(run) for _, run in groupby(kept, key=lambda char: char.isalnum() or char == "_")]
        return "".join(" " if run in ("a", "an", "the") else run for run in runs).split()

    accepted = [gold for gold in map(tokens, golds) if gold] or [[]]
    guess = tokens(prediction or "")
    scores = []
    for gold in accepted:
        left, same = Counter(gold), 0
        for token in guess:
            if left[token] > 0:
                left[token] -= 1
                same += 1
        if not guess or not gold:
            scores.append(float(guess == gold))
        elif not same:
            scores.append(0.0)
        else:
            precision, recall = same / len(guess), same / len(gold)
            scores.append(2 * precision * recall / (precision + recall))
    return float(guess in accepted), max(scores)


CASES = [  # prediction, accepted answers, exact match, F1
    ("an apple", ("the apple",), 1, 1),
    ("a  an the", ("The",), 1, 1),  # nothing but articles is no answer, and a gold of it does not count
    ("theatre", ("atre",), 0, 0),
    ("A.N. Other", ("other",), 1, 1),  # the points go first, then "an"
    ("well-known", ("wellknown",), 1, 1),
    ("$5.4 million!", ("54 million",), 1, 1),
    ("“Paris”", ("Paris",), 0, 0),  # only ASCII punctuation goes
    ("Paris, France", ("Paris\u00a0France",), 1, 1),  # a no-break space is white space
    ("ÉCOLE", ("école",), 1, 1),
    ("cafe\u0301", ("caf\u00e9",), 0, 0),  # nothing is composed
    ("東京 タワー", ("東京 tower", "東京"), 0, 2 / 3),
    ("one two", ("two three", "one two three four"), 0, 2 / 3),  # the best of several golds
    ("two", ("one", "two", "one two"), 1, 1),
    ("b b b", ("b",), 0, 0.5),  # tokens are counted
    ("", (), 1, 1),
    (None, (), 1, 1),
    ("the", (), 1, 1),
    ("Paris", (), 0, 0),
    ("", ("Paris",), 0, 0),
    (None, ("Paris", ""), 0, 0),
    (None, ("", "the"), 1, 1),  # golds that are empty after normalisation are none
]


@pytest.mark.parametrize(("prediction", "golds", "exact", "f1"), CASES)
def test_exact_match_and_f1_agree_with_the_official_definition(prediction, golds, exact, f1):
    found = ReaderEvaluation.of([example(*golds)], [Answer(prediction, scores={"answerability": 0.5})])
    assert (found.exact[0], found.f1[0]) == (exact, pytest.approx(f1))
    assert reference(prediction, golds) == (exact, pytest.approx(f1))


texts = st.text(st.sampled_from("aAnthe bB.,-'“é\u0301 \u00a0東_1"), max_size=12)


@given(texts, st.lists(texts, max_size=3).map(tuple))
def test_exact_match_and_f1_agree_with_the_definition_on_any_text(prediction, golds):
    found = ReaderEvaluation.of([example(*golds)], [Answer(prediction, scores={"answerability": 0.5})])
    assert (found.exact[0], found.f1[0]) == pytest.approx(reference(prediction, golds))


def test_a_missing_kind_of_question_leaves_its_figures_out():
    found = ReaderEvaluation.of(EXAMPLES[:2], ANSWERS[:2])
    missing = {name for name, interval in found.figures.items() if math.isnan(interval.value)}
    assert missing == {"NoAns_exact", "NoAns_f1", "auroc"}
    assert found.as_dict()["figures"]["auroc"] == {"value": None, "low": None, "high": None}


def test_intervals_hold_the_figure_and_are_reproducible():
    examples = [e.model_copy(update={"id": f"{i}"}) for i, e in enumerate(EXAMPLES * 25)]
    found = ReaderEvaluation.of(examples, ANSWERS * 25).figures
    assert found == ReaderEvaluation.of(examples, ANSWERS * 25).figures
    assert list(found) == list(NAMES)
    for value, low, high in found.values():
        assert low <= value + 1e-9
        assert value <= high + 1e-9
    value, low, high = found["exact"]
    assert (value, high - low) == (0.5, pytest.approx(2 * 1.96 * 0.05, abs=0.03))


def test_risk_and_threshold_at_each_coverage():
    found = ReaderEvaluation.of(EXAMPLES, ANSWERS)
    curve = found.risk_coverage()
    assert curve.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert curve.risk == pytest.approx([0, 1 / 2, 2 / 3, 3 / 4])
    assert found.thresholds(curve.coverage).tolist() == [0.9, 0.6, 0.4, 0.3]
    for coverage, threshold in zip(curve.coverage, found.thresholds(curve.coverage), strict=True):
        assert np.mean(found.answerability >= threshold) == coverage


def test_predictions_are_written_in_the_official_format(tmp_path):
    ReaderEvaluation.of(EXAMPLES, ANSWERS).save(tmp_path / "new" / "folder")
    read = {
        name: json.loads((tmp_path / "new" / "folder" / name).read_text()) for name in (PREDICTIONS, NO_ANSWER, FIGURES)
    }
    ids = [e.id for e in EXAMPLES]
    assert read[PREDICTIONS] == dict(zip(ids, ["Rome", "", "", "Quito"], strict=True))
    assert read[NO_ANSWER] == pytest.approx(dict(zip(ids, [0.1, 0.6, 0.7, 0.4], strict=True)))
    assert read[FIGURES]["figures"]["exact"]["value"] == 0.5
    assert read[FIGURES]["questions"] == 4


def test_ids_and_answers_of_any_kind_can_be_written(tmp_path):
    found = ReaderEvaluation.of([example("x", name="\ud800")], [answer("\ufffd東", 0.5, "\ufffd東")])
    found.save(tmp_path)
    assert json.loads((tmp_path / PREDICTIONS).read_text()) == {"\ud800": "\ufffd東"}


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write to .*file"):
        ReaderEvaluation.of(EXAMPLES, ANSWERS).save(tmp_path / "file")


def test_a_question_that_cannot_be_read_counts_as_no_answer_and_progress_is_told():
    seen = []
    answers = [ANSWERS[0], InputError("too long"), *ANSWERS[2:]]
    found = evaluate_reader(ScriptedReader(answers), EXAMPLES, progress=lambda *counts: seen.append(counts))
    assert (found.refused, found.predictions[1], found.answerability[1], found.forced_f1[1]) == (1, None, 0.0, 0.0)
    assert seen == [(0, 4), (4, 4)]
    assert found.seconds > 0


def test_no_question_and_a_doubled_one_are_refused(tmp_path):
    with pytest.raises(InputError, match="there is no question"):
        evaluate_reader(ScriptedReader([]), [])
    with pytest.raises(InputError, match="have the same id"):
        evaluate_reader(ScriptedReader(ANSWERS), [EXAMPLES[0], EXAMPLES[0]])
    (tmp_path / "empty.json").write_text('{"data": []}')
    with pytest.raises(InputError, match=r"empty\.json holds no question"):
        evaluate_reader(ScriptedReader([]), tmp_path / "empty.json")
