"""Which training questions a reader knows already, so that another round can spend its time on the others.

Late in training many questions teach nothing more: their gradient is close to zero. A reader judges every question, and
`MixtureOptions.known` then leaves out what it is sure of and right about, but for a share against forgetting:

    python -m twosup_chain.training.known KNOWN.json --file train.json.gz --model READER
"""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from twosup_chain._json_file import read_json, write_json
from twosup_chain.errors import InputError
from twosup_chain.reader.reader import ExtractiveReader
from twosup_chain.schema import QAInput
from twosup_chain.training.data import TrainingExample, read_squad

#: A question whose right prediction is likelier than this is known.
KNOWN = 0.85
#: Questions judged between two signs of progress.
_AT_ONCE = 512


def judge(
    examples: Sequence[TrainingExample], reader: ExtractiveReader, report: Callable[[int], None] = lambda _: None
) -> dict[str, float]:
    """Returns the reader's probability of the right prediction for each question, by id, in [0, 1].

    For an answerable question that is its answerability times the probability of the labelled span, given an answer;
    for an unanswerable one, one minus its answerability. `report` receives how many more questions were judged.
    """
    found: dict[str, float] = {}
    for first in range(0, len(examples), _AT_ONCE):
        some = sorted(examples[first : first + _AT_ONCE], key=lambda example: len(example.context))
        inputs = [QAInput(question=example.question, context=example.context) for example in some]
        # an unanswerable question has no text to look for: its own words stand in, only the answerability is read
        texts = [example.answers[0][0] if example.answers else example.question for example in some]
        for example, score in zip(some, reader.score_many(inputs, texts), strict=True):
            if isinstance(score, Exception):
                raise InputError(f"question {example.id!r}: {score}") from score
            right = score.answerability * score.conditional if example.answerable else 1.0 - score.answerability
            found[example.id] = right
        report(len(some))
    return found


def read_known(path: Path) -> dict[str, float]:
    """Returns what `main` has written: the probability of the right prediction by question id."""
    values = read_json(path, InputError)
    try:
        return {str(name): float(value) for name, value in values.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(
            f"known={str(path)!r} is no file that twosup_chain.training.known has written: {error}"
        ) from error


def main(
    out: Annotated[Path, typer.Argument(help="The file to write.")],
    *,
    file: Annotated[list[Path], typer.Option(help="A SQuAD-format file; repeatable.")],
    model: Annotated[str, typer.Option(help="The reader: small, base or a folder.")] = "small",
) -> None:
    """Judges every question of the files with a reader."""
    examples = [example for path in file for example in read_squad(path)]
    reader = ExtractiveReader(model=model)
    with typer.progressbar(length=len(examples), label="judging", file=sys.stderr) as bar:
        found = judge(examples, reader, bar.update)
    above = sum(value > KNOWN for value in found.values())
    write_json(out, {name: round(value, 4) for name, value in found.items()}, InputError)
    typer.echo(f"{out}: {len(found)} questions, right with probability above {KNOWN}: {above}")


if __name__ == "__main__":
    typer.run(main)
