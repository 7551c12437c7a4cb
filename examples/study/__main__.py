"""``python examples/study compact|tables``: see the package's docstring."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))

from study.columns import Columns
from study.compact import compact
from study.questions import Header, save
from study.render import markdown
from study.resampling import DRAWS
from study.tables import tables
from study.timing import timing_table
from twosup_chain._packed import read_packed
from twosup_chain.demo import recording
from twosup_chain.demo.recording import digest
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.text.questions import LabelledQuestion, load_questions

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How many questions the supervisors' times are measured on.
_TIMED = 100

app = typer.Typer(pretty_exceptions_enable=False, help=__doc__)


@app.command("compact")
def make_compact(
    *,
    data: Annotated[list[Path], typer.Option(help="Labelled questions in SQuAD format; several times, if need be.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    remote: Annotated[list[Path] | None, typer.Option(help="Recordings of the hosted model.")] = None,
    small: Annotated[list[Path] | None, typer.Option(help="Recordings of the small generative model.")] = None,
    source: Annotated[list[str] | None, typer.Option(help="Keep sources that begin like this only.")] = None,
    short: Annotated[bool, typer.Option(help="Without ids and answers, for whole sources.")] = False,
    timed: Annotated[bool, typer.Option(help="Measure the supervisors' own time as well.")] = False,
) -> None:
    """Asks the packaged reader, and joins its predictions with the recorded ones."""
    reader = ExtractiveReader(num_threads=1)
    hosted, drafts = _recordings(remote), _recordings(small)
    questions, examples = [], []
    for name, some in _sources(data, source):
        examples += some
        questions += compact(
            some,
            name,
            reader,
            small=drafts[1],
            remote=hosted[1],
            progress=lambda done, count, name=name: print(f"{name}: {done}/{count}", file=sys.stderr),
        )
    timing = None
    if timed:
        asked = {e.id: hosted[1][digest(e.as_input())] for e in examples if digest(e.as_input()) in hosted[1]}
        chosen = [e for e in examples if e.id in asked][:: max(1, len(asked) // _TIMED)]
        timing = timing_table(chosen, reader, asked, Columns.of(questions))
    model = reader.invoke({"question": "Who?", "context": "Ada."}).model
    save(out, Header(reader=model or "", small=drafts[0], remote=hosted[0], timing=timing), questions, short=short)
    print(f"{out}: {len(questions)} questions, {out.stat().st_size:,} bytes")


@app.command("tables")
def make_tables(
    *,
    data: Annotated[Path, typer.Option(help="The folder of the compact data.")] = Path("examples/study/data"),
    out: Annotated[Path | None, typer.Option(help="Where to write tables.json and tables.md.")] = None,
    draws: Annotated[int, typer.Option(min=20, help="Bootstrap draws.")] = DRAWS,
) -> None:
    """Makes every table from the compact data."""
    found = tables(data, draws=draws)
    page = markdown(found)
    print(page)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "tables.json").write_text(json.dumps(_plain(found), indent=1) + "\n", encoding="utf-8")
        (out / "tables.md").write_text(page, encoding="utf-8")


def _recordings(paths: list[Path] | None) -> tuple[str | None, dict[str, Any]]:
    """Returns the recorded model's name, and its answers by digest."""
    found = [recording.load(path) for path in paths or ()]
    answers = {key: answer for one in found for key, answer in one.answers.items()}
    return (found[0].header.model, answers) if found else (None, {})


def _sources(paths: list[Path], wanted: list[str] | None) -> Iterator[tuple[str, list[LabelledQuestion]]]:
    """Yields each source's name and questions; a file without sources is one of the name of its file."""
    for path in paths:
        document = json.loads(read_packed(path))
        names = [
            article.get("source", path.name.split(".")[0])
            for article in document["data"]
            for paragraph in article["paragraphs"]
            for _ in paragraph["qas"]
        ]
        by_source: dict[str, list[LabelledQuestion]] = {}
        for name, example in zip(names, load_questions(path), strict=True):
            found = [prefix for prefix in wanted or (name,) if name.startswith(prefix)]
            if found:
                by_source.setdefault(found[0], []).append(example)
        yield from by_source.items()


def _plain(value: Any) -> Any:
    """Returns the value with what JSON does not know (NaN) as ``None``, and figures to six digits."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return None if value != value else float(f"{value:.6g}")  # noqa: PLR0124  NaN
    return value


if __name__ == "__main__":
    app()
