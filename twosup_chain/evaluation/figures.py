"""The figures of an evaluation, as plain records: what ``figures.json`` holds.

Shares, rates and measures are in [0, 1]; ``None`` stands for what the data cannot tell. How they are found is in
`measure`.
"""

from __future__ import annotations

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

    Args:
        exact_match: Exact match over all questions.
        f1: Token F1 over all questions.
        has_answer_exact_match: Exact match over the questions that have an answer.
        has_answer_f1: Token F1 over these.
        no_answer_exact_match: Exact match over the questions that have none.
        no_answer_f1: Token F1 over these.
    """

    exact_match: Estimate
    f1: Estimate
    has_answer_exact_match: Estimate
    has_answer_f1: Estimate
    no_answer_exact_match: Estimate
    no_answer_f1: Estimate


class Systems(Record):
    """The scores of the chain and of what it is held against.

    Args:
        chain: The chain with both supervisors.
        local_only: The local model's prediction for every question.
        remote_only: The hosted model's prediction for every question.
    """

    chain: Scores
    local_only: Scores
    remote_only: Scores


class Differences(Record):
    """The chain's scores less those of one model alone, question by question.

    Args:
        exact_match: The difference in exact match.
        f1: The difference in token F1.
    """

    exact_match: Estimate
    f1: Estimate


class EndingCount(Record):
    """How many questions came to one end.

    Args:
        ending: The end.
        questions: How many.
        right: How many of them rightly; leaving a question open is right where it has no answer.
    """

    ending: Ending
    questions: int
    right: int

    @property
    def wrong(self) -> int:
        """How many of them wrongly."""
        return self.questions - self.right


class Saving(Record):
    """What every question to the hosted model takes, what the chain takes, and the difference.

    Args:
        remote_only: The counterfactual: every question is sent to the hosted model.
        chain: What the chain spends.
        saved: The counterfactual less that; below 0 where the chain takes more.
        share: The share of the counterfactual that is saved; ``None`` where it is 0.
    """

    remote_only: float
    chain: float
    saved: float
    share: float | None


class Savings(Record):
    """What the chain saves on these questions; ``None`` where the records or the price do not tell.

    Args:
        calls: Calls of the hosted model.
        input_tokens: Tokens that it reads.
        output_tokens: Tokens that it writes.
        cost: What they cost, in currency.
        seconds: Seconds of both models, one question after the other, without the supervisors.
    """

    calls: Saving
    input_tokens: Saving | None
    output_tokens: Saving | None
    cost: Saving | None
    seconds: Saving | None


class Latency(Record):
    """Mean seconds a question, as in the paper (Table 7), without the time of the supervisors.

    Args:
        local: Of the local model.
        remote: Of the hosted model.
        chain: Of the chain: local + remote · share of hosted calls.
        break_even: The share of hosted calls up to which the chain is the quicker: 1 − local / remote.
        saving: The share of the hosted model's time that the chain saves; below 0 where it takes longer.
    """

    local: float
    remote: float
    chain: float
    break_even: float
    saving: float


class SupervisorFigures(Record):
    """How one supervisor judges; the second one judges escalated questions only.

    Args:
        judged: How many predictions it judges.
        trusted_right: How many it trusts rightly.
        trusted_wrong: How many it trusts, and they are wrong.
        refused_right: How many it refuses, and they are right.
        refused_wrong: How many it refuses rightly.
        auroc: How well its score tells right from wrong predictions, over all questions: 0.5 is chance.
        aurc: The area under the risk–coverage curve, over all questions.
        augrc: The same of the generalised risk.
        calibration_error: By how much the score misses the share that is right, on average, over all questions.
    """

    judged: int
    trusted_right: int
    trusted_wrong: int
    refused_right: int
    refused_wrong: int
    auroc: float | None
    aurc: float
    augrc: float
    calibration_error: float


class EscalationFigures(Record):
    """The request–accuracy curve, and where the local threshold stands on it; every hosted prediction is used there.

    Args:
        remote_rate: The share of questions that is sent to the hosted model.
        accuracy: The accuracy there.
        best_accuracy: The highest accuracy of the curve.
        best_remote_rate: The cutoff at which it is reached first.
        auc_rac: The area under the curve as the paper defines it: 0.5 is random, above 1 beats the hosted model.
        share_of_oracle_gain: How much of an oracle's gain over random escalation is reached with as many calls.
        cutoffs: Cutoffs, shape (m,).
        curve: The accuracy at each.
        random: That of random escalation.
        oracle: That of an oracle's.
    """

    remote_rate: Estimate
    accuracy: float
    best_accuracy: float
    best_remote_rate: float
    auc_rac: float | None
    share_of_oracle_gain: float | None
    cutoffs: tuple[float, ...]
    curve: tuple[float, ...]
    random: tuple[float, ...]
    oracle: tuple[float, ...]


class PromiseFigures(Record):
    """A promise of the calibration, and what these records say about it.

    Args:
        target: The option of `calibrate` that asked for it.
        limit: What is not to be exceeded.
        calibrated: The estimate that the calibration was made with.
        found: The estimate of these records.
        probability: The probability that the limit is kept, given these records alone.
    """

    target: str
    limit: float
    calibrated: NamedEstimate | None
    found: NamedEstimate
    probability: float


class Figures(Record):
    """Everything that an evaluation finds out.

    Args:
        provenance: The records.
        local: The local supervisor's setting.
        remote: The remote supervisor's setting.
        correct: What counts as right beside the official measures, in words.
        price: What the hosted model's tokens cost.
        systems: The official SQuAD v2 scores.
        against_local: The chain's scores less the local model's.
        against_remote: The chain's scores less the hosted model's.
        endings: What became of the questions; ``weighed_no_answer`` is there where neither model has said so itself.
        coverage: The share of questions for which a prediction is trusted.
        risk: The share of wrong ones among the trusted predictions.
        savings: What is saved against sending every question to the hosted model.
        latency: Seconds a question; ``None`` where the records do not tell.
        local_supervisor: How the first supervisor judges.
        remote_supervisor: How the second one does.
        escalation: The request–accuracy curve.
        early_abstention: Whether the first supervisor weighs "no answer" against the local prediction.
        reconcile: Whether the second one weighs the hosted prediction against the local one and "no answer".
        confidence: The confidence of the calibration's promises; ``None`` without any.
        promises: The calibration's promises.
        in_sample: Whether these are the very questions that the calibration was made from.
        remarks: What a reader of the figures should know.
        format: What the file says it is.
        version: The version of the format.
    """

    provenance: Provenance
    local: CalibratedSupervisor
    remote: CalibratedSupervisor
    correct: str
    price: Price | None
    systems: Systems
    against_local: Differences
    against_remote: Differences
    endings: tuple[EndingCount, ...]
    coverage: Estimate
    risk: Estimate
    savings: Savings
    latency: Latency | None
    local_supervisor: SupervisorFigures
    remote_supervisor: SupervisorFigures
    escalation: EscalationFigures
    early_abstention: bool = False
    reconcile: bool = False
    confidence: float | None = None
    promises: tuple[PromiseFigures, ...] = ()
    in_sample: bool = False
    remarks: tuple[str, ...] = ()
    format: Literal["twosup-figures"] = "twosup-figures"
    version: Literal[1] = 1
