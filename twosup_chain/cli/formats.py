"""The text in a file by its format: plain, PDF, Word, HTML (extra ``files``)."""

import codecs
import io
import re
from collections.abc import Callable
from typing import NamedTuple

from twosup_chain.errors import InputError, MissingExtraError

_ODD = "\N{REPLACEMENT CHARACTER}"
#: Byte order marks of what is no UTF-8; that of UTF-32 begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_BLANK_LINES = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")
#: What stands in a page and is not read.
_UNREAD = ("script", "style", "noscript", "template", "nav", "head")


class Text(NamedTuple):
    """The text of a file, and a remark on what of it could not be read."""

    text: str
    remark: str = ""


def plain_text(raw: bytes, shown: str) -> Text:
    """Returns text in UTF-8, or as its byte order mark says; bytes that are none are replaced, which is remarked."""
    name = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "UTF-8")
    codec, remark = "utf-8-sig" if name == "UTF-8" else name, ""
    try:
        text = raw.decode(codec)
    except UnicodeDecodeError:
        text = raw.decode(codec, errors="replace")
        remark = f"{shown} is not valid {name}: what could not be read was replaced by {_ODD}"
    if "\0" in text:
        place = f"a zero byte at offset {raw.index(0)}" if name == "UTF-8" else f"a zero character in {name}"
        raise InputError(f"--context: {shown} is not plain text ({place}): convert it to UTF-8 text first")
    return Text(text, remark)


def _pdf(raw: bytes, shown: str) -> Text:
    try:
        from pypdf import PdfReader
    except ImportError:
        raise MissingExtraError(f"--context {shown}", "pypdf", "files") from None
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(raw)).pages]
    bare = [str(number) for number, page in enumerate(pages, 1) if not page.strip()]
    if pages and len(bare) == len(pages):
        raise InputError(f"--context: {shown} holds no text, perhaps pictures of pages: recognise it first (OCR)")
    return Text("\n\n".join(pages), f"{shown}: no text on page {', '.join(bare)}" if bare else "")


def _word(raw: bytes, shown: str) -> Text:
    try:
        import mammoth
    except ImportError:
        raise MissingExtraError(f"--context {shown}", "mammoth", "files") from None
    return Text(_BLANK_LINES.sub("\n\n", mammoth.extract_raw_text(io.BytesIO(raw)).value))


def _page(raw: bytes, shown: str) -> Text:
    try:
        from bs4 import BeautifulSoup
    except ImportError:
        raise MissingExtraError(f"--context {shown}", "beautifulsoup4", "files") from None
    page = BeautifulSoup(raw, "html.parser")
    for part in page(_UNREAD):
        part.decompose()
    for block in page.find_all(_BLOCKS):
        block.append("\n\n" if block.name in _PARAGRAPHS else "\n")
    for cell in page.find_all(["td", "th"]):
        cell.append("\t")
    lines = (" ".join(filter(None, line.split(" "))).strip() for line in page.get_text().splitlines())
    return Text(_BLANK_LINES.sub("\n\n", "\n".join(lines)).strip())


_PARAGRAPHS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "blockquote", "pre", "section")
_BLOCKS = (*_PARAGRAPHS, "li", "tr", "dt", "dd", "div", "br")


def _guarded(read: Callable[[bytes, str], Text], kind: str) -> Callable[[bytes, str], Text]:
    """Returns the same, but whatever is wrong with a file is an `InputError`."""

    def guarded(raw: bytes, shown: str) -> Text:
        try:
            return read(raw, shown)
        except (InputError, MissingExtraError):
            raise
        except Exception as error:  # a damaged file can end in any error of its reader
            raise InputError(f"--context: {shown} is no {kind} that can be read: {type(error).__name__}") from error

    return guarded


#: How the text is had, by the file's ending; any other is read as plain text.
FORMATS: dict[str, Callable[[bytes, str], Text]] = {
    ".pdf": _guarded(_pdf, "PDF"),
    ".docx": _guarded(_word, "Word file"),
    ".html": _guarded(_page, "page"),
    ".htm": _guarded(_page, "page"),
}
