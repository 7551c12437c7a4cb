"""What a setting buys, beside each model alone: calls, coverage and right answers, as shares of all questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from twosup_chain._options import NEVER
from twosup_chain.calibration.record import System
from twosup_chain.outcomes.decisions import decide

if TYPE_CHECKING:
    from twosup_chain.calibration.tally import Tally
    from twosup_chain.outcomes.outcomes import Flags, Outcomes

#: A hosted model whose answers are trusted less often is hardly worth its calls.
_RARELY_TRUSTED = 0.05


class _Alone(NamedTuple):
    name: str
    calls: float
    right: Flags
    failed: Flags | None


def systems(outcomes: Outcomes, local: float, remote: float) -> tuple[System, ...]:
    """Returns the chain with these thresholds, the local and the hosted model alone, on these questions."""
    made = decide(outcomes, local, remote)
    shares = {"calls": made.escalated, "coverage": made.answered, "right": made.right}
    chain = System(name="this setting", **{name: np.mean(flags).item() for name, flags in shares.items()})
    models = (
        _Alone("local only", 0.0, outcomes.local_correct, outcomes.local_failed),
        _Alone("hosted only", 1.0, outcomes.hosted_correct, outcomes.remote_failed),
    )
    alone = (
        System(
            name=model.name,
            calls=model.calls,
            coverage=1.0 if model.failed is None else 1.0 - np.mean(model.failed).item(),
            right=np.mean(model.right).item(),
        )
        for model in models
    )
    return chain, *alone


def remarks(chosen: Tally, found: tuple[System, ...]) -> list[str]:
    """Returns what is odd about a setting: what it asks for nothing, and where a model alone does better."""
    chain, local, hosted = found
    escalated = chosen.escalated.item()
    trusted = escalated - (chosen.n - chosen.answered.item())
    said = []
    if not chain.calls:  # of all questions, not of those alone that tested
        gain = (
            f": it is right on {hosted.right:.1%}, the local one on {local.right:.1%}"
            if hosted.right > local.right
            else ""
        )
        said.append(f"the hosted model is never asked at this setting{gain}")
    elif chosen.local.item() == NEVER:
        said.append("the local model is never trusted at this setting: the hosted one is asked every time")
    elif trusted < _RARELY_TRUSTED * escalated:
        said.append(
            f"the hosted model is asked {escalated:,} times and trusted {trusted:,} times: a chain without it would "
            "answer nearly as much for nothing"
        )
    better = [f"the {s.name.split()[0]} model alone ({s.right:.1%})" for s in (local, hosted) if s.right > chain.right]
    if escalated and local.right > chain.right:
        said.append(
            f"fewer questions are answered rightly ({chain.right:.1%}) than by {' or by '.join(better)}: that is what "
            "the limit costs"
        )
    return said
