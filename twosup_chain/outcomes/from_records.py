"""Files of `QuestionRecord`s as columns: both models' predictions, and the trust in them by two chosen scorers."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from twosup_chain._options import Record
from twosup_chain._sketch import recognised
from twosup_chain.errors import ConfigurationError, InputError, RecordsError, TwosupError, UnknownOptionError
from twosup_chain.outcomes.outcomes import Choice, Flags, Outcomes
from twosup_chain.outcomes.predictions import Correct, PredictionColumns, weigh
from twosup_chain.outcomes.rows import read_rows
from twosup_chain.outcomes.trust import RecordedTrust
from twosup_chain.records.lines import Part, Paths, Place, Places, read_record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twosup_chain._sketch import Digests
    from twosup_chain.answerers.settings import Settings
    from twosup_chain.outcomes.outcomes import Floats
    from twosup_chain.outcomes.price import Price
    from twosup_chain.records.question import QuestionRecord
    from twosup_chain.scoring.scorer import ScoreFunction, Scorer


#: The usage of a call that does not tell it.
_UNTOLD = {"input_tokens": math.nan, "output_tokens": math.nan}


class Provenance(Record):
    """Where columns come from: what a calibration keeps as evidence, and a report says in its head.

    `failed` questions, which are left out or counted with the others, have a call that failed. Models and scorers are
    ``None`` where nobody tells them. The digest, 16 hexadecimal digits, stands for the questions, contexts and
    accepted answers, in whatever order.
    """

    questions: int
    failed: int
    local_model: str | None
    remote_model: str | None
    local_scorer: str | None
    remote_scorer: str | None
    digest: str


@dataclass(frozen=True, eq=False, kw_only=True)
class RecordColumns:
    """The records of both models' predictions as columns; questions with a failed call are left out, or counted.

    `local` and `remote` are the predictions as they were made, the judged ones what the supervisors judge: where they
    weigh, what is likelier to be right. Each record stands at `places[lines[row]]`, its digest in `digests`.
    `fitted` tells, by the name of a learned scorer, which questions it was fitted on. The
    settings say by role how the models were asked, where the files do.
    """

    local: PredictionColumns
    remote: PredictionColumns
    local_judged: PredictionColumns
    remote_judged: PredictionColumns
    answerable: Flags
    passage: npt.NDArray[np.uint64] | None
    provenance: Provenance
    places: Places
    lines: npt.NDArray[np.intp]
    digests: Digests
    fitted: dict[str, Flags]
    settings: dict[str, Settings]

    def __len__(self) -> int:
        return len(self.answerable)

    def outcomes(self, *, correct: Correct = "exact_match", price: Price | None = None) -> Outcomes:
        """Returns what curves and calibration work on; without a price there are no costs."""
        local, remote = self.local_judged, self.remote_judged
        weighed = bool(np.any(remote.chosen))
        return Outcomes(
            local_score=local.trust,
            remote_score=remote.trust,
            local_correct=local.correct(correct),
            remote_correct=remote.correct(correct),
            answerable=self.answerable,
            remote_cost=None if price is None else self._costs(price),
            max_call_cost=None if price is None else price.most,
            local_no_answer=local.no_answer,
            remote_no_answer=remote.no_answer,
            local_chosen=local.chosen,
            remote_chosen=remote.chosen,
            local_failed=self.local.failed,
            remote_failed=self.remote.failed,
            passage=self.passage,
            remote_alone_correct=self.remote.correct(correct) if weighed else None,
        )

    def _costs(self, price: Price) -> Floats:
        costs = price.of(self.remote.input_tokens, self.remote.output_tokens)
        unknown = np.isnan(costs)
        if untold := int((unknown & ~self.remote.failed).sum()):
            message = f"{untold} of {len(self)} hosted answers do not tell their tokens: leave the price out"
            raise InputError(message)
        dearest = costs.max(initial=0.0, where=~unknown) if price.most is None else price.most
        return np.where(unknown, dearest, costs)  # what a failed call has cost, nobody knows

    def check(self, made: PredictionColumns) -> None:
        """Reads the record of a share that is out of range, which names the field by an error."""
        for share in (made.trust, made.exact_match, made.f1):
            wrong = np.flatnonzero(~((share >= 0.0) & (share <= 1.0)))
            if wrong.size:
                self.record(int(wrong[0]))

    def record(self, row: int) -> QuestionRecord:
        """Returns the whole record of a question, read anew from its file."""
        return read_record(self.places[int(self.lines[row])])


def read_columns(  # noqa: PLR0913 (options are all by keyword)
    paths: Paths | Part,
    *,
    local_scorer: str | ScoreFunction | Scorer,
    remote_scorer: str | ScoreFunction | Scorer,
    local_missing: float | None = None,
    remote_missing: float | None = None,
    early_abstention: bool = False,
    reconcile: bool = False,
    failures: bool = False,
    where: Mapping[str, Any] | None = None,
) -> RecordColumns:
    """Returns the records as columns, streamed: what is kept of a line is its numbers.

    They are in the order of the questions' digests, since the order of a file is that in which calls happened to end.
    Trust is that which was recorded by these scorers; a learned one's is computed from the recorded features.
    `local_missing` and `remote_missing` are the trust, in [0, 1], in an answer that lacks what its scorer reads, as in
    `Supervisor`; by default it is an error. With `early_abstention` and `reconcile` predictions are weighed as in a
    chain with these options, which takes learned scorers. With `failures`, questions with a failed call count as well:
    such a prediction is not trusted, and a hosted call that does not tell its tokens costs what the dearest one can.
    With `where` only questions with these metadata are read.
    """
    for missing in (local_missing, remote_missing):
        if missing is not None and not 0.0 <= missing <= 1.0:
            message = f"missing={missing!r}: the trust in an answer without evidence is a number in [0, 1]"
            raise ConfigurationError(message)
    trusts = {
        "local": RecordedTrust(local_scorer, local_missing, "local", weigh=early_abstention),
        "remote": RecordedTrust(remote_scorer, remote_missing, "remote", weigh=reconcile),
    }
    models: dict[str, str | None] = {}
    numbers, labels, passages = array("d"), array("d"), array("Q")

    def take(entry: dict[str, Any], places: Places) -> None:
        for role, trust in trusts.items():
            made = entry[role]
            if "error" not in made:
                _same_model(models, role, made.get("model"), places)
            numbers.extend(_numbers(made, trust))
        labels.append(entry["answerable"])
        if entry.get("passage") is not None:  # records of version 1 do not tell it
            passages.append(int(entry["passage"], 16))

    scorers = {role: trust.name for role, trust in trusts.items() if not trust.computed}
    rows = read_rows(paths, take, explain=partial(_explained, scorers), failures=failures, where=where)
    order, count = rows.order, len(rows.order)
    answerable = np.array(labels)[order] == 1.0
    made, judged = {}, {}
    table = np.array(numbers).reshape(-1, len(trusts), 8)[order].transpose(1, 2, 0)
    for (role, trust), column in zip(trusts.items(), table, strict=True):
        others = trust.finish(column[0], order)
        made[role] = PredictionColumns(
            trust=others.pop("answer"),
            exact_match=column[1],
            f1=column[2],
            no_answer=column[3] == 1.0,
            input_tokens=column[4],
            output_tokens=column[5],
            seconds=column[6],
            chosen=np.full(count, Choice.ANSWER, np.int8),
            failed=column[7] == 1.0,
        )
        judged[role] = weigh(made[role], others, local=made["local"], answerable=answerable)
    source = Provenance(
        questions=count,
        failed=rows.failed,
        digest=rows.digest,
        **{f"{role}_model": models.get(role) for role in trusts},
        **{f"{role}_scorer": trust.name for role, trust in trusts.items()},
    )
    columns = RecordColumns(
        local=made["local"],
        remote=made["remote"],
        local_judged=judged["local"],
        remote_judged=judged["remote"],
        answerable=answerable,
        passage=np.array(passages, np.uint64)[order] if len(passages) == len(labels) else None,
        provenance=source,
        places=rows.places,
        lines=rows.lines,
        digests=rows.digests,
        fitted={trust.name: recognised(trust.fitted_on, rows.digests) for trust in trusts.values()},
        settings=rows.settings,
    )
    for prediction in made.values():
        columns.check(prediction)
    return columns


def _same_model(models: dict[str, str | None], role: str, model: str | None, places: Places) -> None:
    if (before := models.setdefault(role, model)) != model:
        raise RecordsError(
            f"{places[-1]}: the {role} model is {model!r}, and {before!r} in the lines before: "
            "read the records of each model apart"
        )


def _numbers(made: dict[str, Any], trust: RecordedTrust) -> tuple[float, ...]:
    """Returns what is kept of a prediction: trust, measures, tokens, seconds, and whether the call failed."""
    usage = made.get("usage") or _UNTOLD
    tokens = usage["input_tokens"], usage["output_tokens"]
    if "error" in made:
        return trust.skip(), 0.0, 0.0, True, *tokens, math.nan, True
    measures = made["exact_match"], made["f1"], made["no_answer"]
    return trust.take(made), *measures, *tokens, made.get("seconds", math.nan), False


def _explained(scorers: dict[str, str], record: QuestionRecord, place: Place) -> TwosupError | None:
    for role, scorer in scorers.items():
        if getattr(record, role).error is not None:
            continue
        trust = getattr(record, role).trust
        if scorer not in trust:
            return UnknownOptionError(f"scorer of the {role} predictions in {place}", scorer, trust)
        if trust[scorer] is None:
            return RecordsError(
                f"{place}: {role}.trust.{scorer} is null, since this answer carries nothing that the scorer reads: "
                "choose another scorer, or state the trust in such answers (missing=0.0), as in Supervisor"
            )
    return None
