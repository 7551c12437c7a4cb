"""`Gate`: what may stand between a question and the hosted model, in every call style."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from twosup_chain._deadline import Clock
from twosup_chain._step import Flow
from twosup_chain.schema import Answer, QAInput


class Gate(ABC):
    """Lets questions pass to the hosted model, or not; it decides nothing else."""

    @abstractmethod
    def through(self, asked: QAInput, call: Callable[..., Flow[Answer]], clock: Clock) -> Flow[Answer]:
        """Returns what the hosted model says.

        Args:
            asked: The question, with all that would be sent.
            call: Makes the call, as often as it is called; ``call(clock=…)`` in a time of its own.
            clock: The question's time.

        Raises:
            RemoteWithheldError: The question does not pass.
            Exception: The call failed.
        """
