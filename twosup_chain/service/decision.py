"""`Decision`: what is kept of one request, whoever keeps it; `Ticket`: what is known of it beforehand."""

import hashlib
import json
import time
from typing import Any, Literal

from langchain_core.utils.uuid import uuid7
from pydantic import Field

from twosup_chain._options import Record
from twosup_chain._usage import Usage
from twosup_chain.schema import QAInput, Source, Status, TwoSupervisorResult, Verdict
from twosup_chain.text.squad import exact_match


class Ticket(Record):
    """What is known of a request before it is decided.

    Args:
        route: The name of the route that answers.
        caller: Who asks, by the name of the key; ``None`` where nobody needs one.
        metadata: What the caller says of the request, for rules and logs; no model sees it.
        id: The request's id, which is the decision's: ids sort by time.
        time: When it came, in seconds since 1970 (UTC).
    """

    route: str
    caller: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    id: str = Field(default_factory=lambda: f"dec_{uuid7().hex}")
    time: float = Field(default_factory=time.time)


class DecisionText(Record):
    """The texts of a request, where they are kept: the question, its passages and the answers by role.

    The answer that was given is the one of the decision's source; a fallback's is under ``"fallback"``. With `labels`
    the question had options, and the answers are some of them.
    """

    question: str
    context: tuple[str, ...] = ()
    answers: dict[str, str | None] = Field(default_factory=dict)
    labels: bool = False

    def says(self, role: str, other: str | None) -> bool:
        """Returns whether a role's answer is the same as another: the same label, or by SQuAD's rule."""
        return same(self.answers[role], other, labels=self.labels)


class Decision(Record):
    """What is kept of one request.

    Args:
        id: Its id, as the caller is told it.
        route: The name of the route.
        caller: Who asked, by the name of the key; ``None`` where nobody needs one.
        time: When it came, in seconds since 1970 (UTC).
        question: 64 hexadecimal digits that stand for the question and its context (SHA-256).
        passage: 16 hexadecimal digits that stand for the context: questions on the same one are no independent draws;
            ``None`` without one.
        source: Whose prediction was returned.
        status: As in `TwoSupervisorResult`; ``"failed"`` for a request that ended with an error, or whose caller left.
        reason: Why, in words.
        error: How the hosted model or its supervisor failed, or the request, where one did.
        scores: The evidence that the answers carry, by role and name.
        verdicts: What the supervisors said, by role.
        usage: Tokens by role, those of rejected answers included.
        cost: What the hosted model cost, in `currency`; ``None`` where no price is known.
        always_remote: What it would have cost to ask the hosted model; an estimate where it was not asked.
        currency: The currency's name.
        estimated: Whether the cost is an estimate, since a provider did not report its tokens.
        shadow: Whether the hosted model was asked in the shadow alone: nobody was given its answer.
        shadow_cost: What that cost; ``None`` without a price, and where it was not asked there.
        no_answer: By role, whether the prediction was that there is no answer.
        agree: Whether both models predicted the same, by SQuAD's rule or the same label; ``None`` where one of them did
            not answer.
        seconds: Wall time of the request, in seconds.
        stages: Wall time of its parts, in seconds: ``local``, ``local_supervisor``, ``remote``, ….
        models: Which models answered, by role.
        calibration: What stands for the calibration's data (`Calibration.digest`); ``None`` without one.
        text: The texts, where the route keeps them.
    """

    id: str
    route: str
    caller: str | None
    time: float
    question: str
    passage: str | None = None
    source: Source
    status: Status | Literal["failed"]
    reason: str
    error: str | None = None
    scores: dict[str, dict[str, float]] = Field(default_factory=dict)
    verdicts: dict[str, Verdict] = Field(default_factory=dict)
    usage: dict[str, Usage] = Field(default_factory=dict)
    cost: float | None = None
    always_remote: float | None = None
    currency: str | None = None
    estimated: bool = False
    shadow: bool = False
    shadow_cost: float | None = None
    no_answer: dict[str, bool] = Field(default_factory=dict)
    agree: bool | None = None
    seconds: float
    stages: dict[str, float] = Field(default_factory=dict)
    models: dict[str, str] = Field(default_factory=dict)
    calibration: str | None = None
    text: DecisionText | None = None


def same(answer: str | None, other: str | None, *, labels: bool) -> bool:
    """Returns whether two answers are the same: the same label, or by SQuAD's rule; an empty one is "no answer"."""
    return (answer or "") == (other or "") if labels else exact_match(answer, [other or ""]) == 1.0


def question_digest(asked: QAInput) -> str:
    """Returns 64 hexadecimal digits that stand for a question and its context."""
    return hashlib.sha256(json.dumps([asked.question, *asked.passages]).encode()).hexdigest()


def text_of(asked: QAInput, result: TwoSupervisorResult | None) -> DecisionText:
    """Returns the texts of a request; without the answers where there is no result."""
    said: dict[str, str | None] = {}
    if result is not None:
        answers = {"local": result.local, "remote": result.remote}
        said = {role: answer.text for role, answer in answers.items() if answer is not None}
        if result.source == "fallback":
            said["fallback"] = result.answer
    return DecisionText(question=asked.question, context=asked.passages, answers=said, labels=bool(asked.options))


def decision_of(ticket: Ticket, asked: QAInput, result: TwoSupervisorResult | None, **more: Any) -> Decision:
    """Returns what is kept of a request; `more` are fields that the result does not know, all where there is none."""
    known: dict[str, Any] = {}
    if result is not None:
        known = {name: getattr(result, name) for name in ("seconds", "source", "status", "reason", "error")}
        known |= predictions(result, labels=bool(asked.options))
    return Decision(
        id=ticket.id,
        route=ticket.route,
        caller=ticket.caller,
        time=ticket.time,
        question=question_digest(asked),
        passage=hashlib.sha256(json.dumps(asked.passages).encode()).hexdigest()[:16] if asked.passages else None,
        **{**known, **more},
    )


def predictions(result: TwoSupervisorResult, *, labels: bool = False) -> dict[str, Any]:
    """Returns the fields of a decision that tell what both models predicted, and how far they are trusted.

    With `labels` the question had options.
    """
    answers = {"local": result.local, "remote": result.remote}
    made = {role: answer for role, answer in answers.items() if answer is not None}
    verdicts = {"local": result.local_verdict, "remote": result.remote_verdict}
    said = [answer.text for answer in made.values()]
    return {
        "scores": {role: answer.scores for role, answer in made.items()},
        "verdicts": {role: verdict for role, verdict in verdicts.items() if verdict is not None},
        "usage": {role: answer.usage for role, answer in made.items() if answer.usage},
        "models": {role: answer.model for role, answer in made.items() if answer.model},
        "no_answer": {role: answer.text is None for role, answer in made.items()},
        "agree": None if len(said) != len(answers) else same(*said, labels=labels),
    }
