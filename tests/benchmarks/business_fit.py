"""Fits the packaged pair of learned scorers anew, finds the default thresholds, and measures both.

    python tests/benchmarks/business_fit.py HELD_OUT HOSTED … [--reader FOLDER …] [--questions 900] [--write]

HELD_OUT is a SQuAD file that no reader was trained on, HOSTED are recordings of hosted models on the tuning half of the
business texts (`python -m twosup_chain.demo.recording --data tests/benchmarks/business_tuning.json`). Fitted are: the
local scorer on held-out, demo and business questions, the remote one on the latter two and on passages that lie; each
on what the packaged reader and every other reader say (of the held-out questions a sixth), so that one pair serves all.
Thresholds are those that trust the most right predictions on the business texts, of scores out of fold, where so few of
them end wrong as is said below. Nothing is fitted on the sealed half.

Without ``--write`` the files go to a folder that is named, with it into the package; then both halves are measured.
"""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import numpy as np
import typer
from business import Half
from business import main as measure

from twosup_chain import Answer, ExtractiveReader, collect
from twosup_chain._sketch import sketch
from twosup_chain.curves import auroc
from twosup_chain.demo.lies import lying_records
from twosup_chain.demo.recording import digest, load
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import THRESHOLDS
from twosup_chain.demo.thresholds import TUNING, TUNING_RECORDING
from twosup_chain.fitting.fit_columns import fit_columns
from twosup_chain.outcomes.features import read_features
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.scoring.packaged import FOLDER
from twosup_chain.text.questions import load_questions

if TYPE_CHECKING:
    from collections.abc import Sequence

BUSINESS = Path(__file__).with_name("business_tuning.json")
#: The shares of all questions that may end in a wrong answer after each role, and of the answerable ones in a wrong "no
#: answer".
MOST_WRONG, MOST_MISSED = {"local": 0.07, "remote": 0.08}, 0.02
#: From so many "no answers" on they have a threshold of their own.
FEWEST = 30
#: What counts as right: a held-out question has one accepted answer, of which a word may be missing.
F1 = 0.8
_READ = (
    "answerability span_probability span_share answer_log_odds null_margin runner_up_margin entropy no_answer "
    "asks_yes_no asks_several asks_value value_fits answer_items answer_runs_on answer_negated answer_continues "
    "answer_half negation_outside value_rivals in_table cell_overlap cell_lag answer_words answer_kind "
    "answer_occurrences question_words question_missing question_missing_names question_missing_numbers near_overlap "
    "sentence_overlap sentence_lag sentence_missing_names sentence_missing_numbers negation_differs"
)
#: What the local scorer reads: with all features it is bound to the texts that it was fitted on.
LOCAL = frozenset(_READ.split())
FITTED_ON = "held-out SQuAD v2 training questions and the project's own (demo/tuning.json, business texts)"


class Rows(NamedTuple):
    """What is known of predictions, one entry each; `business` tells those on business texts."""

    columns: dict[str, np.ndarray]
    right: np.ndarray
    answerable: np.ndarray
    local_right: np.ndarray
    groups: np.ndarray
    business: np.ndarray
    digests: np.ndarray


def recorded(local: Any, hosted: Sequence[Path], held: list[Any], folder: Path) -> dict[str, list[Path]]:
    """Collects what a local answerer says, beside the recorded hosted answers; returns the files by kind."""
    folder.mkdir()
    demo, told = load_questions(TUNING), load(TUNING_RECORDING).answers
    said = {question.id: told[digest(question.as_input())] for question in demo if digest(question.as_input()) in told}
    demo = [question for question in demo if question.id in said]
    asked = [("demo", demo, TUNING_RECORDING), *(("business", load_questions(BUSINESS), path) for path in hosted)]
    files: dict[str, list[Path]] = {"held": [], "demo": [], "business": [], "lies": []}
    for n, (kind, questions, recording) in enumerate(asked):
        remote = ReplayedAnswerer(recording=recording)
        known = [question for question in questions if digest(question.as_input()) in remote.recording.answers]
        files[kind].append(folder / f"{n}.jsonl")
        collect(known, local=local, remote=remote, out=files[kind][-1], scorers=["in_context"], text=False)
    if held:
        files["held"].append(folder / "held.jsonl")
        silent = lambda _: Answer(None)  # noqa: E731
        collect(held, local=local, remote=silent, out=files["held"][0], scorers=["in_context"], text=False)
    for obeys in (True, False):
        files["lies"].append(folder / f"lies_{obeys}.jsonl")
        lying_records(demo, said, local, files["lies"][-1], obeys=obeys)
    return files


def rows(files: Sequence[dict[str, list[Path]]], role: str, kinds: Sequence[str]) -> Rows:
    """Returns the predictions of a role in these kinds of files."""
    found = [(kind, read_features([path], role)) for some in files for kind in kinds for path in some[kind]]
    names = sorted({name for _, part in found for name in part.columns})
    gone = {len(part): np.full(len(part), np.nan) for _, part in found}
    join = np.concatenate
    return Rows(
        columns={name: join([part.columns.get(name, gone[len(part)]) for _, part in found]) for name in names},
        right=join([part.f1 >= F1 for _, part in found]),
        answerable=join([part.answerable for _, part in found]),
        local_right=join([part.other_f1 >= F1 for _, part in found]),
        groups=join([part.passages for _, part in found]),
        business=join([np.full(len(part), kind == "business") for kind, part in found]),
        digests=join([part.digests for _, part in found]),
    )


