"""`signals`: everything that is known of one prediction, as named numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twosup_chain.scoring.reading import is_reading, own_signals, reading_signals
from twosup_chain.scoring.tokens import token_signals
from twosup_chain.scoring.wording import wording_signals
from twosup_chain.text.squad import normalize_answer, token_f1

if TYPE_CHECKING:
    from twosup_chain.schema import Answer, QAInput

#: What the local model's own signals are called beside those of the hosted answer.
LOCAL = "local_"


def signals(question: QAInput, answer: Answer, *, local: Answer | None = None) -> dict[str, float]:
    """Returns the signals of a prediction; one that cannot be had is simply not there. No model runs.

    Of the prediction itself come its tokens' (`tokens`), what it says of itself (`reading.own_signals`) and those of
    the words (`wording`; for "no answer" of a reading they are about the span that it rejects). With `local`, there
    are besides:

    - ``agreement``: token F1 of the two answers, in [0, 1]; two "no answers" agree fully;
    - what the local reading makes of the answer (`reading.reading_signals`), where the local answer is a reading;
    - the local prediction's own signals, ``local_…``.

    Args:
        question: The question and its context; without a context there are no signals of the words.
        answer: The prediction.
        local: The local model's prediction, where `answer` is the hosted model's.
    """
    found = {**token_signals(answer), **own_signals(answer)}
    if question.context is not None:
        text = answer.text
        if text is None and answer.candidates:
            text = answer.candidates[0].text
        found |= wording_signals(question.question, question.passages, text)
    if local is None:
        return found
    found["agreement"] = token_f1(*(normalize_answer(item.text or "").split() for item in (answer, local)))
    if is_reading(local):
        found |= reading_signals(answer, local)
    own = {**token_signals(local), **own_signals(local)}
    return found | {f"{LOCAL}{name}": value for name, value in own.items()}
