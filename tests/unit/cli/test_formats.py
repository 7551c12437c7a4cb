"""The text in PDF, Word and HTML files, made here; damaged ones and a missing package are one line."""

from __future__ import annotations

import io
import sys
import zipfile

import pytest

from twosup_chain.cli.formats import FORMATS
from twosup_chain.errors import InputError, MissingExtraError

PAGE = b"""<html><head><title>No</title><style>p {}</style></head><body><nav>Home</nav><h1>Harbour</h1>
<p>The gate is opened by <b>Ailsa Crane</b>.</p><script>no()</script>
<table><tr><th>Year</th><td>1874</td></tr><tr><th>Depth</th><td>4 m</td></tr></table></body></html>"""
WORD = (
    '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>'
    "<w:p><w:r><w:t>The gate is opened by </w:t></w:r><w:r><w:t>Ailsa Crane.</w:t></w:r></w:p>"
    "<w:p/><w:p/><w:p><w:r><w:t>It was lit in 1874.</w:t></w:r></w:p></w:body></w:document>"
)
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def word() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        for name, text in {
            "[Content_Types].xml": TYPES,
            "_rels/.rels": RELATIONS,
            "word/document.xml": WORD,
        }.items():
            packed.writestr(name, text)
    return file.getvalue()


def pdf(*pages: str) -> bytes:
    """Returns a PDF with a line of text on each page."""
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for i, text in enumerate(pages):
        drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
        objects.append(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {5 + 2 * i} 0 R>>"
        )
        objects.append(f"<</Length {len(drawn)}>>\nstream\n{drawn}\nendstream")
    body, places = "%PDF-1.4\n", []
    for number, entry in enumerate(objects, 1):
        places.append(len(body))
        body += f"{number} 0 obj\n{entry}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    end = f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\n"
    return (body + end + f"startxref\n{len(body)}\n%%EOF").encode()


def test_a_page_is_read_as_it_is_seen_without_its_menu_and_scripts():
    pytest.importorskip("bs4")
    text = FORMATS[".html"](PAGE, "p.html").text
    assert text == "Harbour\n\nThe gate is opened by Ailsa Crane.\n\nYear\t1874\nDepth\t4 m"


def test_a_word_file_is_its_paragraphs():
    pytest.importorskip("mammoth")
    assert (
        FORMATS[".docx"](word(), "w.docx").text.strip() == "The gate is opened by Ailsa Crane.\n\nIt was lit in 1874."
    )


def test_a_pdf_is_its_pages_and_one_without_text_is_noted():
    pytest.importorskip("pypdf")
    text, remark = FORMATS[".pdf"](pdf("The gate is opened", "", "by Ailsa Crane."), "g.pdf")
    assert text.split("\n\n") == ["The gate is opened", "", "by Ailsa Crane."] or text.split() == [
        *("The", "gate", "is", "opened", "by", "Ailsa", "Crane.")
    ]
    assert remark == "g.pdf: no text on page 2"


def test_a_pdf_of_pictures_is_refused():
    pytest.importorskip("pypdf")
    with pytest.raises(InputError, match="holds no text, perhaps pictures of pages"):
        FORMATS[".pdf"](pdf(""), "g.pdf")


@pytest.mark.parametrize(("ending", "package"), [(".pdf", "pypdf"), (".docx", "mammoth"), (".html", "bs4")])
def test_a_missing_package_is_named_with_its_extra(monkeypatch, ending, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'twosup-chain\[files\]'"):
        FORMATS[ending](b"", "x")


@pytest.mark.parametrize(("ending", "package"), [(".pdf", "pypdf"), (".docx", "mammoth")])
def test_a_damaged_file_is_an_input_error(ending, package):
    pytest.importorskip(package)
    with pytest.raises(InputError, match="x is no .* that can be read"):
        FORMATS[ending](b"no such thing", "x")
