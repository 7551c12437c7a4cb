"""A fuzz campaign with fixed seeds: whatever is read is read right, or refused by a named error, and nothing else.

``python tests/fuzz/campaign.py`` runs all of it and prints its figures; a short run of it is a test.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from twosup_chain import Calibration, ExtractiveReader, QAInput
from twosup_chain.demo.recording import load as load_recording
from twosup_chain.errors import (
    CalibrationFileError,
    InputError,
    ModelFileError,
    RecordsError,
    SupervisorFileError,
    TwosupError,
)
from twosup_chain.outcomes.from_records import read_columns
from twosup_chain.paper.csv_columns import CsvColumns
from twosup_chain.reader.folder import CONFIG_FILE, PACKAGED_MODEL, ReaderConfig
from twosup_chain.records.lines import read_records
from twosup_chain.records.prediction import RecordedPrediction
from twosup_chain.records.question import QuestionRecord
from twosup_chain.schema import Answer
from twosup_chain.scoring.learned import LearnedScorer
from twosup_chain.text.questions import LabelledQuestion, load_questions

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2] / "twosup_chain"


# -- readings

PIECES = (
    *("Who", "When", "Where", "built", "the", "lighthouse", "in", "1874", "by", "Ada", "Marsh"),
    *("$1.5", "million", "-5", "°C", "vitamin", "A,", "B.", "and"),
    *("[SEP]", "[CLS]", "[PAD]", "[MASK]", "[UNK]", "##ing", "<s>", "</s>", "<think>", "unanswerable", "N/A"),
    *(
        "東京タワー",
        "שלום",
        "مرحبا",
        "é",
        "e\u0301",
        "ﬁ",
        "🙂",
        "👩‍👩‍👧",
        "\u202e",
        "\u200b",
        "\u00ad",
        "\ufeff",
        "\ufffd",
    ),
    *("\x00", "\x1b[2J", "\x07", "\ud800", "\udfff", "\n\n", "\t", "\r", " " * 50, "x" * 300, "’", "—", "İ", "ß", "ǅ"),
)


def reading(reader: ExtractiveReader, rng: random.Random) -> str:
    """Reads a random question on random passages; returns the kind of outcome, or raises what it should not."""
    most = 400 if rng.random() < 0.01 else 20  # a long one takes the reader most of a second
    passages = [_text(rng, rng.choice([0, 1, 3, 10, most])) for _ in range(rng.choice([1, 1, 1, 2, 3]))]
    context = passages[0] if len(passages) == 1 and rng.random() < 0.5 else passages
    try:
        asked = QAInput(question=_text(rng, rng.choice([0, 1, 5, 5, 10, 80])), context=context)
        answer = reader.invoke(asked)
    except InputError as error:
        return type(error).__name__
    if not all(math.isfinite(score) for score in answer.scores.values()):
        raise AssertionError(f"scores {answer.scores}")
    if not 0.0 <= answer.scores["answerability"] <= 1.0:
        raise AssertionError(f"answerability {answer.scores['answerability']}")
    for candidate in answer.candidates:
        if asked.passages[candidate.document][candidate.start : candidate.end] != candidate.text:
            raise AssertionError(f"{candidate} does not stand there")
    if answer.text is None:
        return "no answer"
    if asked.passages[answer.document or 0][answer.start : answer.end] != answer.text:
        raise AssertionError(f"{answer.text!r} does not stand at {answer.start}")
    return "answer"


def _text(rng: random.Random, pieces: int) -> str:
    return rng.choice(["", " "]).join(rng.choices(PIECES, k=pieces))


# -- files


class Reader(NamedTuple):
    """A reader of files.

    Attributes:
        whole: A file that it reads.
        read: Reads a file, and checks that what it returns is right.
        error: The only error that it may raise.
    """

    whole: bytes
    read: Callable[[Path], object]
    error: type[Exception]


def readers(folder: Path) -> dict[str, Reader]:
    """Returns the readers of files by name, each with a file of its kind."""
    asked = LabelledQuestion(id="a", question="Who wrote it?", context="Ada wrote it.", answers=("Ada",))
    said = Answer("Ada", scores={"answerability": 0.5}, token_logprobs=(-0.5, -0.1), seconds=0.1, model="m")
    found = RecordedPrediction.of(said, answers=("Ada",), trust={"agreement": 1.0}, text=True, features={"length": 1.0})
    lines = [
        QuestionRecord.of(asked.model_copy(update={"id": str(i)}), local=found, remote=found, text=True).as_line()
        for i in range(3)
    ]
    squad = {"qas": [{"id": "a", "question": "Who?", "answers": [{"text": "Ada", "answer_start": 0}]}]}
    squad = {"version": "v2.0", "data": [{"title": "t", "paragraphs": [{"context": "Ada.", **squad}]}]}
    plain = {"question": "Who?", "context": "Ada.", "answers": ["Ada"], "id": "a", "title": "t"}
    recorded = (ROOT / "demo" / "recording.jsonl").read_bytes().splitlines(keepends=True)
    scorers = {f"{role} scorer": ROOT / "scoring" / "packaged_pair" / f"{role}.json" for role in ("local", "remote")}
    return {
        "records": Reader(b"".join(lines), _records, RecordsError),
        "columns of records": Reader(b"".join(lines), _columns, TwosupError),
        "calibration": Reader(_calibration(), _calibrated, CalibrationFileError),
        **{name: Reader(path.read_bytes(), _scorer, SupervisorFileError) for name, path in scorers.items()},
        "reader's config": Reader((PACKAGED_MODEL / CONFIG_FILE).read_bytes(), _config, ModelFileError),
        "SQuAD": Reader(json.dumps(squad).encode(), _questions, InputError),
        "JSON lines": Reader(json.dumps(plain).encode(), _questions, InputError),
        "recording": Reader(b"".join(recorded[:4]), load_recording, InputError),
        "CSV": Reader(b"prediction,label,score\na,a,0.5\nb,c,0.1\n", _csv, InputError),
    }


def _calibration() -> bytes:
    import numpy as np

    from twosup_chain import calibrate
    from twosup_chain.outcomes.outcomes import Outcomes

    rng = np.random.default_rng(0)
    scores = rng.random((2, 300))
    right = rng.random((2, 300)) < 0.5 + 0.5 * scores
    outcomes = Outcomes(local_score=scores[0], remote_score=scores[1], local_correct=right[0], remote_correct=right[1])
    made = calibrate(outcomes, risk=0.3, confidence=0.9, local_scorer="answerability", remote_scorer="grounded")
    with tempfile.TemporaryDirectory() as folder:
        made.save(Path(folder) / "made.json")
        return (Path(folder) / "made.json").read_bytes()


def _records(path: Path) -> None:
    for record in read_records(path):
        json.loads(record.as_line())


def _columns(path: Path) -> None:
    read_columns(path, local_scorer="agreement", remote_scorer="agreement").outcomes()


def _calibrated(path: Path) -> None:
    made = Calibration.load(path)
    str(made)
    for setting in made.settings.values():
        if not 0.0 <= setting.threshold <= 1.0:
            raise AssertionError(f"threshold {setting.threshold}")
    made.save(path)
    if Calibration.load(path) != made:
        raise AssertionError("another calibration comes back")


def _scorer(path: Path) -> None:
    scorer = LearnedScorer.load(path)
    for model in (scorer.model, *scorer.others.values()):
        for value in (0.0, 1.0, -1e9, 1e9, math.nan):
            score = model.predict_one(dict.fromkeys(model.features, value))
            if not 0.0 <= score <= 1.0:
                raise AssertionError(f"score {score}")


def _config(path: Path) -> None:
    config = ReaderConfig.read(path)
    if config.max_positions < 1 or not all(map(math.isfinite, config.calibration.values())) or not config.label:
        raise AssertionError(f"{config}")


def _questions(path: Path) -> None:
    for question in load_questions(path):
        question.as_input()


def _csv(path: Path) -> None:
    columns = CsvColumns(path)
    for name in ("prediction", "label", "score"):
        columns.texts(name)
    if not all(map(math.isfinite, columns.numbers("score").tolist())):
        raise AssertionError("a score is no number")


VALUES: tuple[Any, ...] = (
    *(7, 999, -1, 0, 0.5, -0.0, 1e308, 10**30, 10**400, math.nan, math.inf, -math.inf, True, None),
    *("", "x", "NaN", "1", "\ud800", "\x00", "a" * 10_000, [], {}, [[]], [1, "a"], {"a": 1}),
)


def mutated(raw: bytes, rng: random.Random) -> bytes:
    """Returns the content of a file, changed in one to three places."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        raw = rng.choice([_bytes, _bytes, _values, _values, _values, _whole])(raw, rng)
    return raw


