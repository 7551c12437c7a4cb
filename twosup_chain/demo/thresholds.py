"""How the demo's thresholds were fixed: calibrated on recorded questions of other data than the sample's.

``python -m twosup_chain.demo.thresholds --help`` does it. So few questions allow no guarantee that would leave the
hosted model anything to do: the thresholds are those that look best on these questions, which promises nothing.
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from langchain_core.runnables import Runnable

from twosup_chain._atomic import write_atomically
from twosup_chain.calibration.calibrate import calibrate
from twosup_chain.calibration.record import Calibration
from twosup_chain.collection.collect import collect
from twosup_chain.demo.recording import SAMPLE
from twosup_chain.demo.replay import ReplayedAnswerer
from twosup_chain.demo.run import DemoThresholds
from twosup_chain.errors import TwosupError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.text.questions import load_questions

#: Questions on other passages than the sample's, written for this purpose, and a hosted model's answers to them.
TUNING = SAMPLE.with_name("tuning.json")
TUNING_RECORDING = SAMPLE.with_name("tuning_recording.jsonl")

#: One scorer each, which needs no log-probabilities, since ``twosup ask`` takes the settings for any provider.
LOCAL_SCORER, REMOTE_SCORER = "answerability", "grounded"
_DESCRIBED = "questions of the project's own on other passages than the sample's (demo/tuning.json)"


def tuning_records(
    out: Path,
    *,
    data: Path = TUNING,
    recording: Path = TUNING_RECORDING,
    local: Runnable[Any, Any] | None = None,
) -> Path:
    """Collects the questions that were recorded; without `local`, the `ExtractiveReader` is the local answerer."""
    remote = ReplayedAnswerer(recording=recording)
    known = {line.id for line in remote.recording.lines}
    questions = [question for question in load_questions(data) if question.id in known]
    answerer, scorers = local or ExtractiveReader(), [LOCAL_SCORER, REMOTE_SCORER]
    collect(questions, local=answerer, remote=remote, out=out, scorers=scorers, text=False)
    return out


def fix(records: Path, *, risk: float) -> Calibration:
    """Returns the thresholds with the most answers that keep a risk, by estimate alone."""
    return calibrate(records, risk=risk, prefer="coverage", local_scorer=LOCAL_SCORER, remote_scorer=REMOTE_SCORER)


def main(
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")],
    data: Annotated[Path, typer.Option(help="The questions; never those of the sample.")] = TUNING,
    recording: Annotated[Path, typer.Option(help="The hosted model's answers to them.")] = TUNING_RECORDING,
    described: Annotated[str, typer.Option(help="What these questions are, in words.")] = _DESCRIBED,
    risk: Annotated[float, typer.Option(help="The share of wrong answers among those that are given.")] = 0.14,
) -> None:
    """Fixes both thresholds on questions that a hosted model was recorded on."""
    from twosup_chain.calibration.table import as_text

    with tempfile.TemporaryDirectory() as folder:
        found = fix(tuning_records(Path(folder) / "records.jsonl", data=data, recording=recording), risk=risk)
    settings = {role: {"scorer": s.scorer, "threshold": s.threshold} for role, s in found.settings.items()}
    fixed = DemoThresholds(**settings, fixed_on=f"{found.questions} {described}")
    write_atomically(out, json.dumps({**settings, "fixed_on": fixed.fixed_on}, indent=2) + "\n")
    typer.echo(f"{as_text(found)}\n{out} is written")


if __name__ == "__main__":
    try:
        typer.run(main)
    except (TwosupError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(2)
