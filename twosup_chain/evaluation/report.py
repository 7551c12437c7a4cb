"""`Report`: what an evaluation finds out, as data; how it is shown is the business of `page`."""

from dataclasses import dataclass
from typing import Any

from twosup_chain.calibration.record import Calibration
from twosup_chain.evaluation.figures import Figures
from twosup_chain.evaluation.mistakes import Mistakes
from twosup_chain.outcomes.outcomes import Outcomes


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What an evaluation finds out: figures, mistakes, and the columns that the pictures are drawn from."""

    figures: Figures
    mistakes: tuple[Mistakes, ...]
    outcomes: Outcomes
    calibration: Calibration | None = None  # None for supervisors of the user's own

    def as_dict(self) -> dict[str, Any]:
        """Returns the figures and the mistakes as plain values, ready for JSON."""
        found = [kind.model_dump(mode="json") for kind in self.mistakes]
        return {**self.figures.model_dump(mode="json"), "mistakes": found}
