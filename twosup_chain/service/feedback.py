"""`Feedback`: what was said of a decision later, joined to it by its id."""

from __future__ import annotations

from time import time
from uuid import uuid4

from pydantic import Field, model_validator

from twosup_chain._options import Record
from twosup_chain.errors import InputError
from twosup_chain.service.decision import Decision


class Feedback(Record):
    """What somebody says of a decision: whether it was right, or what the answer is, or both.

    Args:
        decision: The decision's id.
        right: Whether what was given was right; a no-answer is where the context holds none.
        answer: What the right answer is; empty where there is none.
        by: Who says so.
        id: Its own, by which it can be revoked.
        time: When, in seconds since 1970 (UTC).

    Raises:
        InputError: It says nothing, or a field is of the wrong type.
    """

    decision: str = Field(min_length=1, max_length=200)
    right: bool | None = None
    answer: str | None = Field(default=None, max_length=100_000)
    by: str | None = Field(default=None, max_length=200)
    id: str = Field(default_factory=lambda: f"fb_{uuid4().hex}", max_length=200)
    time: float = Field(default_factory=time, allow_inf_nan=False)

    @model_validator(mode="after")
    def _says_something(self) -> Feedback:
        if self.right is None and self.answer is None:
            raise InputError('feedback says nothing: give "right": true or false, or the right "answer", or both')
        return self

    def right_of(self, decision: Decision, source: str) -> bool | None:
        """Returns whether a prediction was right by what is said here; ``None`` where that cannot be told.

        Args:
            decision: The decision that this is about.
            source: Whose prediction: ``"local"``, ``"remote"``, or the decision's own source for what was given.
        """
        found = self._by_answer(decision, source)
        if found is not None or self.right is None or source == decision.source:
            return self.right if found is None else found
        if decision.source == "none":  # it says of what was given, nothing, whether that was right
            no_answer = decision.no_answer.get(source)
            return no_answer if self.right else (False if no_answer else None)
        if decision.agree is None or source not in decision.no_answer:
            return None
        if decision.agree:
            return self.right
        return False if self.right else None

    def _by_answer(self, decision: Decision, source: str) -> bool | None:
        if self.answer is None:
            return None
        if source == "none":
            return not self.answer  # nothing was given: right where there is nothing
        if decision.text is not None and source in decision.text.answers:
            return decision.text.says(source, self.answer)
        no_answer = decision.no_answer.get(source)
        return None if no_answer is None or not (no_answer or not self.answer) else no_answer == (not self.answer)
