"""Every error that twosup_chain raises on purpose, in one tree.

```
TwosupError
├── ConfigurationError (ValueError)      a part was built with a wrong option
│   ├── UnknownOptionError (TypeError)   an option or scorer that does not exist
│   ├── ModelFileError                   a model file that is missing, or is not a model
│   ├── CalibrationMismatchError         a calibration made for another scorer or model
│   └── SupervisorFileError              a file that is no learned supervisor, or not one of this version
├── InputError (ValueError)              a question or a context that cannot be read
│   └── RecordsError                     a file of records that cannot be read as such
│       ├── CutOffError                  its last line is half a record, as a crash leaves it
│       └── ResumeError                  it was collected in another way, or is being collected at this moment
├── CalibrationError                     thresholds that cannot be had
│   ├── CalibrationFileError             a file that is no calibration, or not one of this version
│   └── InfeasibleTargetError            no pair of thresholds is known to keep the targets
├── MissingExtraError (ImportError)      an optional dependency is not installed
├── DeadlineError (TimeoutError)         a call did not end in the time that its question has
├── RemoteWithheldError                  the hosted model was not asked: a rule, a cap or a breaker keeps the question
├── AnswererError                        a model replied, but not with an answer
│   ├── EmptyAnswerError                 nothing at all, or white space
│   ├── RefusalError                     the provider refused or filtered the reply
│   ├── NotTextError                     something that is not an answer
│   ├── DraftStoppedError                nothing more, since its generation was ended: it could no longer be trusted
│   └── UnstructuredReplyError           not in the form that was asked for
├── ScorerError                          a trust score could not be had
│   ├── MissingEvidenceError             the answer lacks what the scorer reads
│   └── ScoreRangeError (ValueError)     the scorer gave no number in [0, 1]
└── NoTrustedAnswerError                 nobody could be trusted (``fallback="raise"``)
```

Errors of other parties (a time-out of the hosted LLM, say) are not wrapped: they keep their class, so that existing
``except`` clauses and LangChain's own ``with_fallbacks`` go on working.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata


class TwosupError(Exception):
    """The root of the tree: ``except TwosupError`` catches whatever this package raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (type(self), self.args), vars(self)  # whatever its constructor takes


def _again(kind: type[TwosupError], args: tuple[Any, ...]) -> TwosupError:
    """Returns an error that was pickled or copied, as it was, but for what it holds besides its message."""
    return kind.__new__(kind, *args)


class ConfigurationError(TwosupError, ValueError):
    """A part was built with an option of the wrong type or value."""


