"""``python examples/study records|tables|pairs|label-records|labels|live``: see the package's docstring."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

sys.path.insert(0, str(Path(__file__).parents[1]))

from study import records
from study.labels import HALVES, label_tables, record
from study.labels_page import labels_markdown
from study.live import live
from study.pairs import pairs_table
from study.render import markdown, pairs_markdown
from study.resampling import DRAWS
from study.systems import LIMIT
from study.tables import Study, tables
from twosup_chain import ExtractiveReader
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.text.questions import load_questions

#: Where the records are.
DATA = Path(__file__).parent / "data"

app = typer.Typer(pretty_exceptions_enable=False, help=__doc__)
Questions = Annotated[Path, typer.Argument(help="Labelled questions in SQuAD format.")]
Folder = Annotated[Path, typer.Option(help="The folder of the records.")]


@app.command("records")
def make_records(
    data: Questions,
    *,
    remote: Annotated[list[Path], typer.Option(help="A recording of the hosted model; one a source.")],
    out: Annotated[Path, typer.Option(help="The file to write.")],
    local: Annotated[Path | None, typer.Option(help="A recording of a local model in the reader's place.")] = None,
    reader: Annotated[str, typer.Option(help="The reader: small, base or a folder.")] = "small",
    hosted: Annotated[str | None, typer.Option(help="A reader in the hosted model's place.")] = None,
    known: Annotated[list[Path], typer.Option(help="Records whose features are not kept again.")] = [],  # noqa: B006
) -> None:
    """Asks the reader, plays the hosted model back, and keeps records without texts."""
    answerer = _reader(reader) if local is None else ReplayedAnswerer(recording=local)
    count = records.make(
        load_questions(data),
        answerer,
        remote,
        out,
        tokens=local is not None,
        hosted=None if hosted is None else _reader(hosted),
        known=known,
    )
    print(f"{out}: {count:,} questions, {out.stat().st_size:,} bytes")


@app.command("tables")
def make_tables(
    *,
    data: Folder = DATA,
    out: Annotated[Path | None, typer.Option(help="Where to write tables.json and tables.md.")] = None,
    draws: Annotated[int, typer.Option(min=20, help="Bootstrap draws.")] = DRAWS,
) -> None:
    """Makes every table from the records."""
    with Study.opened(data) as study:
        found = tables(study, draws=draws)
    _written(found, markdown(found), out, "tables")


@app.command("pairs")
def make_pairs(
    *,
    data: Folder = DATA,
    out: Annotated[Path | None, typer.Option(help="Where to write pairs.json and pairs.md.")] = None,
    draws: Annotated[int, typer.Option(min=20, help="Bootstrap draws.")] = DRAWS,
) -> None:
    """Makes the tables of pairs of models from the records."""
    found = pairs_table(data, draws)
    _written(found, pairs_markdown(found), out, "pairs")


@app.command("label-records")
def make_label_records(
    data: Annotated[Path, typer.Argument(help="JSON lines with text and label.")],
    *,
    classifier: Annotated[Path, typer.Option(help="The folder of a TextClassifier that was fitted on other texts.")],
    gguf: Annotated[Path, typer.Option(help="The hosted model's GGUF file.")],
    instructions: Annotated[str, typer.Option(help="What the hosted model is asked.")],
    out: Annotated[Path, typer.Option(help="The records, without texts; goes on where it stopped.")],
) -> None:
    """Asks a local classifier and a GGUF for the labels of texts."""
    from twosup_chain import TextClassifier
    from twosup_chain.decisions.llama import LlamaCppDecisionModel

    local, hosted = TextClassifier(model=str(classifier)), LlamaCppDecisionModel(model_path=gguf)
    print(f"{out}: {record(data, local, hosted, out, instructions=instructions):,} new records")


@app.command("labels")
def make_labels(
    *,
    data: Folder = DATA / "labels",
    out: Annotated[Path | None, typer.Option(help="Where to write labels.json and labels.md.")] = None,
    draws: Annotated[int, typer.Option(min=20, help="Bootstrap draws.")] = DRAWS,
) -> None:
    """Makes the table of the studies of classification from recorded predictions."""
    found = label_tables(data, draws)
    _written(found, labels_markdown(found, HALVES), out, "labels")


@app.command("live")
def ask_live(
    questions: Questions, *, data: Folder = DATA, recording: Path = DATA / "recordings" / "qwen2.5-coder-1.5b.jsonl.gz"
) -> None:
    """Sends the questions through our chains, and says how many end as by the records."""
    with Study.opened(data) as study:
        found = list(live(study.ours, load_questions(questions), recording, LIMIT))
    count = sum(fold.questions for fold in found)
    f1 = sum(fold.f1 * fold.questions for fold in found) / count
    print(f"{sum(fold.alike for fold in found):,} of {count:,} questions end as by the records; F1 {f1:.1%}")


def _written(found: dict[str, Any], page: str, out: Path | None, name: str) -> None:
    print(page)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / f"{name}.json").write_text(json.dumps(_plain(found), indent=1) + "\n", encoding="utf-8")
        (out / f"{name}.md").write_text(page, encoding="utf-8")


def _reader(model: str) -> ExtractiveReader:
    return ExtractiveReader(model=model, no_answer_below=0.0)


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
