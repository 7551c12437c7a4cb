"""CSV files as columns: plain or gzipped, and errors that name file, row, column and value."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from twosup_chain.errors import InputError
from twosup_chain.paper.csv_columns import CsvColumns

TEXT = ",score,right\n0,0.5,True\n1,0.25,False\n"


@pytest.fixture
def table(tmp_path):
    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return CsvColumns(path)

    return write


@pytest.mark.parametrize(
    "content",
    [
        TEXT,
        "\ufeff" + TEXT,
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("0.5", '" 0.5 "'),
        TEXT + "\n",
        gzip.compress(TEXT.encode(), mtime=0),
    ],
    ids=["plain", "byte order mark", "Windows", "quoted", "blank last line", "gzipped"],
)
def test_columns_are_read_however_they_are_packed(table, content):
    found = table(content)
    assert found.rows == 2
    assert found.numbers("score").tolist() == [0.5, 0.25]
    assert found.flags("right").tolist() == [True, False]
    assert found.texts("") == ("0", "1")


def test_the_content_tells_whether_it_is_gzipped_not_the_name(table):
    assert table(TEXT, "table.csv.gz").rows == 2
    assert table(gzip.compress(TEXT.encode()), "table.csv").rows == 2


def test_flags_come_in_several_spellings(table):
    found = table("flag\ntrue\nFALSE\n1\n0\n1.0\n0.0\nyes\nno\n")
    assert found.flags("flag").tolist() == [True, False] * 4


def test_a_header_alone_is_an_empty_table(table):
    found = table("score,right\n")
    assert (found.rows, len(found.numbers("score")), len(found.flags("right"))) == (0, 0, 0)


def test_blank_numbers_may_stand_for_something(table):
    found = table("seconds,n\n1.5,1\n,1\nNaN,1\n")
    assert found.numbers("seconds", blank=np.nan) == pytest.approx([1.5, np.nan, np.nan], nan_ok=True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty: a header line"),
        ("a,b\n1,2\n3\n", r"row 2: 1 fields, but the header has 2"),
        ('a,b\n1,"2\n', "is no CSV file"),
        (b"\xff\xfe\x00", "is no CSV file in UTF-8"),
        (gzip.compress(TEXT.encode(), mtime=0)[:-9], "is a damaged archive"),
        (gzip.compress(b"x" * 99, mtime=0)[:12] + b"broken", "is a damaged archive"),
    ],
)
def test_what_is_no_table_is_refused(table, content, message):
    with pytest.raises(InputError, match=message):
        table(content)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.csv: No such file"):
        CsvColumns(tmp_path / "none.csv")
    with pytest.raises(InputError, match="Is a directory"):
        CsvColumns(tmp_path)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nan", r"row 2: score='nan' is not a finite number \(1 of 2 rows\)"),
        ("", "score='' is not a finite number"),
        ("inf", "score='inf' is not"),
        ("high", "score='high' is not"),
    ],
)
def test_a_value_that_is_no_number_is_named(table, value, message):
    with pytest.raises(InputError, match=message):
        table(f"score,x\n0.5,1\n{value},1\n").numbers("score")


def test_infinite_times_are_refused_where_blank_ones_are_not(table):
    with pytest.raises(InputError, match="seconds='inf'"):
        table("seconds,x\n0.5,1\ninf,1\n").numbers("seconds", blank=np.nan)


def test_a_value_that_is_no_flag_is_named(table):
    with pytest.raises(InputError, match="row 1: right='maybe' is not True or False"):
        table("right\nmaybe\n").flags("right")


def test_missing_and_doubled_columns_are_named_with_what_there_is(table):
    found = table(",score,score\n0,1,2\n")
    with pytest.raises(InputError, match=r"has no column 'skore'; it has: '', score, score"):
        found.numbers("skore")
    with pytest.raises(InputError, match="has 2 columns 'score'"):
        found.numbers("score")
