"""The figures of an evaluation, as plain records: what ``figures.json`` holds.

Shares, rates and measures are in [0, 1]; ``None`` stands for what the data cannot tell.
"""

from typing import Literal

from twosup_chain._options import Record
from twosup_chain.calibration.estimates import Estimate, NamedEstimate
from twosup_chain.calibration.record import CalibratedSupervisor
from twosup_chain.outcomes.from_records import Provenance
from twosup_chain.outcomes.price import Price

#: What can become of a question.
Ending = Literal[
    "local_answer", "local_no_answer", "remote_answer", "remote_no_answer", "weighed_no_answer", "untrusted"
]


class Scores(Record):
    """The official SQuAD v2 measures of one way to answer; a question that is left open predicts "no answer".

    Over all questions, over those that have an answer, and over those that have none.
    """

    exact_match: Estimate
    f1: Estimate
    has_answer_exact_match: Estimate
    has_answer_f1: Estimate
    no_answer_exact_match: Estimate
    no_answer_f1: Estimate


class Systems(Record):
    """The scores of the chain and of what it is held against: one model's prediction for every question."""

    chain: Scores
    local_only: Scores
    remote_only: Scores


class Differences(Record):
    """The chain's scores less those of one model alone, question by question."""

    exact_match: Estimate
    f1: Estimate


class EndingCount(Record):
    """How many questions came to one end."""

    ending: Ending
    questions: int
    right: int  # leaving a question open is right where it has no answer

    @property
    def wrong(self) -> int:
        """How many of them wrongly."""
        return self.questions - self.right


class Saving(Record):
    """What every question to the hosted model takes, what the chain takes, and the difference."""

    remote_only: float  # the counterfactual: every question is sent to the hosted model
    chain: float
    saved: float  # below 0 where the chain takes more
    share: float | None  # the share of the counterfactual that is saved; None where that is 0


class Savings(Record):
    """What the chain saves on these questions; ``None`` where the records or the price do not tell."""

    calls: Saving  # of the hosted model, as its tokens
    input_tokens: Saving | None
    output_tokens: Saving | None
    cost: Saving | None  # of these tokens, in currency
    seconds: Saving | None  # of both models, one question after the other, without the supervisors


class Latency(Record):
    """Mean seconds a question, as in the paper (Table 7), without the time of the supervisors."""

    local: float
    remote: float
    chain: float  # local + remote · share of hosted calls
    break_even: float  # the share of hosted calls up to which the chain is the quicker: 1 − local / remote
    saving: float  # the share of the hosted model's time that the chain saves; below 0 where it takes longer
    concurrency: int | None = None  # how many hosted calls could run at once, as the first record tells


class SupervisorFigures(Record):
    """How one supervisor judges; the second one judges escalated questions only.

    The counts are of the predictions that it judges; the figures after them are over all questions.
    """

    judged: int
    trusted_right: int
    trusted_wrong: int
    refused_right: int
    refused_wrong: int
    auroc: float | None  # how well its score tells right from wrong predictions: 0.5 is chance
    aurc: float  # the area under the risk–coverage curve
    augrc: float  # the same of the generalised risk
    calibration_error: float  # by how much the score misses the share that is right, on average


class EscalationFigures(Record):
    """The request–accuracy curve, and where the local threshold stands on it; every hosted prediction is used there."""

    remote_rate: Estimate  # the share of questions that is sent to the hosted model
    accuracy: float  # there
    best_accuracy: float  # the highest of the curve
    best_remote_rate: float  # the cutoff at which it is reached first
    auc_rac: float | None  # the area under it as the paper defines it: 0.5 is random, above 1 beats the hosted model
    share_of_oracle_gain: float | None  # reached with as many calls, over random escalation
    cutoffs: tuple[float, ...]  # shape (m,), as the accuracies at each that follow
    curve: tuple[float, ...]
    random: tuple[float, ...]
    oracle: tuple[float, ...]


class PromiseFigures(Record):
    """A promise of the calibration, and what these records say about it."""

    target: str  # the option of `calibrate` that asked for it
    limit: float  # what is not to be exceeded
    calibrated: NamedEstimate | None  # the estimate that the calibration was made with
    found: NamedEstimate  # that of these records
    probability: float  # that the limit is kept, given these records alone


class Figures(Record):
    """Everything that an evaluation finds out."""

    provenance: Provenance  # the records
    local: CalibratedSupervisor  # the supervisors' settings
    remote: CalibratedSupervisor
    correct: str  # what counts as right beside the official measures, in words
    price: Price | None
    systems: Systems  # the official SQuAD v2 scores
    against_local: Differences  # the chain's scores less the local model's
    against_remote: Differences
    endings: tuple[EndingCount, ...]  # "weighed_no_answer" is there where neither model has said so itself
    coverage: Estimate  # the share of questions for which a prediction is trusted
    risk: Estimate  # the share of wrong ones among the trusted predictions
    savings: Savings  # against sending every question to the hosted model
    latency: Latency | None
    local_supervisor: SupervisorFigures
    remote_supervisor: SupervisorFigures
    escalation: EscalationFigures
    decides: bool = False  # the questions are decisions: exact match is accuracy, the label is right, and so is F1
    early_abstention: bool = False  # the first supervisor weighs "no answer" against the local prediction
    reconcile: bool = False  # the second one weighs the hosted prediction against the local one and "no answer"
    confidence: float | None = None  # of the calibration's promises
    promises: tuple[PromiseFigures, ...] = ()
    in_sample: bool = False  # these are the very questions that the calibration was made from
    remarks: tuple[str, ...] = ()  # what a reader of the figures should know
    format: Literal["twosup-figures"] = "twosup-figures"
    version: Literal[1] = 1
