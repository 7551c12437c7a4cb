"""Files of one JSON document: what is written is read, and what cannot be is an error of the kind asked for."""

from __future__ import annotations

import pytest

from twosup_chain._json_file import read_json, write_json
from twosup_chain.errors import CalibrationFileError, InputError


def test_what_is_written_is_read(tmp_path):
    values = {"name": "Zoë", "numbers": [0.1, None]}
    write_json(tmp_path / "a.json", values, InputError, indent=1)
    assert read_json(tmp_path / "a.json", InputError) == values


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1', "is not JSON, or cut off"),
        (b"\xff", "is not JSON"),
        (b"", "is not JSON"),
        (b"[" * 200_000, "nested too deeply"),
        (b'{"a":' * 200_000, "nested too deeply"),
        (b'{"a": NaN}', "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"1" * 10_000, "is not JSON"),
    ],
)
def test_what_is_not_json_is_an_error_of_its_kind(tmp_path, content, words):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(CalibrationFileError, match=words):
        read_json(path, CalibrationFileError)


def test_a_file_that_cannot_be_read_or_written_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*none\.json: No such file"):
        read_json(tmp_path / "none.json", InputError)
    with pytest.raises(InputError, match=r"cannot write .*a\.json: No such file"):
        write_json(tmp_path / "none" / "a.json", {}, InputError)
