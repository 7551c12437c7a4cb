"""`CITING`: looks up where an answer stands in texts that are so long that an event loop cannot wait for it."""

from twosup_chain._in_process import LONG, InProcessRunnable
from twosup_chain.schema import Citation, Evidence
from twosup_chain.text.citation import citations, says_where


class Citing(InProcessRunnable[Evidence, tuple[Citation, ...]]):
    """Returns the citations of an answer; the local one, where there is one, says which are the likeliest."""

    @property
    def blocking(self) -> bool:
        """Most texts are short."""
        return False

    def heavy(self, value: Evidence) -> bool:
        """Whether the answer is searched for in long texts."""
        return is_searched_for(value)

    def process(self, values: list[Evidence]) -> list[tuple[Citation, ...] | Exception]:
        return [cite(value) for value in values]


CITING = Citing()


def is_searched_for(value: Evidence) -> bool:
    """Whether the answer is searched for in long texts, since it does not say where it stands."""
    return sum(map(len, value.input.passages)) > LONG and not says_where(value.answer, value.input.passages)


def cite(value: Evidence) -> tuple[Citation, ...]:
    """Returns the citations of an answer."""
    return citations(value.input, value.answer, () if value.local is None else value.local.candidates)
