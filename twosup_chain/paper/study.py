"""`replicate`: the paper's figures from what both models did on the same questions.

The curve, its area, the evaluation points, the table of supervisors and the latencies are defined as in the paper (DOI
10.1145/3617593); AURC and AUGRC are added. Files are not read or written here.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from twosup_chain._options import shorten
from twosup_chain.curves import accuracy_by_cutoff, auc_rac, augrc, aurc, cutoff_grid
from twosup_chain.errors import ConfigurationError, InputError
from twosup_chain.paper.recording import Recording
from twosup_chain.paper.supervisors import SupervisorRow, pair, single

Floats = npt.NDArray[np.float64]

#: An evaluation point: the first cutoff as good as the hosted model alone, the best one, or a cutoff in [0, 1].
PointSpec = Literal["even", "best"] | float

POINTS: tuple[PointSpec, ...] = ("even", "best")
TARGET_FPRS = (0.01, 0.05, 0.1)
STEPS = 1000


@dataclass(frozen=True, kw_only=True)
class Point:
    """An evaluation point of the request–accuracy curve."""

    name: str  # "remote-even", "best", or "default" for a cutoff that was given
    cutoff: float  # the share of questions that are escalated, in [0, 1]
    accuracy: float  # the cascade's, in [0, 1]


@dataclass(frozen=True, kw_only=True)
class LatencyPoint:
    """What the cascade takes at an evaluation point."""

    name: str
    cutoff: float
    seconds: float  # mean, a question: the local model always, the hosted one for the escalated share
    saving: float  # the saved part of the hosted model's seconds; negative where the cascade takes longer


@dataclass(frozen=True, kw_only=True)
class Latency:
    """Mean seconds a question."""

    local_seconds: float
    remote_seconds: float
    break_even: float  # the escalated share below which the cascade is faster than the hosted model alone
    points: tuple[LatencyPoint, ...]


@dataclass(frozen=True, kw_only=True)
class Replication:
    """The figures of one study; those that do not exist (one class only, say) are NaN."""

    n: int
    local_only: float  # the local model's accuracy
    remote_only: float
    auc_rac: float  # the area under the request–accuracy curve
    points: tuple[Point, ...]
    table: tuple[SupervisorRow, ...]  # the systems with supervisors, by target false-positive rate
    latency: Latency | None  # None where no seconds were recorded
    aurc: dict[str, float]  # by "local" and "remote", as the next
    augrc: dict[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures for JSON; ``None`` stands for what does not exist."""
        figures: dict[str, Any] = _without_nan(asdict(self))
        return figures


def replicate(
    local: Recording,
    remote: Recording,
    *,
    points: Sequence[PointSpec] = POINTS,
    target_fprs: Sequence[float] = TARGET_FPRS,
    steps: int = STEPS,
) -> Replication:
    """Returns the paper's figures from what both models did on the same questions.

    Of the points "even" and "best" only the latter stays where they coincide. `target_fprs` is what the second
    threshold aims at, in [0, 1]; `steps` is how fine the grid of cutoffs is: 1,000 in the paper's curves, 100 in its
    table.
    """
    for rate in target_fprs:
        if not 0 <= rate <= 1:
            raise ConfigurationError(f"target_fpr={rate!r}: a false-positive rate is a number in [0, 1]")
    if len(local.score) != len(remote.score):
        raise InputError(
            f"the local recording has {len(local.score)} questions, the remote one {len(remote.score)}: align them"
        )
    n = len(local.score)
    cutoffs = cutoff_grid(n, steps)
    curve = accuracy_by_cutoff(local.score, local.correct, remote.correct, cutoffs)
    found = tuple(_points(local, remote, points, cutoffs, curve))
    sides = {"local": local, "remote": remote}
    return Replication(
        n=n,
        local_only=float(local.correct.mean()),
        remote_only=float(remote.correct.mean()),
        auc_rac=auc_rac(curve),
        points=found,
        table=tuple(row for rate in target_fprs for row in _rows(local, remote, found, rate)),
        latency=_latency(local, remote, found),
        aurc={name: aurc(side.score, side.correct) for name, side in sides.items()},
        augrc={name: augrc(side.score, side.correct) for name, side in sides.items()},
    )


def _points(
    local: Recording, remote: Recording, wanted: Sequence[PointSpec], cutoffs: Floats, curve: Floats
) -> Iterator[Point]:
    best, even = int(curve.argmax()), int((curve >= curve[-1]).argmax())
    for point in wanted:
        if point == "best":
            yield Point(name="best", cutoff=float(cutoffs[best]), accuracy=float(curve[best]))
        elif point == "even":
            if even != best or "best" not in wanted:
                yield Point(name="remote-even", cutoff=float(cutoffs[even]), accuracy=float(curve[even]))
        elif isinstance(point, (int, float)) and 0 <= point <= 1:
            accuracy = accuracy_by_cutoff(local.score, local.correct, remote.correct, [point])
            yield Point(name="default", cutoff=float(point), accuracy=float(accuracy[0]))
        else:
            raise ConfigurationError(
                f"point {shorten(point)}: an evaluation point is 'even', 'best' or a cutoff in [0, 1]"
            )


def _rows(local: Recording, remote: Recording, points: Sequence[Point], rate: float) -> Iterator[SupervisorRow]:
    yield single(local, rate, "0.00 (local_baseline)")
    for point in points:
        yield pair(local, remote, point.cutoff, rate, f"{_share(point.cutoff)} ({point.name})")
    yield single(remote, rate, "1.00 (remote_baseline)")


def _share(cutoff: float) -> str:
    """Returns the cutoff with two digits as in the paper's table, or with more where it has more."""
    text = f"{cutoff:.6f}".rstrip("0")
    whole, _, digits = text.partition(".")
    return f"{whole}.{digits:0<2}"


def _latency(local: Recording, remote: Recording, points: Sequence[Point]) -> Latency | None:
    ours, theirs = _mean_seconds(local), _mean_seconds(remote)
    if ours is None or theirs is None:
        return None
    system = [ours + theirs * point.cutoff for point in points]
    found = tuple(
        LatencyPoint(name=p.name, cutoff=p.cutoff, seconds=s, saving=(theirs - s) / theirs if theirs else math.nan)
        for p, s in zip(points, system, strict=True)
    )
    even = 1 - ours / theirs if theirs else math.nan
    return Latency(local_seconds=ours, remote_seconds=theirs, break_even=even, points=found)


def _mean_seconds(side: Recording) -> float | None:
    recorded = np.array([]) if side.seconds is None else side.seconds[~np.isnan(side.seconds)]
    return float(recorded.mean()) if recorded.size else None


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
