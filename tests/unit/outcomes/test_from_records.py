"""Files of records, whole and damaged: columns where they are right, an error with file and line where not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from twosup_chain.errors import ConfigurationError, CutOffError, InputError, RecordsError, UnknownOptionError
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.outcomes.price import Price
from twosup_chain.records.lines import read_records


def read_outcomes(path, *, correct="exact_match", price=None, missing=None, **scorers):
    columns = read_columns(path, **scorers, local_missing=missing, remote_missing=missing)
    return columns.outcomes(correct=correct, price=price), columns.provenance


SCORERS = {"local_scorer": "a", "remote_scorer": "b"}


def _entry(id, **changes):
    """Returns the fields of a record; ``local__f1=…`` changes a field of a prediction, ``…`` takes it out."""
    prediction = {
        "no_answer": False,
        "exact_match": 1.0,
        "f1": 1.0,
        "trust": {"a": 0.75, "b": 0.5, "c": None},
        "usage": {"input_tokens": 100, "output_tokens": 10},
        "seconds": 0.5,
        "model": "m",
    }
    entry = {
        "version": 1,
        "id": id,
        "digest": f"{int.from_bytes(id.encode().ljust(8)[:8], 'big'):016x}",
        "answerable": True,
        "local": dict(prediction),
        "remote": dict(prediction),
    }
    for name, value in changes.items():
        role, _, field = name.partition("__")
        target, key = (entry[role], field) if field else (entry, role)
        target[key] = value
        if value is ...:
            del target[key]
    return entry


FAILED = {"error": "TimeoutError", "seconds": 1.0}


@pytest.fixture
def write(tmp_path):
    def write(*entries, name="r.jsonl", end="\n"):
        path = tmp_path / name
        lines = [entry if isinstance(entry, str) else json.dumps(entry) for entry in entries]
        path.write_text("\n".join(lines) + (end if lines else ""))
        return path

    return write


def test_columns_hold_what_the_records_say(write):
    path = write(
        _entry("1", local__trust={"a": 0.1, "b": None}, local__exact_match=0.0, local__f1=0.5),
        _entry("2", answerable=False, remote__no_answer=True, remote__f1=0.0, remote__exact_match=0.0),
    )
    columns = read_columns(path, **SCORERS)
    np.testing.assert_array_equal(columns.local.trust, [0.1, 0.75])
    np.testing.assert_array_equal(columns.remote.trust, [0.5, 0.5])
    np.testing.assert_array_equal(columns.local.f1, [0.5, 1.0])
    np.testing.assert_array_equal(columns.remote.exact_match, [1.0, 0.0])
    np.testing.assert_array_equal(columns.remote.no_answer, [False, True])
    np.testing.assert_array_equal(columns.answerable, [True, False])
    np.testing.assert_array_equal(columns.remote.input_tokens, [100.0, 100.0])
    np.testing.assert_array_equal(columns.local.seconds, [0.5, 0.5])
    assert columns.record(1).id == "2"
    provenance = columns.provenance
    assert (provenance.questions, provenance.failed) == (2, 0)
    assert (provenance.local_model, provenance.remote_model) == ("m", "m")


def test_outcomes_have_costs_where_there_is_a_price(write):
    outcomes, provenance = read_outcomes(write(_entry("1")), price=Price(1.0, 10.0), **SCORERS)
    np.testing.assert_allclose(outcomes.remote_cost, [200e-6])
    assert read_outcomes(write(_entry("1")), **SCORERS)[0].remote_cost is None
    assert provenance.local_scorer == "a"


@pytest.mark.parametrize(
    ("correct", "expected"),
    [("exact_match", [False, True]), (("f1", 0.5), [True, True]), (["f1", 0.6], [False, True])],
)
def test_what_counts_as_right_is_an_exact_match_or_a_floor_of_f1(write, correct, expected):
    path = write(_entry("1", local__exact_match=0.0, local__f1=0.5), _entry("2"))
    assert read_outcomes(path, correct=correct, **SCORERS)[0].local_correct.tolist() == expected


@pytest.mark.parametrize("correct", ["f1", ("f1", 0.0), ("f1", 1.5), ("f1", "x"), ("exact_match", 1.0), None])
def test_another_rule_of_what_is_right_is_refused(write, correct):
    with pytest.raises(ConfigurationError, match="correct="):
        read_outcomes(write(_entry("1")), correct=correct, **SCORERS)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_files_of_few_questions_are_read_as_what_they_are(write, n):
    outcomes, provenance = read_outcomes(write(*[_entry(str(i)) for i in range(n)]), **SCORERS)
    assert len(outcomes) == provenance.questions == n


def test_a_question_with_a_failed_call_is_left_out_and_counted(write):
    path = write(_entry("1"), _entry("2", remote=FAILED), _entry("3", local=FAILED))
    outcomes, provenance = read_outcomes(path, **SCORERS)
    assert (len(outcomes), provenance.failed) == (1, 2)


def test_a_later_line_of_a_failed_question_takes_its_place(write):
    path = write(_entry("1", remote=FAILED), _entry("2"), _entry("1", remote=FAILED), _entry("1", local__f1=0.25))
    columns = read_columns(path, **SCORERS)
    np.testing.assert_array_equal(columns.local.f1, [0.25, 1.0])
    assert columns.provenance.failed == 0
    assert [columns.record(row).id for row in range(2)] == ["1", "2"]


@pytest.mark.parametrize("second", [{}, {"remote": FAILED}])
def test_a_question_that_was_recorded_twice_is_named_with_both_lines(write, second):
    path = write(_entry("1"), _entry("2"), _entry("1", **second))
    with pytest.raises(RecordsError, match=r"r\.jsonl, line 3: the question '1' is recorded in .*r\.jsonl, line 1"):
        read_outcomes(path, **SCORERS)


def test_several_files_are_read_as_one_and_a_question_counts_once_in_all(write):
    first, second = write(_entry("1"), name="a.jsonl"), write(_entry("2"), name="b.jsonl")
    columns = read_columns([first, str(second)], **SCORERS)
    assert [columns.record(row).id for row in range(2)] == ["1", "2"]
    with pytest.raises(RecordsError, match=r"c\.jsonl, line 1: .* recorded in .*a\.jsonl, line 1"):
        read_columns([first, write(_entry("1"), name="c.jsonl")], **SCORERS)


def test_the_digest_of_the_data_does_not_depend_on_the_order(write):
    digests = {
        read_outcomes(write(*[_entry(name, digest=digest) for name, digest in rows]), **SCORERS)[1].digest
        for rows in ([("1", "0a"), ("2", "0b")], [("2", "0b"), ("1", "0a")], [("1", "0a"), ("2", "0c")])
    }
    assert len(digests) == 2


def test_the_columns_do_not_depend_on_the_order_in_which_calls_ended(write):
    entries = [_entry(str(number), local__f1=number / 10, local__exact_match=0.0) for number in range(5)]
    forth, back = (
        read_columns(write(*some, name=name), **SCORERS)
        for some, name in ((entries, "forth.jsonl"), (entries[::-1], "back.jsonl"))
    )
    assert forth.local.f1.tolist() == back.local.f1.tolist() == [0.0, 0.1, 0.2, 0.3, 0.4]
    assert [back.record(row).id for row in range(5)] == ["0", "1", "2", "3", "4"]


def test_a_half_written_last_line_is_said_to_be_one(write):
    line = json.dumps(_entry("2"), separators=(",", ":"))
    for length in range(1, len(line)):
        with pytest.raises(CutOffError, match="line 2, the last, is cut off, as a crash leaves it"):
            read_outcomes(write(_entry("1"), line[:length], end=""), **SCORERS)


def test_a_whole_last_line_without_a_line_feed_counts(write):
    assert len(read_outcomes(write(_entry("1"), _entry("2"), end=""), **SCORERS)[0]) == 2


def test_blank_lines_are_passed_over(write):
    assert len(read_outcomes(write(_entry("1"), "", _entry("2"), "", ""), **SCORERS)[0]) == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"version":1,"id":', "line 2: .* is no record"),
        ("hello", "line 2: 'hello.* is no record"),
        ("[1]", r"line 2: .* is no record of version 3, as 'twosup collect' writes it"),
        ('{"id":"2"}', "line 2: .* is no record of version 3"),
        (_entry("2", version=4), "line 2: a record of version 4, and this twosup_chain reads version 3"),
        (_entry("2", version=0), "line 2: .* is no record of version 3"),
        (_entry("2", local__trust={"a": float("nan")}), "line 2: local.trust.a is nan, which is no number"),
        (_entry("2", remote__f1=float("inf")), "line 2: remote.f1 is inf, which is no number"),
        (_entry("2", local__logprobs=[-1.0, float("-inf")]), r"line 2: local.logprobs.1 is -inf"),
        (_entry("2", local__trust={"a": 1.5}), r"line 2: RecordedPrediction: trust\.a=1\.5"),
        (_entry("2", local__trust={"a": "0.5"}), "line 2"),
        (_entry("2", local__exact_match=...), "line 2: KeyError: 'exact_match'"),
        (_entry("2", local=...), r"line 2: QuestionRecord: 'local' is missing"),
        (_entry("2", local="Ada"), "line 2: QuestionRecord: local='Ada'"),
        (_entry("2", digest="xyz"), "line 2: ValueError"),
        (_entry("2", remote__model="other"), "line 2: the remote model is 'other', and 'm' in the lines before"),
        (_entry("2", local__trust={"a": None}), r"line 2: local.trust.a is null, .*missing=0.0"),
        ('{"version":1,' + '"x":[' * 100_000, "line 2: .* is no record"),
        (b'{"version":1,"id":"\xff"}'.decode("latin-1"), "line 2"),
    ],
)
def test_a_damaged_line_is_an_error_with_file_and_line(write, line, message):
    with pytest.raises(RecordsError, match=r"r\.jsonl, " + message):
        read_outcomes(write(_entry("1"), line, _entry("3")), **SCORERS)


def test_bytes_that_are_no_text_are_an_error_with_the_line(write):
    path = write(_entry("1"))
    path.write_bytes(path.read_bytes() + b'{"version":1,"id":"\xff"}\n')
    with pytest.raises(RecordsError, match="line 2: .* is no record"):
        read_outcomes(path, **SCORERS)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RecordsError, match=r"cannot read the records .*none\.jsonl: No such file"):
        read_outcomes(tmp_path / "none.jsonl", **SCORERS)


def test_a_scorer_that_was_not_recorded_is_refused_with_those_that_were(write):
    with pytest.raises(UnknownOptionError, match=r"'A' is no scorer of the local predictions .*There are: a, b, c\."):
        read_outcomes(write(_entry("1")), local_scorer="A", remote_scorer="b")


def test_an_answer_without_the_scorers_evidence_gets_the_stated_trust(write):
    path = write(_entry("1", remote__trust={"b": None}), _entry("2"))
    assert read_outcomes(path, missing=0.0, **SCORERS)[0].remote_score.tolist() == [0.0, 0.5]
    with pytest.raises(ConfigurationError, match="missing=2"):
        read_outcomes(path, missing=2, **SCORERS)


def test_a_price_needs_tokens_of_every_hosted_answer(write):
    path = write(_entry("1", remote__usage=...), _entry("2"))
    with pytest.raises(InputError, match="1 of 2 hosted answers do not tell their tokens"):
        read_outcomes(path, price=Price(1, 1), **SCORERS)
    assert np.isnan(read_columns(path, **SCORERS).remote.input_tokens).tolist() == [True, False]


def test_read_records_gives_every_line_failed_ones_included_and_checks_all_of_it(write):
    path = write(_entry("1", remote=FAILED), _entry("1"), _entry("2", local__tokens=3))
    records = read_records(path)
    assert [next(records).failed, next(records).failed] == [True, False]
    with pytest.raises(RecordsError, match=r"line 3: .*tokens=3"):
        next(records)


def test_failed_calls_are_counted_where_that_is_asked_for_and_cost_what_they_told_or_the_most(write):
    told = {"error": "TimeoutError", "usage": {"input_tokens": 900, "output_tokens": 10}}
    entries = [_entry("1"), _entry("2") | {"local": {"error": "InputError"}}, _entry("3") | {"remote": told}]
    path = write(*entries, _entry("4") | {"remote": {"error": "TimeoutError"}})
    assert len(read_columns(path, **SCORERS)) == 1
    columns = read_columns(path, **SCORERS, failures=True)
    assert (len(columns), columns.provenance.failed) == (4, 3)
    assert columns.local.failed.tolist() == [False, True, False, False]
    assert columns.remote.failed.tolist() == [False, False, True, True]
    outcomes = columns.outcomes(price=Price(1.0, 0.0, context=5_000, max_tokens=1))
    assert outcomes.max_call_cost == pytest.approx(0.005)
    assert outcomes.remote_cost.tolist() == pytest.approx([0.0001, 0.0001, 0.0009, 0.005])
    assert not outcomes.remote_correct[2:].any()


def test_a_failure_that_was_asked_again_with_success_is_none(write):
    failed = _entry("1") | {"remote": {"error": "TimeoutError"}}
    columns = read_columns(write(failed, failed, _entry("2"), _entry("1")), **SCORERS, failures=True)
    assert (len(columns), columns.remote.failed.any(), columns.provenance.failed) == (2, False, 0)


def test_passages_are_read_where_every_record_tells_one(write):
    told = [_entry(str(i)) | {"passage": f"{i % 2:016x}"} for i in range(4)]
    assert sorted(read_columns(write(*told), **SCORERS).outcomes().passage.tolist()) == [0, 0, 1, 1]
    assert read_columns(write(*told, _entry("9")), **SCORERS).outcomes().passage is None
