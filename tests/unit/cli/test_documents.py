"""Files and standard input as the context: what is read, and what is refused with which words."""

from __future__ import annotations

import io
import sys

import pytest

from twosup_chain.cli import documents
from twosup_chain.cli.documents import Read
from twosup_chain.errors import InputError


def read_documents(names):
    return [document.text for document in documents.read_documents(names)]


@pytest.fixture
def stdin(monkeypatch):
    def pipe(raw: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="ascii"))

    return pipe


def test_every_file_is_a_document_in_the_given_order(tmp_path, stdin):
    (tmp_path / "a.txt").write_text("first – א", encoding="utf-8")
    stdin("second – 東".encode())
    assert read_documents(["-", str(tmp_path / "a.txt")]) == ["second – 東", "first – א"]


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"\xef\xbb\xbfAda")
    assert read_documents([str(tmp_path / "a.txt")]) == ["Ada"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_says_how_the_text_is_read(tmp_path, capsys, encoding):
    path = tmp_path / "a.txt"
    path.write_bytes("\N{ZERO WIDTH NO-BREAK SPACE}Zoë wrote it.".encode(encoding))
    assert read_documents([str(path)]) == ["Zoë wrote it."]
    path.write_bytes("\N{ZERO WIDTH NO-BREAK SPACE}Zoë wrote it.".encode(encoding)[:-1])
    assert read_documents([str(path)])[0].startswith("Zoë wrote it")
    assert "a.txt is not valid UTF-" in capsys.readouterr().err
    path.write_bytes("\N{ZERO WIDTH NO-BREAK SPACE}Zoë\0".encode(encoding))
    with pytest.raises(InputError, match="is not plain text .a zero character in UTF-"):
        read_documents([str(path)])


def test_line_ends_stay_as_they_are(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"a\r\nb\n")
    assert read_documents([str(tmp_path / "a.txt")]) == ["a\r\nb\n"]


def test_bytes_that_are_no_utf8_are_replaced_and_a_remark_says_so(tmp_path, capsys):
    (tmp_path / "latin1.txt").write_bytes("caf\xe9 noir".encode("latin-1"))
    assert read_documents([str(tmp_path / "latin1.txt")]) == ["caf\N{REPLACEMENT CHARACTER} noir"]
    assert "latin1.txt is not valid UTF-8" in capsys.readouterr().err


def test_a_replacement_character_that_the_file_holds_itself_is_no_remark(tmp_path, capsys):
    (tmp_path / "a.txt").write_text("caf\N{REPLACEMENT CHARACTER}", encoding="utf-8")
    read_documents([str(tmp_path / "a.txt")])
    assert capsys.readouterr().err == ""


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read .*nope\.txt: there is no such file"):
        read_documents([str(tmp_path / "nope.txt")])


def test_a_folder_is_its_files_by_name_without_hidden_ones_and_what_is_no_text_is_noted(tmp_path, capsys):
    folder = tmp_path / "texts"
    for name, raw in {"b.md": b"second", "a/a.txt": b"first", ".git/x": b"no", "c.bin": b"\0", "d.txt": b""}.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(raw)
    assert documents.read_documents([str(folder)]) == [Read("a/a.txt", "first"), Read("b.md", "second")]
    assert "no text in c.bin, d.txt" in " ".join(capsys.readouterr().err.split())


def test_a_folder_without_a_text_or_with_very_many_is_refused(tmp_path, monkeypatch):
    folder = tmp_path / "texts"
    folder.mkdir()
    with pytest.raises(InputError, match="holds no text"):
        read_documents([str(folder)])
    monkeypatch.setattr(documents, "MOST_FILES", 1)
    for name in "ab":
        (folder / name).write_text("text")
    with pytest.raises(InputError, match="holds more than 1 files: name some of them"):
        read_documents([str(folder)])


def test_a_name_that_no_file_can_have_is_an_input_error():
    with pytest.raises(InputError, match="cannot read"):
        read_documents(["a\0b"])


def test_a_binary_file_is_refused_with_the_place(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"GGUF\0\0\1")
    with pytest.raises(InputError, match=r"a\.bin is not plain text \(a zero byte at offset 4\)"):
        read_documents([str(tmp_path / "a.bin")])


@pytest.mark.parametrize("raw", [b"", b" \n\t", b"\xef\xbb\xbf"])
def test_an_empty_context_is_refused(raw, stdin):
    stdin(raw)
    with pytest.raises(InputError, match="standard input is empty"):
        read_documents(["-"])


def test_a_huge_file_is_refused_before_it_fills_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(documents, "MOST_BYTES", 1024)
    (tmp_path / "a.txt").write_bytes(b"x" * 1025)
    with pytest.raises(InputError, match="is larger than"):
        read_documents([str(tmp_path / "a.txt")])
    (tmp_path / "a.txt").write_bytes(b"x" * 1024)
    assert read_documents([str(tmp_path / "a.txt")]) == ["x" * 1024]


def test_standard_input_is_read_only_once(stdin):
    stdin(b"text")
    with pytest.raises(InputError, match="given twice"):
        read_documents(["-", "-"])
