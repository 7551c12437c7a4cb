"""What the reader finds in the passages of a question: the loop over windows, between `engine` and `spans`."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from itertools import tee
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twosup_chain._options import shorten
from twosup_chain.errors import InputError
from twosup_chain.reader.engine import ModelInput, ReaderEngine, Tokens
from twosup_chain.reader.occurrences import agreement, counted, token_ranges
from twosup_chain.reader.spans import JointSpans, Window, disjoint_spans, span_log_odds, tidy, windows
from twosup_chain.text.finder import find, whole
from twosup_chain.text.layout import cells_of
from twosup_chain.text.tables import headed
from twosup_chain.text.words import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from twosup_chain.reader.spans import FloatArray
    from twosup_chain.schema import QAInput
    from twosup_chain.text.tables import Headed

#: What the margins say where nothing competes: log-odds far beyond what the model can reach.
NO_CONTEST = 100.0


class Limits(NamedTuple):
    """The reader's sizes, in tokens; `ExtractiveReader` says what each means."""

    max_length: int
    stride: int
    max_answer_tokens: int
    top_k: int

    @property
    def question(self) -> int:
        """The most tokens of a question: a window holds it, three special tokens and at least two answers."""
        return self.max_length - 3 - 2 * self.max_answer_tokens


class Span(NamedTuple):
    """A span in characters of its document, with its log-odds against null."""

    log_odds: float
    text: str
    document: int
    start: int
    end: int

    def clashes(self, other: Span) -> bool:
        """Whether the two overlap, or say the same."""
        overlap = self.document == other.document and self.start < other.end and other.start < self.end
        return overlap or self.text.casefold() == other.text.casefold()


@dataclass
class Reading:
    """What was found in all windows of all documents of one question."""

    joint: JointSpans = field(default_factory=JointSpans)
    spans: list[Span] = field(default_factory=list)  # the best ones, best first, which do not clash
    log_mass: float = -math.inf  # of the given answer: the log of all spans' odds, weighted by their agreement
    n_tokens: int = 0
    seconds: float = 0.0  # the question's share of the wall time

    def evidence(self) -> dict[str, float]:
        """Returns the scores of the reading before calibration; `ExtractiveReader` says what each means."""
        odds = [span.log_odds for span in self.spans]
        best = odds[0] if odds else -NO_CONTEST
        return {
            "span_probability": self.joint.probability(odds[0]) if odds else 0.0,
            "null_probability": self.joint.null_probability,
            "answer_log_odds": _clip(self.joint.log_sum_of_window),
            "null_margin": _clip(best),
            "runner_up_margin": _clip(best - odds[1]) if len(odds) > 1 else NO_CONTEST,
            "entropy": self.joint.entropy,
        }


def _clip(log_odds: float) -> float:
    return max(-NO_CONTEST, min(NO_CONTEST, log_odds))


class _Job(NamedTuple):
    """One window to be read, and where it belongs."""

    question: int
    document: int
    window: Window
    offset: int  # the passage's first token in the model's input
    input: ModelInput


def read(
    engine: ReaderEngine, limits: Limits, inputs: Sequence[QAInput], targets: Sequence[str | None]
) -> list[Reading | InputError]:
    """Reads every question's passages: a reading a question, or its error.

    `targets` are the answers whose support is wanted, ``None`` where none is.
    """
    began = time.perf_counter()
    tokens = _tokens(engine, sorted({text for item in inputs for text in (item.question, *item.passages)}))
    results: list[Reading | InputError] = [
        _refusal(item, target, tokens[item.question], limits) or Reading()
        for item, target in zip(inputs, targets, strict=True)
    ]
    cells = {text: cells_of(text, tokens[text].starts) for item in inputs for text in item.passages}
    matcher = _Matcher()
    jobs, fed = tee(_jobs(engine, limits, inputs, results, tokens))
    for job, logits in zip(jobs, engine.logits(job.input for job in fed), strict=True):
        reading = results[job.question]
        assert isinstance(reading, Reading)  # noqa: S101  only readings have jobs
        passage = inputs[job.question].passages[job.document]
        found = tokens[passage]
        at, stop = job.window.start, job.window.stop
        inside = slice(job.offset, job.offset + stop - at)
        odds = span_log_odds(
            logits.start[inside],
            logits.end[inside],
            float(logits.start[0] + logits.end[0]),
            job.window,
            found.first[at:stop],
            found.last[at:stop],
            limits.max_answer_tokens,
            cells[passage][at:stop],
        )
        reading.joint.add(odds)
        reading.n_tokens += len(job.input.ids)
        reading.spans += _best_spans(odds, passage, found, job, limits.top_k)
        target = targets[job.question]
        if target is not None:
            weights = matcher.weights(target, passage, found, job.window, odds.shape[1])
            reading.log_mass = float(np.logaddexp(reading.log_mass, _log_mass(odds, weights)))
    readings = [r for r in results if isinstance(r, Reading)]
    spent, total = time.perf_counter() - began, sum(r.n_tokens for r in readings)
    for reading in readings:
        ordered = sorted(reading.spans, key=lambda span: (-span.log_odds, span.text, span.document, span.start))
        reading.spans = _distinct(ordered, limits.top_k)
        reading.seconds = spent * reading.n_tokens / total if total else spent / len(readings)
    return results


