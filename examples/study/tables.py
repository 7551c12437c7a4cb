"""Every table of the study from the compact data: plain values, ready for JSON; how they look is in `render`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from study.columns import Columns
from study.oracle import oracle_table
from study.ours import Ours
from study.questions import load
from study.resampling import DRAWS, Resamples
from study.shift import shift_table
from study.signals import FAMILIES, signals_table
from study.systems import LIMIT, LOW, curves_table, has_small, systems_table

if TYPE_CHECKING:
    from pathlib import Path

    from study.questions import Header

#: The files of compact data: the main questions, all questions of their articles, read by the reader alone, those of
#: other sources with hosted answers, and whole other sources.
MAIN, READ, SAMPLED, WHOLE = "squad.jsonl.gz", "squad-read.jsonl.gz", "shift.jsonl.gz", "reader.jsonl.gz"
#: On fewer questions no table is made.
FEWEST = 250
#: What bootstrap draws are made of, for the main tables.
CLUSTER = "passages"


def tables(folder: Path, *, draws: int = DRAWS, families: tuple[str, ...] = FAMILIES) -> dict[str, Any]:
    """Returns every table.

    Args:
        folder: Where the compact data lie.
        draws: How many bootstrap draws.
        families: Which learned supervisors the table of signals holds.
    """
    header, columns = read(folder / MAIN)
    reading = read(folder / READ)[1] if (folder / READ).exists() else columns
    resamples = Resamples(columns.paragraph, draws)
    ours = Ours(columns, reading)
    others = {name: _by_source(folder / name) for name in (SAMPLED, WHOLE)}
    return {
        "data": _data(header, columns, reading, resamples),
        "signals": signals_table(columns, reading, resamples, families=families),
        "systems": systems_table(columns, ours, resamples),
        "systems_with_small": _with_small(columns, reading, draws),
        "claims": _claims(columns, ours, draws),
        "curves": curves_table(columns, ours, resamples),
        "oracle": oracle_table(columns, ours, resamples, (LOW, LIMIT)),
        "shift": shift_table(columns, reading, others[SAMPLED], others[WHOLE]),
        "timing": header.timing,
    }


def read(path: Path) -> tuple[Header, Columns]:
    """Returns the header and the columns of a file of compact data."""
    header, questions = load(path)
    return header, Columns.of(questions)


def _by_source(path: Path) -> dict[str, Columns]:
    if not path.exists():
        return {}
    _, columns = read(path)
    return {str(name): columns.take(columns.source == name) for name in np.unique(columns.source)}


def _data(header: Header, columns: Columns, reading: Columns, resamples: Resamples) -> dict[str, Any]:
    return {
        "questions": len(columns),
        "read": len(reading),
        "answerable": int(columns.answerable.sum()),
        "articles": len(np.unique(columns.article)),
        "passages": len(np.unique(columns.paragraph)),
        "draws": len(resamples.indices),
        "cluster": CLUSTER,
        "reader": header.reader,
        "remote": header.remote,
        "small": header.small if has_small(columns) else None,
    }


def _with_small(columns: Columns, reading: Columns, draws: int) -> dict[str, Any] | None:
    """Returns the table of systems once more, on the questions alone that the small model was recorded on.

    ``None`` where these are all questions, or too few.
    """
    chosen = np.isfinite(columns.small.exact)
    if chosen.all() or chosen.sum() < FEWEST:
        return None
    some = columns.take(chosen)
    resamples = Resamples(some.paragraph, draws)
    return {"questions": len(some), **systems_table(some, Ours(some, reading), resamples)}


def _claims(columns: Columns, ours: Ours, draws: int) -> dict[str, Any]:
    """Returns the differences that the study claims, with draws of passages, of articles and of single questions."""
    best = ours.within(LIMIT)
    groups = {
        "passages": columns.paragraph,
        "articles": columns.article,
        "questions": np.arange(len(columns)).astype(str),
    }
    differences = {
        "remote_rate": best.called,
        "f1_over_local_only": best.f1 - columns.reader.f1,
        "f1_over_remote_only": best.f1 - columns.remote.f1,
    }
    found: dict[str, Any] = {"rule": best.name}
    for name, group in groups.items():
        resamples = Resamples(group, draws)
        found[name] = {key: resamples.mean(values) for key, values in differences.items()}
    return found