def _bytes(raw: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(raw) + 1)
    end = min(len(raw), start + rng.choice([0, 1, 1, 5, 50]))
    new = rng.choice(
        [b"", rng.randbytes(1), rng.randbytes(8), raw[start:end] * 2, b"\xff", b"\n", b'"', b"{", b"]", b"9"]
    )
    return raw[:start] + new + raw[end:]


def _values(raw: bytes, rng: random.Random) -> bytes:
    """Changes a value somewhere in a line of JSON, or in the whole."""
    for text in (raw.splitlines(keepends=True), [raw]):
        place = rng.randrange(len(text)) if text else 0
        try:
            document = json.loads(text[place])
        except (ValueError, IndexError, RecursionError):
            continue
        at: Any = document
        while isinstance(at, (dict, list)) and at:
            key = rng.choice(list(at) if isinstance(at, dict) else range(len(at)))
            if not isinstance(at[key], (dict, list)) or not at[key] or rng.random() < 0.2:
                at[key] = rng.choice(VALUES) if rng.random() < 0.9 else _nested(rng.choice([50, 500, 900]))
                break
            at = at[key]
        text[place] = json.dumps(document).encode() + b"\n"
        return b"".join(text)
    return raw


def _nested(depth: int) -> list[Any]:
    nested: list[Any] = []
    for _ in range(depth):
        nested = [nested]
    return nested


