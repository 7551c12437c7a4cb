"""`Feedback`: what was said of a decision later, joined to it by its id."""

from __future__ import annotations

from time import time
from uuid import uuid4

from pydantic import Field, model_validator

from twosup_chain._options import Record
from twosup_chain.errors import InputError


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
