"""`CITING`: looks up where an answer stands in texts that are so long that an event loop cannot wait for it."""

from twosup_chain._in_process import LONG, InProcessRunnable
from twosup_chain.schema import Citation, Evidence, QAInput
from twosup_chain.text.citation import citations


class Citing(InProcessRunnable[Evidence, tuple[Citation, ...]]):
    """Returns the citations of an answer; the local one, where there is one, says which are the likeliest."""

    @property
    def blocking(self) -> bool:
        """It waits for nothing, and so needs no deadline."""
        return False

    def heavy(self, value: Evidence) -> bool:
        return is_long(value.input)

    def process(self, values: list[Evidence]) -> list[tuple[Citation, ...] | Exception]:
        return [cite(value) for value in values]


CITING = Citing()


def is_long(question: QAInput) -> bool:
    """Whether its passages are searched off the event loop."""
    return sum(map(len, question.passages)) > LONG


def cite(value: Evidence) -> tuple[Citation, ...]:
    """Returns the citations of an answer."""
    return citations(value.input, value.answer, () if value.local is None else value.local.candidates)