def _tokens(engine: ReaderEngine, texts: Sequence[str]) -> dict[str, Tokens]:
    """Returns each text's tokens, in a table with those of labels and heads before its values, where no span stands."""
    shown = [headed(text) for text in texts]
    read = engine.tokenize([text if more is None else more.text for text, more in zip(texts, shown, strict=True)])
    return {
        text: found if more is None else _in_place(found, more)
        for text, found, more in zip(texts, read, shown, strict=True)
    }


def _in_place(found: Tokens, more: Headed) -> Tokens:
    """Returns tokens by their places in the original text; an added one is empty there, and neither starts nor ends."""
    own = ~more.added[found.starts]
    starts = more.places[found.starts]
    ends = np.where(own, more.places[found.ends - 1] + 1, starts)
    return Tokens(found.ids, starts, ends, found.first & own, found.last & own)


def _refusal(item: QAInput, target: str | None, question: Tokens, limits: Limits) -> InputError | None:
    if item.context is None:
        return InputError(
            f"context=None: the reader quotes its answer from a passage; pass one for {shorten(item.question)}, "
            "or [] where none was found"
        )
    if len(question.ids) > limits.question:
        return InputError(
            f"question={shorten(item.question)} has {len(question.ids)} tokens, the reader takes {limits.question}: "
            "shorten it, or raise max_length"
        )
    if target is not None and not target.strip():
        return InputError(f"answer_text={shorten(target)} is blank: pass the answer that is to be checked")
    return None


def _jobs(
    engine: ReaderEngine,
    limits: Limits,
    inputs: Sequence[QAInput],
    results: Sequence[Reading | InputError],
    tokens: dict[str, Tokens],
) -> Iterator[_Job]:
    for index, item in enumerate(inputs):
        if not isinstance(results[index], Reading):
            continue
        head = np.array([engine.cls_id, *tokens[item.question].ids, engine.sep_id], np.int64)
        room = limits.max_length - len(head) - 1
        for document, passage in _distinct_passages(item.passages):
            ids = tokens[passage].ids
            for window in windows(len(ids), room, min(limits.stride, room // 2)):
                whole = np.concatenate([head, ids[window.start : window.stop], [engine.sep_id]])
                types = (np.arange(len(whole)) >= len(head)).astype(np.int64)
                yield _Job(index, document, window, len(head), ModelInput(whole, types))


def _distinct_passages(passages: Sequence[str]) -> list[tuple[int, str]]:
    """Returns each passage once, at its first place: a passage that was found twice is no more likely to be right."""
    first: dict[str, int] = {}
    for document, passage in enumerate(passages):
        first.setdefault(" ".join(passage.split()), document)
    return [(document, passages[document]) for document in first.values()]


def _best_spans(odds: FloatArray, passage: str, tokens: Tokens, job: _Job, top_k: int) -> list[Span]:
    def spans() -> Iterator[Span]:
        for i, j, value in disjoint_spans(odds):
            at = job.window.start
            start, end = whole(passage, *tidy(passage, int(tokens.starts[at + i]), int(tokens.ends[at + j])))
            yield Span(value, passage[start:end], job.document, start, end)

    return _distinct(spans(), top_k)


def _distinct(spans: Iterable[Span], top_k: int) -> list[Span]:
    """Returns the first spans that do not clash with an earlier one."""
    chosen: list[Span] = []
    for span in spans:
        if not any(span.clashes(other) for other in chosen):
            chosen.append(span)
            if len(chosen) == top_k:
                break
    return chosen


def _log_mass(odds: FloatArray, weights: FloatArray | None) -> float:
    """Returns the logarithm of the weighted sum of the odds."""
    if weights is None:
        return -math.inf
    counted = (weights > 0) & (odds > -np.inf)
    if not counted.any():
        return -math.inf
    values, shares = odds[counted], weights[counted]
    peak = float(values.max())
    return peak + math.log(float(shares @ np.exp(values - peak)))


class _Matcher:
    """Finds given answers in passages, each once for all windows."""

    def __init__(self) -> None:
        self._counts: dict[str, NDArray[np.bool_]] = {}
        self._found: dict[tuple[str, str], list[tuple[int, int]]] = {}

    def weights(self, target: str, passage: str, tokens: Tokens, window: Window, width: int) -> FloatArray | None:
        """Returns how far each span of the window agrees with the answer; ``None``: the answer is not near."""
        if passage not in self._counts:
            self._counts[passage] = counted(words(passage), tokens)
        if (target, passage) not in self._found:
            self._found[target, passage] = token_ranges(find(passage, target), tokens)
        return agreement(self._found[target, passage], self._counts[passage], window, width)
