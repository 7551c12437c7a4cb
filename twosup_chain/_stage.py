"""`Stage`: the calls of a decision in their order, and what a failure of one is in words."""

from enum import IntEnum
from time import perf_counter
from typing import Any

from langchain_core.runnables import Runnable

from twosup_chain._case import Case
from twosup_chain._citing import CITING
from twosup_chain._deadline import Clock
from twosup_chain._options import shorten
from twosup_chain._step import Flow, Step
from twosup_chain.answerers.named_chat_model import made
from twosup_chain.answerers.part import input_for
from twosup_chain.answerers.reply import LONGEST, as_answer
from twosup_chain.errors import ConfigurationError, is_failure
from twosup_chain.schema import Answer, Evidence, TwoSupervisorResult, Verdict


class Stage(IntEnum):
    """The order of the calls, which is also the order in which a batch makes them."""

    LOCAL = 0
    LOCAL_SUPERVISOR = 1
    NEVER_ESCALATE = 2
    REMOTE = 3
    REMOTE_SUPERVISOR = 4
    FALLBACK = 5
    CITATIONS = 6

    @property
    def failing(self) -> str:
        """What a failure of this stage is, in words."""
        role = self.name.split("_")[0].lower()
        if self in (Stage.LOCAL_SUPERVISOR, Stage.REMOTE_SUPERVISOR):
            return f"the {role} supervisor could not judge, so that the {role} answer is not trusted"
        return "the local model could not answer" if self == Stage.LOCAL else f"the {role} failed"

    def step(self, case: Case, runnable: Runnable[Any, Any], input: Any, clock: Clock | None = None) -> Step:
        """Returns the call of a part at this stage, in the question's time or in another."""
        return Step(runnable, input, stage=self, name=self.name.lower(), held=True, clock=clock or case.clock)

    def ask(self, case: Case, answerer: Runnable[Any, Any], clock: Clock | None = None) -> Flow[Answer]:
        """Returns what an answerer says, in the question's time or in another."""
        begun = perf_counter()
        yield from made(answerer, self)
        case.leave_out(perf_counter() - begun)
        said = yield self.step(case, answerer, input_for(answerer, case.input), clock)
        answer = as_answer(said, case.input.passages, case.input.options)
        if len(answer.text or "") > LONGEST:
            case.note(f"the {self.name.lower()} answer is cut off after {LONGEST:,} characters")
        return answer

    def judge(self, case: Case, supervisor: Runnable[Any, Any], evidence: Evidence) -> Flow[Verdict]:
        """Returns what a supervisor says of an answer."""
        verdict = yield self.step(case, supervisor, evidence)
        if isinstance(verdict, Verdict):
            return verdict
        raise ConfigurationError(
            f"a supervisor returned {shorten(verdict)}: it must return a Verdict, as Supervisor(scorer, threshold=…) "
            "does"
        )


def escalate(case: Case, stage: Stage, error: Exception, policy: str = "escalate") -> None:
    """Notes a failure, so that the decision goes on; raises it where the policy says so, or where it is none."""
    if policy == "raise" or not is_failure(error):
        raise error
    case.fail(stage.failing, error, of_remote=stage in (Stage.REMOTE, Stage.REMOTE_SUPERVISOR))


def cited(case: Case, result: TwoSupervisorResult) -> Flow[TwoSupervisorResult]:
    """Returns a result with the citations that are still to be looked up, in long texts; without, if that fails."""
    if case.uncited is None:
        return result
    try:
        return result.model_copy(update={"citations": (yield Stage.CITATIONS.step(case, CITING, case.uncited))})
    except Exception as error:
        if not is_failure(error):
            raise
        said = f"its citations could not be looked up ({shorten(f'{type(error).__name__}: {error}', 200)})"
        return result.model_copy(update={"reason": f"{result.reason}; {said}"})
