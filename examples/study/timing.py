"""The table of times: what a supervisor takes, against the reader's answer; measured here and now, on one thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.scoring.features import features

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from study.columns import Columns
    from twosup_chain.reader.reader import ExtractiveReader
    from twosup_chain.schema import Answer
    from twosup_chain.text.questions import LabelledQuestion


def timing_table(
    examples: Sequence[LabelledQuestion], reader: ExtractiveReader, remote: Mapping[str, Answer], columns: Columns
) -> dict[str, Any]:
    """Returns the median CPU milliseconds of the reader's answer, of the signals, and of both learned supervisors.

    CPU time of the process, so that other programs on the machine matter less; the reader with one thread.

    Args:
        examples: The questions.
        reader: The reader, with one thread.
        remote: The hosted answers by id.
        columns: What the supervisors are fitted on.
    """
    local_model = fit_columns(columns.local_signals, columns.reader.exact > 0, groups=columns.article)
    remote_model = fit_columns(columns.remote_signals, columns.remote.exact > 0, groups=columns.article)
    times: dict[str, list[float]] = {"reader": [], "local_supervisor": [], "remote_supervisor": []}
    for example in examples:
        question = example.as_input()
        answer = remote[example.id]
        (local,) = _timed(times["reader"], lambda q=question: reader.answer_many([q]))
        if isinstance(local, Exception):
            raise local
        _timed(times["local_supervisor"], lambda q=question, a=local: local_model.predict_one(features(q, a)))
        _timed(
            times["remote_supervisor"],
            lambda q=question, a=answer, b=local: remote_model.predict_one(features(q, a, local=b)),
        )
    answer_time = np.array(times["reader"])
    return {
        "questions": len(examples),
        "milliseconds": {name: 1000.0 * float(np.median(found)) for name, found in times.items()},
        "share_of_reader": {
            name: float(np.sum(found) / answer_time.sum()) for name, found in times.items() if name != "reader"
        },
    }


def _timed(times: list[float], work: Callable[[], Any]) -> Any:
    began = time.process_time()
    found = work()
    times.append(time.process_time() - began)
    return found
