"""Every table of the study from the compact data: plain values, ready for JSON; how they look is in `render`."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from study.features import FAMILIES, features_table
from study.ours import Ours
from study.questions import Questions
from study.records import unpack
from study.resampling import DRAWS, Resamples
from study.shift import shift_table
from study.systems import LIMIT, curves_table, systems_table

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The files of records: the main questions, the same with the small generative model as local, and other sources.
MAIN, SMALL, ELSEWHERE = "squad.jsonl.gz", "small.jsonl.gz", "elsewhere.jsonl.gz"
#: The other sources, by how the names of their recordings end.
SOURCES = {"covid": "COVID-QA", "policy": "PolicyQA", "quoref": "Quoref", "subjqa": "SubjQA"}
#: What bootstrap draws are made of, for the main tables.
CLUSTER = "passages"


@dataclass(frozen=True, eq=False, kw_only=True)
class Study:
    """The records, and what was fitted on them.

    Args:
        questions: The main questions.
        ours: Our chains on them.
        elsewhere: The records of other sources, by their name.
    """

    questions: Questions
    ours: Ours
    elsewhere: dict[str, Path]

    @classmethod
    @contextmanager
    def opened(cls, folder: Path) -> Iterator[Study]:
        """Yields the study on the records in a folder; what is unpacked for it goes at the end."""
        with TemporaryDirectory() as place:
            main, small, others = (unpack(folder / name, Path(place)) for name in (MAIN, SMALL, ELSEWHERE))
            yield cls(questions=Questions.of(main, small), ours=Ours(main, Path(place)), elsewhere=_by_source(others))


def tables(study: Study, *, draws: int = DRAWS, families: tuple[str, ...] = FAMILIES) -> dict[str, Any]:
    """Returns every table.

    Args:
        study: The study.
        draws: How many bootstrap draws.
        families: Which learned scorers the table of features holds.
    """
    questions, ours = study.questions, study.ours
    resamples = Resamples(questions.passage, draws)
    return {
        "data": _data(questions, resamples),
        "features": features_table(questions, resamples, families=families),
        "systems": systems_table(questions, ours, resamples),
        "claims": _claims(questions, ours, draws),
        "curves": curves_table(questions, ours, resamples),
        "shift": shift_table(ours, study.elsewhere),
    }


def _by_source(path: Path) -> dict[str, Path]:
    """Returns the records of each source in a file of its own."""
    found: dict[str, list[bytes]] = {}
    for line in path.read_bytes().splitlines(keepends=True):
        recording = orjson.loads(line)["id"].split("/", 1)[0]
        found.setdefault(SOURCES[recording.rpartition("-")[2]], []).append(line)
    paths = {source: path.with_name(f"{source}.jsonl") for source in found}
    for source, lines in found.items():
        paths[source].write_bytes(b"".join(lines))
    return paths


def _data(questions: Questions, resamples: Resamples) -> dict[str, Any]:
    return {
        "questions": len(questions),
        "answerable": int(questions.answerable.sum()),
        "articles": len(np.unique(questions.article)),
        "passages": len(np.unique(questions.passage)),
        "draws": len(resamples.indices),
        "cluster": CLUSTER,
        "reader": questions.reader.model,
        "remote": questions.remote.model,
        "small": None if questions.small is None else questions.small.model,
    }


def _claims(questions: Questions, ours: Ours, draws: int) -> dict[str, Any]:
    """Returns the differences that the study claims, with draws of passages, of articles and of single questions."""
    best = ours.within(LIMIT)
    groups = {
        "passages": questions.passage,
        "articles": questions.article,
        "questions": np.arange(len(questions)).astype(str),
    }
    differences = {
        "remote_rate": best.called,
        "f1_over_local_only": best.f1 - questions.reader.made.f1,
        "f1_over_remote_only": best.f1 - questions.remote.made.f1,
    }
    found: dict[str, Any] = {"rule": best.name}
    for name, group in groups.items():
        resamples = Resamples(group, draws)
        found[name] = {key: resamples.mean(values) for key, values in differences.items()}
    return found
