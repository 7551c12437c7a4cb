"""`Calibration`: thresholds, what they promise, and the evidence for it, as one JSON file.

How they are found is in `calibrate`; whether the promise still holds on new data is in `promise`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from twosup_chain._json_file import read_json, write_json
from twosup_chain._options import NEVER, Record, shorten
from twosup_chain.answerers.settings import Settings
from twosup_chain.calibration.estimates import NamedEstimate
from twosup_chain.calibration.tally import Abstention
from twosup_chain.calibration.targets import TARGETS, Method, OnRemoteError, Prefer
from twosup_chain.calibration.trust import TrustProfile
from twosup_chain.errors import CalibrationFileError, TwosupError
from twosup_chain.text.questions import Metadata

#: What a file says it is, and the version of the format; the only one there is.
FORMAT, VERSION = "twosup-calibration", 1
#: What a file of several says, one for each group (`grouped`).
GROUPS_FORMAT = "twosup-calibration-groups"

#: What earlier versions did not know of, and do not read where it is not used.
_LATER = (
    *("early_abstention", "reconcile", "on_remote_error", "fallback", "looks"),
    *("seed", "made_from", "order", "trust", "systems", "where", "passages"),
)

Role = Literal["local", "remote"]
_Share = Field(ge=0.0, le=1.0)


class CalibratedSupervisor(Record, allow_inf_nan=False):
    """A supervisor's setting: it trusts what scores at least `threshold`, in [0, 1]; nothing where it is `NEVER`.

    A scorer or model is ``None`` where the calibration was not told it, or it has no name, and `asked` likewise: what
    of the model's options was not the default. `missing` and `no_answer_threshold` are as in `Supervisor`; a
    calibration finds one threshold for all predictions.
    """

    scorer: str | None = None
    threshold: float = Field(ge=0.0, le=NEVER)
    model: str | None = None
    missing: float | None = Field(default=None, ge=0.0, le=1.0)
    no_answer_threshold: float | None = Field(default=None, ge=0.0, le=1.0)
    asked: Settings | None = None

    def __str__(self) -> str:
        scorer = self.scorer or "score"
        return f"{scorer} never trusted" if self.threshold == NEVER else f"{scorer} ≥ {self.threshold:.6g}"


class Promise(Record, allow_inf_nan=False):
    """One target by its name, and the evidence that it is kept.

    The limit is in the target's units: a rate in [0, 1], currency per 1,000 questions, or for ``"match_remote"`` the
    accuracy that may be lost. The p-value is that of the hypothesis that it is exceeded; ``None`` for a plug-in choice.
    """

    target: str
    limit: float
    p_value: float | None = Field(default=None, ge=0.0, le=1.0)

    @model_validator(mode="after")
    def _check_limit(self) -> Promise:
        if self.target in TARGETS:
            TARGETS[self.target](self.limit)
        return self

    @property
    def measure(self) -> str:
        """The name of the estimate that is limited."""
        return TARGETS[self.target].measure if self.target in TARGETS else self.target


class System(Record):
    """What the chain, or a model alone, does: calls of the hosted model, answers and right ones, as shares of all."""

    name: str
    calls: float = _Share
    coverage: float = _Share
    right: float = _Share


class Trace(Record, allow_inf_nan=False):
    """The pairs of thresholds that were tried, in their order, and what was found; all columns are of one length.

    `p_value` is the greatest of the targets', and empty for a plug-in choice; `accepted` tells whether the pair keeps
    them all. Rates are estimates; `risk` is ``None`` where nothing is answered.
    """

    local: tuple[float, ...] = ()
    remote: tuple[float, ...] = ()
    p_value: tuple[float, ...] = ()
    accepted: tuple[bool, ...] = ()
    remote_rate: tuple[float, ...] = ()
    coverage: tuple[float, ...] = ()
    risk: tuple[float | None, ...] = ()


class Calibration(Record, allow_inf_nan=False):
    """Two thresholds, what they promise, and the evidence for it; made by `calibrate`.

    Args:
        local: The local supervisor's setting.
        remote: The remote supervisor's setting.
        promises: The targets, which hold all at once.
        confidence: The probability, over the choice of the labelled questions, that they do; ``None``: no guarantee.
        method: ``"nested"``, ``"from the top"`` or ``"fixed sequence"`` (see `search`), ``"plug-in"``, which promises
            nothing, or ``"average"``, which promises the mean over calibrations (see `average`).
        prefer: Which of the pairs that keep the targets was chosen.
        abstention: What an abstention counts as.
        correct: What counts as right, in words; ``None`` where the calibration was not told.
        max_call_cost: The most that a hosted call costs, in currency; ``None`` without costs.
        currency: The currency's name.
        questions: How many labelled questions there were.
        failed: How many of them have a call that failed; earlier versions left them out, as further ones.
        on_remote_error: What the chain does where a hosted call fails.
        fallback: Whether the chain has a fallback, whose answers the promises say nothing of.
        looks: How often at most a calibration is tried, this time included.
        ordering: How many questions fixed which pairs are tried: of them, or others where there is an `order`.
        testing: How many the pairs were tested on; estimates and trace are of these.
        passages: How many passages the tested questions are on, where all of these count, each passage alike; ``None``
            where each tested question is an independent draw.
        seed: The seed of the division, where an earlier version was given one; it follows from the digest.
        digest: 16 hexadecimal digits that stand for the data.
        order: Likewise for the other questions that fixed which pairs are tried; ``None`` where there were none.
        made_from: Which questions these are, as `_sketch.sketch` has them; ``None`` where they were no records.
        where: The metadata of the questions that it is for; empty for all.
        estimates: What is measured at the chosen thresholds.
        systems: What this setting and each model alone do on all labelled questions.
        abstention_bound: The share of questions that any thresholds have to leave open to keep the selective risk, by
            estimate; ``None`` where the risk is no target or no abstention is needed.
        trust: By role, how trust was distributed: of the local model's on all questions, of the hosted one's on those
            that it is asked at these thresholds; empty in a file of an earlier version.
        trace: The pairs that were tried (evenly thinned, where there are many).
        tried: How many pairs were tried.
        warnings: What a reader of the figures should know.
        format: What the file says it is.
        version: The version of the format.
    """

    local: CalibratedSupervisor
    remote: CalibratedSupervisor
    promises: tuple[Promise, ...]
    confidence: float | None = Field(ge=0.5, lt=1.0)
    method: Method
    prefer: Prefer
    abstention: Abstention = "wrong"
    correct: str | None = None
    max_call_cost: float | None = Field(default=None, ge=0.0)
    currency: str | None = None
    questions: int = Field(ge=0)
    failed: int = 0
    ordering: int
    testing: int
    passages: int | None = None
    seed: int | None = None
    early_abstention: bool = False
    reconcile: bool = False
    on_remote_error: OnRemoteError = "no_answer"
    fallback: bool = False
    looks: int = Field(default=1, ge=1)
    digest: str
    order: str | None = None
    made_from: str | None = None
    where: Metadata = Field(default_factory=dict)
    estimates: tuple[NamedEstimate, ...]
    systems: tuple[System, ...] = ()
    abstention_bound: float | None = None
    trust: dict[Role, TrustProfile] = Field(default_factory=dict)
    trace: Trace = Trace()
    tried: int = 0
    warnings: tuple[str, ...] = ()
    format: Literal["twosup-calibration"] = "twosup-calibration"
    version: Literal[1] = 1

    @model_validator(mode="after")
    def _check_thresholds(self) -> Calibration:
        if any(setting.no_answer_threshold is not None for setting in self.settings.values()):
            message = (
                "no_answer_threshold: a calibration proves one threshold for all predictions, and has none of these"
            )
            raise ValueError(message)
        return self

    @property
    def settings(self) -> dict[str, CalibratedSupervisor]:
        """Both supervisors' settings by role."""
        return {"local": self.local, "remote": self.remote}

    def estimate(self, name: str) -> NamedEstimate:
        """Returns the estimate of this name (``"risk"``, ``"coverage"``, ``"remote_rate"``, …).

        Raises:
            KeyError: There is none.
        """
        found = {estimate.name: estimate for estimate in self.estimates}
        return found[name]

    def save(self, path: str | Path) -> None:
        """Writes the calibration as JSON; a file that was there is replaced at once, or not at all.

        Raises:
            CalibrationFileError: The file cannot be written.
        """
        fields = self.model_dump(mode="json")
        for option in _LATER:  # earlier versions read a file without them
            if getattr(self, option) == type(self).model_fields[option].get_default(
                call_default_factory=True, validated_data=vars(self)
            ):
                del fields[option]
        write_json(Path(path), fields, CalibrationFileError, indent=1)

    @classmethod
    def load(cls, path: str | Path) -> Calibration:
        """Returns the calibration in a file.

        Raises:
            CalibrationFileError: The file is missing, no calibration, broken, or of a newer version.
        """
        fields = read_json(Path(path), CalibrationFileError)
        if isinstance(fields, dict) and fields.get("format") == GROUPS_FORMAT:
            message = (
                f"{path} is a calibration of groups: load it as GroupedCalibration, and take one of its groups "
                "(…groups[NAME].save(…))"
            )
            raise CalibrationFileError(message)
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            message = f"{path} is no calibration: it has no 'format': {FORMAT!r}; write one with twosup calibrate"
            raise CalibrationFileError(message)
        if fields.get("version") != VERSION:
            raise CalibrationFileError(
                f"{path} is a calibration of version {shorten(fields.get('version'))}, and this twosup_chain reads "
                f"version {VERSION}: upgrade twosup-chain, or calibrate anew"
            )
        try:
            return cls(**fields)
        except (TwosupError, TypeError) as error:
            raise CalibrationFileError(f"{path} is a broken calibration: {error}") from error

    @property
    def heading(self) -> str:
        """What is promised on which evidence, in one line."""
        others = "" if self.order is None else " others"
        shares = f" ({self.ordering:,}{others} ordered the search)" if self.ordering else ""
        tested = self.testing + (self.ordering if self.order is None else 0)
        passages = f", one of each passage tested ({self.testing:,})" if tested < self.questions else ""
        if self.passages is not None:
            passages = f", {self.testing:,} on {self.passages:,} passages, which count alike, tested"
        data = f"{self.questions:,} labelled questions{shares}{passages}"
        if self.method == "average":
            return f"Kept on average over calibrations, from {data}"
        if self.confidence is None:
            return f"No guarantee: plug-in thresholds from {data}"
        return f"Guaranteed with {self.confidence:.0%} confidence, from {data}"

    def __str__(self) -> str:
        settings = (f"{role}: {setting}" for role, setting in self.settings.items())
        return "\n".join([self.heading, *settings])