class UnknownOptionError(ConfigurationError, TypeError):
    """An option, or the name of a scorer, that does not exist: `name` is no `kind`, whose names are `known`.

    `meant` is the one that it is another word for, where that is known; else the one that is spelt most alike.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, meant: str | None = None) -> None:
        self.kind = kind
        self.name = name
        self.known = tuple(sorted(known))
        near = [meant] if meant else get_close_matches(name, self.known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"{name!r} is no {kind}.{hint} There are: {', '.join(self.known)}.")


class ModelFileError(ConfigurationError):
    """A model file is missing, unreadable, or not of the format that the answerer reads."""


class CalibrationMismatchError(ConfigurationError):
    """A calibration was made for another scorer or model than the one it is used with; the message names both."""


class SupervisorFileError(ConfigurationError):
    """A file that is missing, is no learned supervisor, is broken, or was written by a newer version."""


class InputError(TwosupError, ValueError):
    """A question or a context that cannot be read; the message names the field, the value and the cure."""


class RecordsError(InputError):
    """A file of records holds what no `collect` has written; the message names the file, the line and the cure."""


class CutOffError(RecordsError):
    """The last line of a file of records is half a record, as a crash leaves it; it starts at `offset`, in bytes."""

    def __init__(self, message: str, offset: int) -> None:
        self.offset = offset
        super().__init__(message)


class ResumeError(RecordsError):
    """A file of records cannot be continued: other data, models or scorers, or another collector at work on it."""


class CalibrationError(TwosupError):
    """Thresholds that cannot be had, from a file or from data."""


class CalibrationFileError(CalibrationError):
    """A file that is missing, is no calibration, is broken, or was written by a newer version."""


class InfeasibleTargetError(CalibrationError):
    """No pair of thresholds is known to keep the targets; there is no nearest guess.

    Args:
        message: What could not be kept, and what would help.
        best: By target, the estimate at the closest setting; it is chosen, and so looks better than it is.
        abstention_bound: The least share of questions, in [0, 1], that any thresholds would have to leave open to keep
            the selective risk: (μ − α)/(1 − α) for the risk μ without abstention (arXiv 2606.29054); ``None`` where the
            risk is no target, or no abstention is needed.
        questions_needed: With how many labelled questions, by simulation, there are thresholds in every other case, and
            in nine of ten (``None``: more than were tried); ``None`` where an estimate itself misses its limit.
    """

    def __init__(
        self,
        message: str,
        best: dict[str, float] | None = None,
        abstention_bound: float | None = None,
        questions_needed: tuple[int, int | None] | None = None,
    ) -> None:
        self.best = best or {}
        self.abstention_bound = abstention_bound
        self.questions_needed = questions_needed
        super().__init__(message)


class MissingExtraError(TwosupError, ImportError):
    """An optional dependency is not installed; the message gives the command that installs its extra."""

    def __init__(self, needed_by: str, package: str, extra: str) -> None:
        self.needed_by = needed_by
        self.package = package
        self.extra = extra
        super().__init__(f"{needed_by} needs {package}: pip install 'twosup-chain[{extra}]'")


class DeadlineError(TwosupError, TimeoutError):
    """A call did not end in the time that its question has, and was left behind.

    Args:
        seconds: How long it was waited for.
        option: What says how long.
    """

    def __init__(self, seconds: float, option: str = "deadline=… (None for no limit)") -> None:
        self.seconds = seconds
        self.option = option
        super().__init__(f"no reply within {seconds:.3g} s: raise {option}, or ask less")

    def __reduce__(self) -> tuple[type, tuple[float, str]]:
        return type(self), (self.seconds, self.option)


class RemoteWithheldError(TwosupError):
    """The hosted model was not asked, since a gate did not let the question pass.

    Args:
        message: Why.
        instead: What becomes of the question: its ``"local"`` answer as it stands, or ``"no_answer"``, and no fallback
            either way; ``None``: what ``on_remote_error`` says.
    """

    def __init__(self, message: str, instead: Literal["local", "no_answer"] | None = None) -> None:
        self.instead = instead
        super().__init__(message)


class AnswererError(TwosupError):
    """A model replied, but what it sent is not an answer; the tokens that it cost all the same are its `usage`."""

    def __init__(self, message: str, usage: UsageMetadata | None = None) -> None:
        self.usage = usage
        super().__init__(message)


class EmptyAnswerError(AnswererError):
    """The reply holds no text: an empty reply is never a success (and never a "no answer" either)."""


class RefusalError(AnswererError):
    """The provider refused to answer or filtered the reply."""


class NotTextError(AnswererError):
    """The reply is something that cannot be read as an answer (a tool call, an image, an unknown object)."""


class DraftStoppedError(AnswererError):
    """Ends the generation of a draft that can no longer be trusted; it is seen in traces and reaches no caller."""


class UnstructuredReplyError(AnswererError):
    """The reply does not state answer and confidence in the form that was asked for (``stated_confidence=True``)."""


class ScorerError(TwosupError):
    """A scorer gave no usable trust score."""


class MissingEvidenceError(ScorerError):
    """The answer does not carry what the scorer reads; the message says which evidence, and how to get it."""


class MissingEvidenceWarning(UserWarning):
    """A supervisor's scorer will never have what it reads, by what the parts say of themselves."""


class ProcessorWarning(UserWarning):
    """A calibration was made on another kind of processor, and the model's scores differ by that."""


class ScoreRangeError(ScorerError, ValueError):
    """A scorer returned something that is not a number in [0, 1]."""


class NoTrustedAnswerError(TwosupError):
    """Neither model could be trusted, and the chain was told to raise (``fallback="raise"``); its `result` is whole."""

    def __init__(self, result: Any) -> None:
        self.result = result
        super().__init__(result.reason)

    @property
    def usage(self) -> UsageMetadata | None:
        """The tokens that the question cost all the same, where they are known."""
        usage: UsageMetadata | None = self.result.usage
        return usage


def is_failure(error: BaseException) -> bool:
    """Whether an error is a part's failure, which the others may make good.

    It is none where it says that something was set up wrongly, or is LangGraph's way to halt (``interrupt``).
    """
    halts = any(kind.__name__ == "GraphBubbleUp" for kind in type(error).__mro__)
    return isinstance(error, Exception) and not (halts or isinstance(error, (ConfigurationError, ImportError)))


def http_status(error: BaseException) -> int | None:
    """Returns the HTTP code that a provider's error carries; ``None`` for none."""
    status = getattr(error, "status_code", getattr(getattr(error, "response", None), "status_code", None))
    return status if isinstance(status, int) else None
