"""Fakes for tests of chains, ours and the users': an answerer that says what a test wrote.

They run no model; for a real one without a key or a server, use `ExtractiveReader`.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import Field, SkipValidation

from twosup_chain.answerers.base import InProcessAnswerer
from twosup_chain.answerers.reply import as_answer
from twosup_chain.errors import AnswererError
from twosup_chain.schema import Answer, QAInput


class ScriptedAnswerer(InProcessAnswerer):
    """Answers each question as the script says.

    Args:
        script: For each question what an answerer may return (an `Answer`, a string, ``None``, …), or an exception,
            which is raised.
        calls: Receives the list of questions of every call, so that a test can see what was asked together.

    Raises:
        LookupError: A question is not in the script.

    Example:
        >>> ScriptedAnswerer(script={"Who?": "Ada"}).invoke("Who?").text
        'Ada'
    """

    script: dict[str, Any]
    calls: SkipValidation[list[list[str]]] = Field(default_factory=list)

    def answer_many(self, inputs: Sequence[QAInput]) -> list[Answer | Exception]:
        """Returns what the script says."""
        self.calls.append([item.question for item in inputs])
        return [self._answer(item.question) for item in inputs]

    def _answer(self, question: str) -> Answer | Exception:
        if question not in self.script:
            return LookupError(f"the script says nothing about {question!r}; it knows {sorted(self.script)}")
        reply = self.script[question]
        try:
            return reply if isinstance(reply, Exception) else as_answer(reply)
        except AnswererError as error:
            return error
