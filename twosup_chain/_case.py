"""`Case`: what is known of one question while a `TwoSupervisorChain` decides it, and the result that comes of it."""

from time import perf_counter

from twosup_chain._citing import cite, is_searched_for
from twosup_chain._deadline import Clock
from twosup_chain._options import shorten
from twosup_chain.errors import AnswererError, NoTrustedAnswerError
from twosup_chain.schema import (
    Answer,
    Citation,
    Evidence,
    QAInput,
    Source,
    Status,
    TwoSupervisorResult,
    Verdict,
    total_usage,
)

_NAMES = {"local": "the local answer", "unanswerable": "'no answer'"}


class Case:
    """What is known of one question so far."""

    def __init__(self, input: QAInput) -> None:
        self.input = input
        self.local: Answer | None = None
        self.remote: Answer | None = None
        self.local_verdict: Verdict | None = None
        self.remote_verdict: Verdict | None = None
        self.error: str | None = None
        #: The prediction of the result, where its citations are still to be looked up, in long texts.
        self.uncited: Evidence | None = None
        self._lost: list[AnswererError | NoTrustedAnswerError] = []
        self._reasons: list[str] = []
        self.clock = Clock(None)
        self._started = perf_counter()

    def note(self, reason: str) -> None:
        """Adds to the reason of the result."""
        self._reasons.append(reason)

    def leave_out(self, seconds: float) -> None:
        """Does not count what a process takes once, whatever is asked."""
        self._started += seconds

    def judge(self, role: Source, answer: Answer, verdict: Verdict | None) -> TwoSupervisorResult | None:
        """Notes what a supervisor says of an answer, if it could; returns the result, where that settles the question.

        It ends with what the supervisor trusts: the answer that it judged, or the prediction that outweighs it.
        """
        if verdict is None:
            return None
        self.note(_judged(role, answer, verdict))
        if not verdict.trusted:
            return None
        if verdict.chosen == "local" and self.local is not None:
            return self.end("local", self.local)
        if verdict.chosen == "unanswerable":
            own = self.local is not None and self.local.text is None
            return self.end("local" if own else "none", Answer(None))
        return self.end(role, answer)

    def fail(self, what: str, error: Exception, *, of_remote: bool) -> None:
        """Notes a failure in the reason, a failure of the remote or its supervisor as the error too; keeps its cost."""
        said = f"{type(error).__name__}: {error}"
        self.note(f"{what} ({shorten(said, 200)})")
        self.error = said if of_remote else self.error
        if isinstance(error, (AnswererError, NoTrustedAnswerError)):
            self._lost.append(error)

    def end(self, source: Source, answer: Answer | None, *, spent: Answer | None = None) -> TwoSupervisorResult:
        """Returns the result."""
        status: Status = "untrusted"
        if answer is not None:
            status = "answered" if answer.text is not None else "unanswerable"
        return TwoSupervisorResult(
            answer=None if answer is None else answer.text,
            status=status,
            source=source,
            local=self.local,
            remote=self.remote,
            local_verdict=self.local_verdict,
            remote_verdict=self.remote_verdict,
            reason="; ".join(self._reasons),
            citations=self._citations(answer),
            error=self.error,
            usage=total_usage(self.local, self.remote, *self._lost, spent),
            seconds=perf_counter() - self._started,
        )

    def _citations(self, answer: Answer | None) -> tuple[Citation, ...]:
        if answer is None or self.input.options:
            return ()
        cited = Evidence(input=self.input, answer=answer, local=self.local)
        self.uncited = cited if is_searched_for(cited) else None
        return () if self.uncited else cite(cited)


def _judged(role: str, answer: Answer, verdict: Verdict) -> str:
    """Returns a verdict in words, for the reason of a decision."""
    what, said = f"{role} {'answer' if answer.text is not None else 'no-answer'}", ""
    if verdict.chosen in _NAMES:
        said = f"{_NAMES[verdict.chosen]} outweighs the {what} (which has {verdict.weighed['answer']:.3f}); "
        what = _NAMES[verdict.chosen]
    trusted, sign = ("trusted", "≥") if verdict.trusted else ("not trusted", "<")
    return f"{said}{what} {trusted} ({verdict.scorer} {verdict.score:.3f} {sign} {verdict.threshold:.3f})"
