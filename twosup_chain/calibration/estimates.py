"""`Estimate`: a value with its interval; `NamedEstimate` also says what it is the value of."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import model_serializer, model_validator

from twosup_chain._options import Record
from twosup_chain.calibration.measures import Unit, written
from twosup_chain.calibration.targets import MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable

    from twosup_chain.calibration.measures import Measure
    from twosup_chain.calibration.sample import Sample
    from twosup_chain.calibration.tally import Tally

#: The confidence of the intervals beside the estimates.
_CONFIDENCE = 0.95


class Estimate(Record):
    """A value with a two-sided 95 % interval; ``None`` where the data say nothing about it."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def __str__(self) -> str:
        """The value as a share, and its interval."""
        low, high = (written(end, "share").removesuffix(" %") for end in (self.low, self.high))
        return f"{written(self.value, 'share')} ({low} to {high})"


class NamedEstimate(Estimate):
    """What is measured at a pair of thresholds: `name` is a key of `MEASURES`, or that of a target of your own.

    What it is called in tables and its unit are needed, and written to a file, only for a target of your own.
    """

    name: str
    label: str
    unit: Unit

    def write(self, value: float | None, currency: str | None = None) -> str:
        """Returns a value of this kind, as people read it: see `written`."""
        return written(value, self.unit, currency)

    def write_interval(self) -> tuple[str, str]:
        """Returns the interval's ends, as people read them, without their unit."""
        low, high = (self.write(end).removesuffix(" %") for end in (self.low, self.high))
        return low, high

    @model_validator(mode="before")
    @classmethod
    def _known(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or not isinstance(fields.get("name"), str) or fields["name"] not in MEASURES:
            return fields
        measure = MEASURES[fields["name"]]
        return {"label": measure.label, "unit": measure.unit, **fields}

    @model_serializer(mode="wrap")
    def _brief(self, dump: Callable[[NamedEstimate], dict[str, Any]]) -> dict[str, Any]:
        known = ("label", "unit") if self.name in MEASURES else ()
        return {name: value for name, value in dump(self).items() if name not in known}


def estimate(measure: Measure, tally: Tally, sample: Sample | None = None) -> NamedEstimate:
    """Returns what is measured at the only pair of these counts, with an exact interval.

    The counts are of independent questions, or of this sample.
    """
    value = measure.value(tally).item()
    interval = measure.interval if sample is None else partial(sample.interval, measure)
    low, high = interval(tally, _CONFIDENCE)
    return NamedEstimate(
        name=measure.measure,
        label=measure.label,
        unit=measure.unit,
        value=value if np.isfinite(value) else None,
        low=low,
        high=high,
    )