def fitted(given: Rows, claim: np.ndarray, role: str, target: str, keep: np.ndarray | None = None) -> Any:
    """Returns the model of a claim, on the rows to keep."""
    keep = np.ones(len(claim), bool) if keep is None else keep
    chosen = [name for name in given.columns if role == "remote" or name in LOCAL]
    columns = {name: given.columns[name][keep] for name in chosen}
    return fit_columns(
        columns, claim[keep], groups=given.groups[keep], role=role, target=target, fitted_on=FITTED_ON, model="logistic"
    )


def scorer(given: Rows, role: str) -> LearnedScorer:
    """Returns a scorer that can weigh other predictions too."""
    others = {"unanswerable": fitted(given, ~given.answerable, role, "unanswerable")}
    if role == "remote":
        others["local"] = fitted(given, given.local_right, role, "local")
    return LearnedScorer(fitted(given, given.right, role, "right"), others, questions=sketch(given.digests))


def out_of_fold(given: Rows, role: str, folds: int = 5) -> np.ndarray:
    """Returns the scores of the business texts by models that have not seen the text; NaN elsewhere."""
    texts = np.unique(given.groups[given.business])
    scores = np.full(len(given.right), np.nan)
    for fold in range(folds):
        held = given.business & np.isin(given.groups, texts[fold::folds])
        model = fitted(given, given.right, role, "right", ~np.isin(given.groups, texts[fold::folds]))
        scores[held] = model.predict({name: column[held] for name, column in given.columns.items()})
    return scores


def threshold(scores: np.ndarray, right: np.ndarray, most_wrong: float) -> float:
    """Returns the threshold that trusts the most right ones of which at most so many wrong are trusted."""
    order = np.argsort(-scores)
    wrong = np.cumsum(~right[order])
    allowed = np.flatnonzero(wrong <= most_wrong)
    return round(float(scores[order][allowed[-1]]), 3) if len(allowed) else 1.0


def settings(given: dict[str, Rows], out: Path) -> dict[str, dict[str, Any]]:
    """Returns both supervisors' scorers and thresholds, and prints how well the scores tell right from wrong.

    The remote is judged where the local supervisor trusts nothing; what wrong answers the latter leaves, it may have.
    """
    found: dict[str, dict[str, Any]] = {}
    there, wrong = np.ones(int(given["local"].business.sum()), bool), 0.0
    for role, some in given.items():
        business = some.business
        scores, right = out_of_fold(some, role)[business], some.right[business]
        none = some.columns["no_answer"][business] == 1.0
        print(f"{role}: AUROC out of fold, answers {auroc(scores[~none], right[~none]):.3f} (n = {(~none).sum()})")
        most = MOST_WRONG[role] * len(right) - wrong
        least = threshold(scores[there & ~none], right[there & ~none], most)
        missed, few = MOST_MISSED * some.answerable[business].sum(), none.sum() < FEWEST
        least_none = least if few else threshold(scores[there & none], right[there & none], missed)
        trusted = there & (scores >= np.where(none, least_none, least))
        wrong += (trusted & ~none & ~right).sum()
        there = there & ~trusted
        name = f"learned_{role}" if out == FOLDER else str(out / f"{role}.json")
        found[role] = {"scorer": name, "threshold": least, "no_answer_threshold": least_none}
    return found


def refit(
    locals_: Sequence[Any], hosted: Sequence[Path], held: list[Any], out: Path, thresholds: Path, work: Path
) -> None:
    """Collects, fits, finds thresholds, and writes the files."""
    some = held[: len(held) // 6]
    files = [recorded(local, hosted, some if n else held, work / str(n)) for n, local in enumerate(locals_)]
    given = {
        "local": rows(files, "local", ("held", "demo", "business")),
        "remote": rows(files, "remote", ("demo", "business", "lies")),
    }
    for role, some in given.items():
        made = scorer(some, role)
        made.save(out / f"{role}.json")
        fitness = made.model.fitness
        print(f"{made.name}: {fitness.rows} predictions, out-of-fold AUROC {fitness.auroc:.3f}")
    fixed = {**settings(given, out), "fixed_on": "the tuning half of the business texts (tests/benchmarks)"}
    thresholds.write_text(json.dumps(fixed, indent=2) + "\n", encoding="utf-8")
    print(thresholds.read_text(encoding="utf-8"))


def main(
    held_out: Annotated[Path, typer.Argument(help="A SQuAD file that no reader was trained on.")],
    hosted: Annotated[list[Path], typer.Argument(help="Recorded hosted answers on the tuning half.")],
    *,
    reader: Annotated[list[Path] | None, typer.Option(help="Folders of further readers.")] = None,
    questions: Annotated[int, typer.Option(help="How many of the held-out questions.")] = 900,
    write: Annotated[bool, typer.Option(help="Whether to write into the package.")] = False,
) -> None:
    """Refits, and says how the files fare."""
    held = load_questions(held_out)
    held = random.Random(0).sample(held, min(questions, len(held)))  # noqa: S311
    work = Path(tempfile.mkdtemp(prefix="business"))
    out, thresholds = (FOLDER, THRESHOLDS) if write else (work, work / "thresholds.json")
    refit([ExtractiveReader(model_path=path) for path in (None, *(reader or ()))], hosted, held, out, thresholds, work)
    print(f"written into {out}")
    for half in Half:
        for path in (None, *(reader or ())):
            print(f"\n{half}, {path or 'the packaged reader'}")
            measure(half, reader=path, thresholds=thresholds)


if __name__ == "__main__":
    typer.run(main)
