"""Which columns are taken: recognised by name, given by option, or an error that says what to give."""

from __future__ import annotations

import numpy as np
import pytest

from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.paper import Columns, read_recordings

LABELLED = ",index,prediction,ground_truth,sm_confidence,pred_time,supervisor_time\n"


@pytest.fixture
def files(tmp_path):
    def write(local, remote):
        paths = tmp_path / "local.csv", tmp_path / "remote.csv"
        for path, text in zip(paths, (local, remote), strict=True):
            path.write_text(text)
        return paths

    return write


def test_predictions_are_compared_with_labels_and_times_added_up(files):
    both = files(
        LABELLED + "0,0,7,7,0.5,1.0,0.25\n1,1,3,4,0.75,1.0,0.25\n",
        LABELLED + "0,0,8,7,0.9,4.0,0.5\n1,1,4.0,4,1.0,4.0,\n",
    )
    found = read_recordings(*both)
    assert found.local.score.tolist() == [0.5, 0.75]
    assert found.local.correct.tolist() == [True, False]
    assert found.local.seconds.tolist() == [1.25, 1.25]
    assert found.remote.correct.tolist() == [False, True]
    assert found.remote.seconds == pytest.approx([4.5, np.nan], nan_ok=True)
    assert found.remarks == ()


def test_flags_of_correctness_and_differently_named_scores(files):
    both = files(
        "index,is_possible,exact_match,sm_confidence,pred_time\n0,True,True,0.5,1\n1,False,False,0.1,1\n",
        "id,exact_match,is_possible,gpt3_confidence,pred_time\n0,False,True,0.3,2\n1,False,False,0.2,2\n",
    )
    found = read_recordings(*both)
    assert (found.local.score.tolist(), found.remote.score.tolist()) == ([0.5, 0.1], [0.3, 0.2])
    assert found.local.correct.tolist() == [True, False]
    possible = read_recordings(*both, where="is_possible")
    assert (possible.remote.score.tolist(), possible.remote.seconds.tolist()) == ([0.3], [2.0])


def test_columns_can_be_given(files):
    both = files("trust,ok,t1,t2\n0.5,1,1,2\n", "p,ok,t1,t2\n0.25,0,4,8\n")
    columns = Columns(local_score="trust", remote_score="p", correct="ok", seconds=("t1", "t2"))
    found = read_recordings(*both, columns=columns)
    assert (found.local.score[0], found.remote.score[0]) == (0.5, 0.25)
    assert (found.local.correct[0], found.remote.correct[0]) == (True, False)
    assert (found.local.seconds[0], found.remote.seconds[0]) == (3.0, 12.0)
    assert (
        read_recordings(*both, columns=Columns(local_score="trust", remote_score="p", correct="ok")).local.seconds
        is None
    )


def test_labels_may_be_words(files):
    text = "answer,gold,score\nyes,yes ,1\nno,yes,0\n"
    found = read_recordings(*files(text, text), columns=Columns(prediction="answer", truth="gold"))
    assert found.local.correct.tolist() == [True, False]


def test_an_option_decides_between_two_kinds_of_correctness(files):
    text = "correct,prediction,label,score\n1,a,b,0.5\n"
    both = files(text, text)
    with pytest.raises(InputError, match=r"correctness could be 'correct', or 'label'.*--correct COL, or"):
        read_recordings(*both)
    assert read_recordings(*both, columns=Columns(correct="correct")).local.correct[0]
    assert not read_recordings(*both, columns=Columns(prediction="prediction")).local.correct[0]


def test_the_first_rows_that_both_have_count(files):
    row = "1,1,0.5\n"
    found = read_recordings(*files("prediction,truth,score\n" + row * 3, "prediction,truth,score\n" + row * 2))
    assert len(found.local.score) == len(found.remote.score) == 2
    assert "has 3 rows" in found.remarks[0]
    assert "the first 2 of both count" in found.remarks[0]


def test_labels_that_differ_between_the_files_are_remarked_on(files):
    text = "prediction,truth,score\n1,1,0.5\n1,{},0.5\n"
    found = read_recordings(*files(text.format(1), text.format(2)))
    assert "differ in 'truth' in 1 of 2 rows" in found.remarks[0]


def test_the_selection_may_stand_in_one_file_only(files):
    both = files("keep,correct,score\n1,1,0.5\n0,1,0.6\n", "correct,score\n1,0.7\n1,0.8\n")
    assert read_recordings(*both, where="keep").remote.score.tolist() == [0.7]
    both = files("correct,score\n1,0.5\n1,0.6\n", "keep,correct,score\n0,1,0.7\n1,1,0.8\n")
    assert read_recordings(*both, where="keep").local.score.tolist() == [0.6]


OPTIONS_OF_CORRECTNESS = "--correct COL, or with --prediction COL --truth COL"


@pytest.mark.parametrize(
    ("local", "options", "message"),
    [
        ("a,correct\n1,1\n", {}, "local.csv: no column is recognised as the trust score; it has: a, correct. "),
        ("a,correct\n1,1\n", {}, "Say which with --local-score COL"),
        ("score,x_confidence,correct\n1,1,1\n", {}, "'score' and 'x_confidence' could both be the trust score"),
        ("score,a\n1,1\n", {}, f"as whether the prediction is right; .* {OPTIONS_OF_CORRECTNESS}"),
        ("score,prediction\n1,1\n", {}, "as whether the prediction is right"),
        ("score,prediction\n1,1\n", {"columns": Columns(prediction="prediction")}, "as the label; .*--truth COL"),
        ("score,correct,exact_match\n1,1,1\n", {}, "'correct' and 'exact_match' could both be"),
        ("score,prediction,predicted,label\n1,1,1,1\n", {}, "could both be the prediction; .*--prediction COL"),
        ("score,correct\n1,1\n", {"columns": Columns(local_score="skore")}, "no column 'skore'; it has: score, c"),
        ("score,correct\n1,1\n", {"columns": Columns(seconds=("t",))}, "has no column 't'"),
        ("score,correct\n1,1\n", {"where": "possible"}, "has no column 'possible'"),
        ("score,correct,keep\n1,1,x\n", {"where": "keep"}, "keep='x' is not True or False"),
        ("score,correct\nnan,1\n", {}, "row 1: score='nan' is not a finite number"),
        ("score,correct\n1,2\n", {}, "correct='2' is not True or False"),
        ("score,correct\n", {}, "share 0 rows"),
        ("score,correct,keep\n1,1,0\n", {"where": "keep"}, "share 1 rows, and none of them counts"),
    ],
)
def test_what_is_missing_or_in_doubt_is_named_with_the_option_that_settles_it(files, local, options, message):
    both = files(local, "score,correct\n1,1\n")
    with pytest.raises(InputError, match=message):
        read_recordings(*both, **options)


def test_files_that_select_different_rows_are_not_aligned(files):
    both = files("keep,correct,score\n1,1,0.5\n0,1,0.6\n", "keep,correct,score\n1,1,0.5\n1,1,0.6\n")
    with pytest.raises(InputError, match="differ in 'keep' in 1 of 2 rows, row 2 first"):
        read_recordings(*both, where="keep")


def test_correctness_said_in_two_ways_is_refused():
    with pytest.raises(ConfigurationError, match="--correct and --prediction/--truth"):
        Columns(correct="a", truth="b")