def _whole(raw: bytes, rng: random.Random) -> bytes:
    return rng.choice(
        [
            lambda: raw[: rng.randrange(len(raw) + 1)],
            lambda: gzip.compress(raw),
            lambda: gzip.compress(raw)[:-5],
            lambda: b"\xef\xbb\xbf" + raw,
            lambda: raw.decode(errors="replace").encode("utf-16"),
            lambda: b"[" * 100_000,
            lambda: b'{"a":' * 100_000,
            lambda: raw + raw,
            lambda: raw.replace(b"0.", b"-9."),
            lambda: raw.replace(b'"', b"'"),
            lambda: b"",
        ]
    )()


# -- the campaign


def run_readings(n: int, seed: int) -> Counter[str]:
    """Returns how often each outcome came of n random readings."""
    reader, rng = ExtractiveReader(), random.Random(seed)  # noqa: S311
    counts: Counter[str] = Counter()
    for number in range(1, n + 1):
        counts[reading(reader, rng)] += 1
        if number % 1_000 == 0:
            print(f"{number:,} of {n:,} readings, {time.process_time():.0f} s of processor time", flush=True)
    return counts


def run_files(n: int, seed: int) -> dict[str, Counter[str]]:
    """Returns, by reader of files, how often each outcome came of n mutated files."""
    figures, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        for name, (whole, read, error) in readers(Path(folder)).items():
            rng, figures[name] = random.Random(f"{seed} {name}"), Counter()  # noqa: S311
            path.write_bytes(whole)
            read(path)
            for number in range(n):
                raw = mutated(whole, rng)
                path.write_bytes(raw)
                try:
                    read(path)
                except error as named:
                    figures[name][type(named).__name__] += 1
                except Exception as other:  # noqa: BLE001
                    failures.append(f"{name}, file {number} of seed {seed}: {other!r:.300}: {raw[:300]!r}")
                else:
                    figures[name]["read"] += 1
    if failures:
        raise AssertionError("\n".join([f"{len(failures)} failures", *failures[:40]]))
    return figures


def main() -> None:
    """Runs the campaign and prints its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=20_000)
    parser.add_argument("--files", type=int, default=3_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    started = time.process_time()
    for name, counts in run_files(options.files, options.seed).items():
        print(f"{name}: {dict(counts)}", flush=True)
    print(f"readings: {dict(run_readings(options.readings, options.seed))}")
    print(f"{time.process_time() - started:.0f} s of processor time")


if __name__ == "__main__":
    main()
